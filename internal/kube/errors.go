package kube

import (
	"fmt"
	"regexp"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"secretstore/internal/fault"
)

// explainSecretError turns an error of a patch of a Secret into a fault. The API server's own text goes to the log only:
// its validation errors may quote values.
func explainSecretError(err error, owner Owner) error {
	f := &fault.Error{Detail: err}
	switch policy := refusingPolicy(err); {
	case policy == OwnershipPolicy:
		f = foreign(owner)
		f.Detail = err
	case policy != "":
		f.Kind = fault.PolicyRefused
		f.Message = fmt.Sprintf("the admission policy %s refused Secret %s", policy, owner.Name)
	case apierrors.HasStatusCause(err, corev1.NamespaceTerminatingCause):
		f.Kind = fault.Cancelled
		f.Message = fmt.Sprintf("namespace %s is being deleted", owner.Namespace)
	case apierrors.IsConflict(err):
		f.Kind = fault.SecretConflict
		f.Message = fmt.Sprintf("Secret %s was changed by somebody else at the same moment; it is tried again", owner.Name)
	case apierrors.IsForbidden(err):
		f.Kind = fault.SecretConflict
		f.Message = fmt.Sprintf("the API server does not allow the controller to write Secret %s: it needs the verbs create "+
			"and patch on secrets (see its ClusterRole); if it has them, an admission plugin or a quota refuses", owner.Name)
	case apierrors.IsInvalid(err), apierrors.IsBadRequest(err), apierrors.IsRequestEntityTooLargeError(err):
		f.Kind = fault.SecretConflict
		f.Message = fmt.Sprintf("the API server refused Secret %s as invalid; the controller's log has its reason", owner.Name)
	default:
		f.Kind = fault.Internal
		f.Message = fmt.Sprintf("the API server did not take Secret %s; it is tried again", owner.Name)
	}
	return f
}

// OwnershipPolicy is the name of the admission policy, shipped with the controller, that keeps it from Secrets that are
// no SecretSync's.
const OwnershipPolicy = "secretstore-secret-ownership"

// refusingPolicy is the name of the ValidatingAdmissionPolicy that err comes from, or "". The API server says it in the
// message only.
func refusingPolicy(err error) string {
	if !apierrors.IsInvalid(err) && !apierrors.IsForbidden(err) {
		return ""
	}
	match := regexp.MustCompile(`ValidatingAdmissionPolicy '([^']+)'`).FindStringSubmatch(err.Error())
	if match == nil {
		return ""
	}
	return match[1]
}
