package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"

	"secretstore/internal/migrate"
	"secretstore/internal/migrate/act"
	"secretstore/internal/migrate/azscript"
	"secretstore/internal/migrate/install"
	"secretstore/internal/migrate/model"
	"secretstore/internal/migrate/state"
	"secretstore/internal/migrate/write"
)

// handOver is the folder, within the state folder, of what is left to others.
const handOver = "left-to-others"

// carryOut shows the plan of some stages, or does what it says.
func (m migration) carryOut(ctx context.Context, p program, stages ...model.StageName) error {
	r, err := m.begin(ctx, p)
	if err != nil {
		return err
	}
	if !m.acts() {
		if m.dryRun == dryRunNone {
			if err := r.state.SaveDecisions(r.report.Decisions); err != nil {
				return err
			}
		}
		return r.finish(migrate.Only(r.report, stages...))
	}
	if err := r.mayAct(); err != nil {
		return err
	}
	changes := forStages(r.report.Changes, stages)
	if m.dryRun == dryRunNone {
		if err := errors.Join(r.earlier(changes, stages), r.imageless(changes)); err != nil {
			return err
		}
		if len(r.entries) == 0 {
			err = r.state.Backup(r.snapshot)
		}
		if err = errors.Join(err, r.state.SaveDecisions(r.report.Decisions)); err != nil {
			return err
		}
	}
	n := r.narrate(changes)
	summary, err := r.doAll(ctx, n, changes)
	if _, used := errors.AsType[*state.InUseError](err); used { // the folder is another's to write
		n.close()
		return err
	}
	return r.tellEnd(ctx, n, summary, err)
}

// undecidedError says that nothing was begun because only the operator can decide what is open.
type undecidedError struct {
	open  []model.Decision
	whole []model.Finding
	file  string
}

// Error lists the questions and says where to answer.
func (e undecidedError) Error() string {
	var b strings.Builder
	b.WriteString("nothing was changed: ")
	switch {
	case len(e.open) > 0:
		b.WriteString(plural(len(e.open), "open decision") + ", to be answered in " + e.file + " (set answer, and decided: true):")
	default:
		b.WriteString("this is in the way of the whole:")
	}
	for _, d := range e.open {
		about := ""
		if d.Object != (model.Ref{}) {
			about = d.Object.String() + ": "
		}
		b.WriteString("\n" + d.ID + ": " + about + oneLine(d.Question))
	}
	for _, f := range e.whole {
		b.WriteString("\n" + string(f.Code) + ": " + oneLine(f.Message) + " " + oneLine(f.Action))
	}
	if len(e.open) > 0 && !slices.ContainsFunc(e.open, isWhole) && len(e.whole) == 0 {
		b.WriteString("\nor go on with everything else by --skip-undecided")
	}
	return b.String()
}

// isWhole tells a decision about the whole, that cannot be left for later.
func isWhole(d model.Decision) bool { return d.Object == (model.Ref{}) }

// mayAct refuses to begin while a required decision is open, or something about the whole is in the way. Decisions about single
// objects may be skipped.
func (r *migrationRun) mayAct() error {
	e := undecidedError{file: r.state.Path("plan.yaml")}
	for _, d := range r.report.Decisions {
		_, decided := d.Effective()
		if !decided && (isWhole(d) || !r.act.skipUndecided) {
			e.open = append(e.open, d)
		}
	}
	for _, f := range r.report.Findings {
		if f.Severity == model.Blocking && f.Object == (model.Ref{}) {
			e.whole = append(e.whole, f)
		}
	}
	if len(e.open)+len(e.whole) == 0 {
		return nil
	}
	// What has to be answered must be in plan.yaml.
	if err := r.state.SaveDecisions(r.report.Decisions); err != nil {
		return err
	}
	return errors.Join(e, openError{r.report.Counts, r.report.InTheWay()})
}

// forStages are the steps of some stages, and those of earlier ones that only read what they need.
func forStages(changes []model.Change, stages []model.StageName) []model.Change {
	last := -1
	for i, c := range changes {
		if slices.Contains(stages, c.Stage) {
			last = i
		}
	}
	var all []model.Change
	for i, c := range changes {
		if slices.Contains(stages, c.Stage) || c.Sets != "" && i < last {
			all = append(all, c)
		}
	}
	return all
}

