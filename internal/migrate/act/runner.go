package act

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"k8s.io/utils/clock"

	"secretstore/internal/migrate/model"
	"secretstore/internal/migrate/model/shell"
)

// Options are what the operator allows and has answered.
type Options struct {
	// Who holds the Lease, for others to read.
	Who string
	// DryRun lets the API server judge each change and changes nothing, nor does it write into the journal.
	DryRun bool
	// Irreversible allows steps that cannot be taken back.
	Irreversible bool
	// Answers are the operator's by the IDs of decisions; they open the gates of consent.
	Answers map[string]string
	// Variables are the values of the guide's variables that are known from outside: SUBSCRIPTION and such.
	Variables map[string]string
	// Done are the IDs of steps that a person says are done, where no program can see it.
	Done map[string]bool
	// Bounds say how long a gate of a kind is waited for; those that are missing have the defaults of DefaultBounds.
	Bounds map[model.GateKind]time.Duration
	// AtMost is how long any gate is waited for, whatever its kind; zero for the bounds.
	AtMost time.Duration
}

// DefaultBounds are how long gates are waited for.
func DefaultBounds() map[model.GateKind]time.Duration {
	return map[model.GateKind]time.Duration{
		model.GateExchange: 15 * time.Minute, // roles take up to 10 minutes
		model.GateRollout:  10 * time.Minute,
		model.GateSynced:   15 * time.Minute,
	}
}

// otherBound is how long gates of other kinds are waited for.
const otherBound = 5 * time.Minute

// A Runner carries plans out. All fields but those marked optional have to be set.
type Runner struct {
	Cluster Cluster
	// Azure is nil where Azure is left to others (optional).
	Azure   Azure
	Journal Journal
	Clock   clock.Clock
	// Install carries out a command other than az: the chart's installation (step switchover/run/secretstore). It has to do
	// nothing where that is done, and gives a *ByHandError for a command that it does not know. Optional.
	Install func(ctx context.Context, c model.Change) (did bool, err error)
	// Remove takes back what Install did, in the same way. Optional.
	Remove func(ctx context.Context, c model.Change) (did bool, err error)
	// Tell is told what happens, from one goroutine. Optional.
	Tell    func(Event)
	Options Options
	// Found is the entry that a migration begins with (see Find); it is written if none is under way.
	Found Entry
}

// Run carries out the steps in their order, after those that the journal's entries say are done. It stops at the first step that
// fails or needs a person: the error is a *StopError then. Running again goes on.
func (r Runner) Run(ctx context.Context, changes []model.Change, entries []Entry) (Summary, error) {
	changes = model.SortChanges(append([]model.Change{}, changes...))
	run := &run{Runner: r, history: Read(entries), variables: newVariables(r.Options.Variables, changes)}
	if r.Options.DryRun {
		return run.summary, run.judge(ctx, changes)
	}
	err := run.hold(ctx, func(ctx context.Context) error {
		if run.history.begins() && r.Found.What == Found {
			if err := run.write(r.Found); err != nil {
				return err
			}
		}
		if err := run.settle(ctx); err != nil {
			return err
		}
		for _, c := range changes {
			if err := run.step(ctx, c); err != nil {
				return run.stop(run.variables.known(c), err)
			}
		}
		return nil
	})
	return run.summary, err
}

// run is one call of Run or Rollback.
type run struct {
	Runner
	history   *History
	variables variables
	summary   Summary
}

// hold does something under the Lease.
func (r *run) hold(ctx context.Context, do func(context.Context) error) error {
	held, release, err := r.Cluster.Hold(ctx, r.Options.Who)
	if err != nil {
		return fmt.Errorf("taking the Lease of the migration: %w", err)
	}
	defer release()
	return do(held)
}

// tell tells an event, if somebody listens.
func (r *run) tell(e Event) {
	if r.Tell != nil {
		r.Tell(e)
	}
}

// stop notes where a run stopped, and why.
func (r *run) stop(c model.Change, err error) error {
	stopped := &StopError{Step: c, Err: err, Do: do(c, err)}
	if inner := (*StopError)(nil); errors.As(err, &inner) {
		stopped = inner
	}
	r.summary.Stopped = c.ID
	r.tell(Event{Kind: EventStopped, Step: c, Text: stopped.Error()})
	if broken := (*JournalError)(nil); errors.As(err, &broken) {
		return stopped
	}
	return errors.Join(stopped, r.write(Entry{What: Failed, Change: brief(c), Message: err.Error()}))
}

// brief is a step without what it does, for entries that need only its name.
func brief(c model.Change) model.Change {
	return model.Change{ID: c.ID, Stage: c.Stage, Order: c.Order, Verb: c.Verb, Object: c.Object, Summary: c.Summary}
}

