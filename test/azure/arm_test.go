package azure

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"secretstore/internal/azure/arm"
	"secretstore/internal/emulator/state"
	"secretstore/internal/emulator/wire"
)

// did fails the test unless an operation ended well and did something, or nothing, as wanted.
func did(t *testing.T, what string, want bool, got bool, err error) {
	t.Helper()
	if err != nil || got != want {
		t.Errorf("%s: did something: %t, want %t; %v", what, got, want, err)
	}
}

func TestIdentities(t *testing.T) {
	t.Parallel()
	w := start(t, state.ManagementSettings{PageSize: 1})
	c := w.as(ownerID)
	made, acted, err := c.MakeIdentity(t.Context(), group(), "web", "westeurope")
	did(t, "making it", true, acted, err)
	if made.ClientID == "" || made.PrincipalID == "" || made.TenantID != tenantID || made.ResourceGroup() != "rg" {
		t.Errorf("it is %+v", made)
	}
	again, acted, err := c.MakeIdentity(t.Context(), group(), "web", "northeurope")
	did(t, "making it again", false, acted, err)
	if again != made {
		t.Errorf("it is %+v, was %+v", again, made)
	}
	_, acted, err = c.MakeIdentity(t.Context(), group(), "other", "westeurope")
	did(t, "making another", true, acted, err)
	for client, want := range map[string]bool{strings.ToUpper(made.ClientID): true, nobodyID: false} {
		found, is, err := c.IdentityByClient(t.Context(), subscriptionID, client)
		if err != nil || is != want || is && found != made {
			t.Errorf("by the client ID %s: %+v, %t, %v", client, found, is, err)
		}
	}
	acted, err = c.DeleteIdentity(t.Context(), group(), "web")
	did(t, "deleting it", true, acted, err)
	acted, err = c.DeleteIdentity(t.Context(), group(), "web")
	did(t, "deleting it again", false, acted, err)
	if _, err := c.Identity(t.Context(), group(), "web"); !arm.IsNotFound(err) {
		t.Errorf("it is gone, and yet %v", err)
	}
	if _, _, err := c.MakeIdentity(t.Context(), arm.Group{Subscription: subscriptionID, Name: "typo"}, "x", "l"); err == nil ||
		!strings.Contains(err.Error(), "--resource-group") {
		t.Errorf("in a group that is not there: %v", err)
	}
}

// TestFederatedCredentials: a trust is made once, under whichever name; one that differs is left alone; and a write while somebody
// else writes is tried again.
func TestFederatedCredentials(t *testing.T) {
	t.Parallel()
	w := start(t, state.ManagementSettings{CredentialWriteMilliseconds: 100})
	c := w.as(ownerID)
	if _, _, err := c.MakeIdentity(t.Context(), group(), "web", "westeurope"); err != nil {
		t.Fatal(err)
	}
	f := arm.FederatedCredential{Name: "edge-shop", Issuer: w.issuer.URL, Subject: "system:serviceaccount:shop:web", Audiences: []string{audience}}
	for _, step := range []struct {
		what string
		name string
		want bool
	}{{"making it", "edge-shop", true}, {"again", "edge-shop", false}, {"under another name", "other-name", false}} {
		f := f
		f.Name = step.name
		acted, err := c.MakeFederatedCredential(t.Context(), group(), "web", f)
		did(t, step.what, step.want, acted, err)
	}
	other := f
	other.Issuer = "https://elsewhere.example"
	_, err := c.MakeFederatedCredential(t.Context(), group(), "web", other)
	if differs, ok := errors.AsType[*arm.DiffersError](err); !ok || !strings.Contains(differs.Error(), "elsewhere") {
		t.Errorf("another issuer: %v", err)
	}
	if got, err := c.FederatedCredential(t.Context(), group(), "web", "edge-shop"); err != nil || !cmp.Equal(got, f) {
		t.Errorf("it became %+v, %v", got, err)
	}
	errs := make(chan error)
	for _, account := range []string{"a", "b", "c"} {
		go func() {
			g := f
			g.Name, g.Subject = "edge-"+account, f.Subject+account
			_, err := w.as(ownerID).MakeFederatedCredential(t.Context(), group(), "web", g)
			errs <- err
		}()
	}
	for range 3 {
		if err := <-errs; err != nil {
			t.Errorf("three at a time: %v", err)
		}
	}
	if !slices.ContainsFunc(w.Requests(), func(e wire.Entry) bool { return e.Status == http.StatusConflict }) {
		t.Error("no write met another: nothing was tried")
	}
	for i := range arm.MaxFederatedCredentials - 4 {
		g := f
		g.Name, g.Subject = "many-"+strings.Repeat("x", i+1), f.Subject+strings.Repeat("x", i+1)
		if _, err := c.MakeFederatedCredential(t.Context(), group(), "web", g); err != nil {
			t.Fatal(err)
		}
	}
	f.Name, f.Subject = "one-more", "more"
	if _, err := c.MakeFederatedCredential(t.Context(), group(), "web", f); err == nil || !strings.Contains(err.Error(), "20") {
		t.Errorf("one too many: %v", err)
	}
	acted, err := c.DeleteFederatedCredential(t.Context(), group(), "web", "edge-shop")
	did(t, "deleting it", true, acted, err)
	acted, err = c.DeleteFederatedCredential(t.Context(), group(), "web", "edge-shop")
	did(t, "deleting it again", false, acted, err)
}

