package metrics_test

import (
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/types"
	clocktesting "k8s.io/utils/clock/testing"
)

func TestFreshness(t *testing.T) {
	t.Parallel()
	clk := clocktesting.NewFakePassiveClock(time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC))
	m, shown := metricsAt(t, clk)
	age := func(want, reason string) {
		t.Helper()
		if text := shown(); !strings.Contains(text, "\nsecretstore_oldest_good_sync_age_seconds "+want+"\n") {
			t.Errorf("%s: want %s in\n%s", reason, want, text)
		}
	}
	canary, other := types.NamespacedName{Namespace: "shop", Name: "canary"}, types.NamespacedName{Namespace: "till", Name: "canary"}
	age("0", "without SecretSyncs nothing is old")
	m.Good(canary, clk.Now().Add(-time.Hour))
	m.Good(other, clk.Now().Add(-time.Minute))
	age("3600", "the oldest counts")
	clk.SetTime(clk.Now().Add(30 * time.Second))
	age("3630", "the age is that of the moment it is read")
	m.Good(canary, clk.Now())
	age("90", "a good check makes it young, and the next oldest counts")
	m.Gone(other)
	age("0", "what is gone is not old")

	m.FirstSync(4 * time.Second)
	text := shown()
	for _, want := range []string{`_bucket{le="2"} 0`, `_bucket{le="5"} 1`, "_sum 4"} {
		if !strings.Contains(text, "secretstore_time_to_first_sync_seconds"+want) {
			t.Errorf("want %s in\n%s", want, text)
		}
	}
	if strings.Contains(text, "canary") || strings.Contains(text, "shop") {
		t.Errorf("names became labels:\n%s", text)
	}
}
