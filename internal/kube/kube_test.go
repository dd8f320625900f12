package kube_test

import (
	"context"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"

	"secretstore/api/secretsync/v1alpha1"
	"secretstore/internal/fault"
	"secretstore/internal/kube"
	"secretstore/internal/redact"
	"secretstore/internal/source"
	"secretstore/test/cluster"
)

// shared is the one control plane of this package's tests.
var shared *cluster.Cluster

func TestMain(m *testing.M) { os.Exit(cluster.Shared(m, cluster.Options{}, &shared)) }

// fixture is a namespace with the means to look at it.
type fixture struct {
	admin   kubernetes.Interface
	secrets *kube.Secrets
	owner   kube.Owner
}

func newFixture(t *testing.T) fixture {
	t.Helper()
	admin, err := kubernetes.NewForConfig(shared.Config())
	if err != nil {
		t.Fatal(err)
	}
	return fixture{
		admin:   admin,
		secrets: kube.NewSecrets(admin.CoreV1()),
		owner:   kube.Owner{Namespace: shared.Namespace(t), Name: "app", UID: "11111111-1111-1111-1111-111111111111"},
	}
}

func (f fixture) desired(data map[string]string) kube.Desired {
	d := kube.Desired{Owner: f.owner, Type: corev1.SecretTypeOpaque, Data: map[string]redact.Bytes{}}
	for key, value := range data {
		d.Data[key] = redact.FromString(value)
	}
	return d
}

// write does what a check does: look, then write.
func (f fixture) write(t *testing.T, d kube.Desired) (kube.Change, error) {
	t.Helper()
	live, err := f.secrets.Look(t.Context(), f.owner)
	if err != nil {
		t.Fatalf("Look: %v", err)
	}
	return f.secrets.Write(t.Context(), live, d)
}

func (f fixture) mustWrite(t *testing.T, d kube.Desired, want kube.Change) {
	t.Helper()
	got, err := f.write(t, d)
	if err != nil || got != want {
		t.Fatalf("Write = %d, %v; want %d", got, err, want)
	}
}

