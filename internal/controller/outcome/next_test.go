package outcome_test

import (
	"fmt"
	"math"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"secretstore/api/secretsync/v1alpha1"
	"secretstore/internal/controller/outcome"
	"secretstore/internal/fault"
)

// start is when these stories begin.
func start() time.Time { return time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC) }

// after is the status after checks with the same result at the given times.
func after(result outcome.Result, times ...time.Duration) v1alpha1.SecretSyncStatus {
	var s v1alpha1.SecretSyncStatus
	for _, at := range times {
		result.Time = start().Add(at)
		s, _ = outcome.Of(s, result)
	}
	return s
}

// TestScheduleNext draws many due times and looks at where they lie.
func TestScheduleNext(t *testing.T) {
	t.Parallel()
	const hour, second = time.Hour, time.Second
	failed := bad(fault.Unreachable, outcome.SecretAbsent, "vault away")
	for name, tc := range map[string]struct {
		reason      string
		schedule    outcome.Schedule
		status      v1alpha1.SecretSyncStatus
		least, most time.Duration // after the beginning
	}{
		"Good":   {"after a success up to a tenth early", outcome.Schedule{Interval: hour}, after(good(outcome.Created), 0), 54 * time.Minute, hour},
		"Jitter": {"or up to the jitter late", outcome.Schedule{Interval: hour, Jitter: 10 * second}, after(good(outcome.Created), 0), hour, hour + 10*second},
		"Failed": {"after a first failure soon", outcome.Schedule{Interval: hour, Jitter: hour}, after(failed, 0), 3750 * time.Millisecond, 5 * second},
		"Conflict": {
			"a Secret that is changing is tried again sooner",
			outcome.Schedule{Interval: hour},
			after(bad(fault.SecretConflict, outcome.SecretAbsent, "changed"), 0), 750 * time.Millisecond, second,
		},
		"Longer":   {"then as long as it has lasted", outcome.Schedule{Interval: hour}, after(failed, 0, 5*second, 40*second), 70 * second, 80 * second},
		"Longest":  {"but never longer than the interval", outcome.Schedule{Interval: hour}, after(failed, 0, 5*hour), 5*hour + 45*time.Minute, 6 * hour},
		"Short":    {"not even after a first failure", outcome.Schedule{Interval: second}, after(failed, 0), 750 * time.Millisecond, second},
		"Overdue":  {"what fell due before a start is spread", outcome.Schedule{Interval: hour, Since: start().Add(3 * hour)}, after(good(outcome.Created), 0), 3 * hour, 3*hour + 6*time.Minute},
		"Backoff":  {"and resumes somewhere in its backoff", outcome.Schedule{Interval: hour, Since: start().Add(hour)}, after(failed, 0, 20*second), hour, hour + 15*second},
		"NotSince": {"what falls due after it is not moved", outcome.Schedule{Interval: hour, Since: start().Add(second)}, after(good(outcome.Created), 0), 54 * time.Minute, hour},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			low, high := time.Duration(math.MaxInt64), time.Duration(0)
			for i := range 1000 {
				uid := fmt.Sprint("uid-", i)
				due := tc.schedule.Next(tc.status, uid, start().Add(5*hour))
				if again := tc.schedule.Next(tc.status, uid, start().Add(6*hour)); !again.Equal(due) {
					t.Fatalf("%s: %v and then %v", tc.reason, due, again)
				}
				wait := due.Sub(start())
				if wait < tc.least || wait > tc.most {
					t.Fatalf("%s: %v is not from %v to %v", tc.reason, wait, tc.least, tc.most)
				}
				low, high = min(low, wait), max(high, wait)
			}
			if spread, want := high-low, tc.most-tc.least; spread < want*9/10 {
				t.Errorf("%s: 1,000 due times lie within %v, want them spread over %v", tc.reason, spread, want)
			}
		})
	}
}

