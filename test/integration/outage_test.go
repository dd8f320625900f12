package integration

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"secretstore/api/secretsync/v1alpha1"
	"secretstore/test/cluster"
)

// outages are the ways in which a vault can fail as a whole, and what the condition then says.
func outages() map[string]string {
	return map[string]string{
		`"kind":"refuse"`:                                    "could not be reached",
		`"kind":"unreachable"`:                               "could not be reached",
		`"kind":"status","status":500`:                       "HTTP 500",
		`"kind":"status","status":503,"retryAfterSeconds":1`: "HTTP 503",
		`"kind":"status","status":429,"retryAfterSeconds":1`: "throttling",
		`"kind":"garbage"`:                                   "not Key Vault's",
		`"kind":"cut"`:                                       "vault",
	}
}

// TestOutages makes the vault fail in one way after the other: no Secret is touched, the condition says what is wrong, and the
// controller comes back by itself.
//
//covers:reason ProviderError Stale
//covers:fault vault-unreachable vault-refuses vault-answers-garbage vault-dies-in-mid-answer vault-answers-errors
//covers:fault vault-throttles
func TestOutages(t *testing.T) {
	t.Parallel()
	for fault, says := range outages() {
		t.Run(fault, func(t *testing.T) {
			t.Parallel()
			e := newEnv(t)
			s := e.synced(t)
			before := e.secret(t, "app")
			e.misbehave(t, fault)
			e.force(t, s)
			e.awaitFailure(t, s, v1alpha1.ReasonProviderError, says, e.Vault())
			if diff := cmp.Diff(before, e.secret(t, "app")); diff != "" {
				t.Errorf("the Secret was changed (-before +after):\n%s", diff)
			}
			e.misbehave(t)
			// No edit: the controller comes back by itself.
			e.await(t, s, v1alpha1.ConditionUpdate, synced)
			e.await(t, s, v1alpha1.ConditionReady, v1alpha1.ReasonSynced)
			if events := e.awaitEvents(t, "app", 3); len(events) > 3 {
				t.Errorf("%d events, want the Secret, the outage and its end: %q", len(events), events)
			}
		})
	}
}

// TestStatusesSaySinceWhen follows one outage through several failed checks: the condition keeps the time at which it began, and
// the first good check turns all conditions.
//
//covers:field SecretSync.status.conditions[].lastTransitionTime SecretSync.status.lastSuccessfulSyncTime
//covers:field SecretSync.status.lastCheckTime
//covers:fault outage-says-since-when
func TestStatusesSaySinceWhen(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	s := e.synced(t)
	good := *s.Status.LastSuccessfulSyncTime
	e.misbehave(t, `"kind":"refuse"`)
	e.force(t, s)
	since := e.awaitFailure(t, s, v1alpha1.ReasonProviderError).LastTransitionTime
	if since.Before(&good) {
		t.Errorf("the outage began at %s, before the last good check at %s", since, good)
	}
	// Statuses count in seconds: wait for checks of a later one, by themselves first, then with another failure of the same outage.
	e.awaitCheckAfter(t, s, since.Time)
	e.misbehave(t, `"kind":"status","status":500`)
	e.force(t, s)
	e.awaitFailure(t, s, v1alpha1.ReasonProviderError, "HTTP 500")
	e.awaitCheckAfter(t, s, s.Status.LastCheckTime.Time)
	if got := e.awaitFailure(t, s, v1alpha1.ReasonProviderError).LastTransitionTime; !got.Equal(&since) {
		t.Errorf("after more failed checks the outage began at %s instead of %s", got, since)
	}
	if !s.Status.LastSuccessfulSyncTime.Equal(&good) {
		t.Errorf("lastSuccessfulSyncTime moved to %s in the outage", s.Status.LastSuccessfulSyncTime)
	}
	e.misbehave(t)
	e.force(t, s)
	e.awaitGeneration(t, s)
	if err := healthy(s); err != nil {
		t.Errorf("after the first good check: %v", err)
	}
	if !s.Status.LastSuccessfulSyncTime.After(since.Time) {
		t.Errorf("lastSuccessfulSyncTime is %s after the outage", s.Status.LastSuccessfulSyncTime)
	}
}

// awaitCheckAfter waits until a check has ended after a time.
func (e env) awaitCheckAfter(t *testing.T, s *v1alpha1.SecretSync, after time.Time) {
	t.Helper()
	cluster.Eventually(t, patience, func() error {
		if err := e.client.Get(t.Context(), client.ObjectKeyFromObject(s), s); err != nil {
			return err
		}
		if s.Status.LastCheckTime == nil || !s.Status.LastCheckTime.After(after) {
			return fmt.Errorf("no check after %s", after)
		}
		return nil
	})
}

// awaitGeneration waits until a check of the SecretSync as it is now has ended, however.
func (e env) awaitGeneration(t *testing.T, s *v1alpha1.SecretSync) {
	t.Helper()
	cluster.Eventually(t, patience, func() error {
		if err := e.client.Get(t.Context(), client.ObjectKeyFromObject(s), s); err != nil {
			return err
		}
		if s.Status.ObservedGeneration != s.Generation {
			return errors.New("it was not checked yet")
		}
		return nil
	})
}
