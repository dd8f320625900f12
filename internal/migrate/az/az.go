// Package az does what the az commands of a plan say, by the operator's own login instead of the Azure CLI.
//
// Plans say what is to be done in Azure as commands, so that a person can read and run them. A Runner does the same for those
// that are in its table (see commands): create what is missing, read a value, delete. What the table does not know in every word
// is an *UnsupportedError, which shows the command for a person to run; nothing is guessed, and no flag is passed over.
//
// Promises: a command that was carried out already does nothing, and says so; no token is in any error.
package az

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"secretstore/internal/azure/arm"
	"secretstore/internal/azure/entra"
)

// Runner carries out commands. Its fields are set once; commands about one managed identity come one after the other.
type Runner struct {
	ARM *arm.Client
	// Subscription is the ID of the one that is meant by commands without --subscription, as az has a default one.
	Subscription string
	// Clouds are where tokens are exchanged: the one whose audience a token has. Transport reaches them.
	Clouds    entra.Clouds
	Transport entra.Transport
}

// UnsupportedError is a command that a person has to run.
type UnsupportedError struct {
	// Command is the whole of it, ready for a shell; a token in it is left out.
	Command string
	// Why says which part is not known.
	Why string
}

// Error implements error.
func (e *UnsupportedError) Error() string {
	return "not carried out by this program (" + e.Why + "): run it yourself, and then go on: " + e.Command
}

// command is a line of the table.
type command struct {
	// words come after `az`.
	words string
	// flags are those that it understands, besides needs, those that it cannot do without, and either, of which it wants one.
	needs, either, flags []string
	// only are the values that it understands, where that is not any.
	only map[string][]string
	// queries are patterns of --query. A command that has some needs one of them.
	queries []string
	run     func(ctx context.Context, r *Runner, a arguments) (output string, did bool, err error)
}

// commands is the table: everything that plans have done in Azure, but for what is left to people.
func commands() []command {
	return slices.Concat(identityCommands(), roleCommands(), vaultCommands(), clusterCommands(), directoryCommands())
}

// Run carries a command out. Its variables are replaced already. output is what the command prints; did says whether anything was
// changed in Azure: it is false for what only reads, and for what was so already.
func (r *Runner) Run(ctx context.Context, argv []string) (output string, did bool, err error) {
	c, a, err := parse(argv)
	if err != nil {
		return "", false, err
	}
	for _, word := range argv {
		if strings.Contains(word, "${") {
			return "", false, fmt.Errorf("az %s: %s holds a variable that nobody set: say its value and run again", c.words, word)
		}
	}
	return c.run(ctx, r, a)
}

// Supports tells whether Run can carry a command out; an *UnsupportedError says why not. Variables need not be replaced.
func Supports(argv []string) error {
	_, _, err := parse(argv)
	return err
}

// group is the resource group that a command names.
func (r *Runner) group(a arguments) arm.Group {
	return arm.Group{Subscription: a.or("--subscription", r.Subscription), Name: a.one("--resource-group")}
}
