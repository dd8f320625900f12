package akvsync

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"secretstore/api/secretsync/v1alpha1"
)

// recorded is a queue that notes what is added, and when it is due.
type recorded struct {
	workqueue.TypedRateLimitingInterface[reconcile.Request]
	added map[string]time.Duration
}

// AddAfter implements the one method of a queue that is used.
func (r *recorded) AddAfter(request reconcile.Request, delay time.Duration) {
	if had, there := r.added[request.Name]; !there || delay < had {
		r.added[request.Name] = delay
	}
}

// TestSyncHandler: which AKVSyncs run after which event of a SecretSync named "a", of which AKVSyncs "all" and "too" want one.
func TestSyncHandler(t *testing.T) {
	t.Parallel()
	all, too, other := asking(entry("secret a")), asking(entry("secret x as=a")), asking(entry("secret b"))
	too.Name, other.Name, other.UID = "too", "other", "uid-other"
	h := newHarness(t, all, too, other)
	foreign := &v1alpha1.SecretSync{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "a", ResourceVersion: "1"}}
	own := foreign.DeepCopy()
	own.OwnerReferences = generated(other, "a").OwnerReferences
	elsewhere := foreign.DeepCopy()
	elsewhere.Namespace = "elsewhere"
	edited := func(edit func(*v1alpha1.SecretSync)) *v1alpha1.SecretSync {
		sync := own.DeepCopy()
		sync.ResourceVersion = "2"
		edit(sync)
		return sync
	}
	now := metav1.Now()
	timed := edited(func(s *v1alpha1.SecretSync) {
		s.Status.LastCheckTime, s.Status.LastSuccessfulSyncTime, s.Status.SyncHash, s.Status.ObservedInputs = &now, &now, "h", "i"
	})
	handler := h.syncHandler()
	for name, tc := range map[string]struct {
		reason string
		send   func(context.Context, queue)
		want   map[string]time.Duration
	}{
		"Foreign": {"those who want the name learn that it is taken", func(ctx context.Context, q queue) {
			handler.Create(ctx, event.CreateEvent{Object: foreign}, q)
		}, map[string]time.Duration{"all": 0, "too": 0}},
		"Deleted": {"and that it is free, and its maker that it is gone", func(ctx context.Context, q queue) {
			handler.Delete(ctx, event.DeleteEvent{Object: own}, q)
		}, map[string]time.Duration{"all": 0, "too": 0, "other": 0}},
		"Elsewhere": {"nothing crosses a namespace", func(ctx context.Context, q queue) {
			handler.Create(ctx, event.CreateEvent{Object: elsewhere}, q)
		}, map[string]time.Duration{}},
		"Condition": {"a condition counts at once", func(ctx context.Context, q queue) {
			handler.Update(ctx, event.UpdateEvent{ObjectOld: own, ObjectNew: edited(func(s *v1alpha1.SecretSync) {
				s.Status.Conditions = []metav1.Condition{{Type: "Ready"}}
			})}, q)
		}, map[string]time.Duration{"all": 0, "too": 0, "other": 0}},
		"Label": {"so does what was edited by hand", func(ctx context.Context, q queue) {
			handler.Update(ctx, event.UpdateEvent{ObjectOld: own, ObjectNew: edited(func(s *v1alpha1.SecretSync) { s.Labels = map[string]string{"l": ""} })}, q)
		}, map[string]time.Duration{"all": 0, "too": 0, "other": 0}},
		"Times": {"times wait for one another", func(ctx context.Context, q queue) {
			handler.Update(ctx, event.UpdateEvent{ObjectOld: own, ObjectNew: timed}, q)
		}, map[string]time.Duration{"all": time.Minute, "too": time.Minute, "other": time.Minute}},
		"Owner": {"one that is taken away is told of to whom it belonged", func(ctx context.Context, q queue) {
			handler.Update(ctx, event.UpdateEvent{ObjectOld: own, ObjectNew: foreign}, q)
		}, map[string]time.Duration{"all": 0, "too": 0, "other": 0}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			q := &recorded{added: map[string]time.Duration{}}
			tc.send(t.Context(), q)
			if diff := cmp.Diff(tc.want, q.added); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tc.reason, diff)
			}
		})
	}
}

func TestNames(t *testing.T) {
	t.Parallel()
	sync := asking(entries("secret a", "cert b type=kubernetes.io/tls history=2", "mapping k=a as=c", "secret D")...)
	if diff := cmp.Diff([]string{"a", "b-v0", "b-v1", "c", "D"}, names(sync)); diff != "" {
		t.Errorf("names (-want +got):\n%s", diff)
	}
	if got := names(&v1alpha1.SecretSync{}); got != nil {
		t.Errorf("another kind has names: %v", got)
	}
	if onlyTimes(sync, sync) {
		t.Error("another kind is judged as a SecretSync")
	}
}