func (f fixture) get(t *testing.T) *corev1.Secret {
	t.Helper()
	secret, err := f.admin.CoreV1().Secrets(f.owner.Namespace).Get(t.Context(), f.owner.Name, metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return secret
}

// edit changes the Secret as a person with kubectl edit would.
func (f fixture) edit(t *testing.T, change func(*corev1.Secret)) {
	t.Helper()
	secret := f.get(t)
	change(secret)
	_, err := f.admin.CoreV1().Secrets(f.owner.Namespace).Update(t.Context(), secret, metav1.UpdateOptions{FieldManager: "kubectl-edit"})
	if err != nil {
		t.Fatal(err)
	}
}

func text(data map[string][]byte) map[string]string {
	out := map[string]string{}
	for key, value := range data {
		out[key] = string(value)
	}
	return out
}

func TestWriteCreatesWhatIsDesired(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	d := f.desired(map[string]string{"a": "1"})
	d.Labels, d.Annotations = map[string]string{"team": "shop"}, map[string]string{"note": "n"}
	f.mustWrite(t, d, kube.Created)

	secret := f.get(t)
	controller := true
	want := []metav1.OwnerReference{{
		APIVersion: "secret-sync.x-k8s.io/v1alpha1", Kind: "SecretSync", Name: "app", UID: types.UID(f.owner.UID), Controller: &controller,
	}}
	if diff := cmp.Diff(want, secret.OwnerReferences); diff != "" {
		t.Errorf("owner references (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[string]string{"team": "shop", v1alpha1.SecretLabel: ""}, secret.Labels); diff != "" {
		t.Errorf("labels (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[string]string{"a": "1"}, text(secret.Data)); diff != "" {
		t.Errorf("data (-want +got):\n%s", diff)
	}
	if secret.Type != corev1.SecretTypeOpaque || secret.Annotations["note"] != "n" {
		t.Errorf("type %s, annotations %v", secret.Type, secret.Annotations)
	}
}

func TestWriteChangesOnlyWhatDiffers(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	d := f.desired(map[string]string{"a": "1", "b": "2"})
	f.mustWrite(t, d, kube.Created)
	before := f.get(t).ResourceVersion
	f.mustWrite(t, d, kube.Unchanged)
	if after := f.get(t).ResourceVersion; after != before {
		t.Errorf("an unchanged write moved resourceVersion from %s to %s", before, after)
	}
	f.mustWrite(t, f.desired(map[string]string{"a": "new", "b": "2"}), kube.ValueChanged)
	f.mustWrite(t, f.desired(map[string]string{"a": "new"}), kube.MetadataChanged)
	if diff := cmp.Diff(map[string]string{"a": "new"}, text(f.get(t).Data)); diff != "" {
		t.Errorf("a key that is no longer wanted stays (-want +got):\n%s", diff)
	}
	d = f.desired(map[string]string{"a": "new"})
	d.Labels, d.Annotations = map[string]string{"l": "1"}, map[string]string{"n": "1"}
	f.mustWrite(t, d, kube.MetadataChanged)
	f.mustWrite(t, d, kube.Unchanged)
	f.mustWrite(t, f.desired(map[string]string{"a": "new"}), kube.MetadataChanged)
	if secret := f.get(t); secret.Labels["l"] != "" || secret.Annotations["n"] != "" {
		t.Errorf("a label or annotation that is no longer wanted stays: %v %v", secret.Labels, secret.Annotations)
	}
}

func TestEditsByHandAreTakenBackAndAdditionsKept(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	d := f.desired(map[string]string{"a": "1", "b": "2"})
	f.mustWrite(t, d, kube.Created)
	f.edit(t, func(s *corev1.Secret) {
		s.Data["a"] = []byte("edited")
		delete(s.Data, "b")
		s.Data["theirs"] = []byte("kept")
		s.Labels["theirs"] = "kept"
	})
	f.mustWrite(t, d, kube.ValueChanged)
	secret := f.get(t)
	if diff := cmp.Diff(map[string]string{"a": "1", "b": "2", "theirs": "kept"}, text(secret.Data)); diff != "" {
		t.Errorf("data (-want +got):\n%s", diff)
	}
	if secret.Labels["theirs"] != "kept" {
		t.Errorf("a label that somebody added is gone: %v", secret.Labels)
	}
	// The key that was edited is the controller's alone again: it goes when it is no longer wanted.
	f.mustWrite(t, f.desired(map[string]string{"b": "2"}), kube.MetadataChanged)
	if diff := cmp.Diff(map[string]string{"b": "2", "theirs": "kept"}, text(f.get(t).Data)); diff != "" {
		t.Errorf("data after a removal (-want +got):\n%s", diff)
	}
}

//covers:fault secret-foreign
func TestForeignSecretsAreLeftAlone(t *testing.T) {
	t.Parallel()
	ours := func(f fixture) metav1.OwnerReference {
		return metav1.OwnerReference{APIVersion: v1alpha1.GroupVersion().String(), Kind: "SecretSync", Name: f.owner.Name, UID: types.UID(f.owner.UID)}
	}
	label := map[string]string{v1alpha1.SecretLabel: ""}
	for name, tc := range map[string]struct {
		reason string
		meta   func(f fixture) metav1.ObjectMeta
		kind   fault.Kind
	}{
		"Plain": {"somebody else's", func(fixture) metav1.ObjectMeta { return metav1.ObjectMeta{} }, fault.SecretForeign},
		"LabelOnly": {"a label alone proves nothing", func(fixture) metav1.ObjectMeta {
			return metav1.ObjectMeta{Labels: label}
		}, fault.SecretForeign},
		"OwnerOnly": {"nor does an owner", func(f fixture) metav1.ObjectMeta {
			return metav1.ObjectMeta{OwnerReferences: []metav1.OwnerReference{ours(f)}}
		}, fault.SecretForeign},
		"TwoOwners": {"one that another owns too is not ours to change", func(f fixture) metav1.ObjectMeta {
			other := metav1.OwnerReference{APIVersion: "apps/v1", Kind: "ReplicaSet", Name: "r", UID: "2"}
			return metav1.ObjectMeta{Labels: label, OwnerReferences: []metav1.OwnerReference{ours(f), other}}
		}, fault.SecretForeign},
		"OtherName": {"another SecretSync's is not this one's", func(f fixture) metav1.ObjectMeta {
			ref := ours(f)
			ref.Name = "another"
			return metav1.ObjectMeta{Labels: label, OwnerReferences: []metav1.OwnerReference{ref}}
		}, fault.SecretForeign},
		"OtherGroup": {"nor is one of another API group", func(f fixture) metav1.ObjectMeta {
			ref := ours(f)
			ref.APIVersion = "example.com/v1"
			return metav1.ObjectMeta{Labels: label, OwnerReferences: []metav1.OwnerReference{ref}}
		}, fault.SecretForeign},
		"EarlierLife": {"one of a deleted SecretSync of the same name is about to go", func(f fixture) metav1.ObjectMeta {
			ref := ours(f)
			ref.UID = "22222222-2222-2222-2222-222222222222"
			return metav1.ObjectMeta{Labels: label, OwnerReferences: []metav1.OwnerReference{ref}}
		}, fault.SecretConflict},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t)
			secret := &corev1.Secret{ObjectMeta: tc.meta(f), Data: map[string][]byte{"a": []byte("theirs")}}
			secret.Name = f.owner.Name
			// The garbage collector must not race with the test: it takes Secrets whose owner does not exist.
			secret.Finalizers = []string{"test.secretstore/hold"}
			if _, err := f.admin.CoreV1().Secrets(f.owner.Namespace).Create(t.Context(), secret, metav1.CreateOptions{}); err != nil {
				t.Fatal(err)
			}
			_, err := f.secrets.Look(t.Context(), f.owner)
			if got := fault.Of(err); got == nil || got.Kind != tc.kind || strings.Contains(got.Message, "theirs") {
				t.Errorf("%s: Look says %v", tc.reason, err)
			}
			if diff := cmp.Diff(map[string]string{"a": "theirs"}, text(f.get(t).Data)); diff != "" {
				t.Errorf("%s: looking changed it (-want +got):\n%s", tc.reason, diff)
			}
		})
	}
}

