package secretsync

import (
	"context"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"secretstore/internal/fault"
	"secretstore/internal/kube"
	"secretstore/internal/redact"
	"secretstore/internal/secretdata"
)

// untilLook is how long the next look at the Secret is away: the planned one, or the one that is due because the Secret was
// touched; with looks switched off and nothing touched, the check is all there is.
func (r *Reconciler) untilLook(in input) (time.Duration, bool) {
	now := r.Clock.Now()
	untilTouched, touched := r.Touched.wait(nameOf(in), now)
	if r.DriftInterval == 0 {
		return untilTouched, touched
	}
	planned := r.Looks.Next(nameOf(in), now).Sub(now)
	if touched {
		return min(planned, untilTouched), true
	}
	return planned, true
}

// planLook plans the next look after a check or a look, and returns how long to wait: for it, or for the check if that is
// sooner.
func (r *Reconciler) planLook(in input, untilCheck time.Duration) time.Duration {
	now := r.Clock.Now()
	if wait, touched := r.Touched.wait(nameOf(in), now); touched {
		untilCheck = max(min(untilCheck, wait), time.Millisecond)
	}
	if r.DriftInterval == 0 {
		return untilCheck
	}
	return max(min(untilCheck, r.Looks.Plan(nameOf(in), now.Add(r.DriftInterval)).Sub(now)), time.Millisecond)
}

func nameOf(in input) types.NamespacedName {
	return types.NamespacedName{Namespace: in.sync.Namespace, Name: in.sync.Name}
}

// drifted looks at the Secret between two checks, without asking the vault: does it still hold what the last check left? If
// that cannot be told, it has not.
func (r *Reconciler) drifted(ctx context.Context, in input) bool {
	restore := r.Touched.take(nameOf(in), r.Clock.Now())
	live, err := r.Secrets.Look(ctx, ownerOf(in))
	if err != nil {
		// Another's Secret in this one's place is for a check to report; an API server that is away is not.
		if kind := fault.Of(err).Kind; kind == fault.SecretForeign || kind == fault.SecretConflict {
			return true
		}
		restore()
		return false
	}
	if live == nil {
		return in.sync.Status.SyncHash != "" // it existed once
	}
	object := in.sync.Spec.SecretObject
	if !live.Carries(object.Labels, object.Annotations) {
		return true
	}
	return r.valuesDiffer(in, live)
}

// valuesDiffer compares the Secret's values with the digest of those that were written last.
func (r *Reconciler) valuesDiffer(in input, live *kube.Live) bool {
	digest := in.sync.Status.SyncHash
	if !secretdata.Comparable(r.DigestKey, digest) {
		return false // made under another key, which says nothing of the values
	}
	return r.digest(in, live) != digest
}

// digest is that of what the Secret holds of what the SecretSync maps.
func (r *Reconciler) digest(in input, live *kube.Live) string {
	held := map[string]redact.Bytes{}
	for _, entry := range in.sync.Spec.SecretObject.Data {
		if value, ok := live.Value(entry.TargetKey); ok {
			held[entry.TargetKey] = value
		}
	}
	return secretdata.Digest(r.DigestKey, secretType(in.sync), held)
}

func ownerOf(in input) kube.Owner {
	return kube.Owner{Namespace: in.sync.Namespace, Name: in.sync.Name, UID: string(in.sync.UID)}
}
