package state

import (
	"slices"
	"strings"
)

// What an application may do at Microsoft Graph.
const (
	GraphRead  = "read"
	GraphWrite = "write"
)

// Principal finds a tenant's service principal by its client ID or its object ID.
func (s *State) Principal(tenantID, id string) (Application, bool) {
	return s.lookUp(tenantID, func(a *Application) bool {
		return strings.EqualFold(a.ClientID, id) || strings.EqualFold(a.ObjectID, id)
	})
}

// Registration finds a tenant's application by its client ID or its RegistrationID. A managed identity has no registration.
func (s *State) Registration(tenantID, id string) (Application, bool) {
	return s.lookUp(tenantID, func(a *Application) bool {
		return a.Kind == KindApplication && (strings.EqualFold(a.ClientID, id) || strings.EqualFold(a.RegistrationID, id))
	})
}

func (s *State) lookUp(tenantID string, is func(*Application) bool) (Application, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	app := s.application(func(a *Application) bool { return strings.EqualFold(a.TenantID, tenantID) && is(a) })
	if app == nil {
		return Application{}, false
	}
	return s.copyOf(app), true
}

// SetDisabled ends that a principal can sign in, or lets it again, at once.
func (s *State) SetDisabled(objectID string, disabled bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if app := s.application(func(a *Application) bool { return strings.EqualFold(a.ObjectID, objectID) }); app != nil {
		app.Disabled = disabled
	}
}

// DeleteRegistration takes an application and its service principal away, so that they can be restored.
func (s *State) DeleteRegistration(registrationID string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.applications, s.deleted = move(s.applications, s.deleted, func(a *Application) bool {
		return a.RegistrationID != "" && a.RegistrationID == registrationID
	})
}

// RestoreRegistration brings a tenant's deleted application back, with all that it had; false if there is none to restore.
func (s *State) RestoreRegistration(tenantID, registrationID string) (Application, bool) {
	s.mu.Lock()
	deleted := len(s.deleted)
	s.deleted, s.applications = move(s.deleted, s.applications, func(a *Application) bool {
		return strings.EqualFold(a.TenantID, tenantID) && strings.EqualFold(a.RegistrationID, registrationID)
	})
	restored := len(s.deleted) < deleted
	s.mu.Unlock()
	if !restored {
		return Application{}, false
	}
	return s.Registration(tenantID, registrationID)
}

// DeletedRegistrations are a tenant's applications that can be restored, the one deleted first first.
func (s *State) DeletedRegistrations(tenantID string) []Application {
	s.mu.RLock()
	defer s.mu.RUnlock()
	var list []Application
	for _, app := range s.deleted {
		if strings.EqualFold(app.TenantID, tenantID) {
			list = append(list, s.copyOf(app))
		}
	}
	return list
}

// move takes the first that fits from one list to the end of another.
func move(from, to []*Application, is func(*Application) bool) (left, grown []*Application) {
	i := slices.IndexFunc(from, is)
	if i < 0 {
		return from, to
	}
	return slices.Delete(slices.Clone(from), i, i+1), append(to, from[i])
}
