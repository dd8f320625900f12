package read

import (
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/labels"

	"secretstore/internal/migrate/model"
)

// newFilter returns what tells whether an object is to be kept: it is in one of the namespaces, or its namespace is not known
// or does not matter, and a workload has the labels that are asked for.
func newFilter(namespaces []string, selector string) (func(model.Object) bool, error) {
	wanted, err := labels.Parse(selector)
	if err != nil {
		return nil, fmt.Errorf("reading the selector %q: %w; write it as kubectl takes it: app=web,tier!=test", selector, err)
	}
	return func(o model.Object) bool {
		if !inNamespaces(o, namespaces) {
			return false
		}
		return wanted.Empty() || !isSelectable(o) || wanted.Matches(labelsOf(o))
	}, nil
}

func inNamespaces(o model.Object, namespaces []string) bool {
	if len(namespaces) == 0 || o.Namespace == "" && len(o.Namespaces) == 0 {
		return true
	}
	return slices.ContainsFunc(append([]string{o.Namespace}, o.Namespaces...), func(namespace string) bool {
		return slices.Contains(namespaces, namespace)
	})
}

// isSelectable tells whether the selector speaks of an object: of workloads, and of pods that no workload owns.
func isSelectable(o model.Object) bool {
	switch o.Group() {
	case "":
		return o.Kind == "ReplicationController" || o.Kind == "Pod" && len(list(o.Content, "metadata", "ownerReferences")) == 0
	case "apps", "batch", "argoproj.io", "serving.knative.dev", "keda.sh", "apps.openshift.io":
		return !o.Partial && len(list(o.Content, "metadata", "ownerReferences")) == 0
	}
	return false
}

func labelsOf(o model.Object) labels.Set {
	found, _ := model.Path{"metadata", "labels"}.Get(o.Content)
	fields, _ := found.(map[string]any)
	set := labels.Set{}
	for key := range fields {
		set[key] = text(fields, key)
	}
	return set
}
