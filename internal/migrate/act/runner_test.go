package act_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"secretstore/internal/migrate/act"
	"secretstore/internal/migrate/model"
)

// shop is a small cluster with a hand-made plan.
type shop struct {
	world  *cluster
	azure  *azure
	runner act.Runner
	events []act.Event
	clock  hurried
}

func ref(kind, name string) model.Ref {
	version := map[string]string{"Deployment": "apps/v1", "SecretSync": "secret-sync.x-k8s.io/v1alpha1"}[kind]
	if version == "" {
		version = "v1"
	}
	return model.Ref{APIVersion: version, Kind: kind, Namespace: "shop", Name: name}
}

// content is an object with one field of its own.
func content(r model.Ref, value any) map[string]any {
	return map[string]any{
		"apiVersion": r.APIVersion, "kind": r.Kind, "spec": map[string]any{"a": value},
		"metadata": map[string]any{"name": r.Name, "namespace": r.Namespace},
	}
}

func newShop() *shop {
	s := &shop{world: &cluster{objects: map[model.Ref]map[string]any{}, dies: -1, gates: map[string][]error{}}, clock: newClock()}
	s.world.journal = &memory{world: s.world, full: -1}
	s.azure = &azure{world: s.world, made: map[string]bool{}}
	s.world.put(ref("Deployment", "web"), content(ref("Deployment", "web"), "old"))
	s.runner = act.Runner{
		Cluster: s.world, Azure: s.azure, Journal: s.world.journal, Clock: s.clock, Tell: func(e act.Event) { s.events = append(s.events, e) },
		Options: act.Options{Who: "me", Answers: map[string]string{}, Variables: map[string]string{}, Done: map[string]bool{}},
	}
	return s
}

func (s *shop) run(t *testing.T, changes ...model.Change) (act.Summary, error) {
	t.Helper()
	return s.runner.Run(t.Context(), changes, slices.Clone(s.world.journal.entries))
}

// whats are the journal's lines, short.
func (s *shop) whats() []string {
	var lines []string
	for _, e := range s.world.journal.entries {
		lines = append(lines, string(e.What)+" "+e.Change.ID)
	}
	return lines
}

// The steps that tests are made of.
func create(value string) model.Change {
	r := ref("SecretSync", "db")
	return model.Change{ID: "create", Stage: model.Translate, Order: 500, Verb: model.Create, Object: r, Content: content(r, value)}
}

func edit() model.Change {
	return model.Change{
		ID: "edit", Stage: model.Workloads, Order: 610, Verb: model.Edit, Object: ref("Deployment", "web"), Command: []string{"kubectl"},
		Edits: []model.FieldEdit{{Op: model.OpReplace, Path: model.Path{"spec", "a"}, Value: "new", Was: "old"}}, Undo: "put it back",
	}
}

func remove() model.Change {
	return model.Change{
		ID: "delete", Stage: model.Cleanup, Order: 1000, Verb: model.Delete, Object: ref("Deployment", "web"), Irreversible: true, Undo: "restore it",
	}
}

func az(words ...string) model.Change {
	return model.Change{ID: "az", Stage: model.Prepare, Order: 200, Verb: model.Run, Command: append([]string{"az"}, words...), Undo: "az undo"}
}

func gate(kind model.GateKind) model.Change {
	return model.Change{ID: "gate", Stage: model.Translate, Order: 503, Verb: model.Check, Gate: &model.Gate{Kind: kind}, Summary: "It is so."}
}

