package lifecycle

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"secretstore/api/secretsync/v1alpha1"
	"secretstore/test/cluster"
	"secretstore/test/stack"
)

// awaitMessage waits until the condition Update has failed with a message that says the text.
func (e env) awaitMessage(t *testing.T, s *v1alpha1.SecretSync, text string) {
	t.Helper()
	cluster.Eventually(t, patience, func() error {
		if err := e.client.Get(t.Context(), client.ObjectKeyFromObject(s), s); err != nil {
			return err
		}
		found := meta.FindStatusCondition(s.Status.Conditions, v1alpha1.ConditionUpdate)
		if found == nil || found.Status != metav1.ConditionFalse || !strings.Contains(found.Message, text) {
			return fmt.Errorf("condition Update is %+v, want a failure that says %q", found, text)
		}
		return nil
	})
}

// TestVaultHangs has a vault that takes requests and answers none: checks end with a deadline, which the condition says, the
// Secret stays, and when the vault answers again nobody has to do anything.
//
//covers:fault vault-hangs
func TestVaultHangs(t *testing.T) {
	e := newEnv(t, "--rotationPollIntervalInSeconds=1")
	s := e.sync(t, "app")
	e.await(t, s, v1alpha1.ConditionReady, v1alpha1.ReasonSynced)
	version := e.version(t, "app")
	e.behave(t, `{"faults":[{"kind":"hang","service":"vault"}]}`)
	e.awaitMessage(t, s, "no answer in time")
	e.await(t, s, v1alpha1.ConditionReady, v1alpha1.ReasonStale)
	if e.version(t, "app") != version {
		t.Error("the Secret was written")
	}
	e.behave(t, `{}`)
	e.await(t, s, v1alpha1.ConditionReady, v1alpha1.ReasonSynced)
}

// TestEntraFails makes Entra fail in every way while an access token is needed: the condition says that it is Entra, and by
// itself the controller comes back.
//
//covers:fault entra-unreachable entra-refuses entra-hangs entra-answers-garbage entra-dies-in-mid-answer
//covers:fault entra-answers-errors entra-throttles
func TestEntraFails(t *testing.T) {
	e := newEnv(t)
	for name, tc := range map[string]struct{ fault, says string }{
		"unreachable": {`"kind":"unreachable"`, "Entra could not be asked"},
		"refuses":     {`"kind":"refuse"`, "Entra could not be asked"},
		"hangs":       {`"kind":"hang"`, "no answer in time"},
		"garbage":     {`"kind":"garbage"`, "Entra could not be asked"},
		"cut":         {`"kind":"cut"`, "Entra could not be asked"},
		"errors":      {`"kind":"status","status":503`, "HTTP 503"},
		"throttles":   {`"kind":"status","status":429,"retryAfterSeconds":1`, "Entra is throttling"},
	} {
		t.Run(name, func(t *testing.T) {
			// A token that is held would hide all: with the service account it goes.
			if err := e.client.Delete(t.Context(), e.account()); err != nil {
				t.Fatal(err)
			}
			e.behave(t, fmt.Sprintf(`{"faults":[{%s,"service":"entra"}]}`, tc.fault))
			if err := e.client.Create(t.Context(), e.account()); err != nil {
				t.Fatal(err)
			}
			s := e.sync(t, "app-"+name)
			e.await(t, s, v1alpha1.ConditionCreate, v1alpha1.ReasonProviderError)
			if got := meta.FindStatusCondition(s.Status.Conditions, v1alpha1.ConditionCreate); !strings.Contains(got.Message, tc.says) {
				t.Errorf("%q does not say %q", got.Message, tc.says)
			}
			e.behave(t, `{}`)
			e.await(t, s, v1alpha1.ConditionReady, v1alpha1.ReasonSynced)
		})
	}
}

// twoVaults is the emulator's state with a second vault for the same identity.
const twoVaults = `
  - name: other-vault
    roleAssignments: [{clientID: 11111111-2222-3333-4444-555555555555, role: Key Vault Secrets User}]
    secrets: [{name: my-secret, value: the other value}]
`

// TestDeadVaultHoldsUpNobody has many SecretSyncs of a vault that hangs, more than there are workers, and some of one that is
// well.
//
//covers:fault dead-vault-beside-healthy vault-hangs
func TestDeadVaultHoldsUpNobody(t *testing.T) {
	example, err := os.ReadFile("../../examples/emulator.yaml")
	if err != nil {
		t.Fatal(err)
	}
	seed := filepath.Join(t.TempDir(), "seed.yaml")
	if err := os.WriteFile(seed, append(example, twoVaults...), 0o600); err != nil {
		t.Fatal(err)
	}
	e := startEnv(t, stack.Options{Seed: seed})
	e.behave(t, `{"faults":[{"kind":"hang","service":"vault","vault":"other-vault"}]}`)
	other := strings.ReplaceAll(objects, "NAMESPACE", e.namespace)
	other = strings.ReplaceAll(other[strings.LastIndex(other, "---"):], "name: vault", "name: other")
	if err := shared.Apply(t.Context(), []byte(strings.ReplaceAll(other, "my-key-vault", "other-vault"))); err != nil {
		t.Fatal(err)
	}
	const dead, healthy, within = 30, 10, 5 * time.Second
	hanging := make([]*v1alpha1.SecretSync, 0, dead)
	for i := range dead {
		hanging = append(hanging, e.syncOf(t, fmt.Sprintf("dead-%02d", i), "other"))
	}
	cluster.Eventually(t, patience, func() error { // all that can wait for the vault does
		if e.asked(t) == 0 {
			return errors.New("the vault that hangs was not asked yet")
		}
		return nil
	})
	began := time.Now()
	waiting := make([]*v1alpha1.SecretSync, 0, healthy)
	for i := range healthy {
		waiting = append(waiting, e.sync(t, fmt.Sprintf("healthy-%02d", i)))
	}
	for _, s := range waiting {
		e.await(t, s, v1alpha1.ConditionReady, v1alpha1.ReasonSynced)
	}
	if took := time.Since(began); took > within {
		t.Errorf("beside a dead vault %d SecretSyncs of a healthy one took %v, want at most %v", healthy, took, within)
	}
	for _, s := range hanging {
		e.await(t, s, v1alpha1.ConditionCreate, v1alpha1.ReasonProviderError)
	}
	e.behave(t, `{}`)
	for _, s := range hanging {
		e.await(t, s, v1alpha1.ConditionReady, v1alpha1.ReasonSynced)
	}
}

// TestASecretDeletedInAnOutageIsToldOf takes the Secret away while the vault is away: it cannot be made again, and Ready says so.
//
//covers:fault secret-deleted
func TestASecretDeletedInAnOutageIsToldOf(t *testing.T) {
	e := newEnv(t, "--namespaces=NAMESPACE", "--rotationPollIntervalInSeconds=1", "--driftCheckIntervalInSeconds=2")
	s := e.sync(t, "app")
	e.await(t, s, v1alpha1.ConditionReady, v1alpha1.ReasonSynced)
	e.behave(t, `{"faults":[{"kind":"unreachable","service":"vault"},{"kind":"refuse","service":"vault"}]}`)
	e.await(t, s, v1alpha1.ConditionReady, v1alpha1.ReasonStale)
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: e.namespace, Name: "app"}}
	if err := e.client.Delete(t.Context(), secret); err != nil {
		t.Fatal(err)
	}
	e.await(t, s, v1alpha1.ConditionReady, v1alpha1.ReasonProviderError)
	e.behave(t, `{}`)
	e.await(t, s, v1alpha1.ConditionReady, v1alpha1.ReasonSynced)
}
