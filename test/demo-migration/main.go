// Command demo-migration shows a migration on one machine: a small shop of workloads that take their secrets by the Secrets Store
// CSI driver is taken over by kubectl-secretstore, while somebody watches that nothing is missed. "make demo-migration" runs it.
package main

import (
	"context"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"secretstore/test/narrator"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	begun := time.Now()
	show := narrator.New(os.Stdout)
	if err := run(ctx, show, options{keep: os.Getenv("KEEP") == "1"}); err != nil {
		show.Line("demo-migration: failed: %s", strings.ReplaceAll(err.Error(), "\n", "\n  "))
		os.Exit(1) //nolint:gocritic // the signal handler that stop would take away ends with the process
	}
	show.Line("demo-migration: ok in %d s", int(time.Since(begun).Seconds()+1))
}
