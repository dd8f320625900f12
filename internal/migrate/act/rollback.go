package act

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"secretstore/internal/migrate/model"
)

// Rollback takes back what the journal's entries say was done after a point, the last of it first: to is the name of a stage or
// the ID of a step, which stay; empty takes everything back. The driver comes first, if it was removed: without it the
// workloads' old pods do not start. What cannot be taken back is refused before anything is changed; what only a person can take
// back is told (EventLeft, Summary.Left), and stays in the journal. Running it again goes on.
func (r Runner) Rollback(ctx context.Context, to string, entries []Entry) (Summary, error) {
	run := &run{Runner: r, history: Read(entries), variables: newVariables(r.Options.Variables, nil)}
	keep, err := run.kept(to)
	if err != nil {
		return run.summary, err
	}
	err = run.hold(ctx, func(ctx context.Context) error {
		if err := run.settle(ctx); err != nil {
			return err
		}
		var back []Record
		for _, record := range slices.Backward(run.history.Records()) {
			if record.Change.Order > keep {
				back = append(back, record)
			}
		}
		return run.takeBack(ctx, back)
	})
	return run.summary, err
}

// kept is the order up to which steps stay.
func (r *run) kept(to string) (int, error) {
	ends := map[string]int{
		"": 0, string(model.Inventory): 0, string(model.Prepare): model.OrderUninstallFirst - 1,
		string(model.Switchover): model.OrderTranslate - 1, string(model.Translate): model.OrderWorkloads - 1,
		string(model.Workloads): model.OrderHandOver - 1, string(model.Verify): model.OrderCleanup - 1,
	}
	if order, known := ends[to]; known {
		return order, nil
	}
	if record, known := r.history.Open[to]; known {
		return record.Change.Order, nil
	}
	return 0, fmt.Errorf("%s is no stage that can be gone back to, nor a step that was made: name inventory, prepare, switchover, "+
		"translate, workloads or verify, or a step's ID as the journal has it", to)
}

