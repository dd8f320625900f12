package secretsync

import (
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"secretstore/api/secretsync/v1alpha1"
)

// Freshness is told how good each Secret is, for metrics.
type Freshness interface {
	// Good is called at every reconcile, with the time of the latest check that succeeded; if none has, with that of the
	// SecretSync's creation.
	Good(name types.NamespacedName, at time.Time)
	// Gone is called when the SecretSync is gone, or no longer this controller's.
	Gone(name types.NamespacedName)
	// FirstSync is called after the first check that succeeded, with the time since the SecretSync's creation.
	FirstSync(took time.Duration)
}

// tellGood tells of a SecretSync as it is before a check, or without one.
func (r *Reconciler) tellGood(sync *v1alpha1.SecretSync) {
	at := sync.CreationTimestamp.Time
	if last := sync.Status.LastSuccessfulSyncTime; last != nil {
		at = last.Time
	}
	r.Freshness.Good(client.ObjectKeyFromObject(sync), at)
}

// tellChecked tells of a SecretSync after a check. before is the time of the latest success until then.
func (r *Reconciler) tellChecked(sync *v1alpha1.SecretSync, before *metav1.Time, ended time.Time) {
	r.tellGood(sync)
	if before == nil && sync.Status.LastSuccessfulSyncTime != nil {
		r.Freshness.FirstSync(ended.Sub(sync.CreationTimestamp.Time))
	}
}
