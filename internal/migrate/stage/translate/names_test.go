package translate_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"secretstore/internal/migrate/model"
	"secretstore/internal/migrate/stage/translate"
)

// asked are the decisions that are open and required, as `id: proposal`.
func asked(plan model.Plan) []string {
	var list []string
	for _, d := range plan.Decisions {
		if _, decided := d.Effective(); !decided {
			list = append(list, d.ID+": "+d.Proposal)
		}
	}
	return list
}

func TestNamesOfSeveralClasses(t *testing.T) {
	web := making(azure("web", "", "a"), secretObject("db", "Opaque", "a=password"))
	same := making(azure("api", "", "a"), secretObject("db", "Opaque", "a=password"))
	other := making(azure("api", "", "b"), secretObject("db", "Opaque", "b=password"))
	cases := map[string]struct {
		reason  string
		classes []string
		change  func(*model.Survey, *model.Options)
		asked   []string
		steps   []string
		codes   []model.Code
	}{
		"OneSecretOfTwoAlike": {
			reason: "the first is proposed to keep the name, the other to share it", classes: []string{web, same},
			asked: []string{"M417/shop/api/db: db", "M417/shop/web/db: (shared)"}, codes: []model.Code{"M417"},
		},
		"OneSecretOfTwo": {
			reason: "where they differ, another name is proposed", classes: []string{web, other},
			asked: []string{"M417/shop/api/db: db", "M417/shop/web/db: db-2"}, codes: []model.Code{"M417"},
			change: func(s *model.Survey, _ *model.Options) {
				s.Synced = []model.SyncedSecret{driverMade("db", "api", "web")}
				s.Secrets["shop"] = []string{"db"}
			},
		},
		"Shared": {
			reason: "one SecretSync serves both", classes: []string{web, same},
			change: func(_ *model.Survey, o *model.Options) {
				o.Decisions = map[string]string{"M417/shop/api/db": "db", "M417/shop/web/db": "(shared)"}
			},
			steps: []string{
				"500 create SecretProviderClass api-sse", "500 create SecretProviderClass web-sse",
				"501 create SecretSync api-files", "501 create SecretSync db-sse", "501 create SecretSync web-files",
				"503 check SecretProviderClass api-sse", "503 check SecretProviderClass web-sse", "701 create SecretSync db",
			},
		},
		"SharedByBoth": {
			reason: "somebody has to make it", classes: []string{web, same},
			change: func(_ *model.Survey, o *model.Options) {
				o.Decisions = map[string]string{"M417/shop/api/db": "(shared)", "M417/shop/web/db": "(shared)"}
			},
			codes: []model.Code{"M423"},
		},
		"KeptByBoth": {
			reason: "not both may keep it", classes: []string{web, other},
			change: func(_ *model.Survey, o *model.Options) {
				o.Decisions = map[string]string{"M417/shop/api/db": "db", "M417/shop/web/db": "db"}
			},
			steps: []string{
				"500 create SecretProviderClass api-sse", "501 create SecretSync api-files", "501 create SecretSync db-sse",
				"503 check SecretProviderClass api-sse", "701 create SecretSync db",
			},
			codes: []model.Code{"M423"},
		},
		"LetterCase": {
			reason:  "names that differ in letter case only",
			classes: []string{web, making(azure("api", "", "a"), secretObject("DB", "Opaque", "a=password"))},
			asked:   []string{"M419/shop/api/DB: db", "M419/shop/web/db: db"}, codes: []model.Code{"M419"},
		},
		"MadeUpNameOfAnother": {
			reason:  "the Secret of the files is called like one that readers know",
			classes: []string{web, making(azure("api", "", "a"), secretObject("web-files", "Opaque", "a=password"))},
			asked:   []string{"M421/shop/web/files: web-files-2"},
			steps: []string{
				"500 create SecretProviderClass api-sse", "501 create SecretSync api-files", "501 create SecretSync web-files-sse",
				"503 check SecretProviderClass api-sse", "701 create SecretSync web-files",
			},
			codes: []model.Code{"M421"},
		},
		"MountedTwin": {
			reason: "a class of the twin's name that pods mount", classes: []string{azure("web", "", "a"), azure("web-sse", "", "b")},
			asked: []string{"M422/shop/web: web-sse-2"},
			steps: []string{
				"500 create SecretProviderClass web-sse-sse", "501 create SecretSync web-sse-files",
				"503 check SecretProviderClass web-sse-sse",
			},
			codes: []model.Code{"M422"},
		},
		"MountedTwinAnswered": {
			reason: "the answer is the twin's name", classes: []string{azure("web", "", "a"), azure("web-sse", "", "b")},
			change: func(_ *model.Survey, o *model.Options) { o.Decisions = map[string]string{"M422/shop/web": "web-new"} },
			steps: []string{
				"500 create SecretProviderClass web-new", "500 create SecretProviderClass web-sse-sse",
				"501 create SecretSync web-files", "501 create SecretSync web-sse-files",
				"503 check SecretProviderClass web-new", "503 check SecretProviderClass web-sse-sse",
			},
		},
		"SyncOfSomebodyElse": {
			reason: "a SecretSync that has nothing to do with the class is left alone", classes: []string{azure("web", "", "a")},
			change: func(s *model.Survey, _ *model.Options) {
				s.Existing = []model.Object{read(map[string]any{
					"apiVersion": "secret-sync.x-k8s.io/v1alpha1", "kind": "SecretSync",
					"metadata": map[string]any{"name": "web-files", "namespace": "shop"},
					"spec":     map[string]any{"secretProviderClassName": "mine"},
				})}
			},
			asked: []string{"M421/shop/web/files: web-files-2"}, codes: []model.Code{"M421"},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			s, o := mounted(t, tc.classes...), model.Options{}
			if tc.change != nil {
				tc.change(&s, &o)
			}
			plan, _ := translate.Plan(s, identities(s), o)
			if diff := cmp.Diff(tc.asked, asked(plan)); diff != "" {
				t.Errorf("%s: questions (-want +got):\n%s", tc.reason, diff)
			}
			if diff := cmp.Diff(tc.steps, steps(plan)); diff != "" {
				t.Errorf("%s: steps (-want +got):\n%s", tc.reason, diff)
			}
			if diff := cmp.Diff(append([]model.Code{}, tc.codes...), codes(plan.Findings)); diff != "" {
				t.Errorf("%s: findings (-want +got):\n%s", tc.reason, diff)
			}
		})
	}
}

