package migration_test

import (
	"encoding/base64"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"secretstore/test/migration/estate"
)

const estateDir = "testdata/estate"

// oldPrincipal is the client ID that most namespaces of the estate sign in with.
const oldPrincipal = "01d00000-5555-4666-8777-0000000000bb"

func loadEstate(t *testing.T) []*unstructured.Unstructured {
	t.Helper()
	objects, err := estate.Load(estateDir)
	if err != nil {
		t.Fatal(err)
	}
	return objects
}

// TestEstateIsLargeEnough holds the fixture to what issues ask of it: 80 objects, 25 namespaces on one principal, two vaults.
func TestEstateIsLargeEnough(t *testing.T) {
	objects := loadEstate(t)
	seen := map[string]int{}
	var namespaces, onPrincipal int
	vaults := map[string]bool{}
	for _, object := range objects {
		seen[identity(object)]++
		if object.GetKind() == "Namespace" {
			namespaces++
		}
		if id, _, _ := unstructured.NestedString(object.Object, "stringData", "clientid"); id == oldPrincipal {
			onPrincipal++
		}
		if vault, found, _ := unstructured.NestedString(object.Object, "spec", "parameters", "keyvaultName"); found {
			vaults[vault] = true
		}
	}
	for name, times := range seen {
		if times > 1 {
			t.Errorf("%s is there %d times", name, times)
		}
	}
	if len(objects) < 80 || namespaces < 25 || onPrincipal < 25 || len(vaults) < 2 {
		t.Errorf("%d objects, %d namespaces, %d of them on the old principal, %d vaults", len(objects), namespaces, onPrincipal, len(vaults))
	}
	t.Logf("%d objects, %d namespaces, %d of them on the old principal, %d vaults", len(objects), namespaces, onPrincipal, len(vaults))
}

// TestSecretsHoldCanariesOnly makes sure that whoever looks for "canary" in outputs finds any value that leaked there.
func TestSecretsHoldCanariesOnly(t *testing.T) {
	for _, object := range loadEstate(t) {
		if object.GetKind() != "Secret" {
			continue
		}
		values := map[string]string{}
		plain, _, err := unstructured.NestedStringMap(object.Object, "stringData")
		if err != nil {
			t.Fatal(err)
		}
		maps.Copy(values, plain)
		encoded, _, err := unstructured.NestedStringMap(object.Object, "data")
		if err != nil {
			t.Fatal(err)
		}
		for key, value := range encoded {
			text, err := base64.StdEncoding.DecodeString(value)
			if err != nil {
				t.Fatal(err)
			}
			values[key] = string(text)
		}
		for key, value := range values {
			if key != "clientid" && !strings.Contains(value, "canary") {
				t.Errorf("%s: %s is no canary", estate.Name(object), key)
			}
		}
	}
}

// TestEstateIsAppliedWhole brings the estate to an API server, twice, and looks for every document of it.
func TestEstateIsAppliedWhole(t *testing.T) {
	objects := loadEstate(t)
	uids, err := estate.Apply(t.Context(), shared.Config(), objects)
	if err != nil {
		t.Fatal(err)
	}
	again, err := estate.Apply(t.Context(), shared.Config(), objects)
	if err != nil {
		t.Fatalf("a second time: %v", err)
	}
	if diff := cmp.Diff(uids, again); diff != "" {
		t.Errorf("the second time made objects anew (-first +second):\n%s", diff)
	}
	c, err := client.New(shared.Config(), client.Options{Scheme: scheme.Scheme})
	if err != nil {
		t.Fatal(err)
	}
	live := map[string]*unstructured.Unstructured{}
	for _, object := range objects {
		found := &unstructured.Unstructured{}
		found.SetGroupVersionKind(object.GroupVersionKind())
		if err := c.Get(t.Context(), client.ObjectKeyFromObject(object), found); err != nil {
			t.Errorf("%s: %v", identity(object), err)
			continue
		}
		live[identity(object)] = found
		if want := uids[string(object.GetUID())]; want != "" && string(found.GetUID()) != want {
			t.Errorf("%s has the UID %s, not the %s that its dependents got", estate.Name(object), found.GetUID(), want)
		}
	}
	for _, object := range objects {
		if found := live[identity(object)]; found != nil {
			checkWritten(t, object, found, live)
		}
	}
}

