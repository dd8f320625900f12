// Command kubectl-secretstore answers what operators ask of secretstore, and does what they would do by hand. On the PATH it is
// a plugin of kubectl: kubectl secretstore VERB.
//
// Each verb is a file: its flags are parsed to a value, and the value is run. A verb reads and patches SecretSyncs;
// none but those
// of migrate reads a Secret, and no value of one is ever shown or kept. What is for people goes to standard output as
// text, with -o json or -o yaml for programs; what went wrong, and what to
// do about it, goes to standard error.
package main

import (
	"context"
	"crypto/rand"
	"os"
	"os/signal"
	"syscall"

	"k8s.io/cli-runtime/pkg/genericiooptions"
	"k8s.io/utils/clock"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := execute(ctx, os.Args[1:], program{
		IOStreams: genericiooptions.IOStreams{In: os.Stdin, Out: os.Stdout, ErrOut: os.Stderr}, clock: clock.RealClock{},
		env: os.Getenv, chance: rand.Reader, terminal: isTerminal(os.Stderr), typing: isTerminal(os.Stdin),
		colour: isTerminal(os.Stdout) && os.Getenv("NO_COLOR") == "",
	})
	stop()
	os.Exit(code)
}

// isTerminal tells a terminal from a file and a pipe.
func isTerminal(f *os.File) bool {
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
