package kube

import (
	"context"
	"slices"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	applycorev1 "k8s.io/client-go/applyconfigurations/core/v1"
)

// formerManager is the field manager by which the public controller, up to v0.0.4, applied the Secrets of SecretSyncs. Later
// ones use [FieldManager]. A key that both own would stay when it is no longer wanted.
const formerManager = "v1-" + FieldManager

// isFormers says whether the former manager still owns anything of the Secret.
func isFormers(secret *corev1.Secret) bool {
	return slices.ContainsFunc(secret.ManagedFields, func(entry metav1.ManagedFieldsEntry) bool {
		return entry.Manager == formerManager && entry.Operation == metav1.ManagedFieldsOperationApply
	})
}

// release makes the former manager give up a Secret that was applied as [FieldManager] just before: as that manager it applies
// a configuration that wants nothing. What both owned stays and is ours alone; what only the former one owned goes, since
// nobody wants it any more. The UID keeps the API server from making an empty Secret where there is none.
func (s *Secrets) release(ctx context.Context, secret *corev1.Secret) (*corev1.Secret, error) {
	nothing := applycorev1.Secret(secret.Name, secret.Namespace).
		WithUID(secret.UID).WithResourceVersion(secret.ResourceVersion)
	return s.client.Secrets(secret.Namespace).Apply(ctx, nothing, metav1.ApplyOptions{FieldManager: formerManager})
}
