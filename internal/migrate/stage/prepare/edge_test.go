package prepare_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"secretstore/internal/migrate/model"
	"secretstore/internal/migrate/stage/prepare"
	"secretstore/internal/spcparams"
)

// TestKeptIdentityHasNoRoom: an identity that is kept gets no more credentials than others; the rest is read by new ones.
func TestKeptIdentityHasNoRoom(t *testing.T) {
	t.Parallel()
	e := estate{}
	for i := range 30 {
		e.class(fmt.Sprintf("ns-%02d", i), "a", "kv", "", func(c *model.Class) { c.Params.ClientID = newClient })
	}
	plan, ids := prepare.Plan(e.Survey, options())
	count := map[string]int{}
	for _, a := range ids.Accounts {
		count[a.Identity]++
	}
	if diff := cmp.Diff(map[string]int{newClient: 18, "user_assigned_client_id": 12}, count); diff != "" {
		t.Errorf("credentials -want +got:\n%s", diff)
	}
	for _, command := range commands(plan) {
		if strings.HasPrefix(command, "az role") && !strings.Contains(command, "${USER_ASSIGNED_PRINCIPAL_ID} ") {
			t.Errorf("the identity that is kept has its rights already: %s", command)
		}
	}
}

// TestNumbersOfIdentitiesThatExist: an identity of an earlier run is known by its client ID, not by its number, so that its
// number must not be taken for another one.
func TestNumbersOfIdentitiesThatExist(t *testing.T) {
	t.Parallel()
	e := estate{}
	for i := range 20 {
		e.class(fmt.Sprintf("ns-%02d", i), "a", "kv", principal)
	}
	_, first := prepare.Plan(e.Survey, options())
	known := func(id model.Identity) string { return newClient[:len(newClient)-1] + fmt.Sprint(len(id.ClientID)%10) }
	done := after(e, first, known, func(int) bool { return true })
	done.class("later", "a", "other", second)
	_, ids := prepare.Plan(done.Survey, options())
	if _, id, _ := ids.For("later", "a"); id.Name != "${USER_ASSIGNED_IDENTITY_NAME}-3" {
		t.Errorf("the identity is %s, but two exist already", id.Name)
	}
}

func TestCredentialNames(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		reason, cluster, namespace, account string
		want                                string // a prefix where it ends with …
	}{
		"plain":   {reason: "as it is", namespace: "shop", account: "secretstore", want: "shop-secretstore"},
		"cluster": {reason: "told apart on an identity of many clusters", cluster: "Edge_1", namespace: "shop", account: "s", want: "Edge_1-shop-s"},
		"dots":    {reason: "Azure allows none", namespace: "shop", account: "a.b", want: "shop-a-b-…"},
		"long": {
			reason: "cut", cluster: strings.Repeat("c", 105), namespace: "shop", account: "secretstore",
			want: strings.Repeat("c", 105) + "-shop-…",
		},
		"digit":     {reason: "may come first", namespace: "1", account: "s", want: "1-s"},
		"folder":    {reason: "variables are filled in later", account: "secretstore", want: "${KUBERNETES_NAMESPACE}-secretstore"},
		"from a CI": {reason: "variables are kept", namespace: "${NS}", account: "secretstore", want: "${NS}-secretstore"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e, o := estate{}, options()
			e.class(c.namespace, "a", "kv", principal)
			o.Azure.Cluster, o.Azure.ServiceAccount = c.cluster, c.account
			_, ids := prepare.Plan(e.Survey, o)
			got := ids.Accounts[0].Credential
			prefix, open := strings.CutSuffix(c.want, "…")
			if right := got == c.want || open && strings.HasPrefix(got, prefix); !right || len(got) > 120 {
				t.Errorf("%s; %q has %d characters, want %q", c.reason, got, len(got), c.want)
			}
		})
	}
}

// TestManagedIdentitiesAndPrincipals: what a managed identity reads, and what a service principal does, are told apart.
func TestManagedIdentitiesAndPrincipals(t *testing.T) {
	t.Parallel()
	e := estate{}
	e.class("shop", "a", "kv", "")
	e.class("shop", "b", "kv", principal)
	e.class("shop", "c", "kv", "", func(c *model.Class) { c.Parameters["userAssignedIdentityID"] = second })
	_, ids := prepare.Plan(e.Survey, options())
	var got []string
	for _, a := range ids.Accounts {
		got = append(got, strings.Join(a.Classes, ",")+" "+a.Principal)
	}
	slices.Sort(got)
	if diff := cmp.Diff([]string{"a ", "b " + principal, "c "}, got); diff != "" {
		t.Errorf("accounts -want +got:\n%s", diff)
	}
}

