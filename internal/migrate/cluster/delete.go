package cluster

import (
	"context"
	"fmt"
	"slices"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"secretstore/internal/migrate/act"
	"secretstore/internal/migrate/model"
)

// recreated tells kinds that are deleted to be made anew under the same name: then the old one has to be gone first.
func recreated(ref model.Ref) bool { return slices.Contains([]string{"Job", "Pod"}, ref.Kind) }

// lookDelete looks at an object that is to go. A Job or pod that this migration has made is the new one in the old one's place.
func (c *Cluster) lookDelete(ctx context.Context, step model.Change) (act.Sight, error) {
	live, err := c.get(ctx, step.Object)
	switch {
	case err != nil:
		return act.Sight{}, err
	case live == nil:
		return act.Sight{Standing: act.Done}, nil
	case step.UID != "" && string(live.GetUID()) != step.UID:
		return foreign(live, "another one of that name has been made since it was read"), nil
	case recreated(step.Object) && applied(live), live.GetDeletionTimestamp() != nil && !recreated(step.Object):
		return sight(act.Done, live), nil
	}
	return sight(act.Open, live), nil
}

// remove deletes the very object that was looked at. Of what is made anew it waits until the old one is gone, with its pods.
func (c *Cluster) remove(ctx context.Context, ref model.Ref, seen act.Sight, dry bool) (act.Sight, error) {
	propagation := metav1.DeletePropagationBackground
	if recreated(ref) {
		propagation = metav1.DeletePropagationForeground
	}
	gone, err := c.removeAs(ctx, ref, seen, propagation, dry)
	if err != nil || dry || !recreated(ref) {
		return gone, err
	}
	return gone, c.awaitGone(ctx, ref, seen.UID)
}

// removeAs deletes an object in one of the three ways in which what it owns is dealt with.
func (c *Cluster) removeAs(ctx context.Context, ref model.Ref, seen act.Sight, how metav1.DeletionPropagation, dry bool,
) (act.Sight, error) {
	if seen.UID == "" || seen.ResourceVersion == "" {
		return act.Sight{}, fmt.Errorf("%s was not looked at before it is deleted", ref)
	}
	t, err := c.target(ref)
	if err != nil {
		return act.Sight{}, err
	}
	s, err := c.again(ctx, ref, seen, func(seen act.Sight) (*unstructured.Unstructured, error) {
		uid := types.UID(seen.UID)
		err := t.client.Delete(ctx, ref.Name, metav1.DeleteOptions{
			Preconditions:     &metav1.Preconditions{UID: &uid, ResourceVersion: &seen.ResourceVersion},
			PropagationPolicy: &how, DryRun: dryRun(dry),
		})
		if err == nil || apierrors.IsNotFound(err) {
			return nil, nil //nolint:nilnil // nothing is left to be told of it
		}
		return nil, explain(err, "delete", t.resource, ref)
	})
	s.UID, s.ResourceVersion = "", ""
	return s, err
}

// awaitGone waits until an object, or another one in its place, is seen no more.
func (c *Cluster) awaitGone(ctx context.Context, ref model.Ref, uid string) error {
	ticker := c.options.Clock.NewTicker(pollEvery)
	defer ticker.Stop()
	for {
		live, err := c.get(ctx, ref)
		if err != nil {
			return err
		}
		if live == nil || string(live.GetUID()) != uid {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("waiting until %s is gone: %w", ref, context.Cause(ctx))
		case <-ticker.C():
		}
	}
}
