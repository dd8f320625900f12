package translate_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"secretstore/internal/migrate/model"
	"secretstore/internal/migrate/stage/translate"
)

func TestHandOver(t *testing.T) {
	web := making(azure("web", "", "a"), secretObject("db", "Opaque", "a=password"))
	begin := []string{
		"500 create SecretProviderClass web-sse", "501 create SecretSync db-sse", "501 create SecretSync web-files",
		"503 check SecretProviderClass web-sse",
	}
	cases := map[string]struct {
		reason string
		change func(*model.Survey, *model.Options)
		steps  []string
		codes  []model.Code
	}{
		"NotMade": {
			reason: "a Secret that is not there is made by its SecretSync", change: func(*model.Survey, *model.Options) {},
			steps: append(begin[:4:4], "701 create SecretSync db"),
		},
		"Made": {
			reason: "the class keeps it until then; digests first, then the SecretSync whose UID the Secret needs, then the one update",
			change: func(s *model.Survey, _ *model.Options) { s.Synced = []model.SyncedSecret{driverMade("db", "web")} },
			steps:  append(begin[:4:4], "504 edit Secret db", "700 check Secret db", "701 create SecretSync db", "702 edit Secret db"),
		},
		"DriverThatRewrites": {
			reason: "since 1.6.0 the driver writes every 5 minutes",
			change: func(s *model.Survey, _ *model.Options) {
				s.Synced = []model.SyncedSecret{driverMade("db", "web")}
				s.Installed.DriverVersion = "v1.6.0"
			},
			steps: append(begin[:4:4], "504 edit Secret db", "700 check Secret db", "701 create SecretSync db", "702 edit Secret db"),
			codes: []model.Code{"M430"},
		},
		"OlderDriver": {
			reason: "1.5.6 does not",
			change: func(s *model.Survey, _ *model.Options) {
				s.Synced = []model.SyncedSecret{driverMade("db", "web")}
				s.Installed.DriverVersion = "v1.5.6"
			},
			steps: append(begin[:4:4], "504 edit Secret db", "700 check Secret db", "701 create SecretSync db", "702 edit Secret db"),
		},
		"Folder": {
			reason: "manifests cannot hand over, which is said",
			change: func(s *model.Survey, _ *model.Options) { s.Input.Folder = "repo" },
			steps:  append(begin[:4:4], "701 create SecretSync db"), codes: []model.Code{"M431"},
		},
		"Guide": {
			reason: "the driver is gone, its Secret is taken over at once",
			change: func(s *model.Survey, o *model.Options) {
				s.Synced = []model.SyncedSecret{driverMade("db", "web")}
				o.Strategy = model.Guide
			},
			steps: []string{
				"500 edit SecretProviderClass web", "501 create SecretSync db", "501 create SecretSync web-files", "502 edit Secret db",
				"503 check SecretProviderClass web",
			},
			codes: []model.Code{"M406"},
		},
		"HandedOver": {
			reason: "the Secret is its SecretSync's: no proof is needed any more",
			change: func(s *model.Survey, _ *model.Options) {
				s.Synced = []model.SyncedSecret{driverMade("db", "web")}
				s.Synced[0].Managed = false
				s.Synced[0].Owners = []model.Ref{{Kind: "SecretSync", Namespace: "shop", Name: "db"}}
				s.Existing = []model.Object{read(map[string]any{
					"kind": "SecretSync", "metadata": map[string]any{"name": "db", "namespace": "shop"}, "spec": map[string]any{
						"secretProviderClassName": "web-sse", "serviceAccountName": "secretstore", "secretObject": map[string]any{
							"type": "Opaque", "data": []any{map[string]any{"sourcePath": "a", "targetKey": "password"}},
						},
					},
				})}
			},
			steps: []string{
				"500 create SecretProviderClass web-sse", "501 create SecretSync web-files", "503 check SecretProviderClass web-sse",
			},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			s, o := mounted(t, web), model.Options{}
			tc.change(&s, &o)
			plan, _ := translate.Plan(s, identities(s), o)
			if diff := cmp.Diff(tc.steps, steps(plan)); diff != "" {
				t.Errorf("%s: steps (-want +got):\n%s", tc.reason, diff)
			}
			if diff := cmp.Diff(append([]model.Code{}, tc.codes...), codes(plan.Findings)); diff != "" {
				t.Errorf("%s: findings (-want +got):\n%s", tc.reason, diff)
			}
			for _, c := range plan.Changes {
				if c.Summary == "" || c.Undo == "" || c.ID != strings.ToLower(c.ID) || !strings.HasPrefix(c.ID, "translate/") {
					t.Errorf("a step lacks words: %+v", c)
				}
			}
		})
	}
}

func TestHandOverOfTheSecret(t *testing.T) {
	s := mounted(t, making(azure("web", "", "a"), secretObject("db", "Opaque", "a=password")))
	s.Synced = []model.SyncedSecret{driverMade("db", "web")}
	plan, _ := translate.Plan(s, identities(s), model.Options{})
	last := plan.Changes[len(plan.Changes)-1]
	before := manifest(t, `
metadata:
  name: db
  labels: {secrets-store.csi.k8s.io/managed: "true", app: web}
  ownerReferences: [{kind: ReplicaSet, name: web-1, uid: x}]
`)
	want := manifest(t, `
metadata:
  name: db
  labels: {secrets-store.sync.x-k8s.io: "", app: web}
  ownerReferences:
    - {apiVersion: secret-sync.x-k8s.io/v1alpha1, kind: SecretSync, name: db, uid: "${UID_OF_SECRETSYNC}", controller: true}
`)
	if diff := cmp.Diff(want, apply(t, before, last.Edits)); diff != "" {
		t.Errorf("the Secret after its hand-over (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"translate/create/secretsync/shop/db"}, last.Needs); diff != "" {
		t.Errorf("what it needs (-want +got):\n%s", diff)
	}
}

func TestSecretSyncCarriesLabels(t *testing.T) {
	text := making(azure("web", "", "a"), secretObject("db", "", " a = password ")+
		"      labels: {app: web, secrets-store.csi.k8s.io/managed: 'true', secrets-store.sync.x-k8s.io/x: z}\n      annotations: {note: kept}\n")
	s := mounted(t, text)
	plan, _ := translate.Plan(s, identities(s), model.Options{Strategy: model.Guide})
	want := map[string]any{
		"type": "Opaque", "data": []any{map[string]any{"sourcePath": "a", "targetKey": "password"}},
		"labels": map[string]any{"app": "web"}, "annotations": map[string]any{"note": "kept"},
	}
	got, _ := model.Path{"spec", "secretObject"}.Get(plan.Changes[1].Content)
	if diff := cmp.Diff(any(want), got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]model.Code{"M406", "M432"}, codes(plan.Findings)); diff != "" {
		t.Errorf("findings (-want +got):\n%s", diff)
	}
}
