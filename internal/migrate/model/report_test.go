package model_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"secretstore/internal/migrate/model"
)

func class(name string, users ...model.Ref) model.Class {
	return model.Class{
		Object: model.Object{Ref: model.Ref{
			APIVersion: "secrets-store.csi.x-k8s.io/v1", Kind: "SecretProviderClass", Namespace: "shop", Name: name,
		}},
		UsedBy: users,
	}
}

func TestOutcomes(t *testing.T) {
	t.Parallel()
	user := model.Ref{APIVersion: "apps/v1", Kind: "Deployment", Namespace: "shop", Name: "web"}
	about := func(severity model.Severity) func(*model.Plan, model.Ref) {
		return func(p *model.Plan, ref model.Ref) {
			p.Findings = append(p.Findings, model.Finding{Code: "M999", Severity: severity, Object: ref})
		}
	}
	ask := func(required bool, answer string) func(*model.Plan, model.Ref) {
		return func(p *model.Plan, ref model.Ref) {
			p.Decisions = append(p.Decisions, model.Decision{ID: "M999/a", Object: ref, Proposal: "x", Required: required, Answer: answer})
		}
	}
	tests := map[string]struct {
		reason string
		users  []model.Ref
		plan   []func(*model.Plan, model.Ref)
		want   model.Outcome
	}{
		"Used":            {reason: "nothing stands in the way", users: []model.Ref{user}, want: model.Translated},
		"Unused":          {reason: "nobody mounts it", want: model.NotInUse},
		"Warned":          {"a warning stops nothing", []model.Ref{user}, []func(*model.Plan, model.Ref){about(model.Warning)}, model.Translated},
		"Blocked":         {"it cannot be done", []model.Ref{user}, []func(*model.Plan, model.Ref){about(model.Blocking)}, model.Blocked},
		"BlockedUnused":   {"what is wrong is told of unused ones too", nil, []func(*model.Plan, model.Ref){about(model.Blocking)}, model.Blocked},
		"Undecided":       {"the operator has to say", []model.Ref{user}, []func(*model.Plan, model.Ref){ask(true, "")}, model.NeedsDecision},
		"Decided":         {"the operator has said", []model.Ref{user}, []func(*model.Plan, model.Ref){ask(true, "y")}, model.Translated},
		"Proposed":        {"a proposal counts", []model.Ref{user}, []func(*model.Plan, model.Ref){ask(false, "")}, model.Translated},
		"BlockedAndAsked": {"the gravest counts", []model.Ref{user}, []func(*model.Plan, model.Ref){ask(true, ""), about(model.Blocking)}, model.Blocked},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := class("a", tc.users...)
			var plan model.Plan
			for _, add := range tc.plan {
				add(&plan, c.Object.Ref)
			}
			r := model.NewReport(model.Survey{Classes: []model.Class{c}}, model.Options{}, plan)
			if got := r.Objects[0].Outcome; got != tc.want {
				t.Errorf("%s: got %s, want %s", tc.reason, got, tc.want)
			}
		})
	}
}

// TestSecretsFollowTheirClasses: a Secret that the driver made is not said to be taken over while its class is not, also when
// more is told later.
func TestSecretsFollowTheirClasses(t *testing.T) {
	t.Parallel()
	c := class("a", model.Ref{Kind: "Pod"})
	made := model.SyncedSecret{Ref: model.Ref{Kind: "Secret", Namespace: "shop", Name: "db"}, Classes: []string{"a"}, Exists: true}
	ask := model.Plan{Decisions: []model.Decision{{Object: c.Object.Ref, Required: true}}}
	r := model.NewReport(model.Survey{Classes: []model.Class{c}, Synced: []model.SyncedSecret{made}}, model.Options{}, ask)
	for _, r := range []model.Report{r, model.Tell(r, []model.Finding{{Code: "M999", Severity: model.Info, Object: made.Ref}})} {
		if r.Objects[0].Ref != made.Ref || r.Objects[0].Outcome != model.NeedsDecision || r.Counts.NeedsDecision != 2 {
			t.Errorf("got %+v", r.Objects)
		}
	}
}

// TestEveryObjectIsCountedOnce: whatever is found has one outcome, the sums match, and the order in which it was found does not
// matter.
func TestEveryObjectIsCountedOnce(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		var s model.Survey
		var p model.Plan
		found := map[model.Ref]bool{}
		for i := range random.IntN(20) {
			ref := model.Ref{Kind: "Kind", Namespace: fmt.Sprint("ns", i%3), Name: fmt.Sprint("n", i)}
			found[ref] = true
			switch random.IntN(5) {
			case 0:
				s.Classes = append(s.Classes, model.Class{Object: model.Object{Ref: ref}})
			case 1:
				s.Workloads = append(s.Workloads, model.Workload{Object: model.Object{Ref: ref}})
			case 2:
				s.Readers = append(s.Readers, model.Reader{Object: model.Object{Ref: ref}})
			case 3:
				s.Synced = append(s.Synced, model.SyncedSecret{Ref: ref, Exists: true})
			case 4:
				s.Credentials = append(s.Credentials, model.Credential{Ref: ref, Exists: true})
			}
			severities := []model.Severity{model.Info, model.Warning, model.Needed, model.Blocking}
			p.Findings = append(p.Findings, model.Finding{Code: "M999", Severity: severities[random.IntN(4)], Object: ref})
		}
		r := model.NewReport(s, model.Options{}, p)
		c := r.Counts
		if c.Total != len(found) || c.Translated+c.NeedsDecision+c.Blocked+c.NotInUse != c.Total || len(r.Objects) != c.Total {
			t.Fatalf("%d found, counts %+v, %d objects", len(found), c, len(r.Objects))
		}
		total := 0
		for _, kind := range c.Kinds {
			total += kind.Total
		}
		if total != c.Total {
			t.Fatalf("kinds add up to %d of %d", total, c.Total)
		}
		for _, object := range r.Objects {
			if !found[object.Ref] {
				t.Fatalf("%s was not found, or twice", object.Ref)
			}
			delete(found, object.Ref)
		}
		shuffled := p
		shuffled.Findings = slices.Clone(p.Findings)
		random.Shuffle(len(shuffled.Findings), func(i, j int) {
			shuffled.Findings[i], shuffled.Findings[j] = shuffled.Findings[j], shuffled.Findings[i]
		})
		random.Shuffle(len(s.Workloads), func(i, j int) { s.Workloads[i], s.Workloads[j] = s.Workloads[j], s.Workloads[i] })
		if diff := cmp.Diff(r, model.NewReport(s, model.Options{}, shuffled)); diff != "" {
			t.Fatalf("the order matters:\n%s", diff)
		}
	}
}

