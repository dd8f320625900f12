package verify

import (
	"slices"

	"secretstore/internal/migrate/model"
)

// rollbackOrder is where the way back begins; it counts down from what was done last.
const rollbackOrder = 3000

// Rollback gives the steps that take others back, the last of them first. What was made is deleted; what was edited gets back
// what stood there before, field by field; what a command did is taken back by the words of its Undo. Steps that changed nothing
// (checks, reads) have none. Steps that cannot be undone by a program are among the result as checks that say what to do.
func Rollback(changes []model.Change) []model.Change {
	sorted := model.SortChanges(slices.Clone(changes))
	slices.Reverse(sorted)
	var back []model.Change
	for _, c := range sorted {
		if c.Verb == model.Check || c.Sets != "" {
			continue
		}
		back = append(back, reverse(c))
	}
	return back
}

// reverse is the step that takes another back.
func reverse(c model.Change) model.Change {
	r := model.Change{
		ID: "rollback/" + c.ID, Stage: model.Rollback, Order: rollbackOrder - c.Order, Object: c.Object, Place: c.Place,
		Summary: "Take back: " + c.Summary, Undo: "Do the step again: " + c.ID + ".", ByHand: c.ByHand,
	}
	switch {
	case c.Verb == model.Create:
		r.Verb = model.Delete
	case c.Verb == model.Edit && reversible(c):
		r.Verb, r.Edits = model.Edit, reverseEdits(c.Edits)
	case c.Verb == model.Delete && len(c.Content) > 0:
		r.Verb, r.Content = model.Create, c.Content
	default:
		r.Verb, r.Manual = model.Check, c.Undo+"\n"
		if r.ByHand == "" {
			r.ByHand = "Only a person can take this back."
		}
	}
	return r
}

// reversible tells whether an edit says all that it takes to undo it. A Secret's owners are replaced whatever they were, and
// adding a field that exists replaces it; what stood there is known to the saved object only.
func reversible(c model.Change) bool { return c.Object.Kind != "Secret" }

// reverseEdits undoes edits, the last of them first.
func reverseEdits(edits []model.FieldEdit) []model.FieldEdit {
	back := make([]model.FieldEdit, 0, len(edits))
	for _, e := range slices.Backward(edits) {
		switch e.Op {
		case model.OpAdd:
			back = append(back, model.FieldEdit{Op: model.OpRemove, Path: e.Path, Was: e.Value})
		case model.OpRemove:
			back = append(back, model.FieldEdit{Op: model.OpAdd, Path: e.Path, Value: e.Was})
		case model.OpReplace:
			back = append(back, model.FieldEdit{Op: model.OpReplace, Path: e.Path, Value: e.Was, Was: e.Value})
		}
	}
	return back
}
