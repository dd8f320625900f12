// Package v1alpha1 holds the kinds of the API group secret-sync.x-k8s.io: what a user asks for, and what became of it.
//
// Names, defaults and reasons are those of Microsoft's Secret Store extension and of the public sync controller that it
// grew from, so that manifests written for them work unchanged. Types and markers only: no behaviour lives here.
//
// +kubebuilder:object:generate=true
// +groupName=secret-sync.x-k8s.io
package v1alpha1
