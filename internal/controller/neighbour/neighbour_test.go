package neighbour_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/events"
	clocktesting "k8s.io/utils/clock/testing"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"

	"secretstore/api/secretsync/v1alpha1"
	"secretstore/internal/controller/neighbour"
)

// noon is when the other controller wrote last.
func noon() time.Time { return time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC) }

func moment(after time.Duration) *metav1.Time { return &metav1.Time{Time: noon().Add(after)} }

// ourDigest is a digest as this controller writes it.
const ourDigest = "hmac-sha256:00000000:c0ffee"

// wrote is a managed fields entry of a status.
func wrote(manager string, after time.Duration) metav1.ManagedFieldsEntry {
	return metav1.ManagedFieldsEntry{Manager: manager, Subresource: "status", Time: moment(after)}
}

func TestSecretSync(t *testing.T) {
	t.Parallel()
	theirs := v1alpha1.SecretSyncStatus{
		Conditions: []metav1.Condition{{Type: "Create", Status: "True", Reason: "CreateSucceeded"}}, SyncHash: "c0ffee",
		LastSuccessfulSyncTime: moment(0),
	}
	by := []metav1.ManagedFieldsEntry{wrote("us", -time.Hour), wrote("sse", 0), {Manager: "kubectl", Time: moment(time.Hour)}}
	for name, tc := range map[string]struct {
		reason string
		status v1alpha1.SecretSyncStatus
		fields []metav1.ManagedFieldsEntry
		adopt  time.Duration // after noon; 0 for never
		want   neighbour.Finding
	}{
		"New":     {"without a status it is nobody's", v1alpha1.SecretSyncStatus{}, nil, 0, neighbour.Finding{Whose: neighbour.Nobodys}},
		"Emptied": {"an empty list is no status", v1alpha1.SecretSyncStatus{Conditions: []metav1.Condition{}}, nil, 0, neighbour.Finding{Whose: neighbour.Nobodys}},
		"Ours": {
			"ours says when it was checked",
			v1alpha1.SecretSyncStatus{LastCheckTime: moment(0), SyncHash: ourDigest},
			by, 0,
			neighbour.Finding{Whose: neighbour.Ours},
		},
		"OursFailed": {"also before the first success", v1alpha1.SecretSyncStatus{LastCheckTime: moment(0)}, by, 0, neighbour.Finding{Whose: neighbour.Ours}},
		"Theirs":     {"theirs does not; who and when is said", theirs, by, 0, neighbour.Finding{Whose: neighbour.Anothers, Manager: "sse", Time: noon()}},
		"TheirsBare": {"one that lost its managed fields is theirs too", theirs, nil, 0, neighbour.Finding{Whose: neighbour.Anothers}},
		"TheirsFailed": {
			"a status with a failure only",
			v1alpha1.SecretSyncStatus{Conditions: []metav1.Condition{{Type: "Create", Status: "Unknown"}}},
			by, 0,
			neighbour.Finding{Whose: neighbour.Anothers, Manager: "sse", Time: noon()},
		},
		"TakenByUpdate": {
			"their update drops the time of our check and keeps our digest",
			v1alpha1.SecretSyncStatus{SyncHash: ourDigest},
			by, 0,
			neighbour.Finding{Whose: neighbour.Anothers, Manager: "sse", Time: noon()},
		},
		"TakenByPatch": {
			"a patch keeps the time and replaces the digest",
			v1alpha1.SecretSyncStatus{LastCheckTime: moment(0), SyncHash: "c0ffee"},
			by, 0,
			neighbour.Finding{Whose: neighbour.Anothers, Manager: "sse", Time: noon()},
		},
		"Given":      {"written before the moment that was named", theirs, by, time.Second, neighbour.Finding{Whose: neighbour.Ours}},
		"GivenBare":  {"as is what says no time", theirs, nil, time.Second, neighbour.Finding{Whose: neighbour.Ours}},
		"StillThere": {"but not what was written after it", theirs, by, -time.Second, neighbour.Finding{Whose: neighbour.Anothers, Manager: "sse", Time: noon()}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var rule neighbour.Rule
			if tc.adopt != 0 {
				rule.AdoptWrittenBefore = noon().Add(tc.adopt)
			}
			sync := &v1alpha1.SecretSync{ObjectMeta: metav1.ObjectMeta{ManagedFields: tc.fields}, Status: tc.status}
			if diff := cmp.Diff(tc.want, rule.SecretSync(sync)); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tc.reason, diff)
			}
		})
	}
}

// harness is a guard with what it looks at and talks to.
type harness struct {
	*neighbour.Guard
	events *events.FakeRecorder
	left   int
}

