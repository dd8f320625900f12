//go:build long

package endurance

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
	"time"

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

// setting reads a setting of the test run from the environment, as parse does; without one it is the default.
func setting[T any](t *testing.T, name string, byDefault T, parse func(string) (T, error)) T {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return byDefault
	}
	value, err := parse(text)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return value
}

// chance is where a test's random choices come from. It prints the seed.
func chance(t *testing.T) *rand.Rand {
	t.Helper()
	seed := setting(t, "ENDURANCE_SEED", uint64(time.Now().UnixNano()), func(text string) (uint64, error) {
		return strconv.ParseUint(text, 10, 64)
	})
	t.Logf("ENDURANCE_SEED=%d", seed)
	return rand.New(rand.NewPCG(seed, 0))
}

// pause lets time pass, or ends with the test.
func pause(t *testing.T, d time.Duration) {
	t.Helper()
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-t.Context().Done():
	}
}
