package cluster

import (
	"maps"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"secretstore/internal/migrate/model"
)

// renewed is an object as it is to be made again: without what the API server and controllers put into it.
func renewed(content map[string]any, ref model.Ref) (*unstructured.Unstructured, error) {
	content, err := normalMap(content)
	if err != nil {
		return nil, err
	}
	object := &unstructured.Unstructured{Object: content}
	if len(content) == 0 {
		object.Object = map[string]any{"apiVersion": ref.APIVersion, "kind": ref.Kind}
	}
	delete(object.Object, "status")
	for _, field := range []string{
		"resourceVersion", "uid", "creationTimestamp", "generation", "managedFields", "selfLink", "deletionTimestamp",
		"deletionGracePeriodSeconds",
	} {
		unstructured.RemoveNestedField(object.Object, "metadata", field)
	}
	switch ref.Kind {
	case "Job":
		freeJob(object.Object)
	case "Pod":
		unstructured.RemoveNestedField(object.Object, "spec", "nodeName")
		unstructured.RemoveNestedField(object.Object, "spec", "ephemeralContainers")
	}
	return object, nil
}

// freeJob takes out what ties a Job's pods to its old UID, unless its author chose the selector.
func freeJob(job map[string]any) {
	if manual, _, _ := unstructured.NestedBool(job, "spec", "manualSelector"); manual {
		return
	}
	unstructured.RemoveNestedField(job, "spec", "selector")
	tied := []string{"controller-uid", "batch.kubernetes.io/controller-uid", "job-name", "batch.kubernetes.io/job-name"}
	for _, path := range [][]string{{"metadata", "labels"}, {"spec", "template", "metadata", "labels"}} {
		labels, found, err := unstructured.NestedStringMap(job, path...)
		if !found || err != nil {
			continue
		}
		maps.DeleteFunc(labels, func(name, _ string) bool { return slices.Contains(tied, name) })
		unstructured.RemoveNestedField(job, path...)
		if len(labels) > 0 {
			_ = unstructured.SetNestedStringMap(job, labels, path...) // the maps above it are there, as the labels were
		}
	}
}
