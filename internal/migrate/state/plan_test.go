package state_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"secretstore/internal/migrate/model"
	"secretstore/internal/migrate/state"
)

func decisions() []model.Decision {
	ref := model.Ref{Kind: "Deployment", Namespace: "shop", Name: "web"}
	return []model.Decision{
		{
			ID: "M502/shop/web", Code: "M502", Object: ref, Question: "Which name\nshall it have?", Free: true, Proposal: "web-2",
			Options: []model.Option{{Answer: "keep", Means: "the name stays"}}, Required: true,
		},
		{
			ID: "M501/shop/web", Code: "M501", Object: ref, Question: "Wait for it?", Proposal: "yes",
			Options: []model.Option{{Answer: "yes", Means: "waits: long"}, {Answer: "no", Means: "goes on"}},
		},
	}
}

const written = `version: 1
decisions:

  # Wait for it?
  # Deployment shop/web, finding M501
  #   yes: waits: long
  #   no: goes on
  - id: M501/shop/web
    answer: yes

  # Which name shall it have?
  # Deployment shop/web, finding M502
  #   keep: the name stays
  #   any other text is an answer too
  - id: M502/shop/web
    answer: web-2
    decided: false

# Answers to questions that nobody asks any more. They return with the question.
obsolete: []
`

// TestProposalsAreNotAnswers: what was filled in and left alone is nobody's answer, and a later proposal takes its place; what
// was changed is kept.
func TestProposalsAreNotAnswers(t *testing.T) {
	f, path := planned(t)
	later := decisions()
	later[1].Proposal = "no"
	if err := f.SaveDecisions(later); err != nil {
		t.Fatal(err)
	}
	edit(t, path, "    answer: no\n", "    answer: yes\n") // fails where the old proposal was kept
	if err := f.SaveDecisions(later); err != nil {
		t.Fatal(err)
	}
	if got, err := f.Decisions(); err != nil || got["M501/shop/web"] != "yes" {
		t.Errorf("the operator's answer is lost: %v, %v", got, err)
	}
}

// TestPlanOfTheWhole: a decision about no object says so.
func TestPlanOfTheWhole(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state")
	all := []model.Decision{{ID: "M202/etcd", Code: "M202", Question: "Is that so?", Proposal: "yes"}}
	if err := open(t, dir).SaveDecisions(all); err != nil {
		t.Fatal(err)
	}
	content, _ := os.ReadFile(filepath.Join(dir, state.PlanFile))
	if want := "  # Is that so?\n  # the whole, finding M202\n"; !strings.Contains(string(content), want) {
		t.Errorf("plan.yaml lacks %q:\n%s", want, content)
	}
}

// planned makes a state folder with the decisions, and returns it with the path of its plan.yaml.
func planned(t *testing.T) (*state.Folder, string) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "state")
	f := open(t, dir)
	if err := f.SaveDecisions(decisions()); err != nil {
		t.Fatal(err)
	}
	return f, filepath.Join(dir, state.PlanFile)
}

// edit replaces text of a file as an operator would.
func edit(t *testing.T, path, old, with string) {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil || !strings.Contains(string(content), old) {
		t.Fatalf("%q is not in %s (%v)", old, content, err)
	}
	if err := os.WriteFile(path, []byte(strings.Replace(string(content), old, with, 1)), 0o600); err != nil {
		t.Fatal(err)
	}
}

// count are the answers that count.
func count(t *testing.T, f *state.Folder) map[string]string {
	t.Helper()
	answers, err := f.Decisions()
	if err != nil {
		t.Fatal(err)
	}
	return answers
}

