package chart_test

import (
	"testing"

	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	spcv1 "sigs.k8s.io/secrets-store-csi-driver/apis/v1"

	"secretstore/api/secretsync/v1alpha1"
)

// creating tries to create an object in the room, as the controller.
func (r room) creating(t *testing.T, object client.Object) func() error {
	object.SetNamespace(r.namespace)
	return func() error {
		fresh, _ := object.DeepCopyObject().(client.Object)
		return r.controller.Create(t.Context(), fresh, client.DryRunAll)
	}
}

// patching tries a merge patch of an object that exists.
func (r room) patching(t *testing.T, object client.Object, patch any) func() error {
	object.SetNamespace(r.namespace)
	return func() error {
		live, _ := object.DeepCopyObject().(client.Object)
		return r.controller.Patch(t.Context(), live, client.RawPatch(types.MergePatchType, mustJSON(patch)), client.DryRunAll)
	}
}

func secretNamed(name string) *corev1.Secret {
	return &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: name}}
}

// metadata is a merge patch of metadata.
func metadata(fields map[string]any) map[string]any { return map[string]any{"metadata": fields} }

// ownershipAttempts are on Secrets that a tenant or another program made, and on ones that are like ours but for one thing.
func ownershipAttempts(t *testing.T, r room) []attempt {
	t.Helper()
	owner, fresh := r.sync(t, "ours"), r.sync(t, "fresh")
	named := func(name string) metav1.OwnerReference { ref := owner; ref.Name = name; return ref }
	two, group, later := named("two"), named("other-group"), owner
	group.APIVersion, later.UID = "apps/v1", "11111111-1111-1111-1111-111111111111"
	controller := true
	blocking, casual := fresh, fresh
	blocking.BlockOwnerDeletion, casual.Controller = &controller, nil
	unlabelled := func(s *corev1.Secret) { s.Labels = nil }
	unowned := func(s *corev1.Secret) { s.OwnerReferences = nil }
	r.create(t, secret("ours", owner), secret("theirs", owner, unlabelled, unowned),
		secret("labelled", owner, unowned), secret("unlabelled", r.sync(t, "unlabelled"), unlabelled), secret("others", fresh),
		secret("two", two, func(s *corev1.Secret) { s.OwnerReferences = append(s.OwnerReferences, casual) }),
		secret("other-kind", r.akvSync(t, "other-kind")), secret("other-group", group))
	var bad []attempt
	for name, reason := range map[string]string{
		"theirs": "a tenant's", "labelled": "without an owner", "unlabelled": "without the label", "others": "another SecretSync's",
		"two": "with two owners", "other-kind": "of an owner of another kind", "other-group": "of an owner of another group",
	} {
		bad = append(bad, attempt{"looking at a Secret " + reason, 0, r.patching(t, secretNamed(name), map[string]any{})})
	}
	return append(bad, []attempt{
		{"taking an unlabelled Secret over", 0, r.patching(t, secretNamed("unlabelled"), metadata(map[string]any{"labels": map[string]any{v1alpha1.SecretLabel: ""}}))},
		{"making an unlabelled Secret", 1, r.creating(t, secret("fresh", fresh, unlabelled))},
		{"making a Secret without an owner", 1, r.creating(t, secret("fresh", fresh, unowned))},
		{"making a Secret of another name", 1, r.creating(t, secret("else", fresh))},
		{"making a Secret with two owners", 1, r.creating(t, secret("fresh", fresh, func(s *corev1.Secret) {
			theirs := owner
			theirs.Controller = nil
			s.OwnerReferences = append(s.OwnerReferences, theirs)
		}))},
		{"letting a Secret go", 1, r.patching(t, secretNamed("ours"), metadata(map[string]any{"labels": map[string]any{v1alpha1.SecretLabel: nil}}))},
		{"making a Secret that holds its SecretSync up", 2, r.creating(t, secret("fresh", blocking))},
		{"making a Secret without a controller", 2, r.creating(t, secret("fresh", casual))},
		{"moving a Secret to another SecretSync", 3, r.patching(t, secretNamed("ours"), metadata(map[string]any{"ownerReferences": []metav1.OwnerReference{later}}))},
	}...)
}

// typeAttempts are Secrets that would be credentials of the cluster itself.
func typeAttempts(t *testing.T, r room) []attempt {
	t.Helper()
	owner := r.sync(t, "typed")
	of := func(secretType corev1.SecretType) func() error {
		return r.creating(t, secret("typed", owner, func(s *corev1.Secret) {
			s.Type, s.Annotations = secretType, map[string]string{corev1.ServiceAccountNameKey: "default"}
		}))
	}
	return []attempt{
		{"minting a token of a service account", 0, of(corev1.SecretTypeServiceAccountToken)},
		{"making a bootstrap token", 0, of(corev1.SecretTypeBootstrapToken)},
		{"making a Secret of somebody's own type", 0, of("example.com/own")},
	}
}

