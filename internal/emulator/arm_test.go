package emulator_test

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/authorization/armauthorization/v2"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/keyvault/armkeyvault"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/kubernetesconfiguration/armkubernetesconfiguration/v2"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/msi/armmsi"
	"github.com/google/go-cmp/cmp"

	"secretstore/internal/emulator/state"
	"secretstore/internal/emulator/wire"
)

// TestARMAuthenticates: a token must be there, for Azure Resource Manager, good, not at its end, and of the subscription's tenant.
func TestARMAuthenticates(t *testing.T) {
	f := startARM(t, true, state.ManagementSettings{})
	path := armPath(policyVaultID, "2023-07-01")
	good := f.armToken(operatorID, armScope)
	stranger := secretForm(strangerID, operatorsPass)
	stranger.Set("scope", armScope)
	foreign, _ := f.ask(strings.Replace(tokenURL, tenantID, otherTenantID, 1), stranger).json(t)["access_token"].(string)
	for name, tc := range map[string]struct {
		reason, token string
		status        int
		code          string
	}{
		"good":           {"the owner's", good, 200, ""},
		"of old":         {"the older name of the service", f.armToken(operatorID, "https://management.core.windows.net/.default"), 200, ""},
		"with a slash":   {"as az asks for it", f.armToken(operatorID, "https://management.core.windows.net//.default"), 200, ""},
		"none":           {"it is needed", "", 401, "AuthenticationFailed"},
		"broken":         {"it is none", "x.y.z", 401, "InvalidAuthenticationToken"},
		"not signed so":  {"somebody changed it", good[:len(good)-8] + "AAAAAAAA", 401, "InvalidAuthenticationToken"},
		"a vault's":      {"it is for vaults", f.operator(), 401, "InvalidAuthenticationTokenAudience"},
		"another tenant": {"the subscription is not there", foreign, 401, "InvalidAuthenticationTokenTenant"},
		"without rights": {"it has no role", f.identityForARM(), 403, "AuthorizationFailed"},
	} {
		t.Run(name, func(t *testing.T) { f.expect(t, tc.reason, http.MethodGet, path, tc.token, "", tc.status, tc.code) })
	}
	challenge := f.call(http.MethodGet, path, "", "").header.Get("WWW-Authenticate")
	if !strings.HasPrefix(challenge, `Bearer authorization_uri="https://login.windows.net/`+tenantID+`", error="invalid_token"`) {
		t.Errorf("the challenge is %q", challenge)
	}
	f.clock.Step(time.Hour)
	f.expect(t, "at its end", http.MethodGet, path, good, "", 401, "ExpiredAuthenticationToken")
}

// identityForARM is a token of an identity that has no role at Azure Resource Manager.
func (f *fixture) identityForARM() string {
	f.tb.Helper()
	form := assertionForm(identityID, f.issuer.Token(subject, nil))
	form.Set("scope", armScope)
	return f.token(form)
}

// expect makes a request and compares status and error code.
func (f *fixture) expect(t *testing.T, reason, method, target, token, body string, status int, code string) {
	t.Helper()
	r := f.call(method, target, token, body)
	failure := map[string]any{}
	if r.status >= 400 {
		failure, _ = r.json(t)["error"].(map[string]any)
	}
	if got, _ := failure["code"].(string); r.status != status || got != code {
		t.Errorf("%s: %s %s: got %d %s, want %d %s", reason, method, target, r.status, r.body, status, code)
	}
}

