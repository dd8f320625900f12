package model

import (
	"cmp"
	"slices"
)

// SortChanges orders steps by their Order, then by object and ID.
func SortChanges(changes []Change) []Change {
	slices.SortStableFunc(changes, func(a, b Change) int {
		return cmp.Or(cmp.Compare(a.Order, b.Order), a.Object.Compare(b.Object), cmp.Compare(a.ID, b.ID))
	})
	return changes
}

// compareDecisions orders decisions by object and ID.
func compareDecisions(a, b Decision) int {
	return cmp.Or(a.Object.Compare(b.Object), cmp.Compare(a.ID, b.ID))
}
