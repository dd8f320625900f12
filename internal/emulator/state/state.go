package state

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"
)

// MaxFederatedCredentials is how many one application has at most (learn.microsoft.com,
// workload-identity-federation-considerations).
const MaxFederatedCredentials = 20

// ErrUnknown says that no application, credential, vault or role assignment has the name.
var ErrUnknown = errors.New("unknown")

// State is everything that the emulated services remember.
type State struct {
	// AuthorityHosts are the host names of Entra, the first being the one that it calls itself.
	AuthorityHosts []string
	// VaultDNSSuffix is what follows a vault's name in its host name.
	VaultDNSSuffix string

	now    func() time.Time
	random io.Reader
	vaults map[string]*Vault // by name in lower case; fixed once the state is made

	mu           sync.RWMutex
	tenants      []Tenant
	applications []*Application
}

// Tenant finds a tenant by its ID or its domain.
func (s *State) Tenant(idOrDomain string) (Tenant, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	i := slices.IndexFunc(s.tenants, func(t Tenant) bool {
		return strings.EqualFold(t.ID, idOrDomain) || (t.Domain != "" && strings.EqualFold(t.Domain, idOrDomain))
	})
	if i < 0 {
		return Tenant{}, false
	}
	return s.tenants[i], true
}

// Application finds a tenant's application by its client ID.
func (s *State) Application(tenantID, clientID string) (Application, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	app := s.application(func(a *Application) bool {
		return strings.EqualFold(a.TenantID, tenantID) && strings.EqualFold(a.ClientID, clientID)
	})
	if app == nil {
		return Application{}, false
	}
	found := *app
	found.FederatedCredentials = slices.Clone(app.FederatedCredentials)
	return found, true
}

func (s *State) application(is func(*Application) bool) *Application {
	if i := slices.IndexFunc(s.applications, is); i >= 0 {
		return s.applications[i]
	}
	return nil
}

// SetFederatedCredential adds a federated credential to an application, or replaces the one of the same name. It begins to
// work after its PropagationSeconds.
func (s *State) SetFederatedCredential(clientID string, credential FederatedCredential) error {
	credential, err := checkCredential(credential, s.now())
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	app := s.application(func(a *Application) bool { return strings.EqualFold(a.ClientID, clientID) })
	if app == nil {
		return fmt.Errorf("application %s: %w", clientID, ErrUnknown)
	}
	others := slices.DeleteFunc(slices.Clone(app.FederatedCredentials), func(c FederatedCredential) bool {
		return c.Name == credential.Name
	})
	if len(others) >= MaxFederatedCredentials {
		return fmt.Errorf("application %s has %d federated credentials, which is the most that Entra allows", clientID, len(others))
	}
	app.FederatedCredentials = append(others, credential)
	return nil
}

// RemoveFederatedCredential takes a federated credential away, at once.
func (s *State) RemoveFederatedCredential(clientID, name string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	app := s.application(func(a *Application) bool { return strings.EqualFold(a.ClientID, clientID) })
	if app == nil {
		return fmt.Errorf("application %s: %w", clientID, ErrUnknown)
	}
	others := slices.DeleteFunc(slices.Clone(app.FederatedCredentials), func(c FederatedCredential) bool { return c.Name == name })
	if len(others) == len(app.FederatedCredentials) {
		return fmt.Errorf("federated credential %s of application %s: %w", name, clientID, ErrUnknown)
	}
	app.FederatedCredentials = others
	return nil
}

// Vault finds a vault by its name.
func (s *State) Vault(name string) (*Vault, bool) {
	vault, ok := s.vaults[strings.ToLower(name)]
	return vault, ok
}

// Vaults are all vaults, sorted by name.
func (s *State) Vaults() []*Vault {
	return slices.SortedFunc(maps.Values(s.vaults), func(a, b *Vault) int { return cmp.Compare(a.Name, b.Name) })
}

// AddRoleAssignment gives a principal a role on a vault, at once. To give it again changes nothing.
func (s *State) AddRoleAssignment(vault string, assignment RoleAssignment) error {
	return s.changeRoles(vault, assignment, func(v *Vault, a RoleAssignment) error {
		if !slices.Contains(v.assignments, a) {
			v.assignments = append(v.assignments, a)
		}
		return nil
	})
}

// RemoveRoleAssignment takes a principal's role on a vault away, at once.
func (s *State) RemoveRoleAssignment(vault string, assignment RoleAssignment) error {
	return s.changeRoles(vault, assignment, func(v *Vault, a RoleAssignment) error {
		left := slices.DeleteFunc(slices.Clone(v.assignments), func(given RoleAssignment) bool { return given == a })
		if len(left) == len(v.assignments) {
			return fmt.Errorf("role assignment of %s to %s: %w", a.Role, a.PrincipalID, ErrUnknown)
		}
		v.assignments = left
		return nil
	})
}

func (s *State) changeRoles(vault string, a RoleAssignment, change func(*Vault, RoleAssignment) error) error {
	v, ok := s.Vault(vault)
	if !ok {
		return fmt.Errorf("vault %s: %w", vault, ErrUnknown)
	}
	s.mu.RLock()
	a, err := s.checkAssignment(a)
	s.mu.RUnlock()
	if err != nil {
		return err
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	return change(v, a)
}

// SetNetwork changes whom a vault listens to, at once. What is left empty stays as it is.
func (s *State) SetNetwork(vault string, network Network) error {
	v, ok := s.Vault(vault)
	if !ok {
		return fmt.Errorf("vault %s: %w", vault, ErrUnknown)
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	network.PublicNetworkAccess = cmp.Or(network.PublicNetworkAccess, v.network.PublicNetworkAccess)
	network.Firewall = cmp.Or(network.Firewall, v.network.Firewall)
	if err := checkNetwork(network); err != nil {
		return err
	}
	v.network = network
	return nil
}
