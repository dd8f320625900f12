// Package vault imitates one key vault's data plane: secrets, keys and certificates over HTTP.
//
// A request is checked in this order: token (401), network (403), api-version (400), route (404), permission (403), name
// (400), and then the object itself (404, 403 for a disabled secret, 409). Bodies, codes and texts are those that were
// captured or documented of Azure; where neither exists, the text says the truth in the same form and is marked in the
// source with "no capture".
//
// What it leaves out, it answers as an unknown route: backups, restoring, cryptography, certificate issuers and contacts,
// rotation policies, merging of outside certificates.
package vault
