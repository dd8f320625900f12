package kube

import (
	"bytes"
	"context"
	"maps"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	applycorev1 "k8s.io/client-go/applyconfigurations/core/v1"
	applymetav1 "k8s.io/client-go/applyconfigurations/meta/v1"
	v1 "k8s.io/client-go/kubernetes/typed/core/v1"

	"secretstore/api/secretsync/v1alpha1"
	"secretstore/internal/fault"
	"secretstore/internal/redact"
)

// Secrets writes the Secrets of SecretSyncs.
type Secrets struct {
	// Seen, if set, is told of every version of an owner's Secret that is read or written, "" if there is none. It must be set
	// before the first use.
	Seen func(owner Owner, version string)

	client v1.SecretsGetter
}

// NewSecrets makes a Secrets that writes through client.
func NewSecrets(client v1.SecretsGetter) *Secrets { return &Secrets{client: client} }

// Owner is the SecretSync that a Secret belongs to. The Secret has its name and namespace.
type Owner struct {
	Namespace, Name, UID string
}

// Desired is what a Secret should be.
type Desired struct {
	Owner       Owner
	Type        corev1.SecretType
	Labels      map[string]string
	Annotations map[string]string
	Data        map[string]redact.Bytes
}

// Live is a Secret that exists and belongs to its owner. nil stands for none.
type Live struct {
	secret *corev1.Secret
}

// Value is what the Secret holds under a key, if anything. It may be called on nil.
func (l *Live) Value(key string) (redact.Bytes, bool) {
	if l == nil {
		return redact.Bytes{}, false
	}
	value, ok := l.secret.Data[key]
	return redact.New(value), ok
}

// Carries says whether the Secret has all of the labels and annotations.
func (l *Live) Carries(labels, annotations map[string]string) bool {
	return contains(l.secret.Labels, labels) && contains(l.secret.Annotations, annotations)
}

// Change says what writing a Secret did.
type Change int

// The changes that [Secrets.Write] reports.
const (
	// Unchanged: the Secret was as desired, and nothing was written.
	Unchanged Change = iota
	// Created: there was no Secret.
	Created
	// MetadataChanged: only labels, annotations, keys that are no longer wanted, or who manages the fields differed.
	MetadataChanged
	// ValueChanged: a value differed, or was missing.
	ValueChanged
)

// Look returns the owner's Secret, or nil if there is none. A Secret of that name that is not the owner's is a fault of
// kind SecretForeign. Nothing is changed.
func (s *Secrets) Look(ctx context.Context, owner Owner) (*Live, error) {
	secret, err := s.client.Secrets(owner.Namespace).Patch(ctx, owner.Name, types.MergePatchType, []byte("{}"),
		metav1.PatchOptions{DryRun: []string{metav1.DryRunAll}, FieldManager: FieldManager})
	if apierrors.IsNotFound(err) {
		s.tell(owner, "")
		return nil, nil //nolint:nilnil // no Secret and no error is an answer here, and nil is the documented way to say it
	}
	if err != nil {
		return nil, explainSecretError(err, owner)
	}
	s.tell(owner, secret.ResourceVersion)
	if err := checkOwned(secret, owner); err != nil {
		return nil, err
	}
	return &Live{secret: secret}, nil
}

// absentVersion is a resourceVersion that no object has: etcd's revisions begin with it, before the first object.
const absentVersion = "1"

// Create makes the Secret if there is none of its name, in one request, and says whether it did. An existing Secret is never
// touched: the version that the request carries is not its own, and the API server refuses it. (Of an object that does not
// exist the API server looks at no version.)
func (s *Secrets) Create(ctx context.Context, desired Desired) (made bool, err error) {
	secret := configuration(nil, desired).WithResourceVersion(absentVersion)
	written, err := s.client.Secrets(desired.Owner.Namespace).Apply(ctx, secret,
		metav1.ApplyOptions{FieldManager: FieldManager, Force: true})
	if apierrors.IsConflict(err) {
		return false, nil
	}
	if err != nil {
		return false, explainSecretError(err, desired.Owner)
	}
	s.tell(desired.Owner, written.ResourceVersion)
	return true, nil
}

