package emulator_test

import (
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/keyvault/armkeyvault"

	"secretstore/internal/emulator/state"
)

const ownSubject = "system:serviceaccount:new:new"

// TestAnIdentityIsOneForAllServices: what Azure Resource Manager makes, Entra lets in and Key Vault lets read, and no longer once
// it is deleted.
func TestAnIdentityIsOneForAllServices(t *testing.T) {
	f := startARM(t, true, state.ManagementSettings{})
	clientID, objectID := f.newIdentity("new-identity")
	if _, code := f.exchange(clientID, ownSubject); code != 70025 {
		t.Errorf("without a credential: got AADSTS%d, want 70025", code)
	}
	if err := f.federate(t.Context(), "new-identity", "cluster", ownSubject); err != nil {
		t.Fatal(err)
	}
	token, code := f.exchange(clientID, ownSubject)
	if code != 0 {
		t.Fatalf("with the credential: got AADSTS%d", code)
	}
	if status, code := f.read("my-key-vault", token); status != 403 || code != "ForbiddenByRbac" {
		t.Errorf("without a role: got %d %s", status, code)
	}
	const name = "00000000-0000-0000-0000-00000000000a"
	if err := f.assign(vaultID, name, objectID, secretsUserID); err != nil {
		t.Fatal(err)
	}
	if status, code := f.read("my-key-vault", token); status != 200 {
		t.Errorf("with the role: got %d %s", status, code)
	}
	if _, err := f.authorization().NewRoleAssignmentsClient().Delete(t.Context(), vaultID, name, nil); err != nil {
		t.Fatal(err)
	}
	if status, code := f.read("my-key-vault", token); status != 403 || code != "ForbiddenByRbac" {
		t.Errorf("without the role again: got %d %s", status, code)
	}
	if _, err := f.msi().NewFederatedIdentityCredentialsClient().Delete(t.Context(), "rg", "new-identity", "cluster", nil); err != nil {
		t.Fatal(err)
	}
	if _, code := f.exchange(clientID, ownSubject); code != 70025 {
		t.Errorf("without the credential again: got AADSTS%d, want 70025", code)
	}
	if _, err := f.msi().NewUserAssignedIdentitiesClient().Delete(t.Context(), "rg", "new-identity", nil); err != nil {
		t.Fatal(err)
	}
	if _, code := f.exchange(clientID, ownSubject); code != 700016 {
		t.Errorf("without the identity: got AADSTS%d, want 700016", code)
	}
}

// TestRolesHoldBelowTheirScope: a role on the group, the subscription or one secret lets that much be read.
func TestRolesHoldBelowTheirScope(t *testing.T) {
	for name, tc := range map[string]struct {
		reason, scope string
		status        int
	}{
		"subscription":   {"the vault is in it", "/subscriptions/" + subscriptionID, 200},
		"group":          {"the vault is in it, whatever the letter case", "/subscriptions/" + subscriptionID + "/resourcegroups/RG", 200},
		"secret":         {"it is the one", vaultID + "/secrets/my-secret", 200},
		"another secret": {"it is another", vaultID + "/secrets/my-secret2", 403},
		"longer name":    {"the scope's is only its beginning", vaultID + "/secrets/my", 403},
		"another group":  {"it is beside it", "/subscriptions/" + subscriptionID + "/resourceGroups/empty", 403},
	} {
		t.Run(name, func(t *testing.T) {
			f := startARM(t, true, state.ManagementSettings{})
			clientID, objectID := f.newIdentity("new-identity")
			if err := f.federate(t.Context(), "new-identity", "cluster", ownSubject); err != nil {
				t.Fatal(err)
			}
			if err := f.assign(tc.scope, "00000000-0000-0000-0000-00000000000a", objectID, secretsUserID); err != nil {
				t.Fatal(err)
			}
			token, _ := f.exchange(clientID, ownSubject)
			if status, code := f.read("my-key-vault", token); status != tc.status {
				t.Errorf("%s: got %d %s, want %d", tc.reason, status, code, tc.status)
			}
		})
	}
}

