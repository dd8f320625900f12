package akvsync

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	spcv1 "sigs.k8s.io/secrets-store-csi-driver/apis/v1"

	"secretstore/api/secretsync/v1alpha1"
)

// TestClaims puts an object in the place of a class or of a SecretSync: it stays, and is said to.
func TestClaims(t *testing.T) {
	t.Parallel()
	owner := func(kind, name, uid string) []metav1.OwnerReference {
		controller := true
		return []metav1.OwnerReference{{
			APIVersion: "secret-sync.x-k8s.io/v1alpha1", Kind: kind, Name: name, UID: types.UID(uid), Controller: &controller,
		}}
	}
	now := metav1.Now()
	for name, tc := range map[string]struct {
		reason string
		meta   metav1.ObjectMeta
		says   string
		// pending says that it is a matter of time.
		pending bool
	}{
		"Nobodys":      {"what nobody owns was made by hand", metav1.ObjectMeta{}, "did not make; it is left alone. Delete it (kubectl delete KIND -n shop", false},
		"Labelled":     {"a label is no proof", metav1.ObjectMeta{Labels: map[string]string{"secret-sync.x-k8s.io/akvsync": "all"}}, "did not make", false},
		"AnotherKinds": {"nor is a name", metav1.ObjectMeta{OwnerReferences: owner("Application", "all", "uid-1x")}, "did not make", false},
		"Anothers":     {"it is said whose it is", metav1.ObjectMeta{OwnerReferences: owner("AKVSync", "other", "uid-2")}, "belongs to AKVSync other and is left alone", false},
		"AnEarlier":    {"one that was deleted takes its objects with it", metav1.ObjectMeta{OwnerReferences: owner("AKVSync", "all", "uid-0")}, "is being deleted; it is made anew when it is gone", true},
		"Going":        {"what goes cannot be changed", metav1.ObjectMeta{OwnerReferences: owner("AKVSync", "all", "uid-1"), DeletionTimestamp: &now}, "is being deleted", true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			reason := v1alpha1.ReasonUserInputValidationFailed
			if tc.pending {
				reason = v1alpha1.ReasonPending
			}
			tc.meta.Namespace = namespace
			check := func(kind, cure string, p plan, s int) {
				got := p.secrets[s].problem
				if got == nil || got.reason != reason || !strings.Contains(got.message, strings.ReplaceAll(tc.says, "KIND", strings.ToLower(kind))) {
					t.Fatalf("%s: %s: %+v does not say %q", tc.reason, kind, got, tc.says)
				}
				if !tc.pending && !strings.Contains(got.message, cure) {
					t.Errorf("%s: %s: %q does not say %q", tc.reason, kind, got.message, cure)
				}
			}
			w := newWorld("secret a", "secret b")
			w.class = &spcv1.SecretProviderClass{ObjectMeta: tc.meta}
			w.class.Name = "all"
			p := decide(w.input)
			check("SecretProviderClass", "give the AKVSync another name", p, 0)
			check("SecretProviderClass", "give the AKVSync another name", p, 1)
			if p.class != nil || len(p.changes)+len(p.removals) > 0 {
				t.Errorf("%s: something is done about it: %+v", tc.reason, p)
			}

			w = newWorld("secret a", "secret b")
			theirs := &v1alpha1.SecretSync{ObjectMeta: tc.meta}
			theirs.Name = "a"
			w.syncs["a"] = theirs
			w.step()
			p = decide(w.input)
			check("SecretSync", "set kubernetesSecretName of spec.objects[0]", p, 0)
			if p.secrets[1].problem != nil || len(p.changes) != 1 || p.changes[0].to.GetName() != "b" || len(p.removals) > 0 {
				t.Errorf("%s: the other is not made, or more: %+v", tc.reason, p)
			}
		})
	}
}

func TestMetadataOfOthersStays(t *testing.T) {
	t.Parallel()
	w := newWorld("secret a")
	w.settle(t)
	w.class.Labels = map[string]string{"theirs": "1"}
	w.syncs["a"].Labels = map[string]string{"theirs": "2", "secret-sync.x-k8s.io/akvsync": "not-all"}
	w.syncs["a"].Annotations = map[string]string{"theirs": "3"}
	w.settle(t)
	want := []map[string]string{
		{"theirs": "1", "secret-sync.x-k8s.io/akvsync": "all"}, {"theirs": "2", "secret-sync.x-k8s.io/akvsync": "all"}, {"theirs": "3"},
	}
	if diff := cmp.Diff(want, []map[string]string{w.class.Labels, w.syncs["a"].Labels, w.syncs["a"].Annotations}); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestALongNameHasNoLabel(t *testing.T) {
	t.Parallel()
	w := newWorld("secret a")
	w.sync.Name = strings.Repeat("n", 64)
	w.settle(t)
	if len(w.class.Labels)+len(w.syncs["a"].Labels) > 0 {
		t.Errorf("labels %v, %v: the name is no label's value", w.class.Labels, w.syncs["a"].Labels)
	}
}
