package secretsync

import (
	"strconv"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"secretstore/api/secretsync/v1alpha1"
	"secretstore/internal/controller/outcome"
)

// occasion is why a SecretSync is checked, and what follows from that for what a source may answer.
type occasion struct {
	// wait is how long the check is away; it is due at 0 or below.
	wait time.Duration
	// news is when the news came that the check is about; zero if there is none, and it is only time for it.
	news time.Time
	// notBefore is the age that answers may have: none may have been read before.
	notBefore time.Time
	// edited says that somebody changed what is asked for, or asked for a check.
	edited bool
}

// occasionOf says when the next check of a SecretSync is due, and why. It is pure.
func occasionOf(in input, known remembered, schedule outcome.Schedule, now time.Time) occasion {
	status, uid := in.sync.Status, string(in.sync.UID)
	if status.LastCheckTime == nil {
		made := in.sync.CreationTimestamp.Time
		return occasion{wait: made.Add(schedule.Delay(uid, "created")).Sub(now), news: known.news, edited: true}
	}
	// What an earlier check was told is not good enough for a later one; the status knows whole seconds only.
	o := occasion{notBefore: status.LastCheckTime.Add(time.Second)}
	changed := status.ObservedGeneration != in.sync.Generation
	switch {
	case changed && status.ObservedForceSynchronization != in.sync.Spec.ForceSynchronization:
		o.news, o.edited = known.news, true
		o.notBefore = later(o.notBefore, known.news) // who asks for a check wants what is there now
	case changed, status.ObservedInputs != in.inputs:
		o.news, o.edited = known.news, true
		began := later(known.news, schedule.Since) // it may have been edited while nobody looked
		o.wait = began.Add(schedule.Delay(uid, in.inputs+strconv.FormatInt(in.sync.Generation, 10))).Sub(now)
	case !known.confirm.IsZero() && !known.confirm.After(now):
		o.notBefore = later(o.notBefore, known.confirmed)
	default:
		o.wait = schedule.Next(status, uid, now).Sub(now)
		if !known.confirm.IsZero() {
			o.wait = min(o.wait, known.confirm.Sub(now))
		}
	}
	return o
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// healthy says whether the latest check went well.
func healthy(status v1alpha1.SecretSyncStatus) bool {
	return meta.IsStatusConditionTrue(status.Conditions, v1alpha1.ConditionUpdate)
}

// secretAtFault says whether the latest check failed because of the Secret as it is in the cluster. Then the Secret is looked at
// before the vault is asked for what can perhaps not be written.
func secretAtFault(status v1alpha1.SecretSyncStatus) bool {
	for _, kind := range []string{v1alpha1.ConditionCreate, v1alpha1.ConditionUpdate} {
		failed := meta.FindStatusCondition(status.Conditions, kind)
		if failed == nil || failed.Status == metav1.ConditionTrue {
			continue
		}
		switch failed.Reason {
		case v1alpha1.ReasonInvalidLabel, v1alpha1.ReasonUserInputValidationFailed, v1alpha1.ReasonUnknownError,
			v1alpha1.ReasonPolicyCheckFailed:
			return true
		}
	}
	return false
}
