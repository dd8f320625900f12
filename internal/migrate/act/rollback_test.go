package act_test

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"secretstore/internal/migrate/act"
	"secretstore/internal/migrate/model"
)

func (s *shop) back(t *testing.T, to string) (act.Summary, error) {
	t.Helper()
	s.events = nil
	return s.runner.Rollback(t.Context(), to, slices.Clone(s.world.journal.entries))
}

// told are the events of a kind, as step and text.
func (s *shop) told(kind act.EventKind) map[string]string {
	told := map[string]string{}
	for _, e := range s.events {
		if e.Kind == kind {
			told[e.Step.ID] = e.Text
		}
	}
	return told
}

// TestRollbackRefusesWhatIsIrreversible, before it changes anything, and names it.
func TestRollbackRefusesWhatIsIrreversible(t *testing.T) {
	t.Parallel()
	s := newShop()
	s.runner.Options.Irreversible = true
	if _, err := s.run(t, create("x"), remove()); err != nil {
		t.Fatal(err)
	}
	entries := s.world.journal.entries
	if act.Read(entries).CanGoBack() || !act.Read(entries[:len(entries)-2]).CanGoBack() {
		t.Error("the way back ends with the step that cannot be taken back, and not before")
	}
	objects := s.world.snapshot(model.Input{}, nil)
	_, err := s.back(t, "")
	irreversible := (*act.IrreversibleError)(nil)
	if !errors.As(err, &irreversible) || !errors.Is(err, act.ErrStopped) || !strings.Contains(err.Error(), "delete: restore it") {
		t.Error(err)
	}
	if diff := cmp.Diff(objects, s.world.snapshot(model.Input{}, nil)); diff != "" {
		t.Error(diff)
	}
	if summary, err := s.back(t, "delete"); err != nil || summary.Reverted != 0 {
		t.Errorf("nothing is after it: %+v, %v", summary, err)
	}
}

