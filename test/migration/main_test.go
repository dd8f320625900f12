// Package migration tests moving a cluster off the Azure Key Vault Secrets Provider extension, on the fixture of testdata: a shop's
// cluster as it may be found (estate), a GitOps repository of a part of it (gitops), and the examples of Microsoft's guide (seed).
package migration_test

import (
	"fmt"
	"os"
	"testing"

	"secretstore/test/cluster"
)

// shared is the one control plane of this package's tests.
var shared *cluster.Cluster

func TestMain(m *testing.M) {
	crds, err := cluster.Manifests("test/migration/testdata/estate/cluster/crds/*.yaml")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(cluster.Shared(m, cluster.Options{Manifests: crds}, &shared))
}