// TestARMRefuses: what Azure refuses, with its codes.
func TestARMRefuses(t *testing.T) {
	f := startARM(t, true, state.ManagementSettings{})
	operator, reader := f.armToken(operatorID, armScope), f.armToken(readerID, armScope)
	const (
		identity   = groupID + "/providers/Microsoft.ManagedIdentity/userAssignedIdentities/my-identity"
		assignment = "/providers/Microsoft.Authorization/roleAssignments/00000000-0000-0000-0000-00000000000a"
		role       = "/providers/Microsoft.Authorization/roleDefinitions/" + secretsUserID
		msi, auth  = "2023-01-31", "2022-04-01"
		extension  = clusterID + "/providers/Microsoft.KubernetesConfiguration/extensions/"
	)
	credential := func(issuer, subject, audiences string) string {
		return `{"properties":{"issuer":"` + issuer + `","subject":"` + subject + `","audiences":[` + audiences + `]}}`
	}
	assign := func(principal, kind, role string) string {
		return `{"properties":{"principalId":"` + principal + `","principalType":"` + kind + `","roleDefinitionId":"` + role + `"}}`
	}
	const principal, nobody = "11111111-aaaa-bbbb-cccc-555555555555", "11111111-aaaa-bbbb-cccc-000000000000"
	for name, tc := range map[string]struct {
		reason, method, id, version, token, body string
		status                                   int
		code                                     string
	}{
		"no version":          {"it is asked for first", "GET", vaultID, "", "", "", 400, "MissingApiVersionParameter"},
		"unknown version":     {"nothing has it", "GET", vaultID, "2001-01-01", operator, "", 400, "InvalidApiVersionParameter"},
		"version of others":   {"this type does not have it", "GET", vaultID, "2023-05-01", operator, "", 404, "InvalidResourceType"},
		"unknown type":        {"there is none", "GET", groupID + "/providers/Microsoft.KeyVault/safes/x", "2023-07-01", operator, "", 404, "InvalidResourceType"},
		"unknown namespace":   {"there is none", "GET", groupID + "/providers/Microsoft.Cakes/ovens/x", "2023-07-01", operator, "", 404, "InvalidResourceNamespace"},
		"no resource path":    {"it is none", "GET", groupID + "/vaults", "2023-07-01", operator, "", 404, "NotFound"},
		"method":              {"vaults are only read here", "PUT", vaultID, "2023-07-01", operator, "{}", 405, "MethodNotAllowed"},
		"subscription":        {"there is none", "GET", "/subscriptions/nothing", "2021-04-01", operator, "", 404, "SubscriptionNotFound"},
		"group":               {"there is none", "GET", "/subscriptions/" + subscriptionID + "/resourceGroups/nothing", "2021-04-01", operator, "", 404, "ResourceGroupNotFound"},
		"in no group":         {"there is none", "GET", strings.Replace(vaultID, "/rg/", "/nothing/", 1), "2023-07-01", operator, "", 404, "ResourceGroupNotFound"},
		"vault elsewhere":     {"its group is another", "GET", strings.Replace(vaultID, "/rg/", "/empty/", 1), "2023-07-01", operator, "", 404, "ResourceNotFound"},
		"identity":            {"there is none", "GET", identity + "2", msi, operator, "", 404, "ResourceNotFound"},
		"cluster":             {"there is none", "GET", clusterID + "2", "2024-01-01", operator, "", 404, "ResourceNotFound"},
		"reader writes":       {"it may read only", "PUT", identity, msi, reader, `{"location":"westeurope"}`, 403, "AuthorizationFailed"},
		"reader deletes":      {"it may read only", "DELETE", identity, msi, reader, "", 403, "AuthorizationFailed"},
		"reader elsewhere":    {"its role is on a group", "GET", "/subscriptions/" + subscriptionID, "2021-04-01", reader, "", 403, "AuthorizationFailed"},
		"no location":         {"an identity has one", "PUT", identity + "2", msi, operator, "{}", 400, "LocationRequired"},
		"another location":    {"it stays where it is", "PUT", identity, msi, operator, `{"location":"eastus"}`, 409, "InvalidResourceLocation"},
		"no JSON":             {"it cannot be read", "PUT", identity, msi, operator, "x", 400, "InvalidRequestContent"},
		"credential, parent":  {"there is none", "PUT", identity + "2/federatedIdentityCredentials/abc", msi, operator, credential("https://x", "y", `"z"`), 404, "ParentResourceNotFound"},
		"credential":          {"there is none", "GET", identity + "/federatedIdentityCredentials/abc", msi, operator, "", 404, "NotFound"},
		"credential's name":   {"it is too short", "PUT", identity + "/federatedIdentityCredentials/ab", msi, operator, credential("https://x", "y", `"z"`), 400, "BadRequest"},
		"no subject":          {"one is needed", "PUT", identity + "/federatedIdentityCredentials/abc", msi, operator, credential("https://x", "", `"z"`), 400, "BadRequest"},
		"two audiences":       {"there is one", "PUT", identity + "/federatedIdentityCredentials/abc", msi, operator, credential("https://x", "y", `"z","w"`), 400, "BadRequest"},
		"issuer and subject":  {"another has both", "PUT", identity + "/federatedIdentityCredentials/abc", msi, operator, credential(f.issuer.URL, subject, `"z"`), 400, "BadRequest"},
		"credential gone":     {"nothing is to be deleted", "DELETE", identity + "/federatedIdentityCredentials/abc", msi, operator, "", 204, ""},
		"identity gone":       {"nothing is to be deleted", "DELETE", identity + "2", msi, operator, "", 204, ""},
		"unknown principal":   {"Entra does not know it", "PUT", vaultID + assignment, auth, operator, assign(nobody, "ServicePrincipal", role), 400, "PrincipalNotFound"},
		"client ID":           {"it must be an object ID", "PUT", vaultID + assignment, auth, operator, assign(identityID, "ServicePrincipal", role), 400, "PrincipalNotFound"},
		"a person":            {"it is none", "PUT", vaultID + assignment, auth, operator, assign(principal, "User", role), 400, "UnmatchedPrincipalType"},
		"no such type":        {"there is none", "PUT", vaultID + assignment, auth, operator, assign(principal, "Robot", role), 400, "InvalidPrincipalType"},
		"no GUID":             {"a principal has one", "PUT", vaultID + assignment, auth, operator, assign("x", "", role), 400, "InvalidPrincipalId"},
		"assignment's name":   {"it is a GUID", "PUT", vaultID + assignment + "x", auth, operator, assign(principal, "", role), 400, "InvalidRoleAssignmentId"},
		"unknown role":        {"there is none", "PUT", vaultID + assignment, auth, operator, assign(principal, "", role+"x"), 400, "RoleDefinitionDoesNotExist"},
		"given already":       {"by the seed", "PUT", vaultID + assignment, auth, operator, assign(principal, "ServicePrincipal", role), 409, "RoleAssignmentExists"},
		"assignment":          {"there is none", "GET", vaultID + assignment, auth, operator, "", 404, "RoleAssignmentNotFound"},
		"assignment gone":     {"nothing is to be deleted", "DELETE", vaultID + assignment, auth, operator, "", 204, ""},
		"role by ID":          {"there is none", "GET", "/subscriptions/" + subscriptionID + role + "x", auth, operator, "", 404, "RoleDefinitionDoesNotExist"},
		"policies":            {"there is no vault", "PUT", policyVaultID + "2/accessPolicies/add", "2023-07-01", operator, `{}`, 404, "ParentResourceNotFound"},
		"policy kind":         {"there is none", "PUT", policyVaultID + "/accessPolicies/set", "2023-07-01", operator, `{}`, 400, "BadRequest"},
		"policy's tenant":     {"it is another", "PUT", policyVaultID + "/accessPolicies/add", "2023-07-01", operator, `{"properties":{"accessPolicies":[{"tenantId":"x","objectId":"y"}]}}`, 400, "BadRequest"},
		"extension":           {"there is none", "GET", extension + "nothing", "2023-05-01", operator, "", 404, "ResourceNotFound"},
		"extension, parent":   {"there is no cluster", "GET", strings.Replace(extension, "edge", "edge2", 1) + "x", "2023-05-01", operator, "", 404, "ParentResourceNotFound"},
		"extension gone":      {"nothing is to be deleted", "DELETE", extension + "nothing", "2023-05-01", operator, "", 204, ""},
		"extension's type":    {"it stays", "PUT", extension + "akvsecretsprovider", "2023-05-01", operator, `{"properties":{"extensionType":"other"}}`, 400, "ExtensionTypeNotUpdatable"},
		"type twice":          {"it is there by another name", "PUT", extension + "second", "2023-05-01", operator, `{"properties":{"extensionType":"microsoft.azurekeyvaultsecretsprovider"}}`, 400, "ExtensionTypeAlreadyInstalled"},
		"no type":             {"an extension has one", "PUT", extension + "second", "2023-05-01", operator, `{}`, 400, "BadRequest"},
		"operation":           {"there is none", "GET", extension + "akvsecretsprovider/operations/x", "2023-05-01", operator, "", 404, "ResourceNotFound"},
		"filter":              {"it is none", "GET", "/subscriptions/" + subscriptionID + "/resources", "2021-04-01&$filter=name+ne+'x'", operator, "", 400, "InvalidFilterInQueryString"},
		"roles' filter":       {"it is none", "GET", "/subscriptions/" + subscriptionID + "/providers/Microsoft.Authorization/roleDefinitions", auth + "&$filter=name+ne+'x'", operator, "", 400, "UnsupportedFilter"},
		"assignments' filter": {"it is none", "GET", vaultID + "/providers/Microsoft.Authorization/roleAssignments", auth + "&$filter=below()", operator, "", 400, "UnsupportedFilter"},
		"skip token":          {"it is none", "GET", "/subscriptions", "2021-04-01&$skiptoken=!", operator, "", 400, "InvalidSkipToken"},
		"top":                 {"it is no number", "GET", "/subscriptions", "2021-04-01&$top=x", operator, "", 400, "InvalidTopParameter"},
	} {
		t.Run(name, func(t *testing.T) {
			target := armURL + tc.id + "?api-version=" + tc.version
			f.expect(t, tc.reason, tc.method, target, tc.token, tc.body, tc.status, tc.code)
		})
	}
}