// checkWritten compares what the server holds of an object with its manifest, in what a migration reads.
func checkWritten(t *testing.T, object, found *unstructured.Unstructured, live map[string]*unstructured.Unstructured) {
	t.Helper()
	if text := fmt.Sprint(found.Object); strings.Contains(text, "00000000-0000-4000-8000-") {
		t.Errorf("%s still holds a placeholder", estate.Name(object))
	}
	if diff := cmp.Diff(volumeNames(object), volumeNames(found)); diff != "" {
		t.Errorf("%s has other CSI volumes (-manifest +cluster):\n%s", estate.Name(object), diff)
	}
	if got, want := len(found.GetOwnerReferences()), len(object.GetOwnerReferences()); got != want {
		t.Errorf("%s has %d owners, not %d", estate.Name(object), got, want)
	}
	for _, ref := range found.GetOwnerReferences() {
		namespace := found.GetNamespace()
		if ref.Kind == "Node" {
			namespace = ""
		}
		owner := live[schema.FromAPIVersionAndKind(ref.APIVersion, ref.Kind).String()+" "+namespace+"/"+ref.Name]
		if owner == nil || owner.GetUID() != ref.UID {
			t.Errorf("%s is owned by a %s %s of UID %s, which is not there", estate.Name(object), ref.Kind, ref.Name, ref.UID)
		}
	}
	for _, entry := range object.GetManagedFields() {
		if !slices.ContainsFunc(found.GetManagedFields(), func(f metav1.ManagedFieldsEntry) bool {
			return f.Manager == entry.Manager && f.Operation == entry.Operation
		}) {
			t.Errorf("%s was not written by %s", estate.Name(object), entry.Manager)
		}
	}
}

// volumeNames lists the CSI volumes anywhere in an object and what mounts them in ephemeral containers, in their order.
func volumeNames(object *unstructured.Unstructured) []string {
	var names []string
	walk(object.Object, func(node map[string]any) {
		if csi, is := node["csi"].(map[string]any); is && csi["driver"] == "secrets-store.csi.k8s.io" {
			names = append(names, fmt.Sprint(node["name"], csi["volumeAttributes"], csi["nodePublishSecretRef"], csi["readOnly"]))
		}
		if target, is := node["targetContainerName"]; is {
			names = append(names, fmt.Sprint("debugs ", target, node["volumeMounts"]))
		}
	})
	slices.Sort(names)
	return names
}

// walk visits every mapping of a document.
func walk(node any, visit func(map[string]any)) {
	switch node := node.(type) {
	case map[string]any:
		visit(node)
		for _, child := range node {
			walk(child, visit)
		}
	case []any:
		for _, child := range node {
			walk(child, visit)
		}
	}
}

// identity tells an object from all others of a cluster.
func identity(object *unstructured.Unstructured) string {
	return object.GroupVersionKind().String() + " " + object.GetNamespace() + "/" + object.GetName()
}

// TestMirrorsNameNoSecret records why the estate's static pod has a volume without credentials: with them, the API server
// refuses its mirror, so no cluster shows such a pod.
func TestMirrorsNameNoSecret(t *testing.T) {
	namespace := shared.Namespace(t)
	c, err := client.New(shared.Config(), client.Options{Scheme: scheme.Scheme})
	if err != nil {
		t.Fatal(err)
	}
	mirror := func(name string, creds *corev1.LocalObjectReference) *corev1.Pod {
		return &corev1.Pod{
			ObjectMeta: metav1.ObjectMeta{
				Name: name, Namespace: namespace, Annotations: map[string]string{corev1.MirrorPodAnnotationKey: "x"},
			},
			Spec: corev1.PodSpec{
				NodeName: "arc-node-1", Containers: []corev1.Container{{Name: "c", Image: "i"}},
				Volumes: []corev1.Volume{{Name: "v", VolumeSource: corev1.VolumeSource{
					CSI: &corev1.CSIVolumeSource{Driver: "secrets-store.csi.k8s.io", NodePublishSecretRef: creds},
				}}},
			},
		}
	}
	if err := c.Create(t.Context(), mirror("with", &corev1.LocalObjectReference{Name: "secrets-store-creds"})); err == nil ||
		!strings.Contains(err.Error(), "may not reference secrets") {
		t.Errorf("a mirror with nodePublishSecretRef: %v", err)
	}
	if err := c.Create(t.Context(), mirror("without", nil)); err != nil {
		t.Errorf("a mirror without: %v", err)
	}
}

// TestPodsWaitForTheirAccount makes a pod's service account only after Apply was told that there is none.
func TestPodsWaitForTheirAccount(t *testing.T) {
	namespace := shared.Namespace(t)
	c, err := client.New(shared.Config(), client.Options{Scheme: scheme.Scheme})
	if err != nil {
		t.Fatal(err)
	}
	pod := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "v1", "kind": "Pod", "metadata": map[string]any{"name": "early", "namespace": namespace},
		"spec": map[string]any{"serviceAccountName": "late", "containers": []any{map[string]any{"name": "c", "image": "i"}}},
	}}
	var once sync.Once
	config := shared.Config()
	config.Wrap(func(next http.RoundTripper) http.RoundTripper {
		return roundTripper(func(r *http.Request) (*http.Response, error) {
			response, err := next.RoundTrip(r)
			if err == nil && response.StatusCode == http.StatusNotFound && strings.HasSuffix(r.URL.Path, "/serviceaccounts/late") {
				once.Do(func() {
					err = c.Create(r.Context(), &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: "late", Namespace: namespace}})
				})
			}
			return response, err
		})
	})
	if _, err := estate.Apply(t.Context(), config, []*unstructured.Unstructured{pod}); err != nil {
		t.Error(err)
	}
}

// roundTripper is an [http.RoundTripper] that is a function.
type roundTripper func(*http.Request) (*http.Response, error)

// RoundTrip calls the function.
func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
