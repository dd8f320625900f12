package estate

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

const (
	// pollInterval and patience bound the waits for what others do: definitions established, service accounts made.
	pollInterval = 50 * time.Millisecond
	patience     = 60 * time.Second
	// administrator is the field manager of objects that name none.
	administrator = "kubectl"
)

// UIDs maps the UIDs that manifests say to those that the server gave.
type UIDs map[string]string

// Apply writes the objects to the cluster: definitions first, then namespaces, then the rest, owners before what they own. An
// object whose metadata.managedFields name a manager is written by that manager: created once if it is said to have done an
// Update, applied otherwise. Applying twice is applying once. It needs the controllers that make service accounts.
func Apply(ctx context.Context, cfg *rest.Config, objects []*unstructured.Unstructured) (UIDs, error) {
	kinds := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{scheme.AddToScheme, apiextensionsv1.AddToScheme} {
		if err := add(kinds); err != nil {
			return nil, fmt.Errorf("registering kinds: %w", err)
		}
	}
	c, err := client.New(cfg, client.Options{Scheme: kinds})
	if err != nil {
		return nil, fmt.Errorf("making a client: %w", err)
	}
	a := applier{client: c, live: UIDs{}, said: map[string]bool{}}
	for _, object := range objects {
		if uid := string(object.GetUID()); uid != "" {
			a.said[uid] = true
		}
	}
	return a.live, a.all(ctx, objects)
}

// applier writes objects and remembers what UIDs they got.
type applier struct {
	client client.Client
	live   UIDs
	said   map[string]bool // every UID that some object has by its manifest
}

// all writes the objects in rounds: each takes those that mention nobody who is still to be written.
func (a applier) all(ctx context.Context, objects []*unstructured.Unstructured) error {
	pending := slices.Clone(objects)
	slices.SortStableFunc(pending, func(x, y *unstructured.Unstructured) int { return rank(x) - rank(y) })
	for len(pending) > 0 {
		var later []*unstructured.Unstructured
		for _, object := range pending {
			resolved, ready, err := a.resolve(object)
			if err == nil && ready {
				err = a.one(ctx, resolved, string(object.GetUID()))
			}
			if err != nil {
				return fmt.Errorf("applying %s: %w", Name(object), err)
			}
			if !ready {
				later = append(later, object)
			}
		}
		if len(later) == len(pending) {
			return fmt.Errorf("applying %s: it refers by UID to what refers to it", Name(later[0]))
		}
		pending = later
	}
	return nil
}

// rank orders kinds that others need.
func rank(object *unstructured.Unstructured) int {
	order := []string{"CustomResourceDefinition", "Namespace", "Node", "ServiceAccount"}
	if i := slices.Index(order, object.GetKind()); i >= 0 {
		return i
	}
	return len(order)
}

// resolve returns a copy of the object with the live UID for each placeholder that it mentions besides its own, or says that it
// mentions one whose object was not written yet.
func (a applier) resolve(object *unstructured.Unstructured) (resolved *unstructured.Unstructured, ready bool, err error) {
	resolved = object.DeepCopy()
	resolved.SetUID("")
	text, err := json.Marshal(resolved)
	if err != nil {
		return nil, false, fmt.Errorf("encoding it: %w", err)
	}
	var pairs []string
	for _, uid := range slices.Sorted(maps.Keys(a.said)) {
		if !strings.Contains(string(text), uid) {
			continue
		}
		if a.live[uid] == "" {
			return nil, false, nil
		}
		pairs = append(pairs, uid, a.live[uid])
	}
	if err := json.Unmarshal([]byte(strings.NewReplacer(pairs...).Replace(string(text))), resolved); err != nil {
		return nil, false, fmt.Errorf("decoding it: %w", err)
	}
	return resolved, true, nil
}

