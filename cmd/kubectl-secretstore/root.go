package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
	"k8s.io/cli-runtime/pkg/genericiooptions"
	"k8s.io/utils/clock"

	"secretstore/internal/migrate/act"
)

// Exit codes; the help of the program lists them.
const (
	exitFailed    = 1
	exitUsage     = 2
	exitUnhealthy = 3
	exitOpen      = 4
	exitStopped   = 5
)

// program is what a verb works with besides its arguments.
type program struct {
	genericiooptions.IOStreams
	clock clock.PassiveClock
	// env looks up variables of the environment, chance gives the key of digests.
	env    func(string) string
	chance io.Reader
	// terminal says that a person watches standard error, typing that one can answer on standard input, and colour that standard
	// output takes colours.
	terminal, typing, colour bool
}

// usageError is a command line that cannot be run.
type usageError struct{ error }

// Unwrap gives what is wrong with it.
func (e usageError) Unwrap() error { return e.error }

// usage makes a usageError that says where to read on.
func usage(cmd *cobra.Command, err error) error {
	return usageError{fmt.Errorf("%w\nsee %q", err, cmd.CommandPath()+" --help")}
}

// execute runs a command line and returns the exit code.
func execute(ctx context.Context, args []string, p program) int {
	root := newRoot(p) //nolint:contextcheck // completion has the context of its command, which only comes with the command line
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return 0
	}
	p.note("error: " + indent(err.Error()))
	return exitCode(err)
}

// exitCode is the one table from errors to exit codes.
func exitCode(err error) int {
	if _, ok := errors.AsType[usageError](err); ok {
		return exitUsage
	}
	if _, ok := errors.AsType[unhealthyError](err); ok {
		return exitUnhealthy
	}
	if errors.Is(err, act.ErrStopped) {
		return exitStopped
	}
	if _, ok := errors.AsType[openError](err); ok {
		return exitOpen
	}
	return exitFailed
}

// indent sets the lines after the first apart from what follows a text.
func indent(text string) string { return strings.ReplaceAll(text, "\n", "\n  ") }

func newRoot(p program) *cobra.Command {
	root := &cobra.Command{
		Use:         "kubectl-secretstore",
		Annotations: map[string]string{cobra.CommandDisplayNameAnnotation: "kubectl secretstore"},
		Short:       "Ask and tell secretstore, which keeps Secrets in step with Azure Key Vault",
		Long: `Ask and tell secretstore, which keeps Secrets in step with Azure Key Vault.

No verb but those of migrate reads a Secret: "get", "list" and "patch" on secretsyncs.secret-sync.x-k8s.io are all that is
needed.

Exit codes: 0 done; 1 failed; 2 the command line is wrong; 3 "status --check" found what is not healthy; 4 "migrate" found
what needs a decision or is blocked; 5 "migrate" stopped where a person is needed.`,
		Example: `  # What is failing, anywhere, and why
  kubectl secretstore status -A

  # I mended it: look again, now, and tell me
  kubectl secretstore force app -n shop --wait`,
		Args:          cobra.ArbitraryArgs,
		SilenceErrors: true,
		SilenceUsage:  true,
		RunE:          unknownVerb,
		// How many letters may differ for a verb to be suggested; cobra's own default does not reach SuggestionsFor.
		SuggestionsMinimumDistance: 2,
	}
	root.SetOut(p.Out)
	root.SetErr(p.ErrOut)
	root.SetFlagErrorFunc(usage)
	root.AddCommand(newStatus(p), newForce(p), newJitter(p), newMigrate(p), newVersion(p))
	return root
}

// unknownVerb is what the program does without a verb that it knows.
func unknownVerb(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return cmd.Help()
	}
	err := fmt.Errorf("there is no verb %q", args[0])
	if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
		err = fmt.Errorf("%w: did you mean %s?", err, strings.Join(near, " or "))
	}
	return usage(cmd, err)
}

// noArguments refuses arguments where everything is set by flags.
func noArguments(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	return usage(cmd, fmt.Errorf("unexpected argument %q: %s takes flags only", args[0], cmd.Name()))
}
