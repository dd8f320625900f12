package vault

import (
	"net/http"
	"strings"

	"secretstore/internal/emulator/state"
)

// route is one operation: how it is asked for, what it needs, and what it does.
type route struct {
	method string
	// path has {name} and {version} where the request has its own.
	path string
	// operation is the name in the log of requests.
	operation string
	kind      state.Kind
	// permission is what an access policy calls it, action what a role calls it.
	permission, action string
	serve              func(*Service, *request) (answer, *refusal)
}

// routes are all operations. The first that fits a request is meant.
func routes() []route {
	list := []route{
		{http.MethodPut, "secrets/{name}", "secrets.set", state.Secrets, "set", "secrets/setSecret/action", (*Service).setSecret},
		{http.MethodPost, "keys/{name}/create", "keys.create", state.Keys, "create", "keys/create/action", (*Service).createKey},
		{http.MethodPut, "keys/{name}", "keys.import", state.Keys, "import", "keys/import/action", (*Service).importKey},
		{
			http.MethodPost, "certificates/{name}/import", "certificates.import",
			state.Certificates, "import", "certificates/import/action", (*Service).importCertificate,
		},
		{
			http.MethodPost, "certificates/{name}/create", "certificates.create",
			state.Certificates, "create", "certificates/create/action", (*Service).createCertificate,
		},
		{
			http.MethodGet, "certificates/{name}/pending", "certificates.pending",
			state.Certificates, "get", "certificates/read", (*Service).getOperation,
		},
		{
			http.MethodGet, "certificates/{name}/policy", "certificates.policy",
			state.Certificates, "get", "certificates/read", (*Service).getPolicy,
		},
	}
	for _, kind := range []state.Kind{state.Secrets, state.Keys, state.Certificates} {
		list = append(list, common(kind)...)
	}
	return list
}

// common are the operations that all kinds of object have.
func common(kind state.Kind) []route {
	k := string(kind)
	read, list, update := k+"/read", k+"/read", k+"/update/action"
	if kind == state.Secrets {
		read, list = "secrets/getSecret/action", "secrets/readMetadata/action"
	}
	updating := "update"
	if kind == state.Secrets {
		updating = "set" // access policies have no "update" for secrets
	}
	deleted, recovering, purging := "deleted"+k, k+"/recover/action", k+"/purge/action"
	return []route{
		{http.MethodGet, k, k + ".list", kind, "list", list, (*Service).list},
		{http.MethodGet, k + "/{name}/versions", k + ".versions", kind, "list", list, (*Service).versions},
		{http.MethodGet, k + "/{name}", k + ".get", kind, "get", read, (*Service).get},
		{http.MethodGet, k + "/{name}/{version}", k + ".get", kind, "get", read, (*Service).get},
		{http.MethodPatch, k + "/{name}", k + ".update", kind, updating, update, (*Service).update},
		{http.MethodPatch, k + "/{name}/{version}", k + ".update", kind, updating, update, (*Service).update},
		{http.MethodDelete, k + "/{name}", k + ".delete", kind, "delete", k + "/delete", (*Service).delete},
		{http.MethodGet, deleted, k + ".deleted.list", kind, "list", list, (*Service).listDeleted},
		{http.MethodGet, deleted + "/{name}", k + ".deleted.get", kind, "get", list, (*Service).getDeleted},
		{http.MethodPost, deleted + "/{name}/recover", k + ".recover", kind, "recover", recovering, (*Service).recover},
		{http.MethodDelete, deleted + "/{name}", k + ".purge", kind, "purge", purging, (*Service).purge},
	}
}

// fits compares a route with a request, and gives the name and the version that the request has.
func (r route) fits(method string, segments []string) (name, version string, ok bool) {
	pattern := strings.Split(r.path, "/")
	if method != r.method || len(pattern) != len(segments) {
		return "", "", false
	}
	for i, part := range pattern {
		switch {
		case part == "{name}":
			name = segments[i]
		case part == "{version}":
			version = segments[i]
		case !strings.EqualFold(part, segments[i]):
			return "", "", false
		}
	}
	return name, version, true
}

// find gives the operation that a request asks for. Clients end the path of a version that they leave open with a slash.
func (s *Service) find(r *http.Request) (found route, name, version string, ok bool) {
	segments := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	for _, candidate := range s.routes {
		if name, version, ok = candidate.fits(r.Method, segments); ok {
			return candidate, name, version, true
		}
	}
	return route{}, "", "", false
}
