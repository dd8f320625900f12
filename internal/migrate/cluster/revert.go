package cluster

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"secretstore/internal/kube"
	"secretstore/internal/migrate/act"
	"secretstore/internal/migrate/model"
)

// Revert implements [act.Cluster]. Where somebody else's hands were on the object the error wraps [act.ErrStopped].
func (c *Cluster) Revert(ctx context.Context, e act.Entry) error {
	switch {
	case e.Change.Verb == model.Create:
		return c.unmake(ctx, e)
	case keeperOf(e.Change) != nil:
		return c.keepNoMore(ctx, e)
	case e.Change.Verb == model.Edit && isSecret(e.Change.Object):
		return c.takeBack(ctx, e)
	case e.Change.Verb == model.Edit:
		return c.unedit(ctx, e)
	case e.Change.Verb == model.Delete:
		return c.remake(ctx, e)
	}
	return notOurs(e.Change)
}

// stopped says that a person is needed.
func stopped(ref model.Ref, why string, args ...any) error {
	return fmt.Errorf("%s is left as it is: %s: %w", ref, fmt.Sprintf(why, args...), act.ErrStopped)
}

// unmake deletes what was made, if it is still that and nobody else manages a field of it.
func (c *Cluster) unmake(ctx context.Context, e act.Entry) error {
	ref := e.Change.Object
	live, err := c.get(ctx, ref)
	if err != nil || live == nil || !madeBy(e, live) {
		return err // what was made is gone, and what may be there is somebody else's
	}
	if others := hands(live); len(others) > 0 {
		return stopped(ref, "%s changed it after it was made; delete it yourself if nobody needs it", list(others))
	}
	how, err := c.howToUnmake(ctx, live, ref)
	if err != nil {
		return err
	}
	if _, err = c.removeAs(ctx, ref, sight(act.Open, live), how, false); err != nil || !recreated(ref) && !isSync(ref) {
		return err
	}
	return c.awaitGone(ctx, ref, string(live.GetUID()))
}

// madeBy tells whether a live object is the one that a step made. Of a step that was cut short the UID is not known.
func madeBy(e act.Entry, live *unstructured.Unstructured) bool {
	if e.UID == "" {
		return applied(live)
	}
	return string(live.GetUID()) == e.UID
}

// hands are the managers of an object's fields besides this program, the controller, and those that every cluster has.
func hands(object *unstructured.Unstructured) []string {
	return slices.DeleteFunc(managers(object), func(name string) bool {
		return slices.Contains([]string{
			fieldManager, kube.FieldManager, "secretstore-controller", "kube-controller-manager", "kube-scheduler", "kubelet",
		}, name)
	})
}

// isSync tells a SecretSync.
func isSync(ref model.Ref) bool { return ref.Kind == "SecretSync" }

// howToUnmake says what becomes of what an object owns. A Secret that a SecretSync was given, and did not make, stays.
func (c *Cluster) howToUnmake(ctx context.Context, live *unstructured.Unstructured, ref model.Ref,
) (metav1.DeletionPropagation, error) {
	if recreated(ref) || !isSync(ref) {
		return map[bool]metav1.DeletionPropagation{
			true: metav1.DeletePropagationForeground, false: metav1.DeletePropagationBackground,
		}[recreated(ref)], nil
	}
	secret, err := c.get(ctx, model.Ref{APIVersion: "v1", Kind: "Secret", Namespace: ref.Namespace, Name: ref.Name})
	if err != nil {
		return "", err
	}
	if secret != nil && (slices.Contains(managers(secret), fieldManager) || older(secret, live)) {
		return metav1.DeletePropagationOrphan, nil
	}
	return metav1.DeletePropagationBackground, nil
}

// older tells whether an object was made before another.
func older(a, b *unstructured.Unstructured) bool {
	made, than := a.GetCreationTimestamp(), b.GetCreationTimestamp()
	return made.Before(&than)
}

// unedit puts back what stood at the places that were edited, and leaves everything else as it is by now.
func (c *Cluster) unedit(ctx context.Context, e act.Entry) error {
	ref := e.Change.Object
	edits, err := normalEdits(e.Change.Edits)
	if err != nil {
		return fmt.Errorf("%s: %w", ref, err)
	}
	was, err := normalMap(e.Before)
	if err != nil {
		return fmt.Errorf("%s: what was written down of it: %w", ref, err)
	}
	back := inverse(was, edits)
	return insist(func() error {
		live, err := c.get(ctx, ref)
		if err != nil {
			return err
		}
		if live == nil {
			return stopped(ref, "it is not there any more")
		}
		why := done(live.Object, edits)
		switch {
		case why == "" && len(edits) > 0:
			_, err = c.patch(ctx, ref, withLists(live.Object, back), sight(act.Open, live), false)
			return err
		case done(live.Object, back) == "":
			return nil
		}
		return stopped(ref, "somebody has changed it since: %s", why)
	})
}

// insist does something anew while somebody else changes the object at the same moments.
func insist(do func() error) error {
	for try := 1; ; try++ {
		err := do()
		if _, conflict := errors.AsType[*act.ConflictError](err); !conflict || try == tries {
			return err
		}
	}
}

// withLists are edits as operations, with an empty list made first where the API server has dropped one that lost its last entry.
func withLists(content map[string]any, edits []model.FieldEdit) []operation {
	work := document{content}
	var ops []operation
	for _, e := range edits {
		parent := e.Path[:len(e.Path)-1]
		if _, there := parent.Get(work.content); !there && e.Op == model.OpAdd && len(parent) > 0 {
			var holder any = map[string]any{}
			if _, inList := last(e.Path).(int); inList {
				holder = []any{}
			}
			made := model.FieldEdit{Op: model.OpAdd, Path: parent, Value: holder}
			ops = append(ops, operations([]model.FieldEdit{made})...)
			work.do(made)
		}
		ops = append(ops, operations([]model.FieldEdit{e})...)
		work.do(e)
	}
	return ops
}

// remake makes what was deleted again.
func (c *Cluster) remake(ctx context.Context, e act.Entry) error {
	ref := e.Change.Object
	if ref.Kind == "SecretProviderClassPodStatus" {
		return nil // the driver makes one with each mount
	}
	if isSecret(ref) {
		return c.missingSecret(ctx, e)
	}
	content := e.Before
	if content == nil {
		content = e.Change.Content
	}
	anew, err := renewed(content, ref)
	if err != nil {
		return fmt.Errorf("%s: what was written down of it: %w", ref, err)
	}
	live, err := c.get(ctx, ref)
	if err != nil {
		return err
	}
	if live != nil {
		if path := lacking(nil, live.Object, anew.Object); path != nil {
			return stopped(ref, "one of that name is there, with another %s", path)
		}
		return nil
	}
	t, err := c.target(ref)
	if meta.IsNoMatchError(err) {
		return stopped(ref, "the cluster does not serve its kind any more: put its definition back first")
	}
	if err != nil {
		return err
	}
	if _, err := t.client.Create(ctx, anew, metav1.CreateOptions{FieldManager: fieldManager}); err != nil {
		return explain(err, "create", t.resource, ref)
	}
	return nil
}

// missingSecret says of a Secret that was deleted that its values were kept nowhere.
func (c *Cluster) missingSecret(ctx context.Context, e act.Entry) error {
	live, err := c.get(ctx, e.Change.Object)
	if err != nil || live != nil {
		return err
	}
	return stopped(e.Change.Object, "its values were not kept, so that only a person can make it again: %s", e.Change.Undo)
}
