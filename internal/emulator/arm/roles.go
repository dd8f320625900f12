package arm

import (
	"errors"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"secretstore/internal/emulator/state"
)

const (
	kindAssignments = "Microsoft.Authorization/roleAssignments"
	kindRoles       = "Microsoft.Authorization/roleDefinitions"
)

type assignmentView struct {
	ID         string               `json:"id"`
	Name       string               `json:"name"`
	Type       string               `json:"type"`
	Properties assignmentProperties `json:"properties"`
}

type assignmentProperties struct {
	RoleDefinitionID string    `json:"roleDefinitionId"`
	PrincipalID      string    `json:"principalId"`
	PrincipalType    string    `json:"principalType"`
	Scope            string    `json:"scope"`
	Description      *string   `json:"description"`
	Condition        *string   `json:"condition"`
	CreatedOn        time.Time `json:"createdOn"`
	UpdatedOn        time.Time `json:"updatedOn"`
	CreatedBy        string    `json:"createdBy"`
	UpdatedBy        string    `json:"updatedBy"`
}

func viewAssignment(a state.Assignment) assignmentView {
	view := assignmentView{
		ID: strings.TrimSuffix(a.Scope, "/") + "/providers/" + kindAssignments + "/" + a.Name, Name: a.Name, Type: kindAssignments,
		Properties: assignmentProperties{
			RoleDefinitionID: roleID(a.Scope, a.Role), PrincipalID: a.PrincipalID, PrincipalType: a.PrincipalType, Scope: a.Scope,
			CreatedOn: a.Created.UTC(), UpdatedOn: a.Created.UTC(), CreatedBy: a.CreatedBy, UpdatedBy: a.CreatedBy,
		},
	}
	if view.Properties.PrincipalType == "" {
		view.Properties.PrincipalType = state.PrincipalServicePrincipal // all that Entra knows here
	}
	if a.Description != "" {
		view.Properties.Description = &a.Description
	}
	return view
}

// roleID is what a role is called from within a scope: by the scope's subscription, where it has one.
func roleID(scope string, role state.Role) string {
	t, _ := parse(scope)
	id := "/providers/" + kindRoles + "/" + role.ID
	if t.subscription != "" {
		id = "/subscriptions/" + t.subscription + id
	}
	return id
}

func (s *Service) getAssignment(r *request) (answer, *refusal) {
	a, found := s.state.Assignment(r.scope, r.name())
	if !found {
		return answer{}, refuse(http.StatusNotFound, "RoleAssignmentNotFound", "The role assignment '%s' is not found.", r.name())
	}
	return ok(viewAssignment(a))
}

// listAssignments gives those that hold in a scope and, unless the filter says atScope(), those in what is below it.
func (s *Service) listAssignments(r *request) (answer, *refusal) {
	filter, refused := readAssignmentFilter(r.URL.Query().Get("$filter"))
	if refused != nil {
		return answer{}, refused
	}
	var items []item
	for _, a := range s.state.Assignments() {
		holds, below := state.Covers(a.Scope, r.scope), state.Covers(r.scope, a.Scope)
		if (holds || below && !filter.atScope) && (filter.principal == "" || strings.EqualFold(filter.principal, a.PrincipalID)) {
			view := viewAssignment(a)
			items = append(items, item{view.ID, view})
		}
	}
	return s.page(r, items)
}

// assignmentFilter is a $filter of role assignments.
type assignmentFilter struct {
	atScope   bool
	principal string
}

func readAssignmentFilter(text string) (assignmentFilter, *refusal) {
	var filter assignmentFilter
	if text == "" {
		return filter, nil
	}
	principal := regexp.MustCompile(`(?i)^(?:principalId\s+eq\s+'([^']+)'|assignedTo\(\s*'([^']+)'\s*\))$`)
	for _, part := range regexp.MustCompile(`(?i)\s+and\s+`).Split(strings.TrimSpace(text), -1) {
		found := principal.FindStringSubmatch(part)
		switch {
		case strings.EqualFold(part, "atScope()"):
			filter.atScope = true
		case found != nil:
			filter.principal = found[1] + found[2]
		default: // no capture of the sentence
			return filter, badRequest("UnsupportedFilter", "The filter '%s' is not supported. Supported filters are either "+
				"'atScope()' or 'principalId eq '{value}' or assignedTo('{value}')'.", text)
		}
	}
	return filter, nil
}

func (s *Service) putAssignment(r *request) (answer, *refusal) {
	var body struct {
		Properties struct {
			RoleDefinitionID string `json:"roleDefinitionId"`
			PrincipalID      string `json:"principalId"`
			PrincipalType    string `json:"principalType"`
			Description      string `json:"description"`
		} `json:"properties"`
	}
	if refused := r.decode(&body); refused != nil {
		return answer{}, refused
	}
	given := body.Properties
	if refused := checkAssignment(r.name(), given.PrincipalID, given.PrincipalType); refused != nil {
		return answer{}, refused
	}
	role, err := state.FindRole(given.RoleDefinitionID[strings.LastIndex(given.RoleDefinitionID, "/")+1:])
	if err != nil {
		return answer{}, refuse(http.StatusBadRequest, "RoleDefinitionDoesNotExist",
			"The specified role definition with ID '%s' does not exist.", given.RoleDefinitionID)
	}
	kept, created, err := s.state.Assign(state.Assignment{
		Name: r.name(), Scope: r.scopeOrRoot(), PrincipalID: given.PrincipalID, PrincipalType: given.PrincipalType, Role: role,
		Description: given.Description, CreatedBy: r.caller.ObjectID,
	})
	if err != nil {
		return answer{}, s.explainAssignment(r, kept, err)
	}
	return made(created, viewAssignment(kept))
}