// Write makes the Secret as desired, and nothing else: it writes only if something differs, keeps what others added, and
// takes away what the controller, or an older one of SecretSyncs, wrote earlier and is no longer wanted. live comes from
// [Secrets.Look]; if the Secret has changed since, nothing is written and the fault is of kind SecretConflict.
func (s *Secrets) Write(ctx context.Context, live *Live, desired Desired) (Change, error) {
	change := compare(live, desired)
	if change == Unchanged {
		return Unchanged, nil
	}
	if err := checkWritable(live, desired); err != nil {
		return Unchanged, err
	}
	written, err := s.client.Secrets(desired.Owner.Namespace).Apply(ctx, configuration(live, desired),
		// Ownership of the values is the controller's: what was edited by hand is taken back. Whose the Secret is was
		// settled before.
		metav1.ApplyOptions{FieldManager: FieldManager, Force: true})
	if err == nil && isFormers(written) {
		written, err = s.release(ctx, written)
	}
	if err != nil {
		return Unchanged, explainSecretError(err, desired.Owner)
	}
	s.tell(desired.Owner, written.ResourceVersion)
	return change, nil
}

func (s *Secrets) tell(owner Owner, version string) {
	if s.Seen != nil {
		s.Seen(owner, version)
	}
}

// configuration is what is applied. It carries the UID and resourceVersion of the Secret that was looked at, so that
// another one that took its place, or a change made meanwhile, is refused by the API server.
func configuration(live *Live, desired Desired) *applycorev1.SecretApplyConfiguration {
	owner := desired.Owner
	data := make(map[string][]byte, len(desired.Data))
	for key, value := range desired.Data {
		data[key] = value.Reveal()
	}
	labels := maps.Clone(desired.Labels)
	if labels == nil {
		labels = map[string]string{}
	}
	labels[v1alpha1.SecretLabel] = ""
	secret := applycorev1.Secret(owner.Name, owner.Namespace).
		WithType(desired.Type).
		WithLabels(labels).
		WithAnnotations(desired.Annotations).
		WithOwnerReferences(ownerReference(live, owner)).
		WithData(data)
	if live != nil {
		secret = secret.WithUID(live.secret.UID).WithResourceVersion(live.secret.ResourceVersion)
	}
	return secret
}

// ownerReference names the owner. A reference that is there stays as it is: the public controller makes it without
// "controller", and to change it would need the right to delete the Secret (OwnerReferencesPermissionEnforcement).
func ownerReference(live *Live, owner Owner) *applymetav1.OwnerReferenceApplyConfiguration {
	reference := applymetav1.OwnerReference().
		WithAPIVersion(v1alpha1.GroupVersion().String()).
		WithKind("SecretSync").
		WithName(owner.Name).
		WithUID(types.UID(owner.UID))
	if live == nil {
		return reference.WithController(true)
	}
	if was := live.secret.OwnerReferences[0]; was.Controller != nil {
		return reference.WithController(*was.Controller)
	}
	return reference
}

// compare says what writing desired over live would change.
func compare(live *Live, desired Desired) Change {
	if live == nil {
		return Created
	}
	secret := live.secret
	for key, value := range desired.Data {
		if held, ok := secret.Data[key]; !ok || !bytes.Equal(held, value.Reveal()) {
			return ValueChanged
		}
	}
	if secret.Type != desired.Type || !live.Carries(desired.Labels, desired.Annotations) || leftOver(secret, desired) ||
		isFormers(secret) {
		return MetadataChanged
	}
	return Unchanged
}

// contains says whether all of part is in whole.
func contains(whole, part map[string]string) bool {
	for key, value := range part {
		if held, ok := whole[key]; !ok || held != value {
			return false
		}
	}
	return true
}

// checkWritable refuses what the API server would refuse, with the cure.
func checkWritable(live *Live, desired Desired) error {
	if live == nil {
		return nil
	}
	name, namespace := desired.Owner.Name, desired.Owner.Namespace
	const cure = "; it is not replaced by itself. To have it made anew: kubectl delete secret -n %s %s"
	if live.secret.Type != desired.Type {
		return fault.New(fault.SecretLocked, "Secret %s has type %s, not %s, and the type of a Secret cannot change"+cure,
			name, live.secret.Type, desired.Type, namespace, name)
	}
	if live.secret.Immutable != nil && *live.secret.Immutable {
		return fault.New(fault.SecretLocked, "Secret %s is immutable and no longer up to date"+cure, name, namespace, name)
	}
	return nil
}