func TestRoles(t *testing.T) {
	t.Parallel()
	w := start(t, state.ManagementSettings{})
	c := w.as(ownerID)
	web, _, err := c.MakeIdentity(t.Context(), group(), "web", "westeurope")
	if err != nil {
		t.Fatal(err)
	}
	for range 2 { // the directory does not know a fresh principal yet
		w.misbehave(wire.Fault{
			Kind: wire.KindStatus, Service: "arm", Operations: []string{"arm.roleAssignments.put"}, Status: http.StatusBadRequest, Next: 2,
			Body: `{"error":{"code":"PrincipalNotFound","message":"Principal x does not exist in the directory y."}}`,
		})
	}
	acted, err := c.Assign(t.Context(), vaultID, web.PrincipalID, "Key Vault Secrets User")
	did(t, "giving it", true, acted, err)
	acted, err = c.Assign(t.Context(), strings.ToUpper(vaultID), web.PrincipalID, "key vault secrets user")
	did(t, "giving it again", false, acted, err)
	acted, err = c.Assign(t.Context(), vaultID+"/secrets/password", web.PrincipalID, "Reader")
	did(t, "giving another, whose ID is looked up, on a secret", true, acted, err)
	if _, err := c.Assign(t.Context(), vaultID, web.PrincipalID, "No Such Role"); err == nil || !strings.Contains(err.Error(), "no such role") {
		t.Errorf("a role that is not there: %v", err)
	}
	there, err := c.RoleAssignments(t.Context(), vaultID, web.PrincipalID)
	if err != nil || len(there) != 1 || c.RoleName(t.Context(), vaultID, there[0].Role) != "Key Vault Secrets User" {
		t.Errorf("at the vault itself there are %+v, %v", there, err)
	}
	acted, err = c.Unassign(t.Context(), vaultID, oldObjectID, "Key Vault Reader")
	did(t, "taking one of two", true, acted, err)
	acted, err = c.Unassign(t.Context(), vaultID, oldObjectID, "")
	did(t, "taking the rest", true, acted, err)
	acted, err = c.Unassign(t.Context(), vaultID, oldObjectID, "")
	did(t, "taking nothing", false, acted, err)
	if there, err := c.RoleAssignments(t.Context(), vaultID, web.PrincipalID); err != nil || len(there) != 1 {
		t.Errorf("others keep theirs: %+v, %v", there, err)
	}
}

func (w *world) misbehave(faults ...wire.Fault) {
	w.t.Helper()
	if err := w.SetBehaviour(wire.Behaviour{Faults: faults}); err != nil {
		w.t.Fatal(err)
	}
}