// do is what a person has to do about an error.
func do(c model.Change, err error) []string {
	var (
		closed       *ClosedError
		byHand       *ByHandError
		unset        *UnsetError
		refused      *RefusedError
		irreversible *IrreversibleError
	)
	switch {
	case errors.As(err, &byHand):
		return words(c)
	case errors.As(err, &refused):
		return []string{"Look at the object, and run again: the plan is made anew from what is there then."}
	case errors.As(err, &irreversible) && !irreversible.Back:
		return []string{"Read what the step does and its undo: " + c.Undo, "Then run again with leave to do what cannot be taken back."}
	case errors.As(err, &irreversible):
		lines := make([]string, 0, len(irreversible.Steps))
		for _, step := range irreversible.Steps {
			lines = append(lines, step.ID+": "+step.Undo)
		}
		return lines
	case errors.As(err, &closed):
		return open(c, closed)
	case errors.As(err, &unset):
		return []string{"Set that right, and run again."}
	}
	return nil
}

// open is how a person opens a gate.
func open(c model.Change, closed *ClosedError) []string {
	switch {
	case c.ByHand != "":
		return words(c)
	case c.Gate != nil && len(c.Gate.Same) > 0 && !closed.Wait:
		return []string{
			"Set that right, and run again. Where it is known why they are not the same (nothing wrote to the old one any more, say), and",
			"what the vault gives is right, run again with --done " + c.ID + ".",
		}
	}
	return []string{"Set that right, and run again."}
}

// words are what a step tells a person to do.
func words(c model.Change) []string {
	lines := []string{"To do by hand: " + c.Summary}
	if c.ByHand != "" {
		lines = append(lines, c.ByHand)
	}
	if c.Manual != "" {
		lines = append(lines, c.Manual)
	}
	if len(c.Command) > 0 {
		lines = append(lines, "  "+shell.Command(c.Command))
	}
	return append(lines, "Then run again.")
}

// step carries out one step.
func (r *run) step(ctx context.Context, c model.Change) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if r.Options.Done[c.ID] {
		return r.pass(c, "it is done, as was said", "")
	}
	if c.ByHand != "" {
		return r.byHand(ctx, c)
	}
	wanted, err := r.variables.wanted(c.When)
	if err != nil {
		return err
	}
	if !wanted {
		return r.pass(c, "it is not wanted here: "+c.When+" does not hold", "")
	}
	if c, err = r.resolve(ctx, c); err != nil {
		return err
	}
	r.tell(Event{Kind: EventBegun, Step: c})
	switch c.Verb {
	case model.Create, model.Edit, model.Delete:
		return r.change(ctx, c)
	case model.Run:
		return r.command(ctx, c)
	default:
		return r.check(ctx, c)
	}
}

// byHand looks whether somebody else has done what is theirs. Only a gate that is closed holds the run up.
func (r *run) byHand(ctx context.Context, c model.Change) error {
	if wanted, err := r.variables.wanted(c.When); err == nil && !wanted {
		return r.pass(c, "it is not wanted here: "+c.When+" does not hold", "")
	}
	switch {
	case slices.Contains([]model.Verb{model.Create, model.Edit, model.Delete}, c.Verb):
		return r.objectByHand(ctx, r.variables.known(c))
	case c.Gate == nil || c.Gate.Kind == model.GateExchange && r.Azure == nil:
		return r.leave(r.variables.known(c), c.ByHand)
	case c.Verb == model.Run:
		return r.commandByHand(ctx, c)
	}
	c, err := r.resolve(ctx, c)
	if err == nil {
		err = r.look(ctx, c)
	}
	if err != nil {
		return err
	}
	return r.pass(c, "it is open", "")
}

// commandByHand looks whether somebody has done what a command is for.
func (r *run) commandByHand(ctx context.Context, c model.Change) error {
	err := r.look(ctx, c)
	switch {
	case err == nil:
		return r.pass(c, "it is done", "")
	case errors.As(err, new(*ClosedError)):
		return r.leave(r.variables.known(c), c.ByHand)
	}
	return err
}

// objectByHand looks whether the owner of an object has changed it.
func (r *run) objectByHand(ctx context.Context, c model.Change) error {
	sight, err := r.Cluster.Look(ctx, c)
	switch {
	case err != nil:
		return err
	case sight.Standing == Done || sight.Standing == Gone:
		return r.pass(c, "it is done", "")
	}
	return r.leave(c, c.ByHand)
}

// leave counts a step that is somebody else's.
func (r *run) leave(c model.Change, why string) error {
	r.summary.Left = append(r.summary.Left, c.ID)
	r.tell(Event{Kind: EventLeft, Step: c, Text: why})
	return nil
}

// pass counts a step that has nothing to do, and writes that down once. read is what it read.
func (r *run) pass(c model.Change, why, read string) error {
	r.passed(c, why)
	if was, passed := r.history.Passed[c.ID]; passed && was == read {
		return nil
	}
	return r.write(Entry{What: Passed, Change: brief(c), Message: read})
}

// passed counts a step that has nothing to do.
func (r *run) passed(c model.Change, why string) {
	r.summary.Passed++
	r.tell(Event{Kind: EventPassed, Step: c, Text: why})
}
