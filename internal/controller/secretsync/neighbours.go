package secretsync

import (
	"context"
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/predicate"

	"secretstore/api/secretsync/v1alpha1"
	"secretstore/internal/controller/neighbour"
	"secretstore/internal/secretdata"
)

// leave says whether a SecretSync is not to be worked on: it is going, or another controller's. again, if not 0, is how long
// until that may be different.
func (r *Reconciler) leave(ctx context.Context, sync *v1alpha1.SecretSync) (leave bool, again time.Duration, err error) {
	name := client.ObjectKeyFromObject(sync)
	if !sync.DeletionTimestamp.IsZero() || sync.Spec.SecretSyncControllerName != "" {
		r.Freshness.Gone(name)
		return true, 0, nil
	}
	leave, again, err = r.Neighbours.Leave(ctx, sync, r.Neighbours.SecretSync(sync))
	if leave {
		r.Looks.Forget(name)
		r.Freshness.Gone(name)
	}
	return leave, again, err
}

// changedHands passes SecretSyncs that another controller's write made another's, which no generation tells.
func changedHands(rule neighbour.Rule) predicate.Predicate {
	whose := func(object client.Object) neighbour.Whose {
		if sync, ok := object.(*v1alpha1.SecretSync); ok {
			return rule.SecretSync(sync).Whose
		}
		return neighbour.Nobodys
	}
	return predicate.Funcs{UpdateFunc: func(e event.UpdateEvent) bool {
		return whose(e.ObjectNew) == neighbour.Anothers && whose(e.ObjectOld) != neighbour.Anothers
	}}
}

// inherited is a status to go on from: without a digest and conditions that only another controller understands.
func inherited(status v1alpha1.SecretSyncStatus) v1alpha1.SecretSyncStatus {
	status = *status.DeepCopy()
	if !secretdata.IsDigest(status.SyncHash) {
		status.SyncHash = ""
	}
	ours := []string{v1alpha1.ConditionCreate, v1alpha1.ConditionUpdate, v1alpha1.ConditionReady}
	status.Conditions = slices.DeleteFunc(status.Conditions, func(c metav1.Condition) bool { return !slices.Contains(ours, c.Type) })
	return status
}

// statusOf is what a patch of the status is made of: to compare the rest, which does not change, would take most of its time.
func statusOf(sync *v1alpha1.SecretSync) *v1alpha1.SecretSync {
	return &v1alpha1.SecretSync{
		ObjectMeta: metav1.ObjectMeta{Namespace: sync.Namespace, Name: sync.Name, ResourceVersion: sync.ResourceVersion},
		Status:     *sync.Status.DeepCopy(),
	}
}

// statusPatch is the change from what the cache had, to be written onto exactly that. If the SecretSync was edited meanwhile, or
// made anew under its name, or another controller wrote a status, what the check found is not about it any more.
func statusPatch(before *v1alpha1.SecretSync) client.Patch {
	return client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{})
}