func TestVaultsAndAccessPolicies(t *testing.T) {
	t.Parallel()
	w := start(t, state.ManagementSettings{PageSize: 1})
	c := w.as(ownerID)
	vault, err := c.FindVault(t.Context(), "shop-VAULT", "")
	if err != nil || vault.ID != vaultID || vault.Name != "Shop-Vault" || !vault.RBAC || !vault.Public || vault.Tenant != tenantID {
		t.Errorf("%+v, %v", vault, err)
	}
	if _, err := c.AddPolicy(t.Context(), vault, oldObjectID, arm.Permissions{}); err == nil || !strings.Contains(err.Error(), "role") {
		t.Errorf("a policy where roles rule: %v", err)
	}
	for _, subscription := range []string{"", subscriptionID} {
		if _, err := c.FindVault(t.Context(), "nowhere", subscription); !arm.IsNotFound(err) || !strings.Contains(err.Error(), "Reader") {
			t.Errorf("a vault that is not there: %v", err)
		}
	}
	find := func() arm.Vault {
		vault, err := c.FindVault(t.Context(), "policy-vault", "")
		if err != nil || vault.ID != policyVaultID || vault.RBAC {
			t.Fatalf("%+v, %v", vault, err)
		}
		return vault
	}
	const web = "66666666-aaaa-bbbb-cccc-555555555555"
	get := arm.Permissions{Secrets: []string{"get"}, Certificates: []string{"get", "list"}}
	acted, err := c.AddPolicy(t.Context(), find(), web, get)
	did(t, "adding it", true, acted, err)
	acted, err = c.AddPolicy(t.Context(), find(), strings.ToUpper(web), arm.Permissions{Certificates: []string{"List"}})
	did(t, "adding a part of it", false, acted, err)
	acted, err = c.AddPolicy(t.Context(), find(), web, arm.Permissions{Keys: []string{"get"}})
	did(t, "adding more", true, acted, err)
	get.Keys = []string{"get"}
	acted, err = c.RemovePolicy(t.Context(), find(), oldObjectID)
	did(t, "removing the old one", true, acted, err)
	acted, err = c.RemovePolicy(t.Context(), find(), oldObjectID)
	did(t, "removing it again", false, acted, err)
	want := []arm.AccessPolicy{{Tenant: tenantID, ObjectID: web, Permissions: get}}
	normal := cmp.Transformer("empty", func(p arm.Permissions) [3]string {
		return [3]string{strings.Join(p.Secrets, ","), strings.Join(p.Certificates, ","), strings.Join(p.Keys, ",")}
	})
	if diff := cmp.Diff(want, find().AccessPolicies, normal); diff != "" {
		t.Errorf("the policies (-want +got):\n%s", diff)
	}
}

func TestClusterAndExtensions(t *testing.T) {
	t.Parallel()
	w := start(t, state.ManagementSettings{OperationMilliseconds: 50})
	c := w.as(ownerID)
	cluster, err := c.Cluster(t.Context(), group(), "edge")
	if err != nil || !cluster.IssuerEnabled || cluster.IssuerURL != w.issuer.URL || !strings.HasSuffix(cluster.ID, "/connectedClusters/edge") {
		t.Errorf("%+v, %v", cluster, err)
	}
	all, err := c.Extensions(t.Context(), group(), "edge")
	if err != nil || len(all) != 1 || all[0].Namespace != "kube-system" || len(all[0].Settings) != 1 || all[0].State != "Succeeded" {
		t.Errorf("%+v, %v", all, err)
	}
	store := arm.Extension{Name: "ssarcextension", Type: "Microsoft.Azure.SecretStore", Settings: map[string]string{"a": "b"}}
	acted, err := c.MakeExtension(t.Context(), group(), "edge", store)
	did(t, "installing one", true, acted, err)
	if got, err := c.Extension(t.Context(), group(), "edge", "ssarcextension"); err != nil || got.State != "Succeeded" {
		t.Errorf("it was not waited for: %+v, %v", got, err)
	}
	acted, err = c.MakeExtension(t.Context(), group(), "edge", store)
	did(t, "installing it again", false, acted, err)
	store.Settings = map[string]string{"a": "canary"}
	if _, err := c.MakeExtension(t.Context(), group(), "edge", store); err == nil || strings.Contains(err.Error(), "canary") {
		t.Errorf("with another setting: %v", err)
	}
	acted, err = c.DeleteExtension(t.Context(), group(), "edge", "akvsecretsprovider")
	did(t, "removing one", true, acted, err)
	acted, err = c.DeleteExtension(t.Context(), group(), "edge", "akvsecretsprovider")
	did(t, "removing it again", false, acted, err)
	if err := w.State().SetManagementSettings(state.ManagementSettings{OperationFailure: "Helm says no"}); err != nil {
		t.Fatal(err)
	}
	store = arm.Extension{Name: "broken", Type: "microsoft.certmanagement"}
	if _, err := c.MakeExtension(t.Context(), group(), "edge", store); err == nil || !strings.Contains(err.Error(), "Helm says no") {
		t.Errorf("an installation that fails: %v", err)
	}
}

