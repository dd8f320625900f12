package state

import (
	"fmt"
	"slices"
	"strings"
)

// SetFederatedCredential adds a federated credential to an application, or replaces the one of the same name. It begins to
// work after its PropagationSeconds.
func (s *State) SetFederatedCredential(clientID string, credential FederatedCredential) error {
	_, err := s.setCredential(clientID, credential, nil)
	return err
}

// PutFederatedCredential is SetFederatedCredential as Azure Resource Manager does it: the credential propagates as the settings
// say, one that is the same already changes nothing, and ErrExists tells that another has its issuer and subject. It says whether
// there was none of the name.
func (s *State) PutFederatedCredential(clientID string, credential FederatedCredential) (created bool, err error) {
	credential.PropagationSeconds = s.ManagementSettings().CredentialPropagationSeconds
	return s.setCredential(clientID, credential, func(others []FederatedCredential) error {
		if slices.ContainsFunc(others, func(c FederatedCredential) bool {
			return c.live() && c.Issuer == credential.Issuer && c.Subject == credential.Subject
		}) {
			return fmt.Errorf("federated credential %s: its issuer and subject: %w", credential.Name, ErrExists)
		}
		return nil
	})
}

func (s *State) setCredential(
	clientID string, credential FederatedCredential, check func(others []FederatedCredential) error,
) (created bool, err error) {
	credential, err = checkCredential(credential, s.now())
	if err != nil {
		return false, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	app := s.application(func(a *Application) bool { return strings.EqualFold(a.ClientID, clientID) })
	if app == nil {
		return false, fmt.Errorf("application %s: %w", clientID, ErrUnknown)
	}
	others := slices.Clone(app.FederatedCredentials)
	at := slices.IndexFunc(others, func(c FederatedCredential) bool { return c.live() && c.Name == credential.Name })
	if at >= 0 {
		if check != nil && others[at].same(credential) {
			return false, nil
		}
		others = slices.Delete(others, at, at+1)
	}
	if check != nil {
		if err := check(others); err != nil {
			return false, err
		}
	}
	if n := len(live(others)); n >= MaxFederatedCredentials {
		return false, fmt.Errorf("application %s has %d federated credentials, %w", clientID, n, ErrTooMany)
	}
	app.FederatedCredentials = append(others, credential)
	return at < 0, nil
}

// RemoveFederatedCredential takes a federated credential away, at once.
func (s *State) RemoveFederatedCredential(clientID, name string) error {
	return s.endCredential(clientID, name, 0)
}

// DeleteFederatedCredential takes a federated credential away; it still works until that has propagated.
func (s *State) DeleteFederatedCredential(clientID, name string) error {
	return s.endCredential(clientID, name, s.ManagementSettings().CredentialPropagationSeconds)
}

func (s *State) endCredential(clientID, name string, delay int) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	app := s.application(func(a *Application) bool { return strings.EqualFold(a.ClientID, clientID) })
	if app == nil {
		return fmt.Errorf("application %s: %w", clientID, ErrUnknown)
	}
	credentials, now := slices.Clone(app.FederatedCredentials), s.now()
	at := slices.IndexFunc(credentials, func(c FederatedCredential) bool { return c.live() && strings.EqualFold(c.Name, name) })
	if at < 0 {
		return fmt.Errorf("federated credential %s of application %s: %w", name, clientID, ErrUnknown)
	}
	credentials[at].ends = now.Add(seconds(delay))
	app.FederatedCredentials = slices.DeleteFunc(credentials, func(c FederatedCredential) bool { return c.ended(now) })
	return nil
}

// LiveCredentials are the federated credentials that are not deleted, sorted by name.
func (a Application) LiveCredentials() []FederatedCredential {
	list := live(a.FederatedCredentials)
	slices.SortFunc(list, func(a, b FederatedCredential) int { return strings.Compare(a.Name, b.Name) })
	return list
}

func live(credentials []FederatedCredential) []FederatedCredential {
	return slices.DeleteFunc(slices.Clone(credentials), func(c FederatedCredential) bool { return !c.live() })
}

func (c FederatedCredential) live() bool { return c.ends.IsZero() }

func (c FederatedCredential) same(other FederatedCredential) bool {
	return c.Issuer == other.Issuer && c.Subject == other.Subject && slices.Equal(c.Audiences, other.Audiences)
}
