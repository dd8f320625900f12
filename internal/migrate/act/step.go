package act

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"secretstore/internal/migrate/model"
)

// tries is how often a change is made anew after somebody else changed the object at that very moment: controllers write statuses
// all the time.
const tries = 5

// unknownUID stands for an owner's UID while nothing is changed and the owner need not be there.
const unknownUID = "00000000-0000-0000-0000-000000000000"

// resolve replaces the variables of a step. The UID of an owner that an earlier step made is looked up.
func (r *run) resolve(ctx context.Context, c model.Change) (model.Change, error) {
	c, err := r.variables.resolve(c)
	if err != nil && !r.Options.DryRun {
		return c, err
	}
	for i := range c.Edits {
		if c.Edits[i].Value, err = r.owned(ctx, c.Object.Namespace, c.Edits[i].Value); err != nil {
			return c, err
		}
	}
	return c, nil
}

// owned replaces the variable that stands for an owner's UID, in owner references.
func (r *run) owned(ctx context.Context, namespace string, value any) (any, error) {
	references, _ := value.([]any)
	for i, entry := range references {
		owner, _ := entry.(map[string]any)
		if owner["uid"] != model.UIDOfSync && owner["uid"] != model.UIDOfClass {
			continue
		}
		ref := model.Ref{
			APIVersion: text(owner, "apiVersion"), Kind: text(owner, "kind"), Namespace: namespace, Name: text(owner, "name"),
		}
		sight, err := r.Cluster.Look(ctx, model.Change{Verb: model.Edit, Object: ref})
		switch {
		case err != nil:
			return nil, fmt.Errorf("looking for the owner %s: %w", ref, err)
		case sight.UID != "":
			owner["uid"] = sight.UID
		case r.Options.DryRun:
			owner["uid"] = unknownUID
		default:
			return nil, &RefusedError{Object: ref, Why: "it is not there, and a Secret is to be its own"}
		}
		references[i] = owner
	}
	return value, nil
}

// change makes, edits or deletes an object, unless it is as wanted.
func (r *run) change(ctx context.Context, c model.Change) error {
	if why := r.settled(c); why != "" {
		return r.pass(c, why, "")
	}
	for try := 1; ; try++ {
		sight, err := r.Cluster.Look(ctx, c)
		if err != nil {
			return err
		}
		switch sight.Standing {
		case Done:
			return r.done(ctx, c)
		case Gone:
			return r.pass(c, c.Object.String()+" is not there any more", "")
		case Foreign:
			return &RefusedError{Object: c.Object, Why: sight.Why}
		case Open:
		}
		conflict := (*ConflictError)(nil)
		if err := r.apply(ctx, c, sight); !errors.As(err, &conflict) || try == tries {
			return err
		}
	}
}

// settle looks at the steps that a killed run began, and writes down which of them it made after all.
func (r *run) settle(ctx context.Context) error {
	for _, record := range r.history.Records() {
		c := record.Change
		if record.Made || c.Verb == model.Run {
			continue
		}
		sight, err := r.Cluster.Look(ctx, c)
		if err != nil {
			return err
		}
		if sight.Standing == Done || c.Verb == model.Delete && r.another(c, sight) {
			if err := r.write(Entry{What: Made, Change: c, UID: sight.UID}); err != nil {
				return err
			}
		}
	}
	return nil
}

// settled says why a step needs no look: what it did was taken away by a later one, or has had its time.
func (r *run) settled(c model.Change) string {
	record, open := r.history.Open[c.ID]
	switch {
	case !open || !record.Made:
		return ""
	case c.Verb == model.Delete:
		return "it was deleted"
	case c.Verb == model.Create && r.history.deletes(c.Object, c.Order):
		return "it was made, and a later step deleted it"
	case c.Verb == model.Create && c.Stage == model.Workloads:
		return "it was made: a Job or a pod is not made twice" // it may have ended since
	}
	return ""
}

// another tells whether the object that is there is not the one that was to be deleted.
func (r *run) another(c model.Change, sight Sight) bool {
	record, open := r.history.Open[c.ID]
	was := text(record.Before, "metadata", "uid")
	return open && was != "" && sight.UID != "" && was != sight.UID
}

// done is for a step whose object is as wanted: by this migration, whose rollout may have been left unwatched, or by somebody
// else.
func (r *run) done(ctx context.Context, c model.Change) error {
	if r.history.Open[c.ID].Made {
		if err := r.rollout(ctx, c); err != nil {
			return err
		}
	}
	return r.pass(c, "it is as it should be", "")
}

// apply makes one change, with the journal before and after it.
func (r *run) apply(ctx context.Context, c model.Change, sight Sight) error {
	if c.Irreversible && !r.Options.Irreversible {
		return &IrreversibleError{Steps: []model.Change{c}}
	}
	if err := r.write(Entry{What: Begun, Change: c, Before: sight.Before, UID: sight.UID}); err != nil {
		return err
	}
	after, err := r.Cluster.Apply(ctx, c, sight, false)
	if err != nil {
		return err
	}
	if err := r.write(Entry{What: Made, Change: c, UID: after.UID}); err != nil {
		return err
	}
	if err := r.rollout(ctx, c); err != nil {
		return err
	}
	r.made(c)
	return nil
}

// made counts a step that was made.
func (r *run) made(c model.Change) {
	r.summary.Made++
	r.tell(Event{Kind: EventMade, Step: c})
}

