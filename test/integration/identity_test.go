package integration

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"secretstore/api/secretsync/v1alpha1"
	"secretstore/test/cluster"
)

// admin changes what Azure's administrators would; body is JSON.
func (e env) admin(t *testing.T, method, path, body string) {
	t.Helper()
	if err := shared.stack.Admin(t.Context(), method, path, body, nil); err != nil {
		t.Fatal(err)
	}
}

// credential replaces the slot's one federated credential. What is not given is right.
func (e env) credential(t *testing.T, change func(fields map[string]any)) {
	t.Helper()
	fields := map[string]any{
		"issuer": shared.cluster.Issuer(), "subject": "system:serviceaccount:" + e.Namespace() + ":" + e.Account(),
	}
	if change != nil {
		change(fields)
	}
	e.admin(t, http.MethodPost, e.credentialPath(), text(t, fields))
}

func (e env) credentialPath() string {
	return "/admin/applications/" + e.ClientID() + "/federatedCredentials/cluster"
}

// network sets the network rules of the slot's vault.
func (e env) network(t *testing.T, access, firewall string) {
	t.Helper()
	e.admin(t, http.MethodPut, "/admin/vaults/"+e.Vault()+"/network", fmt.Sprintf(`{"publicNetworkAccess":%q,"firewall":%q}`, access, firewall))
}

// roles gives or takes the slot's roles on its vault.
func (e env) roles(t *testing.T, method string) {
	t.Helper()
	for _, role := range []string{"Key Vault Reader", "Key Vault Secrets User"} {
		e.admin(t, method, "/admin/vaults/"+e.Vault()+"/roleAssignments", fmt.Sprintf(`{"clientID":%q,"role":%q}`, e.ClientID(), role))
	}
}

// TestRefusalsSayWhatToDo has Entra and the vault refuse for one reason after the other. What is about unknown tenants, clients and
// objects is in TestBadInput.
//
//covers:fault wrong-issuer wrong-subject wrong-subject-case wrong-audience firewall private-network
func TestRefusalsSayWhatToDo(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	s := e.sync("app", "vault", "plain=k")
	set := func(field string, value any) func(t *testing.T) {
		return func(t *testing.T) { e.credential(t, func(fields map[string]any) { fields[field] = value }) }
	}
	subject := "system:serviceaccount:" + e.Namespace() + ":web"
	e.credential(t, func(fields map[string]any) { fields["issuer"] = "https://another.example" })
	e.create(t, e.class("vault", "secret plain"), s)
	for _, tc := range []struct {
		reason string
		spoil  func(t *testing.T)
		says   []string
	}{
		{"the issuer", set("issuer", "https://another.example"), []string{"AADSTS700211", "service-account-issuer", e.ClientID()}},
		{"the subject", set("subject", subject+"x"), []string{"AADSTS700213", subject, "create one"}},
		{"its letter case", set("subject", strings.ToUpper(subject)), []string{"AADSTS7002138", subject, "letter case matters"}},
		{"the audience", set("audiences", []string{"api://another"}), []string{"AADSTS700212", "api://AzureADTokenExchange", "set it on the credential"}},
		{"a credential that is propagating", set("propagationSeconds", 3600), []string{"AADSTS70021)", subject, "propagating or missing", "10 minutes"}},
		{"the firewall", func(t *testing.T) {
			e.credential(t, nil)
			e.network(t, "Enabled", "Deny")
		}, []string{"firewall of vault " + e.Vault(), "network rules"}},
		{"the private link", func(t *testing.T) { e.network(t, "Disabled", "Allow") }, []string{"public access", "private endpoint"}},
		{"the role", func(t *testing.T) {
			e.network(t, "Enabled", "Allow")
			e.roles(t, http.MethodDelete)
		}, []string{"Key Vault Secrets User", "propagating or missing", "10 minutes"}},
	} {
		tc.spoil(t)
		e.force(t, s)
		got := e.await(t, s, v1alpha1.ConditionCreate, v1alpha1.ReasonProviderError)
		for _, text := range tc.says {
			if !strings.Contains(got.Message, text) {
				t.Errorf("%s: %q does not say %q", tc.reason, got.Message, text)
			}
		}
		if got.Status != metav1.ConditionFalse {
			t.Errorf("%s: Create is %s", tc.reason, got.Status)
		}
	}
	e.roles(t, http.MethodPost)
	e.force(t, s)
	e.await(t, s, v1alpha1.ConditionUpdate, synced)
}

