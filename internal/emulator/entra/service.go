package entra

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/hex"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"

	"github.com/go-jose/go-jose/v4"
	"k8s.io/utils/clock"

	"secretstore/internal/emulator/state"
	"secretstore/internal/emulator/wire"
)

// Options is what Entra needs; all fields are required but IssuerRoots.
type Options struct {
	State *state.State
	// IssuerRoots are trusted when an issuer's discovery document is fetched; nil means the system's.
	IssuerRoots *x509.CertPool
	Clock       clock.Clock
	Log         *slog.Logger
}

// Service is Entra. It is a wire.Service.
type Service struct {
	state   *state.State
	issuers *issuers
	clock   clock.Clock
	log     *slog.Logger
	signer  jose.Signer
	key     jose.JSONWebKey // public
}

// keyBits is the size of Entra's signing keys.
const keyBits = 2048

// New makes an Entra with a signing key of its own.
func New(o Options) (*Service, error) {
	private, err := rsa.GenerateKey(rand.Reader, keyBits)
	if err != nil {
		return nil, fmt.Errorf("making the token signing key: %w", err)
	}
	key := jose.JSONWebKey{Key: private, KeyID: randomHex(), Algorithm: string(jose.RS256), Use: "sig"}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.RS256, Key: key}, (&jose.SignerOptions{}).WithType("JWT"))
	if err != nil {
		return nil, fmt.Errorf("making the token signer: %w", err)
	}
	return &Service{
		state: o.State, issuers: newIssuers(o.IssuerRoots, o.Clock.Now), clock: o.Clock, log: o.Log, signer: signer,
		key: key.Public(),
	}, nil
}

// Keys are what access tokens are verified with.
func (s *Service) Keys() jose.JSONWebKeySet {
	return jose.JSONWebKeySet{Keys: []jose.JSONWebKey{s.key}}
}

// Describe names the operation: entra.instance, entra.discovery, entra.keys, entra.token or entra.unknown.
func (s *Service) Describe(r *http.Request) wire.Call {
	operation, _ := route(r)
	return wire.Call{Service: "entra", Operation: "entra." + operation}
}

// route tells the operation and the tenant of a path.
func route(r *http.Request) (operation, tenant string) {
	tenant, rest, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	operations := map[string]string{
		"GET discovery/instance":                    "instance",
		"GET v2.0/.well-known/openid-configuration": "discovery",
		"GET discovery/v2.0/keys":                   "keys",
		"POST oauth2/v2.0/token":                    "token",
	}
	operation = operations[r.Method+" "+rest]
	if operation == "" {
		operation = "unknown"
	}
	return operation, tenant
}

// ServeHTTP answers as Entra.
func (s *Service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	operation, tenant := route(r)
	switch operation {
	case "instance":
		s.serveInstance(w, r)
	case "discovery":
		s.serveDiscovery(w, r, tenant)
	case "keys":
		wire.WriteJSON(w, http.StatusOK, s.Keys())
	case "token":
		s.serveToken(w, r, tenant)
	default:
		http.NotFound(w, r)
	}
}

// Refuse answers as an Entra that is overloaded or broken.
func (s *Service) Refuse(w http.ResponseWriter, r *http.Request, status int) {
	// 90033 is the code of Entra's transient failures, 50196 that of clients which ask too often (learn.microsoft.com,
	// identity-platform/reference-error-codes).
	refused := &refusal{
		status: status, oauth: "temporarily_unavailable", number: 90033, lines: true,
		text: "A transient error has occurred. Please try again.",
	}
	if status == http.StatusTooManyRequests {
		refused.oauth, refused.number = "invalid_grant", 50196
		refused.text = "The server terminated an operation because it encountered a client request loop. Please contact your " +
			"app vendor."
	}
	s.refuse(w, r, refused)
}

func (s *Service) refuse(w http.ResponseWriter, r *http.Request, refused *refusal) {
	wire.CallOf(r).Code = refused.code()
	trace, correlation := wire.GUID(), r.Header.Get("client-request-id")
	if correlation == "" {
		correlation = wire.GUID()
	}
	w.Header().Set("x-ms-request-id", trace)
	w.Header().Set("Cache-Control", "no-store, no-cache")
	wire.WriteJSON(w, refused.status, refused.body(s.clock.Now(), trace, correlation))
}

// serveInstance tells which hosts are Entra's.
func (s *Service) serveInstance(w http.ResponseWriter, r *http.Request) {
	authority, err := url.Parse(r.URL.Query().Get("authorization_endpoint"))
	if err != nil || authority.Path == "" {
		s.refuse(w, r, missingParameter("authorization_endpoint"))
		return
	}
	tenant, _, _ := strings.Cut(strings.TrimPrefix(authority.Path, "/"), "/")
	hosts := s.state.AuthorityHosts
	wire.WriteJSON(w, http.StatusOK, map[string]any{
		"api-version":               "1.1",
		"tenant_discovery_endpoint": s.base(r) + "/" + tenant + "/v2.0/.well-known/openid-configuration",
		"metadata": []any{map[string]any{
			"preferred_network": hosts[0], "preferred_cache": hosts[1], "aliases": hosts,
		}},
	})
}

// serveDiscovery answers a tenant's OpenID configuration.
func (s *Service) serveDiscovery(w http.ResponseWriter, r *http.Request, name string) {
	tenant, ok := s.state.Tenant(name)
	if !ok {
		s.refuse(w, r, unknownTenant("invalid_tenant", name))
		return
	}
	base := s.base(r) + "/" + tenant.ID
	wire.WriteJSON(w, http.StatusOK, map[string]any{
		"issuer":                                base + "/v2.0",
		"token_endpoint":                        base + "/oauth2/v2.0/token",
		"authorization_endpoint":                base + "/oauth2/v2.0/authorize",
		"device_authorization_endpoint":         base + "/oauth2/v2.0/devicecode",
		"jwks_uri":                              base + "/discovery/v2.0/keys",
		"token_endpoint_auth_methods_supported": []string{"client_secret_post", "private_key_jwt", "client_secret_basic"},
		"response_types_supported":              []string{"code", "id_token", "code id_token", "id_token token"},
		"subject_types_supported":               []string{"pairwise"},
		"id_token_signing_alg_values_supported": []string{"RS256"},
		"tenant_region_scope":                   "EU",
	})
}

// base is the URL of the host that was asked; the alias login.windows.net calls itself by the first name, as the real one does.
func (s *Service) base(r *http.Request) string {
	own, alias := s.state.AuthorityHosts[0], s.state.AuthorityHosts[1]
	if host, _, _ := strings.Cut(r.Host, ":"); strings.EqualFold(host, alias) {
		return "https://" + own
	}
	return "https://" + r.Host
}

func randomHex() string {
	id := make([]byte, 16)
	_, _ = rand.Read(id) // never fails
	return hex.EncodeToString(id)
}
