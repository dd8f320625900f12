package read

import (
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// kind is a kind of object that a cluster serves.
type kind struct {
	schema.GroupVersionResource
	name       string
	namespaced bool
}

// kinds are those that a cluster serves, in the version that it prefers.
type kinds []kind

// kindsOf makes kinds of what discovery says. Subresources are left out, and what cannot be read.
func kindsOf(lists []*metav1.APIResourceList) kinds {
	var found kinds
	for _, list := range lists {
		gv, err := schema.ParseGroupVersion(list.GroupVersion)
		if err != nil {
			continue // the API server does not serve it either
		}
		for _, r := range list.APIResources {
			if !strings.Contains(r.Name, "/") {
				found = append(found, kind{gv.WithResource(r.Name), r.Kind, r.Namespaced})
			}
		}
	}
	return found
}

// resource returns the kind that a group's resource is.
func (k kinds) resource(group, resource string) (kind, bool) {
	for _, served := range k {
		if served.Group == group && served.Resource == resource {
			return served, true
		}
	}
	return kind{}, false
}

// named returns the kind that an object's or an owner reference's apiVersion and kind name, whatever the version.
func (k kinds) named(apiVersion, name string) (kind, bool) {
	group := ""
	if before, _, found := strings.Cut(apiVersion, "/"); found {
		group = before
	}
	for _, served := range k {
		if served.Group == group && served.name == name {
			return served, true
		}
	}
	return kind{}, false
}
