package act_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"secretstore/internal/migrate/act"
	"secretstore/internal/migrate/model"
)

// TestGatesAreWaitedFor: with pauses that grow, telling what lacks when it changes, up to a bound.
func TestGatesAreWaitedFor(t *testing.T) {
	t.Parallel()
	waits := func(lacking string) error { return &act.ClosedError{Lacking: []string{lacking}, Wait: true} }
	s := newShop()
	s.world.gates["gate"] = []error{waits("a"), waits("a"), waits("b"), nil}
	began := s.clock.Now()
	if _, err := s.run(t, gate(model.GateSynced)); err != nil {
		t.Fatal(err)
	}
	if took := s.clock.Since(began); took != 1*time.Second+1500*time.Millisecond+2250*time.Millisecond {
		t.Errorf("it took %s", took)
	}
	var told []string
	for _, e := range s.events {
		if e.Kind == act.EventWaiting {
			told = append(told, e.Lacking...)
		}
	}
	if diff := cmp.Diff([]string{"a", "b"}, told); diff != "" {
		t.Error(diff)
	}
	s = newShop()
	s.world.gates["gate"] = []error{waits("for ever")}
	s.runner.Options.Bounds = map[model.GateKind]time.Duration{model.GateSynced: time.Minute}
	began = s.clock.Now()
	_, err := s.run(t, gate(model.GateSynced))
	if took := s.clock.Since(began); err == nil || !strings.Contains(err.Error(), "for ever") || took < time.Minute || took > 75*time.Second {
		t.Errorf("after %s: %v", took, err)
	}
	s = newShop()
	s.world.gates["gate"] = []error{waits("for ever")}
	s.runner.Options.AtMost = 10 * time.Second
	began = s.clock.Now()
	if _, err := s.run(t, gate(model.GateSynced)); err == nil || s.clock.Since(began) > 20*time.Second {
		t.Errorf("waited for longer than was said, for %s: %v", s.clock.Since(began), err)
	}
	s = newShop()
	s.world.gates["gate"] = []error{&act.ClosedError{Lacking: []string{"for ever"}}}
	began = s.clock.Now()
	if _, err := s.run(t, gate(model.GateSynced)); !errors.Is(err, act.ErrStopped) || s.clock.Since(began) != 0 {
		t.Errorf("what does not open by itself was waited for, for %s: %v", s.clock.Since(began), err)
	}
	s = newShop()
	s.world.gates["gate"] = []error{errors.New("no such host")}
	if _, err := s.run(t, gate(model.GateSynced)); err == nil || errors.Is(err, act.ErrStopped) {
		t.Errorf("a failure is no closed gate: %v", err)
	}
}

// TestMadeAnew: a Job that cannot be edited is deleted and made anew under its name, once, and not again when it has ended.
func TestMadeAnew(t *testing.T) {
	t.Parallel()
	s := newShop()
	job := ref("Job", "import")
	s.world.put(job, content(job, "old"))
	gone := model.Change{ID: "delete", Stage: model.Workloads, Order: 610, Verb: model.Delete, Object: job}
	anew := model.Change{
		ID: "create", Stage: model.Workloads, Order: 611, Verb: model.Create, Object: job, Content: content(job, "new"),
	}
	for i, made := range []int{2, 0, 0} {
		if summary, err := s.run(t, gone, anew); err != nil || summary.Made != made {
			t.Errorf("run %d: %+v, %v", i, summary, err)
		}
		if i == 1 {
			s.world.remove(job) // its time is up
		}
	}
	if summary, err := s.back(t, ""); err != nil || summary.Reverted != 2 || text(s.world.objects[job], "spec", "a") != "old" {
		t.Errorf("%+v, %v: %v", summary, err, s.world.objects[job])
	}
}

// TestDifferenceIsWanted: where two Secrets are not the same, and nothing would mend that, only a person knows whether that is
// right, and how to say so is said.
func TestDifferenceIsWanted(t *testing.T) {
	t.Parallel()
	s := newShop()
	same := gate(model.GateSynced)
	same.Gate.Same = []model.Pair{{Namespace: "shop", Old: "db", New: "db-sse"}}
	if _, err := s.run(t, same); err == nil || !strings.Contains(err.Error(), "run again with --done gate") {
		t.Error(err)
	}
	s.runner.Options.Done = map[string]bool{"gate": true}
	if summary, err := s.run(t, same); err != nil || summary.Passed != 1 {
		t.Errorf("%+v, %v", summary, err)
	}
}

// TestFailedRollout: the workload is taken back at once, nothing after it is done, and running again tries again.
func TestFailedRollout(t *testing.T) {
	t.Parallel()
	for name, err := range map[string]error{
		"fails":            &act.ClosedError{Lacking: []string{"pod web-1 is in CrashLoopBackOff"}},
		"takes too long":   &act.ClosedError{Lacking: []string{"pod web-1 is in CrashLoopBackOff"}, Wait: true},
		"was seen by none": errKilled,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newShop()
			web := ref("Deployment", "web")
			s.world.gates["edit"] = []error{err}
			later := edit()
			later.ID, later.Object, later.Order = "later", ref("Deployment", "api"), 620
			s.world.put(later.Object, content(later.Object, "old"))
			summary, stopped := s.run(t, edit(), later)
			if errors.Is(err, errKilled) {
				if text(s.world.objects[web], "spec", "a") != "new" {
					t.Error("it is not known to have failed")
				}
				s.world.gates["edit"] = []error{&act.ClosedError{Lacking: []string{"pod web-1 is in CrashLoopBackOff"}}}
				summary, stopped = s.run(t, edit(), later)
			}
			if stopped == nil || !strings.Contains(stopped.Error(), "CrashLoopBackOff") || !errors.Is(stopped, act.ErrStopped) {
				t.Error(stopped)
			}
			if diff := cmp.Diff(act.Summary{Reverted: 1, Stopped: "edit"}, summary); diff != "" {
				t.Error(diff)
			}
			if text(s.world.objects[web], "spec", "a") != "old" || slices.Contains(s.world.applied, "later") {
				t.Errorf("%v, %v", s.world.objects[web], s.world.applied)
			}
			s.world.gates["edit"] = nil
			if summary, err := s.run(t, edit(), later); err != nil || summary.Made != 2 || text(s.world.objects[web], "spec", "a") != "new" {
				t.Errorf("%+v, %v", summary, err)
			}
		})
	}
}
