package cluster

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/json"
	"k8s.io/client-go/dynamic"

	"secretstore/internal/migrate/act"
	"secretstore/internal/migrate/model"
)

// isSecret tells a Secret of Kubernetes.
func isSecret(ref model.Ref) bool { return ref.Kind == "Secret" && ref.Group() == "" }

// target is where an object's kind is served.
type target struct {
	client   dynamic.ResourceInterface
	resource schema.GroupResource
}

// target finds it. A kind that is not served is an error that meta.IsNoMatchError tells.
func (c *Cluster) target(ref model.Ref) (target, error) {
	version, err := schema.ParseGroupVersion(ref.APIVersion)
	if err != nil {
		return target{}, fmt.Errorf("%s: %w", ref, err)
	}
	mapping, err := c.mapper.RESTMapping(version.WithKind(ref.Kind).GroupKind(), version.Version)
	if meta.IsNoMatchError(err) { // a definition may have come meanwhile: our own, with the controller's installation
		meta.MaybeResetRESTMapper(c.mapper)
		mapping, err = c.mapper.RESTMapping(version.WithKind(ref.Kind).GroupKind(), version.Version)
	}
	if err != nil {
		return target{}, fmt.Errorf("%s: the cluster does not serve its kind: %w", ref, err)
	}
	t := target{client: c.dynamic.Resource(mapping.Resource), resource: mapping.Resource.GroupResource()}
	if mapping.Scope.Name() == meta.RESTScopeNameNamespace {
		t.client = c.dynamic.Resource(mapping.Resource).Namespace(ref.Namespace)
	}
	return t, nil
}

// get reads an object; nil for one that is not there, or whose kind is not.
func (c *Cluster) get(ctx context.Context, ref model.Ref) (*unstructured.Unstructured, error) {
	t, err := c.target(ref)
	if meta.IsNoMatchError(err) {
		return nil, nil //nolint:nilnil // no object and no error is an answer here, and nil is the documented way to say it
	}
	if err != nil {
		return nil, err
	}
	object, err := t.client.Get(ctx, ref.Name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return nil, nil //nolint:nilnil // as above
	}
	if err != nil {
		return nil, explain(err, "get", t.resource, ref)
	}
	return object, nil
}

// sight is what was seen of an object.
func sight(standing act.Standing, object *unstructured.Unstructured) act.Sight {
	return act.Sight{
		Standing: standing, UID: string(object.GetUID()), ResourceVersion: object.GetResourceVersion(), Before: before(object),
	}
}

// foreign is a sight of an object that stands otherwise than it should.
func foreign(object *unstructured.Unstructured, why string, args ...any) act.Sight {
	s := sight(act.Foreign, object)
	s.Why = fmt.Sprintf(why, args...)
	return s
}

// before is an object as the journal keeps it: of a Secret the metadata and the type alone, without the manifest that kubectl and
// others keep in an annotation.
func before(object *unstructured.Unstructured) map[string]any {
	content := object.DeepCopy()
	if content.GetKind() != "Secret" || content.GetAPIVersion() != "v1" {
		return content.Object
	}
	maps.DeleteFunc(content.Object, func(field string, _ any) bool {
		return !slices.Contains([]string{"apiVersion", "kind", "metadata", "type"}, field)
	})
	annotations := content.GetAnnotations()
	maps.DeleteFunc(annotations, model.HoldsObject)
	content.SetAnnotations(annotations)
	return content.Object
}

// explain says what of the API server's answer may be told, and what to do. A conflict is an *act.ConflictError.
func explain(err error, verb string, resource schema.GroupResource, ref model.Ref) error {
	switch {
	case apierrors.IsConflict(err):
		return &act.ConflictError{Object: ref}
	case apierrors.IsForbidden(err):
		return fmt.Errorf("%s: your account lacks the verb %s on %s%s, or a policy of the cluster refuses: have it allowed, and run "+
			"again%s", ref, verb, resource, within(ref), told(err, ref))
	case isSecret(ref) && !errors.Is(err, context.Canceled) && !errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("%s %s: the API server's answer is %s (its text may hold values, and is not shown)", verb, ref,
			reason(err))
	case apierrors.IsInvalid(err):
		return &refusedError{ref: ref, fields: invalid(err)}
	}
	return fmt.Errorf("%s %s: %w", verb, ref, err)
}

// refusedError says that the API server does not take an object.
type refusedError struct {
	ref    model.Ref
	fields []string
}

// Error names the fields and what is wrong with them, without the values that the API server would quote.
func (e *refusedError) Error() string {
	return fmt.Sprintf("%s: the API server refuses it: %s", e.ref, list(e.fields))
}

// invalid are the fields that an answer calls invalid, with its last words about each: what is before these is the value.
func invalid(err error) []string {
	var status apierrors.APIStatus
	if !errors.As(err, &status) || status.Status().Details == nil {
		return nil
	}
	var fields []string
	for _, cause := range status.Status().Details.Causes {
		words := strings.Split(cause.Message, ": ")
		fields = append(fields, cause.Field+" ("+words[len(words)-1]+")")
	}
	return fields
}

// reason is a word for an answer.
func reason(err error) metav1.StatusReason {
	if r := apierrors.ReasonForError(err); r != metav1.StatusReasonUnknown {
		return r
	}
	return "an error of the network"
}

// told is the API server's own text where it holds no value.
func told(err error, ref model.Ref) string {
	if isSecret(ref) {
		return ""
	}
	return ": " + err.Error()
}

// within names a namespace.
func within(ref model.Ref) string {
	if ref.Namespace == "" {
		return ""
	}
	return " in namespace " + ref.Namespace
}

// normal is a value of the types that JSON gives, whatever it was read from: the journal gives numbers as float64, YAML as int.
func normal(value any) (any, error) {
	raw, err := json.Marshal(value)
	if err != nil {
		return nil, fmt.Errorf("a value that is none of JSON's: %w", err)
	}
	var out any
	if err := json.Unmarshal(raw, &out); err != nil {
		return nil, fmt.Errorf("a value that is none of JSON's: %w", err)
	}
	return out, nil
}

// normalMap is normal of an object.
func normalMap(content map[string]any) (map[string]any, error) {
	value, err := normal(content)
	if err != nil {
		return nil, err
	}
	fields, ok := value.(map[string]any)
	if !ok {
		return nil, errors.New("not an object")
	}
	return fields, nil
}

// managers are those who manage a field of an object, but for its status and what else has a sub-resource of its own, sorted.
func managers(object *unstructured.Unstructured) []string {
	var names []string
	for _, entry := range object.GetManagedFields() {
		if entry.Subresource == "" {
			names = append(names, entry.Manager)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// applied tells whether an object was made by a migration.
func applied(object *unstructured.Unstructured) bool {
	return slices.ContainsFunc(object.GetManagedFields(), func(entry metav1.ManagedFieldsEntry) bool {
		return entry.Manager == fieldManager && entry.Operation == metav1.ManagedFieldsOperationApply
	})
}

// list writes names in a row.
func list(names []string) string { return strings.Join(names, ", ") }
