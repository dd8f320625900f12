// The SDK for JavaScript against the emulator, under Azure's true names: HTTPS_PROXY leads to it, NODE_EXTRA_CA_CERTS has the
// SDK trust it, and nothing of the SDK is replaced. ../js_test.go sets both, and the variables below.
import assert from "node:assert/strict";
import { test } from "node:test";
import { ClientAssertionCredential, ClientSecretCredential } from "@azure/identity";
import { CertificateClient } from "@azure/keyvault-certificates";
import { KeyClient } from "@azure/keyvault-keys";
import { SecretClient } from "@azure/keyvault-secrets";

const { TENANT_ID, IDENTITY_ID, OPERATOR_ID, OPERATOR_PASSWORD, VAULT_URL, ASSERTION, FOREIGN_ASSERTION } = process.env;

const options = { retryOptions: { maxRetries: 0 } };
const polling = { intervalInMs: 1 };
const operator = () => new ClientSecretCredential(TENANT_ID, OPERATOR_ID, OPERATOR_PASSWORD, options);
const identity = (assertion) => new ClientAssertionCredential(TENANT_ID, IDENTITY_ID, async () => assertion, options);
const secretsOf = (credential) => new SecretClient(VAULT_URL, credential, options);

async function collect(pages) {
  const items = [];
  for await (const item of pages) items.push(item);
  return items;
}

test("a federated identity reads a secret, and may not write", async () => {
  const client = secretsOf(identity(ASSERTION));
  const secret = await client.getSecret("seeded");
  assert.equal(secret.value, "a seeded value");
  assert.equal(secret.properties.enabled, true);
  assert.match(secret.properties.version, /^[0-9a-f]{32}$/);
  await assert.rejects(client.setSecret("seeded", "x"), (e) => {
    assert.equal(e.statusCode, 403);
    assert.equal(e.code, "Forbidden");
    assert.match(e.message, /^Caller is not authorized to perform action on resource\./);
    return true;
  });
});

test("Entra's refusals reach the client", async () => {
  const refused = (code) => (e) => {
    assert.match(e.message, new RegExp(`invalid_client.*${code}: `));
    return true;
  };
  await assert.rejects(secretsOf(identity(FOREIGN_ASSERTION)).getSecret("seeded"), refused("AADSTS700213"));
  const wrong = new ClientSecretCredential(TENANT_ID, OPERATOR_ID, "wrong", options);
  await assert.rejects(secretsOf(wrong).getSecret("seeded"), refused("AADSTS7000215"));
});

test("a secret is set, disabled, deleted, recovered and purged", async () => {
  const client = secretsOf(operator());
  const first = await client.setSecret("rotating", "one", { contentType: "text/plain", tags: { team: "shop" } });
  const second = await client.setSecret("rotating", "two");
  assert.equal((await client.getSecret("rotating")).value, "two");
  const old = await client.getSecret("rotating", { version: first.properties.version });
  assert.equal(old.value, "one");
  assert.deepEqual(old.properties.tags, { team: "shop" });

  const disabled = await client.updateSecretProperties("rotating", second.properties.version, { enabled: false });
  assert.equal(disabled.enabled, false);
  await assert.rejects(client.getSecret("rotating"), { statusCode: 403, code: "Forbidden" });
  const versions = await collect(client.listPropertiesOfSecretVersions("rotating"));
  assert.deepEqual(
    new Map(versions.map((v) => [v.version, v.enabled])).get(first.properties.version), true);
  assert.equal(versions.length, 2);
  assert.equal((await collect(client.listPropertiesOfSecretVersions("never-made"))).length, 0);

  const deleted = await (await client.beginDeleteSecret("rotating", polling)).pollUntilDone();
  assert.ok(deleted.properties.scheduledPurgeDate > deleted.properties.deletedOn);
  await assert.rejects(client.getSecret("rotating"), { statusCode: 404, code: "SecretNotFound" });
  await assert.rejects(client.setSecret("rotating", "x"), { statusCode: 409, code: "Conflict" });
  await (await client.beginRecoverDeletedSecret("rotating", polling)).pollUntilDone();
  assert.equal((await client.getSecret("rotating", { version: first.properties.version })).value, "one");

  await (await client.beginDeleteSecret("rotating", polling)).pollUntilDone();
  assert.ok((await collect(client.listDeletedSecrets())).some((s) => s.name === "rotating"));
  await client.purgeDeletedSecret("rotating");
  await assert.rejects(client.getDeletedSecret("rotating"), { statusCode: 404 });
});

