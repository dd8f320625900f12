// Azure Resource Manager's clients of the SDK for JavaScript against the emulator, as in sdk.test.mjs: nothing of the SDK is
// replaced.
import assert from "node:assert/strict";
import { test } from "node:test";
import { AuthorizationManagementClient } from "@azure/arm-authorization";
import { KeyVaultManagementClient } from "@azure/arm-keyvault";
import { SourceControlConfigurationClient } from "@azure/arm-kubernetesconfiguration";
import { ManagedServiceIdentityClient } from "@azure/arm-msi";
import { ClientAssertionCredential, ClientSecretCredential } from "@azure/identity";
import { SecretClient } from "@azure/keyvault-secrets";

const {
  TENANT_ID, IDENTITY_ID, OPERATOR_ID, OPERATOR_PASSWORD, SUBSCRIPTION_ID, VAULT_URL,
  ASSERTION, ASSERTION_ISSUER, ASSERTION_SUBJECT,
} = process.env;

const options = { retryOptions: { maxRetries: 0 } };
const operator = new ClientSecretCredential(TENANT_ID, OPERATOR_ID, OPERATOR_PASSWORD, options);
const stranger = new ClientAssertionCredential(TENANT_ID, IDENTITY_ID, async () => ASSERTION, options);
const msi = new ManagedServiceIdentityClient(operator, SUBSCRIPTION_ID, options);
const authorization = new AuthorizationManagementClient(operator, SUBSCRIPTION_ID, options);
const vaults = (credential = operator) => new KeyVaultManagementClient(credential, SUBSCRIPTION_ID, options).vaults;
const { extensions } = new SourceControlConfigurationClient(operator, SUBSCRIPTION_ID, options);

const group = "shop";
const vaultID = `/subscriptions/${SUBSCRIPTION_ID}/resourceGroups/${group}/providers/Microsoft.KeyVault/vaults/my-key-vault`;
const credential = { issuer: ASSERTION_ISSUER, subject: ASSERTION_SUBJECT, audiences: ["api://AzureADTokenExchange"] };

async function collect(pages) {
  const items = [];
  for await (const item of pages) items.push(item);
  return items;
}

async function roleNamed(name) {
  const [role, ...others] = await collect(authorization.roleDefinitions.list(vaultID, { filter: `roleName eq '${name}'` }));
  assert.equal(others.length, 0);
  assert.equal(role.roleName, name);
  return role;
}

test("an identity is made, federated, given a role, used and taken away", async () => {
  const made = await msi.userAssignedIdentities.createOrUpdate(group, "made", { location: "westeurope", tags: { team: "shop" } });
  assert.equal(made.tenantId, TENANT_ID);
  assert.equal(made.type, "Microsoft.ManagedIdentity/userAssignedIdentities");
  assert.deepEqual(await msi.userAssignedIdentities.get(group, "made"), made);
  await msi.federatedIdentityCredentials.createOrUpdate(group, "made", "cluster", credential);
  const [listed] = await collect(msi.federatedIdentityCredentials.list(group, "made"));
  assert.equal(listed.subject, ASSERTION_SUBJECT);
  assert.deepEqual(listed.audiences, credential.audiences);

  const identity = new ClientAssertionCredential(TENANT_ID, made.clientId, async () => ASSERTION, options);
  const secrets = new SecretClient(VAULT_URL, identity, options);
  await assert.rejects(secrets.getSecret("seeded"), { statusCode: 403, code: "Forbidden" });
  const role = await roleNamed("Key Vault Secrets User");
  const name = "00000000-0000-0000-0000-00000000000a";
  const parameters = { principalId: made.principalId, principalType: "ServicePrincipal", roleDefinitionId: role.id };
  const assignment = await authorization.roleAssignments.create(vaultID, name, parameters);
  assert.equal(assignment.scope, vaultID);
  assert.ok(assignment.createdOn instanceof Date);
  await assert.rejects(
    authorization.roleAssignments.create(vaultID, "00000000-0000-0000-0000-00000000000b", parameters),
    { statusCode: 409, code: "RoleAssignmentExists" });
  const filter = `principalId eq '${made.principalId}'`;
  const assigned = await collect(authorization.roleAssignments.listForScope(vaultID, { filter }));
  assert.deepEqual(assigned.map((a) => a.name), [name]);
  assert.equal((await secrets.getSecret("seeded")).value, "a seeded value");

  await authorization.roleAssignments.delete(vaultID, name);
  await assert.rejects(secrets.getSecret("seeded"), { statusCode: 403 });
  await msi.federatedIdentityCredentials.delete(group, "made", "cluster");
  await msi.userAssignedIdentities.delete(group, "made");
  await assert.rejects(msi.userAssignedIdentities.get(group, "made"), { statusCode: 404, code: "ResourceNotFound" });
});