// TestASecretOfThePublicControllerIsKeptUp has one whose owner reference says no "controller", and a writer that may not delete:
// the API server lets nobody else change the reference.
func TestASecretOfThePublicControllerIsKeptUp(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	theirs := &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{
			Name: f.owner.Name, Labels: map[string]string{v1alpha1.SecretLabel: ""},
			Finalizers: []string{"test.secretstore/hold"}, // the owner does not exist: the garbage collector would take it
			OwnerReferences: []metav1.OwnerReference{{
				APIVersion: v1alpha1.GroupVersion().String(), Kind: "SecretSync", Name: f.owner.Name, UID: types.UID(f.owner.UID),
			}},
		},
		Data: map[string][]byte{"a": []byte("old")},
	}
	if _, err := f.admin.CoreV1().Secrets(f.owner.Namespace).Create(t.Context(), theirs, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	live, err := f.secrets.Look(t.Context(), f.owner)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.narrow(t).Write(t.Context(), live, f.desired(map[string]string{"a": "new"})); err != nil {
		t.Fatalf("%v: %v", err, fault.Of(err).Detail)
	}
	secret := f.get(t)
	if string(secret.Data["a"]) != "new" || len(secret.OwnerReferences) != 1 || secret.OwnerReferences[0].Controller != nil {
		t.Errorf("owner references %+v", secret.OwnerReferences)
	}
}

