// Package akv is the [source.Source] that reads Azure Key Vault: secrets, certificates and keys, and their versions.
//
// It asks the vault the least. What one check has read serves all others of the same identity for half a minute; an object that
// is still as it was, as a list of all tells, is not read again where listing takes fewer requests; requests to a vault keep
// within a budget and stop when it throttles or is away ([secretstore/internal/azure/pace]).
//
// For each identity it holds one Entra credential, and for each vault of that identity one client of each kind of
// object. Nothing is shared between identities but the pace, and [Source.Forget] drops all of an identity's at once. It asks once
// and does not retry, but for a token that the vault no longer takes: when to ask again is the controller's decision. Every call
// has a deadline.
package akv

import (
	"context"
	"net/http"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
	"k8s.io/utils/clock"

	"secretstore/internal/azure/entra"
	"secretstore/internal/azure/pace"
	"secretstore/internal/fault"
	"secretstore/internal/source"
)

const (
	// callTimeout bounds one call to a vault with the token exchange that it may need; listTimeout bounds all pages of a list.
	callTimeout, listTimeout = 30 * time.Second, 2 * time.Minute
	// callsAtOnce is how many objects of one request are read at the same time, once the first was answered.
	callsAtOnce = 4
	// heldBytes bounds what is held for others to share, over all vaults.
	heldBytes = 16 << 20
)

// TokenFunc returns a fresh token of a service account for the given audience. Its errors should be faults.
type TokenFunc func(ctx context.Context, account source.ServiceAccount, audience string) (string, error)

// Observer sees what is asked and what is not.
type Observer interface {
	// Transport wraps the transport of a cloud whose vaults have the DNS suffix. It is called once for each cloud.
	Transport(next http.RoundTripper, vaultSuffix string) http.RoundTripper
	// Paused is called when a vault, or Entra for "", is left alone until a time.
	Paused(vault string, until time.Time, throttled bool)
	// Saved is called for each request that need not be made.
	Saved(vault, by string)
}

// What saves a request: an answer that another check has got, or a list that tells that an object has not changed.
const (
	SavedByOthers = "shared"
	SavedBySweep  = "sweep"
)

// Options say how to read vaults. All are required.
type Options struct {
	Clouds entra.Clouds
	// Token is asked for a service account's token whenever an access token is needed.
	Token    TokenFunc
	Observer Observer
	Clock    clock.WithDelayedExecution
	// Chance gives a number from 0 up to 1, another one each time.
	Chance func() float64
	// RequestsPerSecond is the budget of each vault.
	RequestsPerSecond float64
	// AtOnce is how many requests of the port may wait for the same vault at the same time.
	AtOnce int
}

// Source reads the vaults of all clouds. Make it with [New]; it is safe for concurrent use.
type Source struct {
	options Options
	clients map[string]*http.Client // by the cloud's name
	held    *budget

	mu       sync.Mutex
	sessions map[source.Identity]*session

	hostsMu sync.Mutex
	hosts   map[string]*pace.Host // by base URL
}

var _ source.Source = (*Source)(nil)

// New makes a Source.
func New(o Options) (*Source, error) {
	clients := map[string]*http.Client{}
	for _, cloud := range o.Clouds.All() {
		client, err := cloud.HTTPClient()
		if err != nil {
			return nil, err
		}
		client.Transport = o.Observer.Transport(client.Transport, cloud.VaultDNSSuffix)
		clients[cloud.Name] = client
	}
	return &Source{
		options: o, clients: clients, held: &budget{left: heldBytes},
		sessions: map[source.Identity]*session{}, hosts: map[string]*pace.Host{},
	}, nil
}

// host is the pace of a host, by its base URL: one for all identities. vault names it for the observer.
func (s *Source) host(url, vault string) *pace.Host {
	s.hostsMu.Lock()
	defer s.hostsMu.Unlock()
	if h, ok := s.hosts[url]; ok {
		return h
	}
	h := pace.New(pace.Options{
		RequestsPerSecond: s.options.RequestsPerSecond,
		AtOnce:            s.options.AtOnce,
		Clock:             s.options.Clock,
		Chance:            s.options.Chance,
		RetryAfter:        entra.RetryAfter,
		Paused: func(until time.Time, why pace.RefusedError) {
			s.options.Observer.Paused(vault, until, why.Throttled)
		},
	})
	s.hosts[url] = h
	return h
}

func (s *Source) assertion(account source.ServiceAccount) entra.AssertionFunc {
	return func(ctx context.Context, audience string) (string, error) {
		return s.options.Token(ctx, account, audience)
	}
}

