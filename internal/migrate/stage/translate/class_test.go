package translate_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"secretstore/internal/migrate/model"
	"secretstore/internal/migrate/stage/translate"
)

const client = "11111111-2222-3333-4444-555555555555"

func TestParameters(t *testing.T) {
	const tenant = "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee"
	cases := map[string]struct {
		reason string
		lines  string
		target model.Target
		want   map[string]string // besides keyvaultName, tenantID, clientID and objects
		codes  []model.Code
	}{
		"Legacy": {
			reason: "other ways to sign in go, whatever they say",
			lines:  "usePodIdentity: \"true\"\nuseVMManagedIdentity: \"true\"\nuserAssignedIdentityID: x",
		},
		"OldClient": {reason: "the client ID is the new identity's", lines: "clientID: 99999999-2222-3333-4444-555555555555"},
		"OldTenant": {reason: "tenantID counts where both are written", lines: "tenantId: bbbbbbbb-bbbb-cccc-dddd-eeeeeeeeeeee"},
		"Public":    {reason: "the public cloud needs no name", lines: "cloudName: AzurePublicCloud"},
		"NoCloud":   {reason: "an empty name is none", lines: "cloudName: \"\""},
		"Sovereign": {
			reason: "another cloud is kept", lines: "cloudName: AzureChinaCloud",
			want: map[string]string{"cloudName": "AzureChinaCloud"}, codes: []model.Code{"M408"},
		},
		"SovereignForSSE": {
			reason: "which Microsoft's extension does not accept", lines: "cloudName: AzureChinaCloud", target: model.TargetSSE,
			codes: []model.Code{"M409"},
		},
		"Unknown": {
			reason: "what nobody knows is kept and told", lines: "cloudEnvFileName: /etc/x.json",
			want: map[string]string{"cloudEnvFileName": "/etc/x.json"}, codes: []model.Code{"M407"},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			s := mounted(t, azure("web", tc.lines, "a"))
			plan, translations := translate.Plan(s, identities(s), model.Options{Target: tc.target})
			if diff := cmp.Diff(append([]model.Code{}, tc.codes...), codes(plan.Findings)); diff != "" {
				t.Errorf("%s: findings (-want +got):\n%s", tc.reason, diff)
			}
			if !translations[0].Ready {
				if len(plan.Changes) > 0 {
					t.Errorf("%s: a class that is blocked gets steps: %v", tc.reason, steps(plan))
				}
				return
			}
			want := map[string]any{
				"keyvaultName": "vault", "tenantID": tenant, "clientID": client, "objects": s.Classes[0].Parameters["objects"],
			}
			for key, value := range tc.want {
				want[key] = value
			}
			got, _ := model.Path{"spec", "parameters"}.Get(plan.Changes[0].Content)
			if diff := cmp.Diff(any(want), got); diff != "" {
				t.Errorf("%s: parameters (-want +got):\n%s", tc.reason, diff)
			}
		})
	}
}

func TestTenantIsNormalised(t *testing.T) {
	text := strings.ReplaceAll(azure("web", "", "a"), "tenantID:", "tenantId:")
	s := mounted(t, text)
	plan, _ := translate.Plan(s, identities(s), model.Options{Strategy: model.Guide})
	got, _ := model.Path{"spec", "parameters"}.Get(apply(t, s.Classes[0].Object.Content, plan.Changes[0].Edits))
	parameters := got.(map[string]any)
	if _, old := parameters["tenantId"]; old || parameters["tenantID"] != "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee" {
		t.Errorf("got %v, want tenantID alone", parameters)
	}
	s = mounted(t, strings.ReplaceAll(azure("web", "", "a"), "    tenantID: aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee\n", ""))
	plan, _ = translate.Plan(s, identities(s), model.Options{})
	if got, _ := (model.Path{"spec", "parameters", "tenantID"}).Get(plan.Changes[0].Content); got != "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee" {
		t.Errorf("got %v, want the identity's tenant where the class has none", got)
	}
}

