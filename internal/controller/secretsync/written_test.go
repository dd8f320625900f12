package secretsync

import (
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"secretstore/api/secretsync/v1alpha1"
)

func TestWritten(t *testing.T) {
	t.Parallel()
	name := types.NamespacedName{Namespace: "n", Name: "a"}
	at := func(version string) *v1alpha1.SecretSync {
		return &v1alpha1.SecretSync{ObjectMeta: metav1.ObjectMeta{ResourceVersion: version}}
	}
	for name2, tc := range map[string]struct {
		reason string
		wrote  string
		cached string
		behind bool
	}{
		"Never":   {"what was never written is as it is", "", "5", false},
		"Older":   {"the cache has not seen the write", "10", "9", true},
		"Same":    {"it has", "10", "10", false},
		"Newer":   {"and more", "9", "10", false},
		"Unknown": {"versions without an order are not waited for", "abc", "5", false},
	} {
		t.Run(name2, func(t *testing.T) {
			t.Parallel()
			var w written
			if tc.wrote != "" {
				w.note(name, tc.wrote)
			}
			if got := w.behind(name, at(tc.cached)); got != tc.behind {
				t.Errorf("%s: behind = %v", tc.reason, got)
			}
			w.forget(name)
			if w.behind(name, at("1")) {
				t.Error("a SecretSync that is gone is waited for")
			}
		})
	}
}