// TestLaterClassOfAnotherVault: a class that joins an account of an earlier run brings the steps that are missing, and only those
// that are not known to be done.
func TestLaterClassOfAnotherVault(t *testing.T) {
	t.Parallel()
	e := estate{}
	e.class("shop", "a", "kv", principal)
	_, first := prepare.Plan(e.Survey, options())
	done := after(e, first, func(model.Identity) string { return newClient }, func(int) bool { return true })
	done.class("shop", "b", "kv-new", principal)
	plan, ids := prepare.Plan(done.Survey, options())
	if account, id, _ := ids.For("shop", "b"); account.Name != "secretstore" || id.ClientID != newClient {
		t.Errorf("the class is read by %s as %s", account.Name, id.ClientID)
	}
	all := strings.Join(commands(plan), "\n")
	for _, want := range []string{
		"az identity list --subscription ${SUBSCRIPTION} --query [?clientId=='" + newClient + "'].principalId | [0]",
		"--assignee-object-id ${USER_ASSIGNED_PRINCIPAL_ID_99999999} --assignee-principal-type ServicePrincipal --scope ${KEYVAULT_ID_KV_NEW}",
	} {
		if !strings.Contains(all, want) {
			t.Errorf("%q is missing from\n%s", want, all)
		}
	}
	for _, c := range plan.Changes {
		if c.Verb == model.Create || strings.Contains(strings.Join(c.Command, " "), "identity create") {
			t.Errorf("%s makes what exists", c.ID)
		}
	}
}

// TestFolder: in a folder a service account is put beside the first class of its namespace.
func TestFolder(t *testing.T) {
	t.Parallel()
	e := estate{}
	place := model.Place{File: "shop/class.yaml", Document: 1, Item: -1, Line: 9}
	e.class("shop", "a", "kv", principal, func(c *model.Class) { c.Object.Place = place })
	e.class("shop", "b", "kv", principal)
	plan, _ := prepare.Plan(e.Survey, options())
	at := slices.IndexFunc(plan.Changes, func(c model.Change) bool { return c.Verb == model.Create })
	if at < 0 || plan.Changes[at].Place != place || plan.Changes[at].Object.String() != "ServiceAccount shop/secretstore" {
		t.Errorf("the service account is made by %+v", plan.Changes)
	}
}

// TestAzureIsLeftToOthers: with --no-azure every step in Azure says whose it is.
func TestAzureIsLeftToOthers(t *testing.T) {
	t.Parallel()
	e, o := estate{}, options()
	e.class("shop", "a", "kv", principal, func(c *model.Class) { c.Parameters["subscriptionId"] = "sub-2" })
	o.NoAzure = true
	plan, _ := prepare.Plan(e.Survey, o)
	found := false
	for _, c := range plan.Changes {
		if len(c.Command) > 0 && c.Command[0] == "az" && c.ByHand == "" {
			t.Errorf("%s is left to nobody", c.ID)
		}
		found = found || strings.HasSuffix(strings.Join(c.Command, " "), "--subscription sub-2")
	}
	if !found {
		t.Error("the vault's own subscription, which the class names, is not used")
	}
}

// TestForeignCredential: the credential of an identity elsewhere names the audience of its cloud, and is somebody else's to make.
func TestForeignCredential(t *testing.T) {
	t.Parallel()
	e, o := estate{}, options()
	e.class("shop", "a", "kv", principal)
	e.class("shop", "b", "kv", principal)
	e.class("gov", "a", "kv-gov", principal, func(c *model.Class) {
		c.Params.CloudName = "AzureUSGovernmentCloud"
		c.Params.Objects = []spcparams.Object{{Name: "x", Type: spcparams.TypeKey}}
	})
	o.Decisions["M212/gov/a/SecretProviderClass"] = newClient
	plan, _ := prepare.Plan(e.Survey, o)
	const want = `az ad app federated-credential create --id ` + newClient + ` --parameters {"audiences":["api://AzureADTokenExchangeUSGov"],` +
		`"issuer":"${SERVICE_ACCOUNT_ISSUER}","name":"gov-secretstore","subject":"system:serviceaccount:gov:secretstore"}`
	for _, c := range plan.Changes {
		command := strings.Join(c.Command, " ")
		if command == want && c.ByHand != "" {
			return
		}
		if strings.Contains(command, "kv-gov") {
			t.Errorf("rights there are not this cloud's to give: %s", command)
		}
	}
	t.Errorf("the credential is missing from %s", strings.Join(commands(plan), "\n"))
}

// TestServiceAccountThatExists: an account of the name is used as it is.
func TestServiceAccountThatExists(t *testing.T) {
	t.Parallel()
	e := estate{}
	e.class("shop", "a", "kv", principal)
	e.ServiceAccounts = map[string][]string{"shop": {"secretstore"}}
	plan, _ := prepare.Plan(e.Survey, options())
	for _, c := range plan.Changes {
		if c.Verb == model.Create {
			t.Errorf("%s makes what exists", c.ID)
		}
	}
}