func TestTwinIsNobodys(t *testing.T) {
	s := mounted(t, azure("web", "", "a"))
	s.Classes[0].Object.Content["metadata"] = map[string]any{
		"name": "web", "namespace": "shop", "uid": "u", "resourceVersion": "7", "generation": int64(2), "creationTimestamp": "x",
		"managedFields": []any{}, "ownerReferences": []any{},
		"labels": map[string]any{
			"app": "web", "app.kubernetes.io/managed-by": "Helm", "helm.sh/chart": "web-1", "app.kubernetes.io/instance": "web",
			"kustomize.toolkit.fluxcd.io/name": "web", "argocd.argoproj.io/instance": "web",
		},
		"annotations": map[string]any{
			"note": "kept", "meta.helm.sh/release-name": "web", "argocd.argoproj.io/tracking-id": "web",
			"kubectl.kubernetes.io/last-applied-configuration": "{}", "config.kubernetes.io/origin": "path: web.yaml",
			"internal.config.kubernetes.io/index": "0",
		},
	}
	plan, _ := translate.Plan(s, identities(s), model.Options{})
	want := map[string]any{
		"name": "web-sse", "namespace": "shop", "labels": map[string]any{"app": "web"}, "annotations": map[string]any{"note": "kept"},
	}
	if diff := cmp.Diff(any(want), plan.Changes[0].Content["metadata"]); diff != "" {
		t.Errorf("metadata of the twin (-want +got):\n%s", diff)
	}
}

func TestByHand(t *testing.T) {
	cases := map[string]struct {
		reason string
		labels map[string]any
		// release makes an annotation of Helm's, without which its label says nothing of who deploys.
		release bool
		change  func(*model.Survey, *model.Options)
		want    string
	}{
		"Nobody":   {reason: "the tool may", labels: map[string]any{"app": "web"}},
		"Helm":     {reason: "Helm would undo it", labels: map[string]any{"app.kubernetes.io/managed-by": "Helm"}, release: true, want: "Helm"},
		"Rendered": {reason: "a chart was rendered, and others apply it", labels: map[string]any{"app.kubernetes.io/managed-by": "Helm"}},
		"Argo":     {reason: "Argo CD would", labels: map[string]any{"argocd.argoproj.io/instance": "web"}, want: "Argo CD"},
		"Flux":     {reason: "Flux would", labels: map[string]any{"kustomize.toolkit.fluxcd.io/name": "web"}, want: "Flux"},
		"Forced": {
			reason: "the operator wants it", labels: map[string]any{"app.kubernetes.io/managed-by": "Helm"}, release: true,
			change: func(_ *model.Survey, o *model.Options) { o.ForceLive = true },
		},
		"Folder": {
			reason: "a folder is where they read", labels: map[string]any{"app.kubernetes.io/managed-by": "Helm"}, release: true,
			change: func(s *model.Survey, _ *model.Options) { s.Input.Folder = "repo" },
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			s, o := mounted(t, azure("web", "", "a")), model.Options{Strategy: model.Guide}
			metadata := s.Classes[0].Object.Content["metadata"].(map[string]any)
			metadata["labels"] = tc.labels
			if tc.release {
				metadata["annotations"] = map[string]any{"meta.helm.sh/release-name": "web"}
			}
			if tc.change != nil {
				tc.change(&s, &o)
			}
			plan, _ := translate.Plan(s, identities(s), o)
			got := plan.Changes[0].ByHand
			if tc.want == "" && got != "" || !strings.HasPrefix(got, tc.want) {
				t.Errorf("%s: got %q, want it to name %q", tc.reason, got, tc.want)
			}
		})
	}
}

