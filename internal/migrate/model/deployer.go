package model

import (
	"slices"
	"strings"
)

// Who deploys an object and would undo a change made in the cluster.
const (
	ManagerHelm = "Helm"
	ManagerArgo = "Argo CD"
	ManagerFlux = "Flux"
)

// Manager tells who deploys the object: ManagerFlux, ManagerArgo, ManagerHelm, or "" for nobody known. It reads labels and
// annotations, and the field managers where they were kept. Flux and Argo CD go first: what they install from a chart bears
// the marks of Helm as well, but it is them who would bring a changed field back.
func (o Object) Manager() string {
	switch {
	case o.labelled("kustomize.toolkit.fluxcd.io/name", "helm.toolkit.fluxcd.io/name"),
		o.managedBy("kustomize-controller", "helm-controller"):
		return ManagerFlux
	case o.metadata("annotations", "argocd.argoproj.io/tracking-id") != "", o.labelled("argocd.argoproj.io/instance"),
		o.managedBy("argocd-controller", "argocd-application-controller"):
		return ManagerArgo
	case o.metadata("labels", "app.kubernetes.io/managed-by") == ManagerHelm &&
		o.metadata("annotations", "meta.helm.sh/release-name") != "":
		return ManagerHelm
	}
	return ""
}

// labelled tells whether the object carries one of the labels.
func (o Object) labelled(names ...string) bool {
	return slices.ContainsFunc(names, func(name string) bool { return o.metadata("labels", name) != "" })
}

// managedBy tells whether one of the field managers wrote something other than the status.
func (o Object) managedBy(names ...string) bool {
	managed, _ := Path{"metadata", "managedFields"}.Get(o.Content)
	entries, _ := managed.([]any)
	return slices.ContainsFunc(entries, func(entry any) bool {
		fields, _ := entry.(map[string]any)
		manager, _ := fields["manager"].(string)
		part, _ := fields["subresource"].(string)
		return part == "" && slices.Contains(names, strings.ToLower(manager))
	})
}

// metadata is the text of one label or annotation, empty where there is none.
func (o Object) metadata(list, name string) string {
	value, _ := Path{"metadata", list, name}.Get(o.Content)
	text, _ := value.(string)
	return text
}