// TestWhoMayNot: what a login may not do is said with the role that permits it, and is not tried again.
func TestWhoMayNot(t *testing.T) {
	t.Parallel()
	w := start(t, state.ManagementSettings{})
	reader := w.as(readerID)
	_, _, err := reader.MakeIdentity(t.Context(), group(), "web", "westeurope")
	if !arm.IsForbidden(err) || !strings.Contains(err.Error(), "Managed Identity Contributor") {
		t.Errorf("%v", err)
	}
	_, err = reader.Assign(t.Context(), vaultID, oldObjectID, "Key Vault Secrets Officer")
	if !arm.IsForbidden(err) || !strings.Contains(err.Error(), "Role Based Access Control Administrator") {
		t.Errorf("%v", err)
	}
	puts := 0
	for _, e := range w.Requests() {
		if strings.HasSuffix(e.Operation, ".put") {
			puts++
		}
	}
	if puts != 2 {
		t.Errorf("%d writes were tried, want 2: %v", puts, w.writes())
	}
}

// TestAzureThatFailsForAWhile: 429 and 5xx pass.
func TestAzureThatFailsForAWhile(t *testing.T) {
	t.Parallel()
	w := start(t, state.ManagementSettings{})
	w.misbehave(
		wire.Fault{Kind: wire.KindStatus, Service: "arm", Status: http.StatusTooManyRequests, RetryAfterSeconds: 1, Next: 1},
		wire.Fault{Kind: wire.KindStatus, Service: "arm", Status: http.StatusInternalServerError, Next: 1},
		wire.Fault{Kind: wire.KindRefuse, Service: "arm", Next: 1},
	)
	if got, err := w.as(ownerID).Subscriptions(t.Context()); err != nil || len(got) != 2 {
		t.Errorf("%v, %v", got, err)
	}
}

func TestPrincipals(t *testing.T) {
	t.Parallel()
	w := start(t, state.ManagementSettings{})
	c := w.as(ownerID)
	old, err := c.Principal(t.Context(), oldID)
	if err != nil || old.ObjectID != oldObjectID || !old.Enabled {
		t.Errorf("%+v, %v", old, err)
	}
	if _, err := c.Principal(t.Context(), "00000000-dead-beef-0000-000000000000"); !arm.IsNotFound(err) {
		t.Errorf("one that is not there: %v", err)
	}
	for _, step := range []struct{ enabled, acts bool }{{false, true}, {false, false}, {true, true}} {
		acted, err := c.Enable(t.Context(), oldID, step.enabled)
		did(t, "enabling", step.acts, acted, err)
	}
	object, err := c.DeleteApp(t.Context(), oldID)
	if err != nil || object == "" {
		t.Fatalf("%q, %v", object, err)
	}
	if again, err := c.DeleteApp(t.Context(), oldID); err != nil || again != "" {
		t.Errorf("again: %q, %v", again, err)
	}
	if err := c.RestoreApp(t.Context(), object); err != nil {
		t.Error(err)
	}
}