// TestFindingsOfPatches: a finding in the document of one of several objects of a name is about that one, and one that is in
// nobody's document, a patch's, about all.
func TestFindingsOfPatches(t *testing.T) {
	t.Parallel()
	base, overlay := class("a", model.Ref{Kind: "Pod"}), class("a", model.Ref{Kind: "Pod"})
	base.Object.Place = model.Place{File: "base.yaml", Line: 1, Item: -1}
	overlay.Object.Place = model.Place{File: "overlay.yaml", Line: 1, Item: -1}
	outcomes := func(file string) (all []model.Outcome) {
		r := model.NewReport(model.Survey{Classes: []model.Class{base, overlay}}, model.Options{}, model.Plan{Findings: []model.Finding{
			{Code: "M999", Severity: model.Blocking, Object: base.Object.Ref, Place: model.Place{File: file, Line: 5, Item: -1}},
		}})
		for _, object := range r.Objects {
			all = append(all, object.Outcome)
		}
		return all
	}
	if diff := cmp.Diff([]model.Outcome{model.Blocked, model.Translated}, outcomes("base.yaml")); diff != "" {
		t.Errorf("in the base:\n%s", diff)
	}
	if diff := cmp.Diff([]model.Outcome{model.Blocked, model.Blocked}, outcomes("patch.yaml")); diff != "" {
		t.Errorf("in a patch:\n%s", diff)
	}
}

// TestWhatAMigrationMakesIsNotFound: a class that only a SecretSync reads is of the new way.
func TestWhatAMigrationMakesIsNotFound(t *testing.T) {
	t.Parallel()
	made := class("a-sse")
	made.Syncs = []string{"a-files"}
	r := model.NewReport(model.Survey{Classes: []model.Class{class("a"), made}}, model.Options{}, model.Plan{})
	if len(r.Objects) != 1 || r.Objects[0].Name != "a" {
		t.Errorf("found: %v", r.Objects)
	}
}

// TestInTheWay: what is blocked or undecided about no object of the report counts by itself, and nothing else does.
func TestInTheWay(t *testing.T) {
	t.Parallel()
	c := class("a")
	r := model.NewReport(model.Survey{Classes: []model.Class{c}}, model.Options{}, model.Plan{Findings: []model.Finding{
		{Code: "M997", Severity: model.Blocking, Object: c.Object.Ref},
		{Code: "M998", Severity: model.Blocking},
		{Code: "M999", Severity: model.Needed},
		{Code: "M995", Severity: model.Warning},
		{Code: "M996", Severity: model.Blocking, Object: model.Ref{Kind: "Pod", Name: "x"}},
	}})
	if got := r.InTheWay(); got != 3 {
		t.Errorf("got %d, want the two about nothing and the one about what was not found", got)
	}
}

// TestReportIsMachineReadable: the members that are promised to programs are there under their names.
func TestReportIsMachineReadable(t *testing.T) {
	t.Parallel()
	c := class("a")
	r := model.NewReport(model.Survey{Classes: []model.Class{c}}, model.Options{}, model.Plan{
		Findings: []model.Finding{{Code: "M101", Severity: model.Info, Object: c.Object.Ref, Message: "m", Action: "a"}},
	})
	text, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	var got map[string]any
	if err := json.Unmarshal(text, &got); err != nil {
		t.Fatal(err)
	}
	want := []any{map[string]any{
		"apiVersion": "secrets-store.csi.x-k8s.io/v1", "kind": "SecretProviderClass", "namespace": "shop", "name": "a",
		"outcome": "not-in-use", "findings": []any{"M101"},
	}}
	if diff := cmp.Diff(want, got["objects"]); diff != "" {
		t.Errorf("objects (-want +got):\n%s", diff)
	}
	for _, member := range []string{"findings", "changes", "decisions", "counts"} {
		if got[member] == nil {
			t.Errorf("%s is missing or null", member)
		}
	}
}

func TestCatalogue(t *testing.T) {
	t.Parallel()
	seen := map[model.Code]bool{}
	for _, e := range model.Catalogue() {
		if seen[e.Code] {
			t.Errorf("%s is there twice", e.Code)
		}
		seen[e.Code] = true
		if len(e.Code) != len("M101") || e.Title == "" || e.What == "" || e.Why == "" || e.Do == "" || e.Severity == "" {
			t.Errorf("%s is not explained in full", e.Code)
		}
	}
	if len(seen) == 0 {
		t.Error("the catalogue is empty")
	}
}

func TestFindOfNoCode(t *testing.T) {
	t.Parallel()
	if f := model.Find("M000", model.Object{}, "", "x"); f.Severity != model.Blocking {
		t.Errorf("a finding of no code is %s: it must not be passed over", f.Severity)
	}
}
