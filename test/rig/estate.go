package rig

import (
	"context"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"secretstore/test/migration/estate"
)

// Settle applies those of the objects that people wrote (see [Written]), and waits until they run, except those named as
// "Kind namespace/name". A paused Deployment is paused once it runs, as people do.
func (r *Rig) Settle(ctx context.Context, objects []*unstructured.Unstructured, except ...string) error {
	var paused []*unstructured.Unstructured
	written := Written(objects)
	for i, object := range written {
		if is, _, _ := unstructured.NestedBool(object.Object, "spec", "paused"); is && object.GetKind() == "Deployment" {
			paused = append(paused, object)
			written[i] = object.DeepCopy()
			unstructured.RemoveNestedField(written[i].Object, "spec", "paused")
		}
	}
	if _, err := estate.Apply(ctx, r.Cluster.Config(), written); err != nil {
		return err
	}
	if err := r.AwaitRunning(ctx, except...); err != nil {
		return err
	}
	if _, err := estate.Apply(ctx, r.Cluster.Config(), paused); err != nil {
		return err
	}
	return r.AwaitRunning(ctx, except...)
}

// Written gives those of the objects that people wrote: without pods, ReplicaSets and Jobs that controllers of the rig make of
// others, and without the statuses and Secrets that the driver makes, whose values a dump does not have. The rig makes them
// anew. A Secret stays if nothing of the objects mounts its class any more, and whatever nobody owns.
func Written(objects []*unstructured.Unstructured) []*unstructured.Unstructured {
	made := driversSecrets(objects)
	controllers := []string{"Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "ReplicationController", "CronJob", "Job"}
	return slices.DeleteFunc(slices.Clone(objects), func(object *unstructured.Unstructured) bool {
		owners := object.GetOwnerReferences()
		switch object.GetKind() {
		case "SecretProviderClassPodStatus":
			return len(owners) > 0
		case "Secret":
			return len(owners) > 0 && made[client.ObjectKeyFromObject(object)]
		default:
			return slices.ContainsFunc(owners, func(o metav1.OwnerReference) bool { return slices.Contains(controllers, o.Kind) })
		}
	})
}

// driversSecrets are those that the driver makes for the volumes among the objects.
func driversSecrets(objects []*unstructured.Unstructured) map[client.ObjectKey]bool {
	mounted := map[client.ObjectKey]bool{}
	for _, object := range objects {
		eachClass(object.Object, func(class string) {
			mounted[client.ObjectKey{Namespace: object.GetNamespace(), Name: class}] = true
		})
	}
	made := map[client.ObjectKey]bool{}
	for _, object := range objects {
		if object.GetKind() != "SecretProviderClass" || !mounted[client.ObjectKeyFromObject(object)] {
			continue
		}
		entries, _, _ := unstructured.NestedSlice(object.Object, "spec", "secretObjects")
		for _, entry := range entries {
			if fields, ok := entry.(map[string]any); ok {
				name, _ := fields["secretName"].(string)
				made[client.ObjectKey{Namespace: object.GetNamespace(), Name: name}] = true
			}
		}
	}
	return made
}

// eachClass calls act for every class that a volume within a value names, wherever it is.
func eachClass(value any, act func(class string)) {
	switch v := value.(type) {
	case []any:
		for _, item := range v {
			eachClass(item, act)
		}
	case map[string]any:
		if attributes, ok := v["volumeAttributes"].(map[string]any); ok {
			if class, ok := attributes["secretProviderClass"].(string); ok {
				act(class)
			}
		}
		for _, item := range v {
			eachClass(item, act)
		}
	}
}
