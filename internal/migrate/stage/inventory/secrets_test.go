package inventory_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"secretstore/internal/migrate/model"
	"secretstore/internal/migrate/stage/inventory"
)

func secretRef(name string) model.Ref {
	return model.Ref{APIVersion: "v1", Kind: "Secret", Namespace: "shop", Name: name}
}

// TestSecrets: which Secrets classes make, what is known of those that exist, and which names are taken.
func TestSecrets(t *testing.T) {
	t.Parallel()
	const managed = ", labels: {secrets-store.csi.k8s.io/managed: 'true'}"
	s := inventory.Survey(model.Snapshot{Objects: objects(t,
		class("a", syncing("made")), class("b", syncing("made")), class("c", syncing("foreign")), class("d", syncing("never")),
		object("v1", "Secret", "made", managed+ownedBy("apps/v1", "ReplicaSet", "web-1"), "type: Opaque\nimmutable: true\ndata: {password: digest}"),
		object("v1", "Secret", "foreign", "", "type: Opaque\nstringData: {password: digest}"),
		object("v1", "Secret", "orphan", managed, "type: Opaque"),
		object("v1", "Secret", "own", "", "type: Opaque"),
		object("bitnami.com/v1alpha1", "SealedSecret", "sealed", "", "spec: {}"),
		object("external-secrets.io/v1", "ExternalSecret", "es", "", "spec: {target: {name: external}}"),
		object("external-secrets.io/v1", "ExternalSecret", "unnamed", "", "spec: {}"),
		object("cert-manager.io/v1", "Certificate", "cert", "", "spec: {secretName: certified}"),
		object("secret-sync.x-k8s.io/v1alpha1", "SecretSync", "synced", "", "spec: {}"),
		object("v1", "ServiceAccount", "robot", "", ""), object("v1", "ServiceAccount", "default", "", ""),
	)}, model.Options{})
	want := []model.SyncedSecret{
		{Ref: secretRef("foreign"), Classes: []string{"c"}, Exists: true, Type: "Opaque", Digests: map[string]string{"password": "digest"}},
		{
			Ref: secretRef("made"), Classes: []string{"a", "b"}, Exists: true, Managed: true, Immutable: true, Type: "Opaque",
			Owners:  []model.Ref{{APIVersion: "apps/v1", Kind: "ReplicaSet", Namespace: "shop", Name: "web-1"}},
			Digests: map[string]string{"password": "digest"},
		},
		{Ref: secretRef("never"), Classes: []string{"d"}},
		{Ref: secretRef("orphan"), Classes: []string{}, Exists: true, Managed: true, Type: "Opaque"},
	}
	if diff := cmp.Diff(want, s.Synced); diff != "" {
		t.Errorf("synced: -want +got:\n%s", diff)
	}
	names := map[string][]string{"shop": {"certified", "external", "foreign", "made", "never", "orphan", "own", "sealed", "synced", "unnamed"}}
	if diff := cmp.Diff(names, s.Secrets); diff != "" {
		t.Errorf("names: -want +got:\n%s", diff)
	}
	if diff := cmp.Diff(map[string][]string{"shop": {"default", "robot"}}, s.ServiceAccounts); diff != "" {
		t.Errorf("service accounts: -want +got:\n%s", diff)
	}
	if s.Findings[0].Code != model.CodeSecretOrphan || s.Findings[0].Object != secretRef("orphan") {
		t.Errorf("findings: %v", s.Findings)
	}
}

// TestCredentials: what volumes name as nodePublishSecretRef, and who else uses it.
func TestCredentials(t *testing.T) {
	t.Parallel()
	read := objects(t, class("app"), deployment("web", spec("app")), deployment("api", spec("app")),
		deployment("odd", "{containers: [{name: c}], volumes: ["+volume("kv", "app", "empty")+", "+volume("kw", "app", "gone")+", "+volume("kx", "app", "")+"]}"),
		object("v1", "Secret", "creds", "", "data: {clientid: digest, clientsecret: digest}"), object("v1", "Secret", "empty", "", "data: {}"),
		deployment("terraform", "{containers: [{name: c, env: [{name: ARM, valueFrom: {secretKeyRef: {name: creds, key: clientid}}}]}]}"))
	deployed := func(name string) model.Ref {
		return model.Ref{APIVersion: "apps/v1", Kind: "Deployment", Namespace: "shop", Name: name}
	}
	s := inventory.Survey(model.Snapshot{Objects: read, ClientIDs: map[string]string{"shop/creds": "id"}}, model.Options{})
	want := []model.Credential{
		{
			Ref: secretRef("creds"), ClientID: "id", Exists: true, UsedBy: []model.Ref{deployed("api"), deployed("web")},
			ReadBy: []model.Ref{deployed("terraform")},
		},
		{Ref: secretRef("empty"), Exists: true, UsedBy: []model.Ref{deployed("odd")}},
		{Ref: secretRef("gone"), UsedBy: []model.Ref{deployed("odd")}},
	}
	if diff := cmp.Diff(want, s.Credentials); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	for _, code := range []model.Code{model.CodeNoCredential, model.CodeNoClientID} {
		if !has(s, code) {
			t.Errorf("%s is missing: %v", code, s.Findings)
		}
	}
	s = inventory.Survey(model.Snapshot{Objects: read, Input: model.Input{Folder: "f"}}, model.Options{})
	if has(s, model.CodeNoCredential) || has(s, model.CodeNoClientID) {
		t.Errorf("a folder should hold no credentials: %v", s.Findings)
	}
}

func has(s model.Survey, code model.Code) bool {
	for _, f := range s.Findings {
		if f.Code == code {
			return true
		}
	}
	return false
}

// TestMounted: who mounted what is listed, but for other providers; what a lost pod left behind is stale, unless a selector
// kept pods from being read.
func TestMounted(t *testing.T) {
	t.Parallel()
	status := func(name, class, pod string) string {
		return object("secrets-store.csi.x-k8s.io/v1", "SecretProviderClassPodStatus", name, "", "status: {secretProviderClassName: "+class+", podName: "+pod+"}")
	}
	read := objects(t, class("app"), object("secrets-store.csi.x-k8s.io/v1", "SecretProviderClass", "pki", "", "spec: {provider: vault}"),
		status("fresh", "app", "web"), status("stale", "app", "gone"), status("other", "pki", "web"), object("v1", "Pod", "web", "", "spec: "+spec("app")))
	names := func(refs []model.Ref) (found []string) {
		for _, r := range refs {
			found = append(found, r.Name)
		}
		return found
	}
	for selector, stale := range map[string][]string{"": {"stale"}, "app=web": nil} {
		s := inventory.Survey(model.Snapshot{Objects: read, Input: model.Input{Selector: selector}}, model.Options{})
		if diff := cmp.Diff([]string{"fresh", "stale"}, names(s.Mounted)); diff != "" {
			t.Errorf("selector %q: -want +got:\n%s", selector, diff)
		}
		if diff := cmp.Diff(stale, names(s.Stale)); diff != "" {
			t.Errorf("selector %q: -want +got:\n%s", selector, diff)
		}
	}
}
