// Package oidctest is an OpenID issuer for tests, in the part of a cluster's API server: it publishes a discovery document and
// keys over HTTPS, and signs tokens of service accounts. Keys can be rotated, tokens can be wrong in every way.
package oidctest

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

// Audience is what Entra wants its assertions to be for.
const Audience = "api://AzureADTokenExchange"

// Issuer is a running issuer. Its methods are safe for concurrent use.
type Issuer struct {
	// URL is the issuer's name and address.
	URL string

	tb     testing.TB
	server *httptest.Server

	mu      sync.Mutex
	key     jose.JSONWebKey
	serial  int
	claimed string // the issuer that the discovery document names
	fetched int
}

// New starts an issuer with one key, which ends with the test.
func New(tb testing.TB) *Issuer {
	tb.Helper()
	i := &Issuer{tb: tb}
	i.server = httptest.NewTLSServer(http.HandlerFunc(i.serve))
	tb.Cleanup(i.server.Close)
	i.URL, i.claimed = i.server.URL, i.server.URL
	i.Rotate()
	return i
}

// Roots are the authorities to trust when asking the issuer.
func (i *Issuer) Roots() *x509.CertPool {
	roots := x509.NewCertPool()
	roots.AddCert(i.server.Certificate())
	return roots
}

// Rotate replaces the key; the old one is not published any more.
func (i *Issuer) Rotate() {
	i.tb.Helper()
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		i.tb.Fatalf("making the issuer's key: %v", err)
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	i.serial++
	i.key = jose.JSONWebKey{Key: private, KeyID: fmt.Sprintf("key-%d", i.serial), Algorithm: string(jose.RS256), Use: "sig"}
}

// Key is the private key that signs now, to sign with it later or elsewhere.
func (i *Issuer) Key() jose.JSONWebKey {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.key
}

// Claim has the discovery document name another issuer than the one that is asked.
func (i *Issuer) Claim(issuer string) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.claimed = issuer
}

// Fetches is how often the keys were asked for.
func (i *Issuer) Fetches() int {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.fetched
}

// Close ends the issuer before the test ends.
func (i *Issuer) Close() { i.server.Close() }

// Token signs a token for a subject, good for ten minutes from now, with the claims changed as told; nil takes one away.
func (i *Issuer) Token(subject string, changes map[string]any) string {
	i.tb.Helper()
	return i.TokenBy(i.Key(), subject, changes)
}

// TokenBy is Token with a key of the caller's.
func (i *Issuer) TokenBy(key jose.JSONWebKey, subject string, changes map[string]any) string {
	i.tb.Helper()
	now := time.Now()
	claims := map[string]any{
		"iss": i.URL, "sub": subject, "aud": []string{Audience}, "iat": now.Unix(), "nbf": now.Unix(),
		"exp": now.Add(10 * time.Minute).Unix(),
	}
	maps.Copy(claims, changes)
	maps.DeleteFunc(claims, func(_ string, value any) bool { return value == nil })
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.RS256, Key: key}, nil)
	if err != nil {
		i.tb.Fatalf("making a signer: %v", err)
	}
	token, err := jwt.Signed(signer).Claims(claims).Serialize()
	if err != nil {
		i.tb.Fatalf("signing a token: %v", err)
	}
	return token
}

func (i *Issuer) serve(w http.ResponseWriter, r *http.Request) {
	i.mu.Lock()
	defer i.mu.Unlock()
	var body any
	switch r.URL.Path {
	case "/.well-known/openid-configuration":
		body = map[string]any{"issuer": i.claimed, "jwks_uri": i.server.URL + "/openid/v1/jwks"}
	case "/openid/v1/jwks":
		i.fetched++
		body = jose.JSONWebKeySet{Keys: []jose.JSONWebKey{i.key.Public()}}
	default:
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	if err := json.NewEncoder(w).Encode(body); err != nil {
		i.tb.Errorf("answering as the issuer: %v", err)
	}
}
