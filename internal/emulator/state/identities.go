package state

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// What tells why Azure Resource Manager refuses a change.
var (
	// ErrExists says that there is one already.
	ErrExists = errors.New("it exists already")
	// ErrTooMany says that an application has as many federated credentials as it may have.
	ErrTooMany = errors.New("which is the most that Entra allows")
	// ErrNoPrincipal says that Entra knows no principal of an object ID.
	ErrNoPrincipal = errors.New("there is no such principal")
	// ErrImmutable says that what was asked for may not be changed once it is made.
	ErrImmutable = errors.New("it cannot be changed")
)

// IdentityID is what Azure Resource Manager calls a managed identity. Its own answers write "resourcegroups" there.
func (a Application) IdentityID() string {
	return fmt.Sprintf("/subscriptions/%s/resourcegroups/%s/providers/Microsoft.ManagedIdentity/userAssignedIdentities/%s",
		a.SubscriptionID, a.ResourceGroup, a.Name)
}

// Identities are the managed identities that are in resource groups, sorted by ID.
func (s *State) Identities() []Application {
	s.mu.RLock()
	defer s.mu.RUnlock()
	var list []Application
	for _, app := range s.applications {
		if app.ResourceGroup != "" {
			list = append(list, s.copyOf(app))
		}
	}
	slices.SortFunc(list, func(a, b Application) int { return cmp.Compare(a.IdentityID(), b.IdentityID()) })
	return list
}

// Identity finds a managed identity by its place and its name.
func (s *State) Identity(subscriptionID, group, name string) (Application, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	app := s.identity(subscriptionID, group, name)
	if app == nil {
		return Application{}, false
	}
	return s.copyOf(app), true
}

func (s *State) identity(subscriptionID, group, name string) *Application {
	return s.application(func(a *Application) bool {
		return a.ResourceGroup != "" && strings.EqualFold(a.SubscriptionID, subscriptionID) &&
			strings.EqualFold(a.ResourceGroup, group) && strings.EqualFold(a.Name, name)
	})
}

// PutIdentity makes a managed identity in a resource group, which Entra knows at once, or changes the tags of the one that is
// there; it says whether there was none. Place, name and tags are those of the application given. ErrImmutable tells that it
// is in another location.
func (s *State) PutIdentity(wanted Application) (kept Application, created bool, err error) {
	clientID, errClient := s.newGUID()
	objectID, errObject := s.newGUID()
	if err := errors.Join(errClient, errObject); err != nil {
		return wanted, false, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	app := s.identity(wanted.SubscriptionID, wanted.ResourceGroup, wanted.Name)
	if app == nil {
		wanted.Kind, wanted.ClientID, wanted.ObjectID = KindManagedIdentity, clientID, objectID
		wanted.TokenLifetimeSeconds, wanted.created = managedIdentityTokenSeconds, s.now()
		s.applications = append(s.applications, &wanted)
		return s.copyOf(&wanted), true, nil
	}
	if !strings.EqualFold(app.Location, wanted.Location) {
		return s.copyOf(app), false, ErrImmutable
	}
	app.Tags = wanted.Tags
	return s.copyOf(app), false, nil
}

// DeleteIdentity takes a managed identity away, for good and at once: Entra no longer knows it.
func (s *State) DeleteIdentity(subscriptionID, group, name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	app := s.identity(subscriptionID, group, name)
	s.applications = slices.DeleteFunc(s.applications, func(a *Application) bool { return a == app })
}
