package cluster

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"secretstore/api/secretsync/v1alpha1"
	"secretstore/internal/kube"
	"secretstore/internal/migrate/act"
	"secretstore/internal/migrate/model"
)

// driverManager begins the names by which the CSI driver writes.
const driverManager = "secrets-store-csi"

// syncRef is the SecretSync of a Secret's name.
func syncRef(secret model.Ref) model.Ref {
	return model.Ref{
		APIVersion: v1alpha1.GroupVersion().String(), Kind: "SecretSync", Namespace: secret.Namespace, Name: secret.Name,
	}
}

// lookHandOver looks at a Secret that is to be handed over. Done is one that carries our label and not the driver's, and whose
// only owner is the SecretSync of its name, as it lives now.
func (c *Cluster) lookHandOver(ctx context.Context, step model.Change) (act.Sight, error) {
	live, err := c.get(ctx, step.Object)
	if err != nil {
		return act.Sight{}, err
	}
	if live == nil {
		return act.Sight{Standing: act.Gone}, nil
	}
	sync, err := c.get(ctx, syncRef(step.Object))
	if err != nil {
		return act.Sight{}, err
	}
	return standingOfGiven(live, ownedBy(live, sync)), nil
}

// standingOfGiven says how a Secret stands with regard to its hand-over; owned says that its only owner is its SecretSync.
func standingOfGiven(live *unstructured.Unstructured, owned bool) act.Sight {
	labels := live.GetLabels()
	_, ours := labels[v1alpha1.SecretLabel]
	theirs := labels[model.ManagedLabel] == "true"
	switch {
	case live.GetDeletionTimestamp() != nil:
		return foreign(live, "it is being deleted")
	case ours && !theirs && owned:
		return sight(act.Done, live)
	case theirs && (!ours || owned): // the driver may have put its label back
		return sight(act.Open, live)
	case theirs:
		return foreign(live, "it carries the label %s beside that of the driver, but does not belong to the SecretSync of its name",
			v1alpha1.SecretLabel)
	}
	return foreign(live, "it carries the driver's label %s=true no more, and does not belong to a SecretSync of its name "+
		"that is there", model.ManagedLabel)
}

// ownedBy tells whether an object's only owner is another, which may be nil.
func ownedBy(object, owner *unstructured.Unstructured) bool {
	refs := object.GetOwnerReferences()
	return owner != nil && len(refs) == 1 && refs[0].UID == owner.GetUID() && refs[0].Kind == owner.GetKind() &&
		refs[0].Name == owner.GetName()
}

// handOver gives a Secret to the SecretSync of its name by one patch of the very version that was looked at. The patch has no
// data in it, so that no byte can change: the labels, the owner, and who manages what.
func (c *Cluster) handOver(ctx context.Context, step model.Change, seen act.Sight, dry bool) (act.Sight, error) {
	if err := c.receiver(ctx, step.Object, dry); err != nil {
		return act.Sight{}, err
	}
	live, err := c.get(ctx, step.Object)
	if err != nil {
		return act.Sight{}, err
	}
	if live == nil || string(live.GetUID()) != seen.UID || live.GetResourceVersion() != seen.ResourceVersion {
		return act.Sight{}, &act.ConflictError{Object: step.Object}
	}
	edits, err := normalEdits(step.Edits)
	if err != nil {
		return act.Sight{}, fmt.Errorf("%s: %w", step.Object, err)
	}
	fields, err := c.givenFields(live)
	if err != nil {
		return act.Sight{}, fmt.Errorf("%s: who manages its fields: %w", step.Object, err)
	}
	ops := append(operations(edits), operation{Op: model.OpAdd, Path: "/metadata/managedFields", Value: fields})
	return c.again(ctx, step.Object, seen, func(seen act.Sight) (*unstructured.Unstructured, error) {
		return c.patch(ctx, step.Object, ops, seen, dry)
	})
}

// receiver makes sure that the SecretSync is there that a Secret is given to. While nothing is changed it need not have been
// made.
func (c *Cluster) receiver(ctx context.Context, secret model.Ref, dry bool) error {
	sync, err := c.get(ctx, syncRef(secret))
	if err == nil && (sync == nil && !dry || sync != nil && sync.GetDeletionTimestamp() != nil) {
		return fmt.Errorf("%s is not there, and %s cannot be given to it: make it first", syncRef(secret), secret)
	}
	return err
}

// givenFields is who manages which field of a Secret once it is handed over: what the driver wrote of its data, type, labels and
// annotations is the controller's, as if that had applied it; what others wrote stays theirs. Otherwise a key that the SecretSync
// asks for no more would stay for good, as the driver's.
func (c *Cluster) givenFields(secret *unstructured.Unstructured) ([]metav1.ManagedFieldsEntry, error) {
	var kept []metav1.ManagedFieldsEntry
	given := map[string]any{}
	for _, entry := range secret.GetManagedFields() {
		var fields map[string]any
		if entry.FieldsV1 == nil || json.Unmarshal(entry.FieldsV1.GetRawBytes(), &fields) != nil || !isDriver(entry, fields) {
			kept = append(kept, entry)
			continue
		}
		give(given, fields)
	}
	if len(given) == 0 {
		return kept, nil
	}
	raw, err := json.Marshal(given)
	if err != nil {
		return nil, err
	}
	now := metav1.NewTime(c.options.Clock.Now())
	entry := metav1.ManagedFieldsEntry{
		Manager: kube.FieldManager, Operation: metav1.ManagedFieldsOperationApply, APIVersion: "v1", Time: &now,
		FieldsType: "FieldsV1", FieldsV1: &metav1.FieldsV1{},
	}
	entry.FieldsV1.SetRawBytes(raw)
	kept = slices.DeleteFunc(kept, func(e metav1.ManagedFieldsEntry) bool {
		return e.Manager == entry.Manager && e.Operation == entry.Operation && e.Subresource == ""
	})
	return append(kept, entry), nil
}

// isDriver tells an entry of the CSI driver: by its name, or by the label that nobody else puts there.
func isDriver(entry metav1.ManagedFieldsEntry, fields map[string]any) bool {
	_, labelled := model.Path{"f:metadata", "f:labels", "f:" + model.ManagedLabel}.Get(fields)
	return labelled || strings.HasPrefix(entry.Manager, driverManager)
}

// give adds to the controller's fields what of the driver's it will manage: each by itself, not the maps that hold them ("."),
// and neither the driver's own label nor its owner references, which go.
func give(given, fields map[string]any) {
	if _, typed := fields["f:type"]; typed {
		given["f:type"] = map[string]any{}
	}
	for _, path := range []model.Path{{"f:data"}, {"f:metadata", "f:labels"}, {"f:metadata", "f:annotations"}} {
		found, _ := path.Get(fields)
		names, _ := found.(map[string]any)
		for name := range names {
			if !strings.HasPrefix(name, "f:") || name == "f:"+model.ManagedLabel || name == "f:"+corev1.LastAppliedConfigAnnotation {
				continue
			}
			into := given
			for _, step := range path {
				field, _ := step.(string)
				next, ok := into[field].(map[string]any)
				if !ok {
					next = map[string]any{}
					into[field] = next
				}
				into = next
			}
			into[name] = map[string]any{}
		}
	}
}
