package state

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Cluster is an Arc-enabled Kubernetes cluster.
type Cluster struct {
	Name string `yaml:"name"`
	// TenantID may be left out if there is one tenant only.
	TenantID string `yaml:"tenantID"`
	// SubscriptionID, ResourceGroup and Location are made up if empty.
	SubscriptionID string `yaml:"subscriptionID"`
	ResourceGroup  string `yaml:"resourceGroup"`
	Location       string `yaml:"location"`
	// OIDCIssuer says that Arc's OpenID issuer is on; IssuerURL is then where it is, and SelfHostedIssuerURL where a cluster of
	// another cloud has its own.
	OIDCIssuer          bool   `yaml:"oidcIssuer"`
	IssuerURL           string `yaml:"issuerURL"`
	SelfHostedIssuerURL string `yaml:"selfHostedIssuerURL"`
	// WorkloadIdentity says that the workload identity webhook is on.
	WorkloadIdentity bool `yaml:"workloadIdentity"`
	// Distribution and KubernetesVersion are what the agents tell of the cluster; "k3s" and "1.31.0" by default.
	Distribution      string `yaml:"distribution"`
	KubernetesVersion string `yaml:"kubernetesVersion"`
	// Extensions are those that are installed.
	Extensions []Extension `yaml:"extensions"`
}

// Extension is a cluster extension.
type Extension struct {
	Name string `yaml:"name"`
	// Type is such as microsoft.azurekeyvaultsecretsprovider.
	Type string `yaml:"type"`
	// ReleaseTrain is "Stable" by default.
	ReleaseTrain string `yaml:"releaseTrain"`
	// Version is the one that was asked for, or that was installed last; "1.0.0" by default.
	Version string `yaml:"version"`
	// NoAutoUpgrade pins the version.
	NoAutoUpgrade bool `yaml:"noAutoUpgrade"`
	// ReleaseNamespace is where an extension of the whole cluster is; TargetNamespace is that of one for a namespace only.
	ReleaseNamespace string `yaml:"releaseNamespace"`
	TargetNamespace  string `yaml:"targetNamespace"`
	// Settings are the configuration settings. Protected ones are never told, and so not kept.
	Settings map[string]string `yaml:"settings"`

	state   string // what is under way until settled, or "Failed" or "Succeeded"
	settled time.Time
	failure string
}

// States of an extension and of an operation.
const (
	StateSucceeded = "Succeeded"
	StateFailed    = "Failed"
	stateCreating  = "Creating"
	stateUpdating  = "Updating"
	stateDeleting  = "Deleting"
)

// State is what Azure Resource Manager says of an extension at a time.
func (e Extension) State(now time.Time) string {
	switch {
	case now.Before(e.settled):
		return e.state
	case e.failure != "":
		return StateFailed
	default:
		return StateSucceeded
	}
}

// Failure is why the last operation has failed; empty if it has not, or is under way.
func (e Extension) Failure(now time.Time) string {
	if e.State(now) == StateFailed {
		return e.failure
	}
	return ""
}

// gone says whether an extension has been deleted by a time.
func (e Extension) gone(now time.Time) bool {
	return e.state == stateDeleting && e.failure == "" && !now.Before(e.settled)
}

// Operation is the installation, change or removal of an extension.
type Operation struct {
	// ID is a GUID.
	ID string
	// Extension is its ID.
	Extension string

	state   string
	settled time.Time
	failure string
}

// State is how far the operation is at a time, and Failure why it has failed.
func (o Operation) State(now time.Time) (state, failure string) {
	as := Extension{state: o.state, settled: o.settled, failure: o.failure}
	return as.State(now), as.Failure(now)
}

// cluster is a cluster that the state has; its extensions change.
type cluster struct {
	Cluster

	extensions []Extension
}

// ResourceID is what Azure Resource Manager calls the cluster.
func (c Cluster) ResourceID() string {
	return GroupID(c.SubscriptionID, c.ResourceGroup) + "/providers/Microsoft.Kubernetes/connectedClusters/" + c.Name
}

// ExtensionID is what Azure Resource Manager calls an extension of the cluster.
func (c Cluster) ExtensionID(name string) string {
	return c.ResourceID() + "/providers/Microsoft.KubernetesConfiguration/extensions/" + name
}

func (b *builder) addCluster(given Cluster) error {
	var err error
	if given.TenantID, err = b.tenantID(given.TenantID); err != nil {
		return err
	}
	given.SubscriptionID = cmp.Or(given.SubscriptionID, defaultSubscription)
	given.ResourceGroup, given.Location = cmp.Or(given.ResourceGroup, defaultGroup), cmp.Or(given.Location, defaultLocation)
	given.Distribution = cmp.Or(given.Distribution, "k3s")
	given.KubernetesVersion = cmp.Or(given.KubernetesVersion, "1.31.0")
	switch {
	case given.Name == "":
		return errors.New("it needs a name")
	case b.cluster(given.ResourceID()) != nil:
		return fmt.Errorf("name %s: another cluster of the resource group has it", given.Name)
	}
	kept := &cluster{Cluster: given}
	for _, extension := range given.Extensions {
		if extension.Name == "" || extension.Type == "" {
			return fmt.Errorf("extension %q: it needs a name and a type", extension.Name)
		}
		kept.extensions = append(kept.extensions, extension.complete())
	}
	kept.Extensions = nil
	b.groups.add(given.SubscriptionID, given.TenantID, given.ResourceGroup, given.Location)
	b.clusters = append(b.clusters, kept)
	return nil
}

