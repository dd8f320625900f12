// Package entra imitates Microsoft Entra ID as far as a client needs it that has no user: discovery, signing keys, and the
// token endpoint for client credentials, proved by a client secret or by a federated assertion.
//
// An assertion is checked as Entra checks it: against the federated credentials of the client, letter by letter, and with the
// issuer's own keys, fetched from its discovery document. Only issuers that a credential of that client names are fetched.
// What is wrong is told in this order, which decides what a client with several faults hears:
//
//	tenant (90002), parameters (900144), grant type (70003), client (700016), scope's form (1002012), proof missing (7000216),
//	then for an assertion: form (50027), any credentials at all (70025), issuer (700211), propagation (70021), issuer's
//	metadata (90061), signing key (7000272), signature (700027), subject (700213, 7002138), audience (700212), time (700024),
//	for a secret: value (7000215), expiry (7000222),
//	and at last the resource (500011).
//
// The order is a plausible one: captures show single faults only. Access tokens are JWTs of version 1, signed with a key that
// lives as long as the Service; the vaults verify them with Keys.
package entra