// TestScheduleBundles: checks after a success are due together, four times a second, and not only once; retries are not.
func TestScheduleBundles(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		reason   string
		schedule outcome.Schedule
		result   outcome.Result
		bundled  bool
	}{
		"Good":   {"early checks", outcome.Schedule{Interval: time.Minute}, good(outcome.Created), true},
		"Jitter": {"late checks", outcome.Schedule{Interval: time.Minute, Jitter: time.Minute}, good(outcome.Created), true},
		"Failed": {"a retry", outcome.Schedule{Interval: time.Minute}, bad(fault.Unreachable, outcome.SecretAbsent, "away"), false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			phases := map[time.Duration]bool{}
			for i := range 100 {
				due := tc.schedule.Next(after(tc.result, 0), fmt.Sprint("uid-", i), start())
				phases[due.Sub(due.Truncate(time.Second))] = true
			}
			if n := len(phases); (n == 4) != tc.bundled {
				t.Errorf("%s of 100 are due at %d moments of a second", tc.reason, n)
			}
			for phase := range phases {
				if tc.bundled && phase%(250*time.Millisecond) != 0 {
					t.Errorf("%s is due %v after a full second", tc.reason, phase)
				}
			}
		})
	}
}

func TestScheduleAtOnce(t *testing.T) {
	t.Parallel()
	s := outcome.Schedule{Interval: time.Hour}
	if due := s.Next(v1alpha1.SecretSyncStatus{}, "u", start()); !due.IsZero() {
		t.Errorf("what was never checked is due at %v", due)
	}
	ahead := metav1.NewTime(start().Add(48 * time.Hour))
	if due := s.Next(v1alpha1.SecretSyncStatus{LastCheckTime: &ahead}, "u", start()); !due.IsZero() {
		t.Errorf("what was checked in a future that the clock was set back from is due at %v", due)
	}
}

func TestScheduleDelay(t *testing.T) {
	t.Parallel()
	if d := (outcome.Schedule{}).Delay("u", "created"); d != 0 {
		t.Errorf("without jitter a new SecretSync waits %v", d)
	}
	s := outcome.Schedule{Jitter: time.Minute}
	seen := map[time.Duration]bool{}
	for i := range 100 {
		d := s.Delay("u", fmt.Sprint("edit ", i))
		if d < 0 || d >= time.Minute || d != s.Delay("u", fmt.Sprint("edit ", i)) {
			t.Fatalf("edit %d waits %v", i, d)
		}
		seen[d] = true
	}
	if len(seen) < 99 {
		t.Errorf("100 edits draw %d waits", len(seen))
	}
}

func TestScheduleOutage(t *testing.T) {
	t.Parallel()
	s := outcome.Schedule{Interval: time.Hour}
	for kind, want := range map[fault.Kind]bool{
		fault.Unreachable: true, fault.Throttled: true, fault.ObjectMissing: false, fault.PermissionMissing: false, fault.Partial: false,
	} {
		wait, away := s.Outage("u", fault.New(kind, "failed"), start())
		if away != want || (away && (wait < time.Minute || wait > 90*time.Second)) {
			t.Errorf("kind %d: the vault is away: %v, waits %v", kind, away, wait)
		}
	}
	if _, away := s.Outage("u", nil, start()); away {
		t.Error("no failure is an outage")
	}
}

func TestScheduleAgain(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		reason string
		jitter time.Duration
		most   time.Duration
	}{
		"Spread": {"those who wait for the same moment come one after the other", 0, 15 * time.Second},
		"Fleet":  {"a fleet's as far apart as its jitter says", time.Minute, 70 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := outcome.Schedule{Interval: time.Hour, Jitter: tc.jitter}
			low, high := time.Duration(math.MaxInt64), time.Duration(0)
			for i := range 1000 {
				wait := s.Again(fmt.Sprint("uid-", i), 10*time.Second, start())
				low, high = min(low, wait), max(high, wait)
			}
			if low < 10*time.Second || high > tc.most || high-low < (tc.most-10*time.Second)*9/10 {
				t.Errorf("%s: from %v to %v", tc.reason, low, high)
			}
		})
	}
}
