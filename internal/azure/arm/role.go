package arm

import (
	"context"
	"crypto/sha1" //nolint:gosec // names that are repeatable, as RFC 9562 makes them; nothing is protected by it
	"fmt"
	"net/http"
	"path"
	"slices"
	"strings"
)

// Version of the API of roles.
const authorization = "2022-04-01"

// roleGiving permits to give and to take roles.
const roleGiving = "Role Based Access Control Administrator"

// knownRoles are Azure's own roles for vaults.
// Source: https://learn.microsoft.com/azure/role-based-access-control/built-in-roles/security.
func knownRoles() map[string]string {
	return map[string]string{ //nolint:gosec // G101 takes a role's name for a credential
		"key vault reader":           "21090545-7ca7-4776-b22c-e363652d74d2",
		"key vault secrets user":     "4633458b-17de-408a-b874-0445c86b69e6",
		"key vault certificate user": "db79e9a7-68ee-4b58-9aeb-b90e7c24fcba",
		"key vault crypto user":      "12338af0-0e69-4776-bea7-57ae8d297424",
		"key vault secrets officer":  "b86a8fe4-44ce-4948-aee5-eccb2c155cd7",
	}
}

// RoleAssignment is a role that a principal has at a scope.
type RoleAssignment struct {
	// ID is the assignment's own, Scope where it was given.
	ID, Scope string
	// Principal is an object ID, never a client ID.
	Principal string
	// Role is the GUID of its definition.
	Role string
}

type wireAssignment struct {
	ID         string `json:"id"`
	Properties struct {
		Scope            string `json:"scope"`
		PrincipalID      string `json:"principalId"`
		RoleDefinitionID string `json:"roleDefinitionId"`
	} `json:"properties"`
}

type wireRole struct {
	Name       string `json:"name"`
	Properties struct {
		RoleName string `json:"roleName"`
	} `json:"properties"`
}

// RoleID is the GUID of a role, which may be given as one. Roles that are not Azure's for vaults are looked up at the scope.
func (c *Client) RoleID(ctx context.Context, scope, role string) (string, error) {
	if known, ok := knownRoles()[strings.ToLower(role)]; ok {
		return known, nil
	}
	if strings.Count(role, "-") == 4 && len(role) == 36 {
		return role, nil
	}
	request := call{
		doing: "looking for the role " + role, role: "Reader", path: scope + "/providers/Microsoft.Authorization/roleDefinitions",
	}.at(authorization, "$filter", "roleName eq '"+quoted(role)+"'")
	found, err := list[wireRole](ctx, c.resources, request)
	if err != nil {
		return "", err
	}
	if len(found) == 0 {
		return "", &Error{Doing: request.doing, Place: scope, Message: "there is no such role", Cure: "check its name"}
	}
	return found[0].Name, nil
}

// RoleName is the name of a role by its GUID; where it cannot be had, the GUID.
func (c *Client) RoleName(ctx context.Context, scope, id string) string {
	for name, known := range knownNames() {
		if strings.EqualFold(known, id) {
			return name
		}
	}
	var w wireRole
	_, err := c.resources.send(ctx, call{
		doing: "reading the role " + id, role: "Reader", method: http.MethodGet,
		path: scope + "/providers/Microsoft.Authorization/roleDefinitions/" + id,
	}.at(authorization), &w)
	if err != nil || w.Properties.RoleName == "" {
		return id
	}
	return w.Properties.RoleName
}

// knownNames are the known roles as Azure writes them.
func knownNames() map[string]string {
	names := map[string]string{}
	for name, id := range knownRoles() {
		words := strings.Fields(name)
		for i, w := range words {
			words[i] = strings.ToUpper(w[:1]) + w[1:]
		}
		names[strings.Join(words, " ")] = id
	}
	return names
}

