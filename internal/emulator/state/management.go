package state

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Where things are whose seed does not say so.
const (
	defaultSubscription = "00000000-0000-0000-0000-000000000000"
	defaultGroup        = "emulator"
	defaultLocation     = "westeurope"
)

// ManagementSeed is what Azure Resource Manager knows besides identities and vaults, and how it behaves.
type ManagementSeed struct {
	// Subscriptions gives names to subscriptions, and makes those in which nothing is.
	Subscriptions []Subscription `yaml:"subscriptions"`
	// ResourceGroups are those in which nothing is; those of identities, vaults and clusters exist by themselves.
	ResourceGroups []ResourceGroup `yaml:"resourceGroups"`
	// RoleAssignments are those on whole scopes: Scope is the ID of a subscription, group or resource, or empty for everything.
	RoleAssignments []RoleAssignment `yaml:"roleAssignments"`
	// ConnectedClusters are the Arc-enabled Kubernetes clusters.
	ConnectedClusters []Cluster `yaml:"connectedClusters"`

	ManagementSettings `yaml:",inline"`
}

// ManagementSettings is how Azure Resource Manager behaves. They can be set as a whole at any time.
type ManagementSettings struct {
	// PageSize is how many items of a list an answer has at most; 0 for all.
	PageSize int `json:"pageSize,omitempty" yaml:"pageSize"`
	// CredentialWriteMilliseconds is how long it takes to write or delete a federated credential. Another write to the same
	// identity meanwhile is refused.
	CredentialWriteMilliseconds int `json:"credentialWriteMilliseconds,omitempty" yaml:"credentialWriteMilliseconds"`
	// CredentialPropagationSeconds is for how long a federated credential that was written does not work yet, and one that was
	// deleted still does.
	CredentialPropagationSeconds int `json:"credentialPropagationSeconds,omitempty" yaml:"credentialPropagationSeconds"`
	// RolePropagationSeconds is the same for role assignments.
	RolePropagationSeconds int `json:"rolePropagationSeconds,omitempty" yaml:"rolePropagationSeconds"`
	// PrincipalPropagationSeconds is for how long a new identity is not found by a role assignment without a principalType.
	PrincipalPropagationSeconds int `json:"principalPropagationSeconds,omitempty" yaml:"principalPropagationSeconds"`
	// OperationMilliseconds is how long it takes to install or remove an extension.
	OperationMilliseconds int `json:"operationMilliseconds,omitempty" yaml:"operationMilliseconds"`
	// OperationFailure, if it is not empty, is the message with which operations that begin from now on fail.
	OperationFailure string `json:"operationFailure,omitempty" yaml:"operationFailure"`
	// RetryAfterSeconds is the Retry-After header of operations that are under way; 0 for none.
	RetryAfterSeconds int `json:"retryAfterSeconds,omitempty" yaml:"retryAfterSeconds"`
}

// validate tells what is wrong with settings.
func (m ManagementSettings) validate() error {
	if min(m.PageSize, m.CredentialWriteMilliseconds, m.CredentialPropagationSeconds, m.RolePropagationSeconds,
		m.PrincipalPropagationSeconds, m.OperationMilliseconds, m.RetryAfterSeconds) < 0 {
		return errors.New("sizes, milliseconds and seconds must not be negative")
	}
	return nil
}

// ManagementSettings gives the settings as they are now.
func (s *State) ManagementSettings() ManagementSettings {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.settings
}

