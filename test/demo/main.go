// Command demo shows the whole way on one machine: a secret travels from the (emulated) Key Vault into a Secret of a real
// API server, a new value follows, and an outage of the vault takes nothing away. "make demo" runs it.
package main

import (
	"context"
	"os"
	"time"

	"secretstore/test/narrator"
)

func main() {
	os.Exit(narrator.Main("demo", func(ctx context.Context, show *narrator.Narrator) error {
		begun := time.Now()
		if err := run(ctx, show, os.Getenv("KEEP") == "1"); err != nil {
			return err
		}
		show.Line("demo: ok in %d s", int(time.Since(begun).Seconds()+1))
		return nil
	}))
}
