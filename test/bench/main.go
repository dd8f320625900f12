// Command bench measures what keeping Secrets in step costs: time, requests to vault and Entra, writes to the API server, CPU
// and memory of the controller, each beside the least that it could be. "make bench" runs it, "make bench-scale" its other
// mode; docs/guide/performance.md explains what is measured and how.
//
// It runs against a real API server, with the emulator in place of Azure and the controller as a process of its own, as the
// chart's service account under the chart's policies. It reads /proc, and so needs Linux. A bound that is missed fails it only
// if CHECK=1 asks for that, because a busy machine misses some.
package main

import (
	"context"
	"os"

	"github.com/go-logr/logr"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"secretstore/test/narrator"
)

func main() {
	log.SetLogger(logr.Discard()) // or controller-runtime complains that nobody did
	work := run
	if len(os.Args) > 1 && os.Args[1] == "scale" {
		work = runScale
	}
	os.Exit(narrator.Main("bench", func(ctx context.Context, show *narrator.Narrator) error { return work(ctx, show, os.Getenv) }))
}
