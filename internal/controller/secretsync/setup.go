package secretsync

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
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
	"secretstore/internal/source"
)

// Names of the indexes over SecretSyncs, by what they refer to.
const (
	indexClass   = "spec.secretProviderClassName"
	indexAccount = "spec.serviceAccountName"
)

// SetupWithManager registers the reconciler: it runs when a SecretSync, its SecretProviderClass or its service account
// changes, and when a check is due. workers is how many SecretSyncs are checked at the same time.
func (r *Reconciler) SetupWithManager(ctx context.Context, mgr ctrl.Manager, workers int) error {
	indexer := mgr.GetFieldIndexer()
	if err := indexer.IndexField(ctx, &v1alpha1.SecretSync{}, indexClass, by(func(s *v1alpha1.SecretSync) string {
		return s.Spec.SecretProviderClassName
	})); err != nil {
		return fmt.Errorf("indexing SecretSyncs by class: %w", err)
	}
	if err := indexer.IndexField(ctx, &v1alpha1.SecretSync{}, indexAccount, by(func(s *v1alpha1.SecretSync) string {
		return s.Spec.ServiceAccountName
	})); err != nil {
		return fmt.Errorf("indexing SecretSyncs by service account: %w", err)
	}
	if err := r.Neighbours.AddIndex(ctx, indexer); err != nil {
		return err
	}
	account := &metav1.PartialObjectMetadata{}
	account.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("ServiceAccount"))
	return ctrl.NewControllerManagedBy(mgr).
		Named("secretsync").
		For(&v1alpha1.SecretSync{}, builder.WithPredicates(predicate.Or(predicate.GenerationChangedPredicate{},
			changedHands(r.Neighbours.Rule)))).
		Watches(&spcv1.SecretProviderClass{}, handler.EnqueueRequestsFromMapFunc(r.users(indexClass)),
			builder.WithPredicates(predicate.GenerationChangedPredicate{})).
		WatchesMetadata(account, r.accountHandler()).
		WithOptions(controller.Options{MaxConcurrentReconciles: workers}).
		Complete(r)
}

func by(name func(*v1alpha1.SecretSync) string) client.IndexerFunc {
	return func(object client.Object) []string {
		sync, ok := object.(*v1alpha1.SecretSync)
		if !ok {
			return nil
		}
		return []string{name(sync)}
	}
}

// users maps an object to the SecretSyncs of its namespace that refer to it.
func (r *Reconciler) users(index string) handler.MapFunc {
	return func(ctx context.Context, object client.Object) []reconcile.Request {
		var list v1alpha1.SecretSyncList
		err := r.Client.List(ctx, &list, client.InNamespace(object.GetNamespace()),
			client.MatchingFields{index: object.GetName()})
		if err != nil {
			// Only an index that does not exist fails here, which every test would show.
			ctrl.LoggerFrom(ctx).Error(err, "listing the SecretSyncs of a changed object",
				"object", client.ObjectKeyFromObject(object))
			return nil
		}
		requests := make([]reconcile.Request, 0, len(list.Items))
		for i := range list.Items {
			requests = append(requests, reconcile.Request{NamespacedName: types.NamespacedName{
				Namespace: list.Items[i].Namespace, Name: list.Items[i].Name,
			}})
		}
		return requests
	}
}

// accountHandler runs the SecretSyncs of a service account when it comes or goes, and drops all that is held for one that
// went. Its other changes do not matter here.
func (r *Reconciler) accountHandler() handler.EventHandler {
	type queue = workqueue.TypedRateLimitingInterface[reconcile.Request]
	enqueue := func(ctx context.Context, object client.Object, q queue) {
		for _, request := range r.users(indexAccount)(ctx, object) {
			q.Add(request)
		}
	}
	forget := func(object client.Object) {
		r.Source.Forget(source.ServiceAccount{
			Namespace: object.GetNamespace(), Name: object.GetName(), UID: string(object.GetUID()),
		})
	}
	return handler.Funcs{
		CreateFunc: func(ctx context.Context, e event.CreateEvent, q queue) { enqueue(ctx, e.Object, q) },
		DeleteFunc: func(ctx context.Context, e event.DeleteEvent, q queue) {
			forget(e.Object)
			enqueue(ctx, e.Object, q)
		},
		// One that was deleted and made again while the watch was interrupted arrives as an update.
		UpdateFunc: func(ctx context.Context, e event.UpdateEvent, q queue) {
			if e.ObjectOld.GetUID() != e.ObjectNew.GetUID() {
				forget(e.ObjectOld)
				enqueue(ctx, e.ObjectNew, q)
			}
		},
	}
}
