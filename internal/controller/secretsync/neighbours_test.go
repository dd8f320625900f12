package secretsync

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"
	"sigs.k8s.io/controller-runtime/pkg/event"

	"secretstore/api/secretsync/v1alpha1"
	"secretstore/internal/controller/neighbour"
)

func TestChangedHands(t *testing.T) {
	t.Parallel()
	ours := v1alpha1.SecretSyncStatus{LastCheckTime: &metav1.Time{Time: time.Unix(1, 0)}}
	later := v1alpha1.SecretSyncStatus{LastCheckTime: &metav1.Time{Time: time.Unix(2, 0)}}
	theirs := v1alpha1.SecretSyncStatus{SyncHash: "c0ffee"}
	for name, tc := range map[string]struct {
		reason     string
		was, is    v1alpha1.SecretSyncStatus
		reconciled bool
	}{
		"Taken":    {"another took it over, which is to be told", ours, theirs, true},
		"NewTaken": {"or has the first word", v1alpha1.SecretSyncStatus{}, theirs, true},
		"Theirs":   {"what it writes after that is its own affair", theirs, theirs, false},
		"Ours":     {"as is our own", ours, later, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := event.UpdateEvent{ObjectOld: &v1alpha1.SecretSync{Status: tc.was}, ObjectNew: &v1alpha1.SecretSync{Status: tc.is}}
			if got := changedHands(neighbour.Rule{}).Update(e); got != tc.reconciled {
				t.Errorf("%s: reconciled %v", tc.reason, got)
			}
		})
	}
}

func TestInherited(t *testing.T) {
	t.Parallel()
	update := metav1.Condition{Type: v1alpha1.ConditionUpdate, Status: metav1.ConditionTrue, Reason: "SecretUpToDate"}
	before := v1alpha1.SecretSyncStatus{
		SyncHash:   "c0ffee",
		Conditions: []metav1.Condition{{Type: "Unknown", Status: metav1.ConditionUnknown, Reason: "Unknown"}, update},
	}
	want := v1alpha1.SecretSyncStatus{Conditions: []metav1.Condition{update}}
	if diff := cmp.Diff(want, inherited(before)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if before.SyncHash == "" || before.Conditions[0].Type != "Unknown" {
		t.Error("what the cache holds was changed")
	}
	ours := v1alpha1.SecretSyncStatus{SyncHash: "hmac-sha256:00000000:c0ffee", Conditions: []metav1.Condition{update}}
	if diff := cmp.Diff(ours, inherited(ours)); diff != "" {
		t.Errorf("our own (-want +got):\n%s", diff)
	}
}

// TestAStatusIsWrittenOntoWhatWasSeen: the patch carries the version, and is refused if the object is another one by then. It
// says what differs, and no more.
func TestAStatusIsWrittenOntoWhatWasSeen(t *testing.T) {
	t.Parallel()
	ready := metav1.Condition{Type: v1alpha1.ConditionReady, Status: metav1.ConditionTrue, Reason: "Synced"}
	stale := ready
	stale.Reason = "Stale"
	const isStale = `[{"type":"Ready","status":"True","lastTransitionTime":null,"reason":"Stale","message":""}]`
	was := v1alpha1.SecretSyncStatus{
		SyncHash: "old", ObservedInputs: "same", ObservedForceSynchronization: "1", Conditions: []metav1.Condition{ready},
	}
	for name, tc := range map[string]struct {
		reason string
		change func(*v1alpha1.SecretSyncStatus)
		want   string
	}{
		"Changed": {"what is another text is written", func(s *v1alpha1.SecretSyncStatus) { s.SyncHash = "new" }, `{"syncHash":"new"}`},
		"Dropped": {"what is not any more is taken away", func(s *v1alpha1.SecretSyncStatus) {
			s.ObservedForceSynchronization = ""
		}, `{"observedForceSynchronization":null}`},
		"Condition": {"a list is written as a whole", func(s *v1alpha1.SecretSyncStatus) {
			s.Conditions = []metav1.Condition{stale}
		}, `{"conditions":` + isStale + `}`},
		"NoCondition": {"or taken away", func(s *v1alpha1.SecretSyncStatus) { s.Conditions = nil }, `{"conditions":null}`},
		"Time": {"a time is a text", func(s *v1alpha1.SecretSyncStatus) {
			s.LastCheckTime = &metav1.Time{Time: time.Unix(1, 0).UTC()}
		}, `{"lastCheckTime":"1970-01-01T00:00:01Z"}`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sync := &v1alpha1.SecretSync{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "app", ResourceVersion: "7"}, Status: was}
			status := *was.DeepCopy()
			tc.change(&status)
			patch, err := statusPatch(sync, status)
			if err != nil {
				t.Fatal(err)
			}
			got, err := patch.Data(sync)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(`{"metadata":{"resourceVersion":"7"},"status":`+tc.want+`}`, string(got)); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tc.reason, diff)
			}
			if diff := cmp.Diff(was, sync.Status); diff != "" {
				t.Errorf("the status that the cache holds was changed:\n%s", diff)
			}
		})
	}
}

// TestTheAnswerToAStatusIsMetadata: nothing but the version is read of it.
func TestTheAnswerToAStatusIsMetadata(t *testing.T) {
	t.Parallel()
	var asked client.Object
	var refusal error
	writer := interceptor.NewClient(nil, interceptor.Funcs{
		SubResourcePatch: func(_ context.Context, _ client.Client, resource string, o client.Object, _ client.Patch, _ ...client.SubResourcePatchOption) error {
			asked = o.DeepCopyObject().(client.Object)
			o.SetResourceVersion("8")
			if resource != "status" {
				t.Errorf("it patches %s", resource)
			}
			return refusal
		},
	})
	r := &Reconciler{Client: writer}
	sync := &v1alpha1.SecretSync{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "app", ResourceVersion: "7"}}
	version, err := r.writeStatus(t.Context(), sync, v1alpha1.SecretSyncStatus{SyncHash: "new"})
	if version != "8" || err != nil {
		t.Errorf("it gives the version %q, %v", version, err)
	}
	want := &metav1.PartialObjectMetadata{
		TypeMeta:   metav1.TypeMeta{APIVersion: v1alpha1.GroupVersion().String(), Kind: "SecretSync"},
		ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "app"},
	}
	if diff := cmp.Diff(client.Object(want), asked); diff != "" {
		t.Errorf("asked for (-want +got):\n%s", diff)
	}
	refusal = apierrors.NewConflict(schema.GroupResource{}, "app", nil)
	if _, err := r.writeStatus(t.Context(), sync, v1alpha1.SecretSyncStatus{}); !apierrors.IsConflict(err) {
		t.Errorf("a conflict becomes %v", err)
	}
}
