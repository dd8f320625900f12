package outcome

import (
	"crypto/sha256"
	"encoding/binary"
	"math"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"secretstore/api/secretsync/v1alpha1"
	"secretstore/internal/fault"
)

// firstRetry is how long after a first failure the next check comes. Each wait after that is as long as the failure has
// lasted, so that waits double, up to the interval; chance shortens each by up to a quarter.
const firstRetry = 5 * time.Second

// conflictRetry is the same for a Secret that could not be written because it is changing, such as one that is being deleted.
// No vault is involved, and it is over soon.
const conflictRetry = time.Second

// tenth is the part of the interval over which checks are spread where nothing else spreads them.
const tenth = 10

// bundle is what the waits after a success are multiples of. As they begin at whole seconds, checks that are close to each other
// come together: a program that is woken for each takes half as long again for it. It is short beside the 10 s over which a vault
// counts requests, and rounding down keeps what is promised.
const bundle = 250 * time.Millisecond

// Schedule says when the checks of a SecretSync are due. It keeps nothing: its chance comes from the object's UID and the time of
// the latest check, so that each object has a due time of its own, and a restart of the controller moves none.
type Schedule struct {
	// Interval is from one check to the next.
	Interval time.Duration
	// Jitter is the upper bound of a wait that is drawn for each check: after the interval, and after a SecretSync was made or
	// edited. If it is 0, checks come up to a tenth of the interval early instead, so that they spread all the same.
	Jitter time.Duration
	// Since is when the controller began. What fell due before that is spread over the next tenth of the interval.
	Since time.Time
}

// Next is when the next check is due after the latest one, which the status tells of. The zero time means at once: there
// was none, or it was in a future that the clock has been set back from.
func (s Schedule) Next(status v1alpha1.SecretSyncStatus, uid string, now time.Time) time.Time {
	if status.LastCheckTime == nil || status.LastCheckTime.After(now.Add(time.Minute)) {
		return time.Time{}
	}
	last := status.LastCheckTime.Time
	chance := chanceOf(uid, last.UTC().Format(time.RFC3339))
	wait := s.wait(status, chance)
	due := last.Add(wait)
	if due.Before(s.Since) {
		return s.Since.Add(part(min(wait, s.Interval/tenth), chance))
	}
	return due
}

// wait is how long after the latest check the next one is due.
func (s Schedule) wait(status v1alpha1.SecretSyncStatus, chance float64) time.Duration {
	latest := current(status)
	switch {
	case latest != nil && latest.Status != metav1.ConditionTrue:
		first := firstRetry
		if latest.Reason == v1alpha1.ReasonUnknownError {
			first = conflictRetry
		}
		lasted := status.LastCheckTime.Sub(latest.LastTransitionTime.Time)
		wait := min(max(lasted, first), s.Interval)
		return wait - part(wait/4, chance)
	case s.Jitter > 0:
		return (s.Interval + part(s.Jitter, chance)).Truncate(bundle)
	default:
		return (s.Interval - part(s.Interval/tenth, chance)).Truncate(bundle)
	}
}

// Delay is how long a SecretSync that was made or edited waits before it is checked; draw is another text for each edit.
func (s Schedule) Delay(uid, draw string) time.Duration { return part(s.Jitter, chanceOf(uid, draw)) }

// Again is how long to wait where nothing was asked because the other side is left alone for a time: that long, and, as all who
// wait would otherwise come at the same moment, up to half as long again, or the jitter if that is more.
func (s Schedule) Again(uid string, pause time.Duration, now time.Time) time.Duration {
	return pause + part(max(pause/2, s.Jitter), chanceOf(uid, now.UTC().Format(time.RFC3339Nano)))
}

// outageRetry is how soon an object is tried again while its vault as a whole is away or throttles: how often that one is asked
// is bounded for all its objects together, so that none of them need wait longer for its end.
const outageRetry = time.Minute

// Outage is how long to wait after a failure that is the vault's as a whole; false if it is not.
func (s Schedule) Outage(uid string, f *fault.Error, now time.Time) (time.Duration, bool) {
	if f == nil || (f.Kind != fault.Unreachable && f.Kind != fault.Throttled) {
		return 0, false
	}
	return s.Again(uid, outageRetry, now), true
}

func part(of time.Duration, chance float64) time.Duration { return time.Duration(float64(of) * chance) }

// chanceOf is a number from 0 up to 1 that looks random, and is the same for the same texts.
func chanceOf(uid, draw string) float64 {
	sum := sha256.Sum256([]byte(uid + " " + draw))
	return float64(binary.BigEndian.Uint64(sum[:8])>>11) / math.Exp2(53)
}