// narrow writes as somebody with the verbs of the controller alone.
func (f fixture) narrow(t *testing.T) *kube.Secrets {
	t.Helper()
	rules := []rbacv1.PolicyRule{{APIGroups: []string{""}, Resources: []string{"secrets"}, Verbs: []string{"create", "patch"}}}
	meta := metav1.ObjectMeta{Name: "writer", Namespace: f.owner.Namespace}
	_, err := f.admin.RbacV1().Roles(f.owner.Namespace).Create(t.Context(), &rbacv1.Role{ObjectMeta: meta, Rules: rules}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	_, err = f.admin.RbacV1().RoleBindings(f.owner.Namespace).Create(t.Context(), &rbacv1.RoleBinding{
		ObjectMeta: meta, RoleRef: rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: "writer"},
		Subjects: []rbacv1.Subject{{Kind: "ServiceAccount", Name: "default", Namespace: f.owner.Namespace}},
	}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	config, err := shared.ServiceAccountConfig(t.Context(), f.owner.Namespace, "default")
	if err != nil {
		t.Fatal(err)
	}
	clients, err := kubernetes.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	return kube.NewSecrets(clients.CoreV1())
}

//covers:fault secret-immutable secret-other-type
func TestLockedSecretsAreSaidAndNotForced(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.mustWrite(t, f.desired(map[string]string{"a": "1"}), kube.Created)
	typed := f.desired(map[string]string{"a": "1"})
	typed.Type = corev1.SecretTypeBasicAuth
	if _, err := f.write(t, typed); err == nil || fault.Of(err).Kind != fault.SecretLocked || !strings.Contains(err.Error(), "kubectl delete secret") {
		t.Errorf("another type: %v", err)
	}
	immutable := true
	f.edit(t, func(s *corev1.Secret) { s.Immutable = &immutable })
	f.mustWrite(t, f.desired(map[string]string{"a": "1"}), kube.Unchanged)
	if _, err := f.write(t, f.desired(map[string]string{"a": "2"})); err == nil || fault.Of(err).Kind != fault.SecretLocked {
		t.Errorf("an immutable Secret: %v", err)
	}
}

//covers:fault secret-changed-meanwhile
func TestAChangeBetweenLookAndWriteIsNotOverwritten(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.mustWrite(t, f.desired(map[string]string{"a": "1"}), kube.Created)
	live, err := f.secrets.Look(t.Context(), f.owner)
	if err != nil {
		t.Fatal(err)
	}
	f.edit(t, func(s *corev1.Secret) { s.Data["a"] = []byte("edited") })
	if _, err := f.secrets.Write(t.Context(), live, f.desired(map[string]string{"a": "2"})); err == nil || fault.Of(err).Kind != fault.SecretConflict {
		t.Errorf("a Secret that changed meanwhile: %v", err)
	}
	if err := f.admin.CoreV1().Secrets(f.owner.Namespace).Delete(t.Context(), "app", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	if _, err := f.secrets.Write(t.Context(), live, f.desired(map[string]string{"a": "2"})); err == nil || fault.Of(err).Kind != fault.SecretConflict {
		t.Errorf("a Secret that was deleted meanwhile: %v", err)
	}
}

// TestErrorsHoldNoValues provokes the API server's own validation errors, which quote what they refuse.
func TestErrorsHoldNoValues(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	const canary = "canary-4c1d"
	d := f.desired(map[string]string{"../" + canary: canary})
	d.Labels = map[string]string{"bad label": canary}
	_, err := f.write(t, d)
	if err == nil || fault.Of(err).Kind != fault.SecretConflict || strings.Contains(err.Error(), canary) {
		t.Errorf("an invalid Secret: %v", err)
	}
	if _, err := f.admin.CoreV1().Secrets(f.owner.Namespace).Get(t.Context(), "app", metav1.GetOptions{}); !apierrors.IsNotFound(err) {
		t.Errorf("the Secret exists after all: %v", err)
	}
}

func TestTokens(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	account, err := f.admin.CoreV1().ServiceAccounts(f.owner.Namespace).Create(t.Context(),
		&corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: "web"}}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	tokens := kube.NewTokens(f.admin.CoreV1())
	id := source.ServiceAccount{Namespace: account.Namespace, Name: "web", UID: string(account.UID)}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()

	token, err := tokens.Request(ctx, id, "api://AzureADTokenExchange")
	if err != nil {
		t.Fatal(err)
	}
	checkToken(t, token, "system:serviceaccount:"+id.Namespace+":web", "api://AzureADTokenExchange")

	id.Name = "missing"
	if _, err := tokens.Request(ctx, id, "a"); err == nil || fault.Of(err).Kind != fault.SpecInvalid || !strings.Contains(err.Error(), "missing") {
		t.Errorf("a missing account: %v", err)
	}
}