// TestRun: what becomes of a plan of one or two steps, and what is written down.
func TestRun(t *testing.T) {
	t.Parallel()
	foreign := content(ref("SecretSync", "db"), "theirs")
	closed := &act.ClosedError{Lacking: []string{"web is not ready"}}
	byHand := func(c model.Change) model.Change {
		c.ByHand = "It is Helm's."
		c.Manual = "Edit the chart."
		return c
	}
	replaced := az("kubectl", "get", "pods")
	replaced.Gate = &model.Gate{Kind: model.GateUnmounted}
	for name, c := range map[string]struct {
		reason  string
		prepare func(*shop)
		steps   []model.Change
		summary act.Summary
		journal []string
		errs    []string // words of the error
		stopped bool     // where a person is needed
	}{
		"made":         {steps: []model.Change{create("x")}, summary: act.Summary{Made: 1}, journal: []string{"begun create", "made create"}},
		"out of order": {reason: "the plan's order counts", steps: []model.Change{edit(), create("x")}, summary: act.Summary{Made: 2}, journal: []string{"begun create", "made create", "begun edit", "made edit"}},
		"done by somebody": {
			reason:  "what is as wanted is passed over, and not ours to take back",
			prepare: func(s *shop) { s.world.put(ref("SecretSync", "db"), content(ref("SecretSync", "db"), "x")) },
			steps:   []model.Change{create("x")}, summary: act.Summary{Passed: 1}, journal: []string{"passed create"},
		},
		"foreign": {
			prepare: func(s *shop) { s.world.put(ref("SecretSync", "db"), foreign) },
			steps:   []model.Change{create("x"), edit()}, summary: act.Summary{Stopped: "create"}, journal: []string{"failed create"},
			errs: []string{"SecretSync shop/db", "it is another one", "run again"}, stopped: true,
		},
		"gone": {
			prepare: func(s *shop) { s.world.remove(ref("Deployment", "web")) },
			steps:   []model.Change{edit()}, summary: act.Summary{Passed: 1}, journal: []string{"passed edit"},
		},
		"in conflict": {
			reason: "a status that is written at that moment is no reason to stop",
			prepare: func(s *shop) {
				s.world.meddle = func(model.Change) { s.world.stamp(s.world.objects[ref("Deployment", "web")]); s.world.meddle = nil }
			},
			steps: []model.Change{edit()}, summary: act.Summary{Made: 1}, journal: []string{"begun edit", "begun edit", "made edit"},
		},
		"always in conflict": {
			prepare: func(s *shop) {
				s.world.meddle = func(model.Change) { s.world.stamp(s.world.objects[ref("Deployment", "web")]) }
			},
			steps: []model.Change{edit()}, summary: act.Summary{Stopped: "edit"}, errs: []string{"Deployment shop/web", "run again"},
			journal: []string{"begun edit", "begun edit", "begun edit", "begun edit", "begun edit", "failed edit"},
		},
		"irreversible": {
			steps: []model.Change{remove()}, summary: act.Summary{Stopped: "delete"}, journal: []string{"failed delete"},
			errs: []string{"cannot be taken back", "restore it"}, stopped: true,
		},
		"irreversible, allowed": {
			prepare: func(s *shop) { s.runner.Options.Irreversible = true },
			steps:   []model.Change{remove()}, summary: act.Summary{Made: 1}, journal: []string{"begun delete", "made delete"},
		},
		"closed": {
			reason:  "nobody waits for what does not open by itself",
			prepare: func(s *shop) { s.world.gates["gate"] = []error{closed} },
			steps:   []model.Change{gate(model.GateSynced), edit()}, summary: act.Summary{Stopped: "gate"}, journal: []string{"failed gate"},
			errs: []string{"web is not ready"}, stopped: true,
		},
		"no consent": {
			steps: []model.Change{{ID: "etcd", Verb: model.Check, Gate: &model.Gate{Kind: model.GateConsent, Decision: "M202/etcd", Answers: []string{"accept"}}}, create("x")},
			errs:  []string{"M202/etcd is not answered", "accept", "plan.yaml"}, summary: act.Summary{Stopped: "etcd"}, journal: []string{"failed etcd"}, stopped: true,
		},
		"refused consent": {
			prepare: func(s *shop) { s.runner.Options.Answers["M202/etcd"] = "stop" },
			steps:   []model.Change{{ID: "etcd", Verb: model.Check, Gate: &model.Gate{Kind: model.GateConsent, Decision: "M202/etcd", Answers: []string{"accept"}}}},
			errs:    []string{"M202/etcd is stop"}, summary: act.Summary{Stopped: "etcd"}, journal: []string{"failed etcd"}, stopped: true,
		},
		"consent": {
			prepare: func(s *shop) { s.runner.Options.Answers["M202/etcd"] = "accept" },
			steps:   []model.Change{{ID: "etcd", Verb: model.Check, Gate: &model.Gate{Kind: model.GateConsent, Decision: "M202/etcd", Answers: []string{"accept"}}}},
			summary: act.Summary{Passed: 1}, journal: []string{"passed etcd"},
		},
		"a gate by hand, closed": {
			prepare: func(s *shop) { s.world.gates["gate"] = []error{closed} },
			steps:   []model.Change{byHand(gate(model.GateIssuer))}, summary: act.Summary{Stopped: "gate"}, journal: []string{"failed gate"},
			errs: []string{"web is not ready", "It is so.", "It is Helm's.", "Edit the chart."}, stopped: true,
		},
		"a command by hand": {
			reason:  "what waits for a person holds nothing else up",
			prepare: func(s *shop) { s.world.gates["az"] = []error{closed} },
			steps:   []model.Change{byHand(replaced), edit()}, summary: act.Summary{Made: 1, Left: []string{"az"}}, journal: []string{"begun edit", "made edit"},
		},
		"a command by hand, done": {
			reason: "the pods have gone", steps: []model.Change{byHand(replaced)}, summary: act.Summary{Passed: 1}, journal: []string{"passed az"},
		},
		"a command by hand that is not seen": {
			prepare: func(s *shop) { s.world.gates["az"] = []error{errors.New("pods cannot be listed")} },
			steps:   []model.Change{byHand(replaced)}, summary: act.Summary{Stopped: "az"}, journal: []string{"failed az"}, errs: []string{"cannot be listed"},
		},
		"a gate by hand, open": {steps: []model.Change{byHand(gate(model.GateIssuer))}, summary: act.Summary{Passed: 1}, journal: []string{"passed gate"}},
		"an edit by hand": {
			reason: "it is its owner's, and nobody waits for it",
			steps:  []model.Change{byHand(edit()), gate(model.GateSynced)}, summary: act.Summary{Passed: 1, Left: []string{"edit"}}, journal: []string{"passed gate"},
		},
		"an edit by hand, done": {
			prepare: func(s *shop) { s.world.put(ref("Deployment", "web"), content(ref("Deployment", "web"), "new")) },
			steps:   []model.Change{byHand(edit())}, summary: act.Summary{Passed: 1}, journal: []string{"passed edit"},
		},
		"a check for people": {
			steps: []model.Change{{ID: "look", Verb: model.Check}}, summary: act.Summary{Left: []string{"look"}},
		},
		"said to be done": {
			prepare: func(s *shop) { s.runner.Options.Done["look"] = true },
			steps:   []model.Change{{ID: "look", Verb: model.Check}}, summary: act.Summary{Passed: 1}, journal: []string{"passed look"},
		},
		"az": {steps: []model.Change{az("make", "it")}, summary: act.Summary{Made: 1}, journal: []string{"begun az", "made az"}},
		"az, nothing to do": {
			prepare: func(s *shop) { s.azure.made["az make it"] = true },
			steps:   []model.Change{az("make", "it")}, summary: act.Summary{Passed: 1}, journal: []string{"passed az"},
		},
		"a chart that was there": {
			reason: "somebody else has installed it, which is nothing to take back",
			prepare: func(s *shop) {
				s.runner.Install = func(context.Context, model.Change) (bool, error) { return false, nil }
			},
			steps:   []model.Change{{ID: "chart", Verb: model.Run, Command: []string{"helm", "upgrade"}}},
			summary: act.Summary{Passed: 1}, journal: []string{"begun chart", "passed chart"},
		},
		"az by nobody": {
			prepare: func(s *shop) { s.runner.Azure = nil },
			steps:   []model.Change{az("make", "it")}, summary: act.Summary{Stopped: "az"}, journal: []string{"failed az"},
			errs: []string{"az make it", "run again"}, stopped: true,
		},
		"not wanted": {
			prepare: func(s *shop) { s.runner.Options.Variables["RBAC"] = "false" },
			steps:   []model.Change{{ID: "az", Verb: model.Run, Command: []string{"az", "x"}, When: "RBAC=true"}}, summary: act.Summary{Passed: 1}, journal: []string{"passed az"},
		},
		"wanted": {
			prepare: func(s *shop) { s.runner.Options.Variables["RBAC"] = "false" },
			steps:   []model.Change{{ID: "az", Verb: model.Run, Command: []string{"az", "x"}, When: "RBAC!=true"}}, summary: act.Summary{Made: 1}, journal: []string{"begun az", "made az"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newShop()
			if c.prepare != nil {
				c.prepare(s)
			}
			summary, err := s.run(t, c.steps...)
			if diff := cmp.Diff(c.summary, summary); diff != "" {
				t.Errorf("%s; -want +got:\n%s", c.reason, diff)
			}
			if diff := cmp.Diff(c.journal, s.whats()); diff != "" {
				t.Errorf("%s; journal -want +got:\n%s", c.reason, diff)
			}
			if (err != nil) != (len(c.errs) > 0) || errors.Is(err, act.ErrStopped) != c.stopped {
				t.Errorf("%s; %v", c.reason, err)
			}
			for _, words := range c.errs {
				if !strings.Contains(fmt.Sprint(err), words) {
					t.Errorf("%q is missing in %v", words, err)
				}
			}
		})
	}
}