// TestChangesPropagate: by the clock of the services, what is written begins to work late, and what is deleted ends late.
func TestChangesPropagate(t *testing.T) {
	f := startARM(t, true, state.ManagementSettings{CredentialPropagationSeconds: 60, RolePropagationSeconds: 600})
	clientID, objectID := f.newIdentity("new-identity")
	if err := f.federate(t.Context(), "new-identity", "cluster", ownSubject); err != nil {
		t.Fatal(err)
	}
	const name = "00000000-0000-0000-0000-00000000000a"
	if err := f.assign(vaultID, name, objectID, secretsUserID); err != nil {
		t.Fatal(err)
	}
	exchange := func(reason string, want int) string {
		t.Helper()
		token, code := f.exchange(clientID, ownSubject)
		if code != want {
			t.Errorf("%s: got AADSTS%d, want %d", reason, code, want)
		}
		return token
	}
	read := func(reason, token string, want int) {
		t.Helper()
		if status, code := f.read("my-key-vault", token); status != want || (want == 403 && code != "ForbiddenByRbac") {
			t.Errorf("%s: got %d %s, want %d", reason, status, code, want)
		}
	}
	exchange("a credential just written", 70021)
	f.clock.Step(59 * time.Second)
	exchange("a second too early", 70021)
	f.clock.Step(time.Second)
	token := exchange("propagated", 0)
	read("a role just given", token, 403)
	if err := f.federate(t.Context(), "new-identity", "cluster", ownSubject); err != nil {
		t.Fatal(err)
	}
	exchange("written again as it is", 0)
	f.clock.Step(540 * time.Second)
	read("propagated", token, 200)

	if _, err := f.authorization().NewRoleAssignmentsClient().Delete(t.Context(), vaultID, name, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := f.msi().NewFederatedIdentityCredentialsClient().Delete(t.Context(), "rg", "new-identity", "cluster", nil); err != nil {
		t.Fatal(err)
	}
	exchange("a credential just deleted", 0)
	f.clock.Step(60 * time.Second)
	exchange("its end propagated", 70025)
	read("a role just taken", token, 200)
	f.clock.Step(540 * time.Second)
	read("its end propagated", token, 403)
}

// TestAccessPoliciesAreEnforced: they are added to, replaced and removed principal by principal.
func TestAccessPoliciesAreEnforced(t *testing.T) {
	f := startARM(t, true, state.ManagementSettings{})
	clientID, objectID := f.newIdentity("new-identity")
	if err := f.federate(t.Context(), "new-identity", "cluster", ownSubject); err != nil {
		t.Fatal(err)
	}
	token, _ := f.exchange(clientID, ownSubject)
	vaults := made(armkeyvault.NewVaultsClient(subscriptionID, f.credential(operatorID), f.armOptions()))
	change := func(kind armkeyvault.AccessPolicyUpdateKind, permissions ...armkeyvault.SecretPermissions) {
		t.Helper()
		entry := armkeyvault.AccessPolicyEntry{TenantID: new(tenantID), ObjectID: new(objectID), Permissions: &armkeyvault.Permissions{}}
		for _, p := range permissions {
			entry.Permissions.Secrets = append(entry.Permissions.Secrets, new(p))
		}
		_, err := vaults.UpdateAccessPolicy(t.Context(), "rg", "policy-vault", kind, armkeyvault.VaultAccessPolicyParameters{
			Properties: &armkeyvault.VaultAccessPolicyProperties{AccessPolicies: []*armkeyvault.AccessPolicyEntry{&entry}},
		}, nil)
		if err != nil {
			t.Fatalf("%s: %v", kind, err)
		}
	}
	expect := func(reason string, status, policies int) {
		t.Helper()
		if got, code := f.read("policy-vault", token); got != status || (status == 403 && code != "AccessDenied") {
			t.Errorf("%s: got %d %s, want %d", reason, got, code, status)
		}
		vault, err := vaults.Get(t.Context(), "rg", "policy-vault", nil)
		if err != nil || len(vault.Properties.AccessPolicies) != policies {
			t.Errorf("%s: got %d policies and %v, want %d", reason, len(vault.Properties.AccessPolicies), err, policies)
		}
	}
	expect("at first", 403, 1)
	change(armkeyvault.AccessPolicyUpdateKindAdd, "list")
	expect("list alone", 403, 2)
	change(armkeyvault.AccessPolicyUpdateKindAdd, "Get")
	expect("get added to list", 200, 2)
	change(armkeyvault.AccessPolicyUpdateKindReplace, "list")
	expect("replaced by list, the other principal's left alone", 403, 2)
	change(armkeyvault.AccessPolicyUpdateKindAdd, "get")
	expect("get again", 200, 2)
	change(armkeyvault.AccessPolicyUpdateKindRemove, "get")
	expect("get removed", 403, 2)
	change(armkeyvault.AccessPolicyUpdateKindRemove, "list")
	expect("nothing left, so no policy", 403, 1)
}