func TestDecisions(t *testing.T) {
	if got := count(t, open(t, filepath.Join(t.TempDir(), "state"))); len(got) != 0 {
		t.Errorf("without a plan.yaml: %v", got)
	}
	f, path := planned(t)
	content, _ := os.ReadFile(path)
	if _, body, _ := strings.Cut(string(content), "version: 1\n"); "version: 1\n"+body != written {
		t.Errorf("plan.yaml (-want +got):\n%s", cmp.Diff(written, string(content)))
	}
	if got := count(t, f); len(got) != 0 {
		t.Errorf("what is filled in counts before anybody decided: %v", got)
	}
	edit(t, path, "answer: web-2\n    decided: false", "answer: 443\n    decided: true")
	edit(t, path, "answer: yes", "answer: no")
	want := map[string]string{"M501/shop/web": "no", "M502/shop/web": "443"}
	if diff := cmp.Diff(want, count(t, f)); diff != "" {
		t.Errorf("the operator's answers (-want +got):\n%s", diff)
	}

	// The question vanishes, and returns.
	if err := f.SaveDecisions(decisions()[1:]); err != nil {
		t.Fatal(err)
	}
	content, _ = os.ReadFile(path)
	if !strings.HasSuffix(string(content), "obsolete:\n  - id: M502/shop/web\n    answer: \"443\"\n    decided: true\n") {
		t.Errorf("the answer is not kept apart:\n%s", content)
	}
	for range 2 {
		if err := f.SaveDecisions(decisions()); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, count(t, f)); diff != "" {
			t.Errorf("after a rerun (-want +got):\n%s", diff)
		}
	}

	// The answer is not understood any more.
	changed := decisions()
	changed[1].Options = changed[1].Options[:1]
	if err := f.SaveDecisions(changed); err != nil {
		t.Fatal(err)
	}
	if got, ok := count(t, f)["M501/shop/web"]; ok {
		t.Errorf("an answer that is no longer allowed became %q, want none", got)
	}
}

// TestDecisionsInterrupted stops a saving between its two files.
func TestDecisionsInterrupted(t *testing.T) {
	f, path := planned(t)
	edit(t, path, "answer: yes", "answer: no")
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.SaveDecisions(decisions()[1:]); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, before, 0o600); err != nil {
		t.Fatal(err)
	}
	if got := count(t, f); got["M501/shop/web"] != "no" {
		t.Errorf("got %v", got)
	}
}

func TestDecisionsRefuses(t *testing.T) {
	for name, test := range map[string]struct{ reason, old, with, want string }{
		"broken YAML":      {"with its line", "answer: web-2", "answer: [", "broken YAML"},
		"tab":              {"with its line", "    answer: web-2", "\tanswer: web-2", ":18: broken YAML"},
		"unknown ID":       {"a slip is no answer", "M501/shop/web\n    a", "M501/shop/wob\n    a", `:11: there is no decision "M501/shop/wob"`},
		"not allowed":      {"with what is", "answer: yes", "answer: maybe", `:12: "maybe" is no answer to "M501/shop/web": choose yes, no`},
		"empty":            {"decided without an answer", "web-2\n    decided: false", "\"\"\n    decided: true", `:19: "" is no answer`},
		"wrong type":       {"text is wanted", "answer: web-2", "answer: [a]", ":19: answer has to be text"},
		"not a boolean":    {"decided is one", "decided: false", "decided: maybe", ":20: decided is true or false"},
		"unknown key":      {"a slip is no key", "decided: false", "decidet: true", `:20: "decidet" is not known`},
		"key twice":        {"which counts?", "decided: false", "answer: a", `:20: "answer" is there twice`},
		"entry twice":      {"which counts?", "obsolete: []", "  - {id: M501/shop/web, answer: no}", `the decision "M501/shop/web" is there twice`},
		"no ID":            {"answers nothing", "id: M501/shop/web", "answer: x", "has no id"},
		"no list":          {"entries are a list", "obsolete: []", "obsolete: {}", "a list of entries belongs here"},
		"unknown section":  {"a slip is no section", "obsolete:", "obsolet:", `"obsolet" is not known`},
		"another version":  {"of a later program", "version: 1", "version: 2", ":4: version 2 is not known"},
		"an entry of text": {"entries are mappings", "obsolete: []", "obsolete: [a]", "an entry has to be a mapping"},
	} {
		t.Run(name, func(t *testing.T) {
			f, path := planned(t)
			edit(t, path, test.old, test.with)
			before, _ := os.ReadFile(path)
			_, err := f.Decisions()
			var mistakes *state.PlanError
			if !errors.As(err, &mistakes) || !strings.Contains(err.Error(), path+":") || !strings.Contains(err.Error(), test.want) {
				t.Errorf("%s: got %v, want %q", test.reason, err, test.want)
			}
			if err := f.SaveDecisions(decisions()); !errors.As(err, &mistakes) {
				t.Errorf("saving gave %v", err)
			}
			if after, _ := os.ReadFile(path); string(after) != string(before) {
				t.Error("the file was overwritten")
			}
		})
	}
}

