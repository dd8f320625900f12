package outcome

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"secretstore/api/secretsync/v1alpha1"
	"secretstore/internal/fault"
)

// verdict is what a kind of failure means for the conditions.
type verdict struct {
	reason string
	status metav1.ConditionStatus
}

// judge is the one table from kinds of failure to reasons. The status is Unknown where the failure says nothing of what
// was asked for, but only of the controller or the API server.
func judge(kind fault.Kind) verdict {
	switch kind {
	case fault.ClassMissing, fault.ClassInvalid:
		return verdict{v1alpha1.ReasonControllerSpcError, metav1.ConditionFalse}
	case fault.SpecInvalid, fault.SecretLocked:
		return verdict{v1alpha1.ReasonUserInputValidationFailed, metav1.ConditionFalse}
	case fault.ReservedLabel, fault.SecretForeign:
		return verdict{v1alpha1.ReasonInvalidLabel, metav1.ConditionFalse}
	case fault.ReservedAnnotation:
		return verdict{v1alpha1.ReasonInvalidAnnotation, metav1.ConditionFalse}
	case fault.PolicyRefused:
		return verdict{v1alpha1.ReasonPolicyCheckFailed, metav1.ConditionFalse}
	case fault.Partial:
		return verdict{v1alpha1.ReasonPartialSync, metav1.ConditionFalse}
	case fault.SecretConflict:
		return verdict{v1alpha1.ReasonUnknownError, metav1.ConditionFalse}
	case fault.IdentityRejected, fault.TokenRefused, fault.PermissionMissing, fault.NetworkRefused, fault.ObjectMissing,
		fault.ObjectDisabled, fault.ObjectUnusable, fault.Throttled, fault.Unreachable:
		return verdict{v1alpha1.ReasonProviderError, metav1.ConditionFalse}
	case fault.Internal, fault.Cancelled, fault.Deferred:
		return verdict{v1alpha1.ReasonControllerInternalError, metav1.ConditionUnknown}
	default:
		return verdict{v1alpha1.ReasonControllerInternalError, metav1.ConditionUnknown}
	}
}
