package cluster

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"secretstore/internal/migrate/act"
	"secretstore/internal/migrate/model"
)

// tries bounds how often a write is made anew because a controller has written an object's status meanwhile.
const tries = 5

// lookEdit compares what stands at the places of the edits with what was read, and with what the edits put there.
func (c *Cluster) lookEdit(ctx context.Context, step model.Change) (act.Sight, error) {
	live, err := c.get(ctx, step.Object)
	if err != nil {
		return act.Sight{}, err
	}
	if live == nil {
		return act.Sight{Standing: act.Gone}, nil
	}
	edits, err := normalEdits(step.Edits)
	if err != nil {
		return act.Sight{}, fmt.Errorf("%s: %w", step.Object, err)
	}
	return standing(live, edits), nil
}

// standing says how a live object stands with regard to edits.
func standing(live *unstructured.Unstructured, edits []model.FieldEdit) act.Sight {
	if live.GetDeletionTimestamp() != nil {
		return foreign(live, "it is being deleted")
	}
	notOpen := open(live.Object, edits)
	switch {
	case notOpen == "" && changes(live.Object, edits):
		return sight(act.Open, live)
	case notOpen == "", done(live.Object, edits) == "":
		return sight(act.Done, live)
	}
	return foreign(live, "%s", notOpen)
}

// edit makes the edits on the very object that was looked at, by one JSON patch.
func (c *Cluster) edit(ctx context.Context, step model.Change, seen act.Sight, dry bool) (act.Sight, error) {
	edits, err := normalEdits(step.Edits)
	if err != nil {
		return act.Sight{}, fmt.Errorf("%s: %w", step.Object, err)
	}
	return c.again(ctx, step.Object, seen, func(seen act.Sight) (*unstructured.Unstructured, error) {
		return c.patch(ctx, step.Object, operations(edits), seen, dry)
	})
}

// again makes a write anew where it was refused since a controller has written no more than the status of the object meanwhile.
func (c *Cluster) again(ctx context.Context, ref model.Ref, seen act.Sight,
	write func(act.Sight) (*unstructured.Unstructured, error),
) (act.Sight, error) {
	for try := 1; ; try++ {
		object, err := write(seen)
		if err == nil {
			s := act.Sight{Standing: act.Done, UID: seen.UID, ResourceVersion: seen.ResourceVersion, Before: seen.Before}
			if object != nil {
				s.UID, s.ResourceVersion = string(object.GetUID()), object.GetResourceVersion()
			}
			return s, nil
		}
		var conflict *act.ConflictError
		if !errors.As(err, &conflict) || try == tries || isSecret(ref) {
			return act.Sight{}, err
		}
		live, readErr := c.get(ctx, ref)
		if readErr != nil {
			return act.Sight{}, readErr
		}
		if live == nil || !sameButStatus(live, seen) {
			return act.Sight{}, err
		}
		seen.ResourceVersion = live.GetResourceVersion()
	}
}

// sameButStatus tells whether an object is what was seen, whatever its status is by now.
func sameButStatus(live *unstructured.Unstructured, seen act.Sight) bool {
	if seen.Before == nil || string(live.GetUID()) != seen.UID {
		return false
	}
	was := essence(&unstructured.Unstructured{Object: seen.Before})
	is := essence(live)
	delete(was, "status")
	delete(is, "status")
	return reflect.DeepEqual(was, is)
}

// patch changes an object by operations, if it is the very one that was seen: a resourceVersion or UID that is not its own makes
// the API server refuse.
func (c *Cluster) patch(ctx context.Context, ref model.Ref, ops []operation, seen act.Sight, dry bool,
) (*unstructured.Unstructured, error) {
	if seen.UID == "" || seen.ResourceVersion == "" {
		return nil, fmt.Errorf("%s was not looked at before it is changed", ref)
	}
	t, err := c.target(ref)
	if err != nil {
		return nil, err
	}
	ops = append([]operation{
		{Op: model.OpReplace, Path: "/metadata/resourceVersion", Value: seen.ResourceVersion},
		{Op: model.OpReplace, Path: "/metadata/uid", Value: seen.UID},
	}, ops...)
	body, err := json.Marshal(ops)
	if err != nil {
		return nil, fmt.Errorf("%s: writing the patch: %w", ref, err)
	}
	object, err := t.client.Patch(ctx, ref.Name, types.JSONPatchType, body,
		metav1.PatchOptions{FieldManager: fieldManager, DryRun: dryRun(dry)})
	if err != nil {
		return nil, explain(err, "patch", t.resource, ref)
	}
	return object, nil
}
