package entra

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// What a foreign issuer may cost.
const (
	issuerTimeout  = 5 * time.Second
	issuerMaxBytes = 256 << 10
	// issuerFresh is for how long its keys are kept. A key that is not among them has them fetched again before that.
	issuerFresh = 5 * time.Minute
)

// issuers fetches and keeps the keys of OpenID issuers.
type issuers struct {
	client *http.Client
	now    func() time.Time

	mu   sync.Mutex
	kept map[string]issuerKeys
}

type issuerKeys struct {
	keys    jose.JSONWebKeySet
	fetched time.Time
}

// newIssuers trusts the given authorities for HTTPS; nil means the system's.
func newIssuers(roots *x509.CertPool, now func() time.Time) *issuers {
	transport := &http.Transport{
		TLSClientConfig:   &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12},
		DisableKeepAlives: true, // calls are minutes apart, and an issuer may restart between them
	}
	return &issuers{
		client: &http.Client{
			Transport: transport, Timeout: issuerTimeout,
			CheckRedirect: func(*http.Request, []*http.Request) error { return errors.New("issuers must not redirect") },
		},
		now: now, kept: map[string]issuerKeys{},
	}
}

// key gives an issuer's key by its ID, and false if the issuer does not publish it.
func (i *issuers) key(ctx context.Context, issuer, id string) (jose.JSONWebKey, bool, error) {
	i.mu.Lock()
	known := i.kept[issuer]
	i.mu.Unlock()
	if i.now().Sub(known.fetched) < issuerFresh {
		if keys := known.keys.Key(id); len(keys) > 0 {
			return keys[0], true, nil
		}
	}
	fetched, err := i.fetch(ctx, issuer)
	if err != nil {
		return jose.JSONWebKey{}, false, err
	}
	i.mu.Lock()
	i.kept[issuer] = issuerKeys{keys: fetched, fetched: i.now()}
	i.mu.Unlock()
	keys := fetched.Key(id)
	if len(keys) == 0 {
		return jose.JSONWebKey{}, false, nil
	}
	return keys[0], true, nil
}

func (i *issuers) fetch(ctx context.Context, issuer string) (jose.JSONWebKeySet, error) {
	var document struct {
		Issuer  string `json:"issuer"`
		JWKSURI string `json:"jwks_uri"`
	}
	if err := i.get(ctx, strings.TrimSuffix(issuer, "/")+"/.well-known/openid-configuration", &document); err != nil {
		return jose.JSONWebKeySet{}, err
	}
	if document.Issuer != issuer {
		return jose.JSONWebKeySet{}, fmt.Errorf("the discovery document of %s says that the issuer is %s", issuer, document.Issuer)
	}
	var keys jose.JSONWebKeySet
	return keys, i.get(ctx, document.JWKSURI, &keys)
}

func (i *issuers) get(ctx context.Context, url string, into any) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return fmt.Errorf("asking for %s: %w", url, err)
	}
	response, err := i.client.Do(request)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }() // it was only read
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answered %s", url, response.Status)
	}
	content, err := io.ReadAll(io.LimitReader(response.Body, issuerMaxBytes))
	if err != nil {
		return fmt.Errorf("reading %s: %w", url, err)
	}
	if err := json.Unmarshal(content, into); err != nil {
		return fmt.Errorf("reading %s: %w", url, err)
	}
	return nil
}