// request is a token request that is good but for its changes.
func request(changes ...func(*authenticationv1.TokenRequestSpec)) *authenticationv1.TokenRequest {
	seconds := int64(600)
	request := &authenticationv1.TokenRequest{Spec: authenticationv1.TokenRequestSpec{
		Audiences: []string{"api://AzureADTokenExchange"}, ExpirationSeconds: &seconds,
	}}
	for _, change := range changes {
		change(&request.Spec)
	}
	return request
}

// tokenAttempts would let the controller act as the service account in the cluster, or for longer than a moment.
func tokenAttempts(t *testing.T, r room) []attempt {
	t.Helper()
	bound := secretNamed("bound")
	r.create(t, bound)
	asking := func(change func(*authenticationv1.TokenRequestSpec)) func() error {
		account := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: r.namespace, Name: "default"}}
		return func() error {
			return r.controller.SubResource("token").Create(t.Context(), account, request(change), client.DryRunAll)
		}
	}
	longer := int64(601)
	return []attempt{
		{"a token for the API server, by its name", 0, asking(func(s *authenticationv1.TokenRequestSpec) { s.Audiences = []string{shared.Issuer()} })},
		{"a token for the API server, by default", 0, asking(func(s *authenticationv1.TokenRequestSpec) { s.Audiences = nil })},
		{"a token for the cloud and somebody else", 0, asking(func(s *authenticationv1.TokenRequestSpec) { s.Audiences = append(s.Audiences, "vault") })},
		{"a token that lives longer", 1, asking(func(s *authenticationv1.TokenRequestSpec) { s.ExpirationSeconds = &longer })},
		{"a token of the default hour", 1, asking(func(s *authenticationv1.TokenRequestSpec) { s.ExpirationSeconds = nil })},
		{"a token that is bound to an object", 2, asking(func(s *authenticationv1.TokenRequestSpec) {
			s.BoundObjectRef = &authenticationv1.BoundObjectReference{Kind: "Secret", APIVersion: "v1", Name: bound.Name, UID: bound.UID}
		})},
	}
}

// akvSync makes an AKVSync and returns the reference to it.
func (r room) akvSync(t *testing.T, name string) metav1.OwnerReference {
	t.Helper()
	const id = "11111111-2222-3333-4444-555555555555"
	a := &v1alpha1.AKVSync{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec: v1alpha1.AKVSyncSpec{
			KeyvaultName: "shop", ClientID: id, TenantID: id, ServiceAccountName: "default",
			Objects: []v1alpha1.AKVSyncEntry{{SecretInAKV: "db"}},
		},
	}
	r.create(t, a)
	return reference("AKVSync", a)
}

func class(name string, owners ...metav1.OwnerReference) *spcv1.SecretProviderClass {
	return &spcv1.SecretProviderClass{
		ObjectMeta: metav1.ObjectMeta{Name: name, OwnerReferences: owners}, Spec: spcv1.SecretProviderClassSpec{Provider: "azure"},
	}
}

// generatedAttempts are on SecretSyncs and SecretProviderClasses that a tenant wrote: by them the controller could send a
// tenant's identity to another vault.
func generatedAttempts(t *testing.T, r room) []attempt {
	t.Helper()
	owner := r.akvSync(t, "shop")
	r.sync(t, "written")
	r.sync(t, "generated", owner)
	r.create(t, class("written"))
	written := &v1alpha1.SecretSync{ObjectMeta: metav1.ObjectMeta{Name: "written", Namespace: r.namespace}}
	generated := &v1alpha1.SecretSync{ObjectMeta: metav1.ObjectMeta{Name: "generated"}}
	unowned := written.DeepCopy()
	unowned.Name, unowned.Spec = "new", v1alpha1.SecretSyncSpec{
		SecretProviderClassName: "class", ServiceAccountName: "default",
		SecretObject: v1alpha1.SecretObject{Data: []v1alpha1.SecretObjectData{{SourcePath: "a", TargetKey: "a"}}},
	}
	casual := owner
	casual.Controller = nil
	spec := map[string]any{"spec": map[string]any{"serviceAccountName": "other"}}
	return []attempt{
		{"changing a SecretSync that somebody wrote", 0, r.patching(t, written, spec)},
		{"taking a SecretSync over", 0, r.patching(t, written, metadata(map[string]any{"ownerReferences": []metav1.OwnerReference{owner}}))},
		{"deleting a SecretSync that somebody wrote", 0, func() error { return r.controller.Delete(t.Context(), written.DeepCopy(), client.DryRunAll) }},
		{"changing a class that somebody wrote", 0, r.patching(t, class("written"), map[string]any{"provider": "other"})},
		{"making a SecretSync of nobody's", 1, r.creating(t, unowned)},
		{"making a class of nobody's", 1, r.creating(t, class("new"))},
		{"making a class with an AKVSync as a mere owner", 1, r.creating(t, class("new", casual))},
		{"letting a SecretSync go", 1, r.patching(t, generated, metadata(map[string]any{"ownerReferences": nil}))},
	}
}
