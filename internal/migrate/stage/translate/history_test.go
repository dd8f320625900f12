package translate_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"secretstore/internal/migrate/model"
	"secretstore/internal/migrate/stage/translate"
	"secretstore/internal/spcparams"
)

// rewritten is the parameter `objects` that a class gets, whose files are all seen.
func rewritten(t *testing.T, objects string) (string, model.Plan) {
	t.Helper()
	content := map[string]any{
		"apiVersion": "secrets-store.csi.x-k8s.io/v1", "kind": "SecretProviderClass",
		"metadata": map[string]any{"name": "web", "namespace": "shop"},
		"spec": map[string]any{"parameters": map[string]any{
			"keyvaultName": "vault", "tenantID": "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee", "objects": objects,
		}},
	}
	s := model.Survey{Classes: []model.Class{class(t, content)}}
	mounts(&s, "web", "")
	plan, _ := translate.Plan(s, identities(s), model.Options{})
	for _, c := range plan.Changes {
		if c.Object.Kind == "SecretProviderClass" && c.Verb == model.Create {
			text, _ := model.Path{"spec", "parameters", "objects"}.Get(c.Content)
			return text.(string), plan
		}
	}
	return "", plan
}

func TestHistoryText(t *testing.T) {
	cases := map[string]struct {
		reason       string
		before, want string // an empty want: by hand
	}{
		"Literal": {
			reason: "one number changes, comments and odd blanks stay",
			before: "array:\n  - |\n    objectName:   a  # first\n    objectType: secret\n    objectVersionHistory:  9   # nine\n",
			want:   "array:\n  - |\n    objectName:   a  # first\n    objectType: secret\n    objectVersionHistory:  10   # nine\n",
		},
		"Two": {
			reason: "each object its own line",
			before: "array:\n- |\n  objectName: a\n  objectType: secret\n  objectVersionHistory: 2\n- |\n  objectVersionHistory: 2\n  objectName: b\n  objectType: secret\n",
			want:   "array:\n- |\n  objectName: a\n  objectType: secret\n  objectVersionHistory: 3\n- |\n  objectVersionHistory: 3\n  objectName: b\n  objectType: secret\n",
		},
		"Quoted": {
			reason: "an entry in one line",
			before: "array: [\"objectName: a\\nobjectType: secret\\nobjectVersionHistory: 2\"]",
			want:   "array: [\"objectName: a\\nobjectType: secret\\nobjectVersionHistory: 3\"]",
		},
		"JSON": {
			reason: "an entry in JSON",
			before: "array:\n  - '{\"objectName\": \"a\", \"objectType\": \"secret\", \"objectVersionHistory\": \"2\"}'\n",
			want:   "array:\n  - '{\"objectName\": \"a\", \"objectType\": \"secret\", \"objectVersionHistory\": \"3\"}'\n",
		},
		"Comment": {
			reason: "a line that is a comment is none",
			before: "array:\n- |\n  # objectVersionHistory: 2\n  objectName: a\n  objectType: secret\n  objectVersionHistory: 2\n",
			want:   "array:\n- |\n  # objectVersionHistory: 2\n  objectName: a\n  objectType: secret\n  objectVersionHistory: 3\n",
		},
		"None": {
			reason: "a class without histories stays byte for byte",
			before: "array:\r\n- |\r\n  objectName: a\r\n  objectType: secret\r\n",
			want:   "array:\r\n- |\r\n  objectName: a\r\n  objectType: secret\r\n",
		},
		"Alias": {
			reason: "a number that stands elsewhere is left to people",
			before: "array:\n- |\n  objectName: &n 2\n  objectType: secret\n  objectVersionHistory: *n\n",
		},
		"Twice": {
			reason: "an object that is listed twice would contradict itself",
			before: "array:\n- |\n  objectName: a\n  objectType: secret\n  objectVersionHistory: 2\n- |\n  objectName: a\n  objectType: secret\n  objectVersionHistory: 2\n",
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got, plan := rewritten(t, tc.before)
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tc.reason, diff)
			}
			byHand := strings.Contains(strings.Join(text(codes(plan.Findings)), " "), "M411")
			if byHand != (tc.want == "") {
				t.Errorf("%s: findings %v", tc.reason, plan.Findings)
			}
		})
	}
}

func text(codes []model.Code) []string {
	var list []string
	for _, c := range codes {
		list = append(list, string(c))
	}
	return list
}

// An interrupted run may have edited the class and made no SecretSync yet: its histories must not grow a second time.
func TestHistoryGrowsOnce(t *testing.T) {
	s := mounted(t, azure("web", "", "objectName: a\nobjectVersionHistory: 2"))
	o := model.Options{Strategy: model.Guide}
	plan, translations := translate.Plan(s, identities(s), o)
	want := translations[0].Files
	used := s.Classes[0].UsedBy
	s.Classes[0] = class(t, apply(t, s.Classes[0].Object.Content, plan.Changes[0].Edits))
	s.Classes[0].UsedBy = used
	plan, translations = translate.Plan(s, identities(s), o)
	if diff := cmp.Diff(want, translations[0].Files); diff != "" || len(want) != 3 {
		t.Errorf("files (-want +got):\n%s", diff)
	}
	if plan.Changes[0].Object.Kind == "SecretProviderClass" {
		t.Errorf("the class is changed again: %+v", plan.Changes[0].Edits)
	}
}

// FuzzHistory changes numbers of histories and nothing else of whatever text `objects` is.
func FuzzHistory(f *testing.F) {
	f.Add("array:\n  - |\n    objectName: a\n    objectType: secret\n    objectVersionHistory: 2\n")
	f.Add("array:\n- |\n  objectVersionHistory: 9 # 9\n  objectName: a\n  objectType: secret\n- |\n  objectName: b\n  objectType: cert\n  objectVersionHistory: 9\n")
	f.Add("array: [\"objectName: a\\nobjectType: secret\\nobjectVersionHistory: 2\"]")
	f.Add("array:\r\n  - |\r\n    objectName: a\r\n    objectType: key\r\n    \"objectVersionHistory\" : '499'\r\n")
	f.Fuzz(func(t *testing.T, before string) {
		old, _, err := spcparams.ParseObjects(before)
		after, _ := rewritten(t, before)
		if after == "" || err != nil {
			return // blocked, or with mistakes that are another's matter
		}
		for i := range old {
			if old[i].History > 1 {
				old[i].History = min(old[i].History+1, spcparams.MaxHistory)
			}
		}
		now, _, err := spcparams.ParseObjects(after)
		if diff := cmp.Diff(old, now); diff != "" || err != nil {
			t.Fatalf("%v (-want +got):\n%s", err, diff)
		}
		lines, changed := strings.Split(before, "\n"), strings.Split(after, "\n")
		if len(lines) != len(changed) {
			t.Fatalf("%d lines became %d", len(lines), len(changed))
		}
		for i := range lines {
			if lines[i] == changed[i] {
				continue
			}
			if !strings.Contains(lines[i], "objectVersionHistory") || digitsOut(lines[i]) != digitsOut(changed[i]) {
				t.Fatalf("line %d: %q became %q", i, lines[i], changed[i])
			}
		}
	})
}

// digitsOut is a line without digits.
func digitsOut(line string) string {
	return strings.Map(func(r rune) rune {
		if '0' <= r && r <= '9' {
			return -1
		}
		return r
	}, line)
}
