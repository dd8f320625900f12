package emulator_test

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/authorization/armauthorization/v2"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/keyvault/armkeyvault"
	"github.com/google/go-cmp/cmp"

	"secretstore/internal/emulator/state"
)

func TestRoleAssignments(t *testing.T) {
	f := startARM(t, true, state.ManagementSettings{PageSize: 2, PrincipalPropagationSeconds: 30})
	_, objectID := f.newIdentity("new-identity")
	client := f.authorization().NewRoleAssignmentsClient()
	const name, group = "00000000-0000-0000-0000-00000000000a", "00000000-0000-0000-0000-00000000000b"
	untyped := armauthorization.RoleAssignmentCreateParameters{Properties: &armauthorization.RoleAssignmentProperties{
		PrincipalID: new(objectID), RoleDefinitionID: new("/providers/Microsoft.Authorization/roleDefinitions/" + secretsUserID),
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
			Filter: new(url.PathEscape(filter)), // this client sends it as it is given
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
	named := list(&armauthorization.RoleDefinitionsClientListOptions{Filter: new("roleName eq 'Key Vault Secrets User'")})
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

// TestContributorsGiveNoRoles: they may change what there is, but not who may.
func TestContributorsGiveNoRoles(t *testing.T) {
	f := startARM(t, true, state.ManagementSettings{})
	const name = "00000000-0000-0000-0000-00000000000c"
	if err := f.assign(groupID, name, "44444444-aaaa-bbbb-cccc-555555555555", "b24988ac-6180-42a0-ab88-20f7382dd24c"); err != nil {
		t.Fatal(err)
	}
	contributor := f.armToken(readerID, armScope)
	identity := armPath(groupID+"/providers/Microsoft.ManagedIdentity/userAssignedIdentities/new", "2023-01-31")
	assignment := armPath(vaultID+"/providers/Microsoft.Authorization/roleAssignments/"+name, "2022-04-01")
	f.expect(t, "a resource", http.MethodPut, identity, contributor, `{"location":"westeurope"}`, 201, "")
	f.expect(t, "a role", http.MethodPut, assignment, contributor, "{}", 403, "AuthorizationFailed")
	f.expect(t, "no role", http.MethodDelete, assignment, contributor, "", 403, "AuthorizationFailed")
}
