package inventory_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"secretstore/internal/migrate/model"
	"secretstore/internal/migrate/stage/inventory"
	"secretstore/internal/spcparams"
)

// classOf is a class of the namespace shop with these parameters, in flow style.
func classOf(name, parameters string) string {
	return object("secrets-store.csi.x-k8s.io/v1", "SecretProviderClass", name, "", "spec: {provider: azure, parameters: {"+parameters+"}}")
}

// TestClasses has a case for each thing that a class may say.
func TestClasses(t *testing.T) {
	t.Parallel()
	const (
		tenant = "tenantID: 7a1e0000-1111-4222-8333-0000000000aa"
		one    = `objects: "array: ['{objectName: db, objectType: secret}']"`
	)
	db := []spcparams.Object{{Name: "db", Type: spcparams.TypeSecret}}
	user := []model.Ref{{APIVersion: "apps/v1", Kind: "Deployment", Namespace: "shop", Name: "web"}}
	for name, tt := range map[string]struct {
		reason string
		class  string
		folder bool
		also   []string
		want   model.Class
		codes  string
	}{
		"the guide's own": {
			reason: "no clientID, a service principal's class with the old flags: nothing is wrong with it",
			class:  classOf("app", "usePodIdentity: 'true', useVMManagedIdentity: 'true', userAssignedIdentityID: x, keyvaultName: kv-shop, "+tenant+", "+one),
			want:   model.Class{Params: spcparams.Params{VaultName: "kv-shop", TenantID: "7a1e0000-1111-4222-8333-0000000000aa", Objects: db}},
		},
		"mistakes": {
			reason: "each is told with its place, and nothing can be made of the class",
			class:  classOf("app", tenant+", objects: 'array: [\"{objectName: db, objectType: password}\"]'"),
			want:   model.Class{Broken: true, Params: spcparams.Params{TenantID: "7a1e0000-1111-4222-8333-0000000000aa"}},
			codes:  "M103 keyvaultName is not set; M103 objects[0].objectType (line 1)",
		},
		"unknown fields": {
			reason: "they are reported, not dropped without a word",
			class:  classOf("app", "resourceGroup: rg, keyvaultName: kv-shop, "+tenant+", "+strings.Replace(one, "secret}", "secret, objectTags: x}", 1)),
			want:   model.Class{Params: spcparams.Params{VaultName: "kv-shop", TenantID: "7a1e0000-1111-4222-8333-0000000000aa", Objects: db}},
			codes:  "M104 objects[0].objectTags; M104 resourceGroup",
		},
		"placeholders of a folder": {
			reason: "manifests may hold ${…}, which a pipeline replaces: they are kept, in every place",
			folder: true,
			class: classOf("app", `tenantID: "${AZURE_TENANT_ID}", clientID: "${ID}", keyvaultName: "${KV}-shop", `+
				`objects: "array: ['{objectName: \"${ENV}-db\", objectType: secret, objectAlias: zq0z/${ENV}, objectVersion: \"${V}\"}']"`),
			want: model.Class{Params: spcparams.Params{
				VaultName: "${KV}-shop", TenantID: "${AZURE_TENANT_ID}", ClientID: "${ID}",
				Objects: []spcparams.Object{{Name: "${ENV}-db", Type: spcparams.TypeSecret, Alias: "zq0z/${ENV}", Version: "${V}"}},
			}},
		},
		"placeholders of a cluster": {
			reason: "nothing replaces them there: pods with this class do not start",
			class:  classOf("app", `tenantID: "${AZURE_TENANT_ID}", keyvaultName: kv-shop, `+one),
			want:   model.Class{Broken: true, Params: spcparams.Params{VaultName: "kv-shop", TenantID: "${AZURE_TENANT_ID}", Objects: db}},
			codes:  "M103 tenantID",
		},
		"secretObjects": {
			reason: "what the driver makes of them; entries that it cannot use are told",
			class: class("app", `  secretObjects:
  - {secretName: made, type: kubernetes.io/tls, labels: {a: b}, annotations: {c: d}, data: [{objectName: db, key: tls.key}, {objectName: db}]}
  - {type: Opaque, data: [{objectName: db, key: k}]}`),
			want: model.Class{
				Params: spcparams.Params{VaultName: "kv-shop", TenantID: "7a1e0000-1111-4222-8333-0000000000aa", Objects: db},
				SecretObjects: []model.SecretObject{{
					Name: "made", Type: "kubernetes.io/tls", Labels: map[string]string{"a": "b"}, Annotations: map[string]string{"c": "d"},
					Data: []model.SecretKey{{ObjectName: "db", Key: "tls.key"}},
				}},
			},
			codes: "M105 spec.secretObjects[0].data[1]; M105 spec.secretObjects[1]",
		},
		"a class that a SecretSync reads": {
			reason: "one of the new way is not called unused",
			class:  class("app"),
			also:   []string{object("secret-sync.x-k8s.io/v1alpha1", "SecretSync", "s", "", "spec: {secretProviderClassName: app}")},
			want: model.Class{
				Params: spcparams.Params{VaultName: "kv-shop", TenantID: "7a1e0000-1111-4222-8333-0000000000aa", Objects: db}, Syncs: []string{"s"},
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := model.Snapshot{Objects: objects(t, append(tt.also, tt.class, deployment("web", spec("app")))...)}
			if tt.folder {
				s.Input.Folder = "manifests"
			}
			got := inventory.Survey(s, model.Options{})
			if len(got.Classes) != 1 {
				t.Fatalf("%d classes", len(got.Classes))
			}
			tt.want.UsedBy = user
			tt.want.Object, tt.want.Parameters = got.Classes[0].Object, got.Classes[0].Parameters
			got.Classes[0].Params.Warnings = nil
			if diff := cmp.Diff(tt.want, got.Classes[0]); diff != "" {
				t.Errorf("%s: -want +got:\n%s", tt.reason, diff)
			}
			checkFindings(t, got, tt.codes)
		})
	}
}