// TestARMFaults: the faults of all services work here too.
func TestARMFaults(t *testing.T) {
	f := startARM(t, true, state.ManagementSettings{})
	if err := f.SetBehaviour(wire.Behaviour{Faults: []wire.Fault{
		{Kind: wire.KindStatus, Service: "arm", Operations: []string{"arm.vaults.get"}, Status: 429, RetryAfterSeconds: 7, Next: 1},
		{Kind: wire.KindStatus, Service: "arm", Operations: []string{"arm.vaults.get"}, Status: 500, Next: 1},
	}}); err != nil {
		t.Fatal(err)
	}
	token, path := f.armToken(operatorID, armScope), armPath(vaultID, "2023-07-01")
	r := f.call(http.MethodGet, path, token, "")
	if r.status != 429 || r.header.Get("Retry-After") != "7" || !strings.Contains(r.body, `"code":"TooManyRequests"`) {
		t.Errorf("got %d %v %s", r.status, r.header, r.body)
	}
	f.expect(t, "broken", http.MethodGet, path, token, "", 500, "InternalServerError")
	f.expect(t, "well again", http.MethodGet, path, token, "", 200, "")
	entries := f.Requests()
	want := wire.Entry{Service: "arm", Operation: "arm.vaults.get", Name: "my-key-vault", Status: 200, ClientID: operatorID}
	got := entries[len(entries)-1]
	got.Time = time.Time{}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	if err := f.SetBehaviour(wire.Behaviour{Faults: []wire.Fault{{Kind: wire.KindUnreachable, Service: "arm"}}}); err != nil {
		t.Fatal(err)
	}
	f.client.CloseIdleConnections()
	if _, err := f.try(http.MethodGet, path, token, ""); err == nil {
		t.Error("it is reachable")
	}
	f.operator() // Entra is
}

