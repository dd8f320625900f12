package akvsync

import (
	"maps"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"secretstore/api/secretsync/v1alpha1"
)

// kind is what owner references to an AKVSync say.
const kind = "AKVSync"

// generated is the metadata of an object that the AKVSync makes.
func generated(sync *v1alpha1.AKVSync, name string) metav1.ObjectMeta {
	controller := true
	return metav1.ObjectMeta{
		Namespace: sync.Namespace,
		Name:      name,
		Labels:    labelled(sync, nil),
		// Without blockOwnerDeletion, which would need a right over the AKVSync's finalizers.
		OwnerReferences: []metav1.OwnerReference{{
			APIVersion: v1alpha1.GroupVersion().String(), Kind: kind, Name: sync.Name, UID: sync.UID, Controller: &controller,
		}},
	}
}

// labelled adds the AKVSync's label to others.
func labelled(sync *v1alpha1.AKVSync, labels map[string]string) map[string]string {
	if len(sync.Name) > validation.LabelValueMaxLength {
		return labels
	}
	labels = maps.Clone(labels)
	if labels == nil {
		labels = map[string]string{}
	}
	labels[v1alpha1.AKVSyncLabel] = sync.Name
	return labels
}

// claim says why an object is not the AKVSync's to change; nil if it is. The owner reference decides, and nothing else.
func claim(sync *v1alpha1.AKVSync, object client.Object, what, rename string) *problem {
	name := object.GetName()
	owner := metav1.GetControllerOf(object)
	switch {
	case owner != nil && owner.UID == sync.UID && object.GetDeletionTimestamp().IsZero():
		return nil
	case owner != nil && isAKVSync(*owner) && owner.Name == sync.Name:
		return &problem{v1alpha1.ReasonPending, what + " " + name + " is being deleted; it is made anew when it is gone"}
	case owner != nil && isAKVSync(*owner):
		return mistake("%s %s belongs to AKVSync %s and is left alone; %s", what, name, owner.Name, rename)
	}
	return mistake("a %s %s exists that this AKVSync did not make; it is left alone. Delete it (kubectl delete %s -n %s %s), or %s",
		what, name, strings.ToLower(what), object.GetNamespace(), name, rename)
}

func isAKVSync(ref metav1.OwnerReference) bool {
	return ref.Kind == kind && ref.APIVersion == v1alpha1.GroupVersion().String()
}
