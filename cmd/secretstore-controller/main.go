// Command secretstore-controller keeps Kubernetes Secrets in step with Azure Key Vault, and keeps them through outages.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
	"syscall"

	"github.com/spf13/pflag"
)

// Exit codes: 0 after a signal asked for the end, 1 if running failed, 2 if the command line is wrong.
const (
	exitFailed = 1
	exitUsage  = 2
)

// threads is how many processors the program's own code uses at a time, in place of all that there are. It waits nearly all of
// its time; with more, each answer that comes wakes several threads in turn, which took a third of the CPU time of a check.
const threads = 1

// gcPercent is the share by which the heap may grow before it is collected, in place of Go's 100.
const gcPercent = 200

func main() {
	opts, err := parse(os.Args[1:], os.Stderr)
	if errors.Is(err, pflag.ErrHelp) {
		return
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "secretstore-controller:", err)
		os.Exit(exitUsage)
	}
	if os.Getenv("GOMAXPROCS") == "" {
		runtime.GOMAXPROCS(threads)
	}
	if os.Getenv("GOGC") == "" {
		// What is alive takes few megabytes: to collect half as often costs as many, and saves a tenth of the time.
		debug.SetGCPercent(gcPercent)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, opts, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "secretstore-controller:", err)
		os.Exit(exitFailed) //nolint:gocritic // the signal handler that stop would take away ends with the process
	}
}
