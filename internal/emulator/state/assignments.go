package state

import (
	"slices"
	"strings"
	"sync"
	"time"
)

// Types of principal that a role assignment may name.
const (
	PrincipalServicePrincipal = "ServicePrincipal"
	PrincipalUser             = "User"
	PrincipalGroup            = "Group"
)

// Assignment is a role assignment as Azure Resource Manager keeps it.
type Assignment struct {
	// Name is a GUID; Scope the ID of a subscription, a group, a resource or an object in a vault, or "/" for everything.
	Name, Scope string
	// PrincipalID is an object ID.
	PrincipalID, PrincipalType string
	Role                       Role
	// Description is for people; CreatedBy is an object ID, empty for what was seeded.
	Description, CreatedBy string
	Created                time.Time

	effective time.Time
	ends      time.Time // when a deleted one is forgotten everywhere; zero for one that is not deleted
}

// assignments are all role assignments of Azure. Vaults and Azure Resource Manager decide by the same ones.
type assignments struct {
	now func() time.Time

	mu   sync.RWMutex
	list []Assignment
}

// add keeps an assignment, unless the same role is given to the same principal on the same scope already: that gives ErrExists
// and the one that is there. The name of another gives ErrImmutable; the very same one again changes nothing.
func (l *assignments) add(a Assignment) (kept Assignment, created bool, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	same, named := l.find(a.same), l.find(a.named)
	switch {
	case named != nil && same != nil && same.Name == named.Name:
		return *named, false, nil
	case named != nil:
		return *named, false, ErrImmutable
	case same != nil:
		return *same, false, ErrExists
	}
	l.list = append(l.list, a)
	return a, true, nil
}

// get gives a copy of the first that is not deleted and fits.
func (l *assignments) get(fits func(Assignment) bool) (Assignment, bool) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	if found := l.find(fits); found != nil {
		return *found, true
	}
	return Assignment{}, false
}

func (l *assignments) find(fits func(Assignment) bool) *Assignment {
	i := slices.IndexFunc(l.list, func(a Assignment) bool { return a.ends.IsZero() && fits(a) })
	if i < 0 {
		return nil
	}
	return &l.list[i]
}

// same says whether another gives the same role to the same principal on the same scope.
func (a Assignment) same(other Assignment) bool {
	return sameScope(a.Scope, other.Scope) && strings.EqualFold(a.PrincipalID, other.PrincipalID) && a.Role.ID == other.Role.ID
}

// named says whether another has the same name on the same scope.
func (a Assignment) named(other Assignment) bool {
	return sameScope(a.Scope, other.Scope) && strings.EqualFold(a.Name, other.Name)
}

// remove deletes an assignment, which still works for a while.
func (l *assignments) remove(a Assignment, delay time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.now()
	if found := l.find(a.named); found != nil {
		found.ends = now.Add(delay)
	}
	l.list = slices.DeleteFunc(l.list, func(a Assignment) bool { return a.ended(now) })
}

// all gives those that are not deleted.
func (l *assignments) all() []Assignment {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return slices.DeleteFunc(slices.Clone(l.list), func(a Assignment) bool { return !a.ends.IsZero() })
}

// allow says whether a principal has a role on a resource, or on what it is in, that permits something.
func (l *assignments) allow(principalID, resource string, permits func(Role) bool) bool {
	l.mu.RLock()
	defer l.mu.RUnlock()
	now := l.now()
	return slices.ContainsFunc(l.list, func(a Assignment) bool {
		return strings.EqualFold(a.PrincipalID, principalID) && Covers(a.Scope, resource) && permits(a.Role) &&
			!now.Before(a.effective) && !a.ended(now)
	})
}

func (a Assignment) ended(now time.Time) bool { return !a.ends.IsZero() && !now.Before(a.ends) }

// Covers says whether a scope is a resource or has it in it, whatever the letter case.
func Covers(scope, resource string) bool {
	scope, resource = strings.ToLower(strings.Trim(scope, "/")), strings.ToLower(strings.Trim(resource, "/"))
	return scope == "" || scope == resource || strings.HasPrefix(resource, scope+"/")
}

func sameScope(a, b string) bool {
	return strings.EqualFold(strings.Trim(a, "/"), strings.Trim(b, "/"))
}

// MayManage says whether a principal may do an action of Azure Resource Manager, such as
// Microsoft.KeyVault/vaults/read, to the resource, group or subscription of an ID.
func (s *State) MayManage(principalID, id, action string) bool {
	return s.assignments.allow(principalID, id, func(r Role) bool { return r.allows(action) })
}

// Assignments are all role assignments, the oldest first.
func (s *State) Assignments() []Assignment { return s.assignments.all() }

// Assignment finds a role assignment by its scope and its name.
func (s *State) Assignment(scope, name string) (Assignment, bool) {
	return s.assignments.get(Assignment{Scope: scope, Name: name}.named)
}

// Assign makes a role assignment, which begins to work once it has propagated. It gives ErrNoPrincipal; ErrExists together with
// the assignment of the same role on the same scope; ErrImmutable for a name that has another content. The very same one again
// changes nothing, and is not created.
func (s *State) Assign(a Assignment) (kept Assignment, created bool, err error) {
	a.Created = s.now()
	a.effective = a.Created.Add(seconds(s.ManagementSettings().RolePropagationSeconds))
	if !s.knows(a) {
		return a, false, ErrNoPrincipal
	}
	return s.assignments.add(a)
}

// Unassign deletes a role assignment, which still works until that has propagated.
func (s *State) Unassign(a Assignment) {
	s.assignments.remove(a, seconds(s.ManagementSettings().RolePropagationSeconds))
}

// knows says whether Azure Resource Manager finds the principal of an assignment. Where its type is left to be looked up, a new
// one is not found until it has propagated.
func (s *State) knows(a Assignment) bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	app := s.application(func(app *Application) bool { return strings.EqualFold(app.ObjectID, a.PrincipalID) })
	if app == nil {
		return false
	}
	return a.PrincipalType != "" || !a.Created.Before(app.created.Add(seconds(s.settings.PrincipalPropagationSeconds)))
}

func seconds(n int) time.Duration { return time.Duration(n) * time.Second }
