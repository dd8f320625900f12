package secretsync

import (
	"context"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/selection"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/resourceversion"
	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"secretstore/api/secretsync/v1alpha1"
	"secretstore/internal/kube"
)

const (
	// firstGap is the least time between two looks at a Secret that events ask for. It doubles with each, up to maxGap: a
	// Secret that keeps being edited is one that somebody else wants otherwise, and each repair costs the vault a read.
	firstGap = time.Second
	maxGap   = 5 * time.Minute
	// calm is how long a Secret must be left alone until it is looked at without delay again.
	calm = 10 * time.Minute
)

// Touched knows which Secrets another hand has touched since the controller read or wrote them, by a watch of their metadata.
// That is all it does: to look at them is for the reconciler, which asks [Touched.wait] for how long it may wait, and takes the
// mark off by [Touched.take] when it looks.
//
// An event is news unless it tells of a version that the controller has seen itself. Its own writes come back as events, perhaps
// before the answer to the write is here; so an event is judged twice, when it comes and when it is acted upon. It is safe for
// concurrent use; nil knows of nothing, and stands for no watch.
type Touched struct {
	mu   sync.Mutex
	held map[types.NamespacedName]*touch
}

// touch is what is known of one Secret.
type touch struct {
	seen    string // the latest version that the controller read or wrote, "" for none
	news    bool   // there was an event that was not looked into yet
	version string // that event's version, "" if it is not known
	last    time.Time
	gap     time.Duration // how long after last the next look may come
}

// NewTouched is for a controller that watches Secrets.
func NewTouched() *Touched { return &Touched{held: map[types.NamespacedName]*touch{}} }

// Seen is to be told of every version of a Secret that the controller reads or writes, "" where it found none.
func (t *Touched) Seen(owner kube.Owner, version string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.of(types.NamespacedName{Namespace: owner.Namespace, Name: owner.Name}).seen = version
}

// of is what is known of a Secret. The caller holds the lock.
func (t *Touched) of(name types.NamespacedName) *touch {
	if t.held[name] == nil {
		t.held[name] = &touch{}
	}
	return t.held[name]
}

// mark notes an event, and says whether it is news.
func (t *Touched) mark(name types.NamespacedName, version string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	one := t.of(name)
	if !newer(version, one.seen) {
		return false
	}
	one.news, one.version = true, version
	return true
}

// newer compares two versions. One that cannot be compared may be newer.
func newer(version, than string) bool {
	order, err := resourceversion.CompareResourceVersion(version, than)
	return err != nil || order > 0
}

// wait is how long to wait before a touched Secret is looked at; false if it was not touched.
func (t *Touched) wait(name types.NamespacedName, now time.Time) (time.Duration, bool) {
	if t == nil {
		return 0, false
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	one := t.held[name]
	if one == nil || !one.news {
		return 0, false
	}
	if !newer(one.version, one.seen) {
		one.news = false // an echo that came before the answer
		return 0, false
	}
	return max(0, one.last.Add(one.gap).Sub(now)), true
}

// take takes the mark off a Secret that is being looked at. restore puts it back if nothing could be seen.
func (t *Touched) take(name types.NamespacedName, now time.Time) (restore func()) {
	if t == nil {
		return func() {}
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	one := t.held[name]
	if one == nil || !one.news {
		return func() {}
	}
	one.gap = min(2*one.gap, maxGap)
	if one.gap == 0 || now.Sub(one.last) > calm {
		one.gap = firstGap
	}
	one.last, one.news = now, false
	version := one.version
	return func() { t.mark(name, version) }
}

// forget drops what is known of a Secret whose SecretSync is gone.
func (t *Touched) forget(name types.NamespacedName) {
	if t == nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.held, name)
}

// handler runs the SecretSync of a Secret that was touched: the one of its name. Those that are there when the watch begins are
// left to the planned looks.
func (t *Touched) handler() handler.EventHandler {
	type queue = workqueue.TypedRateLimitingInterface[reconcile.Request]
	news := func(object client.Object, version string, q queue) {
		name := client.ObjectKeyFromObject(object)
		if t.mark(name, version) {
			q.Add(reconcile.Request{NamespacedName: name})
		}
	}
	return handler.Funcs{
		CreateFunc: func(_ context.Context, e event.CreateEvent, q queue) {
			if !e.IsInInitialList {
				news(e.Object, e.Object.GetResourceVersion(), q)
			}
		},
		UpdateFunc: func(_ context.Context, e event.UpdateEvent, q queue) {
			// The cache repeats all of its objects now and then, unchanged.
			if e.ObjectOld.GetResourceVersion() != e.ObjectNew.GetResourceVersion() {
				news(e.ObjectNew, e.ObjectNew.GetResourceVersion(), q)
			}
		},
		// One that loses its label leaves the selection, and is an event of this kind too.
		DeleteFunc: func(_ context.Context, e event.DeleteEvent, q queue) {
			version := e.Object.GetResourceVersion()
			if e.DeleteStateUnknown {
				version = "" // that of an earlier state
			}
			news(e.Object, version, q)
		},
	}
}

// secretMetadata stands for the metadata of Secrets where kinds are told apart.
func secretMetadata() *metav1.PartialObjectMetadata {
	secret := &metav1.PartialObjectMetadata{}
	secret.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("Secret"))
	return secret
}

// WatchedSecrets is what the cache is to hold of Secrets where they are watched: of those that carry the controller's label, the
// name and the version. Nothing else is kept, as even an annotation may hold values (kubectl apply leaves a copy of the whole
// object in one).
func WatchedSecrets() (map[client.Object]cache.ByObject, error) {
	labelled, err := labels.NewRequirement(v1alpha1.SecretLabel, selection.Exists, nil)
	if err != nil {
		return nil, err
	}
	return map[client.Object]cache.ByObject{
		secretMetadata(): {Label: labels.NewSelector().Add(*labelled), Transform: nameAndVersion},
	}, nil
}

// nameAndVersion keeps of an object's metadata what tells that it has changed.
func nameAndVersion(object any) (any, error) {
	if whole, ok := object.(*metav1.PartialObjectMetadata); ok {
		whole.ObjectMeta = metav1.ObjectMeta{
			Namespace: whole.Namespace, Name: whole.Name, UID: whole.UID, ResourceVersion: whole.ResourceVersion,
		}
	}
	return object, nil
}