func TestClassesThatAreLeftAlone(t *testing.T) {
	cases := map[string]struct {
		reason       string
		change       func(*model.Survey, *model.Identities, *model.Options)
		translations int
		ready        bool
		blocked      bool
		codes        []model.Code
	}{
		"Unused": {
			reason: "nobody mounts it", codes: []model.Code{"M402"},
			change: func(*model.Survey, *model.Identities, *model.Options) {},
		},
		"UnusedButRead": {
			reason: "its Secret is used all the same", codes: []model.Code{"M402", "M403"},
			change: func(s *model.Survey, _ *model.Identities, _ *model.Options) {
				s.Readers = []model.Reader{{
					Object: model.Object{Ref: model.Ref{Kind: "Ingress", Namespace: "shop", Name: "web"}},
					Uses:   []model.Use{{Secret: "db", How: "tls"}},
				}}
			},
		},
		"UnusedAndWanted": {
			reason: "the operator wants it", translations: 1, ready: true, codes: []model.Code{"M402"},
			change: func(_ *model.Survey, _ *model.Identities, o *model.Options) {
				o.Decisions = map[string]string{"M402/shop/web": "yes"}
			},
		},
		"Broken": {
			reason: "nothing can be made of mistakes", translations: 1, blocked: true, codes: []model.Code{"M401"},
			change: func(s *model.Survey, _ *model.Identities, _ *model.Options) {
				mounts(s, "web", "")
				s.Classes[0].Broken = true
			},
		},
		"Patch": {
			reason: "a piece of a class is none", translations: 1, blocked: true, codes: []model.Code{"M405"},
			change: func(s *model.Survey, _ *model.Identities, _ *model.Options) {
				mounts(s, "web", "")
				s.Classes[0].Object.Partial = true
			},
		},
		"NoAccount": {
			reason: "nobody could read it", translations: 1, blocked: true, codes: []model.Code{"M404"},
			change: func(s *model.Survey, ids *model.Identities, _ *model.Options) {
				mounts(s, "web", "")
				ids.Accounts = nil
			},
		},
		"WaitsForItsIdentity": {
			reason: "stage prepare asks who reads it: it is not blocked, nothing is said twice", translations: 1, codes: []model.Code{},
			change: func(s *model.Survey, ids *model.Identities, _ *model.Options) {
				mounts(s, "web", "")
				ids.Accounts, ids.Waiting = nil, []model.Ref{s.Classes[0].Object.Ref}
			},
		},
		"WaitsForTheInventory": {
			reason: "stage inventory asks whether it is wanted: it is not said to be unused", translations: 1, codes: []model.Code{},
			change: func(s *model.Survey, _ *model.Identities, _ *model.Options) {
				s.Decisions = []model.Decision{{Object: s.Classes[0].Object.Ref, Required: true}}
			},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			s := survey(t, making(azure("web", "", "a"), secretObject("db", "Opaque", "a=password")))
			ids, o := identities(s), model.Options{}
			tc.change(&s, &ids, &o)
			plan, translations := translate.Plan(s, ids, o)
			if diff := cmp.Diff(tc.codes, codes(plan.Findings)); diff != "" {
				t.Errorf("%s: findings (-want +got):\n%s", tc.reason, diff)
			}
			ready := len(translations) > 0 && translations[0].Ready
			blocked := len(translations) > 0 && translations[0].Blocked
			if len(translations) != tc.translations || ready != tc.ready || blocked != tc.blocked || ready != (len(plan.Changes) > 0) {
				t.Errorf("%s: got %+v and %v", tc.reason, translations, steps(plan))
			}
		})
	}
}

func TestTargetSSE(t *testing.T) {
	cases := map[string]struct {
		reason string
		class  string
		codes  []model.Code
		files  []string
	}{
		"Plain": {reason: "letters, digits and hyphens", class: azure("web", "", "db-password"), files: []string{"db-password=web-files/db-password"}},
		"KeyOfAFile": {
			reason: "a file's key is the tool's to choose, but not its source path", class: azure("web", "", "objectName: a\nobjectAlias: a_b"),
			files: []string{"a_b=web-files/a-b"}, codes: []model.Code{"M424", "M429"},
		},
		"KeyOfASecret": {
			reason: "a Secret's key is its readers'",
			class:  making(azure("web", "", "a"), secretObject("db", "Opaque", "a=ConnectionStrings__Default")),
			files:  []string{"a=web-files/a"}, codes: []model.Code{"M429"},
		},
		"TLS": {
			reason: "the keys of a TLS Secret are accepted",
			class:  making(azure("web", "", "a"), secretObject("tls", "kubernetes.io/tls", "a=tls.crt", "a=tls.key")),
			files:  []string{"a=web-files/a"},
		},
		"History": {
			reason: "numbers are accepted in source paths", class: azure("web", "", "objectName: ab\nobjectVersionHistory: 2"),
			files: []string{"ab/0=web-files/ab-0", "ab/1=web-files/ab-1", "ab/2=web-files/ab-2"}, codes: []model.Code{"M410", "M424"},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			s := mounted(t, tc.class)
			plan, translations := translate.Plan(s, identities(s), model.Options{Target: model.TargetSSE})
			if diff := cmp.Diff(append([]model.Code{}, tc.codes...), codes(plan.Findings)); diff != "" {
				t.Errorf("%s: findings (-want +got):\n%s", tc.reason, diff)
			}
			if diff := cmp.Diff(tc.files, files(translations[0])); diff != "" {
				t.Errorf("%s: files (-want +got):\n%s", tc.reason, diff)
			}
		})
	}
}

