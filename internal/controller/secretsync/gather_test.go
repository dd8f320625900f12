package secretsync

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
	spcv1 "sigs.k8s.io/secrets-store-csi-driver/apis/v1"

	"secretstore/api/secretsync/v1alpha1"
	"secretstore/internal/fault"
	"secretstore/internal/secretdata"
	"secretstore/internal/source"
	"secretstore/internal/spcparams"
)

const objects = `
array:
  - |
    objectName: first
    objectType: secret
  - |
    objectName: unmapped
    objectType: secret
  - |
    objectName: web
    objectType: cert
    objectAlias: certificate
`

// valid is an input that decide accepts; tests spoil one thing of it.
func valid() input {
	return input{
		sync: &v1alpha1.SecretSync{
			ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "app", UID: "uid-sync", Generation: 3},
			Spec: v1alpha1.SecretSyncSpec{
				SecretProviderClassName: "vault",
				ServiceAccountName:      "web",
				SecretObject: v1alpha1.SecretObject{Data: []v1alpha1.SecretObjectData{
					{SourcePath: "certificate", TargetKey: "cert"},
					{SourcePath: "first", TargetKey: "one"},
					{SourcePath: "first", TargetKey: "two"},
				}},
			},
		},
		class: &spcv1.SecretProviderClass{
			ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "vault", UID: "uid-class", Generation: 7},
			Spec: spcv1.SecretProviderClassSpec{Provider: "azure", Parameters: map[string]string{
				"clientID":     "11111111-2222-3333-4444-555555555555",
				"tenantID":     "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee",
				"keyvaultName": "shop-vault",
				"objects":      objects,
			}},
		},
		account: &metav1.PartialObjectMetadata{
			ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "web", UID: "uid-account"},
		},
	}
}