// RoleAssignments lists what a principal has at a scope itself: what it inherits is not among it.
func (c *Client) RoleAssignments(ctx context.Context, scope, principal string) ([]RoleAssignment, error) {
	all, err := list[wireAssignment](ctx, c.resources, call{
		doing: "listing the roles of the principal " + principal, role: "Reader",
		path: scope + "/providers/Microsoft.Authorization/roleAssignments",
	}.at(authorization, "$filter", "principalId eq '"+quoted(principal)+"'"))
	var found []RoleAssignment
	for _, w := range all {
		p := w.Properties
		if strings.EqualFold(strings.Trim(p.Scope, "/"), strings.Trim(scope, "/")) && strings.EqualFold(p.PrincipalID, principal) {
			found = append(found, RoleAssignment{w.ID, p.Scope, p.PrincipalID, path.Base(p.RoleDefinitionID)})
		}
	}
	slices.SortFunc(found, func(a, b RoleAssignment) int { return strings.Compare(a.ID, b.ID) })
	return found, err
}

// Assign gives a service principal, by its object ID, a role at a scope, unless it has it there, and says whether it did
// anything. A principal that was just made is tried again until the directory knows it.
func (c *Client) Assign(ctx context.Context, scope, principal, role string) (bool, error) {
	id, err := c.RoleID(ctx, scope, role)
	if err != nil {
		return false, err
	}
	there, err := c.RoleAssignments(ctx, scope, principal)
	if err != nil || slices.ContainsFunc(there, func(a RoleAssignment) bool { return strings.EqualFold(a.Role, id) }) {
		return false, err
	}
	request := call{
		doing: "giving the role " + role + " to the principal " + principal, role: roleGiving, method: http.MethodPut,
		path: scope + "/providers/Microsoft.Authorization/roleAssignments/" + assignmentName(scope, principal, id),
		body: map[string]any{"properties": map[string]any{
			"roleDefinitionId": subscriptionOf(scope) + "/providers/Microsoft.Authorization/roleDefinitions/" + id,
			"principalId":      principal, "principalType": "ServicePrincipal",
		}},
	}.at(authorization)
	fresh := func(err error) bool { return hasCode(err, "PrincipalNotFound") }
	err = c.repeat(ctx, fresh, func() error {
		_, err := c.resources.send(ctx, request, nil)
		return err
	})
	if hasCode(err, "RoleAssignmentExists") {
		return false, nil
	}
	return err == nil, err
}

// Unassign takes roles from a principal at a scope itself: one, or all where role is empty. It says whether there was any.
func (c *Client) Unassign(ctx context.Context, scope, principal, role string) (did bool, err error) {
	id := ""
	if role != "" {
		if id, err = c.RoleID(ctx, scope, role); err != nil {
			return false, err
		}
	}
	there, err := c.RoleAssignments(ctx, scope, principal)
	if err != nil {
		return false, err
	}
	for _, a := range there {
		if id != "" && !strings.EqualFold(a.Role, id) {
			continue
		}
		removed, err := c.resources.remove(ctx, call{
			doing: "taking the role " + a.Role + " from the principal " + principal, role: roleGiving, method: http.MethodDelete,
			path: a.ID,
		}.at(authorization))
		if err != nil {
			return did, err
		}
		did = did || removed
	}
	return did, nil
}

// assignmentName is a GUID that is the same for the same scope, principal and role, as Azure's templates make them (version 5).
func assignmentName(scope, principal, role string) string {
	// The name space is that of URLs, in RFC 9562.
	space := []byte{0x6b, 0xa7, 0xb8, 0x11, 0x9d, 0xad, 0x11, 0xd1, 0x80, 0xb4, 0x00, 0xc0, 0x4f, 0xd4, 0x30, 0xc8}
	text := strings.ToLower(strings.Join([]string{strings.Trim(scope, "/"), principal, role}, "|"))
	sum := sha1.Sum(append(space, text...)) //nolint:gosec // see the import
	sum[6] = sum[6]&0x0f | 0x50
	sum[8] = sum[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", sum[0:4], sum[4:6], sum[6:8], sum[8:10], sum[10:16])
}

// subscriptionOf is the beginning of an ID that names the subscription; empty for what belongs to none.
func subscriptionOf(id string) string {
	words := strings.Split(strings.Trim(id, "/"), "/")
	if len(words) < 2 || !strings.EqualFold(words[0], "subscriptions") {
		return ""
	}
	return "/subscriptions/" + words[1]
}

// quoted is a text within the apostrophes of a filter.
func quoted(text string) string { return strings.ReplaceAll(text, "'", "''") }
