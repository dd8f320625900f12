package integration

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"secretstore/api/secretsync/v1alpha1"
	"secretstore/test/cluster"
)

// TestSecretIsTaken has somebody make the Secret another's, by its label or by its owner: it is left alone from then on, whatever
// the vault holds, until it is given back.
//
//covers:reason InvalidClusterSecretLabelError
//covers:fault secret-label-taken secret-owner-taken
func TestSecretIsTaken(t *testing.T) {
	t.Parallel()
	for name, take := range map[string]func(c *corev1.Secret, another metav1.OwnerReference){
		"label": func(c *corev1.Secret, _ metav1.OwnerReference) { delete(c.Labels, v1alpha1.SecretLabel) },
		"owner": func(c *corev1.Secret, another metav1.OwnerReference) { c.OwnerReferences[0] = another },
		"second-owner": func(c *corev1.Secret, another metav1.OwnerReference) {
			c.OwnerReferences = append(c.OwnerReferences, another)
		},
		"no-owner": func(c *corev1.Secret, _ metav1.OwnerReference) { c.OwnerReferences = nil },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := newEnv(t)
			s := e.synced(t)
			ours, another := e.secret(t, "app"), e.anotherOwner(t)
			taken := e.secret(t, "app")
			edit(t, e, taken, func(c *corev1.Secret) {
				take(c, another)
				c.Data["k"] = []byte(canary + "-theirs")
			})
			// Found by looking, and again by checks of what has changed since.
			e.awaitTaken(t, s)
			e.set(t, "plain", canary+"-new")
			e.force(t, s)
			e.awaitTaken(t, s)
			if diff := cmp.Diff(taken, e.secret(t, "app")); diff != "" {
				t.Errorf("another's Secret was changed (-before +after):\n%s", diff)
			}
			edit(t, e, e.secret(t, "app"), func(c *corev1.Secret) { c.Labels, c.OwnerReferences = ours.Labels, ours.OwnerReferences })
			e.await(t, s, v1alpha1.ConditionReady, v1alpha1.ReasonSynced)
			if diff := cmp.Diff(map[string]string{"k": canary + "-new"}, e.data(t, "app")); diff != "" {
				t.Errorf("given back, data (-want +got):\n%s", diff)
			}
		})
	}
}

// anotherOwner is an owner that exists; a Secret whose owners do not is deleted by the garbage collector.
func (e env) anotherOwner(t *testing.T) metav1.OwnerReference {
	t.Helper()
	account := e.account()
	if err := e.client.Get(t.Context(), client.ObjectKeyFromObject(account), account); err != nil {
		t.Fatal(err)
	}
	return metav1.OwnerReference{APIVersion: "v1", Kind: "ServiceAccount", Name: account.Name, UID: account.UID}
}

// awaitTaken waits until the SecretSync says that the Secret is not its own.
func (e env) awaitTaken(t *testing.T, s *v1alpha1.SecretSync) {
	t.Helper()
	e.await(t, s, v1alpha1.ConditionUpdate, v1alpha1.ReasonInvalidLabel)
	if ready := e.await(t, s, v1alpha1.ConditionReady, v1alpha1.ReasonInvalidLabel); ready.Status != metav1.ConditionFalse {
		t.Errorf("Ready is %s though there is no Secret of this SecretSync", ready.Status)
	}
}

// TestSecretIsLocked has somebody make the Secret immutable, or put one of another type in its place: it is not forced, the
// condition says how to have it made anew, and that works.
//
//covers:reason UserInputValidationFailed
//covers:fault secret-immutable secret-other-type
func TestSecretIsLocked(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		lock func(*testing.T, env)
		says string
	}{
		"immutable": {func(t *testing.T, e env) {
			edit(t, e, e.secret(t, "app"), func(c *corev1.Secret) { c.Immutable = new(true) })
		}, "is immutable"},
		"type": {func(t *testing.T, e env) {
			old := e.secret(t, "app")
			// Again where the controller was faster.
			cluster.Eventually(t, patience, func() error {
				return errors.Join(client.IgnoreNotFound(e.client.Delete(t.Context(), old)), e.client.Create(t.Context(), &corev1.Secret{
					ObjectMeta: metav1.ObjectMeta{
						Namespace: old.Namespace, Name: old.Name, Labels: old.Labels, OwnerReferences: old.OwnerReferences,
					},
					Type: "example.com/other", Data: old.Data,
				}))
			})
		}, "has type example.com/other, not Opaque"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := newEnv(t)
			s := e.synced(t)
			tc.lock(t, e)
			locked := e.secret(t, "app")
			e.set(t, "plain", canary+"-new")
			e.force(t, s)
			e.awaitFailure(t, s, v1alpha1.ReasonUserInputValidationFailed, tc.says, "kubectl delete secret -n "+e.Namespace()+" app")
			if diff := cmp.Diff(locked, e.secret(t, "app")); diff != "" {
				t.Errorf("the Secret was changed (-before +after):\n%s", diff)
			}
			if err := e.client.Delete(t.Context(), locked); err != nil {
				t.Fatal(err)
			}
			e.await(t, s, v1alpha1.ConditionReady, v1alpha1.ReasonSynced)
			if diff := cmp.Diff(map[string]string{"k": canary + "-new"}, e.data(t, "app")); diff != "" {
				t.Errorf("data (-want +got):\n%s", diff)
			}
		})
	}
}
