// Command kubectl-secretstore answers what operators ask of secretstore, and does what they would do by hand. On the PATH it is
// a plugin of kubectl: kubectl secretstore VERB.
//
// Each verb is a file: its flags are parsed to a value, and the value is run. A verb reads and patches SecretSyncs; none reads a
// Secret. What is for people goes to standard output as text, with -o json or -o yaml for programs; what went wrong, and what to
// do about it, goes to standard error.
package main

import (
	"context"
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
	})
	stop()
	os.Exit(code)
}
