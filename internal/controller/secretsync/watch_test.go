package secretsync

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"secretstore/internal/kube"
)

const watched = "app"

func at(version string) *metav1.PartialObjectMetadata {
	secret := secretMetadata()
	secret.Namespace, secret.Name, secret.ResourceVersion = "shop", watched, version
	return secret
}

func TestEventsAskForALook(t *testing.T) {
	t.Parallel()
	ours, key := kube.Owner{Namespace: "shop", Name: watched}, types.NamespacedName{Namespace: "shop", Name: watched}
	for name, tc := range map[string]struct {
		reason string
		before string // the version that the controller saw before the event
		event  happening
		after  string // and the one after it, as the answer to its write says
		queued bool
		look   bool
	}{
		"Edited": {"a newer version is another's", "5", updated("5", "7"), "", true, true},
		"Echo":   {"our own write is no news", "7", updated("5", "7"), "", false, false},
		"Late":   {"nor is one from before it", "9", updated("5", "7"), "", false, false},
		"Early":  {"an echo that is faster than the answer is found out later", "5", updated("5", "7"), "7", true, false},
		"Both":   {"another's edit after our write counts, though the event is first", "5", updated("5", "8"), "7", true, true},
		"Length": {"versions are numbers", "9", updated("9", "10"), "", true, true},
		"Resync": {"the cache's repetitions are no events", "", updated("7", "7"), "", false, false},
		"First":  {"what the controller has not seen since its start", "", updated("5", "7"), "", true, true},
		"Made":   {"one that is there again", "5", created("7", false), "", true, true},
		"Listed": {"what is there at the start is left to the planned looks", "", created("7", true), "", false, false},
		"Gone":   {"one that was deleted", "5", deleted("7", false), "", true, true},
		"Missed": {"one whose deletion was missed, with the version of before", "5", deleted("5", true), "", true, true},
		"Remade": {"a deletion of before our write is history", "9", deleted("7", false), "", false, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			touched := NewTouched()
			if tc.before != "" {
				touched.Seen(ours, tc.before)
			}
			queue := workqueue.NewTypedRateLimitingQueue(workqueue.DefaultTypedControllerRateLimiter[reconcile.Request]())
			defer queue.ShutDown()
			funcs, ok := touched.handler().(handler.Funcs)
			if !ok {
				t.Fatal("the handler is of another type")
			}
			tc.event(t.Context(), funcs, queue)
			if tc.after != "" {
				touched.Seen(ours, tc.after)
			}
			if queued := queue.Len() == 1; queued != tc.queued {
				t.Errorf("%s: queued is %v", tc.reason, queued)
			}
			if _, look := touched.wait(key, time.Now()); look != tc.look {
				t.Errorf("%s: look is %v", tc.reason, look)
			}
		})
	}
}

type queue = workqueue.TypedRateLimitingInterface[reconcile.Request]

// happening is one event of the watch.
type happening func(context.Context, handler.Funcs, queue)

func updated(from, to string) happening {
	return func(ctx context.Context, h handler.Funcs, q queue) {
		h.UpdateFunc(ctx, event.UpdateEvent{ObjectOld: at(from), ObjectNew: at(to)}, q)
	}
}

func created(version string, initial bool) happening {
	return func(ctx context.Context, h handler.Funcs, q queue) {
		h.CreateFunc(ctx, event.CreateEvent{Object: at(version), IsInInitialList: initial}, q)
	}
}

func deleted(version string, missed bool) happening {
	return func(ctx context.Context, h handler.Funcs, q queue) {
		h.DeleteFunc(ctx, event.DeleteEvent{Object: at(version), DeleteStateUnknown: missed}, q)
	}
}

func TestLooksAtOneSecretSlowDown(t *testing.T) {
	t.Parallel()
	touched, key := NewTouched(), types.NamespacedName{Namespace: "shop", Name: watched}
	now := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	var waits []time.Duration
	look := func() {
		touched.mark(key, "")
		wait, ok := touched.wait(key, now)
		if !ok {
			t.Fatal("an event asks for no look")
		}
		waits = append(waits, wait)
		now = now.Add(wait)
		touched.take(key, now)
		if _, again := touched.wait(key, now); again {
			t.Fatal("the mark is still there after the look")
		}
	}
	for range 11 {
		look()
	}
	now = now.Add(calm + time.Second)
	look()
	look()
	var want []time.Duration
	for _, seconds := range []int{0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 0, 1} {
		want = append(want, time.Duration(seconds)*time.Second)
	}
	if diff := cmp.Diff(want, waits); diff != "" {
		t.Errorf("waits of a Secret that is edited all the time, and then left alone (-want +got):\n%s", diff)
	}
}

func TestALookThatSawNothingIsTriedAgain(t *testing.T) {
	t.Parallel()
	touched, key := NewTouched(), types.NamespacedName{Namespace: "shop", Name: watched}
	now := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	touched.mark(key, "7")
	touched.take(key, now)()
	if wait, ok := touched.wait(key, now); !ok || wait != firstGap {
		t.Errorf("after a look that failed: %v, %v", wait, ok)
	}
	touched.forget(key)
	if _, ok := touched.wait(key, now); ok || len(touched.held) > 0 {
		t.Error("what is forgotten is still held")
	}
	var off *Touched
	off.forget(key)
	off.take(key, now)()
	if _, ok := off.wait(key, now); ok {
		t.Error("without a watch something was touched")
	}
}

func TestTheCacheHoldsNamesOnly(t *testing.T) {
	t.Parallel()
	byObject, err := WatchedSecrets()
	if err != nil || len(byObject) != 1 {
		t.Fatal(byObject, err)
	}
	for object, held := range byObject {
		if _, metadata := object.(*metav1.PartialObjectMetadata); !metadata {
			t.Errorf("the cache holds %T", object)
		}
		labelled, foreign := labels.Set{"secrets-store.sync.x-k8s.io": ""}, labels.Set{"app": "shop"}
		if !held.Label.Matches(labelled) || held.Label.Matches(foreign) {
			t.Errorf("the selection is %s", held.Label)
		}
		whole := at("7")
		whole.UID = "u"
		whole.Annotations = map[string]string{corev1.LastAppliedConfigAnnotation: `{"data":{"k":"Y2FuYXJ5"}}`}
		whole.Labels = map[string]string{"team": "canary"}
		whole.ManagedFields = []metav1.ManagedFieldsEntry{{Manager: "kubectl"}}
		kept, err := held.Transform(whole)
		if err != nil {
			t.Fatal(err)
		}
		want := at("7")
		want.UID = "u"
		if diff := cmp.Diff(client.Object(want), kept); diff != "" {
			t.Errorf("what is kept (-want +got):\n%s", diff)
		}
	}
}