// complete fills in what Azure decides.
func (e Extension) complete() Extension {
	e.ReleaseTrain, e.Version = cmp.Or(e.ReleaseTrain, "Stable"), cmp.Or(e.Version, "1.0.0")
	e.Type = strings.ToLower(e.Type)
	if e.TargetNamespace == "" {
		e.ReleaseNamespace = cmp.Or(e.ReleaseNamespace, e.Name)
	}
	return e
}

// cluster finds a cluster by its ID; nil if there is none.
func (s *State) cluster(id string) *cluster {
	i := slices.IndexFunc(s.clusters, func(c *cluster) bool { return strings.EqualFold(c.ResourceID(), id) })
	if i < 0 {
		return nil
	}
	return s.clusters[i]
}

// Clusters are all connected clusters with their extensions, sorted by ID.
func (s *State) Clusters() []Cluster {
	s.mu.RLock()
	defer s.mu.RUnlock()
	list := make([]Cluster, 0, len(s.clusters))
	for _, c := range s.clusters {
		list = append(list, s.copyOfCluster(c))
	}
	slices.SortFunc(list, func(a, b Cluster) int { return cmp.Compare(a.ResourceID(), b.ResourceID()) })
	return list
}

// Cluster finds a connected cluster by its ID, with its extensions sorted by name.
func (s *State) Cluster(id string) (Cluster, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	c := s.cluster(id)
	if c == nil {
		return Cluster{}, false
	}
	return s.copyOfCluster(c), true
}

func (s *State) copyOfCluster(c *cluster) Cluster {
	found, now := c.Cluster, s.now()
	found.Extensions = slices.DeleteFunc(slices.Clone(c.extensions), func(e Extension) bool { return e.gone(now) })
	slices.SortFunc(found.Extensions, func(a, b Extension) int { return cmp.Compare(a.Name, b.Name) })
	return found
}

// SetIssuer changes the OpenID issuer of a cluster, as its agents do after "az connectedk8s update".
func (s *State) SetIssuer(id, issuerURL string, workloadIdentity bool) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.cluster(id)
	if c == nil {
		return fmt.Errorf("cluster %s: %w", id, ErrUnknown)
	}
	c.OIDCIssuer, c.IssuerURL, c.WorkloadIdentity = issuerURL != "", issuerURL, workloadIdentity
	return nil
}

// PutExtension begins to install an extension on a cluster, or to change it. ErrImmutable tells that it would change its type,
// ErrExists that an extension of the type is there by another name, ErrBusy that it is being changed already.
func (s *State) PutExtension(clusterID string, wanted Extension) (Operation, bool, error) {
	return s.change(clusterID, wanted.Name, func(c *cluster, at int, now time.Time) (string, error) {
		wanted = wanted.complete()
		taken := slices.ContainsFunc(c.extensions, func(e Extension) bool {
			return e.Type == wanted.Type && !strings.EqualFold(e.Name, wanted.Name) && !e.gone(now)
		})
		switch {
		case taken:
			return "", ErrExists
		case at < 0:
			c.extensions = append(c.extensions, wanted)
			return stateCreating, nil
		case c.extensions[at].Type != wanted.Type:
			return "", ErrImmutable
		}
		c.extensions[at] = wanted
		return stateUpdating, nil
	})
}

// DeleteExtension begins to remove an extension of a cluster, or gives ErrUnknown or ErrBusy.
func (s *State) DeleteExtension(clusterID, name string) (Operation, error) {
	operation, _, err := s.change(clusterID, name, func(_ *cluster, at int, _ time.Time) (string, error) {
		if at < 0 {
			return "", ErrUnknown
		}
		return stateDeleting, nil
	})
	return operation, err
}

// ErrBusy says that another operation is under way.
var ErrBusy = errors.New("another operation is under way")

// change begins an operation on an extension, which is at an index or, at -1, does not exist. It says whether it did not exist.
func (s *State) change(
	clusterID, name string, begin func(c *cluster, at int, now time.Time) (string, error),
) (Operation, bool, error) {
	id, err := s.newGUID()
	if err != nil {
		return Operation{}, false, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	c, now := s.cluster(clusterID), s.now()
	if c == nil {
		return Operation{}, false, ErrUnknown
	}
	c.extensions = slices.DeleteFunc(c.extensions, func(e Extension) bool { return e.gone(now) })
	find := func(e Extension) bool { return strings.EqualFold(e.Name, name) }
	at := slices.IndexFunc(c.extensions, find)
	if at >= 0 && now.Before(c.extensions[at].settled) {
		return Operation{}, false, ErrBusy
	}
	state, err := begin(c, at, now)
	if err != nil {
		return Operation{}, false, err
	}
	created := at < 0
	at = slices.IndexFunc(c.extensions, find)
	e := &c.extensions[at]
	e.state, e.failure = state, s.settings.OperationFailure
	e.settled = now.Add(time.Duration(s.settings.OperationMilliseconds) * time.Millisecond)
	operation := Operation{ID: id, Extension: c.ExtensionID(e.Name), state: state, settled: e.settled, failure: e.failure}
	s.operations[id] = operation
	return operation, created, nil
}

// Operation finds an operation by its ID.
func (s *State) Operation(id string) (Operation, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	operation, ok := s.operations[strings.ToLower(id)]
	return operation, ok
}
