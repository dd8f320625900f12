//go:build long

package storm

import (
	"fmt"
	"os"
	"testing"

	"secretstore/test/cluster"
)

// shared is the one control plane of this package's tests, which run one after the other.
var shared *cluster.Cluster

func TestMain(m *testing.M) {
	crds, err := cluster.Manifests("charts/secretstore/crds/*.yaml")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(cluster.Shared(m, cluster.Options{Manifests: crds}, &shared))
}