// Fetch implements [source.Source]. A token that the vault does not take any more, because it was revoked or has expired, is
// replaced once.
func (s *Source) Fetch(ctx context.Context, req source.Request) []source.Answer {
	answers, held := s.fetch(ctx, req)
	for _, answer := range answers {
		if err := firstError(answer); err != nil && fault.Of(err).Kind == fault.TokenRefused {
			s.renew(req.Identity, held)
			answers, _ = s.fetch(ctx, req)
			break
		}
	}
	return answers
}

// fetch reads the first object alone: if the vault or the identity as a whole is at fault, the others get the same answer
// without being asked for.
func (s *Source) fetch(ctx context.Context, req source.Request) ([]source.Answer, *session) {
	answers := make([]source.Answer, len(req.Objects))
	if len(answers) == 0 {
		return nil, nil
	}
	held, err := s.session(req.Identity)
	if err != nil {
		return fill(answers, err), nil
	}
	vault, err := s.vault(held, req.Vault)
	if err != nil {
		return fill(answers, err), held
	}
	held.entra.Retry(req.Edited)
	vault.host.Retry(req.Edited)
	leave, err := vault.host.Enter(req.Who, req.Wake)
	if err != nil {
		return fill(answers, notEntered(err, operation{vault: vault.name, object: req.Objects[0]})), held
	}
	defer leave()
	if err := held.refusal(req.NotBefore, s.options.Clock.Now()); err != nil {
		return fill(answers, err), held
	}
	v := visit{source: s, session: held, vault: vault, request: req}
	answers[0] = s.one(ctx, v, 0)
	if err := firstError(answers[0]); err != nil && concernsAll(err) {
		return fill(answers, err), held
	}
	var group errgroup.Group
	group.SetLimit(callsAtOnce)
	for i := 1; i < len(answers); i++ {
		group.Go(func() error {
			answers[i] = s.one(ctx, v, i)
			return nil
		})
	}
	_ = group.Wait() // its functions return no errors: each answer carries its own
	return answers, held
}

// unwoken is when one that is to be woken comes again by itself.
const unwoken = 10 * time.Second

func notEntered(err error, op operation) *fault.Error {
	f := explain(err, op)
	if f.Kind == fault.Deferred {
		f.RetryAfter = unwoken
	}
	return f
}

func (s *Source) one(ctx context.Context, v visit, i int) source.Answer {
	var seen source.Stamp
	if i < len(v.request.Seen) {
		seen = v.request.Seen[i]
	}
	answer := v.answer(ctx, v.request.Objects[i], seen)
	if err := firstError(answer); err != nil && ctx.Err() != nil {
		return failure(&fault.Error{Kind: fault.Cancelled, Message: "the check was interrupted", Detail: err})
	}
	return answer
}

func fill(answers []source.Answer, err error) []source.Answer {
	for i := range answers {
		answers[i] = failure(err)
	}
	return answers
}

// firstError is the first thing that went wrong with an object, nil if nothing did.
func firstError(answer source.Answer) error {
	if answer.Err != nil {
		return answer.Err
	}
	for _, version := range answer.Versions {
		if version.Err != nil {
			return version.Err
		}
	}
	return nil
}

// concernsAll says whether a failure is one of the vault or the identity rather than of the object that met it.
func concernsAll(err error) bool {
	switch fault.Of(err).Kind {
	case fault.IdentityRejected, fault.TokenRefused, fault.NetworkRefused, fault.Throttled, fault.Unreachable, fault.Cancelled,
		fault.Deferred, fault.PolicyRefused, fault.SpecInvalid, fault.ClassInvalid:
		return true
	default:
		return false
	}
}

// Expect implements [source.Source].
func (s *Source) Expect(req source.Request, at time.Time) {
	held, err := s.session(req.Identity)
	if err != nil {
		return // there is nothing to plan for a cloud that does not exist
	}
	vault, err := s.vault(held, req.Vault)
	if err != nil {
		return
	}
	for _, object := range req.Objects {
		if kind, ok := vault.kinds[object.Type]; ok && object.Version == "" && object.History <= 1 {
			kind.sweep.expect(object.Name, at)
		}
	}
}

// Forget implements [source.Source].
func (s *Source) Forget(account source.ServiceAccount) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for id, held := range s.sessions {
		if id.Account == account {
			held.drop()
			delete(s.sessions, id)
		}
	}
}

// renew drops what is held for an identity, unless that has been done already.
func (s *Source) renew(id source.Identity, held *session) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.sessions[id] == held {
		held.drop()
		delete(s.sessions, id)
	}
}
