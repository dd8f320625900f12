// Package akv is the [source.Source] that reads Azure Key Vault: secrets, certificates and keys, and their versions.
//
// For each identity it holds one Entra credential, and for each vault of that identity one client of each kind of
// object. Nothing is shared between identities, and [Source.Forget] drops all of an identity's at once. It asks once and
// does not retry: when to ask again is the controller's decision. Every call has a deadline.
package akv

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"secretstore/internal/azure/entra"
	"secretstore/internal/fault"
	"secretstore/internal/secretdata"
	"secretstore/internal/source"
	"secretstore/internal/spcparams"
)

const (
	// callTimeout bounds one call to a vault with the token exchange that it may need.
	callTimeout = 30 * time.Second
	// callsAtOnce is how many objects of one request are read at the same time, once the first was answered.
	callsAtOnce = 4
)

// TokenFunc returns a fresh token of a service account for the given audience. Its errors should be faults.
type TokenFunc func(ctx context.Context, account source.ServiceAccount, audience string) (string, error)

// Observer wraps the transport of a cloud whose vaults have the DNS suffix, to see what is asked.
type Observer func(next http.RoundTripper, vaultSuffix string) http.RoundTripper

// Source reads the vaults of all clouds. Make it with [New]; it is safe for concurrent use.
type Source struct {
	clouds  entra.Clouds
	clients map[string]*http.Client // by the cloud's name
	token   TokenFunc

	mu       sync.Mutex
	sessions map[source.Identity]*session
}

var _ source.Source = (*Source)(nil)

// New makes a Source. token is asked for a service account's token whenever an access token is needed; observe is asked once
// for each cloud.
func New(clouds entra.Clouds, token TokenFunc, observe Observer) (*Source, error) {
	clients := map[string]*http.Client{}
	for _, cloud := range clouds.All() {
		client, err := cloud.HTTPClient()
		if err != nil {
			return nil, err
		}
		client.Transport = observe(client.Transport, cloud.VaultDNSSuffix)
		clients[cloud.Name] = client
	}
	return &Source{clouds: clouds, clients: clients, token: token, sessions: map[source.Identity]*session{}}, nil
}

// Fetch implements [source.Source]. The first object is read alone: if the vault or the identity as a whole is at fault,
// the others get the same answer without being asked for.
func (s *Source) Fetch(ctx context.Context, req source.Request) []secretdata.Result {
	results := make([]secretdata.Result, len(req.Objects))
	vault, err := s.vault(req.Identity, req.Vault)
	if err != nil {
		return fill(results, err)
	}
	if len(results) == 0 {
		return nil
	}
	results[0] = s.read(ctx, vault, req.Identity, req.Objects[0])
	if err := firstError(results[0]); err != nil && concernsAll(err) {
		return fill(results, err)
	}
	var group errgroup.Group
	group.SetLimit(callsAtOnce)
	for i := 1; i < len(results); i++ {
		group.Go(func() error {
			results[i] = s.read(ctx, vault, req.Identity, req.Objects[i])
			return nil
		})
	}
	_ = group.Wait() // its functions return no errors: each result carries its own
	return results
}

func fill(results []secretdata.Result, err error) []secretdata.Result {
	for i := range results {
		results[i] = secretdata.Result{Err: err}
	}
	return results
}

// firstError is the first thing that went wrong with an object, nil if nothing did.
func firstError(result secretdata.Result) error {
	if result.Err != nil {
		return result.Err
	}
	for _, version := range result.Versions {
		if version.Err != nil {
			return version.Err
		}
	}
	return nil
}

// concernsAll says whether a failure is one of the vault or the identity rather than of the object that met it.
func concernsAll(err error) bool {
	switch fault.Of(err).Kind {
	case fault.IdentityRejected, fault.NetworkRefused, fault.Throttled, fault.Unreachable, fault.Cancelled,
		fault.PolicyRefused, fault.SpecInvalid, fault.ClassInvalid:
		return true
	default:
		return false
	}
}

func (s *Source) read(ctx context.Context, v *vault, id source.Identity, object spcparams.Object) secretdata.Result {
	callCtx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	result := v.read(callCtx, object)
	err := firstError(result)
	if err == nil {
		return result
	}
	if ctx.Err() != nil {
		return secretdata.Result{Err: &fault.Error{Kind: fault.Cancelled, Message: "the check was interrupted", Detail: err}}
	}
	if fault.Of(err).Kind == fault.IdentityRejected {
		// The token may have been revoked: the next look exchanges a new one.
		s.drop(func(other source.Identity) bool { return other == id })
	}
	return result
}

// Forget implements [source.Source].
func (s *Source) Forget(account source.ServiceAccount) {
	s.drop(func(id source.Identity) bool { return id.Account == account })
}

func (s *Source) drop(match func(source.Identity) bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for id := range s.sessions {
		if match(id) {
			delete(s.sessions, id)
		}
	}
}

// session is what is held for one identity.
type session struct {
	cloud      entra.Cloud
	credential *entra.Credential
	vaults     map[string]*vault
}

// vault returns the clients of a vault for an identity, making them at the first call.
func (s *Source) vault(id source.Identity, name string) (*vault, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	held, ok := s.sessions[id]
	if !ok {
		var err error
		if held, err = s.newSession(id); err != nil {
			return nil, err
		}
		s.sessions[id] = held
	}
	name = strings.ToLower(name)
	if v, ok := held.vaults[name]; ok {
		return v, nil
	}
	v, err := newVault(held.cloud, s.clients[held.cloud.Name], held.credential, name)
	if err != nil {
		return nil, err
	}
	held.vaults[name] = v
	return v, nil
}

func (s *Source) newSession(id source.Identity) (*session, error) {
	cloud, err := s.clouds.Named(id.Cloud)
	if err != nil {
		return nil, fault.New(fault.ClassInvalid, "spec.parameters.cloudName of the SecretProviderClass: %v", err)
	}
	subject := entra.Subject{
		TenantID: id.TenantID, ClientID: id.ClientID,
		Namespace: id.Account.Namespace, ServiceAccount: id.Account.Name,
	}
	assertion := func(ctx context.Context, audience string) (string, error) { return s.token(ctx, id.Account, audience) }
	credential, err := entra.NewCredential(cloud, s.clients[cloud.Name], subject, assertion)
	if err != nil {
		return nil, err
	}
	return &session{cloud: cloud, credential: credential, vaults: map[string]*vault{}}, nil
}
