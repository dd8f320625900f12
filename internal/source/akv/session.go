package akv

import (
	"errors"
	"strings"
	"sync"
	"time"

	"secretstore/internal/azure/entra"
	"secretstore/internal/azure/pace"
	"secretstore/internal/fault"
	"secretstore/internal/source"
)

// session is what is held for one identity.
type session struct {
	cloud      entra.Cloud
	entra      *pace.Host
	credential *entra.Credential

	mu      sync.Mutex
	vaults  map[string]*vault
	used    time.Time
	refused *fault.Error // why there was no token for the identity
	began   time.Time    // when the request began that it was the answer to
}

// note remembers why the identity got no token. A fault that comes from a call as it is comes from there: what the vault answers
// becomes one only afterwards.
func (s *session) note(began time.Time, err error) {
	refused, ok := errors.AsType[*fault.Error](err)
	if !ok || forOneOnly(refused) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refused, s.began = refused, began
}

// refusal is why the identity got no token, if that is young enough to hold for who asks now.
func (s *session) refusal(notBefore, now time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.refused == nil || s.began.Before(notBefore) || now.Sub(s.began) > shareFor {
		return nil
	}
	return s.refused
}

// idleFor is how long what is held for an identity that nobody uses stays: longer than any interval of checks that is usual.
const idleFor = 25 * time.Hour

// session returns what is held for an identity, making it at the first call.
func (s *Source) session(id source.Identity) (*session, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.options.Clock.Now()
	held, ok := s.sessions[id]
	if !ok {
		s.dropIdle(now)
		var err error
		if held, err = s.newSession(id); err != nil {
			return nil, err
		}
		s.sessions[id] = held
	}
	held.used = now
	return held, nil
}

func (s *Source) dropIdle(now time.Time) {
	for id, held := range s.sessions {
		if now.Sub(held.used) > idleFor {
			held.drop()
			delete(s.sessions, id)
		}
	}
}

func (s *Source) newSession(id source.Identity) (*session, error) {
	cloud, err := s.options.Clouds.Named(id.Cloud)
	if err != nil {
		return nil, fault.New(fault.ClassInvalid, "spec.parameters.cloudName of the SecretProviderClass: %v", err)
	}
	subject := entra.Subject{
		TenantID: id.TenantID, ClientID: id.ClientID,
		Namespace: id.Account.Namespace, ServiceAccount: id.Account.Name,
	}
	host := s.host(cloud.Authority, "")
	client := host.Transport(s.clients[cloud.Name])
	credential, err := entra.NewCredential(cloud, client, subject, s.assertion(id.Account))
	if err != nil {
		return nil, err
	}
	return &session{cloud: cloud, entra: host, credential: credential, vaults: map[string]*vault{}}, nil
}

// vault returns the clients of a vault for an identity, making them at the first call.
func (s *Source) vault(held *session, name string) (*vault, error) {
	held.mu.Lock()
	defer held.mu.Unlock()
	name = strings.ToLower(name)
	if v, ok := held.vaults[name]; ok {
		return v, nil
	}
	v, err := s.newVault(held.cloud, held.credential, name)
	if err != nil {
		return nil, err
	}
	held.vaults[name] = v
	return v, nil
}

func (s *session) drop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, v := range s.vaults {
		v.drop()
	}
}
