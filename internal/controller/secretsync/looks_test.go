package secretsync

import (
	"strconv"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/types"
)

func TestLooksStretch(t *testing.T) {
	t.Parallel()
	start := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	const interval = 10 * time.Second
	for name, tc := range map[string]struct {
		reason  string
		secrets int
		want    time.Duration
	}{
		"Few":  {"few are looked at every interval", 5, interval},
		"Many": {"many wait for their turn, 20 a second", 1000, 50 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var looks Looks
			// A clock that runs: whoever is due first looks, and plans the next.
			at := map[types.NamespacedName]time.Time{}
			for i := range tc.secrets {
				id := types.NamespacedName{Name: strconv.Itoa(i)}
				at[id] = looks.Next(id, start)
			}
			seconds := map[int64]int{}
			var waits []time.Duration
			for range 3 * tc.secrets {
				id := earliest(at)
				seconds[at[id].Unix()]++
				next := looks.Plan(id, at[id].Add(interval))
				waits = append(waits, next.Sub(at[id]))
				at[id] = next
			}
			for second, n := range seconds {
				if n > looksPerSecond {
					t.Errorf("%s: %d looks in second %d", tc.reason, n, second)
				}
			}
			if last := waits[len(waits)-1]; last < tc.want || last > tc.want+time.Second {
				t.Errorf("%s: the last wait is %v, want %v", tc.reason, last, tc.want)
			}
		})
	}
}

func earliest(at map[types.NamespacedName]time.Time) types.NamespacedName {
	var first types.NamespacedName
	for id, when := range at {
		if first.Name == "" || when.Before(at[first]) {
			first = id
		}
	}
	return first
}

func TestLooksRemember(t *testing.T) {
	t.Parallel()
	var looks Looks
	now := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	id := types.NamespacedName{Namespace: "n", Name: "a"}
	planned := looks.Plan(id, now.Add(time.Minute))
	if got := looks.Next(id, now.Add(time.Hour)); !got.Equal(planned) {
		t.Errorf("Next forgot the plan: %v, want %v", got, planned)
	}
	looks.Forget(id)
	if got := looks.Next(id, now.Add(time.Hour)); !got.Equal(now.Add(time.Hour)) {
		t.Errorf("a forgotten one is planned at %v", got)
	}
}