// TestConcurrentCredentialWritesConflict: one write at a time for each identity, each for as long as it takes.
func TestConcurrentCredentialWritesConflict(t *testing.T) {
	const conflicts = "ConcurrentFederatedIdentityCredentialsWritesForSingleManagedIdentity"
	f := startARM(t, true, state.ManagementSettings{CredentialWriteMilliseconds: 500})
	f.newIdentity("other")
	first := make(chan error, 2)
	go func() { first <- f.federate(t.Context(), "my-identity", "first", ownSubject) }()
	f.awaitWaiters(t, 1)
	refused(t, "a second write", f.federate(t.Context(), "my-identity", "second", ownSubject+"2"), 409, conflicts)
	_, err := f.msi().NewFederatedIdentityCredentialsClient().Delete(t.Context(), "rg", "my-identity", "cluster", nil)
	refused(t, "a deletion", err, 409, conflicts)
	go func() { first <- f.federate(t.Context(), "other", "first", ownSubject) }()
	f.awaitWaiters(t, 2)
	f.clock.Step(500 * time.Millisecond)
	for range 2 {
		if err := <-first; err != nil {
			t.Errorf("the first writes of two identities: %v", err)
		}
	}
	if err := f.State().SetManagementSettings(state.ManagementSettings{}); err != nil {
		t.Fatal(err)
	}
	if err := f.federate(t.Context(), "my-identity", "second", ownSubject+"2"); err != nil {
		t.Errorf("after it: %v", err)
	}
}

// awaitWaiters waits until so many requests wait for the services' clock.
func (f *fixture) awaitWaiters(t *testing.T, n int) {
	t.Helper()
	deadline := time.NewTimer(10 * time.Second)
	defer deadline.Stop()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for f.clock.Waiters() < n {
		select {
		case <-tick.C:
		case <-deadline.C:
			t.Fatalf("%d requests wait, want %d", f.clock.Waiters(), n)
		}
	}
}

// TestAtMostTwentyCredentials, and they are told page by page.
func TestAtMostTwentyCredentials(t *testing.T) {
	f := startARM(t, true, state.ManagementSettings{PageSize: 8})
	for i := range state.MaxFederatedCredentials - 1 { // the seed has one
		if err := f.federate(t.Context(), "my-identity", "cred-"+string(rune('a'+i)), ownSubject+string(rune('a'+i))); err != nil {
			t.Fatal(err)
		}
	}
	refused(t, "one too many", f.federate(t.Context(), "my-identity", "cred-z", ownSubject+"z"), 400, "BadRequest")
	if err := f.federate(t.Context(), "my-identity", "cred-a", ownSubject+"A"); err != nil {
		t.Errorf("changing one: %v", err)
	}
	pager := f.msi().NewFederatedIdentityCredentialsClient().NewListPager("rg", "my-identity", nil)
	all, pages := collect(t, pager, func(p armmsi.FederatedIdentityCredentialsClientListResponse) []*armmsi.FederatedIdentityCredential {
		return p.Value
	})
	if len(all) != 20 || pages != 3 {
		t.Errorf("got %d on %d pages, want 20 on 3", len(all), pages)
	}
	changed, err := f.msi().NewFederatedIdentityCredentialsClient().Get(t.Context(), "rg", "my-identity", "CRED-A", nil)
	if err != nil || *changed.Properties.Subject != ownSubject+"A" || *changed.Properties.Audiences[0] != "api://AzureADTokenExchange" {
		t.Errorf("the changed one is %+v, %v", changed.Properties, err)
	}
}

