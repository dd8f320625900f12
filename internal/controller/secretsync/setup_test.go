package secretsync

import (
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"
	clocktesting "k8s.io/utils/clock/testing"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	spcv1 "sigs.k8s.io/secrets-store-csi-driver/apis/v1"

	"secretstore/api/secretsync/v1alpha1"
)

// TestWhatIsThereAtTheStartIsNoNews: a check after an answer from before the news is done once more. The first answers after a start
// serve many, while the handlers still see one SecretSync after the other.
func TestWhatIsThereAtTheStartIsNoNews(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	for name, tc := range map[string]struct {
		reason   string
		initial  bool
		observed int64
		want     time.Time
	}{
		"Listed":  {"whatever the vault is asked, it is asked later", true, 0, time.Time{}},
		"Made":    {"an answer may be from before", false, 0, now},
		"Checked": {"one that comes into view again was checked as it is", false, 1, time.Time{}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := &Reconciler{Memory: &Memory{}, Clock: clocktesting.NewFakePassiveClock(now)}
			queue := workqueue.NewTypedRateLimitingQueue(workqueue.DefaultTypedControllerRateLimiter[reconcile.Request]())
			defer queue.ShutDown()
			sync := &v1alpha1.SecretSync{}
			sync.Namespace, sync.Name, sync.Generation, sync.Status.ObservedGeneration = "shop", "app", 1, tc.observed
			r.syncHandler().Create(t.Context(), event.CreateEvent{Object: sync, IsInInitialList: tc.initial}, queue)
			if got := r.Memory.recall(types.NamespacedName{Namespace: "shop", Name: "app"}).news; !got.Equal(tc.want) {
				t.Errorf("%s: the news is of %v, want %v", tc.reason, got, tc.want)
			}
			if queue.Len() != 1 {
				t.Errorf("%d are to be checked", queue.Len())
			}
		})
	}
}

// TestClassesAndAccountsOfTheStartRunNobody: the SecretSyncs of a class or an account are in the queue themselves. (There is no client
// here that they could be looked up with.)
func TestClassesAndAccountsOfTheStartRunNobody(t *testing.T) {
	t.Parallel()
	r := &Reconciler{Memory: &Memory{}, Clock: clocktesting.NewFakePassiveClock(time.Time{})}
	queue := workqueue.NewTypedRateLimitingQueue(workqueue.DefaultTypedControllerRateLimiter[reconcile.Request]())
	defer queue.ShutDown()
	account := &metav1.PartialObjectMetadata{}
	r.classHandler().Create(t.Context(), event.CreateEvent{Object: &spcv1.SecretProviderClass{}, IsInInitialList: true}, queue)
	r.accountHandler().Create(t.Context(), event.CreateEvent{Object: account, IsInInitialList: true}, queue)
	if queue.Len() != 0 {
		t.Errorf("%d are to be checked", queue.Len())
	}
}

// TestTheScheduleBeginsWithTheController: a replica may wait for its turn for long.
func TestTheScheduleBeginsWithTheController(t *testing.T) {
	t.Parallel()
	clock := clocktesting.NewFakePassiveClock(time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC))
	r := &Reconciler{Clock: clock}
	clock.SetTime(clock.Now().Add(time.Hour))
	if err := r.keepQueue(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	if !r.Schedule.Since.Equal(clock.Now()) {
		t.Errorf("what was due before %v is spread, though the controller begins at %v", r.Schedule.Since, clock.Now())
	}
}