// one writes one object, and waits before and after for what the next ones rely on.
func (a applier) one(ctx context.Context, object *unstructured.Unstructured, placeholder string) error {
	manager, created := writer(object)
	object.SetManagedFields(nil)
	debuggers := takeEphemeral(object)
	if object.GetKind() == "Pod" {
		if err := a.awaitAccount(ctx, object); err != nil {
			return err
		}
	}
	if err := a.write(ctx, object, manager, created); err != nil {
		return err
	}
	if placeholder != "" {
		a.live[placeholder] = string(object.GetUID())
	}
	if object.GetKind() == "CustomResourceDefinition" {
		return a.awaitEstablished(ctx, object.GetName())
	}
	return a.addEphemeral(ctx, object, debuggers)
}

// writer says who writes the object, and whether by creating it.
func writer(object *unstructured.Unstructured) (manager string, created bool) {
	fields := object.GetManagedFields()
	if len(fields) == 0 {
		return administrator, false
	}
	return fields[0].Manager, fields[0].Operation == metav1.ManagedFieldsOperationUpdate
}

// write creates or applies the object, and leaves in it what the server made of it.
func (a applier) write(ctx context.Context, object *unstructured.Unstructured, manager string, created bool) error {
	if !created {
		return a.client.Apply(ctx, client.ApplyConfigurationFromUnstructured(object), client.FieldOwner(manager), client.ForceOwnership)
	}
	err := a.client.Create(ctx, object, client.FieldOwner(manager))
	if apierrors.IsAlreadyExists(err) {
		return a.client.Get(ctx, client.ObjectKeyFromObject(object), object)
	}
	return err
}

// takeEphemeral removes a pod's ephemeral containers and returns them: a pod is never created with any.
func takeEphemeral(object *unstructured.Unstructured) []any {
	containers, _, _ := unstructured.NestedSlice(object.Object, "spec", "ephemeralContainers")
	unstructured.RemoveNestedField(object.Object, "spec", "ephemeralContainers")
	return containers
}

// addEphemeral adds ephemeral containers the one way that there is. Those that are there already stay as they are.
func (a applier) addEphemeral(ctx context.Context, pod *unstructured.Unstructured, containers []any) error {
	if len(containers) == 0 {
		return nil
	}
	patch, err := json.Marshal(map[string]any{"spec": map[string]any{"ephemeralContainers": containers}})
	if err != nil {
		return fmt.Errorf("encoding ephemeral containers: %w", err)
	}
	merge := client.RawPatch(types.StrategicMergePatchType, patch)
	if err := a.client.SubResource("ephemeralcontainers").Patch(ctx, pod, merge); err != nil {
		return fmt.Errorf("adding ephemeral containers: %w", err)
	}
	return nil
}

// awaitAccount waits for the service account of a pod, without which it is refused. A mirror of a static pod has none.
func (a applier) awaitAccount(ctx context.Context, pod *unstructured.Unstructured) error {
	if _, mirror := pod.GetAnnotations()[corev1.MirrorPodAnnotationKey]; mirror {
		return nil
	}
	name, _, _ := unstructured.NestedString(pod.Object, "spec", "serviceAccountName")
	if name == "" {
		name = "default"
	}
	key := client.ObjectKey{Namespace: pod.GetNamespace(), Name: name}
	return await(ctx, "service account "+key.String(), func(ctx context.Context) (bool, error) {
		err := a.client.Get(ctx, key, &corev1.ServiceAccount{})
		return err == nil, client.IgnoreNotFound(err)
	})
}

// awaitEstablished waits until the server takes objects of a definition.
func (a applier) awaitEstablished(ctx context.Context, name string) error {
	return await(ctx, "definition "+name, func(ctx context.Context) (bool, error) {
		var crd apiextensionsv1.CustomResourceDefinition
		if err := a.client.Get(ctx, client.ObjectKey{Name: name}, &crd); err != nil {
			return false, err
		}
		return slices.ContainsFunc(crd.Status.Conditions, func(c apiextensionsv1.CustomResourceDefinitionCondition) bool {
			return c.Type == apiextensionsv1.Established && c.Status == apiextensionsv1.ConditionTrue
		}), nil
	})
}

// await looks until something is so.
func await(ctx context.Context, what string, look func(context.Context) (bool, error)) error {
	if err := wait.PollUntilContextTimeout(ctx, pollInterval, patience, true, look); err != nil {
		return fmt.Errorf("waiting for %s: %w", what, err)
	}
	return nil
}