// takeBack takes the records back in their order, the driver's removal before all others.
func (r *run) takeBack(ctx context.Context, back []Record) error {
	if refused := r.irreversible(back); refused != nil {
		return r.stop(refused.Steps[0], refused)
	}
	if err := r.driver(ctx, back); err != nil {
		return err
	}
	for i, record := range back {
		c := record.Change
		if _, open := r.history.Open[c.ID]; !open {
			continue // taken back together with another
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err := r.reverse(ctx, record, back[i+1:]); err != nil {
			return r.stop(c, err)
		}
	}
	return nil
}

// final tells a step that was made, or may have been, and cannot be taken back.
func (r Record) final() bool {
	// Of one that was begun it is known that it was not made, unless it is a command.
	return r.Change.Irreversible && (r.Made || r.Change.Verb == model.Run)
}

// CanGoBack tells whether nothing was done that cannot be taken back.
func (h *History) CanGoBack() bool {
	for _, record := range h.Open {
		if record.final() {
			return false
		}
	}
	return true
}

// irreversible lists the steps that were made, or may have been, and cannot be taken back.
func (r *run) irreversible(back []Record) *IrreversibleError {
	var steps []model.Change
	for _, record := range back {
		if record.final() {
			steps = append(steps, record.Change)
		}
	}
	if len(steps) == 0 {
		return nil
	}
	return &IrreversibleError{Steps: steps, Back: true}
}

// reverse takes one step back. before are those that come after it on the way back: steps that were made before it.
func (r *run) reverse(ctx context.Context, record Record, before []Record) error {
	c := record.Change
	r.tell(Event{Kind: EventBegun, Step: c})
	if c.Verb == model.Run {
		return r.reverseCommand(ctx, record)
	}
	if never, err := r.never(ctx, record); err != nil {
		return err
	} else if never {
		return r.reverted(c, "it was begun, and not made")
	}
	maker, made := makerOf(c, before)
	if made { // made and deleted by this migration: it need not come back to be deleted again
		return errors.Join(r.reverted(c, "the migration itself had made it"), r.reverted(maker.Change, "it is deleted already"))
	}
	if err := r.Cluster.Revert(ctx, record.Entry); err != nil {
		return err
	}
	if err := r.remade(ctx, c); err != nil {
		return err
	}
	if rolls(c) {
		if err := r.await(ctx, rolloutOf(c), false); err != nil {
			return err
		}
	}
	return r.reverted(c, "")
}

// never tells whether a step was begun, and changed nothing before the run was killed.
func (r *run) never(ctx context.Context, record Record) (bool, error) {
	if record.Made {
		return false, nil
	}
	sight, err := r.Cluster.Look(ctx, record.Change)
	return sight.Standing == Open || sight.Standing == Gone, err
}

// makerOf is the step, among those that are to be taken back, which made what a step deleted.
func makerOf(c model.Change, before []Record) (Record, bool) {
	i := slices.IndexFunc(before, func(b Record) bool {
		return c.Verb == model.Delete && b.Change.Verb == model.Create && b.Change.Object == c.Object && b.Change.Order < c.Order
	})
	if i < 0 {
		return Record{}, false
	}
	return before[i], true
}

// remade writes down the new UID of an object that this migration had made and deleted, and that is there again, for the day
// when its making is taken back as well.
func (r *run) remade(ctx context.Context, c model.Change) error {
	if c.Verb != model.Delete {
		return nil
	}
	maker, made := makerOf(c, r.history.Records())
	if !made {
		return nil
	}
	sight, err := r.Cluster.Look(ctx, maker.Change)
	if err != nil {
		return err
	}
	return r.write(Entry{What: Made, Change: maker.Change, UID: sight.UID})
}

// reverted notes that a step was taken back.
func (r *run) reverted(c model.Change, why string) error {
	if err := r.write(Entry{What: Reverted, Change: brief(c), Message: why}); err != nil {
		return err
	}
	r.summary.Reverted++
	r.tell(Event{Kind: EventReverted, Step: c, Text: why})
	return nil
}

// reverseCommand takes a command back, if there is a command for that and it is known to have changed anything.
func (r *run) reverseCommand(ctx context.Context, record Record) error {
	c := record.Change
	if !record.Made && record.Doubtful && isAz(c.Command) { // the chart is nobody else's: it was not there before
		return r.leave(c, "it was begun, and whether it changed anything is not known. Look, and if it did: "+c.Undo)
	}
	did, err := r.back(ctx, c)
	if byHand := (*ByHandError)(nil); errors.As(err, &byHand) {
		return r.leave(c, c.Undo)
	}
	if err != nil {
		return err
	}
	if !did {
		return r.reverted(c, "that was done already")
	}
	return r.reverted(c, "")
}

// written begins what is in the journal already, or changes nothing.
func written() error { return nil }

// back runs what takes a command back.
func (r *run) back(ctx context.Context, c model.Change) (bool, error) {
	switch {
	case isAz(c.Command) && r.Azure != nil && len(c.Back) > 0:
		_, did, err := r.Azure.Run(ctx, c.Back, written)
		return did, err
	case isAz(c.Command) && r.Azure != nil:
		if command, can := r.Azure.Reverse(c.Command); can {
			_, did, err := r.Azure.Run(ctx, command, written)
			return did, err
		}
	case !isAz(c.Command) && len(c.Command) > 0 && r.Remove != nil:
		return r.Remove(ctx, c)
	}
	return false, &ByHandError{Command: c.Command, Why: c.Undo}
}

// driver brings the CSI driver back, if anything that is to be taken back needs it: workloads, whose old pods mount it.
func (r *run) driver(ctx context.Context, back []Record) error {
	at := slices.IndexFunc(back, func(b Record) bool { return b.Change.ID == stepUninstall })
	needed := slices.ContainsFunc(back, func(b Record) bool { return b.Change.Stage == model.Workloads })
	if at < 0 && !needed || r.history.Found == nil || r.history.Found.Kept == nil {
		return nil
	}
	gate := driverGate(*r.history.Found.Kept)
	if at >= 0 {
		gate.Undo = back[at].Change.Undo
	}
	if len(gate.Gate.Objects) == 0 {
		return nil // there was none that could be seen
	}
	err := r.driverThere(ctx, gate, false)
	closed := (*ClosedError)(nil)
	if errors.As(err, &closed) && at >= 0 {
		err = r.reinstall(ctx, back[at].Change, gate, err)
	}
	if err != nil {
		return r.stop(gate, err)
	}
	if at >= 0 {
		return r.reverted(back[at].Change, "the driver is there again")
	}
	return nil
}

// driverGate is what holds once the driver is there.
func driverGate(kept Kept) model.Change {
	c := model.Change{
		ID: "rollback/check/driver", Stage: model.Rollback, Verb: model.Check, Gate: &model.Gate{Kind: model.GateRollout},
		Summary: "The CSI driver and its Azure provider have to be there and ready again before workloads that mount it are taken " +
			"back.",
		ByHand: "Install the driver again as it was; akv-spe-extension-config.json has its settings.",
	}
	for _, o := range kept.Driver {
		if o.Kind == "DaemonSet" {
			c.Gate.Objects = append(c.Gate.Objects, o.Ref)
		}
	}
	return c
}

// driverThere looks for the driver: its DaemonSets, ready, and what announces it to the kubelets.
func (r *run) driverThere(ctx context.Context, gate model.Change, patient bool) error {
	if err := r.await(ctx, gate, patient); err != nil {
		return err
	}
	ref := model.Ref{APIVersion: "storage.k8s.io/v1", Kind: "CSIDriver", Name: model.Driver}
	sight, err := r.Cluster.Look(ctx, model.Change{Verb: model.Edit, Object: ref})
	if err == nil && sight.Standing == Gone {
		return &ClosedError{Lacking: []string{ref.String() + " is not there"}}
	}
	return err
}

// reinstall brings the driver back by a command, if there is one, and waits for it.
func (r *run) reinstall(ctx context.Context, c, gate model.Change, closed error) error {
	_, err := r.back(ctx, c)
	if byHand := (*ByHandError)(nil); errors.As(err, &byHand) {
		return errors.Join(closed, &ByHandError{Command: c.Command, Why: "the driver has to be installed again: " + c.Undo})
	}
	if err != nil {
		return err
	}
	return r.driverThere(ctx, gate, true)
}