// TestFullDisk: whenever the journal cannot be written, nothing is changed that it does not know of.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	for full := range 6 {
		s := newShop()
		s.world.journal.full = full
		s.runner.Options.Irreversible = true
		_, err := s.run(t, az("make", "it"), create("x"), edit())
		broken := (*act.JournalError)(nil)
		if !errors.As(err, &broken) || !strings.Contains(err.Error(), "make room") {
			t.Errorf("%d: %v", full, err)
		}
		changed := len(s.world.applied) + len(s.azure.made)
		if begun := (full + 1) / 2; changed != begun {
			t.Errorf("%d: %d changes, %d begun", full, changed, begun)
		}
		s.world.journal.full = -1
		if _, err := s.run(t, az("make", "it"), create("x"), edit()); err != nil {
			t.Errorf("%d, with room again: %v", full, err)
		}
	}
}

// TestTwoOperators: the second is told who is at it.
func TestTwoOperators(t *testing.T) {
	t.Parallel()
	s := newShop()
	s.world.holder = "somebody"
	if _, err := s.run(t, create("x")); err == nil || !strings.Contains(err.Error(), "somebody") || len(s.world.applied) > 0 {
		t.Errorf("%v, %v", err, s.world.applied)
	}
	if _, err := s.runner.Rollback(t.Context(), "", nil); err == nil || !strings.Contains(err.Error(), "somebody") {
		t.Error(err)
	}
	lost, cancel := context.WithCancelCause(t.Context())
	cancel(errors.New("the Lease is lost"))
	s.world.holder = ""
	if _, err := s.runner.Run(lost, []model.Change{create("x")}, nil); err == nil || !strings.Contains(err.Error(), "the Lease is lost") {
		t.Error(err)
	}
	if s.world.holder != "" || len(s.world.applied) > 0 {
		t.Errorf("%q, %v", s.world.holder, s.world.applied)
	}
}