// TestAccessPoliciesWantAnotherCure has a vault that goes by access policies and gives the identity none.
func TestAccessPoliciesWantAnotherCure(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	class, s := e.class("vault", "secret plain"), e.sync("app", "vault", "plain=k")
	history, list := e.class("history", "secret plain objectVersionHistory=2"), e.sync("list", "history", "plain/0=k")
	class.Spec.Parameters["keyvaultName"], history.Spec.Parameters["keyvaultName"] = "policies", "policies"
	e.create(t, class, history, s, list)
	for _, tc := range []struct {
		sync *v1alpha1.SecretSync
		says string
	}{{s, "give the identity Get on secrets by access policy"}, {list, "List (objectVersionHistory needs it) on secrets by access policy"}} {
		got := e.await(t, tc.sync, v1alpha1.ConditionCreate, v1alpha1.ReasonProviderError)
		if !strings.Contains(got.Message, tc.says) || strings.Contains(got.Message, "role") {
			t.Errorf("%q does not say %q alone", got.Message, tc.says)
		}
	}
}

// TestWhatPropagatesIsAwaited makes what is missing while the controller asks, and touches nothing else: the SecretSync becomes
// healthy by itself. Until then it says the same, and since when.
//
//covers:fault credential-propagates
func TestWhatPropagatesIsAwaited(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		reason       string
		before, made func(*testing.T, env)
	}{
		"Role": {
			"a role is assigned later",
			func(t *testing.T, e env) { e.roles(t, http.MethodDelete) },
			func(t *testing.T, e env) { e.roles(t, http.MethodPost) },
		},
		"Credential": {
			"a federated credential has just been made, and is spread within seconds here",
			func(t *testing.T, e env) {
				e.admin(t, http.MethodDelete, e.credentialPath(), "")
				e.credential(t, func(fields map[string]any) { fields["propagationSeconds"] = 8 })
			},
			func(*testing.T, env) {},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := newEnv(t)
			tc.before(t, e)
			s := e.sync("app", "vault", "plain=k")
			e.create(t, e.class("vault", "secret plain"), s)
			first := e.await(t, s, v1alpha1.ConditionCreate, v1alpha1.ReasonProviderError)
			if !strings.Contains(first.Message, "propagating or missing") {
				t.Errorf("%s: %q", tc.reason, first.Message)
			}
			checked := s.Status.LastCheckTime.Time
			cluster.Eventually(t, patience, func() error {
				if err := e.client.Get(t.Context(), client.ObjectKeyFromObject(s), s); err != nil {
					return err
				}
				if !s.Status.LastCheckTime.After(checked) {
					return errors.New("it is not tried again")
				}
				return nil
			})
			second := meta.FindStatusCondition(s.Status.Conditions, v1alpha1.ConditionCreate)
			if diff := cmp.Diff(&first, second); diff != "" {
				t.Errorf("%s: the condition flaps (-first +second):\n%s", tc.reason, diff)
			}
			tc.made(t, e)
			e.await(t, s, v1alpha1.ConditionUpdate, synced)
			e.await(t, s, v1alpha1.ConditionReady, v1alpha1.ReasonSynced)
			want := []string{"Warning/ProviderError: " + first.Message, "Normal/CreateSucceeded: the Secret was created"}
			events := e.awaitEvents(t, "app", 2)
			slices.SortFunc(events, func(a, b string) int { return strings.Compare(b, a) }) // they come in no order
			if diff := cmp.Diff(want, events); diff != "" {
				t.Errorf("%s: events (-want +got):\n%s", tc.reason, diff)
			}
		})
	}
}
