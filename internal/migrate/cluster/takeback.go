package cluster

import (
	"context"
	"fmt"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"

	"secretstore/api/secretsync/v1alpha1"
	"secretstore/internal/migrate/act"
	"secretstore/internal/migrate/model"
)

// takeBack gives a Secret that was handed over back to the driver, by one patch: the owners that it had, as far as they are still
// there, and the driver's label come, ours and the SecretSync go. One whose owners are all gone gets none: the garbage collector
// would delete it. The SecretSync is deleted after that, by its own entry: it leaves a Secret alone that is not its own, whereas
// a garbage collector that has not seen yet whom the Secret was given to would not take the owner off before it is gone.
func (c *Cluster) takeBack(ctx context.Context, e act.Entry) error {
	ref := e.Change.Object
	if e.Before == nil {
		return stopped(ref, "nothing was written down of it")
	}
	was := &unstructured.Unstructured{Object: e.Before}
	return insist(func() error {
		live, err := c.get(ctx, ref)
		if err != nil {
			return err
		}
		if live == nil || live.GetUID() != was.GetUID() {
			return stopped(ref, "it is not the one any more that was handed over")
		}
		if _, ours := live.GetLabels()[v1alpha1.SecretLabel]; !ours {
			return nil
		}
		if refs := live.GetOwnerReferences(); len(refs) > 1 || len(refs) == 1 && refs[0].Kind != "SecretSync" {
			return stopped(ref, "it has other owners than the SecretSync of its name by now")
		}
		return c.giveBack(ctx, ref, live, was)
	})
}

// giveBack puts the driver's label and owners back.
func (c *Cluster) giveBack(ctx context.Context, ref model.Ref, live, was *unstructured.Unstructured) error {
	owners, err := c.livingOwners(ctx, ref, was)
	if err != nil {
		return err
	}
	labels := model.Path{"metadata", "labels"}
	ops := operations([]model.FieldEdit{
		{Op: model.OpRemove, Path: labels.Of(v1alpha1.SecretLabel)},
		{Op: model.OpAdd, Path: labels.Of(model.ManagedLabel), Value: "true"},
	})
	owned := model.Path{"metadata", "ownerReferences"}
	switch {
	case len(owners) > 0:
		ops = append(ops, operations([]model.FieldEdit{{Op: model.OpAdd, Path: owned, Value: owners}})...)
	case len(live.GetOwnerReferences()) > 0:
		ops = append(ops, operations([]model.FieldEdit{{Op: model.OpRemove, Path: owned}})...)
	}
	_, err = c.patch(ctx, ref, ops, sight(act.Open, live), false)
	return err
}

// livingOwners are the owner references that a Secret had, of owners that are still there.
func (c *Cluster) livingOwners(ctx context.Context, ref model.Ref, was *unstructured.Unstructured) ([]any, error) {
	var owners []any
	for _, owner := range was.GetOwnerReferences() {
		live, err := c.get(ctx, model.Ref{
			APIVersion: owner.APIVersion, Kind: owner.Kind, Namespace: ref.Namespace, Name: owner.Name,
		})
		if err != nil {
			return nil, err
		}
		if live == nil || live.GetUID() != owner.UID {
			continue
		}
		fields, err := runtime.DefaultUnstructuredConverter.ToUnstructured(&owner)
		if err != nil {
			return nil, fmt.Errorf("%s: its owner %s: %w", ref, owner.Name, err)
		}
		owners = append(owners, fields)
	}
	return owners, nil
}
