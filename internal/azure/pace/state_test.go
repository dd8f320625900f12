package pace

import (
	"errors"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

func at(seconds float64) time.Time {
	return time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC).Add(time.Duration(seconds * float64(time.Second)))
}

func seconds(n int) time.Duration { return time.Duration(n) * time.Second }

// alive is a state in which the host has just answered.
func alive(rate float64, seconds float64) *state {
	s := &state{rate: rate}
	s.answered(at(seconds), 0)
	return s
}

func TestRequestsLeaveAtEqualDistances(t *testing.T) {
	t.Parallel()
	const rate, between = 10, 105 * time.Millisecond // a twentieth more than a tenth of a second, for those that catch up
	s := alive(rate, 0)
	for i := range 30 {
		got, refused := s.admit(at(0))
		if refused != nil || got.wait != time.Duration(i)*between {
			t.Fatalf("request %d of one moment: waits %v, refused %v", i, got.wait, refused)
		}
	}
}

func TestPlacesOfTheLastMomentCanBeTaken(t *testing.T) {
	t.Parallel()
	const rate, between = 100, 10500 * time.Microsecond
	for name, tc := range map[string]struct {
		reason string
		rest   float64 // seconds without a request
		atOnce int     // requests that leave together after that
	}{
		"None":     {"the place was taken", 0, 0},
		"Short":    {"two places have passed, and one is there", 2 * between.Seconds(), 2},
		"Long":     {"rests are not saved up", 30, 5},
		"Unproven": {"after a minute the host is probed", 61, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := alive(rate, 0)
			if first, _ := s.admit(at(0)); first.wait != 0 {
				t.Fatalf("the first waits %v", first.wait)
			}
			now, atOnce := at(tc.rest), 0
			for range 20 {
				if got, refused := s.admit(now); refused == nil && got.wait == 0 {
					atOnce++
				}
			}
			if atOnce != tc.atOnce {
				t.Errorf("%s: %d requests leave at once, want %d", tc.reason, atOnce, tc.atOnce)
			}
		})
	}
}

// TestAfterAProbe has a host that was away: who waited for a place still has it, and what was not asked is not made up for.
func TestAfterAProbe(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		reason  string
		waiting int           // how many have a place when the host goes away, a tenth of a second later
		want    time.Duration // how long the next one waits after the probe, which is answered at 1.15 s
	}{
		"None": {"nobody is before it", 1, 0},
		"Many": {"the places of those who wait are theirs", 300, 300*10500*time.Microsecond - 1150*time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := alive(100, 0)
			var leave admission
			for range tc.waiting {
				leave, _ = s.admit(at(0))
			}
			s.failed(at(0.1), leave.era, RefusedError{Err: errors.New("away")}, 0, 0)
			probe, refused := s.admit(at(1.1))
			if refused != nil || !s.answered(at(1.15), probe.era) {
				t.Fatalf("the probe: %v", refused)
			}
			if got, _ := s.admit(at(1.15)); got.wait != tc.want {
				t.Errorf("%s: the next request waits %v, want %v", tc.reason, got.wait, tc.want)
			}
			if got, _ := s.admit(at(1.15)); got.wait != tc.want+10500*time.Microsecond {
				t.Errorf("the one after it waits %v", got.wait)
			}
		})
	}
}

// TestNoSecondHasMoreThanTheBudget lets requests come at random, many together and none for a while.
func TestNoSecondHasMoreThanTheBudget(t *testing.T) {
	t.Parallel()
	const rate = 40
	random := rand.New(rand.NewPCG(1, 2))
	s, now := alive(rate, 0), at(0)
	var left []time.Time
	for len(left) < 20_000 {
		now = now.Add(time.Duration(random.ExpFloat64() * float64(300*time.Millisecond)))
		for range random.IntN(24) {
			if got, refused := s.admit(now); refused == nil {
				left = append(left, now.Add(got.wait))
			}
		}
		s.answered(now, 0)
	}
	slices.SortFunc(left, time.Time.Compare)
	caughtUp := 0
	for i := range left[:len(left)-rate-1] {
		// One more than the budget stands at the ends of a second.
		if within := left[i+rate+1].Sub(left[i]); within < time.Second {
			t.Fatalf("%d requests within %v", rate+2, within)
		}
		if left[i+1].Equal(left[i]) {
			caughtUp++
		}
	}
	if caughtUp == 0 {
		t.Error("no place was taken later")
	}
}

