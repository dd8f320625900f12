package main

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	spcv1 "sigs.k8s.io/secrets-store-csi-driver/apis/v1"

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

// TestKnownKinds compares with the resources that the definitions and Kubernetes give the kinds.
func TestKnownKinds(t *testing.T) {
	t.Parallel()
	mapper, err := knownKinds(nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	for kind, want := range map[schema.GroupVersionKind]string{
		v1alpha1.GroupVersion().WithKind("SecretSync"):               "secretsyncs",
		v1alpha1.GroupVersion().WithKind("AKVSync"):                  "akvsyncs",
		spcv1.SchemeGroupVersion.WithKind("SecretProviderClass"):     "secretproviderclasses",
		corev1.SchemeGroupVersion.WithKind("ServiceAccount"):         "serviceaccounts",
		corev1.SchemeGroupVersion.WithKind("Secret"):                 "secrets",
		v1alpha1.GroupVersion().WithKind("SecretSyncList"):           "", // for its scope alone
		v1alpha1.GroupVersion().WithKind("AKVSyncList"):              "",
		spcv1.SchemeGroupVersion.WithKind("SecretProviderClassList"): "",
	} {
		mapping, err := mapper.RESTMapping(kind.GroupKind(), kind.Version)
		if err != nil {
			t.Error(err)
			continue
		}
		if want != "" && mapping.Resource != kind.GroupVersion().WithResource(want) {
			t.Errorf("%s is %s", kind, mapping.Resource)
		}
		if mapping.Scope.Name() != meta.RESTScopeNameNamespace {
			t.Errorf("%s is not in namespaces", kind)
		}
	}
}
