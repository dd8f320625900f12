package cluster

import (
	"context"
	"fmt"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"secretstore/api/secretsync/v1alpha1"
	"secretstore/internal/migrate/act"
	"secretstore/internal/migrate/model"
)

// keeperOf is the owner that a step adds to a Secret's, which keeps the Secret alive; nil if the step is none of that kind.
func keeperOf(step model.Change) map[string]any {
	if step.Verb != model.Edit || !isSecret(step.Object) || len(step.Edits) != 1 {
		return nil
	}
	owners, _ := step.Edits[0].Value.([]any)
	if len(owners) != 1 {
		return nil
	}
	keeper, _ := owners[0].(map[string]any)
	if keeper["kind"] != "SecretProviderClass" {
		return nil
	}
	return keeper
}

// owns tells whether an object has an owner of that UID.
func owns(object *unstructured.Unstructured, owner map[string]any) bool {
	for _, ref := range object.GetOwnerReferences() {
		if string(ref.UID) == owner["uid"] {
			return true
		}
	}
	return false
}

// lookKept looks at a Secret that is to have one more owner. One that was handed over needs none.
func (c *Cluster) lookKept(ctx context.Context, step model.Change) (act.Sight, error) {
	live, err := c.get(ctx, step.Object)
	if err != nil || live == nil {
		return act.Sight{Standing: act.Gone}, err
	}
	labels := live.GetLabels()
	_, ours := labels[v1alpha1.SecretLabel]
	switch {
	case live.GetDeletionTimestamp() != nil:
		return foreign(live, "it is being deleted"), nil
	case ours, owns(live, keeperOf(step)):
		return sight(act.Done, live), nil
	case labels[model.ManagedLabel] == "true":
		return sight(act.Open, live), nil
	}
	return foreign(live, "it carries the driver's label %s=true no more, and nobody has handed it over", model.ManagedLabel), nil
}

// keep adds the owner to those that the Secret has, by one patch of the very version that was looked at.
func (c *Cluster) keep(ctx context.Context, step model.Change, seen act.Sight, dry bool) (act.Sight, error) {
	live, err := c.get(ctx, step.Object)
	if err != nil {
		return act.Sight{}, err
	}
	if live == nil || string(live.GetUID()) != seen.UID || live.GetResourceVersion() != seen.ResourceVersion {
		return act.Sight{}, &act.ConflictError{Object: step.Object}
	}
	owners, _, err := unstructured.NestedSlice(live.Object, "metadata", "ownerReferences")
	if err != nil {
		return act.Sight{}, fmt.Errorf("%s: its owners: %w", step.Object, err)
	}
	ops := operations([]model.FieldEdit{{
		Op: model.OpAdd, Path: model.Path{"metadata", "ownerReferences"}, Value: append(owners, keeperOf(step)),
	}})
	object, err := c.patch(ctx, step.Object, ops, seen, dry)
	if err != nil {
		return act.Sight{}, err
	}
	return act.Sight{Standing: act.Done, UID: seen.UID, ResourceVersion: object.GetResourceVersion(), Before: seen.Before}, nil
}

// keepNoMore takes the owner off again. Of the others those stay that are there: with none but some that are gone the garbage
// collector would delete the Secret, before the driver gives it those of the pods that mount its class by now.
func (c *Cluster) keepNoMore(ctx context.Context, e act.Entry) error {
	ref, keeper := e.Change.Object, keeperOf(e.Change)
	return insist(func() error {
		live, err := c.get(ctx, ref)
		if err != nil || live == nil || !owns(live, keeper) {
			return err
		}
		was := live.DeepCopy()
		was.SetOwnerReferences(slices.DeleteFunc(was.GetOwnerReferences(), func(o metav1.OwnerReference) bool {
			return o.UID == types.UID(fmt.Sprint(keeper["uid"]))
		}))
		owners, err := c.livingOwners(ctx, ref, was)
		if err != nil {
			return err
		}
		edit := model.FieldEdit{Op: model.OpAdd, Path: model.Path{"metadata", "ownerReferences"}, Value: owners}
		if len(owners) == 0 {
			edit.Op, edit.Value = model.OpRemove, nil
		}
		_, err = c.patch(ctx, ref, operations([]model.FieldEdit{edit}), sight(act.Open, live), false)
		return err
	})
}
