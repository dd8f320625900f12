package secretsync

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
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

// TestAStatusIsWrittenOntoWhatWasSeen: the patch carries the version, and is refused if the object is another one by then.
func TestAStatusIsWrittenOntoWhatWasSeen(t *testing.T) {
	t.Parallel()
	before := &v1alpha1.SecretSync{ObjectMeta: metav1.ObjectMeta{ResourceVersion: "7"}, Status: v1alpha1.SecretSyncStatus{SyncHash: "old"}}
	after := before.DeepCopy()
	after.Status.SyncHash = "new"
	got, err := statusPatch(before).Data(after)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(`{"metadata":{"resourceVersion":"7"},"status":{"syncHash":"new"}}`, string(got)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
