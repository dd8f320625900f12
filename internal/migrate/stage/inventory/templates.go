package inventory

import (
	"slices"

	"secretstore/internal/migrate/model"
)

// ownSpec is where a kind of Kubernetes' own has its pod spec, and whether the kind is one that has any.
func ownSpec(r model.Ref) (model.Path, bool) {
	template := model.Path{"spec", "template", "spec"}
	switch r.Group() + "/" + r.Kind {
	case "apps/Deployment", "apps/StatefulSet", "apps/DaemonSet", "apps/ReplicaSet", "batch/Job", "/ReplicationController",
		"extensions/Deployment", "extensions/DaemonSet", "extensions/ReplicaSet":
		return template, true
	case "batch/CronJob":
		return model.Path{"spec", "jobTemplate", "spec", "template", "spec"}, true
	case "/Pod":
		return model.Path{"spec"}, true
	case "/PodTemplate":
		return model.Path{"template", "spec"}, true
	}
	return nil, false
}

// podSpecs are the paths of the pod specs of an object: the one of a kind of Kubernetes' own, else what a search finds.
func podSpecs(object model.Object) []model.Path {
	if path, own := ownSpec(object.Ref); own {
		return []model.Path{path}
	}
	// A revision is a copy that Kubernetes keeps of a template, for undoing.
	if object.Group() == "apps" && object.Kind == "ControllerRevision" {
		return nil
	}
	var found []model.Path
	for _, name := range sortedKeys(object.Content) {
		if name != "metadata" && name != "status" {
			found = append(found, search(model.Path{name}, object.Content[name])...)
		}
	}
	return found
}

// search finds the pod specs below a value: objects that list containers, or a CSI volume of the driver.
func search(at model.Path, v any) []model.Path {
	var found []model.Path
	switch within := v.(type) {
	case map[string]any:
		if isPodSpec(within) {
			return []model.Path{at}
		}
		for _, name := range sortedKeys(within) {
			found = append(found, search(at.Of(name), within[name])...)
		}
	case []any:
		for i, item := range within {
			found = append(found, search(at.Of(i), item)...)
		}
	}
	return found
}

// isPodSpec tells a pod spec, or a part of one, by its lists. A list of containers that are no objects is something else's.
func isPodSpec(v map[string]any) bool {
	isObject := func(item any) bool { _, ok := item.(map[string]any); return ok }
	containers := list(v, "containers")
	return len(containers) > 0 && !slices.ContainsFunc(containers, func(c any) bool { return !isObject(c) }) ||
		slices.ContainsFunc(list(v, "volumes"), func(volume any) bool { return text(volume, "csi", "driver") == model.Driver })
}