// rolls tells whether an edit makes a controller replace pods, in a way that can be waited for.
func rolls(c model.Change) bool {
	kind := c.Object.Kind
	return c.Verb == model.Edit && c.Stage == model.Workloads && c.Object.Group() == "apps" && len(c.Command) > 0 &&
		(kind == "Deployment" || kind == "StatefulSet" || kind == "DaemonSet")
}

// rollout waits until the pods of a changed workload are replaced. If they do not become ready the workload is taken back at
// once.
func (r *run) rollout(ctx context.Context, c model.Change) error {
	if !rolls(c) {
		return nil
	}
	err := r.await(ctx, rolloutOf(c), false)
	if closed := (*ClosedError)(nil); !errors.As(err, &closed) {
		return err
	}
	if reverted := r.Cluster.Revert(ctx, r.history.Open[c.ID].Entry); reverted != nil {
		return errors.Join(err, fmt.Errorf("and it could not be taken back: %w", reverted))
	}
	if failed := r.write(Entry{What: Reverted, Change: brief(c), Message: err.Error()}); failed != nil {
		return errors.Join(err, failed)
	}
	r.summary.Reverted++
	r.tell(Event{Kind: EventReverted, Step: c, Text: err.Error()})
	return fmt.Errorf("the rollout did not come to its end, so %s was taken back: %w", c.Object, err)
}

// rolloutOf is the gate behind a changed workload.
func rolloutOf(c model.Change) model.Change {
	return model.Change{
		ID: c.ID, Stage: c.Stage, Order: c.Order, Verb: model.Check, Object: c.Object, Command: c.Command,
		Gate: &model.Gate{Kind: model.GateRollout, Objects: []model.Ref{c.Object}}, Summary: "The pods of " + c.Object.String() +
			" are replaced and ready.",
	}
}

// command carries out a command, or reads what it prints.
func (r *run) command(ctx context.Context, c model.Change) error {
	if c.Sets != "" {
		return r.read(ctx, c)
	}
	if c.Irreversible && !r.Options.Irreversible {
		if record := r.history.Open[c.ID]; record.Made {
			return r.pass(c, "it was made", "")
		}
		return &IrreversibleError{Steps: []model.Change{c}}
	}
	was, open := r.history.Open[c.ID]
	did, err := r.execute(ctx, c, func() error {
		if open { // of one that was begun before the first entry counts
			return nil
		}
		return r.write(Entry{What: Begun, Change: c, Command: c.Command})
	})
	if err != nil {
		return r.unless(c, err)
	}
	if !did {
		return r.unchanged(c, was, open)
	}
	if err := r.write(Entry{What: Made, Change: c, Command: c.Command}); err != nil {
		return err
	}
	r.made(c)
	return nil
}

// unchanged counts a command that changed nothing. If a run that was killed had begun it, which is only done where something has
// to be changed, that one did; if that run lived to see it fail, a person may have done it since, and it stays doubtful. was is
// what the journal said before.
func (r *run) unchanged(c model.Change, was Record, open bool) error {
	const why = "nothing had to be changed"
	switch {
	case !open:
		return r.pass(c, why, "")
	case was.Made || was.Doubtful:
		r.passed(c, why)
		return nil
	}
	r.passed(c, "an earlier run, which was killed, had made it")
	return r.write(Entry{What: Made, Change: c, Command: c.Command})
}

// unless takes the beginning of a step back that was a person's all along: nothing was done.
func (r *run) unless(c model.Change, err error) error {
	record, open := r.history.Open[c.ID]
	if byHand := (*ByHandError)(nil); errors.As(err, &byHand) && open && !record.Made {
		return errors.Join(err, r.write(Entry{What: Reverted, Change: brief(c), Message: "it is a person's"}))
	}
	return err
}

// execute runs a command by whoever can.
func (r *run) execute(ctx context.Context, c model.Change, begin func() error) (bool, error) {
	switch {
	case isAz(c.Command) && r.Azure != nil:
		_, did, err := r.Azure.Run(ctx, c.Command, begin)
		return did, err
	case !isAz(c.Command) && len(c.Command) > 0 && r.Install != nil:
		if err := begin(); err != nil { // what the chart makes of its own tells by a label who made it
			return false, err
		}
		return r.Install(ctx, c)
	}
	return false, &ByHandError{Command: c.Command, Why: "no program does this here"}
}

// read keeps what a command prints in a variable. What an earlier run read counts where there is nothing any more: a later step
// may have taken it away.
func (r *run) read(ctx context.Context, c model.Change) error {
	if !isAz(c.Command) || r.Azure == nil {
		if r.variables.values[c.Sets] != "" {
			return r.pass(c, "its value is given", "")
		}
		return &ByHandError{Command: c.Command, Why: "no program reads this here"}
	}
	output, _, err := r.Azure.Run(ctx, c.Command, written)
	if err != nil {
		return err
	}
	if output = strings.TrimSpace(output); output == "" {
		output = r.history.Passed[c.ID]
	}
	r.variables.values[c.Sets] = output
	return r.pass(c, c.Sets+" is read", output)
}

func isAz(command []string) bool { return len(command) > 0 && command[0] == "az" }

// text is the text that a path leads to, empty if there is none.
func text(v any, path ...any) string {
	found, _ := model.Path(path).Get(v)
	s, _ := found.(string)
	return s
}
