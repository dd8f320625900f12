package rig

import (
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// Written gives those of the objects that people wrote: without pods, ReplicaSets and Jobs that controllers of the rig make, without
// what the driver writes, whose values a dump cannot have. The rig makes them anew. What they left behind, without an owner, stays.
func Written(objects []*unstructured.Unstructured) []*unstructured.Unstructured {
	controllers := []string{"Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "ReplicationController", "CronJob", "Job"}
	var written []*unstructured.Unstructured
	for _, object := range objects {
		made := slices.ContainsFunc(object.GetOwnerReferences(), func(o metav1.OwnerReference) bool {
			switch object.GetKind() {
			case "Secret", "SecretProviderClassPodStatus":
				return true
			default:
				return slices.Contains(controllers, o.Kind)
			}
		})
		if !made {
			written = append(written, object)
		}
	}
	return written
}
