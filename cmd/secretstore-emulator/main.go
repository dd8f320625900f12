// Command secretstore-emulator stands in for Microsoft Entra ID and Azure Key Vault on a machine without Azure.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/pflag"
)

// Exit codes: 0 after a signal asked for the end, 1 if running failed, 2 if the command line is wrong.
const (
	exitFailed = 1
	exitUsage  = 2
)

func main() {
	opts, err := parse(os.Args[1:], os.Stderr)
	if errors.Is(err, pflag.ErrHelp) {
		return
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "secretstore-emulator:", err)
		os.Exit(exitUsage)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, opts, os.LookupEnv, os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "secretstore-emulator:", err)
		os.Exit(exitFailed) //nolint:gocritic // the signal handler that stop would take away ends with the process
	}
}