// TestDryRun: everything is judged, nothing is written, and one refusal does not hide the next.
func TestDryRun(t *testing.T) {
	t.Parallel()
	s := newShop()
	s.runner.Options.DryRun = true
	s.world.holder = "somebody" // which does not matter
	s.world.put(ref("SecretSync", "db"), content(ref("SecretSync", "db"), "theirs"))
	objects := s.world.snapshot(model.Input{}, nil)
	unset := edit()
	unset.Stage, unset.Edits[0].Value = model.Translate, "${X}"
	_, err := s.run(t, az("make", "it"), create("x"), gate(model.GateSynced), unset, remove())
	refused := (*act.RefusedError)(nil)
	if !errors.As(err, &refused) || refused.Object.Name != "db" {
		t.Error(err)
	}
	var judged []string
	for _, e := range s.events {
		judged = append(judged, string(e.Kind)+" "+e.Step.ID)
	}
	if diff := cmp.Diff([]string{"judged az", "stopped create", "judged gate", "judged edit", "judged delete"}, judged); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(objects, s.world.snapshot(model.Input{}, nil)); diff != "" || len(s.world.journal.entries)+len(s.azure.ran) > 0 {
		t.Errorf("%v, %v\n%s", s.whats(), s.azure.ran, diff)
	}
}
