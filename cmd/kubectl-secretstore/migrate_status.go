package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

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
	return migrateVerb(p, false, &cobra.Command{
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
		status := progressOf(run.report)
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

// progressOf sums a report up.
func progressOf(r model.Report) migrationStatus {
	status := migrationStatus{Input: r.Input, Counts: r.Counts, Stages: []stageStatus{}, Open: []string{}}
	for _, c := range r.Changes {
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
	if len(s.Open) > 0 {
		fmt.Fprintf(&b, "\nOpen decisions, to be answered in plan.yaml:\n  %s\n", strings.Join(s.Open, "\n  "))
	}
	c := s.Counts
	fmt.Fprintf(&b, "\n%d found = %d translated + %d needs-decision + %d blocked + %d not-in-use\n",
		c.Total, c.Translated, c.NeedsDecision, c.Blocked, c.NotInUse)
	return b.String()
}
