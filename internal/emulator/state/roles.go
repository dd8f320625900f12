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

// role is a built-in role of Azure; its actions are patterns with at most one *.
type role struct {
	name, id string
	actions  []string
}

// builtInRoles are those that have to do with the data of a vault (learn.microsoft.com, role-based-access-control/
// built-in-roles/security).
func builtInRoles() []role {
	return []role{
		{"Key Vault Reader", "21090545-7ca7-4776-b22c-e363652d74d2", []string{"*/read", "secrets/readMetadata/action"}},
		{
			"Key Vault Secrets User", "4633458b-17de-408a-b874-0445c86b69e6",
			[]string{"secrets/getSecret/action", "secrets/readMetadata/action"},
		},
		{
			"Key Vault Certificate User", "db79e9a7-68ee-4b58-9aeb-b90e7c24fcba",
			[]string{"certificates/read", "secrets/getSecret/action", "secrets/readMetadata/action", "keys/read"},
		},
		{
			"Key Vault Crypto User", "12338af0-0e69-4776-bea7-57ae8d297424",
			[]string{"keys/read", "keys/update/action"},
		},
		{"Key Vault Secrets Officer", "b86a8fe4-44ce-4948-aee5-eccb2c155cd7", []string{"secrets/*"}},
		{"Key Vault Certificates Officer", "a4417e6f-fecd-4de8-b567-7b0420556985", []string{"certificates/*"}},
		{"Key Vault Crypto Officer", "14b46e9e-c2b7-41b4-b07b-48a6ebf60603", []string{"keys/*"}},
		{"Key Vault Administrator", "00482a5a-887f-4fb3-b363-3b7fe8e74483", []string{"*"}},
	}
}

// findRole finds a built-in role by its name or ID.
func findRole(nameOrID string) (role, error) {
	roles := builtInRoles()
	i := slices.IndexFunc(roles, func(r role) bool {
		return strings.EqualFold(r.name, nameOrID) || strings.EqualFold(r.id, nameOrID)
	})
	if i < 0 {
		names := make([]string, 0, len(roles))
		for _, r := range roles {
			names = append(names, r.name)
		}
		return role{}, fmt.Errorf("role is %q: it must be one of %s, or the ID of one", nameOrID, strings.Join(names, ", "))
	}
	return roles[i], nil
}

func (r role) allows(action string) bool {
	return slices.ContainsFunc(r.actions, func(pattern string) bool {
		before, after, wild := strings.Cut(pattern, "*")
		return pattern == action || (wild && strings.HasPrefix(action, before) && strings.HasSuffix(action, after))
	})
}

// covers says whether a scope of a vault ("" or "secrets/db-password") has the object in it. Lists need the whole vault.
func covers(scope string, need Need) bool {
	return scope == "" || (need.Name != "" && strings.EqualFold(scope, string(need.Kind)+"/"+need.Name))
}

// allows says whether an access policy gives the permission.
func (p AccessPolicy) allows(need Need) bool {
	permissions := map[Kind][]string{Secrets: p.Secrets, Keys: p.Keys, Certificates: p.Certificates}[need.Kind]
	return slices.ContainsFunc(permissions, func(given string) bool {
		return strings.EqualFold(given, need.Permission) || strings.EqualFold(given, "all")
	})
}
