package act

import (
	"context"
	"fmt"
	"strings"

	"secretstore/internal/migrate/model"
)

// Fate is what became of an object of the first inventory.
type Fate string

// The fates.
const (
	// TakenOver: the migration changed it, or put something in its place.
	TakenOver Fate = "taken-over"
	// AsItWas: it is there, and the migration did nothing to it.
	AsItWas Fate = "as-it-was"
	// Removed: it went on purpose: by clean-up, with the pod that it was of, or because its time was up.
	Removed Fate = "removed"
	// Lost: it is not there, and no step of the migration took it away.
	Lost Fate = "lost"
)

// Account is an object of the first inventory and what became of it.
type Account struct {
	FoundObject
	Fate Fate `json:"fate"`
	// Why names the step, or says by what it went without one, or what is not known.
	Why string `json:"why,omitempty"`
}

// Accounts are all objects of the first inventory. The sums over the fates are the number of objects.
type Accounts struct {
	Objects []Account    `json:"objects"`
	Sums    map[Fate]int `json:"sums"`
}

// LostError says that objects are lost.
type LostError struct{ Objects []Account }

// Error names them.
func (e *LostError) Error() string {
	names := make([]string, 0, len(e.Objects))
	for _, o := range e.Objects {
		names = append(names, o.String())
	}
	return fmt.Sprintf("%d of the objects that were found at first are not there any more, and no step of the migration took them "+
		"away: %s; the state folder has what they were", len(names), strings.Join(names, ", "))
}

// AccountFor says of each object that was found at first what became of it, by the journal and by what is there now. The error is
// a *LostError if any is lost.
func AccountFor(entries []Entry, there func(model.Ref) bool) (Accounts, error) {
	h := Read(entries)
	accounts := Accounts{Objects: []Account{}, Sums: map[Fate]int{}}
	if h.Found == nil {
		return accounts, nil
	}
	var lost []Account
	for _, o := range h.Found.Found {
		a := Account{FoundObject: o}
		a.Fate, a.Why = h.fate(o, there(o.Ref))
		accounts.Objects = append(accounts.Objects, a)
		accounts.Sums[a.Fate]++
		if a.Fate == Lost {
			lost = append(lost, a)
		}
	}
	if len(lost) > 0 {
		return accounts, &LostError{Objects: lost}
	}
	return accounts, nil
}

// fate is what became of one object.
func (h *History) fate(o FoundObject, there bool) (Fate, string) {
	changed, deleted := h.about(o.Ref)
	switch {
	case changed != "" && (there || deleted != ""):
		return TakenOver, changed
	case there:
		return AsItWas, ""
	case deleted != "":
		return Removed, deleted
	case o.Goes != "":
		return Removed, "it went by itself, by " + o.Goes
	}
	return Lost, "no step of the migration took it away"
}

// about are the steps that changed an object, or put something in its place, and that deleted it.
func (h *History) about(ref model.Ref) (changed, deleted string) {
	for _, record := range h.Records() {
		c := record.Change
		switch {
		case !record.Made || c.Object != ref && c.For != ref:
		case c.Object == ref && c.Verb == model.Delete:
			deleted = c.ID
		default:
			changed = c.ID
		}
	}
	return changed, deleted
}

// There looks which of the objects that were found at first are there: those of a snapshot are, others are looked for one by one,
// since a reading leaves out what has nothing to do with classes any more.
func (r Runner) There(ctx context.Context, entries []Entry, now model.Snapshot) (func(model.Ref) bool, error) {
	h := Read(entries)
	var found []FoundObject
	if h.Found != nil {
		found = h.Found.Found
	}
	there := map[model.Ref]bool{}
	for _, o := range now.Objects {
		there[o.Ref] = true
	}
	for _, o := range found {
		if there[o.Ref] {
			continue
		}
		sight, err := r.Cluster.Look(ctx, model.Change{Verb: model.Edit, Object: o.Ref})
		if err != nil {
			return nil, fmt.Errorf("looking for %s: %w", o.Ref, err)
		}
		there[o.Ref] = sight.Standing != Gone
	}
	return func(ref model.Ref) bool { return there[ref] }, nil
}
