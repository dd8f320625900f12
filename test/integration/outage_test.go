package integration

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"secretstore/api/secretsync/v1alpha1"
	"secretstore/test/cluster"
)

// TestOutages makes the vault fail in one way after the other. It sets the behaviour of the emulator as a whole, so that all of
// them are one test.
func TestOutages(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	s := e.sync("app", "vault", "plain=k")
	e.create(t, e.class("vault", "secret plain"), s)
	e.await(t, s, v1alpha1.ConditionUpdate, synced)
	before := e.secret(t, "app")
	for _, tc := range []struct{ fault, says string }{
		{`"kind":"refuse"`, "could not be reached"},
		{`"kind":"status","status":500`, "HTTP 500"},
		{`"kind":"status","status":503,"retryAfterSeconds":1`, "HTTP 503"},
		{`"kind":"status","status":429,"retryAfterSeconds":1`, "throttling"},
		{`"kind":"garbage"`, "not Key Vault's"},
		{`"kind":"cut"`, "vault"},
	} {
		behaviour := fmt.Sprintf(`{"faults":[{%s,"service":"vault","vault":%q}]}`, tc.fault, e.Vault())
		if err := shared.stack.Behave(t.Context(), behaviour); err != nil {
			t.Fatal(err)
		}
		e.force(t, s)
		// A pause that the fault before began may still be on.
		cluster.Eventually(t, patience, func() error {
			got := e.await(t, s, v1alpha1.ConditionUpdate, v1alpha1.ReasonProviderError)
			if got.Status != metav1.ConditionFalse || !strings.Contains(got.Message, tc.says) {
				return fmt.Errorf("%s: %s, %q does not say %q", tc.fault, got.Status, got.Message, tc.says)
			}
			return nil
		})
		if ready := e.await(t, s, v1alpha1.ConditionReady, v1alpha1.ReasonStale); ready.Status != metav1.ConditionTrue {
			t.Errorf("%s: Ready is %s", tc.fault, ready.Status)
		}
		if diff := cmp.Diff(before, e.secret(t, "app")); diff != "" {
			t.Errorf("%s: the Secret was changed (-before +after):\n%s", tc.fault, diff)
		}
	}
	if err := shared.stack.Behave(t.Context(), `{}`); err != nil {
		t.Fatal(err)
	}
	// No edit: the controller comes back by itself.
	e.await(t, s, v1alpha1.ConditionUpdate, synced)
	e.await(t, s, v1alpha1.ConditionReady, v1alpha1.ReasonSynced)
	events := e.awaitEvents(t, "app", 3)
	if last := events[len(events)-1]; len(events) > 16 {
		t.Errorf("%d events, the last %q: the same failure was told more than once", len(events), last)
	}
}
