package state

import (
	"encoding/json"
	"slices"
	"strings"
)

// cleanAll copies objects without what stands in the way of applying them again.
func cleanAll(objects []map[string]any) []map[string]any {
	var cleaned []map[string]any
	for _, o := range objects {
		if c := clean(o); c != nil {
			cleaned = append(cleaned, c)
		}
	}
	return cleaned
}

// clean copies an object without what the API server fills in or an earlier life gave it. Owner references go too: they hold
// UIDs, which do not come back, and an object whose owner does not exist is deleted at once.
func clean(object map[string]any) map[string]any {
	c := deepCopy(object)
	delete(c, "status")
	metadata := fields(c, "metadata")
	for _, field := range []string{
		"uid", "resourceVersion", "generation", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds", "managedFields",
		"selfLink", "ownerReferences",
	} {
		delete(metadata, field)
	}
	annotations := fields(metadata, "annotations")
	delete(annotations, "kubectl.kubernetes.io/last-applied-configuration")
	delete(annotations, "deployment.kubernetes.io/revision")
	delete(annotations, "deprecated.daemonset.template.generation")
	if len(annotations) == 0 {
		delete(metadata, "annotations")
	}
	switch c["kind"] {
	case "Job":
		cleanJob(c)
	case "Pod":
		cleanPod(fields(c, "spec"))
	}
	return c
}

// cleanJob takes off the selector that the API server made of the Job's UID, and the labels that belong to it.
func cleanJob(job map[string]any) {
	spec := fields(job, "spec")
	if spec["manualSelector"] == true {
		return
	}
	delete(spec, "selector")
	for _, metadata := range []map[string]any{fields(job, "metadata"), fields(fields(spec, "template"), "metadata")} {
		labels := fields(metadata, "labels")
		for _, label := range []string{"controller-uid", "job-name"} {
			delete(labels, label)
			delete(labels, "batch.kubernetes.io/"+label)
		}
		if len(labels) == 0 {
			delete(metadata, "labels")
		}
	}
}

// cleanPod takes off where a pod ran and the volume with its service account's token, which the API server adds again.
func cleanPod(spec map[string]any) {
	delete(spec, "nodeName")
	isToken := func(item any) bool {
		entry, _ := item.(map[string]any)
		name, _ := entry["name"].(string)
		return strings.HasPrefix(name, "kube-api-access-")
	}
	without(spec, "volumes", isToken)
	for _, field := range []string{"containers", "initContainers"} {
		list, _ := spec[field].([]any)
		for _, item := range list {
			container, _ := item.(map[string]any)
			without(container, "volumeMounts", isToken)
		}
	}
	delete(spec, "ephemeralContainers") // they cannot be created with a pod
}

// without removes items of a list, and the list with its last one.
func without(object map[string]any, field string, remove func(any) bool) {
	list, ok := object[field].([]any)
	if !ok {
		return
	}
	if list = slices.DeleteFunc(list, remove); len(list) == 0 {
		delete(object, field)
		return
	}
	object[field] = list
}

// fields returns the object that a field holds; an empty one, which is not part of it, if there is none.
func fields(object map[string]any, name string) map[string]any {
	if found, ok := object[name].(map[string]any); ok {
		return found
	}
	return map[string]any{}
}

// deepCopy copies an object through JSON; nil if it is none.
func deepCopy(object map[string]any) map[string]any {
	content, err := json.Marshal(object)
	if err != nil {
		return nil
	}
	var c map[string]any
	if err := json.Unmarshal(content, &c); err != nil {
		return nil
	}
	return c
}