func (r *request) scopeOrRoot() string {
	if r.scope == "" {
		return "/"
	}
	return r.scope
}

func checkAssignment(name, principalID, principalType string) *refusal {
	guid := regexp.MustCompile(`(?i)^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)
	switch {
	case !guid.MatchString(name):
		return badRequest("InvalidRoleAssignmentId",
			"The role assignment ID '%s' is not valid. The role assignment ID must be a GUID.", name)
	case !guid.MatchString(principalID):
		return badRequest("InvalidPrincipalId", "A valid principal ID must be provided for role assignment.")
	case !slices.Contains([]string{"", state.PrincipalServicePrincipal, state.PrincipalUser, state.PrincipalGroup}, principalType):
		return badRequest("InvalidPrincipalType", "The principal type '%s' is not valid.", principalType) // no capture
	case principalType == state.PrincipalUser || principalType == state.PrincipalGroup:
		return badRequest("UnmatchedPrincipalType", "The PrincipalId '%s' has type 'ServicePrincipal' , which is different from "+
			"specified PrinciaplType '%s'.", principalID, principalType) // with Azure's own slip
	}
	return nil
}

// explainAssignment turns what the state says into Azure's words.
func (s *Service) explainAssignment(r *request, kept state.Assignment, err error) *refusal {
	switch {
	case errors.Is(err, state.ErrNoPrincipal):
		return badRequest("PrincipalNotFound", "Principal %s does not exist in the directory %s. Check that you have the correct "+
			"principal ID. If you are creating this principal and then immediately assigning a role, this error might be related to "+
			"a replication delay. In this case, set the role assignment principalType property to a value, such as ServicePrincipal, "+
			"User, or Group.  See https://aka.ms/docs-principaltype",
			strings.ReplaceAll(kept.PrincipalID, "-", ""), r.caller.TenantID)
	case errors.Is(err, state.ErrImmutable):
		return badRequest("RoleAssignmentUpdateNotPermitted",
			"Tenant ID, application ID, principal ID, and scope are not allowed to be updated.")
	default:
		return conflict("RoleAssignmentExists", "The role assignment already exists. The ID of the existing role assignment is %s.",
			strings.ReplaceAll(kept.Name, "-", ""))
	}
}

func (s *Service) deleteAssignment(r *request) (answer, *refusal) {
	a, found := s.state.Assignment(r.scope, r.name())
	if !found {
		return answer{status: http.StatusNoContent}, nil
	}
	s.state.Unassign(a)
	return ok(viewAssignment(a))
}

type roleView struct {
	ID         string         `json:"id"`
	Name       string         `json:"name"`
	Type       string         `json:"type"`
	Properties roleProperties `json:"properties"`
}

type roleProperties struct {
	RoleName         string           `json:"roleName"`
	Type             string           `json:"type"`
	Description      string           `json:"description"`
	AssignableScopes []string         `json:"assignableScopes"`
	Permissions      []rolePermission `json:"permissions"`
}

type rolePermission struct {
	Actions        []string `json:"actions"`
	NotActions     []string `json:"notActions"`
	DataActions    []string `json:"dataActions"`
	NotDataActions []string `json:"notDataActions"`
}

func viewRole(scope string, role state.Role) roleView {
	return roleView{
		ID: roleID(scope, role), Name: role.ID, Type: kindRoles,
		Properties: roleProperties{
			RoleName: role.Name, Type: "BuiltInRole", Description: role.Name, AssignableScopes: []string{"/"},
			Permissions: []rolePermission{{
				Actions: append([]string{}, role.Actions...), NotActions: append([]string{}, role.NotActions...),
				DataActions: append([]string{}, role.DataActions...), NotDataActions: []string{},
			}},
		},
	}
}

func (s *Service) getRole(r *request) (answer, *refusal) {
	role, err := state.FindRole(r.name())
	if err != nil || !strings.EqualFold(role.ID, r.name()) {
		return answer{}, refuse(http.StatusNotFound, "RoleDefinitionDoesNotExist",
			"The specified role definition with ID '%s' does not exist.", strings.ReplaceAll(r.name(), "-", ""))
	}
	return ok(viewRole(r.scope, role))
}

// listRoles gives the built-in roles, or the one that the filter names.
func (s *Service) listRoles(r *request) (answer, *refusal) {
	filter := r.URL.Query().Get("$filter")
	named := regexp.MustCompile(`(?i)^\s*roleName\s+eq\s+'([^']*)'\s*$`).FindStringSubmatch(filter)
	all := []string{"", "atscopeandbelow()", "type eq 'builtinrole'"}
	if named == nil && !slices.Contains(all, strings.ToLower(filter)) {
		return answer{}, badRequest("UnsupportedFilter", "The filter '%s' is not supported.", filter) // no capture
	}
	var items []item
	for _, role := range state.Roles() {
		if named == nil || strings.EqualFold(role.Name, named[1]) {
			view := viewRole(r.scope, role)
			items = append(items, item{view.ID, view})
		}
	}
	return s.page(r, items)
}
