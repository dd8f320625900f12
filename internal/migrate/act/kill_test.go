package act_test

import (
	"errors"
	"slices"
	"testing"

	"secretstore/internal/migrate/act"
	"secretstore/internal/migrate/model"
)

// few are namespaces of the estate that have each kind of step: hand-overs, Jobs and pods made anew, readers, the driver.
func few() []string {
	return []string{"kube-system", "azure-arc", "cart", "media", "reporting", "edge"}
}

// TestKilledAnywhere kills the program at each call that it makes, before and after what the call does. What is gone on with ends
// as what was never killed.
func TestKilledAnywhere(t *testing.T) {
	t.Parallel()
	for _, strategy := range []model.Strategy{model.ZeroDowntime, model.Guide} {
		t.Run(string(strategy), func(t *testing.T) {
			t.Parallel()
			e := readEstate(t, strategy, few()...)
			unbroken := e.attempt()
			if err := unbroken.finish(t, all); err != nil {
				t.Fatal(err)
			}
			want, calls := unbroken.end(), unbroken.world.calls
			t.Logf("%d calls, %d entries", calls, len(unbroken.world.journal.entries))
			for n := range every(calls) {
				a := e.attempt()
				a.world.dies = n
				if _, err := a.run(t, all); !errors.Is(err, errKilled) {
					t.Fatalf("at call %d: %v", n, err)
				}
				if err := a.finish(t, all); err != nil {
					t.Fatalf("killed at call %d, run again: %v", n, err)
				}
				if diff := differ(want, a.end()); diff != "" {
					t.Fatalf("killed at call %d: -unbroken +resumed\n%s", n, diff)
				}
			}
		})
	}
}

// TestRolledBackFromAnywhere: whatever is done, the way back ends where the migration began; killed on the way, it goes on. What the
// journal does not know to have been done in Azure is told instead.
func TestRolledBackFromAnywhere(t *testing.T) {
	t.Parallel()
	for _, strategy := range []model.Strategy{model.ZeroDowntime, model.Guide} {
		t.Run(string(strategy), func(t *testing.T) {
			t.Parallel()
			e := readEstate(t, strategy, few()...)
			unbroken := e.attempt()
			want := unbroken.end()
			if err := unbroken.finish(t, reversible); err != nil {
				t.Fatal(err)
			}
			for n := range every(unbroken.world.calls) {
				a := e.attempt()
				a.world.dies = n
				if _, err := a.run(t, reversible); !errors.Is(err, errKilled) {
					t.Fatalf("at call %d: %v", n, err)
				}
				summary, err := a.back(t, "", -1)
				if err != nil {
					t.Fatalf("killed at call %d, rolled back: %v", n, err)
				}
				got := a.end()
				if made, _ := got["azure"].([]string); len(made) > len(summary.Left) {
					t.Fatalf("killed at call %d, %v is left in Azure, and %v told", n, made, summary.Left)
				}
				if got["azure"] = want["azure"]; len(summary.Left) > 1 { // the issuer, which nothing takes back
					t.Fatalf("killed at call %d, %v is left", n, summary.Left)
				}
				if diff := differ(want, got); diff != "" {
					t.Fatalf("killed at call %d: -first +rolled back\n%s", n, diff)
				}
			}
		})
	}
}

// back rolls back, killed after some calls.
func (a *attempt) back(t testing.TB, to string, dies int) (act.Summary, error) {
	a.world.dies, a.world.dead, a.world.holder = dies, false, ""
	return a.runner(model.Report{}, model.Snapshot{}).Rollback(t.Context(), to, slices.Clone(a.world.journal.entries))
}

// TestRollbackIsKilledAnywhere kills the way back at each call, and goes on with it; afterwards the migration can be done anew.
func TestRollbackIsKilledAnywhere(t *testing.T) {
	t.Parallel()
	e := readEstate(t, model.ZeroDowntime, few()...)
	first, whole := e.attempt().end(), e.attempt()
	if err := whole.finish(t, reversible); err != nil {
		t.Fatal(err)
	}
	done, began := whole.end(), whole.world.calls
	if _, err := whole.back(t, "", -1); err != nil {
		t.Fatal(err)
	}
	calls := whole.world.calls - began
	for n := range every(calls) {
		a := e.attempt()
		if err := a.finish(t, reversible); err != nil {
			t.Fatal(err)
		}
		if _, err := a.back(t, "", n); !errors.Is(err, errKilled) {
			t.Fatalf("at call %d: %v", n, err)
		}
		summary, err := a.back(t, "", -1)
		if err != nil {
			t.Fatalf("killed at call %d, gone on: %v (%+v)", n, err, summary)
		}
		if diff := differ(first, a.end()); diff != "" {
			t.Fatalf("killed at call %d: -first +rolled back\n%s", n, diff)
		}
		if n%25 != 0 {
			continue
		}
		if err := a.finish(t, reversible); err != nil {
			t.Fatalf("killed at call %d, and done anew: %v", n, err)
		}
		if diff := differ(done, a.end()); diff != "" {
			t.Fatalf("killed at call %d: -done +done anew\n%s", n, diff)
		}
	}
}

// TestRollbackFromEachStage goes back from after each stage, stage by stage, and ends where it began.
func TestRollbackFromEachStage(t *testing.T) {
	t.Parallel()
	for _, strategy := range []model.Strategy{model.ZeroDowntime, model.Guide} {
		ends := []int{model.OrderUninstallFirst, model.OrderTranslate, model.OrderWorkloads, model.OrderHandOver, model.OrderVerify, 9999}
		stages := []model.StageName{"", model.Prepare, model.Switchover, model.Translate, model.Workloads, model.Verify, model.Cleanup}
		e := readEstate(t, strategy)
		states := []map[string]any{e.attempt().end()}
		for _, end := range ends {
			a := e.attempt()
			until := func(c model.Change) bool { return c.Order < end && !c.Irreversible }
			if err := a.finish(t, until); err != nil {
				t.Fatalf("%s, until %d: %v", strategy, end, err)
			}
			states = append(states, a.end())
			for at := len(states) - 2; at >= 0; at-- {
				to := string(stages[at])
				if at > 0 && ends[at-1] == model.OrderVerify {
					to = string(model.Verify)
				}
				summary, err := a.back(t, to, -1)
				if err != nil {
					t.Fatalf("%s, from %d back to %q: %v", strategy, end, to, err)
				}
				if diff := differ(states[at], a.end()); diff != "" {
					t.Fatalf("%s, from %d back to %q (%+v): -then +now\n%s", strategy, end, to, summary, diff)
				}
			}
		}
	}
}
