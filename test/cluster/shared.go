package cluster

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

// Tests is what [Shared] runs: a [testing.M], or what starts more around one.
type Tests interface {
	// Run runs the tests and returns the exit code.
	Run() int
}

// Shared starts one cluster for all tests of a package, stores it in *into, runs the tests and stops it, whatever became of
// them. It is the body of a package's TestMain and returns its exit code:
//
//	func TestMain(m *testing.M) { os.Exit(cluster.Shared(m, cluster.Options{}, &shared)) }
//
// An interrupt stops the cluster too, so that Ctrl-C leaves no folder behind.
func Shared(m Tests, o Options, into **Cluster) (code int) {
	if !flag.Parsed() {
		flag.Parse()
	}
	if listing := flag.Lookup("test.list"); listing != nil && listing.Value.String() != "" {
		return m.Run() // the names of the tests need no cluster
	}
	ctx, stopSignals := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stopSignals()
	c, err := Start(ctx, o)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	*into = c
	tested := make(chan int, 1)
	go func() { tested <- m.Run() }()
	select {
	case code = <-tested:
	case <-ctx.Done():
		code = 1
	}
	if err := c.Stop(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return code
}