// TestBroughtDecisions: a plan.yaml that was written for another cluster of the kind counts in a new folder, and is judged by what
// is asked here.
func TestBroughtDecisions(t *testing.T) {
	t.Parallel()
	const both = "version: 1\ndecisions:\n- {id: M501/shop/web, answer: no}\n- {id: M502/shop/web, answer: keep, decided: true}\n"
	for name, c := range map[string]struct {
		reason, content string
		counts          map[string]string
		mistake         string
	}{
		"all":         {"both are answered", both, map[string]string{"M501/shop/web": "no", "M502/shop/web": "keep"}, ""},
		"undecided":   {"it was left open there", strings.Replace(both, "true", "false", 1), map[string]string{"M501/shop/web": "no"}, ""},
		"not asked":   {"a slip is no answer", strings.Replace(both, "M501", "M509", 1), nil, `:3: there is no decision "M509/shop/web"`},
		"not allowed": {"with what is", strings.Replace(both, "answer: no", "answer: maybe", 1), nil, `:3: "maybe" is no answer`},
		"nobody's":    {"somebody has to have decided", strings.Replace(both, ", decided: true", "", 1), nil, `:4: "M502/shop/web" has to be decided`},
		"broken":      {"with its line", both + "[", nil, "broken YAML"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := filepath.Join(t.TempDir(), "state")
			err := errors.Join(os.Mkdir(dir, 0o700), os.WriteFile(filepath.Join(dir, state.PlanFile), []byte(c.content), 0o600))
			if err != nil {
				t.Fatal(err)
			}
			f, err := state.Open(dir, state.Owner{Cluster: "uid"}, "v1", chance(1))
			if err != nil {
				t.Fatal(err)
			}
			counts, err := f.Decisions()
			err = errors.Join(err, f.CheckDecisions(decisions()))
			saved := f.SaveDecisions(decisions())
			if c.mistake != "" {
				for _, err := range []error{err, saved} {
					if mistakes := (*state.PlanError)(nil); !errors.As(err, &mistakes) || !strings.Contains(err.Error(), c.mistake) {
						t.Errorf("%s: got %v", c.reason, err)
					}
				}
				if after, _ := os.ReadFile(filepath.Join(dir, state.PlanFile)); string(after) != c.content {
					t.Error("the file was overwritten")
				}
				return
			}
			if err = errors.Join(err, saved); err != nil {
				t.Fatal(err)
			}
			again, err := f.Decisions()
			if err != nil {
				t.Fatal(err)
			}
			for _, got := range []map[string]string{counts, again} {
				if diff := cmp.Diff(c.counts, got); diff != "" {
					t.Errorf("%s (-want +got):\n%s", c.reason, diff)
				}
			}
		})
	}
}

// FuzzDecisions shows that whatever an operator makes of plan.yaml is read or refused with places, and that what was read
// is the same when it was written again.
func FuzzDecisions(f *testing.F) {
	f.Add(written)
	f.Add("decisions: [{id: M501/shop/web, answer: no}]\nobsolete: [{id: \"a\\nb\", answer: \"- #\"}]\n")
	f.Add("[")
	f.Add("a: &a [*a]")
	f.Fuzz(func(t *testing.T, content string) {
		folder, path := planned(t)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		answers, err := folder.Decisions()
		if err != nil {
			var mistakes *state.PlanError
			if !errors.As(err, &mistakes) || len(mistakes.Mistakes) == 0 || mistakes.Mistakes[0].Line < 1 {
				t.Fatalf("an error without a place: %v", err)
			}
			return
		}
		if err := folder.SaveDecisions(decisions()); err != nil {
			t.Fatal(err)
		}
		again, err := folder.Decisions()
		if err != nil {
			t.Fatal(err)
		}
		for id, answer := range answers {
			if again[id] != answer {
				t.Fatalf("%s was %q and is %q", id, answer, again[id])
			}
		}
	})
}
