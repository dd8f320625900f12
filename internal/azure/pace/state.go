package pace

import (
	"math"
	"net/http"
	"time"
)

const (
	// provenFor is how long after an answer a host counts as alive.
	provenFor = time.Minute
	// leastLevel is the least share of the budget that is used after throttling; levelPerSecond is how fast it grows back.
	leastLevel, levelPerSecond = 1.0 / 16, 1.0 / 16
	// firstPause is the pause after a first failure without a Retry-After. It doubles with each further one: the waits of 1, 2,
	// 4, 8 and 16 s are those that Microsoft prescribes for Key Vault (learn.microsoft.com, key-vault/general/overview-throttling).
	firstPause = time.Second
	// longestThrottle and longestOutage bound pauses without a Retry-After.
	longestThrottle, longestOutage = 16 * time.Second, time.Minute
	// mostDoublings is more than either takes, and keeps a long outage from counting beyond what a duration holds.
	mostDoublings = 10
	// longestRetryAfter bounds what an answer may ask for.
	longestRetryAfter = 15 * time.Minute
	// scatter is by which share a pause is lengthened at most, by chance, so that clusters do not come back together.
	scatter = 0.2
	// slack is for how long a place that nobody was there to take can still be taken: callers that were all busy elsewhere at the
	// same moment catch up. The places are as much further apart as keeps the budget in every second.
	slack = 50 * time.Millisecond
)

// state is what is known of a host. It is pure: time and chance are arguments.
type state struct {
	rate    float64   // the budget, requests a second
	next    time.Time // the next place: when a request may leave
	level   float64   // the share of the budget that was used at levelAt
	levelAt time.Time

	provenUntil time.Time    // until when the host counts as alive
	probing     bool         // a request is out to learn whether it is
	era         int          // counts pauses: an answer to a request of an earlier era does not end a later pause
	failures    int          // in a row
	paused      time.Time    // when the latest pause began
	until       time.Time    // nothing is asked before
	why         RefusedError // of the latest pause
}

// admission is the leave to send one request, after a wait.
type admission struct {
	wait time.Duration
	era  int
}

// admit asks for leave to send a request now. RefusedError tells why there is none.
func (s *state) admit(now time.Time) (admission, *RefusedError) {
	if now.Before(s.until) {
		refused := s.why
		refused.Wait = s.until.Sub(now)
		return admission{}, &refused
	}
	if !s.proven(now) {
		if s.probing {
			return admission{}, &RefusedError{Busy: true}
		}
		s.probing = true
		return admission{era: s.era}, nil
	}
	at := s.next
	if earliest := now.Add(-slack); at.Before(earliest) {
		at = earliest
	}
	s.next = at.Add(time.Duration(float64(time.Second+slack) / (s.rate * s.levelNow(now))))
	return admission{wait: max(0, at.Sub(now)), era: s.era}, nil
}

// proven says whether the host has answered lately.
func (s *state) proven(now time.Time) bool { return now.Before(s.provenUntil) }

// levelNow is the share of the budget that may be used.
func (s *state) levelNow(now time.Time) float64 {
	if s.level == 0 {
		return 1
	}
	return math.Min(1, s.level+now.Sub(s.levelAt).Seconds()*levelPerSecond)
}

// answered notes that a request of an era was answered. It returns true if callers that wait may go on.
func (s *state) answered(now time.Time, era int) bool {
	if era != s.era {
		return false
	}
	was := s.proven(now)
	if !was && s.next.Before(now) {
		s.next = now // what was not asked while nothing was known is not made up for
	}
	s.probing, s.failures = false, 0
	s.provenUntil = now.Add(provenFor)
	return !was
}

// failed notes that a request of an era was throttled or not answered; retryAfter is what the answer asked for, or 0. It
// returns true if this begins a pause.
func (s *state) failed(now time.Time, era int, why RefusedError, retryAfter time.Duration, chance float64) bool {
	retryAfter = min(retryAfter, longestRetryAfter)
	lengthen := func(pause time.Duration) time.Duration { return pause + time.Duration(chance*scatter*float64(pause)) }
	if era != s.era { // it left before the pause that is on, and adds to it what it was told at most
		if until := now.Add(lengthen(retryAfter)); retryAfter > 0 && until.After(s.until) {
			s.until = until
		}
		return false
	}
	s.era++
	s.failures++
	s.probing, s.provenUntil, s.why = false, time.Time{}, why
	longest := longestOutage
	if why.Throttled {
		longest = longestThrottle
		s.level, s.levelAt = math.Max(leastLevel, s.levelNow(now)/2), now
	}
	pause := retryAfter
	if pause == 0 {
		pause = min(longest, firstPause<<min(s.failures-1, mostDoublings))
	}
	s.paused, s.until = now, now.Add(lengthen(pause))
	return true
}

// retry ends a pause that began before a time, unless the host itself has asked for it.
func (s *state) retry(now, since time.Time) {
	if s.why.Status == 0 && s.paused.Before(since) && now.Before(s.until) {
		s.until = now
	}
}

// dropped notes that a request was given up by its caller: nothing was learnt.
func (s *state) dropped(era int) {
	if era == s.era {
		s.probing = false
	}
}

// throttles says whether an answer asks for a pause: too many requests, or a service that is not available.
func throttles(status int) bool {
	return status == http.StatusTooManyRequests || status == http.StatusServiceUnavailable
}
