package graph

import (
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
	"k8s.io/utils/clock"

	"secretstore/internal/emulator/state"
	"secretstore/internal/emulator/wire"
)

// Host is the host name of Microsoft Graph in the public cloud.
const Host = "graph.microsoft.com"

// maxBody is the size of a request's body at most.
const maxBody = 1 << 20

// Options is what Graph needs; all fields are required.
type Options struct {
	State *state.State
	// Keys are what access tokens are verified with.
	Keys  func() jose.JSONWebKeySet
	Clock clock.PassiveClock
}

// Service is Microsoft Graph. It is a wire.Service.
type Service struct {
	state  *state.State
	keys   func() jose.JSONWebKeySet
	clock  clock.PassiveClock
	routes []route
}

// New makes the service.
func New(o Options) *Service {
	return &Service{state: o.State, keys: o.Keys, clock: o.Clock, routes: routes()}
}

// request is one authorized call.
type request struct {
	*http.Request

	tenantID string
	// id is what the path names: an ID, or a client ID in servicePrincipals(appId='…').
	id string
}

// refusal is an error of Graph's.
type refusal struct {
	status        int
	code, message string
}

// route is one operation: how it is asked for and what it does. The path is a pattern whose group is the ID.
type route struct {
	method, path string
	operation    string
	serve        func(*Service, *request) (status int, body any, refused *refusal)
}

func routes() []route {
	const byID, byAppID = `/([^/()]+)`, `\(appId='([^/']+)'\)`
	const principals, applications, deleted = `servicePrincipals`, `applications`, `directory/deletedItems`
	return []route{
		{http.MethodGet, principals, "servicePrincipals.list", (*Service).listPrincipals},
		{http.MethodGet, principals + byAppID, "servicePrincipals.get", (*Service).getPrincipal},
		{http.MethodGet, principals + byID, "servicePrincipals.get", (*Service).getPrincipal},
		{http.MethodPatch, principals + byAppID, "servicePrincipals.update", (*Service).updatePrincipal},
		{http.MethodPatch, principals + byID, "servicePrincipals.update", (*Service).updatePrincipal},
		{http.MethodGet, applications + byAppID, "applications.get", (*Service).getApplication},
		{http.MethodGet, applications + byID, "applications.get", (*Service).getApplication},
		{http.MethodDelete, applications + byAppID, "applications.delete", (*Service).deleteApplication},
		{http.MethodDelete, applications + byID, "applications.delete", (*Service).deleteApplication},
		{http.MethodGet, deleted + `/microsoft\.graph\.application`, "deletedItems.list", (*Service).listDeleted},
		{http.MethodPost, deleted + byID + `/restore`, "deletedItems.restore", (*Service).restore},
	}
}

// find gives the operation of a request and the ID in its path.
func (s *Service) find(r *http.Request) (found route, id string, ok bool) {
	for _, candidate := range s.routes {
		match := regexp.MustCompile(`(?i)^/v1\.0/` + candidate.path + `$`).FindStringSubmatch(r.URL.Path)
		if match == nil || candidate.method != r.Method {
			continue
		}
		return candidate, strings.Join(match[1:], ""), true
	}
	return route{}, "", false
}

// Describe names the operation, such as graph.servicePrincipals.get.
func (s *Service) Describe(r *http.Request) wire.Call {
	call := wire.Call{Service: "graph", Operation: "graph.unknown"}
	if found, id, ok := s.find(r); ok {
		call.Operation, call.Name = "graph."+found.operation, id
	}
	return call
}

// ServeHTTP answers as Graph.
func (s *Service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	status, body, refused := s.serve(r)
	switch {
	case refused != nil:
		s.refuse(w, r, refused)
	case body == nil:
		w.WriteHeader(status)
	default:
		wire.WriteJSON(w, status, body)
	}
}

func (s *Service) serve(r *http.Request) (int, any, *refusal) {
	caller, refused := s.authenticate(r)
	if refused != nil {
		return 0, nil, refused
	}
	wire.CallOf(r).ClientID = caller.ClientID
	found, id, known := s.find(r)
	if !known {
		return 0, nil, &refusal{http.StatusBadRequest, "BadRequest", "Resource not found for the segment."}
	}
	if caller.GraphAccess != state.GraphWrite && (caller.GraphAccess != state.GraphRead || r.Method != http.MethodGet) {
		return 0, nil, &refusal{
			http.StatusForbidden, "Authorization_RequestDenied", "Insufficient privileges to complete the operation.",
		}
	}
	return found.serve(s, &request{Request: r, tenantID: caller.TenantID, id: id})
}

// claims is what an access token says of its caller.
type claims struct {
	Audience string           `json:"aud"`
	Expiry   *jwt.NumericDate `json:"exp"`
	AppID    string           `json:"appid"`
	TenantID string           `json:"tid"`
}

// authenticate finds the application that calls.
func (s *Service) authenticate(r *http.Request) (state.Application, *refusal) {
	invalid := func(message string) (state.Application, *refusal) {
		return state.Application{}, &refusal{http.StatusUnauthorized, "InvalidAuthenticationToken", message}
	}
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") || token == "" {
		return invalid("Access token is empty.")
	}
	parsed, err := jwt.ParseSigned(token, []jose.SignatureAlgorithm{jose.RS256})
	var caller claims
	if err != nil || parsed.Claims(s.keys(), &caller) != nil {
		return invalid("Access token validation failure.")
	}
	switch {
	case strings.TrimSuffix(caller.Audience, "/") != "https://"+Host:
		return invalid("Access token validation failure. Invalid audience.")
	case caller.Expiry == nil || !s.clock.Now().Before(caller.Expiry.Time()):
		return invalid("Lifetime validation failed, the token is expired.")
	}
	app, found := s.state.Application(caller.TenantID, caller.AppID)
	if !found {
		return invalid("Access token validation failure.") // no capture
	}
	return app, nil
}

// Refuse answers as a Graph that throttles or is broken.
func (s *Service) Refuse(w http.ResponseWriter, r *http.Request, status int) {
	code := map[int]string{
		http.StatusTooManyRequests: "TooManyRequests", http.StatusServiceUnavailable: "serviceNotAvailable",
		http.StatusInternalServerError: "generalException",
	}[status]
	if code == "" {
		code = strings.ReplaceAll(http.StatusText(status), " ", "")
	}
	s.refuse(w, r, &refusal{status, code, http.StatusText(status)})
}

func (s *Service) refuse(w http.ResponseWriter, r *http.Request, refused *refusal) {
	wire.CallOf(r).Code = refused.code
	if refused.status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", fmt.Sprintf(`Bearer realm="", authorization_uri="https://%s/common/oauth2/authorize", `+
			`client_id="00000003-0000-0000-c000-000000000000"`, s.state.AuthorityHosts[0]))
	}
	id := wire.GUID()
	w.Header().Set("request-id", id)
	wire.WriteJSON(w, refused.status, map[string]any{"error": map[string]any{
		"code": refused.code, "message": refused.message,
		"innerError": map[string]string{
			"date": s.clock.Now().UTC().Format(time.RFC3339), "request-id": id, "client-request-id": r.Header.Get("client-request-id"),
		},
	}})
}

// decode reads the body of a request.
func (r *request) decode(into any) *refusal {
	if err := json.NewDecoder(r.Body).Decode(into); err != nil { // no capture; the reader's error may quote a value
		return &refusal{http.StatusBadRequest, "BadRequest", "Unable to read JSON request payload."}
	}
	return nil
}
