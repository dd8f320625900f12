package outcome

import (
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"secretstore/api/secretsync/v1alpha1"
)

// firstRetry is how long after a first failure the next check comes. Each wait after that is as long as the failure has
// lasted, so that waits double, up to the interval.
const firstRetry = 5 * time.Second

// conflictRetry is the same for a Secret that could not be written because it is changing, such as one that is being deleted.
// No vault is involved, and it is over soon.
const conflictRetry = time.Second

// NextCheck is when the next check of a SecretSync is due, going by its status alone, so that a restart of the controller
// moves nothing. The zero time means at once.
func NextCheck(status v1alpha1.SecretSyncStatus, interval time.Duration) time.Time {
	if status.LastCheckTime == nil {
		return time.Time{}
	}
	last := status.LastCheckTime.Time
	latest := current(status)
	if latest == nil || latest.Status == metav1.ConditionTrue {
		return last.Add(interval)
	}
	first := firstRetry
	if latest.Reason == v1alpha1.ReasonUnknownError {
		first = conflictRetry
	}
	lasted := last.Sub(latest.LastTransitionTime.Time)
	return last.Add(min(max(lasted, first), interval))
}
