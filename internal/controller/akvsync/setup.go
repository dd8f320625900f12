package akvsync

import (
	"context"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	spcv1 "sigs.k8s.io/secrets-store-csi-driver/apis/v1"

	"secretstore/api/secretsync/v1alpha1"
)

// indexNames is the index over AKVSyncs by the names of the Secrets that they ask for.
const indexNames = "spec.objects names"

// timesDelay is how long the status may be behind where only the times of SecretSyncs changed. Each of them is checked at a
// moment of its own, and one write then tells of many.
const timesDelay = time.Minute

// SetupWithManager registers the reconciler: it runs when an AKVSync changes, or the SecretProviderClass or a SecretSync that it
// generates or that stands in the place of one. workers is how many AKVSyncs are reconciled at the same time.
func (r *Reconciler) SetupWithManager(ctx context.Context, mgr ctrl.Manager, workers int) error {
	if err := mgr.GetFieldIndexer().IndexField(ctx, &v1alpha1.AKVSync{}, indexNames, names); err != nil {
		return fmt.Errorf("indexing AKVSyncs by the names of their Secrets: %w", err)
	}
	return ctrl.NewControllerManagedBy(mgr).
		Named("akvsync").
		// Its own writes of the status too: one that was rolled up from a cache that was behind is corrected so.
		For(&v1alpha1.AKVSync{}, builder.WithPredicates(predicate.ResourceVersionChangedPredicate{})).
		// The class has the AKVSync's own name.
		Watches(&spcv1.SecretProviderClass{}, &handler.EnqueueRequestForObject{},
			builder.WithPredicates(predicate.ResourceVersionChangedPredicate{})).
		Watches(&v1alpha1.SecretSync{}, r.syncHandler()).
		WithOptions(controller.Options{MaxConcurrentReconciles: workers}).
		Complete(r)
}

// names are those of the Secrets that an AKVSync asks for.
func names(object client.Object) []string {
	sync, ok := object.(*v1alpha1.AKVSync)
	if !ok {
		return nil
	}
	secrets, _ := translate(sync.Spec)
	list := make([]string, 0, len(secrets))
	for _, s := range secrets {
		list = append(list, s.name)
	}
	return list
}

type queue = workqueue.TypedRateLimitingInterface[reconcile.Request]

// syncHandler runs the AKVSync of a SecretSync when it changes: at once, or a little later if only its times did. One that is
// no AKVSync's, or not any more, runs those that ask for its name.
func (r *Reconciler) syncHandler() handler.EventHandler {
	enqueue := func(q queue, requests []reconcile.Request, delay time.Duration) {
		for _, request := range requests {
			q.AddAfter(request, delay)
		}
	}
	return handler.Funcs{
		CreateFunc: func(ctx context.Context, e event.CreateEvent, q queue) { enqueue(q, r.interested(ctx, e.Object), 0) },
		DeleteFunc: func(ctx context.Context, e event.DeleteEvent, q queue) { enqueue(q, r.interested(ctx, e.Object), 0) },
		UpdateFunc: func(ctx context.Context, e event.UpdateEvent, q queue) {
			if requests := r.interested(ctx, e.ObjectNew); len(requests) > 0 { // most are no AKVSync's, and need not be compared
				enqueue(q, requests, delayOf(e))
			}
			if !equality.Semantic.DeepEqual(e.ObjectOld.GetOwnerReferences(), e.ObjectNew.GetOwnerReferences()) {
				enqueue(q, r.interested(ctx, e.ObjectOld), 0)
			}
		},
	}
}

// delayOf is how long the status may be behind a change of a SecretSync.
func delayOf(e event.UpdateEvent) time.Duration {
	if onlyTimes(e.ObjectOld, e.ObjectNew) {
		return timesDelay
	}
	return 0
}

// interested lists the AKVSync that made a SecretSync, and all that ask for one of its name.
func (r *Reconciler) interested(ctx context.Context, object client.Object) []reconcile.Request {
	var requests []reconcile.Request
	request := func(name string) reconcile.Request {
		return reconcile.Request{NamespacedName: types.NamespacedName{Namespace: object.GetNamespace(), Name: name}}
	}
	if owner := metav1.GetControllerOf(object); owner != nil && isAKVSync(*owner) {
		requests = append(requests, request(owner.Name))
	}
	var list v1alpha1.AKVSyncList
	err := r.Client.List(ctx, &list, client.InNamespace(object.GetNamespace()), client.MatchingFields{indexNames: object.GetName()})
	if err != nil {
		// Only an index that does not exist fails here, which every test would show.
		ctrl.LoggerFrom(ctx).Error(err, "listing the AKVSyncs of a changed SecretSync", "object", client.ObjectKeyFromObject(object))
	}
	for i := range list.Items {
		requests = append(requests, request(list.Items[i].Name))
	}
	return requests
}

// onlyTimes says whether nothing but the times of a SecretSync's status changed.
func onlyTimes(before, after client.Object) bool {
	was, ok := before.(*v1alpha1.SecretSync)
	is, also := after.(*v1alpha1.SecretSync)
	if !ok || !also {
		return false
	}
	return equality.Semantic.DeepEqual(timeless(was), timeless(is))
}

// timeless is a SecretSync without what changes at every check.
func timeless(sync *v1alpha1.SecretSync) *v1alpha1.SecretSync {
	sync = sync.DeepCopy()
	sync.ResourceVersion = ""
	sync.ManagedFields = nil
	sync.Status.LastCheckTime, sync.Status.LastSuccessfulSyncTime = nil, nil
	sync.Status.SyncHash, sync.Status.ObservedInputs = "", ""
	return sync
}
