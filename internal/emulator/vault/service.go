package vault

import (
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"

	"github.com/go-jose/go-jose/v4"
	"k8s.io/utils/clock"

	"secretstore/internal/emulator/state"
	"secretstore/internal/emulator/wire"
)

// maxBody is the size of a request's body at most: a value of 25 KB whose every byte is escaped fits easily.
const maxBody = 1 << 20

// Options is what a vault needs; all fields are required.
type Options struct {
	State *state.State
	Vault *state.Vault
	// Keys are what access tokens are verified with.
	Keys  func() jose.JSONWebKeySet
	Clock clock.PassiveClock
}

// Service is one vault. It is a wire.Service.
type Service struct {
	state  *state.State
	vault  *state.Vault
	keys   func() jose.JSONWebKeySet
	clock  clock.PassiveClock
	routes []route
}

// New makes the service of one vault.
func New(o Options) *Service {
	return &Service{state: o.State, vault: o.Vault, keys: o.Keys, clock: o.Clock, routes: routes()}
}

// request is one authorized call.
type request struct {
	*http.Request

	kind          state.Kind
	name, version string
}

// answer is what a call gives: a status and a body, which is nil for none.
type answer struct {
	status int
	body   any
}

func ok(body any) (answer, *refusal) { return answer{http.StatusOK, body}, nil }

// Describe names the operation, such as secrets.get; a request without a token is a challenge, whatever it asks for.
func (s *Service) Describe(r *http.Request) wire.Call {
	call := wire.Call{Service: "vault", Vault: s.vault.Name, Operation: "unknown"}
	if found, name, _, known := s.find(r); known {
		call.Operation, call.Name = found.operation, name
	}
	call.Limited = r.Method == http.MethodGet
	if bearer(r) == "" {
		call.Operation, call.Limited = "challenge", false // Azure counts authenticated calls only
	}
	return call
}

// ServeHTTP answers as a vault.
func (s *Service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.writeHeaders(w, r)
	given, refused := s.serve(w, r)
	if refused != nil {
		s.refuse(w, r, refused)
		return
	}
	if given.body == nil {
		w.WriteHeader(given.status)
		return
	}
	wire.WriteJSON(w, given.status, given.body)
}

func (s *Service) serve(w http.ResponseWriter, r *http.Request) (answer, *refusal) {
	caller, refused := s.authenticate(r)
	if refused != nil {
		return answer{}, refused
	}
	wire.CallOf(r).ClientID = caller.AppID
	if refused := s.admit(r, caller); refused != nil {
		return answer{}, refused
	}
	if refused := checkVersion(r.URL.Query().Get("api-version")); refused != nil {
		return answer{}, refused
	}
	found, name, version, known := s.find(r)
	if !known {
		return answer{}, badMethod()
	}
	need := state.Need{Kind: found.kind, Name: name, Permission: found.permission, Action: found.action}
	if refused := s.authorize(caller, need); refused != nil {
		return answer{}, refused
	}
	if name != "" && !state.ValidName(name) {
		return answer{}, badParameter("The request URI contains an invalid name: %s", name)
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	return found.serve(s, &request{Request: r, kind: found.kind, name: name, version: version})
}

// checkVersion accepts the versions that Microsoft's clients send: for secrets, keys and certificates up to 2026-04-01.
func checkVersion(version string) *refusal {
	known := []string{"2016-10-01", "7.0", "7.1", "7.2", "7.3", "7.4", "7.5", "7.6", "2025-07-01", "2026-04-01"}
	base, _, preview := strings.Cut(version, "-preview.")
	switch {
	case version == "": // no capture
		return badParameter("api-version must be specified")
	case !slices.Contains(known, version) && (!preview || !slices.Contains(known, base)): // no capture
		return badParameter("The specified version (%s) is not recognized. Consider using the latest supported version (%s).",
			version, known[len(known)-1])
	}
	return nil
}

// Refuse answers as a vault that throttles or is broken.
func (s *Service) Refuse(w http.ResponseWriter, r *http.Request, status int) {
	s.writeHeaders(w, r)
	refused := &refusal{status: status, code: strings.ReplaceAll(http.StatusText(status), " ", ""), message: http.StatusText(status)}
	if status == http.StatusTooManyRequests {
		refused.code = "Throttled"
		refused.message = "Request was not processed because too many requests were received. Reason: VaultRequestTypeLimitReached."
	}
	s.refuse(w, r, refused)
}

func (s *Service) refuse(w http.ResponseWriter, r *http.Request, refused *refusal) {
	wire.CallOf(r).Code = refused.kindCode()
	if refused.authentication != "" {
		w.Header().Set("WWW-Authenticate", refused.authentication)
	}
	wire.WriteJSON(w, refused.status, refused.body())
}

// writeHeaders sets what every answer of a vault carries.
func (s *Service) writeHeaders(w http.ResponseWriter, r *http.Request) {
	client := r.Header.Get("x-ms-client-request-id")
	if client == "" {
		client = wire.GUID()
	}
	for name, value := range map[string]string{
		"Cache-Control": "no-cache", "Pragma": "no-cache", "Expires": "-1", "X-Content-Type-Options": "nosniff",
		"Strict-Transport-Security":     "max-age=31536000;includeSubDomains",
		"x-ms-request-id":               wire.GUID(),
		"x-ms-client-request-id":        client,
		"x-ms-keyvault-region":          s.vault.Location,
		"x-ms-keyvault-service-version": "1.9.2784.1",
		"x-ms-keyvault-network-info":    "conn_type=Ipv4;addr=127.0.0.1;act_addr_fam=InterNetwork;",
	} {
		w.Header().Set(name, value)
	}
}

// decode reads the body of a request.
func (r *request) decode(into any) *refusal {
	content, err := io.ReadAll(r.Body)
	if err == nil {
		err = json.Unmarshal(content, into)
	}
	if err != nil { // no capture; the error of the JSON reader may quote a value, so it is not told
		return badParameter("The request body is not the JSON that the operation wants.")
	}
	return nil
}