func TestIdentitiesAreListedAndTagged(t *testing.T) {
	f := startARM(t, true, state.ManagementSettings{PageSize: 2})
	clientID, objectID := f.newIdentity("b")
	f.newIdentity("c")
	identities := f.msi().NewUserAssignedIdentitiesClient()
	updated, err := identities.CreateOrUpdate(t.Context(), "rg", "B", armmsi.Identity{Location: to.Ptr("westeurope"), Tags: map[string]*string{"team": to.Ptr("shop")}}, nil)
	if err != nil || *updated.Properties.ClientID != clientID || *updated.Properties.PrincipalID != objectID || *updated.Properties.TenantID != tenantID || *updated.Tags["team"] != "shop" {
		t.Errorf("updated: got %+v, %v", updated.Properties, err)
	}
	names := func(list []*armmsi.Identity) (names []string) {
		for _, i := range list {
			names = append(names, *i.Name)
		}
		return names
	}
	byGroup, pages := collect(t, identities.NewListByResourceGroupPager("rg", nil), func(p armmsi.UserAssignedIdentitiesClientListByResourceGroupResponse) []*armmsi.Identity {
		return p.Value
	})
	if diff := cmp.Diff([]string{"b", "c", "my-identity"}, names(byGroup)); diff != "" || pages != 2 {
		t.Errorf("by group, %d pages: -want +got\n%s", pages, diff)
	}
	inEmpty, _ := collect(t, identities.NewListByResourceGroupPager("empty", nil), func(p armmsi.UserAssignedIdentitiesClientListByResourceGroupResponse) []*armmsi.Identity {
		return p.Value
	})
	if len(inEmpty) != 0 {
		t.Errorf("in an empty group: got %v", names(inEmpty))
	}
	bySubscription, _ := collect(t, identities.NewListBySubscriptionPager(nil), func(p armmsi.UserAssignedIdentitiesClientListBySubscriptionResponse) []*armmsi.Identity {
		return p.Value
	})
	if len(bySubscription) != 3 {
		t.Errorf("by subscription: got %v", names(bySubscription))
	}
}

func TestRoleAssignments(t *testing.T) {
	f := startARM(t, true, state.ManagementSettings{PageSize: 2, PrincipalPropagationSeconds: 30})
	_, objectID := f.newIdentity("new-identity")
	client := f.authorization().NewRoleAssignmentsClient()
	const name, group = "00000000-0000-0000-0000-00000000000a", "00000000-0000-0000-0000-00000000000b"
	untyped := armauthorization.RoleAssignmentCreateParameters{Properties: &armauthorization.RoleAssignmentProperties{
		PrincipalID: to.Ptr(objectID), RoleDefinitionID: to.Ptr("/providers/Microsoft.Authorization/roleDefinitions/" + secretsUserID),
	}}
	_, err := client.Create(t.Context(), vaultID, name, untyped, nil)
	refused(t, "a fresh principal whose type is not told", err, 400, "PrincipalNotFound")
	f.clock.Step(30 * time.Second)
	made, err := client.Create(t.Context(), vaultID, name, untyped, nil)
	if err != nil || *made.Name != name || *made.Properties.Scope != vaultID || *made.Properties.PrincipalType != "ServicePrincipal" ||
		*made.Properties.RoleDefinitionID != "/subscriptions/"+subscriptionID+"/providers/Microsoft.Authorization/roleDefinitions/"+secretsUserID {
		t.Fatalf("got %+v, %v", made.Properties, err)
	}
	if err := f.assign(vaultID, name, objectID, secretsUserID); err != nil {
		t.Errorf("the same again: %v", err)
	}
	err = f.assign(vaultID, group, objectID, secretsUserID)
	refused(t, "the same by another name", err, 409, "RoleAssignmentExists")
	if want := strings.ReplaceAll(name, "-", ""); err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("the one that exists is not told in %v", err)
	}
	refused(t, "the name for another role", f.assign(vaultID, name, objectID, "21090545-7ca7-4776-b22c-e363652d74d2"), 400, "RoleAssignmentUpdateNotPermitted")
	if err := f.assign(groupID, group, objectID, secretsUserID); err != nil {
		t.Errorf("on the group: %v", err)
	}
	list := func(scope, filter string) (names []string) {
		pager := client.NewListForScopePager(scope, &armauthorization.RoleAssignmentsClientListForScopeOptions{
			Filter: to.Ptr(url.PathEscape(filter)), // this client sends it as it is given
		})
		all, _ := collect(t, pager, func(p armauthorization.RoleAssignmentsClientListForScopeResponse) []*armauthorization.RoleAssignment {
			return p.Value
		})
		for _, a := range all {
			names = append(names, *a.Name)
		}
		slices.Sort(names)
		return names
	}
	for _, tc := range []struct {
		reason, scope, filter string
		want                  []string
	}{
		{"all of a principal, above and below", groupID, "principalId eq '" + objectID + "'", []string{name, group}},
		{"not those below", groupID, "atScope() and assignedTo('" + objectID + "')", []string{group}},
		{"those above hold too", vaultID, "assignedTo('" + objectID + "')", []string{name, group}},
		{"another vault has the group's alone", policyVaultID, "principalId eq '" + objectID + "'", []string{group}},
		{"another principal", groupID, "principalId eq '" + identityID + "'", nil},
	} {
		if diff := cmp.Diff(tc.want, list(tc.scope, tc.filter)); diff != "" {
			t.Errorf("%s: -want +got\n%s", tc.reason, diff)
		}
	}
	got := list(vaultID, "atScope()")
	if len(got) != 7 { // 3 of the vault's seed, the subscription's and the group's, and the two made here
		t.Errorf("all that hold: got %d", len(got))
	}
}

