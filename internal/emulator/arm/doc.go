// Package arm imitates Azure Resource Manager, management.azure.com: managed identities and their federated credentials, role
// assignments and definitions, key vaults and their access policies, Arc-enabled clusters and their extensions, and the
// subscriptions and groups that these are in.
//
// It is one truth with the other services, for all of them read the same state: an identity that is made here is a client that
// Entra knows, its federated credentials are those that Entra checks, and role assignments and access policies are those that
// the vaults enforce. Changes take as long to reach them as the state's ManagementSettings say.
//
// Resources are made and kept as far as a migration asks for them: a vault or a cluster can be read, not made. What no capture
// was found of is marked "no capture" where it is answered. Shapes and codes are those of the examples in
// Azure/azure-rest-api-specs at the api-versions that routes.go names, sentences those of errors that people have reported.
package arm
