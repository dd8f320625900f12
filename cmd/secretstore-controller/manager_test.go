package main

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"secretstore/api/secretsync/v1alpha1"
)

// TestTheCachesHoldNoManagedFields also holds the caches to watching Secrets only where it was asked for.
func TestTheCachesHoldNoManagedFields(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		reason string
		opts   options
		kinds  int
	}{
		"Look":  {"no kind has rules of its own, as Secrets are in no cache", options{}, 0},
		"Watch": {"Secrets have, and nothing else", options{watchSecrets: true, namespaces: []string{"a"}}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cached, err := cacheOptions(tc.opts)
			if err != nil {
				t.Fatal(err)
			}
			s := &v1alpha1.SecretSync{ObjectMeta: metav1.ObjectMeta{ManagedFields: []metav1.ManagedFieldsEntry{{Manager: "kubectl"}}}}
			if _, err := cached.DefaultTransform(s); err != nil || s.ManagedFields != nil {
				t.Errorf("managed fields are kept: %v, %v", s.ManagedFields, err)
			}
			if len(cached.ByObject) != tc.kinds || len(cached.DefaultNamespaces) != len(tc.opts.namespaces) {
				t.Errorf("%s: %d kinds, %d namespaces", tc.reason, len(cached.ByObject), len(cached.DefaultNamespaces))
			}
			for object, held := range cached.ByObject {
				if kind := object.GetObjectKind().GroupVersionKind(); kind != corev1.SchemeGroupVersion.WithKind("Secret") || held.Transform == nil || held.Label == nil {
					t.Errorf("%s: of %s everything is held", tc.reason, kind)
				}
			}
		})
	}
}
