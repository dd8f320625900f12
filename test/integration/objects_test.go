package integration

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"secretstore/api/secretsync/v1alpha1"
)

// enable switches a secret of the slot's vault on or off.
func (e env) enable(t *testing.T, name string, enabled bool) {
	t.Helper()
	if err := shared.stack.Enable(t.Context(), e.Vault(), name, enabled, operator()); err != nil {
		t.Fatal(err)
	}
}

// TestVaultObjectGoes takes a secret away under the Secret that holds it: the Secret keeps its value, the condition says what to
// do, and when the secret is back so is the sync, by itself.
//
//covers:fault object-deleted object-disabled
func TestVaultObjectGoes(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		take, give func(*testing.T, env)
		says       []string
	}{
		"deleted": {
			func(t *testing.T, e env) { e.remove(t, "plain") },
			func(t *testing.T, e env) {
				vault, err := shared.stack.Secrets(e.Vault(), operator())
				if err != nil {
					t.Fatal(err)
				}
				if _, err := vault.RecoverDeletedSecret(t.Context(), "plain", nil); err != nil {
					t.Fatal(err)
				}
			},
			[]string{"there is no secret plain", "create or recover"},
		},
		"disabled": {
			func(t *testing.T, e env) { e.enable(t, "plain", false) },
			func(t *testing.T, e env) { e.enable(t, "plain", true) },
			[]string{"secret plain", "is disabled", "enable it"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := newEnv(t)
			s := e.synced(t)
			before := e.secret(t, "app")
			tc.take(t, e)
			e.force(t, s)
			e.awaitFailure(t, s, v1alpha1.ReasonProviderError, append(tc.says, e.Vault())...)
			if diff := cmp.Diff(before, e.secret(t, "app")); diff != "" {
				t.Errorf("the Secret was changed (-before +after):\n%s", diff)
			}
			tc.give(t, e)
			e.await(t, s, v1alpha1.ConditionUpdate, synced)
			if after := e.secret(t, "app").ResourceVersion; after != before.ResourceVersion {
				t.Error("the Secret was written though the value is the same as before")
			}
		})
	}
}

// TestVaultObjectIsRenamed has an operator move a secret to another name, which Key Vault can only do by a new one, and then tell
// the class: the alias keeps source paths as they are.
//
//covers:field SecretProviderClass.spec.parameters.objects[].objectAlias
//covers:fault object-renamed
func TestVaultObjectIsRenamed(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	class := e.class("vault", "secret plain objectAlias=password")
	s := e.sync("app", "vault", "password=k")
	e.create(t, class, s)
	e.await(t, s, v1alpha1.ConditionUpdate, synced)
	e.set(t, "renamed", canary+"-renamed")
	e.remove(t, "plain")
	e.force(t, s)
	e.awaitFailure(t, s, v1alpha1.ReasonProviderError, "there is no secret plain", "correct the SecretProviderClass")
	if diff := cmp.Diff(map[string]string{"k": canary + "-plain"}, e.data(t, "app")); diff != "" {
		t.Errorf("data (-want +got):\n%s", diff)
	}
	edit(t, e, class, func(c *spcClass) {
		c.Spec.Parameters["objects"] = strings.Replace(c.Spec.Parameters["objects"], "objectName: plain", "objectName: renamed", 1)
	})
	e.await(t, s, v1alpha1.ConditionUpdate, v1alpha1.ReasonUpdateValueChangeSucceeded)
	if diff := cmp.Diff(map[string]string{"k": canary + "-renamed"}, e.data(t, "app")); diff != "" {
		t.Errorf("data (-want +got):\n%s", diff)
	}
}
