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

func (e env) credential() credential {
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

func (e env) admin(t *testing.T, method, path, body string) {
	t.Helper()
	if err := shared.stack.Admin(t.Context(), method, path, body, nil); err != nil {
		t.Fatal(err)
	}
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

// TestFederationMistakes has federated credentials that do not fit, each in one part: Entra's refusal is recognised by its code,
// and the message says what to correct. Once it is corrected the check comes by itself.
//
//covers:fault wrong-issuer wrong-subject wrong-subject-case wrong-audience
func TestFederationMistakes(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		spoil func(*credential)
		says  []string
	}{
		"issuer":       {func(c *credential) { c.issuer += "/" }, []string{"AADSTS700211", "set its issuer to the cluster's"}},
		"subject":      {func(c *credential) { c.subject += "x" }, []string{"AADSTS700213", "has the subject system:serviceaccount:slot-"}},
		"subject-case": {func(c *credential) { c.subject = strings.ToUpper(c.subject) }, []string{"AADSTS7002138", "letter case"}},
		"audience":     {func(c *credential) { c.audience = "api://other" }, []string{"AADSTS700212", "has the audience api://AzureADTokenExchange; set it"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := newEnv(t)
			wrong := e.credential()
			tc.spoil(&wrong)
			e.revoke(t)
			e.federate(t, wrong, 0)
			s := e.sync("app", "vault", "plain=k")
			e.create(t, e.class("vault", "secret plain"), s)
			got := e.await(t, s, v1alpha1.ConditionCreate, v1alpha1.ReasonProviderError)
			for _, text := range append(tc.says, e.ClientID()) {
				if !strings.Contains(got.Message, text) {
					t.Errorf("%q does not say %q", got.Message, text)
				}
			}
			e.revoke(t)
			e.federate(t, e.credential(), 0)
			e.await(t, s, v1alpha1.ConditionUpdate, synced)
		})
	}
}

// TestNewCredentialPropagates has a federated credential that Entra does not know everywhere yet.
//
//covers:fault credential-propagates
func TestNewCredentialPropagates(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	e.revoke(t)
	const seconds = 8
	e.federate(t, e.credential(), seconds)
	s := e.sync("app", "vault", "plain=k")
	e.create(t, e.class("vault", "secret plain"), s)
	got := e.await(t, s, v1alpha1.ConditionCreate, v1alpha1.ReasonProviderError)
	for _, text := range []string{"AADSTS70021", "propagating", "tried again"} {
		if !strings.Contains(got.Message, text) {
			t.Errorf("%q does not say %q", got.Message, text)
		}
	}
	e.await(t, s, v1alpha1.ConditionUpdate, synced)
	refused := 0
	for _, r := range requestLog(t) {
		if r.ClientID == e.ClientID() && r.Code == "AADSTS70021" {
			refused++
		}
	}
	if refused > seconds/2 {
		t.Errorf("Entra was asked %d times in the %d seconds in which it could not but refuse", refused, seconds)
	}
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
	e.federate(t, e.credential(), 0)
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
		"private-network": {"PUT", "network", `{"publicNetworkAccess":"Disabled","firewall":"Allow"}`, "PUT", open, []string{"network rules", "private endpoint"}},
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
