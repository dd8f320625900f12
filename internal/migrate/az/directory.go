package az

import (
	"context"
	"strconv"
	"strings"
)

// directoryCommands are those about service principals. App registrations are left to people: what deletes one ends whatever
// signs in with it, wherever it is.
func directoryCommands() []command {
	return []command{
		{words: "ad sp show", needs: []string{"--id"}, queries: []string{"(id)"}, run: showPrincipal},
		{words: "ad sp update", needs: []string{"--id", "--set"}, run: enablePrincipal},
	}
}

func showPrincipal(ctx context.Context, r *Runner, a arguments) (string, bool, error) {
	principal, err := r.ARM.Principal(ctx, a.one("--id"))
	return principal.ObjectID, false, err
}

func enablePrincipal(ctx context.Context, r *Runner, a arguments) (string, bool, error) {
	value, found := strings.CutPrefix(a.one("--set"), "accountEnabled=")
	enabled, err := strconv.ParseBool(value)
	if !found || err != nil {
		return "", false, &UnsupportedError{Command: "az ad sp update … --set " + a.one("--set"), Why: "only accountEnabled is known"}
	}
	did, err := r.ARM.Enable(ctx, a.one("--id"), enabled)
	return "", did, err
}
