// Package entra exchanges a service account's short-lived token for an access token of Microsoft Entra, by workload
// identity federation: nothing long-lived is stored, and nothing secret is configured.
//
// A [Cloud] says where Entra and the vaults are. A [Credential] stands for one identity; it keeps the access token in
// memory until shortly before it expires. What Entra refuses comes back as a fault that says which part of the
// federation does not fit and how to mend it, told by Entra's own code and never by its sentence, which changes.
package entra