func TestFirstRequestIsAloneUntilItIsAnswered(t *testing.T) {
	t.Parallel()
	s := &state{rate: 10}
	first, refused := s.admit(at(0))
	if refused != nil || first.wait != 0 {
		t.Fatalf("the first request: %+v %v", first, refused)
	}
	if _, refused := s.admit(at(0)); refused == nil || !refused.Busy {
		t.Fatalf("a second one before the answer: %v", refused)
	}
	if !s.answered(at(1), first.era) {
		t.Error("the first answer does not let the others go on")
	}
	if _, refused := s.admit(at(1)); refused != nil {
		t.Errorf("after the answer: %v", refused)
	}
	if s.answered(at(2), first.era) {
		t.Error("every answer lets the others go on")
	}
	// A minute of silence, and it is not known any more whether the host is alive.
	if _, refused := s.admit(at(63)); refused != nil {
		t.Fatalf("the first request after a rest: %v", refused)
	}
	if _, refused := s.admit(at(63)); refused == nil || !refused.Busy {
		t.Errorf("the second request after a rest: %v", refused)
	}
	s.dropped(0)
	if _, refused := s.admit(at(64)); refused != nil {
		t.Errorf("after a probe that was given up: %v", refused)
	}
}

func TestPauses(t *testing.T) {
	t.Parallel()
	throttled, away := RefusedError{Throttled: true, Status: 429}, RefusedError{Err: errors.New("away")}
	for name, tc := range map[string]struct {
		reason     string
		why        RefusedError
		retryAfter int // seconds
		chance     float64
		want       []int // seconds, after each failure in a row
	}{
		"Throttled":  {"the waits that Microsoft prescribes", throttled, 0, 0, []int{1, 2, 4, 8, 16, 16}},
		"RetryAfter": {"or what the answer asks for", throttled, 10, 0, []int{10, 10, 10}},
		"Scattered":  {"never less, and a little more by chance", throttled, 10, 0.5, []int{11}},
		"Away":       {"a host that is away is tried less and less, up to once a minute", away, 0, 0, []int{1, 2, 4, 8, 16, 32, 60, 60}},
		"TooLong":    {"nobody stops us for a day", throttled, 86400, 0, []int{900}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, now := alive(10, 0), at(0)
			for i, want := range tc.want {
				leave, refused := s.admit(now)
				if refused != nil {
					t.Fatalf("%s: failure %d: %v", tc.reason, i, refused)
				}
				if !s.failed(now, leave.era, tc.why, seconds(tc.retryAfter), tc.chance) {
					t.Fatalf("%s: failure %d begins no pause", tc.reason, i)
				}
				end := now.Add(seconds(want))
				_, refused = s.admit(end.Add(-time.Millisecond))
				if refused == nil || refused.Throttled != tc.why.Throttled || refused.Wait != time.Millisecond || !errors.Is(refused.Err, tc.why.Err) {
					t.Fatalf("%s: just before the end of pause %d: %+v", tc.reason, i, refused)
				}
				now = end
			}
			leave, _ := s.admit(now)
			s.answered(now, leave.era)
			leave, _ = s.admit(now)
			s.failed(now, leave.era, tc.why, seconds(tc.retryAfter), tc.chance)
			if got := s.until.Sub(now); got != seconds(tc.want[0]) {
				t.Errorf("%s: after an answer the next pause is %v", tc.reason, got)
			}
		})
	}
}

