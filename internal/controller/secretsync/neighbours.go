package secretsync

import (
	"bytes"
	"context"
	"encoding/json"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
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

// writeStatus writes the status and gives the version that the SecretSync has then. That is all that is needed of the answer, so
// it is asked for metadata alone: to read the whole object would take much of the time of a check.
func (r *Reconciler) writeStatus(ctx context.Context, sync *v1alpha1.SecretSync, status v1alpha1.SecretSyncStatus,
) (version string, err error) {
	patch, err := statusPatch(sync, status)
	if err != nil {
		return "", err
	}
	written := &metav1.PartialObjectMetadata{ObjectMeta: metav1.ObjectMeta{Namespace: sync.Namespace, Name: sync.Name}}
	written.SetGroupVersionKind(v1alpha1.GroupVersion().WithKind("SecretSync"))
	err = r.Client.Status().Patch(ctx, written, patch)
	return written.ResourceVersion, err
}

// statusPatch is the change from the status that the cache had, to be written onto exactly that. If the SecretSync was edited
// meanwhile, or made anew under its name, or another controller wrote a status, what the check found is not about it any more.
// A merge patch replaces texts, numbers and lists as wholes, and a status has nothing else: its members are compared as wholes,
// the conditions, which are most of it and seldom change, before they are encoded.
func statusPatch(sync *v1alpha1.SecretSync, status v1alpha1.SecretSyncStatus) (client.Patch, error) {
	before := sync.Status
	if equality.Semantic.DeepEqual(before.Conditions, status.Conditions) {
		before.Conditions, status.Conditions = nil, nil
	}
	was, err := members(before)
	if err != nil {
		return nil, err
	}
	change, err := members(status)
	if err != nil {
		return nil, err
	}
	for name, held := range was {
		switch wanted, kept := change[name]; {
		case !kept:
			change[name] = json.RawMessage("null")
		case bytes.Equal(held, wanted):
			delete(change, name)
		}
	}
	text, err := json.Marshal(map[string]any{
		"metadata": map[string]string{"resourceVersion": sync.ResourceVersion}, "status": change,
	})
	return client.RawPatch(types.MergePatchType, text), err
}

// members are the members of a status in JSON.
func members(status v1alpha1.SecretSyncStatus) (map[string]json.RawMessage, error) {
	text, err := json.Marshal(status)
	if err != nil {
		return nil, err
	}
	all := map[string]json.RawMessage{}
	err = json.Unmarshal(text, &all)
	return all, err
}
