package secretsync

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"secretstore/api/secretsync/v1alpha1"
)

// told remembers what a Freshness is told.
type told struct {
	good  []time.Time
	first []time.Duration
}

func (f *told) Good(_ types.NamespacedName, at time.Time) { f.good = append(f.good, at) }
func (*told) Gone(types.NamespacedName)                   {}
func (f *told) FirstSync(took time.Duration)              { f.first = append(f.first, took) }

func TestTellChecked(t *testing.T) {
	t.Parallel()
	created := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	ended := created.Add(7 * time.Second)
	good, earlier := metav1.NewTime(ended), metav1.NewTime(created.Add(time.Second))
	for name, tc := range map[string]struct {
		reason        string
		before, after *metav1.Time
		good          time.Time
		first         []time.Duration
	}{
		"Never":  {"without a success it counts from its creation", nil, nil, created, nil},
		"First":  {"the first success is timed", nil, &good, ended, []time.Duration{7 * time.Second}},
		"Again":  {"later ones are not", &earlier, &good, ended, nil},
		"Failed": {"a failure leaves the age to grow", &earlier, &earlier, earlier.Time, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			heard := &told{}
			s := &v1alpha1.SecretSync{ObjectMeta: metav1.ObjectMeta{CreationTimestamp: metav1.NewTime(created)}}
			s.Status.LastSuccessfulSyncTime = tc.after
			(&Reconciler{Freshness: heard}).tellChecked(s, tc.before, ended)
			if diff := cmp.Diff(&told{good: []time.Time{tc.good}, first: tc.first}, heard, cmp.AllowUnexported(told{})); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tc.reason, diff)
			}
		})
	}
}
