// Package model is what the parts of a migration hand to each other: what was found (Snapshot), what it means (Survey), what
// is to be done about it (Plan), and what has to be said (Finding, whose codes are in one catalogue).
//
// A migration goes one way: read (a live cluster or a folder of manifests) -> Snapshot -> inventory -> Survey -> the stages ->
// Plan -> report, always, and write, only when told. Whichever input was read, the same Snapshot gives the same Plan.
//
// Promises: no value of a secret is ever in a Snapshot (see Object); all lists are sorted, so that two runs over the same input
// are equal byte for byte; and NewReport gives every object that was found exactly one outcome, whose sums match.
//
// It is pure: it reads no file, no clock and no network.
package model

import (
	"cmp"
	"strconv"
	"strings"
)

// Ref names an object of a cluster or of a folder.
type Ref struct {
	// APIVersion is group and version, as in the object.
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	// Namespace is empty for what belongs to the whole cluster, and for an object of a folder whose namespace only its
	// kustomization or its pipeline knows.
	Namespace string `json:"namespace,omitempty"`
	Name      string `json:"name"`
}

// String is `Kind namespace/name`, for messages.
func (r Ref) String() string {
	if r.Namespace == "" {
		return r.Kind + " " + r.Name
	}
	return r.Kind + " " + r.Namespace + "/" + r.Name
}

// Compare orders references by namespace, kind, name and API version.
func (r Ref) Compare(other Ref) int {
	return cmp.Or(cmp.Compare(r.Namespace, other.Namespace), cmp.Compare(r.Kind, other.Kind), cmp.Compare(r.Name, other.Name),
		cmp.Compare(r.APIVersion, other.APIVersion))
}

// Group is the API group, empty for the core.
func (r Ref) Group() string {
	group, _, found := strings.Cut(r.APIVersion, "/")
	if !found {
		return ""
	}
	return group
}

// Place is where in a folder an object stands; the zero Place is a live cluster.
type Place struct {
	// File is the path below the folder that was read, with slashes.
	File string `json:"file,omitempty"`
	// Document counts the documents of the file from 0.
	Document int `json:"document,omitempty"`
	// Item is the place in the list (`kind: List`) that holds the object, -1 if none does.
	Item int `json:"item,omitempty"`
	// Line is the object's first line, from 1.
	Line int `json:"line,omitempty"`
	// Inside is the JSON pointer, within the document, of the text that holds the object: a patch that a kustomization holds
	// inline has `/patches/0/patch`. Empty for all others. Document counts empty documents too.
	Inside string `json:"inside,omitempty"`
}

// String is `file:line`, empty for a live cluster.
func (p Place) String() string {
	if p.File == "" || p.Line == 0 {
		return p.File
	}
	return p.File + ":" + strconv.Itoa(p.Line)
}

// Object is one object as it was read.
type Object struct {
	Ref
	Place Place `json:"place,omitzero"`
	// Content is the whole object, of the types that JSON gives (map[string]any, []any, string, int64, float64, bool, nil).
	// Of a Secret, `data` and `stringData` hold no value: each key has a keyed digest instead (see Redact).
	Content map[string]any `json:"content"`
	// Partial says that the object is a piece of one: a patch of a kustomization. Its namespace may be unknown, and what it
	// does not say is said elsewhere.
	Partial bool `json:"partial,omitempty"`
	// Patch says how a kustomization comes to a piece; nil for everything else.
	Patch *Patch `json:"patch,omitempty"`
	// Namespaces are those that several overlays deploy an object of a folder to, sorted; Namespace is empty then.
	Namespaces []string `json:"namespaces,omitempty"`
}

// Input says what was read.
type Input struct {
	// Folder is the folder as the user named it; empty for a live cluster.
	Folder string `json:"folder,omitempty"`
	// Cluster identifies a live cluster: the UID of its namespace kube-system.
	Cluster string `json:"cluster,omitempty"`
	// Server is the address of a live cluster's API server.
	Server string `json:"server,omitempty"`
	// Version is a live cluster's version as `v1.34.4`, empty if unknown.
	Version string `json:"version,omitempty"`
	// Issuer is the `issuer` of a live cluster's OIDC discovery document, byte for byte; empty if it could not be read.
	Issuer string `json:"issuer,omitempty"`
	// Namespaces are those that were asked for; empty is all.
	Namespaces []string `json:"namespaces,omitempty"`
	// Selector is the label selector that workloads were read with, empty for all.
	Selector string `json:"selector,omitempty"`
}

// IsFolder tells a folder of manifests from a live cluster.
func (i Input) IsFolder() bool { return i.Folder != "" }

// Snapshot is everything that was read, and what could not be.
type Snapshot struct {
	Input Input `json:"input"`
	// Objects are sorted by Ref and Place. Of a live cluster pods that a controller made are among them.
	Objects []Object `json:"objects"`
	// ClientIDs maps a credential Secret (a nodePublishSecretRef's, `namespace/name`) to its key `clientid`, which is no secret.
	ClientIDs map[string]string `json:"clientIDs,omitempty"`
	// Azure is what Azure Resource Manager told; nil where it was not asked.
	Azure *Azure `json:"azure,omitempty"`
	// Findings are what the reader has to say: documents that are no YAML, kinds that may not be listed, templates.
	Findings []Finding `json:"findings,omitempty"`
}

// Azure is what Azure Resource Manager told of the cluster and of its vaults.
type Azure struct {
	// Arc is the ARM ID of the Arc-enabled cluster, empty if it is none.
	Arc string `json:"arc,omitempty"`
	// IssuerURL is Arc's oidcIssuerProfile.issuerUrl (of a cloud's own Kubernetes: selfHostedIssuerUrl), byte for byte.
	IssuerURL string `json:"issuerURL,omitempty"`
	// IssuerEnabled is oidcIssuerProfile.enabled.
	IssuerEnabled bool        `json:"issuerEnabled,omitempty"`
	Extensions    []Extension `json:"extensions,omitempty"`
	Vaults        []Vault     `json:"vaults,omitempty"`
}

// Extension is a cluster extension.
type Extension struct {
	Name string `json:"name"`
	// Type is extensionType in lower case.
	Type      string            `json:"type"`
	Version   string            `json:"version,omitempty"`
	Namespace string            `json:"namespace,omitempty"`
	Settings  map[string]string `json:"settings,omitempty"`
}

// Vault is a key vault.
type Vault struct {
	// Name is as it is written in ARM; names are compared without case.
	Name string `json:"name"`
	// ID is the ARM ID.
	ID     string `json:"id"`
	Tenant string `json:"tenant"`
	// RBAC is enableRbacAuthorization; otherwise access policies decide.
	RBAC bool `json:"rbac"`
}
