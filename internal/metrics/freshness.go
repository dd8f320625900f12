package metrics

import (
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/clock"
)

// freshness tells how old the values of Secrets may be: not by its own asking, but from what checks report.
type freshness struct {
	clock     clock.PassiveClock
	firstSync prometheus.Histogram
	oldest    prometheus.GaugeFunc

	mu   sync.Mutex
	good map[types.NamespacedName]time.Time
}

func newFreshness(clk clock.PassiveClock) *freshness {
	f := &freshness{clock: clk, good: map[types.NamespacedName]time.Time{}}
	f.firstSync = prometheus.NewHistogram(prometheus.HistogramOpts{
		Namespace: namespace, Name: "time_to_first_sync_seconds",
		Help: "Seconds from the creation of a SecretSync, which Kubernetes tells in whole seconds, to the end of its first check " +
			"that succeeded.",
		Buckets: []float64{1, 2, 5, 10, 30, 60, 120, 300, 600, 1800, 3600},
	})
	f.oldest = prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Namespace: namespace, Name: "oldest_good_sync_age_seconds",
		Help: "Seconds since the latest check that succeeded, of the SecretSync for which that is the longest; one that never " +
			"succeeded counts from its creation. 0 without SecretSyncs.",
	}, f.age)
	return f
}

// age is reckoned when the metric is read.
func (f *freshness) age() float64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	now := f.clock.Now()
	var oldest time.Duration
	for _, at := range f.good {
		oldest = max(oldest, now.Sub(at))
	}
	return oldest.Seconds()
}

// Good notes when a check of the SecretSync last succeeded; if none has, when the SecretSync was created.
func (m *Metrics) Good(name types.NamespacedName, at time.Time) {
	m.freshness.mu.Lock()
	defer m.freshness.mu.Unlock()
	m.freshness.good[name] = at
}

// Gone forgets a SecretSync that is gone, or no longer this controller's.
func (m *Metrics) Gone(name types.NamespacedName) {
	m.freshness.mu.Lock()
	defer m.freshness.mu.Unlock()
	delete(m.freshness.good, name)
}

// FirstSync counts a SecretSync's first check that succeeded; took is the time since the creation of the SecretSync.
func (m *Metrics) FirstSync(took time.Duration) { m.freshness.firstSync.Observe(took.Seconds()) }