// TestCommandOfAKilledRun: what was not there when a command was begun, and is there after the run was killed, is of that run: it is
// taken back. What was there before never is; and what a person may have made, since the run lived to see it fail, is told.
func TestCommandOfAKilledRun(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		before, failed, again bool
		left                  int
		made                  []string
	}{
		"killed, gone on with, taken back":         {again: true},
		"killed, taken back":                       {},
		"there before":                             {before: true, again: true, made: []string{"az make it"}},
		"failed, a person made it, gone on with":   {failed: true, again: true, left: 1, made: []string{"az make it"}},
		"failed, a person made it, and taken back": {failed: true, left: 1, made: []string{"az make it"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newShop()
			step := az("make", "it")
			s.azure.made["az make it"] = c.before
			s.world.dies = 4 // after it is made, before that is written
			if c.before {
				s.world.dies = 3
			}
			if _, err := s.run(t, step); !errors.Is(err, errKilled) {
				t.Fatal(err)
			}
			if !s.azure.made["az make it"] {
				t.Fatal("it was killed too early: the test shows little")
			}
			s.world.dies, s.world.dead, s.world.holder = -1, false, ""
			if c.failed {
				s.world.journal.entries = append(s.world.journal.entries, act.Entry{What: act.Failed, Change: step, Message: "no answer"})
			}
			for i := 0; c.again && i < 2; i++ {
				if _, err := s.run(t, step); err != nil {
					t.Fatal(err)
				}
			}
			summary, err := s.back(t, "")
			if err != nil || len(summary.Left) != c.left {
				t.Errorf("%+v, %v", summary, err)
			}
			if diff := cmp.Diff(c.made, slices.Sorted(maps.Keys(s.azure.made))); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestRollbackTellsWhatIsAPersons: commands that nothing takes back, and those of which it is not known what they did.
func TestRollbackTellsWhatIsAPersons(t *testing.T) {
	t.Parallel()
	s := newShop()
	issuer, unsure, other := az("connectedk8s", "update"), az("unsure"), az("done")
	issuer.ID, unsure.ID, other.ID = "issuer", "unsure", "other"
	issuer.Order, unsure.Order = 201, 202
	if _, err := s.run(t, issuer, other, create("x")); err != nil {
		t.Fatal(err)
	}
	s.world.dies = 3 // Hold, Begun: before and after
	if _, err := s.run(t, unsure); !errors.Is(err, errKilled) {
		t.Fatal(err)
	}
	s.world.dies, s.world.dead, s.world.holder = -1, false, ""
	s.world.journal.entries = append(s.world.journal.entries, act.Entry{What: act.Failed, Change: unsure, Message: "no answer"})
	summary, err := s.back(t, "")
	slices.Sort(summary.Left)
	if diff := cmp.Diff(act.Summary{Reverted: 2, Left: []string{"issuer", "unsure"}}, summary); diff != "" || err != nil {
		t.Errorf("%v\n%s", err, diff)
	}
	if left := s.told(act.EventLeft); left["issuer"] != "az undo" || !strings.Contains(left["unsure"], "not known") {
		t.Error(left)
	}
	if len(s.azure.made) > 0 {
		t.Error(s.azure.made)
	}
}

// TestRollbackNeedsTheDriver: workloads go back only once it is there, whoever took it away.
func TestRollbackNeedsTheDriver(t *testing.T) {
	t.Parallel()
	set := model.Ref{APIVersion: "apps/v1", Kind: "DaemonSet", Namespace: "kube-system", Name: "driver"}
	csi := model.Ref{APIVersion: "storage.k8s.io/v1", Kind: "CSIDriver", Name: model.Driver}
	uninstall := model.Change{
		ID: "switchover/run/uninstall", Stage: model.Switchover, Order: 803, Verb: model.Run, Undo: "install the extension",
		Command: []string{"az", "k8s-extension", "delete", "--yes"},
	}
	for name, c := range map[string]struct {
		uninstalled bool // by us
		noReverse   bool
		there       bool // again
		words       []string
	}{
		"by a command":           {uninstalled: true},
		"by hand":                {uninstalled: true, noReverse: true, words: []string{"DaemonSet kube-system/driver", "install the extension"}},
		"by hand, and it is":     {uninstalled: true, noReverse: true, there: true},
		"removed by somebody":    {words: []string{"DaemonSet kube-system/driver is not there", "Install the driver again"}},
		"removed, and put back":  {there: true},
		"without its CSIDriver ": {there: true, words: []string{"CSIDriver " + model.Driver}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newShop()
			driver := map[model.Ref]map[string]any{set: content(set, "x"), csi: content(csi, "x")}
			for ref, o := range driver {
				s.world.put(ref, fields(o))
			}
			s.azure.driver, s.azure.noReverse = driver, c.noReverse
			s.runner.Found = act.Entry{What: act.Found, Kept: &act.Kept{Driver: []model.Object{{Ref: set}}}}
			steps := []model.Change{edit()}
			if c.uninstalled {
				steps = append(steps, uninstall)
			}
			if _, err := s.run(t, steps...); err != nil {
				t.Fatal(err)
			}
			for ref, o := range driver {
				delete(s.world.objects, ref)
				if c.there && (len(c.words) == 0 || ref == set) {
					s.world.put(ref, fields(o))
				}
			}
			_, err := s.back(t, "")
			back := text(s.world.objects[ref("Deployment", "web")], "spec", "a") == "old"
			if back != (len(c.words) == 0) || (err == nil) != back || err != nil && !errors.Is(err, act.ErrStopped) {
				t.Errorf("%v, back: %t", err, back)
			}
			for _, words := range c.words {
				if err == nil || !strings.Contains(err.Error(), words) {
					t.Errorf("%q is missing in %v", words, err)
				}
			}
		})
	}
}

// TestRollbackWaitsForRollouts: what a workload's pods need is not taken away before they are replaced.
func TestRollbackWaitsForRollouts(t *testing.T) {
	t.Parallel()
	s := newShop()
	if _, err := s.run(t, create("x"), edit()); err != nil {
		t.Fatal(err)
	}
	s.world.gates["edit"] = []error{&act.ClosedError{Lacking: []string{"pod web-1 is not ready"}}}
	if _, err := s.back(t, ""); !errors.Is(err, act.ErrStopped) || s.world.objects[ref("SecretSync", "db")] == nil {
		t.Errorf("%v, %v", err, s.world.objects[ref("SecretSync", "db")])
	}
	s.world.gates["edit"] = nil
	if summary, err := s.back(t, ""); err != nil || summary.Reverted != 2 || s.world.objects[ref("SecretSync", "db")] != nil {
		t.Errorf("%+v, %v", summary, err)
	}
}

// TestRollbackTo: stages and steps are places to go back to, anything else is an error that names them.
func TestRollbackTo(t *testing.T) {
	t.Parallel()
	for to, want := range map[string]int{"": 3, "inventory": 3, "prepare": 2, "switchover": 2, "translate": 1, "workloads": 0, "az": 2, "create": 1, "edit": 0} {
		s := newShop()
		if _, err := s.run(t, az("x"), create("x"), edit()); err != nil {
			t.Fatal(err)
		}
		if summary, err := s.back(t, to); err != nil || summary.Reverted != want {
			t.Errorf("%q: %+v, %v", to, summary, err)
		}
	}
	if _, err := newShop().back(t, "cleanup"); err == nil || !strings.Contains(err.Error(), "translate, workloads") {
		t.Error(err)
	}
}