// SetManagementSettings replaces all settings. It changes nothing if they are invalid.
func (s *State) SetManagementSettings(settings ManagementSettings) error {
	if err := settings.validate(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.settings = settings
	return nil
}

// Subscription is an Azure subscription.
type Subscription struct {
	ID string `yaml:"id"`
	// Name is for people; the ID by default.
	Name string `yaml:"name"`
	// TenantID may be left out if there is one tenant only.
	TenantID string `yaml:"tenantID"`
}

// ResourceGroup is a group of resources.
type ResourceGroup struct {
	SubscriptionID string `yaml:"subscriptionID"`
	Name           string `yaml:"name"`
	Location       string `yaml:"location"`
}

// GroupID is what Azure Resource Manager calls a resource group.
func GroupID(subscriptionID, group string) string {
	return "/subscriptions/" + subscriptionID + "/resourceGroups/" + group
}

// groups are the subscriptions and the resource groups in them; fixed once the state is made.
type groups struct {
	subscriptions []Subscription
	list          []ResourceGroup
}

// add notes that there is a group, and a subscription, unless they are known.
func (g *groups) add(subscriptionID, tenantID, group, location string) {
	if !slices.ContainsFunc(g.subscriptions, func(s Subscription) bool { return strings.EqualFold(s.ID, subscriptionID) }) {
		g.subscriptions = append(g.subscriptions, Subscription{ID: subscriptionID, Name: subscriptionID, TenantID: tenantID})
	}
	if group != "" && !slices.ContainsFunc(g.list, func(r ResourceGroup) bool {
		return strings.EqualFold(r.SubscriptionID, subscriptionID) && strings.EqualFold(r.Name, group)
	}) {
		g.list = append(g.list, ResourceGroup{SubscriptionID: subscriptionID, Name: group, Location: location})
	}
}

// Subscriptions are all subscriptions, sorted by ID.
func (s *State) Subscriptions() []Subscription { return slices.Clone(s.groups.subscriptions) }

// Subscription finds a subscription by its ID.
func (s *State) Subscription(id string) (Subscription, bool) {
	i := slices.IndexFunc(s.groups.subscriptions, func(s Subscription) bool { return strings.EqualFold(s.ID, id) })
	if i < 0 {
		return Subscription{}, false
	}
	return s.groups.subscriptions[i], true
}

// ResourceGroups are the resource groups of a subscription, sorted by name.
func (s *State) ResourceGroups(subscriptionID string) []ResourceGroup {
	return slices.DeleteFunc(slices.Clone(s.groups.list), func(g ResourceGroup) bool {
		return !strings.EqualFold(g.SubscriptionID, subscriptionID)
	})
}

// addManagement adds what comes after identities and vaults.
func (b *builder) addManagement(seed ManagementSeed) {
	b.check("management", seed.validate())
	b.settings, b.operations = seed.ManagementSettings, map[string]Operation{}
	for i, subscription := range seed.Subscriptions {
		b.check(fmt.Sprintf("management.subscriptions[%d]", i), b.addSubscription(subscription))
	}
	for i, group := range seed.ResourceGroups {
		b.check(fmt.Sprintf("management.resourceGroups[%d]", i), b.addGroup(group))
	}
	for i, cluster := range seed.ConnectedClusters {
		b.check(fmt.Sprintf("management.connectedClusters[%d]", i), b.addCluster(cluster))
	}
	for i, assignment := range seed.RoleAssignments {
		complete, err := b.complete(assignment)
		b.check(fmt.Sprintf("management.roleAssignments[%d]", i), err)
		complete.Scope = cmp.Or(complete.Scope, "/")
		_, _, _ = b.assignments.add(complete) // given twice, it is given
	}
	slices.SortFunc(b.groups.subscriptions, func(a, b Subscription) int { return cmp.Compare(a.ID, b.ID) })
	slices.SortFunc(b.groups.list, func(a, b ResourceGroup) int {
		return cmp.Or(cmp.Compare(a.SubscriptionID, b.SubscriptionID), cmp.Compare(a.Name, b.Name))
	})
}

func (b *builder) addSubscription(given Subscription) error {
	tenant, err := b.tenantID(given.TenantID)
	if err != nil {
		return err
	}
	if given.ID == "" {
		return errors.New("it needs an id")
	}
	b.groups.add(given.ID, tenant, "", "")
	for i := range b.groups.subscriptions {
		known := &b.groups.subscriptions[i]
		if !strings.EqualFold(known.ID, given.ID) {
			continue
		}
		if !strings.EqualFold(known.TenantID, tenant) {
			return fmt.Errorf("tenantID is %q: what is in the subscription is of the tenant %s", tenant, known.TenantID)
		}
		known.Name = cmp.Or(given.Name, known.Name)
	}
	return nil
}

func (b *builder) addGroup(given ResourceGroup) error {
	subscription, ok := b.Subscription(cmp.Or(given.SubscriptionID, defaultSubscription))
	if !ok {
		return fmt.Errorf("subscriptionID is %q: no subscription has it", given.SubscriptionID)
	}
	if given.Name == "" {
		return errors.New("it needs a name")
	}
	b.groups.add(subscription.ID, subscription.TenantID, given.Name, cmp.Or(given.Location, defaultLocation))
	return nil
}
