package workloads

import (
	"slices"
	"strings"

	"secretstore/internal/migrate/model"
)

// fresh is an object as it is to be created anew: edited, and without what the API server and controllers put into it.
func fresh(object model.Object, edits []model.FieldEdit) map[string]any {
	content := apply(object.Content, edits)
	delete(content, "status")
	if metadata, isMap := content["metadata"].(map[string]any); isMap {
		for _, field := range []string{
			"resourceVersion", "uid", "creationTimestamp", "generation", "managedFields", "selfLink", "ownerReferences", "generateName",
			"deletionTimestamp", "deletionGracePeriodSeconds",
		} {
			delete(metadata, field)
		}
		strip(metadata, "annotations", "kubectl.kubernetes.io/last-applied-configuration", "batch.kubernetes.io/job-tracking")
	}
	spec, _ := content["spec"].(map[string]any)
	if object.Kind == "Job" {
		freshJob(content, spec)
		return content
	}
	for _, field := range []string{"nodeName", "ephemeralContainers"} {
		delete(spec, field)
	}
	withoutToken(spec)
	return content
}

// freshJob takes out what ties a Job's pods to its UID, unless its author chose the selector.
func freshJob(content, spec map[string]any) {
	if spec["manualSelector"] == true {
		return
	}
	delete(spec, "selector")
	template, _ := spec["template"].(map[string]any)
	for _, labelled := range []any{content["metadata"], template["metadata"]} {
		if metadata, isMap := labelled.(map[string]any); isMap {
			strip(metadata, "labels", "controller-uid", "batch.kubernetes.io/controller-uid", "job-name", "batch.kubernetes.io/job-name")
		}
	}
}

// strip takes entries out of labels or annotations.
func strip(metadata map[string]any, field string, names ...string) {
	fields, isMap := metadata[field].(map[string]any)
	if !isMap {
		return
	}
	for _, name := range names {
		delete(fields, name)
	}
	if len(fields) == 0 {
		delete(metadata, field)
	}
}

// withoutToken takes out the volume of the pod's own token and its mounts, which admission puts in again.
func withoutToken(spec map[string]any) {
	isToken := func(v any) bool { return strings.HasPrefix(text(v, "name"), "kube-api-access-") }
	without(spec, "volumes", isToken)
	for _, list := range []string{"initContainers", "containers"} {
		containers, _ := spec[list].([]any)
		for _, c := range containers {
			if container, isMap := c.(map[string]any); isMap {
				without(container, "volumeMounts", isToken)
			}
		}
	}
}

// without takes entries out of a list, and the list out of its object if none is left.
func without(fields map[string]any, name string, unwanted func(any) bool) {
	list, isList := fields[name].([]any)
	if !isList {
		return
	}
	if list = slices.DeleteFunc(list, unwanted); len(list) == 0 {
		delete(fields, name)
		return
	}
	fields[name] = list
}