// TestPausesOfALongOutage fails more often than a duration can be doubled.
func TestPausesOfALongOutage(t *testing.T) {
	t.Parallel()
	s, now := alive(10, 0), at(0)
	for i := range 100 {
		leave, refused := s.admit(now)
		if refused != nil {
			t.Fatalf("failure %d: %v", i, refused)
		}
		s.failed(now, leave.era, RefusedError{Err: errors.New("away")}, 0, 0.99)
		pause := s.until.Sub(now)
		if pause < time.Second || pause > 72*time.Second {
			t.Fatalf("failure %d begins a pause of %v", i, pause)
		}
		now = s.until
	}
}

// TestAnswersFromBeforeThePause has many requests out when the host begins to throttle.
func TestAnswersFromBeforeThePause(t *testing.T) {
	t.Parallel()
	s := alive(10, 0)
	first, _ := s.admit(at(0))
	others, _ := s.admit(at(0))
	s.failed(at(1), first.era, RefusedError{Throttled: true}, 0, 0)
	if s.failed(at(1), others.era, RefusedError{Throttled: true}, 0, 0) || !s.until.Equal(at(2)) {
		t.Errorf("a second refusal of the same moment prolongs the pause until %v", s.until)
	}
	if s.answered(at(1), others.era); s.proven(at(1)) || !s.until.Equal(at(2)) {
		t.Error("an answer to an older request ends the pause")
	}
	if s.failed(at(1), others.era, RefusedError{Throttled: true}, 5*time.Second, 0); !s.until.Equal(at(6)) {
		t.Errorf("what a later answer asks for is not heard: until %v", s.until)
	}
	probe, refused := s.admit(at(6))
	if refused != nil {
		t.Fatal(refused)
	}
	s.failed(at(6), probe.era, RefusedError{Throttled: true}, 0, 0)
	if !s.until.Equal(at(8)) {
		t.Errorf("three refusals, two of one moment, count as more than two in a row: until %v", s.until)
	}
}

func TestThrottlingHalvesTheRate(t *testing.T) {
	t.Parallel()
	s := alive(16, 0)
	level := func(seconds float64) float64 { return s.levelNow(at(seconds)) }
	throttle := func(seconds float64) {
		leave, _ := s.admit(at(seconds))
		s.failed(at(seconds), leave.era, RefusedError{Throttled: true}, 0, 0)
	}
	if level(0) != 1 {
		t.Errorf("at first the level is %v", level(0))
	}
	throttle(0)
	if level(0) != 0.5 || level(4) != 0.75 || level(8) != 1 || level(100) != 1 {
		t.Errorf("after throttling: %v, 4 s later %v, 8 s later %v, at last %v", level(0), level(4), level(8), level(100))
	}
	for i := range 20 {
		throttle(float64(100 + 17*i))
	}
	if got := level(100 + 17*19); got < leastLevel || got > 0.6 {
		t.Errorf("after throttling for long: %v", got)
	}
	s.level, s.levelAt = 0.5, at(1000)
	s.answered(at(1000), s.era)
	_, _ = s.admit(at(1000))
	if got, _ := s.admit(at(1000)); got.wait != 125*time.Millisecond*105/100 {
		t.Errorf("at half of 16 a second the next request waits %v", got.wait)
	}
}

func TestRetry(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		reason string
		why    RefusedError
		since  float64
		ends   bool
	}{
		"Outage":    {"somebody has mended something since", RefusedError{Err: errors.New("away")}, 2, true},
		"Before":    {"what was changed before the failure did not help", RefusedError{Err: errors.New("away")}, 0.5, false},
		"Throttled": {"a host that throttles is not to be pressed", RefusedError{Throttled: true, Status: 429}, 2, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := alive(10, 0)
			leave, _ := s.admit(at(1))
			s.failed(at(1), leave.era, tc.why, 10*time.Second, 0)
			s.retry(at(3), at(tc.since))
			if _, refused := s.admit(at(3)); (refused == nil) != tc.ends {
				t.Errorf("%s: %v", tc.reason, refused)
			}
		})
	}
}
