package akvsync

import (
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	ctrl "sigs.k8s.io/controller-runtime"

	"secretstore/api/secretsync/v1alpha1"
	"secretstore/internal/controller/neighbour"
)

// theirs is a SecretSync whose status another controller wrote, owned by an AKVSync if one is given.
func theirs(name string, owner *v1alpha1.AKVSync) *v1alpha1.SecretSync {
	s := &v1alpha1.SecretSync{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}}
	if owner != nil {
		s.ObjectMeta = generated(owner, name)
	}
	s.Status.SyncHash = "c0ffee"
	s.ManagedFields = []metav1.ManagedFieldsEntry{{Manager: "sse", Subresource: "status", Time: &metav1.Time{Time: at()}}}
	return s
}

func TestWhose(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		reason string
		sync   func(*v1alpha1.AKVSync)
		beside func(*v1alpha1.AKVSync) *v1alpha1.SecretSync
		given  bool
		want   neighbour.Whose
	}{
		"New":       {"nobody took it yet", nil, nil, false, neighbour.Nobodys},
		"Ours":      {"our status says of which generation it is", func(s *v1alpha1.AKVSync) { s.Status.ObservedGeneration = 1 }, nil, false, neighbour.Ours},
		"Theirs":    {"another's does not", func(s *v1alpha1.AKVSync) { s.Status.Synced = "1/1" }, nil, false, neighbour.Anothers},
		"Given":     {"what was given is ours", func(s *v1alpha1.AKVSync) { s.Status.Synced = "1/1" }, nil, true, neighbour.Ours},
		"Generated": {"another made SecretSyncs of it", nil, func(s *v1alpha1.AKVSync) *v1alpha1.SecretSync { return theirs("x", s) }, false, neighbour.Anothers},
		"Asked":     {"or does not own what it made", nil, func(*v1alpha1.AKVSync) *v1alpha1.SecretSync { return theirs("a", nil) }, false, neighbour.Anothers},
		"OursBeside": {
			"a SecretSync in the way of ours is a problem of one entry", func(s *v1alpha1.AKVSync) { s.Status.ObservedGeneration = 1 },
			func(*v1alpha1.AKVSync) *v1alpha1.SecretSync { return theirs("a", nil) }, false, neighbour.Ours,
		},
		"OursTaken": {
			"another took over what ours generated", func(s *v1alpha1.AKVSync) { s.Status.ObservedGeneration = 1 },
			func(s *v1alpha1.AKVSync) *v1alpha1.SecretSync { return theirs("a", s) }, false, neighbour.Anothers,
		},
		"GeneratedGiven": {"all that it made is given", nil, func(s *v1alpha1.AKVSync) *v1alpha1.SecretSync { return theirs("a", s) }, true, neighbour.Nobodys},
		"Unrelated":      {"another's SecretSync of another name does not matter", nil, func(*v1alpha1.AKVSync) *v1alpha1.SecretSync { return theirs("b", nil) }, false, neighbour.Nobodys},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			in := input{sync: asking(entry("secret a")), syncs: map[string]*v1alpha1.SecretSync{}}
			if tc.sync != nil {
				tc.sync(in.sync)
			}
			if tc.beside != nil {
				s := tc.beside(in.sync)
				in.syncs[s.Name] = s
			}
			var rule neighbour.Rule
			if tc.given {
				rule.AdoptWrittenBefore = at().Add(time.Minute)
			}
			if got := whose(rule, in); got.Whose != tc.want {
				t.Errorf("%s: %+v, want %d", tc.reason, got, tc.want)
			}
		})
	}
}

// TestWhatAnotherLooksAfterIsLeftAlone reconciles an AKVSync that another controller serves: nothing is written, and that is
// said once.
func TestWhatAnotherLooksAfterIsLeftAlone(t *testing.T) {
	t.Parallel()
	sync := asking(entries("secret a", "secret b")...)
	sync.Status.Conditions = []metav1.Condition{{Type: "Ready", Status: "True", Reason: "Fine"}}
	h := newHarness(t, sync)
	for range 2 {
		result, writes, err := h.reconcile(t)
		if err != nil || result != (ctrl.Result{}) || len(writes) > 0 {
			t.Fatalf("%+v, %v, %v", result, writes, err)
		}
	}
	if event := <-h.events.Events; !strings.HasPrefix(event, "Warning "+v1alpha1.ReasonLeftAlone) || !strings.Contains(event, "adoptWrittenBefore") {
		t.Errorf("the event says %q", event)
	}
	if len(h.events.Events) > 0 {
		t.Errorf("another event: %q", <-h.events.Events)
	}
}

// TestANewAKVSyncWaitsForAnotherAtWork has another controller on the cluster, which is to have the first word.
func TestANewAKVSyncWaitsForAnotherAtWork(t *testing.T) {
	t.Parallel()
	sync := asking(entry("secret a"))
	sync.CreationTimestamp = metav1.NewTime(at().Add(-10 * time.Second))
	other := theirs("other", nil)
	other.ManagedFields = nil // the fake API server takes whole ones only
	h := newHarness(t, sync, other)
	result, writes, err := h.reconcile(t)
	if err != nil || result.RequeueAfter != 50*time.Second || len(writes) > 0 {
		t.Fatalf("%+v, %v, %v", result, writes, err)
	}
}
