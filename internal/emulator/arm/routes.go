package arm

import (
	"net/http"
	"slices"
	"strings"
)

// handler does what an authorized request asks for.
type handler func(*Service, *request) (answer, *refusal)

// kind is a type of resource: what it is called, in which versions, and what can be done with it. A nil handler is what
// Azure Resource Manager does not support here.
type kind struct {
	// name is the type as its documentation writes it.
	name string
	// operation is what the log of requests calls it.
	operation string
	// versions are its api-versions, the newest first.
	versions               []string
	get, list, put, delete handler
}

// kinds are all types. Versions are those that the documentation of the types lists (learn.microsoft.com, azure/templates), as
// far as Microsoft's clients of today send them.
func kinds() []kind {
	identity := []string{"2024-11-30", "2023-07-31-preview", "2023-01-31", "2022-01-31-preview", "2018-11-30"}
	resources := []string{
		"2025-04-01", "2024-11-01", "2024-07-01", "2023-07-01", "2022-12-01", "2022-09-01", "2021-04-01", "2021-01-01", "2020-06-01",
		"2019-11-01", "2019-06-01",
	}
	vaults := []string{
		"2026-02-01", "2025-05-01", "2024-11-01", "2023-07-01", "2023-02-01", "2022-07-01", "2021-10-01", "2019-09-01",
	}
	clusters := []string{
		"2024-12-01-preview", "2024-07-15-preview", "2024-07-01-preview", "2024-01-01", "2022-10-01-preview", "2021-10-01",
	}
	extensions := []string{"2024-11-01", "2023-05-01", "2022-11-01", "2022-03-01", "2021-09-01"}
	const credentials = "Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials"
	return []kind{
		{
			name: kindSubscriptions, operation: "subscriptions", versions: resources,
			get: (*Service).getSubscription, list: (*Service).listSubscriptions,
		},
		{name: kindGroups, operation: "resourceGroups", versions: resources, get: (*Service).getGroup, list: (*Service).listGroups},
		{name: kindResources, operation: "resources", versions: resources, list: (*Service).listResources},
		{
			name: kindIdentities, operation: "identities", versions: identity, get: (*Service).getIdentity,
			list: (*Service).listIdentities, put: (*Service).putIdentity, delete: (*Service).deleteIdentity,
		},
		{
			name: credentials, operation: "credentials", versions: identity[:4], get: (*Service).getCredential,
			list: (*Service).listCredentials, put: (*Service).putCredential, delete: (*Service).deleteCredential,
		},
		{
			name: kindAssignments, operation: "roleAssignments",
			versions: []string{"2022-04-01", "2020-10-01-preview", "2020-04-01-preview", "2018-09-01-preview", "2015-07-01"},
			get:      (*Service).getAssignment, list: (*Service).listAssignments, put: (*Service).putAssignment,
			delete: (*Service).deleteAssignment,
		},
		{
			name: kindRoles, operation: "roleDefinitions",
			versions: []string{"2022-05-01-preview", "2022-04-01", "2018-01-01-preview", "2015-07-01"},
			get:      (*Service).getRole, list: (*Service).listRoles,
		},
		{name: kindVaults, operation: "vaults", versions: vaults, get: (*Service).getVault, list: (*Service).listVaults},
		{name: kindVaults + "/accessPolicies", operation: "accessPolicies", versions: vaults, put: (*Service).putPolicies},
		{name: kindClusters, operation: "clusters", versions: clusters, get: (*Service).getCluster, list: (*Service).listClusters},
		{
			name: kindExtensions, operation: "extensions", versions: extensions, get: (*Service).getExtension,
			list: (*Service).listExtensions, put: (*Service).putExtension, delete: (*Service).deleteExtension,
		},
		{name: kindExtensions + "/operations", operation: "operations", versions: extensions, get: (*Service).getOperation},
	}
}

func (s *Service) kind(name string) (kind, bool) {
	i := slices.IndexFunc(s.kinds, func(k kind) bool { return strings.EqualFold(k.name, name) })
	if i < 0 {
		return kind{}, false
	}
	return s.kinds[i], true
}

// checkKind finds the type of a target in a version. A version that no type has is told so; one that other types have only makes
// the type unknown.
func (s *Service) checkKind(t target, version string) (kind, *refusal) {
	namespace, name, _ := strings.Cut(t.kind, "/")
	if !slices.ContainsFunc(s.kinds, func(k kind) bool { return slices.Contains(k.versions, version) }) {
		return kind{}, badRequest("InvalidApiVersionParameter", "The api-version '%s' is invalid. The supported versions are '%s'.",
			version, strings.Join(s.kinds[0].versions, ","))
	}
	if !slices.ContainsFunc(s.kinds, func(k kind) bool { return hasPrefixFold(k.name, namespace+"/") }) {
		return kind{}, refuse(http.StatusNotFound, "InvalidResourceNamespace", "The resource namespace '%s' is invalid.", namespace)
	}
	k, found := s.kind(t.kind)
	if !found || !slices.Contains(k.versions, version) {
		return kind{}, refuse(http.StatusNotFound, "InvalidResourceType", "The resource type '%s' could not be found in the namespace "+
			"'%s' for api version '%s'. The supported api-versions are '%s'.", name, namespace, version, strings.Join(k.versions, ","))
	}
	return k, nil
}

func hasPrefixFold(text, prefix string) bool {
	return len(text) >= len(prefix) && strings.EqualFold(text[:len(prefix)], prefix)
}

func (k kind) handler(method string, list bool) handler {
	switch {
	case method == http.MethodGet && list:
		return k.list
	case method == http.MethodGet:
		return k.get
	case method == http.MethodPut && !list:
		return k.put
	case method == http.MethodDelete && !list:
		return k.delete
	}
	return nil
}
