// Command demo-migration shows a migration on one machine: a small shop of workloads that take their secrets by the Secrets Store
// CSI driver is taken over by kubectl-secretstore, while somebody watches that nothing is missed. "make demo-migration" runs it.
package main

import (
	"context"
	"os"
	"time"

	"secretstore/test/narrator"
)

func main() {
	os.Exit(narrator.Main("demo-migration", func(ctx context.Context, show *narrator.Narrator) error {
		begun := time.Now()
		if err := run(ctx, show, options{keep: os.Getenv("KEEP") == "1"}); err != nil {
			return err
		}
		show.Line("demo-migration: ok in %d s", int(time.Since(begun).Seconds()+1))
		return nil
	}))
}
