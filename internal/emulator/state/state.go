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
	groups groups            // likewise fixed

	assignments *assignments

	mu           sync.RWMutex
	tenants      []Tenant
	applications []*Application
	deleted      []*Application // that can be restored
	clusters     []*cluster
	operations   map[string]Operation // by ID
	settings     ManagementSettings
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
	return s.copyOf(app), true
}

// copyOf gives an application with those of its credentials that still work.
func (s *State) copyOf(app *Application) Application {
	found, now := *app, s.now()
	found.FederatedCredentials = slices.DeleteFunc(slices.Clone(app.FederatedCredentials), func(c FederatedCredential) bool {
		return c.ended(now)
	})
	return found
}

func (s *State) application(is func(*Application) bool) *Application {
	if i := slices.IndexFunc(s.applications, is); i >= 0 {
		return s.applications[i]
	}
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
	a, err := s.vaultAssignment(vault, assignment)
	if err != nil {
		return err
	}
	if _, _, err = s.assignments.add(a); errors.Is(err, ErrExists) {
		return nil
	}
	return err
}

// RemoveRoleAssignment takes a principal's role on a vault away, at once.
func (s *State) RemoveRoleAssignment(vault string, assignment RoleAssignment) error {
	a, err := s.vaultAssignment(vault, assignment)
	if err != nil {
		return err
	}
	same, ok := s.assignments.get(a.same)
	if !ok {
		return fmt.Errorf("role assignment of %s to %s: %w", a.Role.Name, a.PrincipalID, ErrUnknown)
	}
	s.assignments.remove(same, 0)
	return nil
}

func (s *State) vaultAssignment(vault string, a RoleAssignment) (Assignment, error) {
	v, ok := s.Vault(vault)
	if !ok {
		return Assignment{}, fmt.Errorf("vault %s: %w", vault, ErrUnknown)
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.checkAssignment(v, a)
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
