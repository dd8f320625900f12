package integration

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"secretstore/api/secretsync/v1alpha1"
	"secretstore/test/cluster"
)

//covers:reason ControllerSpcError
//covers:fault class-deleted
func TestClassIsRecreated(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	s := e.synced(t)
	before := e.secret(t, "app")
	if err := e.client.Delete(t.Context(), e.class("vault")); err != nil {
		t.Fatal(err)
	}
	e.awaitFailure(t, s, v1alpha1.ReasonControllerSpcError, "SecretProviderClass vault does not exist")
	if diff := cmp.Diff(before, e.secret(t, "app")); diff != "" {
		t.Errorf("the Secret was changed (-before +after):\n%s", diff)
	}
	e.create(t, e.class("vault", "secret other objectAlias=plain"))
	e.await(t, s, v1alpha1.ConditionUpdate, v1alpha1.ReasonUpdateValueChangeSucceeded)
	if diff := cmp.Diff(map[string]string{"k": canary + "-other"}, e.data(t, "app")); diff != "" {
		t.Errorf("data (-want +got):\n%s", diff)
	}
}

// TestAccountIsRecreated deletes the service account and makes it again: what was held for the first is not used for the second,
// nor after the deletion at all.
//
//covers:fault account-deleted
func TestAccountIsRecreated(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	s := e.synced(t)
	exchanged, asked := e.exchanges(t), len(e.requests(t))
	if err := e.client.Delete(t.Context(), e.account()); err != nil {
		t.Fatal(err)
	}
	e.awaitFailure(t, s, v1alpha1.ReasonUserInputValidationFailed, "service account web does not exist")
	e.force(t, s)
	e.awaitFailure(t, s, v1alpha1.ReasonUserInputValidationFailed)
	if n := len(e.requests(t)) - asked; n != 0 {
		t.Errorf("the vault was asked %d times for a service account that is gone", n)
	}
	e.create(t, e.account())
	e.await(t, s, v1alpha1.ConditionUpdate, synced)
	if n := e.exchanges(t) - exchanged; n != 1 {
		t.Errorf("%d tokens were exchanged for the new service account, want 1: the old one's must not be used", n)
	}
}

// TestNamespaceIsDeleted deletes a namespace while its SecretSyncs are being checked: nothing stays, each SecretSync is told of a
// few times at most, and not at all once it is gone.
//
//covers:fault namespace-deleted
func TestNamespaceIsDeleted(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	e.misbehave(t, `"kind":"latency","latencyMilliseconds":300`)
	e.create(t, e.class("vault", "secret plain"))
	const count = 20
	for i := range count {
		e.create(t, e.sync(fmt.Sprintf("app-%02d", i), "vault", "plain=k"))
	}
	// In the middle: some Secrets are there, some checks are waiting for the vault.
	cluster.Eventually(t, patience, func() error {
		if n := len(e.requests(t)); n < 2 {
			return fmt.Errorf("%d requests", n)
		}
		return nil
	})
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: e.Namespace()}}
	if err := e.client.Delete(t.Context(), namespace); err != nil {
		t.Fatal(err)
	}
	cluster.Eventually(t, patience, func() error {
		if err := e.client.Get(t.Context(), client.ObjectKeyFromObject(namespace), namespace); !apierrors.IsNotFound(err) {
			return fmt.Errorf("the namespace is still there: %w %v", err, namespace.Status)
		}
		return nil
	})
	// What was under way is told to the end, events that had to wait for others among it; then the log is silent.
	const most = 6
	lines := e.failures()
	for round := 1; ; round++ {
		newEnv(t).synced(t) // so that what the controller had to do by then is done
		now := e.failures()
		diff := cmp.Diff(lines, now)
		if diff == "" {
			break
		}
		if round == most {
			t.Fatalf("the log goes on when the namespace is gone (-before +after):\n%s", diff)
		}
		lines = now
	}
	for name, n := range lines {
		if n > 4 { // its class gone, its account gone, and of each an event that nobody takes any more
			t.Errorf("the log tells of %s %d times", name, n)
		}
	}
}

// failures counts the lines of the controller's log that tell of a failure, by the SecretSync that they name.
func (e env) failures() map[string]int {
	found := map[string]int{}
	for line := range strings.SplitSeq(shared.stack.Controller.Log(), "\n") {
		if !strings.Contains(line, e.Namespace()) || !strings.Contains(line, `"ERROR"`) && !strings.Contains(line, "check failed") {
			continue
		}
		found[regexp.MustCompile(`app-\d\d`).FindString(line)]++
	}
	return found
}
