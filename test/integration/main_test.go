// Package integration tests the controller's program as users run it: against a real API server and etcd, as its own service
// account under the ClusterRole that ships, with real tokens, and with the emulator in place of Azure.
package integration

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/go-logr/logr"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"secretstore/test/cluster"
	"secretstore/test/stack"
)

// suite is what all tests of this package share: one control plane, one emulator, one controller.
type suite struct {
	cluster *cluster.Cluster
	stack   *stack.Stack
	dir     string
	slots   slots
	faults  faults
	// metrics is the host:port of the controller's metrics.
	metrics string
}

// shared is made by TestMain.
var shared suite

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	flag.Parse()
	log.SetLogger(logr.Discard())
	crds, err := cluster.Manifests("charts/secretstore/crds/*.yaml")
	if err != nil {
		return failed(err)
	}
	dir, err := os.MkdirTemp("", "secretstore-integration-")
	if err != nil {
		return failed(err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	shared.dir = dir
	if err := stack.Build(context.Background(), dir, raceEnabled); err != nil {
		return failed(err)
	}
	return cluster.Shared(stackRunner{m}, cluster.Options{Manifests: crds}, &shared.cluster)
}

// stackRunner starts the programs once the cluster is there, around the tests.
type stackRunner struct{ m *testing.M }

// Run implements the part of testing.M that cluster.Shared uses.
func (r stackRunner) Run() int {
	ctx := context.Background()
	seed := filepath.Join(shared.dir, "seed.yaml")
	if err := os.WriteFile(seed, shared.slots.seed(shared.cluster.Issuer()), 0o600); err != nil {
		return failed(err)
	}
	var err error
	if shared.metrics, err = stack.FreeAddress(ctx); err != nil {
		return failed(err)
	}
	shared.stack, err = stack.StartEmulator(ctx, stack.Options{
		Cluster: shared.cluster, Programs: shared.dir, Dir: shared.dir, Seed: seed,
		// The interval is the default hour, so that no check happens but those that a test causes. Looks at the Secrets, which
		// ask no vault, are frequent.
		ControllerFlags: []string{"--logLevel=debug", "--driftCheckIntervalInSeconds=2", "--metricsBindAddress=" + shared.metrics},
	})
	if err != nil {
		return failed(err)
	}
	if err := shared.stack.StartController(ctx); err != nil {
		return failed(err)
	}
	code := r.m.Run()
	if err := shared.stack.Stop(); err != nil {
		return failed(err)
	}
	return code
}

func failed(err error) int {
	fmt.Fprintln(os.Stderr, err)
	return 1
}
