package cluster

import (
	"context"
	"errors"
	"fmt"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"secretstore/internal/migrate/act"
	"secretstore/internal/migrate/model"
)

// absentVersion is a resourceVersion that no object has. Of an object that does not exist the API server looks at no version; one
// that exists is refused as a conflict. So an apply that carries it makes an object, or does nothing.
const absentVersion = "1"

// lookCreate looks at an object that is to be made. What the API server would make of it, defaults and all, is learnt by applying
// it without effect: if that changes nothing, the object says all that it should. One that this migration has made and that is to
// be otherwise by now is open; one of somebody else's is theirs.
func (c *Cluster) lookCreate(ctx context.Context, step model.Change) (act.Sight, error) {
	for try := 1; ; try++ {
		seen, err := c.lookCreateOnce(ctx, step)
		// A status that its controller writes just now is no reason to stop: nothing is changed here.
		if _, conflict := errors.AsType[*act.ConflictError](err); !conflict || try == tries {
			return seen, err
		}
	}
}

func (c *Cluster) lookCreateOnce(ctx context.Context, step model.Change) (act.Sight, error) {
	live, err := c.get(ctx, step.Object)
	if err != nil {
		return act.Sight{}, err
	}
	if live == nil {
		return act.Sight{Standing: act.Open}, nil
	}
	if live.GetDeletionTimestamp() != nil {
		return foreign(live, "one of that name is being deleted"), nil
	}
	would, err := c.apply(ctx, step, act.Sight{UID: string(live.GetUID()), ResourceVersion: live.GetResourceVersion()}, true)
	var conflict *fieldsError
	var refused *refusedError
	switch {
	case errors.As(err, &conflict):
		return foreign(live, "%s", conflict), nil
	case errors.As(err, &refused):
		return foreign(live, "one of that name is there, and cannot become what is planned: %s", list(refused.fields)), nil
	case err != nil:
		return act.Sight{}, err
	}
	if path := lacking(nil, essence(live), essence(would)); path != nil && !applied(live) {
		return foreign(live, "one of that name is there, without %s as planned", path), nil
	} else if path != nil {
		return sight(act.Open, live), nil
	}
	return sight(act.Done, live), nil
}

// create makes an object by applying it.
func (c *Cluster) create(ctx context.Context, step model.Change, seen act.Sight, dry bool) (act.Sight, error) {
	object, err := c.apply(ctx, step, seen, dry)
	if err != nil {
		if _, conflict := errors.AsType[*fieldsError](err); conflict {
			return act.Sight{}, &act.ConflictError{Object: step.Object}
		}
		return act.Sight{}, err
	}
	return act.Sight{
		Standing: act.Done, UID: string(object.GetUID()), ResourceVersion: object.GetResourceVersion(), Before: seen.Before,
	}, nil
}

// apply applies what a step makes, as it was seen or where nothing was, and takes no field from anybody.
func (c *Cluster) apply(ctx context.Context, step model.Change, seen act.Sight, dry bool) (*unstructured.Unstructured, error) {
	t, err := c.target(step.Object)
	if err != nil {
		return nil, err
	}
	content, err := normalMap(step.Content)
	if err != nil {
		return nil, fmt.Errorf("%s: what is to be made: %w", step.Object, err)
	}
	object := &unstructured.Unstructured{Object: content}
	object.SetResourceVersion(absentVersion)
	if seen.UID != "" {
		object.SetResourceVersion(seen.ResourceVersion)
		object.SetUID(types.UID(seen.UID))
	}
	made, err := t.client.Apply(ctx, step.Object.Name, object, metav1.ApplyOptions{FieldManager: fieldManager, DryRun: dryRun(dry)})
	if fields := conflicting(err); len(fields) > 0 {
		return nil, &fieldsError{fields: fields}
	}
	if err != nil {
		return nil, explain(err, "patch", t.resource, step.Object)
	}
	return made, nil
}

// fieldsError says that fields belong to somebody else.
type fieldsError struct{ fields []string }

// Error names them, and whose they are, without their values.
func (e *fieldsError) Error() string {
	return "others have set it otherwise: " + strings.Join(e.fields, ", ")
}

// conflicting are the fields that others manage, with their managers, of an answer that says so.
func conflicting(err error) []string {
	var status apierrors.APIStatus
	if !apierrors.IsConflict(err) || !errors.As(err, &status) || status.Status().Details == nil {
		return nil
	}
	var fields []string
	for _, cause := range status.Status().Details.Causes {
		if cause.Type == metav1.CauseTypeFieldManagerConflict {
			fields = append(fields, fmt.Sprintf("%s (%s)", strings.TrimPrefix(cause.Field, "."), cause.Message))
		}
	}
	return fields
}

// dryRun lets the API server judge and change nothing.
func dryRun(dry bool) []string {
	if dry {
		return []string{metav1.DryRunAll}
	}
	return nil
}

// essence is an object without what every write changes.
func essence(object *unstructured.Unstructured) map[string]any {
	content := object.DeepCopy()
	content.SetManagedFields(nil)
	content.SetResourceVersion("")
	content.SetGeneration(0)
	return content.Object
}
