package state

import (
	"fmt"
	"slices"
	"strings"
)

// Need is what a caller must be allowed for one operation, in the words of both ways of authorization.
type Need struct {
	// Kind and Name are of the object; Name is empty for lists.
	Kind Kind
	Name string
	// Permission is what an access policy calls it, such as "get".
	Permission string
	// Action is the data action of roles below Microsoft.KeyVault/vaults/, such as "secrets/getSecret/action".
	Action string
}

// vaultActions is what the data actions of vaults begin with.
const vaultActions = "Microsoft.KeyVault/vaults/"

// Role is a built-in role of Azure. Its actions are patterns with at most one *.
type Role struct {
	// Name is for people, ID a GUID that is the same in every tenant.
	Name, ID string
	// Actions less NotActions are what it lets be done to resources, DataActions what to the data in them.
	Actions, NotActions, DataActions []string
}

// Roles are the built-in roles that are known: those that have to do with the data of a vault, and the usual ones over
// resources (learn.microsoft.com, role-based-access-control/built-in-roles: security, privileged, general, identity).
func Roles() []Role {
	const readVaults = vaultActions + "*/read"
	return append([]Role{
		{
			Name: "Key Vault Reader", ID: "21090545-7ca7-4776-b22c-e363652d74d2",
			Actions:     []string{"Microsoft.Authorization/*/read", vaultActions + "read", readVaults},
			DataActions: []string{readVaults, vaultActions + "secrets/readMetadata/action"},
		},
		dataRole("Key Vault Secrets User", "4633458b-17de-408a-b874-0445c86b69e6",
			"secrets/getSecret/action", "secrets/readMetadata/action"),
		dataRole("Key Vault Certificate User", "db79e9a7-68ee-4b58-9aeb-b90e7c24fcba",
			"certificates/read", "secrets/getSecret/action", "secrets/readMetadata/action", "keys/read"),
		dataRole("Key Vault Crypto User", "12338af0-0e69-4776-bea7-57ae8d297424", "keys/read", "keys/update/action"),
		dataRole("Key Vault Secrets Officer", "b86a8fe4-44ce-4948-aee5-eccb2c155cd7", "secrets/*"),
		dataRole("Key Vault Certificates Officer", "a4417e6f-fecd-4de8-b567-7b0420556985", "certificates/*"),
		dataRole("Key Vault Crypto Officer", "14b46e9e-c2b7-41b4-b07b-48a6ebf60603", "keys/*"),
		dataRole("Key Vault Administrator", "00482a5a-887f-4fb3-b363-3b7fe8e74483", "*"),
	}, managementRoles()...)
}

// managementRoles are those over resources; none of them gives access to the data in a vault.
func managementRoles() []Role {
	return []Role{
		{Name: "Owner", ID: "8e3af657-a8ff-443c-a75c-2fe8c4bcb635", Actions: []string{"*"}},
		{
			Name: "Contributor", ID: "b24988ac-6180-42a0-ab88-20f7382dd24c", Actions: []string{"*"},
			NotActions: []string{"Microsoft.Authorization/*/delete", "Microsoft.Authorization/*/write"},
		},
		{Name: "Reader", ID: "acdd72a7-3385-48ef-bd42-f606fba81ae7", Actions: []string{"*/read"}},
		{
			Name: "User Access Administrator", ID: "18d7d88d-d35e-4fb5-a5c3-7773c20a72d9",
			Actions: []string{"*/read", "Microsoft.Authorization/*"},
		},
		{
			Name: "Managed Identity Contributor", ID: "e40ec5ca-96e0-45a2-b4ff-59039f2c2b59",
			Actions: []string{"Microsoft.ManagedIdentity/userAssignedIdentities/*", "Microsoft.Resources/subscriptions/*/read"},
		},
		{
			Name: "Key Vault Contributor", ID: "f25e0fa2-a7c8-4377-a976-54943a77a395",
			Actions: []string{"Microsoft.KeyVault/*", "Microsoft.Resources/subscriptions/*/read"},
		},
	}
}

// dataRole is a role over a vault's data alone.
func dataRole(name, id string, actions ...string) Role {
	role := Role{Name: name, ID: id}
	for _, action := range actions {
		role.DataActions = append(role.DataActions, vaultActions+action)
	}
	return role
}

// FindRole finds a built-in role by its name or ID.
func FindRole(nameOrID string) (Role, error) {
	roles := Roles()
	i := slices.IndexFunc(roles, func(r Role) bool {
		return strings.EqualFold(r.Name, nameOrID) || strings.EqualFold(r.ID, nameOrID)
	})
	if i < 0 {
		names := make([]string, 0, len(roles))
		for _, r := range roles {
			names = append(names, r.Name)
		}
		return Role{}, fmt.Errorf("role is %q: it must be one of %s, or the ID of one", nameOrID, strings.Join(names, ", "))
	}
	return roles[i], nil
}

// allows says whether the role lets an action be done to a resource.
func (r Role) allows(action string) bool {
	return match(r.Actions, action) && !match(r.NotActions, action)
}

// allowsData says whether the role lets an action be done to the data in a resource.
func (r Role) allowsData(action string) bool { return match(r.DataActions, action) }

// match compares an action with patterns, whatever the letter case.
func match(patterns []string, action string) bool {
	action = strings.ToLower(action)
	return slices.ContainsFunc(patterns, func(pattern string) bool {
		before, after, wild := strings.Cut(strings.ToLower(pattern), "*")
		if !wild {
			return before == action
		}
		return len(action) >= len(before)+len(after) && strings.HasPrefix(action, before) && strings.HasSuffix(action, after)
	})
}

// allows says whether an access policy gives the permission.
func (p AccessPolicy) allows(need Need) bool {
	permissions := map[Kind][]string{Secrets: p.Secrets, Keys: p.Keys, Certificates: p.Certificates}[need.Kind]
	return slices.ContainsFunc(permissions, func(given string) bool {
		return strings.EqualFold(given, need.Permission) || strings.EqualFold(given, "all")
	})
}