test("lists come page by page", async () => {
  const names = ["page-a", "page-b", "page-c", "page-d", "page-e"];
  for (const name of names) await msi.userAssignedIdentities.createOrUpdate(group, name, { location: "westeurope" });
  const pages = [];
  for await (const page of msi.userAssignedIdentities.listByResourceGroup(group).byPage()) pages.push(page.map((i) => i.name));
  assert.ok(pages.length > 1);
  assert.deepEqual(pages.flat().filter((n) => n.startsWith("page-")), names);
  const all = await collect(msi.userAssignedIdentities.listBySubscription());
  assert.deepEqual(all.map((i) => i.name), pages.flat());
  assert.ok((await collect(authorization.roleDefinitions.list(vaultID))).length > 10);
});

test("vaults are read, and their access policies changed", async () => {
  const vault = await vaults().get(group, "policy-vault");
  assert.equal(vault.properties.enableRbacAuthorization, false);
  assert.equal(vault.properties.tenantId, TENANT_ID);
  assert.deepEqual((await collect(vaults().listBySubscription())).map((v) => v.name), ["my-key-vault", "policy-vault"]);
  const objectId = (await msi.userAssignedIdentities.createOrUpdate(group, "reads", { location: "westeurope" })).principalId;
  const change = async (kind, secrets) => {
    const entry = { tenantId: TENANT_ID, objectId, permissions: { secrets } };
    const changed = await vaults().updateAccessPolicy(group, "policy-vault", kind, { properties: { accessPolicies: [entry] } });
    return changed.properties.accessPolicies.find((p) => p.objectId === objectId)?.permissions.secrets;
  };
  assert.deepEqual(await change("add", ["get"]), ["get"]);
  assert.deepEqual(await change("add", ["list"]), ["get", "list"]);
  assert.deepEqual(await change("remove", ["get", "list"]), undefined);
  await assert.rejects(vaults().get(group, "nothing"), { statusCode: 404, code: "ResourceNotFound" });
  await assert.rejects(vaults(stranger).get(group, "policy-vault"), { statusCode: 403, code: "AuthorizationFailed" });
});

test("extensions are installed and removed by operations that are followed", async () => {
  const at = [group, "Microsoft.Kubernetes", "connectedClusters", "edge"];
  const [seeded] = await collect(extensions.list(...at));
  assert.equal(seeded.extensionType, "microsoft.azurekeyvaultsecretsprovider");
  const polling = { updateIntervalInMs: 1 };
  const created = await extensions.beginCreateAndWait(...at, "ssarcextension", {
    extensionType: "Microsoft.Azure.SecretStore", releaseTrain: "preview", configurationSettings: { a: "b" },
    scope: { cluster: { releaseNamespace: "azure-secret-store" } },
  }, polling);
  assert.equal(created.provisioningState, "Succeeded");
  assert.equal(created.extensionType, "microsoft.azure.secretstore");
  assert.deepEqual(created.configurationSettings, { a: "b" });
  await extensions.beginDeleteAndWait(...at, "akvsecretsprovider", polling);
  assert.deepEqual((await collect(extensions.list(...at))).map((e) => e.name), ["ssarcextension"]);
  await assert.rejects(extensions.get(...at, "akvsecretsprovider"), { statusCode: 404, code: "ResourceNotFound" });
});
