package az

import (
	"context"
	"strings"
)

// directoryCommands are those about service principals. App registrations are left to people: what deletes one ends whatever
// signs in with it, wherever it is.
func directoryCommands() []command {
	return []command{
		{words: "ad sp show", needs: []string{"--id"}, queries: []string{"(id)"}, run: showPrincipal},
		{
			words: "ad sp update", needs: []string{"--id", "--set"}, run: enablePrincipal,
			only: map[string][]string{"--set": {"accountEnabled=true", "accountEnabled=false"}},
		},
	}
}

func showPrincipal(ctx context.Context, r *Runner, a arguments) (string, bool, error) {
	principal, err := r.ARM.Principal(ctx, a.one("--id"))
	return principal.ObjectID, false, err
}

func enablePrincipal(ctx context.Context, r *Runner, a arguments) (string, bool, error) {
	did, err := r.ARM.Enable(ctx, a.one("--id"), strings.EqualFold(a.one("--set"), "accountEnabled=true"))
	return "", did, err
}
