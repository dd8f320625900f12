// Package arm reads and writes what a migration needs in Azure: managed identities and their federated credentials, role
// assignments and access policies, vaults, the Arc-enabled cluster with its issuer and extensions, and service principals of
// Microsoft Graph.
//
// It is a thin client over azcore's own for Azure Resource Manager (docs/decisions/0060): one place that sends, pages, retries
// and explains, and a few lines for each operation.
//
// Promises: what is there as wanted is left alone, and the operation says that it did nothing; what is there otherwise is never
// overwritten, but is an error; 429 and 5xx are retried by azcore's policy alone, within bounds; errors name the thing, the
// place, Azure's code and the cure, and hold neither tokens nor answers that nobody understood.
package arm
