package arm

import (
	"context"
	"net/http"
	"slices"
	"strings"
)

// Versions of the APIs of vaults, of lists of resources, and of subscriptions.
const (
	vaults        = "2023-07-01"
	resources     = "2021-04-01"
	subscriptions = "2022-12-01"
)

// roleVault permits to write access policies.
const roleVault = "Key Vault Contributor"

// Vault is a key vault.
type Vault struct {
	// Name is as it was made; vaults' names are compared without case.
	ID, Name, Tenant, Location string
	// RBAC says that roles rule it; otherwise AccessPolicies do.
	RBAC bool
	// Public is publicNetworkAccess: false where it is Disabled.
	Public         bool
	AccessPolicies []AccessPolicy
}

// AccessPolicy is what one principal may do with a vault.
type AccessPolicy struct {
	Tenant      string      `json:"tenantId"`
	ObjectID    string      `json:"objectId"`
	Application string      `json:"applicationId,omitempty"`
	Permissions Permissions `json:"permissions"`
}

// Permissions are verbs such as get and list, by the kind of object.
type Permissions struct {
	Secrets      []string `json:"secrets,omitempty"`
	Certificates []string `json:"certificates,omitempty"`
	Keys         []string `json:"keys,omitempty"`
	Storage      []string `json:"storage,omitempty"`
}

// kinds are the lists of permissions, in a fixed order.
func (p Permissions) kinds() [][]string {
	return [][]string{p.Secrets, p.Certificates, p.Keys, p.Storage}
}

// covers tells whether p has all that other has.
func (p Permissions) covers(other Permissions) bool {
	for i, verbs := range other.kinds() {
		for _, verb := range verbs {
			has := func(v string) bool { return strings.EqualFold(v, verb) || strings.EqualFold(v, "all") }
			if !slices.ContainsFunc(p.kinds()[i], has) {
				return false
			}
		}
	}
	return true
}

type wireVault struct {
	ID         string `json:"id"`
	Name       string `json:"name"`
	Location   string `json:"location"`
	Properties struct {
		TenantID       string         `json:"tenantId"`
		RBAC           *bool          `json:"enableRbacAuthorization"`
		Public         string         `json:"publicNetworkAccess"`
		AccessPolicies []AccessPolicy `json:"accessPolicies"`
	} `json:"properties"`
}

func (w wireVault) vault() Vault {
	p := w.Properties
	return Vault{
		ID: w.ID, Name: w.Name, Tenant: p.TenantID, Location: w.Location, RBAC: p.RBAC != nil && *p.RBAC,
		Public: !strings.EqualFold(p.Public, "Disabled"), AccessPolicies: p.AccessPolicies,
	}
}

// Vault reads a vault by its ARM ID.
func (c *Client) Vault(ctx context.Context, id string) (Vault, error) {
	var w wireVault
	_, err := c.resources.send(ctx, call{
		doing: "reading the vault " + afterLast(id, "/"), role: "Reader", method: http.MethodGet, path: id,
	}.at(vaults), &w)
	return w.vault(), err
}

// Subscription is one that the login sees.
type Subscription struct {
	ID   string `json:"subscriptionId"`
	Name string `json:"displayName"`
}

// Subscriptions lists those that the login sees, sorted by ID.
func (c *Client) Subscriptions(ctx context.Context) ([]Subscription, error) {
	all, err := list[Subscription](ctx, c.resources, call{
		doing: "listing the subscriptions of the login", path: "/subscriptions",
	}.at(subscriptions))
	slices.SortFunc(all, func(a, b Subscription) int { return strings.Compare(a.ID, b.ID) })
	return all, err
}

// VaultIDs lists the ARM IDs of the vaults of a subscription that the login sees, by their names in lower case. Of those that
// names gives, all if there are none.
func (c *Client) VaultIDs(ctx context.Context, subscription string, names ...string) (map[string]string, error) {
	filter := "resourceType eq 'Microsoft.KeyVault/vaults'"
	if len(names) == 1 {
		filter += " and name eq '" + quoted(names[0]) + "'"
	}
	all, err := list[struct{ ID, Name string }](ctx, c.resources, call{
		doing: "looking for vaults in the subscription " + subscription, role: "Reader",
		path: "/subscriptions/" + subscription + "/resources",
	}.at(resources, "$filter", filter))
	found := map[string]string{}
	for _, r := range all {
		found[strings.ToLower(r.Name)] = r.ID
	}
	return found, err
}

// FindVault finds a vault by its name: in a subscription, or in all that the login sees where none is given. The names of vaults
// are the only ones of the kind in the world.
func (c *Client) FindVault(ctx context.Context, name, subscription string) (Vault, error) {
	where := []string{subscription}
	if subscription == "" {
		seen, err := c.Subscriptions(ctx)
		if err != nil {
			return Vault{}, err
		}
		where = nil
		for _, s := range seen {
			where = append(where, s.ID)
		}
	}
	for _, s := range where {
		ids, err := c.VaultIDs(ctx, s, name)
		if err != nil {
			return Vault{}, err
		}
		if id, ok := ids[strings.ToLower(name)]; ok {
			return c.Vault(ctx, id)
		}
	}
	place := strings.Join(where, ", ")
	if place == "" {
		place = "no subscription"
	}
	return Vault{}, &Error{
		Doing: "looking for the vault " + name, Place: place, Status: http.StatusNotFound, Service: "Azure Resource Manager",
		Message: "there is none of the name that the login sees",
		Cure:    "check its name and --subscription, or sign in as somebody who sees it (the role Reader on it is enough)",
	}
}

// AddPolicy adds permissions of a principal, by its object ID, to a vault that access policies rule, unless it has them, and says
// whether it did anything. Others' policies are not touched.
func (c *Client) AddPolicy(ctx context.Context, v Vault, object string, p Permissions) (bool, error) {
	if v.RBAC {
		return false, &DiffersError{
			What: "the vault " + v.Name, Place: v.ID, How: "roles rule it, not access policies", Cure: "give the principal a role instead",
		}
	}
	if slices.ContainsFunc(v.AccessPolicies, func(a AccessPolicy) bool { return a.is(object) && a.Permissions.covers(p) }) {
		return false, nil
	}
	err := c.policies(ctx, "adding the access policy of "+object+" to the vault "+v.Name, v, "add", []AccessPolicy{
		{Tenant: v.Tenant, ObjectID: object, Permissions: p},
	})
	return err == nil, err
}

// is tells whether a policy is a principal's own, not one of an application on its behalf.
func (a AccessPolicy) is(object string) bool {
	return strings.EqualFold(a.ObjectID, object) && a.Application == ""
}

// RemovePolicy takes all permissions of a principal on a vault, and says whether there were any. Others' are not touched.
func (c *Client) RemovePolicy(ctx context.Context, v Vault, object string) (bool, error) {
	var gone []AccessPolicy
	for _, a := range v.AccessPolicies {
		if a.is(object) {
			gone = append(gone, a)
		}
	}
	if len(gone) == 0 {
		return false, nil
	}
	err := c.policies(ctx, "removing the access policy of "+object+" from the vault "+v.Name, v, "remove", gone)
	return err == nil, err
}

// policies adds or removes access policies. It never replaces: that would take those of others.
func (c *Client) policies(ctx context.Context, doing string, v Vault, verb string, policies []AccessPolicy) error {
	_, err := c.resources.send(ctx, call{
		doing: doing, role: roleVault, method: http.MethodPut, path: v.ID + "/accessPolicies/" + verb,
		body: map[string]any{"properties": map[string]any{"accessPolicies": policies}},
	}.at(vaults), nil)
	return err
}