// TestComparedWithItsOwn: of two classes that made one Secret, that which keeps the name is compared with it, and the other with
// nothing: it held the one's value or the other's, and belongs to another SecretSync after the hand-over.
func TestComparedWithItsOwn(t *testing.T) {
	s := mounted(t, making(azure("web", "", "a"), secretObject("db", "Opaque", "a=password")),
		making(azure("api", "", "b"), secretObject("db", "Opaque", "b=password")))
	s.Synced, s.Secrets["shop"] = []model.SyncedSecret{driverMade("db", "api", "web")}, []string{"db"}
	answers := map[string]string{"M417/shop/api/db": "db", "M417/shop/web/db": "db-2"}
	plan, _ := translate.Plan(s, identities(s), model.Options{Decisions: answers})
	pairs := map[string]int{}
	for _, c := range plan.Changes {
		if c.Gate != nil && c.Gate.Kind == model.GateSynced {
			pairs[c.Object.Name] = len(c.Gate.Same)
		}
	}
	if diff := cmp.Diff(map[string]int{"api-sse": 1, "web-sse": 0}, pairs); diff != "" {
		t.Errorf("pairs by class (-want +got):\n%s", diff)
	}
}

func TestSameClassInTwoNamespacesOrPlaces(t *testing.T) {
	web := making(azure("web", "", "a"), secretObject("db", "Opaque", "a=password"))
	s := mounted(t, web, web)
	s.Input.Folder = "repo"
	s.Classes[0].Object.Place = model.Place{File: "dev/web.yaml"}
	s.Classes[1].Object.Place = model.Place{File: "prod/web.yaml"}
	plan, translations := translate.Plan(s, identities(s), model.Options{})
	if len(asked(plan)) > 0 || len(translations) != 2 || !translations[0].Ready || !translations[1].Ready {
		t.Errorf("two environments of one class: questions %v, %+v", asked(plan), translations)
	}
	places := map[string]int{}
	for _, c := range plan.Changes {
		places[c.Place.File]++
	}
	if diff := cmp.Diff(map[string]int{"dev/web.yaml": 5, "prod/web.yaml": 5}, places); diff != "" {
		t.Errorf("each environment gets its own (-want +got):\n%s", diff)
	}

	s = mounted(t, web, web)
	s.Classes[1].Object.Namespace = "pay"
	s.Workloads[0].Object.Namespace = "pay"
	if plan, _ := translate.Plan(s, identities(s), model.Options{}); len(plan.Changes) != 10 || len(plan.Findings) != 0 {
		t.Errorf("each namespace gets its own: got %v, %v", steps(plan), plan.Findings)
	}
}
