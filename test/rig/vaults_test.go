package rig_test

import (
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"secretstore/internal/emulator/state"
	"secretstore/test/rig"
)

const tenant = "7a1e0000-1111-4222-8333-0000000000aa"

// objects reads manifests.
func objects(t *testing.T, manifests ...string) []*unstructured.Unstructured {
	t.Helper()
	var found []*unstructured.Unstructured
	for _, manifest := range manifests {
		object := &unstructured.Unstructured{}
		if err := yaml.Unmarshal([]byte(manifest), &object.Object); err != nil {
			t.Fatal(err)
		}
		found = append(found, object)
	}
	return found
}

// class is a class of one object with further fields, and of a Secret of a type that takes it.
func class(fields, secretType string) string {
	return `
apiVersion: secrets-store.csi.x-k8s.io/v1
kind: SecretProviderClass
metadata: {name: c, namespace: shop}
spec:
  provider: azure
  parameters:
    keyvaultName: kv
    tenantId: ` + tenant + `
    objects: |
      array:
        - |
          objectName: Thing
          ` + strings.ReplaceAll(fields, "; ", "\n          ") + `
  secretObjects:
    - {secretName: s, type: ` + secretType + `, data: [{objectName: Thing, key: k}]}
`
}

func TestVaultsHoldWhatClassesAskFor(t *testing.T) {
	secret := func(versions ...state.SecretVersion) state.VaultSeed {
		return state.VaultSeed{Secrets: []state.SecretSeed{{Name: "Thing", Versions: versions}}}
	}
	value := func(text string) state.SecretVersion { return state.SecretVersion{Value: text} }
	certificate := func(contentType string) state.VaultSeed {
		return state.VaultSeed{Certificates: []state.CertificateSeed{{Name: "Thing", Subject: "CN=Thing", ContentType: contentType}}}
	}
	pinned := value("canary-kv-Thing-0")
	pinned.Version = "00000000000000000000000000000001"
	cases := map[string]struct {
		reason string
		class  string
		want   state.VaultSeed
	}{
		"plain":        {"the value names vault and object", class("objectType: secret", "Opaque"), secret(value("canary-kv-Thing-0"))},
		"base64":       {"the vault holds it encoded", class("objectType: secret; objectEncoding: base64", "Opaque"), secret(value(base64.StdEncoding.EncodeToString([]byte("canary-kv-Thing-0"))))},
		"history":      {"more versions than asked for", class("objectType: secret; objectVersionHistory: 1", "Opaque"), secret(value("canary-kv-Thing-0"), value("canary-kv-Thing-1"), value("canary-kv-Thing-2"))},
		"version":      {"the version that is named is there, and a newer one", class("objectType: secret; objectVersion: "+pinned.Version, "Opaque"), secret(pinned, value("canary-kv-Thing-1"))},
		"certificate":  {"a tls Secret needs one", class("objectType: secret", "kubernetes.io/tls"), certificate("application/x-pem-file")},
		"pfx":          {"as does a format", class("objectType: secret; objectFormat: pfx", "Opaque"), certificate("application/x-pkcs12")},
		"cert":         {"or its type", class("objectType: cert", "Opaque"), certificate("application/x-pem-file")},
		"key":          {"a key", class("objectType: key", "Opaque"), state.VaultSeed{Keys: []state.KeySeed{{Name: "Thing"}}}},
		"other spaces": {"a class that cannot be read asks for nothing", strings.Replace(class("objectType: secret", "Opaque"), "array:", "array", 1), state.VaultSeed{}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			seed, err := rig.Vaults(objects(t, c.class))
			if err != nil {
				t.Fatal(err)
			}
			got := state.VaultSeed{}
			for _, vault := range seed.Vaults {
				got = state.VaultSeed{Secrets: vault.Secrets, Keys: vault.Keys, Certificates: vault.Certificates}
			}
			for i := range got.Secrets {
				for j := range got.Secrets[i].Versions {
					created := &got.Secrets[i].Versions[j].Created
					if j > 0 && !created.After(got.Secrets[i].Versions[0].Created) {
						t.Error("versions are not older ones first")
					}
					*created = state.SecretVersion{}.Created
				}
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", c.reason, diff)
			}
		})
	}
}

