package kube

import (
	"encoding/json"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"secretstore/api/secretsync/v1alpha1"
	"secretstore/internal/fault"
)

// checkOwned refuses a Secret that is not the owner's: it must carry the label, and have exactly one owner reference, to
// the SecretSync of its own name.
func checkOwned(secret *corev1.Secret, owner Owner) error {
	_, labelled := secret.Labels[v1alpha1.SecretLabel]
	if !labelled || len(secret.OwnerReferences) != 1 || !refersTo(secret.OwnerReferences[0], owner.Name) {
		return foreign(owner)
	}
	if string(secret.OwnerReferences[0].UID) != owner.UID || secret.DeletionTimestamp != nil {
		return fault.New(fault.SecretConflict, "Secret %s belongs to an earlier SecretSync of the same name and is being "+
			"deleted; it is made anew when it is gone", owner.Name)
	}
	return nil
}

func refersTo(ref metav1.OwnerReference, name string) bool {
	gv, err := schema.ParseGroupVersion(ref.APIVersion)
	return err == nil && gv.Group == v1alpha1.GroupName && ref.Kind == "SecretSync" && ref.Name == name
}

func foreign(owner Owner) *fault.Error {
	return fault.New(fault.SecretForeign, "a Secret %s exists that is not this SecretSync's (it lacks the label %s, or the "+
		"SecretSync as its only owner); it is left alone. Delete it (kubectl delete secret -n %s %s), or give the SecretSync "+
		"another name. If another controller made it for this SecretSync, and only the label is missing, add it: "+
		"kubectl label secret -n %s %s %s=",
		owner.Name, v1alpha1.SecretLabel, owner.Namespace, owner.Name, owner.Namespace, owner.Name, v1alpha1.SecretLabel)
}

// leftOver says whether the controller owns a key, label or annotation of the Secret that is no longer desired. Applying
// takes it away, unless somebody else owns it too.
func leftOver(secret *corev1.Secret, desired Desired) bool {
	for _, entry := range secret.ManagedFields {
		if entry.Manager != FieldManager || entry.Operation != metav1.ManagedFieldsOperationApply || entry.FieldsV1 == nil {
			continue
		}
		var fields struct {
			Data     map[string]any `json:"f:data"`
			Metadata struct {
				Labels      map[string]any `json:"f:labels"`
				Annotations map[string]any `json:"f:annotations"`
			} `json:"f:metadata"`
		}
		if json.Unmarshal(entry.FieldsV1.GetRawBytes(), &fields) != nil {
			return true // cannot be read: applying settles it
		}
		labels := map[string]string{v1alpha1.SecretLabel: ""}
		for key := range desired.Labels {
			labels[key] = ""
		}
		if hasOther(fields.Data, desired.Data) || hasOther(fields.Metadata.Labels, labels) ||
			hasOther(fields.Metadata.Annotations, desired.Annotations) {
			return true
		}
	}
	return false
}

// hasOther says whether owned, keyed as in managedFields ("f:name"), has a name that desired lacks.
func hasOther[V any](owned map[string]any, desired map[string]V) bool {
	for field := range owned {
		name, isField := strings.CutPrefix(field, "f:")
		if _, ok := desired[name]; isField && !ok {
			return true
		}
	}
	return false
}
