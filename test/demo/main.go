// Command demo shows the whole way on one machine: a secret travels from the (emulated) Key Vault into a Secret of a real
// API server, a new value follows, and an outage of the vault takes nothing away. "make demo" runs it.
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
	if err := run(ctx, show, os.Getenv("KEEP") == "1"); err != nil {
		show.Line("demo: failed: %s", strings.ReplaceAll(err.Error(), "\n", " | "))
		os.Exit(1) //nolint:gocritic // the signal handler that stop would take away ends with the process
	}
	show.Line("demo: ok in %d s", int(time.Since(begun).Seconds()+1))
}