func TestRoleDefinitions(t *testing.T) {
	f := startARM(t, true, state.ManagementSettings{PageSize: 5})
	client := f.authorization().NewRoleDefinitionsClient()
	list := func(options *armauthorization.RoleDefinitionsClientListOptions) []*armauthorization.RoleDefinition {
		all, _ := collect(t, client.NewListPager("/subscriptions/"+subscriptionID, options), func(p armauthorization.RoleDefinitionsClientListResponse) []*armauthorization.RoleDefinition {
			return p.Value
		})
		return all
	}
	named := list(&armauthorization.RoleDefinitionsClientListOptions{Filter: to.Ptr("roleName eq 'Key Vault Secrets User'")})
	if len(named) != 1 || *named[0].Name != secretsUserID || *named[0].Properties.Permissions[0].DataActions[0] != "Microsoft.KeyVault/vaults/secrets/getSecret/action" {
		t.Errorf("by name: got %+v", named)
	}
	if all := list(nil); len(all) != len(state.Roles()) {
		t.Errorf("got %d of %d", len(all), len(state.Roles()))
	}
	one, err := client.GetByID(t.Context(), "/subscriptions/"+subscriptionID+"/providers/Microsoft.Authorization/roleDefinitions/"+secretsUserID, nil)
	if err != nil || *one.Properties.RoleName != "Key Vault Secrets User" {
		t.Errorf("by ID: got %+v, %v", one.Properties, err)
	}
}

func TestVaultsAreFoundByName(t *testing.T) {
	f := startARM(t, true, state.ManagementSettings{PageSize: 1})
	vaults := made(armkeyvault.NewVaultsClient(subscriptionID, f.credential(operatorID), f.armOptions()))
	vault, err := vaults.Get(t.Context(), "rg", "MY-key-vault", nil)
	if err != nil || *vault.ID != vaultID || !*vault.Properties.EnableRbacAuthorization || *vault.Properties.TenantID != tenantID ||
		*vault.Properties.VaultURI != "https://my-key-vault.vault.azure.net/" || *vault.Properties.PublicNetworkAccess != "Enabled" {
		t.Errorf("got %+v, %v", vault.Properties, err)
	}
	byGroup, pages := collect(t, vaults.NewListByResourceGroupPager("rg", nil), func(p armkeyvault.VaultsClientListByResourceGroupResponse) []*armkeyvault.Vault { return p.Value })
	bySubscription, _ := collect(t, vaults.NewListBySubscriptionPager(nil), func(p armkeyvault.VaultsClientListBySubscriptionResponse) []*armkeyvault.Vault { return p.Value })
	if len(byGroup) != 2 || pages != 2 || len(bySubscription) != 2 || *byGroup[1].Properties.EnableRbacAuthorization {
		t.Errorf("got %d on %d pages and %d", len(byGroup), pages, len(bySubscription))
	}
	find := func(token, filter string) string {
		return f.call(http.MethodGet, armPath("/subscriptions/"+subscriptionID+"/resources", "2021-04-01")+"&$filter="+strings.ReplaceAll(filter, " ", "%20"), token, "").body
	}
	operator := f.armToken(operatorID, armScope)
	if body := find(operator, "resourceType eq 'Microsoft.KeyVault/vaults' and name eq 'policy-vault'"); !strings.Contains(body, `"id":"`+policyVaultID+`"`) || strings.Contains(body, vaultID) {
		t.Errorf("by type and name: got %s", body)
	}
	if body := find(operator, "name eq 'edge'"); !strings.Contains(body, clusterID) {
		t.Errorf("by name: got %s", body)
	}
	if body := find(f.identityForARM(), "name eq 'edge'"); body != `{"value":[]}` {
		t.Errorf("without a right to read: got %s", body)
	}
}

