package emulator_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

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