func TestRegistryConfigurationIsJSON(t *testing.T) {
	seed, err := rig.Vaults(objects(t, class("objectType: secret", "kubernetes.io/dockerconfigjson")))
	if err != nil {
		t.Fatal(err)
	}
	if value := seed.Vaults[0].Secrets[0].Versions[0].Value; !json.Valid([]byte(value)) || !strings.Contains(value, "canary-kv-Thing-0") {
		t.Errorf("its value is %q", value)
	}
}

// A principal has all the passwords that credentials say, and may read the vaults of its tenant.
func TestPrincipals(t *testing.T) {
	credential := func(namespace string) string {
		return `{apiVersion: v1, kind: Secret, metadata: {name: creds, namespace: ` + namespace + `}, stringData: {clientid: 01d00000-5555-4666-8777-0000000000bb, clientsecret: canary-` + namespace + `}}`
	}
	one := class("objectType: secret", "Opaque")
	seed, err := rig.Vaults(objects(t, one, strings.Replace(one, "namespace: shop", "namespace: other", 1), credential("shop"), credential("other"), credential("none")))
	if err != nil {
		t.Fatal(err)
	}
	want := []state.Application{
		{
			TenantID: tenant, ClientID: "01d00000-5555-4666-8777-0000000000bb", Name: "principal-00bb", Kind: state.KindApplication,
			ClientSecrets: []state.ClientSecret{{Value: "canary-other"}, {Value: "canary-shop"}},
		},
		{
			TenantID: tenant, ClientID: rig.Operator(tenant).ClientID, Name: "principal-00aa", Kind: state.KindApplication,
			ClientSecrets: []state.ClientSecret{{Value: rig.Operator(tenant).ClientSecret}},
		},
	}
	if diff := cmp.Diff(want, seed.Applications, cmpopts.IgnoreUnexported(state.Application{}), cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("applications (-want +got):\n%s", diff)
	}
	roles := map[string]int{}
	for _, assignment := range seed.Vaults[0].RoleAssignments {
		roles[assignment.ClientID]++
	}
	if diff := cmp.Diff(map[string]int{want[0].ClientID: 4, want[1].ClientID: 1}, roles); diff != "" {
		t.Errorf("roles (-want +got):\n%s", diff)
	}
}

// Written keeps what people wrote, and what nobody will make again.
func TestWritten(t *testing.T) {
	owned := func(kind, name, owner string) string {
		return `{apiVersion: v1, kind: ` + kind + `, metadata: {name: ` + name + `, namespace: shop, ownerReferences: [{kind: ` + owner + `, name: x}]}}`
	}
	pod := `{kind: Deployment, metadata: {name: d, namespace: shop}, spec: {template: {spec: {volumes: [{csi: {volumeAttributes: {secretProviderClass: c}}}]}}}}`
	cases := map[string]struct {
		reason, object string
		kept           bool
	}{
		"pod of a ReplicaSet":        {"its ReplicaSet makes it", owned("Pod", "p", "ReplicaSet"), false},
		"ReplicaSet of a Deployment": {"its Deployment makes it", owned("ReplicaSet", "r", "Deployment"), false},
		"ReplicaSet of a Rollout":    {"nothing here makes it", owned("ReplicaSet", "r", "Rollout"), true},
		"status of a pod":            {"the driver makes it", owned("SecretProviderClassPodStatus", "s", "Pod"), false},
		"status of nobody":           {"it was left behind", `{kind: SecretProviderClassPodStatus, metadata: {name: s, namespace: shop}}`, true},
		"Secret of a mounted class":  {"the driver makes it", owned("Secret", "s", "ReplicaSet"), false},
		"Secret of no mounted class": {"the driver makes it no more", owned("Secret", "old", "Job"), true},
		"Secret of nobody":           {"nothing collects it", `{kind: Secret, metadata: {name: s, namespace: shop}}`, true},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			written := rig.Written(objects(t, class("objectType: secret", "Opaque"), pod, c.object))
			if kept := len(written) == 3; kept != c.kept {
				t.Errorf("%s: kept is %t", c.reason, kept)
			}
		})
	}
}