test("several clients page through a list at once", async () => {
  const credential = operator();
  const names = Array.from({ length: 60 }, (_, i) => `paged-${String(i).padStart(2, "0")}`);
  for (const name of names) await secretsOf(credential).setSecret(name, "x");
  await Promise.all(Array.from({ length: 6 }, async () => {
    const listed = await collect(secretsOf(credential).listPropertiesOfSecrets());
    assert.deepEqual(listed.map((s) => s.name).filter((n) => n.startsWith("paged-")), names);
    assert.equal(listed.find((s) => s.name === "seeded-certificate").managed, true);
    assert.ok(listed.every((s) => s.version === undefined));
  }));
  const pages = [];
  for await (const page of secretsOf(credential).listPropertiesOfSecrets().byPage({ maxPageSize: 20 })) pages.push(page.length);
  assert.ok(pages.every((n) => n <= 20) && pages.length >= 4);
});

test("a certificate is created, imported, listed and deleted", async () => {
  const client = new CertificateClient(VAULT_URL, operator(), options);
  const policy = {
    issuerName: "Self", subject: "CN=made.example", contentType: "application/x-pem-file", keyType: "EC", keyCurveName: "P-256",
  };
  const made = await (await client.beginCreateCertificate("made", policy, polling)).pollUntilDone();
  assert.equal(made.policy.subject, "CN=made.example");
  const { value, properties } = await secretsOf(operator()).getSecret("made", { version: made.properties.version });
  assert.equal(properties.contentType, "application/x-pem-file");
  assert.equal(properties.certificateKeyId.href ?? properties.certificateKeyId, made.keyId);

  const imported = await client.importCertificate("imported", Buffer.from(value), {
    policy: { contentType: "application/x-pem-file", issuerName: "Unknown", subject: "CN=made.example" },
  });
  assert.deepEqual(Buffer.from(imported.cer), Buffer.from(made.cer));
  assert.equal((await secretsOf(operator()).getSecret("imported")).value, value);

  const listed = await collect(client.listPropertiesOfCertificates());
  assert.deepEqual(listed.map((c) => c.name), ["imported", "made", "seeded-certificate"]);
  await client.updateCertificateProperties("made", made.properties.version, { enabled: false });
  await assert.rejects(secretsOf(operator()).getSecret("made"), { statusCode: 403 });

  await (await client.beginDeleteCertificate("made", polling)).pollUntilDone();
  await assert.rejects(client.getCertificate("made"), { statusCode: 404, code: "CertificateNotFound" });
  await (await client.beginRecoverDeletedCertificate("made", polling)).pollUntilDone();
  assert.equal((await client.getCertificate("made")).name, "made");
});

test("keys are created, read, listed and deleted", async () => {
  const client = new KeyClient(VAULT_URL, operator(), options);
  assert.equal((await client.getKey("seeded-key")).keyType, "EC-HSM");
  const created = await client.createRsaKey("created", { keySize: 2048 });
  assert.equal(created.key.n.length, 256);
  const curve = await client.createEcKey("curve", { curve: "P-384" });
  assert.equal(curve.key.x.length, 48);
  assert.equal((await client.getKey("seeded-certificate")).properties.managed, true);
  const listed = await collect(client.listPropertiesOfKeys());
  assert.ok(["created", "curve", "seeded-key"].every((name) => listed.some((k) => k.name === name)));
  await (await client.beginDeleteKey("created", polling)).pollUntilDone();
  await assert.rejects(client.getKey("created"), { statusCode: 404, code: "KeyNotFound" });
});
