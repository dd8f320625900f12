package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"secretstore/internal/migrate/act"
	"secretstore/internal/migrate/model"
)

// newRollback takes back what was done.
func newRollback(p program) *cobra.Command {
	return migrateVerb(p, flagsRollback, &cobra.Command{
		Use:   "rollback",
		Short: "Take back what was done, the last of it first",
		Long: `Take back what was done, the last of it first, by the journal in the state folder: what was made is deleted, what was
edited gets back what stood there, byte for byte, what was deleted is made again.

Without --to the last stage that was begun is taken back, and no more: run it again for the one before. --to STAGE takes back
everything after that stage, --to inventory everything. Without --apply it shows what would be taken back.

Rights that were revoked and credentials that were deleted do not come back by a program: before anything is changed it says
which, and the command for each.`,
		Example: `  # What would be taken back
  kubectl secretstore migrate rollback

  # The last stage; then everything
  kubectl secretstore migrate rollback --apply
  kubectl secretstore migrate rollback --to inventory --apply`,
	}, func(ctx context.Context, m migration) error { return m.rollBack(ctx, p) })
}

// rollBack shows what would be taken back, or takes it back.
func (m migration) rollBack(ctx context.Context, p program) error {
	if m.from != "" {
		return errors.New("rollback is for a cluster: of a folder, version control is the way back (git checkout)")
	}
	r, err := m.begin(ctx, p)
	if err != nil {
		return err
	}
	records := act.Read(r.entries).Records()
	if len(records) == 0 {
		return p.print("Nothing was done that could be taken back.\n")
	}
	to := m.act.to
	if to == "" {
		to = beforeLastStage(records)
	}
	if !m.act.apply || m.dryRun != dryRunNone {
		keep, err := act.KeptOrder(r.entries, to)
		if err != nil {
			return err
		}
		return p.print(backText(records, keep))
	}
	n := r.narrate(nil)
	summary, err := r.takeBack(ctx, n, to)
	return r.tellBack(n, summary, err)
}

// beforeLastStage is the step after which the last stage that was begun began; inventory if there is none before it.
func beforeLastStage(records []act.Record) string {
	last := records[len(records)-1].Change.Stage
	for _, record := range slices.Backward(records) {
		if record.Change.Stage != last {
			return record.Change.ID
		}
	}
	return string(model.Inventory)
}

// backText lists what would be taken back: steps after an order.
func backText(records []act.Record, keep int) string {
	var b strings.Builder
	for _, record := range slices.Backward(records) {
		c := record.Change
		if c.Order <= keep {
			continue
		}
		fmt.Fprintf(&b, "  %s: %s\n", c.Stage, oneLine(c.Summary))
		if c.Irreversible {
			fmt.Fprintf(&b, "      cannot be taken back by a program; by hand: %s\n", oneLine(c.Undo))
		}
	}
	if b.Len() == 0 {
		return "Nothing was done after that.\n"
	}
	return "With --apply this is taken back, in this order:\n" + b.String()
}

// takeBack runs the rollback.
func (r *migrationRun) takeBack(ctx context.Context, n *narrator, to string) (act.Summary, error) {
	return r.withJournal(n.note, func(runner act.Runner, entries []act.Entry) (act.Summary, error) {
		runner.Tell, runner.Options = n.tell, r.runOptions(r.report.Changes)
		return runner.Rollback(ctx, to, entries)
	})
}

// tellBack ends the narration of a rollback.
func (r *migrationRun) tellBack(n *narrator, done act.Summary, failed error) error {
	n.close()
	s := runSummary{
		Reverted: done.Reverted, Left: []leftStep{}, Stopped: done.Stopped, Fates: map[act.Fate]int{},
		Next: []string{"kubectl secretstore migrate status says where the migration is; migrate run --apply goes forward again."},
	}
	for _, record := range act.Read(r.entries).Records() {
		if slices.Contains(done.Left, record.Change.ID) {
			s.Left = append(s.Left, leftStep{record.Change.ID, record.Change.Summary, record.Change.Undo})
		}
	}
	if failed != nil {
		s.Error = failed.Error()
	}
	if err := errors.Join(failed, r.sayAtEnd(s)); err != nil {
		return err
	}
	if len(s.Left) > 0 {
		return stoppedError{fmt.Errorf("%s for a person to take back", plural(len(s.Left), "step is"))}
	}
	return nil
}
