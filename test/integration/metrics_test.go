package integration

import (
	"cmp"
	"fmt"
	"os"
	"regexp"
	"strconv"
	"testing"

	"secretstore/api/secretsync/v1alpha1"
	"secretstore/test/cluster"
)

// TestAgesAreMeasured has one SecretSync succeed and one fail, among those of all other tests.
func TestAgesAreMeasured(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	bad, good := e.sync("bad", "vault", "off=k"), e.sync("good", "vault", "plain=k")
	e.create(t, e.class("vault", "secret plain", "secret off"), bad)
	e.await(t, bad, v1alpha1.ConditionCreate, v1alpha1.ReasonProviderError)
	before := gauge(t, "secretstore_time_to_first_sync_seconds_count")
	e.create(t, good)
	e.await(t, good, v1alpha1.ConditionUpdate, synced)
	// The status is there a moment before it is counted.
	cluster.Eventually(t, patience, func() error {
		if after := gauge(t, "secretstore_time_to_first_sync_seconds_count"); after <= before {
			return fmt.Errorf("first syncs: %v before and %v after one", before, after)
		}
		return nil
	})
	// The one that never succeeds grows old by itself, with nothing happening to it.
	age := gauge(t, "secretstore_oldest_good_sync_age_seconds")
	cluster.Eventually(t, patience, func() error {
		if now := gauge(t, "secretstore_oldest_good_sync_age_seconds"); now < max(age, 2) {
			return fmt.Errorf("the oldest good sync is %v old, was %v", now, age)
		}
		return nil
	})
}

// TestOneThreadIsEnough holds the controller to the settings that save it a third of its CPU time (docs/decisions/0039).
func TestOneThreadIsEnough(t *testing.T) {
	t.Parallel()
	newEnv(t).synced(t) // so that it runs
	for name, want := range map[string]string{
		"go_sched_gomaxprocs_threads": cmp.Or(os.Getenv("GOMAXPROCS"), "1"), "go_gc_gogc_percent": cmp.Or(os.Getenv("GOGC"), "200"),
	} {
		if got := strconv.FormatFloat(gauge(t, name), 'f', -1, 64); got != want {
			t.Errorf("%s is %s, want %s", name, got, want)
		}
	}
}

// gauge is the value of a metric without labels.
func gauge(t *testing.T, name string) float64 {
	t.Helper()
	found := regexp.MustCompile(`(?m)^` + name + ` (\S+)$`).FindStringSubmatch(metrics(t))
	if found == nil {
		t.Fatalf("there is no metric %s", name)
	}
	value, err := strconv.ParseFloat(found[1], 64)
	if err != nil {
		t.Fatal(err)
	}
	return value
}