// checkFindings compares the findings about classes with `code place` pairs, in any order of places.
func checkFindings(t *testing.T, s model.Survey, want string) {
	t.Helper()
	var found []model.Finding
	for _, f := range s.Findings {
		if f.Object.Kind == "SecretProviderClass" {
			found = append(found, f)
		}
	}
	var wanted []string
	if want != "" {
		wanted = strings.Split(want, "; ")
	}
	if len(found) != len(wanted) {
		t.Fatalf("got %d findings, want %d:\n%v", len(found), len(wanted), found)
	}
	for i, f := range found {
		code, place, _ := strings.Cut(wanted[i], " ")
		if string(f.Code) != code || !strings.Contains(f.Message, place) {
			t.Errorf("got %s %q, want %s about %q", f.Code, f.Message, code, place)
		}
	}
}

// TestOtherProviders: classes of other providers are left alone, and so is what mounts them and what the driver makes of them.
func TestOtherProviders(t *testing.T) {
	t.Parallel()
	s := inventory.Survey(model.Snapshot{Objects: objects(t,
		object("secrets-store.csi.x-k8s.io/v1", "SecretProviderClass", "pki", "", "spec: {provider: vault, secretObjects: [{secretName: made, data: [{objectName: a, key: b}]}]}"),
		object("secrets-store.csi.x-k8s.io/v1", "SecretProviderClass", "none", "", "spec: {}"),
		object("v1", "Secret", "made", ", labels: {secrets-store.csi.k8s.io/managed: 'true'}", "data: {b: x}"),
		deployment("web", spec("pki")),
		object("networking.k8s.io/v1", "Ingress", "in", "", "spec: {tls: [{secretName: made}]}"),
	)}, model.Options{})
	want := []string{"M106 warning SecretProviderClass shop/none", "M102 info SecretProviderClass shop/pki"}
	if diff := cmp.Diff(want, told(s)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if len(s.Others) != 3 || s.Others[0].Kind != "Deployment" || len(s.Synced) > 0 || len(s.Classes) > 0 {
		t.Errorf("others %v, synced %v, classes %v", s.Others, s.Synced, s.Classes)
	}
	if diff := cmp.Diff([]string{"vault"}, s.Installed.Providers); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// TestClassPatch: a piece of a class is a class of its own, used by what uses the whole; what it leaves out is no mistake.
func TestClassPatch(t *testing.T) {
	t.Parallel()
	s := inventory.Survey(model.Snapshot{Input: model.Input{Folder: "manifests"}, Objects: objects(t, class("app"), deployment("web", spec("app")),
		"# patch\napiVersion: secrets-store.csi.x-k8s.io/v1\nkind: SecretProviderClass\nmetadata: {name: app}\nspec: {parameters: {keyvaultName: kv-staging}}",
	)}, model.Options{})
	if len(s.Classes) != 2 || s.Classes[0].Params.VaultName != "kv-staging" {
		t.Fatalf("classes: %+v", s.Classes)
	}
	for _, c := range s.Classes {
		if c.Broken || len(c.UsedBy) != 1 {
			t.Errorf("%s: broken %v, used by %v", c.Object.Ref, c.Broken, c.UsedBy)
		}
	}
	checkFindings(t, s, "")
}

// TestClassOfTheNewWay: a class that a SecretSync reads is not called unused, although nobody mounts it.
func TestClassOfTheNewWay(t *testing.T) {
	t.Parallel()
	s := inventory.Survey(model.Snapshot{Objects: objects(t, class("app"),
		object("secret-sync.x-k8s.io/v1alpha1", "SecretSync", "s", "", "spec: {secretProviderClassName: app}"))}, model.Options{})
	checkFindings(t, s, "")
	if len(s.Existing) != 2 {
		t.Errorf("existing: %v", s.Existing)
	}
}

// TestUnknownNamespace: a folder may leave namespaces to its kustomizations, on either side.
func TestUnknownNamespace(t *testing.T) {
	t.Parallel()
	for name, manifests := range map[string][]string{
		"of the class":    {strings.Replace(class("app"), ", namespace: shop", "", 1), deployment("web", spec("app"))},
		"of the workload": {class("app"), strings.Replace(deployment("web", spec("app")), ", namespace: shop", "", 1)},
	} {
		s := inventory.Survey(model.Snapshot{Input: model.Input{Folder: "f"}, Objects: objects(t, manifests...)}, model.Options{})
		if len(s.Classes[0].UsedBy) != 1 || s.Workloads[0].Held {
			t.Errorf("%s: used by %v, held %v", name, s.Classes[0].UsedBy, s.Workloads[0].Held)
		}
	}
}

// TestPrincipals: pods of one class with different credentials are a question, unless the credentials are the same principal's.
func TestPrincipals(t *testing.T) {
	t.Parallel()
	mounts := func(name, credential string) string {
		return deployment(name, "{containers: [{name: c}], volumes: ["+volume("kv", "app", credential)+"]}")
	}
	for name, tt := range map[string]struct {
		reason    string
		workloads []string
		want      []string // the answers, the proposal first
	}{
		"one Secret": {reason: "nothing to ask", workloads: []string{mounts("a", "batch"), mounts("b", "batch")}},
		"two Secrets of one principal": {
			reason: "the same rights", workloads: []string{mounts("a", "web"), mounts("b", "web-copy")},
		},
		"two principals": {
			reason:    "whose rights the new identity gets, only the operator knows; most workloads win the proposal",
			workloads: []string{mounts("a", "web"), mounts("b", "batch"), mounts("c", "web")}, want: []string{"id-web", "id-batch", "id-web"},
		},
		"with and without": {
			reason:    "a managed identity is another principal",
			workloads: []string{mounts("a", ""), mounts("b", "unread")}, want: []string{"no-credential", "no-credential", "unread"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := inventory.Survey(model.Snapshot{
				Objects:   objects(t, append(tt.workloads, class("app"))...),
				ClientIDs: map[string]string{"shop/web": "id-web", "shop/web-copy": "id-web", "shop/batch": "id-batch"},
			}, model.Options{})
			var got []string
			for _, d := range s.Decisions {
				got = append(got, d.Proposal)
				for _, o := range d.Options {
					got = append(got, o.Answer)
				}
				if !d.Required || d.ID != "M107/shop/app/SecretProviderClass" {
					t.Errorf("decision %+v", d)
				}
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("%s: -want +got:\n%s", tt.reason, diff)
			}
		})
	}
}

// TestClassThatOnlyReadersNeed: nobody mounts the class, but its Secret is read. The operator decides, and a class that is taken
// over counts as used by its readers.
func TestClassThatOnlyReadersNeed(t *testing.T) {
	t.Parallel()
	snapshot := model.Snapshot{Objects: objects(t, class("app", syncing("made")),
		object("networking.k8s.io/v1", "Ingress", "in", "", "spec: {tls: [{secretName: made}]}"))}
	for answer, used := range map[string]int{"": 0, model.AnswerLeave: 0, model.AnswerTranslate: 1} {
		s := inventory.Survey(snapshot, model.Options{Decisions: map[string]string{"M108/shop/app/SecretProviderClass": answer}})
		if got := len(s.Classes[0].UsedBy); got != used {
			t.Errorf("answer %q: used by %d, want %d", answer, got, used)
		}
		if open := len(s.Findings) == 1 && s.Findings[0].Severity == model.Needed; open != (answer == "") {
			t.Errorf("answer %q: findings %v", answer, s.Findings)
		}
	}
}