func newHarness(t *testing.T, objects ...client.Object) *harness {
	t.Helper()
	scheme := runtime.NewScheme()
	if err := v1alpha1.AddToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	h := &harness{events: events.NewFakeRecorder(10)}
	reader := fake.NewClientBuilder().WithScheme(scheme).WithObjects(objects...).
		WithIndex(&v1alpha1.SecretSync{}, neighbour.IndexName, neighbour.Rule{}.Index).Build()
	h.Guard = &neighbour.Guard{
		Reader: reader, Recorder: h.events, Clock: clocktesting.NewFakePassiveClock(noon()), Count: func(n int) { h.left = n },
	}
	return h
}

func named(name string, status v1alpha1.SecretSyncStatus) *v1alpha1.SecretSync {
	return &v1alpha1.SecretSync{
		ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: name, CreationTimestamp: *moment(-20 * time.Second)}, Status: status,
	}
}

func TestANewcomerIsLeftForAMinuteToWhoIsAtWork(t *testing.T) {
	t.Parallel()
	ours := named("a", v1alpha1.SecretSyncStatus{LastCheckTime: moment(0)})
	theirs := named("b", v1alpha1.SecretSyncStatus{SyncHash: "c0ffee"})
	for name, tc := range map[string]struct {
		reason string
		others []client.Object
		age    time.Duration
		want   time.Duration
	}{
		"Alone":   {"nobody else is there", []client.Object{ours}, 20 * time.Second, 0},
		"Beside":  {"the rest of the minute", []client.Object{ours, theirs}, 20 * time.Second, 40 * time.Second},
		"Over":    {"nobody took it", []client.Object{theirs}, time.Minute, 0},
		"LongAgo": {"nor will", []client.Object{theirs}, time.Hour, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHarness(t, tc.others...)
			sync := named("new", v1alpha1.SecretSyncStatus{})
			sync.CreationTimestamp = *moment(-tc.age)
			leave, again, err := h.Leave(t.Context(), sync, h.SecretSync(sync))
			if err != nil || leave != (tc.want > 0) || again != tc.want || len(h.events.Events) > 0 {
				t.Errorf("%s: leave %v for %v, %v", tc.reason, leave, again, err)
			}
		})
	}
}

func TestWhatIsLeftAloneIsSaidOnceAndCounted(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.AdoptWrittenBefore = noon().Add(-time.Hour)
	theirs := v1alpha1.SecretSyncStatus{SyncHash: "c0ffee"}
	step := func(reason, name string, status v1alpha1.SecretSyncStatus, leave bool, count, told int) {
		t.Helper()
		sync := named(name, status)
		sync.ManagedFields = []metav1.ManagedFieldsEntry{wrote("sse", 0)}
		got, again, err := h.Leave(t.Context(), sync, h.SecretSync(sync))
		if err != nil || got != leave || again != 0 || h.left != count || len(h.events.Events) != told {
			t.Fatalf("%s: leave %v, again %v, %v; %d left, %d events", reason, got, again, err, h.left, len(h.events.Events))
		}
	}
	step("the first time it is said", "a", theirs, true, 1, 1)
	step("and not again", "a", theirs, true, 1, 1)
	step("of another one too", "b", theirs, true, 2, 2)
	step("ours is none", "a", v1alpha1.SecretSyncStatus{LastCheckTime: moment(0)}, false, 1, 2)
	step("that it was taken again is news", "a", theirs, true, 2, 3)
	h.Forget(client.ObjectKeyFromObject(named("b", theirs)))
	if h.left != 1 {
		t.Errorf("of two, one of which is gone, %d are left", h.left)
	}
	event := <-h.events.Events
	for _, text := range []string{
		"Warning " + v1alpha1.ReasonLeftAlone, `"sse"`, "2026-11-24T12:00:00Z", "not before adoptWrittenBefore (2026-11-24T11:00:00Z)", "stop that controller",
		"docs/guide/adopt.md",
	} {
		if !strings.Contains(event, text) {
			t.Errorf("%q does not say %q", event, text)
		}
	}
}

func TestTransformKeepsWhoWroteStatuses(t *testing.T) {
	t.Parallel()
	whole := wrote("sse", 0)
	whole.FieldsV1, whole.Operation, whole.APIVersion = &metav1.FieldsV1{}, metav1.ManagedFieldsOperationUpdate, "v1"
	sync := named("a", v1alpha1.SecretSyncStatus{})
	sync.ManagedFields = []metav1.ManagedFieldsEntry{{Manager: "kubectl", FieldsV1: &metav1.FieldsV1{}}, whole}
	got, err := neighbour.Transform(sync)
	if err != nil {
		t.Fatal(err)
	}
	want := named("a", v1alpha1.SecretSyncStatus{})
	want.ManagedFields = []metav1.ManagedFieldsEntry{wrote("sse", 0)}
	if diff := cmp.Diff(any(want), got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	gone := cache.DeletedFinalStateUnknown{Key: "shop/a"}
	if got, err := neighbour.Transform(gone); err != nil || got != any(gone) {
		t.Error(errors.Join(err, errors.New("a tombstone does not pass")))
	}
}
