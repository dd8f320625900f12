// Package reading tests the migration's reader of live clusters against a real API server, and measures it.
package reading

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"secretstore/test/cluster"
)

// shared is the control plane of all tests, made by TestMain.
var shared *cluster.Cluster

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	if os.Getenv(childVariable) != "" {
		return child()
	}
	manifests, err := cluster.Manifests("charts/secretstore/crds/*.yaml", "test/migration/reading/testdata/*.yaml")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	// The estate is applied by the tests, each into a namespace of its own.
	for i := range manifests {
		if bytes.HasPrefix(manifests[i], []byte("# NAMESPACE")) {
			manifests[i] = nil
		}
	}
	return cluster.Shared(m, cluster.Options{Manifests: manifests}, &shared)
}

// testdata reads one of this package's files.
func testdata(t testing.TB, name string) []byte {
	t.Helper()
	content, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return content
}