// earlier refuses a stage while steps of others that come before its first are not done.
func (r *migrationRun) earlier(changes []model.Change, stages []model.StageName) error {
	history := act.Read(r.entries)
	first := slices.IndexFunc(changes, func(c model.Change) bool {
		return slices.Contains(stages, c.Stage) && !history.Open[c.ID].Made
	})
	if first < 0 {
		return nil
	}
	missing := slices.DeleteFunc(slices.Clone(r.report.Changes), func(c model.Change) bool {
		return c.Order >= changes[first].Order || slices.Contains(stages, c.Stage) || needless(c, history)
	})
	if len(missing) == 0 {
		return nil
	}
	const few = 5
	var list strings.Builder
	for _, c := range missing[:min(few, len(missing))] {
		list.WriteString("\n  " + c.ID)
	}
	if len(missing) > few {
		fmt.Fprintf(&list, "\n  and %d more", len(missing)-few)
	}
	return stoppedError{fmt.Errorf("not begun, as %s of earlier stages would be missing: kubectl secretstore migrate %s --apply "+
		"first, or migrate run --apply for all of them:%s", plural(len(missing), "step"), missing[0].Stage, &list)}
}

// needless tells a step that is done, or that holds no later one up: one that only reads, and those of others.
func needless(c model.Change, history *act.History) bool {
	_, passed := history.Passed[c.ID]
	return passed || history.Open[c.ID].Made || c.Sets != "" || c.ByHand != "" || c.Verb == model.Check && c.Gate == nil
}

// stoppedError is an error after which a person has to do something else first.
type stoppedError struct{ error }

// Unwrap is what it says, and that it is for a person.
func (e stoppedError) Unwrap() []error { return []error{e.error, act.ErrStopped} }

// doAll carries the steps out. Where it stops before one that cannot be taken back, a person at a terminal is asked.
func (r *migrationRun) doAll(ctx context.Context, n *narrator, changes []model.Change) (act.Summary, error) {
	if r.dryRun == dryRunServer {
		runner, err := r.ports(n.note, "")
		if err != nil {
			return act.Summary{}, err
		}
		runner.Tell, runner.Options = n.tell, r.runOptions(changes)
		return runner.Run(ctx, changes, r.entries)
	}
	return r.withJournal(n.note, func(runner act.Runner, entries []act.Entry) (act.Summary, error) {
		runner.Tell, runner.Options = n.tell, r.runOptions(changes)
		return r.doAllowed(ctx, n, runner, changes, entries)
	})
}

// withJournal does something with the state folder locked and the journal open.
func (r *migrationRun) withJournal(
	tell func(string), do func(act.Runner, []act.Entry) (act.Summary, error),
) (act.Summary, error) {
	lock, err := r.state.Lock(who(r.program))
	if err != nil {
		return act.Summary{}, err
	}
	runner, err := r.ports(tell, lock.ID())
	if err != nil {
		return act.Summary{}, errors.Join(err, lock.Release())
	}
	journal, entries, err := r.state.OpenJournal()
	if err != nil {
		return act.Summary{}, errors.Join(err, lock.Release())
	}
	runner.Journal = journal
	summary, err := do(runner, entries)
	return summary, errors.Join(err, journal.Close(), lock.Release())
}

// doAllowed carries the steps out, and asks where it stops before one that cannot be taken back.
func (r *migrationRun) doAllowed(ctx context.Context, n *narrator, runner act.Runner, changes []model.Change, entries []act.Entry,
) (act.Summary, error) {
	summary, err := runner.Run(ctx, changes, entries)
	irreversible := (*act.IrreversibleError)(nil)
	if errors.As(err, &irreversible) && r.program.asks(n, changes) {
		runner.Options.Irreversible, n.brief = true, true
		if entries, err = r.state.Entries(); err == nil {
			made := summary.Made
			summary, err = runner.Run(ctx, changes, entries)
			summary.Made += made
		}
	}
	return summary, err
}

// withImage puts what was said of the controller's image and values into the step that installs it.
func (r *migrationRun) withImage(changes []model.Change) []model.Change {
	changes = slices.Clone(changes)
	for i, c := range changes {
		if install.Is(c) {
			changes[i].Command = install.Command(c.Command, r.act.values, r.act.image)
		}
	}
	return changes
}