func TestSubscriptionsAndGroups(t *testing.T) {
	f := startARM(t, true, state.ManagementSettings{})
	for _, tc := range []struct{ reason, token, id, contains, lacks string }{
		{"the owner's", f.armToken(operatorID, armScope), "/subscriptions", `"displayName":"Shop"`, ""},
		{"nobody's", f.identityForARM(), "/subscriptions", `{"value":[]}`, ""},
		{"one", f.armToken(operatorID, armScope), "/subscriptions/" + subscriptionID, `"tenantId":"` + tenantID + `"`, ""},
		{"its groups", f.armToken(operatorID, armScope), "/subscriptions/" + subscriptionID + "/resourcegroups", `"name":"empty"`, ""},
		{"those that may be read", f.armToken(readerID, armScope), "/subscriptions/" + subscriptionID + "/resourcegroups", `"name":"rg"`, "empty"},
		{"one group", f.armToken(readerID, armScope), groupID, `"provisioningState":"Succeeded"`, ""},
	} {
		r := f.call(http.MethodGet, armPath(tc.id, "2021-04-01"), tc.token, "")
		if r.status != 200 || !strings.Contains(r.body, tc.contains) || (tc.lacks != "" && strings.Contains(r.body, tc.lacks)) {
			t.Errorf("%s: got %d %s", tc.reason, r.status, r.body)
		}
	}
}

func TestClustersTellTheirIssuer(t *testing.T) {
	f := startARM(t, true, state.ManagementSettings{})
	token := f.armToken(readerID, armScope)
	properties := func(version string) map[string]any {
		r := f.call(http.MethodGet, armPath(clusterID, version), token, "")
		p, _ := r.json(t)["properties"].(map[string]any)
		return p
	}
	want := map[string]any{"enabled": true, "issuerUrl": f.issuer.URL + "/"}
	if diff := cmp.Diff(want, properties("2024-12-01-preview")["oidcIssuerProfile"]); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	if diff := cmp.Diff(map[string]any{"workloadIdentity": map[string]any{"enabled": true}}, properties("2024-12-01-preview")["securityProfile"]); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	old := properties("2024-01-01")
	if _, has := old["oidcIssuerProfile"]; has || old["connectivityStatus"] != "Connected" {
		t.Errorf("a version from before the profiles: got %v", old)
	}
	if err := f.State().SetIssuer(clusterID, "https://other/", false); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]any{"enabled": true, "issuerUrl": "https://other/"}, properties("2024-12-01-preview")["oidcIssuerProfile"]); diff != "" {
		t.Errorf("changed: -want +got\n%s", diff)
	}
	if list := f.call(http.MethodGet, armPath(groupID+"/providers/Microsoft.Kubernetes/connectedClusters", "2024-01-01"), token, "").body; !strings.Contains(list, clusterID) {
		t.Errorf("listed: got %s", list)
	}
}

