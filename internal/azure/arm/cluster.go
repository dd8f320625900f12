package arm

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
)

// Versions of the APIs of Arc-enabled clusters (the first with the issuer's profile) and of their extensions.
const (
	clusters   = "2024-12-01-preview"
	extensions = "2023-05-01"
)

// roleExtension permits to install and remove extensions.
const roleExtension = "Kubernetes Extension Contributor"

// Cluster is an Arc-enabled cluster.
type Cluster struct {
	ID, Name, Location string
	// IssuerEnabled is oidcIssuerProfile.enabled.
	IssuerEnabled bool
	// IssuerURL is where Azure publishes the cluster's keys, SelfHosted the issuer of a cluster of another cloud, which publishes
	// them itself; byte for byte.
	IssuerURL, SelfHosted string
}

func (g Group) cluster(name string) string {
	return g.ID("Microsoft.Kubernetes/connectedClusters", name)
}

// Cluster reads an Arc-enabled cluster.
func (c *Client) Cluster(ctx context.Context, g Group, name string) (Cluster, error) {
	var w struct {
		ID, Name, Location string
		Properties         struct {
			OIDC struct {
				Enabled    bool   `json:"enabled"`
				IssuerURL  string `json:"issuerUrl"`
				SelfHosted string `json:"selfHostedIssuerUrl"`
			} `json:"oidcIssuerProfile"`
		}
	}
	_, err := c.resources.send(ctx, call{
		doing: "reading the Arc-enabled cluster " + name, role: "Reader", method: http.MethodGet, path: g.cluster(name),
	}.at(clusters), &w)
	oidc := w.Properties.OIDC
	return Cluster{w.ID, w.Name, w.Location, oidc.Enabled, oidc.IssuerURL, oidc.SelfHosted}, err
}

// Extension is a cluster extension.
type Extension struct {
	Name string
	// Type is in whatever case Azure gives it.
	Type, ReleaseTrain string
	// Version is the one that is asked for, empty where Azure upgrades it by itself; Current is the one that runs.
	Version, Current string
	// State is provisioningState: Succeeded, Failed, Creating and so on.
	State string
	// Namespace is the release's, where the extension belongs to the whole cluster.
	Namespace string
	Settings  map[string]string
}

type wireExtension struct {
	Name       string            `json:"name,omitempty"`
	Identity   map[string]string `json:"identity,omitempty"`
	Properties struct {
		Type         string `json:"extensionType"`
		ReleaseTrain string `json:"releaseTrain,omitempty"`
		Version      string `json:"version,omitempty"`
		AutoUpgrade  bool   `json:"autoUpgradeMinorVersion"`
		State        string `json:"provisioningState,omitempty"`
		Current      string `json:"currentVersion,omitempty"`
		Scope        struct {
			Cluster *struct {
				Namespace string `json:"releaseNamespace,omitempty"`
			} `json:"cluster,omitempty"`
		} `json:"scope"`
		Settings map[string]string `json:"configurationSettings,omitempty"`
	} `json:"properties"`
}

func (w wireExtension) extension() Extension {
	p := w.Properties
	e := Extension{
		Name: w.Name, Type: p.Type, ReleaseTrain: p.ReleaseTrain, Version: p.Version, Current: p.Current, State: p.State,
		Settings: p.Settings,
	}
	if p.Scope.Cluster != nil {
		e.Namespace = p.Scope.Cluster.Namespace
	}
	return e
}

func extensionCall(method, verb string, g Group, cluster, name string) call {
	return call{
		doing: verb + " the extension " + name + " of the cluster " + cluster, role: roleExtension, method: method,
		path: g.cluster(cluster) + "/providers/Microsoft.KubernetesConfiguration/extensions/" + name,
	}.at(extensions)
}

// Extensions lists those of a cluster, sorted by name.
func (c *Client) Extensions(ctx context.Context, g Group, cluster string) ([]Extension, error) {
	all, err := list[wireExtension](ctx, c.resources, call{
		doing: "listing the extensions of the cluster " + cluster, role: "Reader",
		path: g.cluster(cluster) + "/providers/Microsoft.KubernetesConfiguration/extensions",
	}.at(extensions))
	var found []Extension
	for _, w := range all {
		found = append(found, w.extension())
	}
	slices.SortFunc(found, func(a, b Extension) int { return strings.Compare(a.Name, b.Name) })
	return found, err
}

// Extension reads one of a cluster.
func (c *Client) Extension(ctx context.Context, g Group, cluster, name string) (Extension, error) {
	var w wireExtension
	_, err := c.resources.send(ctx, extensionCall(http.MethodGet, "reading", g, cluster, name), &w)
	return w.extension(), err
}

// MakeExtension installs an extension for the whole cluster and waits for the end, unless it is there as wanted, and says whether
// it did anything. One that failed before is installed again.
func (c *Client) MakeExtension(ctx context.Context, g Group, cluster string, e Extension) (bool, error) {
	request := extensionCall(http.MethodPut, "installing", g, cluster, e.Name)
	there, err := c.Extension(ctx, g, cluster, e.Name)
	switch {
	case err == nil && there.State == "Succeeded" || err == nil && there.differs(e) != "":
		if how := there.differs(e); how != "" {
			return false, &DiffersError{
				What: "the extension " + e.Name, Place: request.path, How: how,
				Cure: "change it by az k8s-extension update, or remove it first",
			}
		}
		return false, nil
	case err != nil && !IsNotFound(err), hasCode(err, "ParentResourceNotFound", "ResourceGroupNotFound", "SubscriptionNotFound"):
		return false, err
	}
	w := wireExtension{Identity: map[string]string{"type": "SystemAssigned"}}
	p := &w.Properties
	p.Type, p.ReleaseTrain, p.Version, p.Settings, p.AutoUpgrade = e.Type, e.ReleaseTrain, e.Version, e.Settings, e.Version == ""
	p.Scope.Cluster = &struct {
		Namespace string `json:"releaseNamespace,omitempty"`
	}{e.Namespace}
	request.body = w
	return c.long(ctx, request)
}

// differs says in which way an extension that is there is not the one wanted. What is not asked for may be as it is.
func (e Extension) differs(wanted Extension) string {
	if !strings.EqualFold(e.Type, wanted.Type) {
		return fmt.Sprintf("it is of type %s, not %s", e.Type, wanted.Type)
	}
	for _, name := range slices.Sorted(maps.Keys(wanted.Settings)) {
		if e.Settings[name] != wanted.Settings[name] {
			return "its setting " + name + " has another value" // which may be a proxy's password
		}
	}
	return ""
}

// DeleteExtension removes an extension and waits for the end. It says whether there was one.
func (c *Client) DeleteExtension(ctx context.Context, g Group, cluster, name string) (bool, error) {
	did, err := c.long(ctx, extensionCall(http.MethodDelete, "removing", g, cluster, name))
	if IsNotFound(err) {
		return false, nil
	}
	return did, err
}
