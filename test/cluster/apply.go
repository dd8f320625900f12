package cluster

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"
)

// fieldManager owns what this package applies.
const fieldManager = "test-cluster"

// establishTimeout bounds the wait for a definition's resources to be served.
const establishTimeout = 30 * time.Second

// Apply applies every document of the YAML streams, in order, as the administrator. A namespaced object without a
// namespace goes to "default". It returns when the definitions among them are served.
func (c *Cluster) Apply(ctx context.Context, manifests ...[]byte) error {
	var applied []*unstructured.Unstructured
	for _, manifest := range manifests {
		objects, err := decode(manifest)
		if err != nil {
			return err
		}
		for _, object := range objects {
			if err := c.apply(ctx, object); err != nil {
				return fmt.Errorf("applying %s %s: %w", object.GetKind(), object.GetName(), err)
			}
		}
		applied = append(applied, objects...)
	}
	for _, object := range applied {
		if object.GetKind() == "CustomResourceDefinition" {
			if err := c.awaitEstablished(ctx, object.GetName()); err != nil {
				return fmt.Errorf("waiting for definition %s: %w", object.GetName(), err)
			}
		}
	}
	return nil
}

// apply applies one object.
func (c *Cluster) apply(ctx context.Context, object *unstructured.Unstructured) error {
	namespaced, err := c.client.IsObjectNamespaced(object)
	if err != nil {
		return fmt.Errorf("looking up its kind: %w", err)
	}
	if namespaced && object.GetNamespace() == "" {
		object.SetNamespace(metav1.NamespaceDefault)
	}
	return c.client.Apply(ctx, client.ApplyConfigurationFromUnstructured(object),
		client.FieldOwner(fieldManager), client.ForceOwnership)
}

// awaitEstablished waits until the API server serves a definition's resources.
func (c *Cluster) awaitEstablished(ctx context.Context, name string) error {
	ctx, cancel := context.WithTimeout(ctx, establishTimeout)
	defer cancel()
	return await(ctx, func() (bool, error) {
		var crd apiextensionsv1.CustomResourceDefinition
		if err := c.client.Get(ctx, client.ObjectKey{Name: name}, &crd); err != nil {
			return false, err
		}
		for _, condition := range crd.Status.Conditions {
			if condition.Type == apiextensionsv1.Established && condition.Status == apiextensionsv1.ConditionTrue {
				return true, nil
			}
		}
		return false, fmt.Errorf("not established: %v", crd.Status.Conditions)
	})
}

// newClient makes the administrator's client, which knows Kubernetes' own kinds and definitions.
func newClient(cfg *rest.Config) (client.Client, error) {
	kinds := runtime.NewScheme()
	if err := errors.Join(scheme.AddToScheme(kinds), apiextensionsv1.AddToScheme(kinds)); err != nil {
		return nil, fmt.Errorf("registering kinds: %w", err)
	}
	c, err := client.New(cfg, client.Options{Scheme: kinds})
	if err != nil {
		return nil, fmt.Errorf("making the administrator's client: %w", err)
	}
	return c, nil
}

// decode splits a YAML stream into objects; documents that hold comments only are left out.
func decode(manifest []byte) ([]*unstructured.Unstructured, error) {
	reader := utilyaml.NewYAMLReader(bufio.NewReader(bytes.NewReader(manifest)))
	var objects []*unstructured.Unstructured
	for {
		document, err := reader.Read()
		if errors.Is(err, io.EOF) {
			return objects, nil
		}
		if err != nil {
			return nil, fmt.Errorf("splitting manifests: %w", err)
		}
		object := &unstructured.Unstructured{}
		if err := yaml.Unmarshal(document, &object.Object); err != nil {
			return nil, fmt.Errorf("decoding a manifest: %w", err)
		}
		if len(object.Object) > 0 {
			objects = append(objects, object)
		}
	}
}

// Namespace makes a namespace of its own for a test and returns its name, when its default service account exists.
// Nobody deletes it: the cluster goes as a whole.
func (c *Cluster) Namespace(t testing.TB) string {
	t.Helper()
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "test-"}}
	if err := c.client.Create(t.Context(), namespace); err != nil {
		t.Fatalf("making a namespace: %v", err)
	}
	key := client.ObjectKey{Namespace: namespace.Name, Name: "default"}
	Eventually(t, establishTimeout, func() error {
		return c.client.Get(t.Context(), key, &corev1.ServiceAccount{})
	})
	return namespace.Name
}

// publishIssuer lets anyone read the issuer's discovery document and keys, as managed clusters with workload identity do.
func (c *Cluster) publishIssuer(ctx context.Context) error {
	binding := &rbacv1.ClusterRoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: "service-account-issuer-discovery-for-anyone"},
		RoleRef: rbacv1.RoleRef{
			APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "system:service-account-issuer-discovery",
		},
		Subjects: []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: rbacv1.GroupKind, Name: "system:unauthenticated"}},
	}
	if err := c.client.Create(ctx, binding); err != nil {
		return fmt.Errorf("binding the discovery role: %w", err)
	}
	return nil
}
