package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"secretstore/internal/migrate/act"
	"secretstore/internal/migrate/model"
)

// migrationStatus is what `migrate status` tells: with -o json and -o yaml in this form.
type migrationStatus struct {
	Input  model.Input  `json:"input"`
	Counts model.Counts `json:"counts"`
	// Stages are those that have steps left, in their order.
	Stages []stageStatus `json:"stages"`
	// Open lists the decisions that nothing goes on without.
	Open []string `json:"openDecisions"`
	// Journal is what was done until now, nil if nothing was begun.
	Journal *journalStatus `json:"journal,omitempty"`
}

// journalStatus is what the journal says.
type journalStatus struct {
	Made   int `json:"made"`
	Passed int `json:"passed"`
	// Last is when something was written down last; Begun are the steps of which it is not known whether they were made.
	Last  time.Time `json:"last"`
	Begun []string  `json:"begun,omitempty"`
	// Stopped is the step that the last run stopped at, and Message why; empty if it did not.
	Stopped string `json:"stopped,omitempty"`
	Message string `json:"message,omitempty"`
}

// stageStatus is what is left of a stage.
type stageStatus struct {
	Stage  model.StageName `json:"stage"`
	Steps  int             `json:"steps"`
	ByHand int             `json:"byHand"`
	// Next is the first step's summary.
	Next string `json:"next"`
}

// newMigrateStatus says how far a migration is.
func newMigrateStatus(p program) *cobra.Command {
	return migrateVerb(p, flagsRead, &cobra.Command{
		Use:   "status",
		Short: "Say how far the migration is: what is left of each stage, and what waits for you",
		Long: `Say how far the migration is: what is left of each stage, and what waits for you.

It reads afresh, so that what was done in the meantime, by whomever, counts. It writes nothing.`,
		Example: `  # Of the cluster
  kubectl secretstore migrate status

  # Of a GitOps repository
  kubectl secretstore migrate status --from deploy/`,
	}, func(ctx context.Context, m migration) error {
		run, err := m.begin(ctx, p)
		if err != nil {
			return err
		}
		status := progressOf(run.report, run.entries)
		switch m.format {
		case formatJSON, formatYAML:
			err = encode(p.Out, m.format, status)
		case formatHTML:
			return run.finish(run.report)
		default:
			err = p.print(status.text())
		}
		if err != nil {
			return err
		}
		return open(run.report)
	})
}

// progressOf sums a report up, without the steps that the journal says are done.
func progressOf(r model.Report, entries []act.Entry) migrationStatus {
	status := migrationStatus{
		Input: r.Input, Counts: r.Counts, Stages: []stageStatus{}, Open: []string{}, Journal: journalOf(entries),
	}
	history := act.Read(entries)
	for _, c := range r.Changes {
		if _, passed := history.Passed[c.ID]; passed || history.Open[c.ID].Made {
			continue
		}
		if len(status.Stages) == 0 || status.Stages[len(status.Stages)-1].Stage != c.Stage {
			status.Stages = append(status.Stages, stageStatus{Stage: c.Stage, Next: c.Summary})
		}
		last := &status.Stages[len(status.Stages)-1]
		last.Steps++
		if c.ByHand != "" {
			last.ByHand++
		}
	}
	for _, d := range r.Decisions {
		if _, decided := d.Effective(); !decided {
			status.Open = append(status.Open, d.ID)
		}
	}
	return status
}

// journalOf sums the journal up.
func journalOf(entries []act.Entry) *journalStatus {
	if len(entries) == 0 {
		return nil
	}
	history, last := act.Read(entries), entries[len(entries)-1]
	status := &journalStatus{Last: last.At}
	for _, record := range history.Records() {
		if record.Made {
			status.Made++
		} else {
			status.Begun = append(status.Begun, record.Change.ID)
		}
	}
	for id := range history.Passed {
		if _, open := history.Open[id]; !open {
			status.Passed++
		}
	}
	if last.What == act.Failed {
		status.Stopped, status.Message = last.Change.ID, last.Message
	}
	return status
}

// text is the journal for people.
func (j *journalStatus) text() string {
	if j == nil {
		return ""
	}
	text := fmt.Sprintf("\nJournal: %s made, %d passed over; last %s\n", plural(j.Made, "step"), j.Passed,
		j.Last.Format(time.RFC3339))
	if len(j.Begun) > 0 {
		text += "Begun, and not known to be made: " + strings.Join(j.Begun, ", ") + "\n"
	}
	if j.Stopped != "" {
		text += "Stopped at " + j.Stopped + ": " + oneLine(j.Message) + "\n"
	}
	return text
}

// cut shortens a sentence so that a table stays within a terminal; the whole of it is in the plan.
func cut(text string) string {
	const width = 60
	if runes := []rune(oneLine(text)); len(runes) > width {
		return strings.TrimRight(string(runes[:width-1]), " ,;") + "…"
	}
	return oneLine(text)
}

// text is the status for people.
func (s migrationStatus) text() string {
	var b strings.Builder
	lines := []string{"STAGE\tSTEPS LEFT\tBY HAND\tNEXT"}
	for _, stage := range s.Stages {
		lines = append(lines, fmt.Sprintf("%s\t%d\t%d\t%s", stage.Stage, stage.Steps, stage.ByHand, cut(stage.Next)))
	}
	if len(s.Stages) == 0 {
		lines = []string{"Nothing is left to do."}
	}
	b.WriteString(columns(lines))
	b.WriteString(s.Journal.text())
	if len(s.Open) > 0 {
		fmt.Fprintf(&b, "\nOpen decisions, to be answered in plan.yaml:\n  %s\n", strings.Join(s.Open, "\n  "))
	}
	c := s.Counts
	fmt.Fprintf(&b, "\n%d found = %d translated + %d needs-decision + %d blocked + %d not-in-use\n",
		c.Total, c.Translated, c.NeedsDecision, c.Blocked, c.NotInUse)
	return b.String()
}