// doneAzure is what --done takes for all steps that are left to others by --no-azure.
const doneAzure = "azure"

// imageless refuses to begin what would come to the controller's installation without an image.
func (r *migrationRun) imageless(changes []model.Change) error {
	const variable = "SECRETSTORE_IMAGE_REPOSITORY"
	for _, c := range changes {
		lacks := install.Is(c) && strings.Contains(strings.Join(c.Command, " "), "${"+variable+"}")
		if lacks && r.program.env(variable) == "" && !act.Read(r.entries).Open[c.ID].Made {
			return usageError{errors.New("nothing was changed: the controller is to be installed, and no image is named: --image " +
				"REPOSITORY[:TAG][@DIGEST], or image.repository in the file of --values")}
		}
	}
	return nil
}

// runOptions are what the operator allows and has answered.
func (r *migrationRun) runOptions(changes []model.Change) act.Options {
	o := act.Options{
		Who: who(r.program), DryRun: r.dryRun == dryRunServer, Irreversible: r.act.irreversible, Answers: map[string]string{},
		Variables: r.variables(changes), Done: map[string]bool{}, AtMost: r.act.timeout,
	}
	for _, d := range r.report.Decisions {
		if answer, decided := d.Effective(); decided {
			o.Answers[d.ID] = answer
		}
	}
	history := act.Read(r.entries)
	for _, c := range changes {
		_, passed := history.Passed[c.ID]
		given := c.ByHand != "" && c.Sets != "" && o.Variables[c.Sets] != "" // somebody else read it
		azure := c.ByHand == model.LeftToOthers && slices.Contains(r.act.done, doneAzure)
		o.Done[c.ID] = slices.Contains(r.act.done, c.ID) || azure || given || passed && isPersons(c)
	}
	return o
}

// isPersons tells a step that no program can see done, so that a person's word about it counts for good.
func isPersons(c model.Change) bool {
	return c.Verb == model.Check && c.Gate == nil ||
		c.ByHand != "" && (c.Verb == model.Run || c.ByHand == model.LeftToOthers) && c.Sets == ""
}

// who is how this run calls itself towards another operator.
func who(p program) string {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown host"
	}
	user := p.env("USER")
	if user == "" {
		user = "somebody"
	}
	return fmt.Sprintf("%s@%s, process %d", user, host, os.Getpid())
}

// variables are the values of the plan's variables that flags and the environment give. What a step reads itself wins over them.
// The environment is asked for no other: objects of the cluster are in the plan, and whoever wrote `${AZURE_CLIENT_SECRET}` into
// a class would find the operator's there afterwards.
func (r *migrationRun) variables(changes []model.Change) map[string]string {
	azure := r.options.Azure
	values := map[string]string{
		"SUBSCRIPTION": azure.Subscription, "RESOURCE_GROUP": azure.ResourceGroup, "CLUSTER_NAME": azure.Cluster,
		"LOCATION": azure.Location, "AZURE_TENANT_ID": azure.Tenant, "USER_ASSIGNED_IDENTITY_NAME": azure.Identity,
		"SERVICE_ACCOUNT_NAME": azure.ServiceAccount,
	}
	text, err := json.Marshal(changes)
	if err != nil {
		return values // the plan was made of what is in it
	}
	for _, match := range regexp.MustCompile(`\$\{([A-Z][A-Z0-9_]*)\}`).FindAllSubmatch(text, -1) {
		name := string(match[1])
		if _, known := values[name]; !known && model.IsPlans(name) {
			values[name] = r.program.env(name)
		}
	}
	maps.DeleteFunc(values, func(_, value string) bool { return value == "" })
	return values
}

// saveLeft writes what is left to others into the state folder, and returns where: new manifests, patches, a script that applies
// them, and one of az commands.
func (r *migrationRun) saveLeft(changes []model.Change, left []string) (string, error) {
	theirs := slices.DeleteFunc(slices.Clone(changes), func(c model.Change) bool { return !slices.Contains(left, c.ID) })
	files, err := write.Manifests(theirs)
	if err != nil {
		return "", err
	}
	if slices.ContainsFunc(theirs, func(c model.Change) bool { return len(c.Command) > 0 && c.Command[0] == "az" }) {
		files.Files["azure.sh"] = []byte(azscript.Script(r.report))
	}
	return r.state.SaveFiles(handOver, files.Files)
}