func TestDecideAsksForMappedObjectsOnly(t *testing.T) {
	t.Parallel()
	got, f := decide(valid(), parseClass)
	if f != nil {
		t.Fatal(f)
	}
	want := source.Request{
		Identity: source.Identity{
			TenantID: "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee",
			ClientID: "11111111-2222-3333-4444-555555555555",
			Account:  source.ServiceAccount{Namespace: "shop", Name: "web", UID: "uid-account"},
		},
		Vault: "shop-vault",
		Objects: []spcparams.Object{
			{Name: "first", Type: spcparams.TypeSecret},
			{Name: "web", Type: spcparams.TypeCert, Alias: "certificate"},
		},
	}
	if diff := cmp.Diff(want, got.request); diff != "" {
		t.Errorf("request (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]int{0, 2}, got.mapped); diff != "" {
		t.Errorf("mapped (-want +got):\n%s", diff)
	}
	wantMappings := []secretdata.Mapping{
		{SourcePath: "certificate", TargetKey: "cert"}, {SourcePath: "first", TargetKey: "one"}, {SourcePath: "first", TargetKey: "two"},
	}
	if diff := cmp.Diff(wantMappings, got.mappings); diff != "" {
		t.Errorf("mappings (-want +got):\n%s", diff)
	}
	if got.secretType != corev1.SecretTypeOpaque {
		t.Errorf("type %q, want the default", got.secretType)
	}
}

func TestDecideRefuses(t *testing.T) {
	t.Parallel()
	data := func(path, key string) func(*input) {
		return func(in *input) {
			in.sync.Spec.SecretObject.Data = []v1alpha1.SecretObjectData{{SourcePath: path, TargetKey: key}}
		}
	}
	parameter := func(name, value string) func(*input) {
		return func(in *input) { in.class.Spec.Parameters[name] = value }
	}
	for name, tc := range map[string]struct {
		reason string
		spoil  func(*input)
		kind   fault.Kind
		says   []string
	}{
		"NoClass":       {"names class and namespace", func(in *input) { in.class = nil }, fault.ClassMissing, []string{"vault", "shop", "create it"}},
		"NoAccount":     {"names the account", func(in *input) { in.account = nil }, fault.SpecInvalid, []string{"web", "serviceAccountName"}},
		"OtherProvider": {"names the one that is served", func(in *input) { in.class.Spec.Provider = "aws" }, fault.ClassInvalid, []string{`"aws"`, `"azure"`}},
		"NoClientID":    {"names the parameter and where", parameter("clientID", ""), fault.ClassInvalid, []string{"SecretProviderClass vault", "clientID"}},
		"BadObjects":    {"names the place", parameter("objects", "array:\n  - \"objectName: [\""), fault.ClassInvalid, []string{"objects"}},
		"NoParameters":  {"no parameters at all is no panic", func(in *input) { in.class.Spec.Parameters = nil }, fault.ClassInvalid, []string{"clientID", "objects"}},
		"UnknownPath":   {"lists what there is and the nearest", data("frist", "k"), fault.SpecInvalid, []string{"targetKey k", `mean "first"`, `"certificate"`}},
		"BadKey":        {"says which key and what is legal", data("first", "a/b"), fault.SpecInvalid, []string{`"a/b"`, "letters"}},
		"ServiceAccountToken": {"such Secrets would give the controller anyone's rights", func(in *input) {
			in.sync.Spec.SecretObject.Type = "kubernetes.io/service-account-token"
		}, fault.SpecInvalid, []string{"service-account-token", "Opaque"}},
		"ReservedLabel": {"names the label", func(in *input) {
			in.sync.Spec.SecretObject.Labels = map[string]string{"a": "", "secrets-store.sync.x-k8s.io/x": ""}
		}, fault.ReservedLabel, []string{"secrets-store.sync.x-k8s.io/x"}},
		"IllegalLabel": {"says what Kubernetes would refuse, and where", func(in *input) {
			in.sync.Spec.SecretObject.Labels = map[string]string{"a b": "c"}
		}, fault.SpecInvalid, []string{"spec.secretObject.labels", "a b"}},
		"IllegalAnnotation": {"in annotations too", func(in *input) {
			in.sync.Spec.SecretObject.Annotations = map[string]string{"a b": "c"}
		}, fault.SpecInvalid, []string{"spec.secretObject.annotations", "a b"}},
		"ReservedAnnotation": {"names the annotation", func(in *input) {
			in.sync.Spec.SecretObject.Annotations = map[string]string{"secrets-store.sync.x-k8s.io": ""}
		}, fault.ReservedAnnotation, []string{"annotations", "secrets-store.sync.x-k8s.io"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			in := valid()
			tc.spoil(&in)
			_, f := decide(in, parseClass)
			if f == nil || f.Kind != tc.kind {
				t.Fatalf("%s: %v", tc.reason, f)
			}
			for _, text := range tc.says {
				if !strings.Contains(f.Message, text) {
					t.Errorf("%s: %q does not say %q", tc.reason, f.Message, text)
				}
			}
			if strings.Contains(f.Message, "\n") {
				t.Errorf("the message has more than one line: %q", f.Message)
			}
		})
	}
}

//covers:field SecretSync.status.observedInputs
func TestFingerprintFollowsWhatACheckUses(t *testing.T) {
	t.Parallel()
	parameter := func(name, value string) func(*input) {
		return func(in *input) { in.class.Spec.Parameters[name] = value }
	}
	edited := func(old, text string) func(*input) {
		return func(in *input) {
			parameters := in.class.Spec.Parameters
			parameters["objects"] = strings.Replace(parameters["objects"], old, text, 1)
			in.class.Generation++
		}
	}
	base := valid().decided(parseClass).inputs
	for name, tc := range map[string]struct {
		reason  string
		change  func(*input)
		differs bool
	}{
		"OtherVault":       {"another vault is another value", parameter("keyvaultName", "other"), true},
		"OtherClient":      {"so is another identity", parameter("clientID", "99999999-2222-3333-4444-555555555555"), true},
		"MappedObject":     {"and another object", edited("objectName: first", "objectName: first\n    objectVersion: abc"), true},
		"UnmappedObject":   {"an object of other SecretSyncs is not this one's", edited("objectName: unmapped", "objectName: more"), false},
		"NewWarning":       {"what has no effect is to be told", parameter("unknown", "x"), true},
		"ClassBroken":      {"a class that cannot be read is another", parameter("clientID", ""), true},
		"ClassGone":        {"as is none", func(in *input) { in.class = nil }, true},
		"AccountRecreated": {"tokens of an earlier account are no good", func(in *input) { in.account.UID = "other" }, true},
		"AccountGone":      {"and without one there are none", func(in *input) { in.account = nil }, true},
		"Nothing":          {"the same is the same", func(*input) {}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			in := valid()
			tc.change(&in)
			if got := in.decided(parseClass).inputs; (got != base) != tc.differs {
				t.Errorf("%s: %q, before %q", tc.reason, got, base)
			}
		})
	}
	broken, edit := valid(), valid()
	delete(broken.class.Spec.Parameters, "objects")
	delete(edit.class.Spec.Parameters, "objects")
	edit.class.Generation++
	if broken.decided(parseClass).inputs == edit.decided(parseClass).inputs {
		t.Error("an edit of a class that cannot be read is not seen")
	}
}

// reads is a reader that knows some objects by name.
type reads map[string]bool

// Get implements client.Reader.
func (r reads) Get(_ context.Context, key client.ObjectKey, into client.Object, _ ...client.GetOption) error {
	if !r[key.Name] {
		return apierrors.NewNotFound(schema.GroupResource{}, key.Name)
	}
	into.SetName(key.Name)
	return nil
}

// List implements client.Reader.
func (reads) List(context.Context, client.ObjectList, ...client.ListOption) error {
	return errors.New("nothing is listed")
}

func TestGatherLooksTwice(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		reason         string
		cached, live   reads
		class, account bool
	}{
		"Cached":  {"the caches know both", reads{"vault": true, "web": true}, nil, true, true},
		"Late":    {"a cache that is late is no reason to say that something is missing", reads{"web": true}, reads{"vault": true}, true, true},
		"Missing": {"what neither knows is missing", reads{"vault": true}, nil, true, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			in, err := gather(t.Context(), tc.cached, tc.live, valid().sync, parseClass)
			if err != nil || (in.class != nil) != tc.class || (in.account != nil) != tc.account {
				t.Errorf("%s: class %v, account %v, %v", tc.reason, in.class, in.account, err)
			}
		})
	}
}
