package arm

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"sync"

	"github.com/go-jose/go-jose/v4"
	"k8s.io/utils/clock"

	"secretstore/internal/emulator/state"
	"secretstore/internal/emulator/wire"
)

// Host is the host name of Azure Resource Manager in the public cloud.
const Host = "management.azure.com"

// maxBody is the size of a request's body at most.
const maxBody = 1 << 20

// Options is what Azure Resource Manager needs; all fields are required.
type Options struct {
	State *state.State
	// Keys are what access tokens are verified with.
	Keys  func() jose.JSONWebKeySet
	Clock clock.Clock
}

// Service is Azure Resource Manager. It is a wire.Service.
type Service struct {
	state *state.State
	keys  func() jose.JSONWebKeySet
	clock clock.Clock
	kinds []kind

	mu      sync.Mutex
	writing map[string]bool // client IDs of the identities of which a federated credential is being written
}

// New makes the service.
func New(o Options) *Service {
	return &Service{state: o.State, keys: o.Keys, clock: o.Clock, kinds: kinds(), writing: map[string]bool{}}
}

// request is one authorized call.
type request struct {
	*http.Request
	target

	caller claims
}

// answer is what a call gives: a status, headers, and a body, which is nil for none.
type answer struct {
	status int
	body   any
	header map[string]string
}

func ok(body any) (answer, *refusal) { return answer{status: http.StatusOK, body: body}, nil }

// made is 201 for what did not exist and 200 for what did.
func made(created bool, body any) (answer, *refusal) {
	if created {
		return answer{status: http.StatusCreated, body: body}, nil
	}
	return ok(body)
}

// Describe names the operation, such as arm.identities.put.
func (s *Service) Describe(r *http.Request) wire.Call {
	call := wire.Call{Service: "arm", Operation: "arm.unknown"}
	t, known := parse(r.URL.Path)
	if k, found := s.kind(t.kind); known && found {
		call.Operation, call.Name = "arm."+k.operation+"."+verb(r.Method, t.list), t.name()
	}
	return call
}

// verb is what the log of requests calls a method.
func verb(method string, list bool) string {
	if method == http.MethodGet && list {
		return "list"
	}
	return strings.ToLower(method)
}

// ServeHTTP answers as Azure Resource Manager.
func (s *Service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	writeHeaders(w, r)
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	given, refused := s.serve(r)
	if refused != nil {
		s.refuse(w, r, refused)
		return
	}
	for name, value := range given.header {
		w.Header().Set(name, value)
	}
	if given.body == nil {
		w.WriteHeader(given.status)
		return
	}
	wire.WriteJSON(w, given.status, given.body)
}

// serve checks in the order of Azure: version, subscription, caller, type, right, group.
func (s *Service) serve(r *http.Request) (answer, *refusal) {
	version := r.URL.Query().Get("api-version")
	if version == "" {
		return answer{}, missingVersion()
	}
	t, known := parse(r.URL.Path)
	if refused := s.checkSubscription(t); refused != nil {
		return answer{}, refused
	}
	caller, refused := s.authenticate(r, t)
	if refused != nil {
		return answer{}, refused
	}
	wire.CallOf(r).ClientID = caller.AppID
	if !known {
		return answer{}, notFound("The resource cannot be found.") // no capture
	}
	k, refused := s.checkKind(t, version)
	if refused != nil {
		return answer{}, refused
	}
	t.kind = k.name
	handle := k.handler(r.Method, t.list)
	if handle == nil {
		return answer{}, badMethod(r.Method)
	}
	if refused := s.authorize(caller, k, r.Method, t); refused != nil {
		return answer{}, refused
	}
	if t.group != "" && !s.hasGroup(t.subscription, t.group) {
		return answer{}, groupNotFound(t.group)
	}
	return handle(s, &request{Request: r, target: t, caller: caller})
}

func (s *Service) checkSubscription(t target) *refusal {
	if t.subscription == "" {
		return nil
	}
	if _, ok := s.state.Subscription(t.subscription); !ok {
		return refuse(http.StatusNotFound, "SubscriptionNotFound", "The subscription '%s' could not be found.", t.subscription)
	}
	return nil
}

func (s *Service) hasGroup(subscription, group string) bool {
	_, ok := s.group(subscription, group)
	return ok
}

// Refuse answers as an Azure Resource Manager that throttles or is broken.
func (s *Service) Refuse(w http.ResponseWriter, r *http.Request, status int) {
	writeHeaders(w, r)
	refused := refuse(status, strings.ReplaceAll(http.StatusText(status), " ", ""), "%s", http.StatusText(status))
	switch status {
	case http.StatusTooManyRequests: // learn.microsoft.com, azure-resource-manager/management/request-limits-and-throttling
		refused.code = "TooManyRequests"
		refused.message = "The request is being throttled as the limit has been reached for operation type."
	case http.StatusInternalServerError:
		refused.message = "Encountered internal server error. Diagnostic information: timestamp, subscription id, tracking id, " +
			"request correlation id."
	}
	s.refuse(w, r, refused)
}

func (s *Service) refuse(w http.ResponseWriter, r *http.Request, refused *refusal) {
	wire.CallOf(r).Code = refused.code
	if refused.authentication != "" {
		w.Header().Set("WWW-Authenticate", refused.authentication)
	}
	w.Header().Set("x-ms-failure-cause", "gateway")
	wire.WriteJSON(w, refused.status, refused.body())
}

// writeHeaders sets what every answer carries.
func writeHeaders(w http.ResponseWriter, r *http.Request) {
	correlation := r.Header.Get("x-ms-correlation-request-id")
	if correlation == "" {
		correlation = wire.GUID()
	}
	for name, value := range map[string]string{
		"Cache-Control": "no-cache", "Pragma": "no-cache", "Expires": "-1", "X-Content-Type-Options": "nosniff",
		"Strict-Transport-Security":   "max-age=31536000; includeSubDomains",
		"x-ms-request-id":             wire.GUID(),
		"x-ms-correlation-request-id": correlation,
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
	if err != nil { // the error of the JSON reader may quote a value, so it is not told
		return badRequest("InvalidRequestContent", "The request content was invalid and could not be deserialized.")
	}
	return nil
}
