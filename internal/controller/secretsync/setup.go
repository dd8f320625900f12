package secretsync

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	runtimesource "sigs.k8s.io/controller-runtime/pkg/source"
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
// changes, when its Secret is touched where Secrets are watched, and when a check is due. workers is how many SecretSyncs are
// checked at the same time.
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
	sources, err := r.sources(ctx, mgr.GetCache())
	if err != nil {
		return err
	}
	controlled := ctrl.NewControllerManagedBy(mgr).
		Named("secretsync").
		WatchesRawSource(runtimesource.Func(r.keepQueue)).
		WithOptions(controller.Options{MaxConcurrentReconciles: workers})
	for _, watched := range sources {
		controlled = controlled.WatchesRawSource(watched)
	}
	return controlled.Complete(r)
}

// sources are what runs the reconciler when something changes. Their informers are there before the manager starts: it says that
// it is ready when all of them have read what there is, and the workers can begin at that moment. The builder's own watches would
// ask for some informers only when the controller starts, and look every 100 ms whether they may begin.
func (r *Reconciler) sources(ctx context.Context, cached cache.Cache) ([]*runtimesource.Informer, error) {
	account := &metav1.PartialObjectMetadata{}
	account.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("ServiceAccount"))
	type watched struct {
		kind       client.Object
		handler    handler.EventHandler
		predicates []predicate.Predicate
	}
	all := []watched{
		{&v1alpha1.SecretSync{}, r.syncHandler(), []predicate.Predicate{
			predicate.Or(predicate.GenerationChangedPredicate{}, changedHands(r.Neighbours.Rule)),
		}},
		{&spcv1.SecretProviderClass{}, r.classHandler(), []predicate.Predicate{predicate.GenerationChangedPredicate{}}},
		{account, r.accountHandler(), nil},
	}
	if r.Touched != nil {
		all = append(all, watched{secretMetadata(), r.Touched.handler(), nil})
	}
	sources := make([]*runtimesource.Informer, len(all))
	for i, w := range all {
		informer, err := cached.GetInformer(ctx, w.kind, cache.BlockUntilSynced(false))
		if err != nil {
			return nil, fmt.Errorf("preparing to watch %T: %w", w.kind, err)
		}
		sources[i] = &runtimesource.Informer{Informer: informer, Handler: w.handler, Predicates: w.predicates}
	}
	return sources, nil
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

// users are the SecretSyncs of an object's namespace that refer to it.
func (r *Reconciler) users(ctx context.Context, index string, object client.Object) []types.NamespacedName {
	var list v1alpha1.SecretSyncList
	err := r.Client.List(ctx, &list, client.InNamespace(object.GetNamespace()),
		client.MatchingFields{index: object.GetName()}, client.UnsafeDisableDeepCopy)
	if err != nil {
		// Only an index that does not exist fails here, which every test would show.
		ctrl.LoggerFrom(ctx).Error(err, "listing the SecretSyncs of a changed object",
			"object", client.ObjectKeyFromObject(object))
		return nil
	}
	names := make([]types.NamespacedName, 0, len(list.Items))
	for i := range list.Items {
		names = append(names, types.NamespacedName{Namespace: list.Items[i].Namespace, Name: list.Items[i].Name})
	}
	return names
}

// workQueue is where the controller takes its next SecretSync from.
type workQueue = workqueue.TypedRateLimitingInterface[reconcile.Request]

// keepQueue keeps the queue, through which those are woken that wait for a vault. It is called when the controller begins, before
// its workers do: in a replica that takes over perhaps long after that one was started.
func (r *Reconciler) keepQueue(_ context.Context, queue workQueue) error {
	r.Schedule.Since = r.Clock.Now()
	r.queue.Store(&queue)
	return nil
}

func request(name types.NamespacedName) reconcile.Request {
	return reconcile.Request{NamespacedName: name}
}

// syncHandler runs a SecretSync that was made, edited or deleted. Those that are there when the controller begins are no news:
// whatever it asks a vault, it asks later.
func (r *Reconciler) syncHandler() handler.EventHandler {
	enqueue := func(object client.Object, q workQueue) { q.Add(request(client.ObjectKeyFromObject(object))) }
	return handler.Funcs{
		CreateFunc: func(_ context.Context, e event.CreateEvent, q workQueue) {
			sync, ok := e.Object.(*v1alpha1.SecretSync)
			if ok && !e.IsInInitialList && sync.Status.ObservedGeneration != sync.Generation {
				r.Memory.note(client.ObjectKeyFromObject(sync), r.Clock.Now())
			}
			enqueue(e.Object, q)
		},
		UpdateFunc: func(_ context.Context, e event.UpdateEvent, q workQueue) {
			r.Memory.note(client.ObjectKeyFromObject(e.ObjectNew), r.Clock.Now())
			enqueue(e.ObjectNew, q)
		},
		DeleteFunc: func(_ context.Context, e event.DeleteEvent, q workQueue) { enqueue(e.Object, q) },
	}
}

// classHandler runs the SecretSyncs of a class that was made, edited or deleted. Those of a class that is there when the
// controller begins are run as they are there themselves.
func (r *Reconciler) classHandler() handler.EventHandler {
	return handler.Funcs{
		CreateFunc: func(ctx context.Context, e event.CreateEvent, q workQueue) {
			if !e.IsInInitialList {
				r.enqueueUsers(ctx, indexClass, e.Object, q)
			}
		},
		UpdateFunc: func(ctx context.Context, e event.UpdateEvent, q workQueue) {
			r.enqueueUsers(ctx, indexClass, e.ObjectNew, q)
		},
		DeleteFunc: func(ctx context.Context, e event.DeleteEvent, q workQueue) {
			r.classes.forget(e.Object.GetUID())
			r.enqueueUsers(ctx, indexClass, e.Object, q)
		},
	}
}

// enqueueUsers runs the SecretSyncs that refer to an object, to which there is news.
func (r *Reconciler) enqueueUsers(ctx context.Context, index string, object client.Object, q workQueue) {
	for _, user := range r.users(ctx, index, object) {
		r.Memory.note(user, r.Clock.Now())
		q.Add(request(user))
	}
}

// accountHandler runs the SecretSyncs of a service account when it comes or goes, and drops all that is held for one that
// went. Its other changes do not matter here, nor do those that are there when the controller begins.
func (r *Reconciler) accountHandler() handler.EventHandler {
	forget := func(object client.Object) {
		r.Source.Forget(source.ServiceAccount{
			Namespace: object.GetNamespace(), Name: object.GetName(), UID: string(object.GetUID()),
		})
	}
	return handler.Funcs{
		CreateFunc: func(ctx context.Context, e event.CreateEvent, q workQueue) {
			if !e.IsInInitialList {
				r.enqueueUsers(ctx, indexAccount, e.Object, q)
			}
		},
		DeleteFunc: func(ctx context.Context, e event.DeleteEvent, q workQueue) {
			forget(e.Object)
			r.enqueueUsers(ctx, indexAccount, e.Object, q)
		},
		// One that was deleted and made again while the watch was interrupted arrives as an update.
		UpdateFunc: func(ctx context.Context, e event.UpdateEvent, q workQueue) {
			if e.ObjectOld.GetUID() != e.ObjectNew.GetUID() {
				forget(e.ObjectOld)
				r.enqueueUsers(ctx, indexAccount, e.ObjectNew, q)
			}
		},
	}
}
