package integration

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"secretstore/api/secretsync/v1alpha1"
)

// faults are how the vaults misbehave. The emulator's behaviour is one for all vaults and set as a whole; this puts together what
// tests that run at the same time want of theirs.
type faults struct {
	mu      sync.Mutex
	byVault map[string][]string
}

// misbehave sets the faults of the slot's vault, each as the admin endpoint takes it but for the vault's name; none makes all
// well. At the end of the test all is well.
func (e env) misbehave(t *testing.T, list ...string) {
	t.Helper()
	if len(list) > 0 {
		t.Cleanup(func() {
			if err := shared.faults.set(e.Vault(), nil); err != nil {
				t.Error(err)
			}
		})
	}
	if err := shared.faults.set(e.Vault(), list); err != nil {
		t.Fatal(err)
	}
}

func (f *faults) set(vault string, list []string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.byVault == nil {
		f.byVault = map[string][]string{}
	}
	f.byVault[vault] = list
	var all []string
	for _, name := range slices.Sorted(maps.Keys(f.byVault)) {
		for _, fault := range f.byVault[name] {
			all = append(all, fmt.Sprintf(`{%s,"service":"vault","vault":%q}`, fault, name))
		}
	}
	// Not the test's context: the faults are lifted when it has ended.
	return shared.stack.Behave(context.Background(), fmt.Sprintf(`{"faults":[%s]}`, strings.Join(all, ",")))
}

// synced makes a SecretSync "app" of the slot's secret "plain" with its class "vault", and waits until it is synced.
func (e env) synced(t *testing.T) *v1alpha1.SecretSync {
	t.Helper()
	s := e.sync("app", "vault", "plain=k")
	e.create(t, e.class("vault", "secret plain"), s)
	e.await(t, s, v1alpha1.ConditionUpdate, synced)
	return s
}

// awaitFailure waits until the latest check has failed for the reason, and checks that the message says all of says and that
// the Secret, which exists, is still called good.
func (e env) awaitFailure(t *testing.T, s *v1alpha1.SecretSync, reason string, says ...string) metav1.Condition {
	t.Helper()
	got := e.await(t, s, v1alpha1.ConditionUpdate, reason)
	if got.Status != metav1.ConditionFalse {
		t.Errorf("%s: Update is %s", reason, got.Status)
	}
	for _, text := range says {
		if !strings.Contains(got.Message, text) {
			t.Errorf("%s: %q does not say %q", reason, got.Message, text)
		}
	}
	if ready := e.await(t, s, v1alpha1.ConditionReady, v1alpha1.ReasonStale); ready.Status != metav1.ConditionTrue {
		t.Errorf("%s: Ready is %s though the Secret holds its key", reason, ready.Status)
	}
	return got
}

// healthy says whether all conditions are as after a good check.
func healthy(s *v1alpha1.SecretSync) error {
	want := map[string]bool{v1alpha1.ConditionCreate: true, v1alpha1.ConditionUpdate: true, v1alpha1.ConditionReady: true}
	for _, c := range s.Status.Conditions {
		if c.Status != metav1.ConditionTrue || c.Reason == v1alpha1.ReasonStale || !want[c.Type] {
			return fmt.Errorf("condition %s is %s/%s: %s", c.Type, c.Status, c.Reason, c.Message)
		}
		delete(want, c.Type)
	}
	if len(want) > 0 {
		return fmt.Errorf("there are only the conditions %+v", s.Status.Conditions)
	}
	return nil
}
