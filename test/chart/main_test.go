package chart_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"
	spcv1 "sigs.k8s.io/secrets-store-csi-driver/apis/v1"

	"secretstore/api/secretsync/v1alpha1"
	"secretstore/internal/kube"
	"secretstore/test/chart"
	"secretstore/test/cluster"
)

// patience is how long a condition may take to come true. The API server looks for changed policies once a second.
const patience = 30 * time.Second

// shared is the one control plane of this package's tests, with the chart installed. Tests run one after the other, as some take
// policies away.
var shared *cluster.Cluster

func TestMain(m *testing.M) {
	log.SetLogger(logr.Discard())
	crds, err := cluster.Manifests("charts/secretstore/crds/*.yaml")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(cluster.Shared(installed{m}, cluster.Options{Manifests: crds}, &shared))
}

// installed installs the chart before the tests run.
type installed struct{ m *testing.M }

func (i installed) Run() int {
	ctx := context.Background()
	manifests, err := chart.Install(ctx, shared.Config(), values())
	if err == nil {
		err = shared.Apply(ctx, namespace(chart.Namespace), manifests)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "installing the chart:", err)
		return 1
	}
	return i.m.Run()
}

func namespace(name string) []byte {
	return fmt.Appendf(nil, "{apiVersion: v1, kind: Namespace, metadata: {name: %s}}", name)
}

// values are the least that the chart needs, with settings: pairs of a name and a value.
func values(settings ...any) map[string]any {
	v := map[string]any{"image": map[string]any{"repository": "registry.example/secretstore-controller"}}
	for pair := range slices.Chunk(settings, 2) {
		v[pair[0].(string)] = pair[1]
	}
	return v
}

// render renders the chart for a present Kubernetes that is not there, and decodes what comes out.
func render(t *testing.T, v map[string]any) []unstructured.Unstructured {
	t.Helper()
	return decode(t, must(chart.Release{Namespace: "there", Kubernetes: "v1.34.4"}.Render(t.Context(), v))(t))
}

// must is for calls that must not fail: must(call())(t).
func must[T any](value T, err error) func(*testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return value
	}
}

func decode(t *testing.T, manifests []byte) []unstructured.Unstructured {
	t.Helper()
	decoder := yaml.NewYAMLOrJSONDecoder(bytes.NewReader(manifests), len(manifests))
	var objects []unstructured.Unstructured
	for {
		var object unstructured.Unstructured
		err := decoder.Decode(&object.Object)
		if errors.Is(err, io.EOF) {
			return objects
		}
		if err != nil {
			t.Fatal(err)
		}
		if len(object.Object) > 0 {
			objects = append(objects, object)
		}
	}
}

// names lists the objects of the kinds, as "namespace/name".
func names(objects []unstructured.Unstructured, kinds ...string) []string {
	var found []string
	for _, object := range objects {
		if slices.Contains(kinds, object.GetKind()) {
			found = append(found, object.GetNamespace()+"/"+object.GetName())
		}
	}
	return found
}

// find returns the only object of a kind, as its type.
func find[T any](t *testing.T, objects []unstructured.Unstructured, kind string) T {
	t.Helper()
	var found []T
	for _, object := range objects {
		if object.GetKind() != kind {
			continue
		}
		var typed T
		if err := runtime.DefaultUnstructuredConverter.FromUnstructuredWithValidation(object.Object, &typed, true); err != nil {
			t.Fatal(err)
		}
		found = append(found, typed)
	}
	if len(found) != 1 {
		t.Fatalf("%d objects of kind %s", len(found), kind)
	}
	return found[0]
}

// newClient makes a client for all kinds in use here.
func newClient(t *testing.T, config *rest.Config) client.Client {
	t.Helper()
	kinds := runtime.NewScheme()
	if err := errors.Join(scheme.AddToScheme(kinds), v1alpha1.AddToScheme(kinds), spcv1.AddToScheme(kinds)); err != nil {
		t.Fatal(err)
	}
	return must(client.New(config, client.Options{Scheme: kinds, FieldOwner: kube.FieldManager}))(t)
}

// controllerConfig is the controller's way into the cluster, as installed in a namespace.
func controllerConfig(t *testing.T, namespace string) *rest.Config {
	t.Helper()
	return must(shared.ServiceAccountConfig(t.Context(), namespace, chart.Account))(t)
}

// room is a namespace with a tenant's objects, seen by the administrator and by the controller.
type room struct {
	namespace         string
	admin, controller client.Client
}

func newRoom(t *testing.T) room {
	t.Helper()
	return room{
		namespace: shared.Namespace(t), admin: newClient(t, shared.Config()),
		controller: newClient(t, controllerConfig(t, chart.Namespace)),
	}
}

func (r room) create(t *testing.T, objects ...client.Object) {
	t.Helper()
	for _, object := range objects {
		object.SetNamespace(r.namespace)
		if err := r.admin.Create(t.Context(), object); err != nil {
			t.Fatal(err)
		}
	}
}

// sync makes a SecretSync and returns the reference to it that its Secret should have.
func (r room) sync(t *testing.T, name string, owners ...metav1.OwnerReference) metav1.OwnerReference {
	t.Helper()
	s := &v1alpha1.SecretSync{
		ObjectMeta: metav1.ObjectMeta{Name: name, OwnerReferences: owners},
		Spec: v1alpha1.SecretSyncSpec{
			SecretProviderClassName: "class", ServiceAccountName: "default",
			SecretObject: v1alpha1.SecretObject{Data: []v1alpha1.SecretObjectData{{SourcePath: "a", TargetKey: "a"}}},
		},
	}
	r.create(t, s)
	return reference("SecretSync", s)
}

// reference is a controlling owner reference to an object of our kinds.
func reference(kind string, to client.Object) metav1.OwnerReference {
	controller := true
	return metav1.OwnerReference{
		APIVersion: v1alpha1.GroupVersion().String(), Kind: kind, Name: to.GetName(), UID: to.GetUID(), Controller: &controller,
	}
}

// secret is a Secret as the controller makes it, with changes.
func secret(name string, owner metav1.OwnerReference, changes ...func(*corev1.Secret)) *corev1.Secret {
	s := &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{
			Name: name, Labels: map[string]string{v1alpha1.SecretLabel: ""}, OwnerReferences: []metav1.OwnerReference{owner},
		},
		Data: map[string][]byte{"password": []byte(canary)},
	}
	for _, change := range changes {
		change(s)
	}
	return s
}

// canary is the value in tenants' Secrets. Its base64 ends in "=", which no label value may.
const canary = "canary-7f2e"

func mustJSON(value any) []byte {
	text, err := json.Marshal(value)
	if err != nil {
		panic(err)
	}
	return text
}
