package az

import (
	"context"
	"slices"
	"strings"

	"secretstore/internal/azure/arm"
)

// roleCommands are those about roles.
func roleCommands() []command {
	return []command{
		{
			words: "role assignment create", needs: []string{"--role", "--assignee-object-id", "--scope"},
			flags: []string{"--assignee-principal-type"}, run: assign,
		},
		{
			words: "role assignment list", needs: []string{"--scope"}, either: assignees(), run: listRoles,
			queries: []string{`\[\]\.roleDefinitionName`},
		},
		{words: "role assignment delete", needs: []string{"--scope"}, either: assignees(), flags: []string{"--role"}, run: unassign},
	}
}

func assignees() []string { return []string{"--assignee", "--assignee-object-id"} }

func assign(ctx context.Context, r *Runner, a arguments) (string, bool, error) {
	did, err := r.ARM.Assign(ctx, a.one("--scope"), a.one("--assignee-object-id"), a.one("--role"))
	return "", did, err
}

// assignee is the object ID of who is meant. What is no client ID that the directory knows is taken for an object ID, as by az.
func (r *Runner) assignee(ctx context.Context, a arguments) (string, error) {
	if object := a.one("--assignee-object-id"); object != "" {
		return object, nil
	}
	principal, err := r.ARM.Principal(ctx, a.one("--assignee"))
	if arm.IsNotFound(err) {
		return a.one("--assignee"), nil
	}
	return principal.ObjectID, err
}

func listRoles(ctx context.Context, r *Runner, a arguments) (string, bool, error) {
	object, err := r.assignee(ctx, a)
	if err != nil {
		return "", false, err
	}
	assignments, err := r.ARM.RoleAssignments(ctx, a.one("--scope"), object)
	var names []string
	for _, assignment := range assignments {
		names = append(names, r.ARM.RoleName(ctx, a.one("--scope"), assignment.Role))
	}
	slices.Sort(names)
	return strings.Join(names, "\n"), false, err
}

func unassign(ctx context.Context, r *Runner, a arguments) (string, bool, error) {
	object, err := r.assignee(ctx, a)
	if err != nil {
		return "", false, err
	}
	did, err := r.ARM.Unassign(ctx, a.one("--scope"), object, a.one("--role"))
	return "", did, err
}