func TestAKVSync(t *testing.T) {
	cases := map[string]struct {
		reason  string
		class   string
		guide   bool
		steps   []string
		message string
		entries []any
	}{
		"Files": {
			reason: "one compound entry with the files' keys",
			class:  azure("web", "", "objectName: db\nobjectAlias: password", "objectName: old\nobjectVersionHistory: 2"),
			steps:  []string{"500 create AKVSync web-sse", "503 check SecretProviderClass web-sse"},
			entries: []any{map[string]any{
				"kubernetesSecretName": "web-files", "kubernetesSecretType": "Opaque", "mapping": []any{
					map[string]any{"dataKey": "old-0", "secretInAKV": "old"},
					map[string]any{"dataKey": "old-1", "secretInAKV": "old", "version": int64(1)},
					map[string]any{"dataKey": "old-2", "secretInAKV": "old", "version": int64(2)},
					map[string]any{"dataKey": "password", "secretInAKV": "db"},
				},
			}},
		},
		"GuideSecrets": {
			reason: "Secrets of secretObjects are entries of their own, a certificate as such", guide: true,
			class: making(azure("web", "", "a"), secretObject("tls", "kubernetes.io/tls", "a=tls.crt", "a=tls.key")),
			steps: []string{"500 create AKVSync web-sse", "503 check SecretProviderClass web-sse"},
			entries: []any{
				map[string]any{
					"kubernetesSecretName": "web-files", "kubernetesSecretType": "Opaque",
					"mapping": []any{map[string]any{"dataKey": "a", "secretInAKV": "a"}},
				},
				map[string]any{
					"kubernetesSecretName": "tls", "kubernetesSecretType": "kubernetes.io/tls", "mapping": []any{
						map[string]any{"dataKey": "tls.crt", "certInAKV": "a"}, map[string]any{"dataKey": "tls.key", "certInAKV": "a"},
					},
				},
			},
		},
		"Proof": {
			reason:  "a Secret that is handed over needs a SecretSync of its own",
			class:   making(azure("web", "", "a"), secretObject("db", "Opaque", "a=password")),
			message: "handed over",
		},
		"Certificate": {reason: "it has no cert", class: azure("web", "", "objectName: a\nobjectType: cert"), message: "objectType cert"},
		"Version":     {reason: "nor a version", class: azure("web", "", "objectName: a\nobjectVersion: abc"), message: "objectVersion"},
		"PFX":         {reason: "nor a format", class: azure("web", "", "objectName: a\nobjectFormat: pfx"), message: "PFX"},
		"Encoding":    {reason: "nor an encoding", class: azure("web", "", "objectName: a\nobjectEncoding: hex"), message: "objectEncoding"},
		"Cloud":       {reason: "nor a cloud", class: azure("web", "cloudName: AzureChinaCloud", "a"), message: "cloudName"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			s, o := mounted(t, tc.class), model.Options{Style: model.StyleAKVSync}
			if tc.guide {
				o.Strategy = model.Guide
			}
			plan, translations := translate.Plan(s, identities(s), o)
			if tc.message != "" {
				told := false
				for _, f := range plan.Findings {
					told = told || f.Code == "M428" && strings.Contains(f.Message, tc.message)
				}
				if !told || plan.Changes[0].Object.Kind != "SecretProviderClass" || !translations[0].Ready {
					t.Errorf("%s: want it direct, and told why; got %v, %v", tc.reason, steps(plan), plan.Findings)
				}
				return
			}
			if diff := cmp.Diff(tc.steps, steps(plan)); diff != "" {
				t.Fatalf("%s: steps (-want +got):\n%s", tc.reason, diff)
			}
			want := map[string]any{
				"keyvaultName": "vault", "clientID": client, "tenantID": "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee",
				"serviceAccountName": "secretstore", "objects": tc.entries,
			}
			if diff := cmp.Diff(any(want), plan.Changes[0].Content["spec"]); diff != "" {
				t.Errorf("%s: (-want +got):\n%s", tc.reason, diff)
			}
		})
	}
}
