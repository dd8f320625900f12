package arm

import (
	"net/http"
	"slices"
	"strings"

	"secretstore/internal/emulator/state"
)

const kindVaults = "Microsoft.KeyVault/vaults"

type vaultView struct {
	resourceView

	Properties vaultProperties `json:"properties"`
}

type vaultProperties struct {
	SKU                       map[string]string `json:"sku"`
	TenantID                  string            `json:"tenantId"`
	AccessPolicies            []policyEntry     `json:"accessPolicies"`
	EnableRBACAuthorization   bool              `json:"enableRbacAuthorization"`
	EnableSoftDelete          bool              `json:"enableSoftDelete"`
	SoftDeleteRetentionInDays int               `json:"softDeleteRetentionInDays"`
	VaultURI                  string            `json:"vaultUri"`
	NetworkACLs               networkACLs       `json:"networkAcls"`
	PublicNetworkAccess       string            `json:"publicNetworkAccess"`
	ProvisioningState         string            `json:"provisioningState"`
}

type networkACLs struct {
	Bypass              string     `json:"bypass"`
	DefaultAction       string     `json:"defaultAction"`
	IPRules             []struct{} `json:"ipRules"`
	VirtualNetworkRules []struct{} `json:"virtualNetworkRules"`
}

// policyEntry is what a principal may do by an access policy.
type policyEntry struct {
	TenantID    string            `json:"tenantId"`
	ObjectID    string            `json:"objectId"`
	Permissions policyPermissions `json:"permissions"`
}

type policyPermissions struct {
	Keys         []string `json:"keys"`
	Secrets      []string `json:"secrets"`
	Certificates []string `json:"certificates"`
}

func (s *Service) viewVault(v *state.Vault) vaultView {
	const retention = 90 // days, the default
	network := v.Network()
	return vaultView{
		resourceView: resourceView{
			ID: v.ResourceID(), Name: v.Name, Type: kindVaults, Location: v.Location, Tags: map[string]string{},
		},
		Properties: vaultProperties{
			SKU: map[string]string{"family": "A", "name": "standard"}, TenantID: v.TenantID,
			AccessPolicies: viewPolicies(v), EnableRBACAuthorization: v.UsesRoles(), EnableSoftDelete: true,
			SoftDeleteRetentionInDays: retention, VaultURI: "https://" + strings.ToLower(v.Name) + "." + s.state.VaultDNSSuffix + "/",
			NetworkACLs: networkACLs{
				Bypass: "AzureServices", DefaultAction: network.Firewall, IPRules: []struct{}{}, VirtualNetworkRules: []struct{}{},
			},
			PublicNetworkAccess: network.PublicNetworkAccess, ProvisioningState: "Succeeded",
		},
	}
}

func viewPolicies(v *state.Vault) []policyEntry {
	entries := []policyEntry{}
	for _, p := range v.AccessPolicies() {
		entries = append(entries, policyEntry{TenantID: v.TenantID, ObjectID: p.ObjectID, Permissions: policyPermissions{
			Keys: append([]string{}, p.Keys...), Secrets: append([]string{}, p.Secrets...),
			Certificates: append([]string{}, p.Certificates...),
		}})
	}
	return entries
}

// vault finds the vault of a path; names of vaults are unique in all of Azure, but its place must be right as well.
func (s *Service) vault(r *request) (*state.Vault, bool) {
	v, found := s.state.Vault(r.names[0])
	return v, found && strings.EqualFold(v.SubscriptionID, r.subscription) && strings.EqualFold(v.ResourceGroup, r.group)
}

func (s *Service) getVault(r *request) (answer, *refusal) {
	v, found := s.vault(r)
	if !found {
		return answer{}, resourceNotFound(r.target)
	}
	return ok(s.viewVault(v))
}

func (s *Service) listVaults(r *request) (answer, *refusal) {
	var items []item
	for _, v := range s.state.Vaults() {
		if state.Covers(r.scope, v.ResourceID()) {
			items = append(items, item{v.ResourceID(), s.viewVault(v)})
		}
	}
	return s.page(r, items)
}

// putPolicies adds permissions to those of principals, replaces those of the principals that are named, or takes some away.
func (s *Service) putPolicies(r *request) (answer, *refusal) {
	var body struct {
		Properties struct {
			AccessPolicies []policyEntry `json:"accessPolicies"`
		} `json:"properties"`
	}
	if refused := r.decode(&body); refused != nil {
		return answer{}, refused
	}
	v, found := s.vault(r)
	if !found {
		return answer{}, parentNotFound(r.names[0])
	}
	for _, entry := range body.Properties.AccessPolicies {
		if entry.ObjectID == "" || !strings.EqualFold(entry.TenantID, v.TenantID) { // no capture
			return answer{}, badRequest("BadRequest", "An invalid value was provided for 'accessPolicies'.")
		}
	}
	combine, known := map[string]func(old, given []string) []string{
		"add": union, "replace": func(_, given []string) []string { return given }, "remove": without,
	}[strings.ToLower(r.name())]
	if !known { // no capture
		return answer{}, badRequest("BadRequest", "The operation kind '%s' is not one of add, replace, remove.", r.name())
	}
	v.ChangeAccessPolicies(func(old []state.AccessPolicy) []state.AccessPolicy {
		for _, entry := range body.Properties.AccessPolicies {
			old = combinePolicy(old, entry, combine)
		}
		return old
	})
	return answer{status: http.StatusOK, body: map[string]any{
		"id": v.ResourceID() + "/accessPolicies/", "type": kindVaults + "/accessPolicies",
		"properties": map[string]any{"accessPolicies": viewPolicies(v)},
	}}, nil
}

// combinePolicy makes a new list of policies in which one principal's permissions are combined with those given. A principal
// without any permission is left out.
func combinePolicy(
	old []state.AccessPolicy, given policyEntry, combine func(old, given []string) []string,
) []state.AccessPolicy {
	combined := state.AccessPolicy{ObjectID: given.ObjectID}
	var others []state.AccessPolicy
	for _, p := range old {
		if strings.EqualFold(p.ObjectID, given.ObjectID) {
			combined = p
		} else {
			others = append(others, p)
		}
	}
	combined.Secrets = combine(combined.Secrets, given.Permissions.Secrets)
	combined.Keys = combine(combined.Keys, given.Permissions.Keys)
	combined.Certificates = combine(combined.Certificates, given.Permissions.Certificates)
	if len(combined.Secrets)+len(combined.Keys)+len(combined.Certificates) == 0 {
		return others
	}
	return append(others, combined)
}

func union(old, given []string) []string { return append(without(old, given), given...) }

func without(old, given []string) []string {
	return slices.DeleteFunc(slices.Clone(old), func(p string) bool {
		return slices.ContainsFunc(given, func(g string) bool { return strings.EqualFold(p, g) })
	})
}