// TestExtensionsComeAndGo: by long-running operations, which the SDK's pollers follow.
func TestExtensionsComeAndGo(t *testing.T) {
	f := startARM(t, false, state.ManagementSettings{OperationMilliseconds: 50, PageSize: 1})
	client := f.extensions()
	at := []string{"Microsoft.Kubernetes", "connectedClusters", "edge"}
	polling := &runtime.PollUntilDoneOptions{Frequency: time.Millisecond}
	existing, err := client.Get(t.Context(), "rg", at[0], at[1], at[2], "akvsecretsprovider", nil)
	if err != nil || *existing.Properties.ExtensionType != "microsoft.azurekeyvaultsecretsprovider" || *existing.Properties.CurrentVersion != "1.7.2" ||
		*existing.Properties.Scope.Cluster.ReleaseNamespace != "kube-system" || *existing.Properties.ConfigurationSettings["secrets-store-csi-driver.syncSecret.enabled"] != "true" {
		t.Errorf("the seeded one: got %+v, %v", existing.Properties, err)
	}
	wanted := armkubernetesconfiguration.Extension{Properties: &armkubernetesconfiguration.ExtensionProperties{
		ExtensionType: to.Ptr("microsoft.azure.secretstore"), ReleaseTrain: to.Ptr("preview"), AutoUpgradeMinorVersion: to.Ptr(false), Version: to.Ptr("1.2.3"),
		Scope:                          &armkubernetesconfiguration.Scope{Cluster: &armkubernetesconfiguration.ScopeCluster{ReleaseNamespace: to.Ptr("azure-secret-store")}},
		ConfigurationSettings:          map[string]*string{"rotationPollIntervalInSeconds": to.Ptr("3600")},
		ConfigurationProtectedSettings: map[string]*string{"token": to.Ptr("canary-protected")},
	}}
	creating, err := client.BeginCreate(t.Context(), "rg", at[0], at[1], at[2], "ssarcextension", wanted, nil)
	if err != nil {
		t.Fatal(err)
	}
	_, err = client.BeginCreate(t.Context(), "rg", at[0], at[1], at[2], "ssarcextension", wanted, nil)
	refused(t, "meanwhile", err, 409, "OperationInProgress")
	made, err := creating.PollUntilDone(t.Context(), polling)
	if err != nil || *made.Properties.ProvisioningState != "Succeeded" || *made.Properties.Version != "1.2.3" || *made.Properties.ReleaseTrain != "preview" {
		t.Fatalf("made: got %+v, %v", made.Properties, err)
	}
	if len(made.Properties.ConfigurationProtectedSettings) != 0 {
		t.Error("protected settings are told")
	}
	names := func() (names []string) {
		all, _ := collect(t, client.NewListPager("rg", at[0], at[1], at[2], nil), func(p armkubernetesconfiguration.ExtensionsClientListResponse) []*armkubernetesconfiguration.Extension {
			return p.Value
		})
		for _, e := range all {
			names = append(names, *e.Name)
		}
		return names
	}
	if diff := cmp.Diff([]string{"akvsecretsprovider", "ssarcextension"}, names()); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	deleting, err := client.BeginDelete(t.Context(), "rg", at[0], at[1], at[2], "akvsecretsprovider", nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := deleting.PollUntilDone(t.Context(), polling); err != nil {
		t.Errorf("deleted: %v", err)
	}
	if diff := cmp.Diff([]string{"ssarcextension"}, names()); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	if err := f.State().SetManagementSettings(state.ManagementSettings{OperationFailure: "the agent is away"}); err != nil {
		t.Fatal(err)
	}
	deleting, err = client.BeginDelete(t.Context(), "rg", at[0], at[1], at[2], "ssarcextension", nil)
	if err == nil {
		_, err = deleting.PollUntilDone(t.Context(), polling)
	}
	if err == nil || !strings.Contains(err.Error(), "the agent is away") {
		t.Errorf("a deletion that fails: %v", err)
	}
	if diff := cmp.Diff([]string{"ssarcextension"}, names()); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

// TestOperationsAreFollowed: step by step, with the headers that tell where and when to look.
func TestOperationsAreFollowed(t *testing.T) {
	f := startARM(t, true, state.ManagementSettings{OperationMilliseconds: 5000, RetryAfterSeconds: 3})
	token := f.armToken(operatorID, armScope)
	extension := armPath(clusterID+"/providers/Microsoft.KubernetesConfiguration/extensions/akvsecretsprovider", "2023-05-01")
	deleting := f.call(http.MethodDelete, extension, token, "")
	link := deleting.header.Get("Azure-AsyncOperation")
	if deleting.status != 202 || link == "" || link != deleting.header.Get("Location") || deleting.header.Get("Retry-After") != "3" {
		t.Fatalf("got %d %v", deleting.status, deleting.header)
	}
	status := func() any { return f.call(http.MethodGet, link, token, "").json(t)["status"] }
	if got := status(); got != "Deleting" {
		t.Errorf("at first: got %v", got)
	}
	if body := f.call(http.MethodGet, extension, token, "").body; !strings.Contains(body, `"provisioningState":"Deleting"`) {
		t.Errorf("at first: got %s", body)
	}
	f.clock.Step(5 * time.Second)
	if got := status(); got != "Succeeded" {
		t.Errorf("at last: got %v", got)
	}
	f.expect(t, "at last", http.MethodGet, extension, token, "", 404, "ResourceNotFound")
	created := f.call(http.MethodPut, extension, token, `{"properties":{"extensionType":"x"}}`)
	if created.status != 201 || created.header.Get("Azure-AsyncOperation") == "" || !strings.Contains(created.body, `"provisioningState":"Creating"`) {
		t.Errorf("got %d %s", created.status, created.body)
	}
}

func TestManagementIsAdministered(t *testing.T) {
	f := startARM(t, true, state.ManagementSettings{PageSize: 3})
	own := "https://" + f.Addr() + "/admin/management"
	if r := f.call(http.MethodGet, own, "", ""); r.body != `{"pageSize":3}` {
		t.Errorf("got %s", r.body)
	}
	if r := f.call(http.MethodPut, own, "", `{"rolePropagationSeconds":5}`); r.status != 204 || f.State().ManagementSettings().RolePropagationSeconds != 5 {
		t.Errorf("got %d %s", r.status, r.body)
	}
	if r := f.call(http.MethodPut, own, "", `{"pageSize":-1}`); r.status != 400 || !strings.Contains(r.body, "must not be negative") {
		t.Errorf("got %d %s", r.status, r.body)
	}
}
