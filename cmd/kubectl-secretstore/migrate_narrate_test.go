package main

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"secretstore/internal/migrate/act"
	"secretstore/internal/migrate/model"
)

// TestNarration: a line a step below a heading a stage; what takes long is told every ten seconds where there is no terminal, and
// on a line that moves where there is one.
func TestNarration(t *testing.T) {
	t.Parallel()
	step := func(stage model.StageName, summary string) model.Change {
		return model.Change{Stage: stage, Summary: summary}
	}
	for name, c := range map[string]struct {
		reason   string
		terminal bool
		brief    bool
		want     string
	}{
		"a file": {reason: "no signs, and a line every ten seconds", want: "\nStage prepare (2 steps)\n" +
			"  made     Make it.\n" +
			"  passed   Look.\n           it is open\n" +
			"\nStage workloads (1 step)\n" +
			"  waiting  Roll.\n           waiting for: 1 of 3 pods\n" +
			"  ...      still: waiting for 1 of 3 pods (10s)\n" +
			"  made     Roll. \\x1b[31m\n"},
		"brief": {reason: "what is passed over is left out", brief: true, want: "\nStage prepare (2 steps)\n" +
			"  made     Make it.\n" +
			"\nStage workloads (1 step)\n" +
			"  waiting  Roll.\n           waiting for: 1 of 3 pods\n" +
			"  ...      still: waiting for 1 of 3 pods (10s)\n" +
			"  made     Roll. \\x1b[31m\n"},
		"a terminal": {reason: "a line that moves", terminal: true, want: "\nStage prepare (2 steps)\n" +
			"  made     Make it.\n" +
			"  passed   Look.\n           it is open\n" +
			"\nStage workloads (1 step)\n" +
			"  waiting  Roll.\n           waiting for: 1 of 3 pods\n" +
			"\r\x1b[K  … waiting for 1 of 3 pods (2s)" +
			"\r\x1b[K  … waiting for 1 of 3 pods (10s)" +
			"\r\x1b[K  made     Roll. \\x1b[31m\n"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var out strings.Builder
			now := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
			n := &narrator{
				out: &out, terminal: c.terminal, brief: c.brief, now: func() time.Time { return now },
				steps: map[model.StageName]int{model.Prepare: 2, model.Workloads: 1},
			}
			n.tell(act.Event{Kind: act.EventBegun, Step: step(model.Prepare, "Make it.")})
			n.tell(act.Event{Kind: act.EventMade, Step: step(model.Prepare, "Make it.")})
			n.tell(act.Event{Kind: act.EventPassed, Step: step(model.Prepare, "Look."), Text: "it is open"})
			n.tell(act.Event{Kind: act.EventBegun, Step: step(model.Workloads, "Roll.")})
			n.tell(act.Event{Kind: act.EventWaiting, Step: step(model.Workloads, "Roll."), Lacking: []string{"1 of 3 pods"}})
			for _, second := range []int{1, 2, 10} {
				n.tick(now.Add(time.Duration(second) * time.Second))
			}
			n.tell(act.Event{Kind: act.EventMade, Step: step(model.Workloads, "Roll. \x1b[31m")})
			if diff := cmp.Diff(strings.ReplaceAll(c.want, "\\x1b", "^["), out.String()); diff != "" {
				t.Errorf("%s (-want +got):\n%s", c.reason, diff)
			}
		})
	}
}

// TestBeforeLastStage: without --to the last stage that was begun is taken back, and no more.
func TestBeforeLastStage(t *testing.T) {
	t.Parallel()
	record := func(id string, stage model.StageName) act.Record {
		return act.Record{Entry: act.Entry{Change: model.Change{ID: id, Stage: stage}}}
	}
	a, b, c := record("a", model.Prepare), record("b", model.Switchover), record("c", model.Translate)
	for want, records := range map[string][]act.Record{
		"inventory": {a, a}, "a": {a, b, b}, "b": {a, b, c}, "c": {a, b, c, b}, // the driver goes after the workloads
	} {
		if got := beforeLastStage(records); got != want {
			t.Errorf("of %d steps those after %s are taken back, not after %s", len(records), got, want)
		}
	}
}

// TestForStages: a stage takes along what earlier ones read, and nothing else of theirs.
func TestForStages(t *testing.T) {
	t.Parallel()
	changes := []model.Change{
		{ID: "read", Stage: model.Prepare, Sets: "X"},
		{ID: "make", Stage: model.Prepare},
		{ID: "t1", Stage: model.Translate},
		{ID: "w", Stage: model.Workloads},
		{ID: "t2", Stage: model.Translate},
		{ID: "late", Stage: model.Cleanup, Sets: "Y"},
	}
	var got []string
	for _, c := range forStages(changes, []model.StageName{model.Translate}) {
		got = append(got, c.ID)
	}
	if diff := cmp.Diff([]string{"read", "t1", "t2"}, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}
