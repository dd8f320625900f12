// Package graph imitates as much of Microsoft Graph, graph.microsoft.com, as revoking an old principal takes: service principals
// are found by their client ID, disabled and enabled again; applications are deleted, and restored while they can be. It changes
// the same state as all services: a principal that is disabled or deleted here cannot sign in at Entra.
//
// An application and its service principal are one in the state, and go and come back together, as they do in the tenant that
// an application is registered in. Who may read or write is said by the seed (graphAccess), not by Graph's many permissions.
// Shapes are those of learn.microsoft.com, graph/api: serviceprincipal-get, serviceprincipal-update, application-delete,
// directory-deleteditems-restore; the codes of errors are those that people have reported.
package graph
