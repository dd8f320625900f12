package integration

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"secretstore/api/secretsync/v1alpha1"
	"secretstore/test/cluster"
)

// credential is a federated credential of the slot's identity that fits the cluster; a test spoils one part of it.
type credential struct{ issuer, subject, audience string }

func (e env) fitting() credential {
	return credential{
		issuer: shared.cluster.Issuer(), subject: "system:serviceaccount:" + e.Namespace() + ":" + e.Account(),
		audience: "api://AzureADTokenExchange",
	}
}

// federate gives the slot's identity the credential; for the first seconds it is still propagating.
func (e env) federate(t *testing.T, c credential, propagationSeconds int) {
	t.Helper()
	body := fmt.Sprintf(`{"issuer":%q,"subject":%q,"audiences":[%q],"propagationSeconds":%d}`, c.issuer, c.subject, c.audience,
		propagationSeconds)
	e.admin(t, "POST", "/admin/applications/"+e.ClientID()+"/federatedCredentials/cluster", body)
}

// revoke takes the credential away.
func (e env) revoke(t *testing.T) {
	t.Helper()
	e.admin(t, "DELETE", "/admin/applications/"+e.ClientID()+"/federatedCredentials/cluster", "")
}

// exchanges counts the tokens that Entra gave to the slot's identity.
func (e env) exchanges(t *testing.T) int {
	t.Helper()
	n := 0
	for _, r := range requestLog(t) {
		if r.Operation == "entra.token" && r.ClientID == e.ClientID() && r.Status == 200 {
			n++
		}
	}
	return n
}

// TestRevokedCredential takes the federated credential away under an identity that works: it goes on working until its access
// token must be renewed, and then says what Entra says.
//
//covers:fault credential-revoked token-expires
func TestRevokedCredential(t *testing.T) {
	t.Parallel()
	e := newEnvIn(t, slot{Number: briefSlot})
	s := e.synced(t)
	e.revoke(t)
	e.awaitForced(t, s, v1alpha1.ReasonProviderError, "AADSTS")
	got := e.awaitFailure(t, s, v1alpha1.ReasonProviderError, "AADSTS70025", "has no federated credential", e.ClientID())
	if diff := cmp.Diff(map[string]string{"k": canary + "-plain"}, e.data(t, "app")); diff != "" {
		t.Errorf("%q cost the Secret its value (-want +got):\n%s", got.Message, diff)
	}
	e.federate(t, e.fitting(), 0)
	e.await(t, s, v1alpha1.ConditionUpdate, synced)
}

// awaitForced forces checks until one ends with the reason and a message that says the text.
func (e env) awaitForced(t *testing.T, s *v1alpha1.SecretSync, reason, says string) {
	t.Helper()
	cluster.Eventually(t, patience, func() error {
		e.force(t, s)
		e.awaitGeneration(t, s)
		for _, c := range s.Status.Conditions {
			if c.Type == v1alpha1.ConditionUpdate && c.Reason == reason && strings.Contains(c.Message, says) {
				return nil
			}
		}
		return fmt.Errorf("no condition has the reason %s and says %q: %+v", reason, says, s.Status.Conditions)
	})
}

// TestTokensAreRenewedInARun forces checks until the access token was renewed: ahead of its end, so that none of them fails.
//
//covers:fault token-expires
func TestTokensAreRenewedInARun(t *testing.T) {
	t.Parallel()
	e := newEnvIn(t, slot{Number: renewedSlot})
	s := e.synced(t)
	began, last := time.Now(), time.Time{}
	cluster.Eventually(t, patience, func() error {
		if time.Since(last) >= time.Second { // a check each second is enough
			last = time.Now()
			e.force(t, s)
			e.await(t, s, v1alpha1.ConditionUpdate, synced)
		}
		if n := e.exchanges(t); n < 2 {
			return fmt.Errorf("%d exchanges", n)
		}
		return nil
	})
	e.force(t, s)
	e.await(t, s, v1alpha1.ConditionUpdate, synced)
	if n, most := e.exchanges(t), 2+int(time.Since(began).Seconds())/30; n > most {
		t.Errorf("%d tokens were exchanged, want at most %d", n, most)
	}
	if events := e.events(t, "app"); len(events) > 1 {
		t.Errorf("renewing a token made news: %q", events)
	}
}

// TestRefusedTokenIsReplaced has the vault refuse an access token that should be good, as one that was revoked: the next check
// exchanges a new one.
//
//covers:fault token-refused
func TestRefusedTokenIsReplaced(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	s := e.synced(t)
	before := e.exchanges(t)
	e.misbehave(t, `"kind":"status","status":401,"next":1,"body":"{\"error\":{\"code\":\"Unauthorized\",\"message\":\"[TokenExpired]\"}}"`)
	e.force(t, s)
	cluster.Eventually(t, patience, func() error {
		if n := e.exchanges(t); n != before+1 {
			return fmt.Errorf("%d exchanges after the refusal, want 1", n-before)
		}
		return nil
	})
	e.await(t, s, v1alpha1.ConditionUpdate, synced)
	if diff := cmp.Diff(map[string]string{"k": canary + "-plain"}, e.data(t, "app")); diff != "" {
		t.Errorf("data (-want +got):\n%s", diff)
	}
}

// TestVaultAccessIsTaken takes away, in turn, what lets the identity into the vault, and gives it back: each failure says what to
// do, and the controller comes back by itself.
//
//covers:fault firewall private-network role-taken
func TestVaultAccessIsTaken(t *testing.T) {
	t.Parallel()
	const open = `{"publicNetworkAccess":"Enabled","firewall":"Allow"}`
	for name, tc := range map[string]struct {
		method, path, take string // take is the body that takes access
		back, give         string // back is the method, give the body that gives it again
		says               []string
	}{
		"firewall":        {"PUT", "network", `{"publicNetworkAccess":"Enabled","firewall":"Deny"}`, "PUT", open, []string{"network rules", "outgoing addresses"}},
		"private-network": {"PUT", "network", `{"publicNetworkAccess":"Disabled","firewall":"Allow"}`, "PUT", open, []string{"public access", "private endpoint"}},
		"role":            {"DELETE", "roleAssignments", `{"clientID":%q,"role":"Key Vault Secrets User"}`, "POST", `{"clientID":%q,"role":"Key Vault Secrets User"}`, []string{"may not read", "Key Vault Secrets User", "10 minutes"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := newEnv(t)
			s := e.synced(t)
			before := e.secret(t, "app")
			body := func(text string) string { return strings.ReplaceAll(text, "%q", `"`+e.ClientID()+`"`) }
			path := "/admin/vaults/" + e.Vault() + "/" + tc.path
			e.admin(t, tc.method, path, body(tc.take))
			e.force(t, s)
			e.awaitFailure(t, s, v1alpha1.ReasonProviderError, append(tc.says, e.Vault())...)
			if diff := cmp.Diff(before, e.secret(t, "app")); diff != "" {
				t.Errorf("the Secret was changed (-before +after):\n%s", diff)
			}
			e.admin(t, tc.back, path, body(tc.give))
			e.await(t, s, v1alpha1.ConditionUpdate, synced)
			e.await(t, s, v1alpha1.ConditionReady, v1alpha1.ReasonSynced)
		})
	}
}
