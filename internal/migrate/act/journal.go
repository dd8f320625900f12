package act

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"secretstore/internal/migrate/model"
)

// Journal is where a run writes down what it does.
type Journal interface {
	// Append writes an entry to the disk, whole, before it returns. After an error nothing may be changed any more.
	Append(e Entry) error
}

// ValueError says that an entry would put a value of a Secret into the journal.
type ValueError struct{ Object model.Ref }

// Error names the Secret.
func (e *ValueError) Error() string {
	return "the journal's entry about " + e.Object.String() + " holds the Secret's values, which must not be written down: this " +
		"is a mistake of the program"
}

// Check refuses an entry that holds a value of a Secret, by a *ValueError.
func (e Entry) Check() error {
	if e.Change.Object.Kind == kindSecret && len(e.Change.Content) > 0 {
		return &ValueError{Object: e.Change.Object}
	}
	for _, content := range []map[string]any{e.Before, e.Change.Content} {
		if (content["kind"] == kindSecret || e.Change.Object.Kind == kindSecret) && holdsValue(content) {
			return &ValueError{Object: e.Change.Object}
		}
	}
	for _, edit := range e.Change.Edits {
		// Of a Secret only what describes it is edited.
		if e.Change.Object.Kind == kindSecret && (len(edit.Path) < 2 || edit.Path[0] != "metadata") {
			return &ValueError{Object: e.Change.Object}
		}
	}
	return nil
}

// holdsValue tells whether a Secret has values, or a copy of itself in an annotation.
func holdsValue(secret map[string]any) bool {
	if secret["data"] != nil || secret["stringData"] != nil {
		return true
	}
	found, _ := model.Path{"metadata", "annotations"}.Get(secret)
	annotations, _ := found.(map[string]any)
	for name, value := range annotations {
		if text, _ := value.(string); model.HoldsObject(name, text) {
			return true
		}
	}
	return false
}

const kindSecret = "Secret"

// Record is what the journal says of a step that was begun and not taken back.
type Record struct {
	// Entry is the last Begun of the step, with the UID of its Made.
	Entry
	// Made says that it was carried out; otherwise it is not known.
	Made bool
	// Doubtful says of a step that is not known to be made that the run which began it lived to see it fail: a person may have
	// made it since. After a run that was killed, what was not there when the step began and is there now is of that run.
	Doubtful bool
}

// History is what a journal says, all together.
type History struct {
	// Open are the steps that were begun, or made, and not taken back, by their IDs.
	Open map[string]Record
	// Passed are the steps that had nothing to do, by their IDs, with what they read.
	Passed map[string]string
	// Found is the first entry of the migration, nil if there is none.
	Found *Entry
}

// Read adds a journal's entries up.
func Read(entries []Entry) *History {
	h := &History{Open: map[string]Record{}, Passed: map[string]string{}}
	for _, e := range entries {
		h.Add(e)
	}
	return h
}

// Add adds an entry that was written after the others.
func (h *History) Add(e Entry) {
	id := e.Change.ID
	switch e.What {
	case Begun:
		h.Open[id] = Record{Entry: e}
	case Made:
		record, begun := h.Open[id]
		if !begun {
			record.Entry = e
		}
		record.Made, record.UID = true, cmp.Or(e.UID, record.UID)
		h.Open[id] = record
	case Passed:
		h.Passed[id] = e.Message
		if !h.Open[id].Made {
			delete(h.Open, id) // begun, and nothing had to be changed
		}
	case Reverted:
		delete(h.Open, id)
		delete(h.Passed, id)
	case Found:
		h.Found = &e
	case Failed:
		if record, begun := h.Open[id]; begun && !record.Made {
			record.Doubtful = true
			h.Open[id] = record
		}
	}
}

// Records are the open steps in the order of the plan.
func (h *History) Records() []Record {
	changes := make([]model.Change, 0, len(h.Open))
	for _, id := range slices.Sorted(maps.Keys(h.Open)) {
		changes = append(changes, h.Open[id].Change)
	}
	records := make([]Record, 0, len(changes))
	for _, c := range model.SortChanges(changes) {
		records = append(records, h.Open[c.ID])
	}
	return records
}

// deletes tells whether a step that was made takes an object away after a step of an order.
func (h *History) deletes(ref model.Ref, after int) bool {
	for _, record := range h.Open {
		c := record.Change
		if record.Made && c.Verb == model.Delete && c.Object == ref && c.Order > after {
			return true
		}
	}
	return false
}

// begins tells whether the journal has no migration that has changed anything in the cluster: none at all, or one that was taken
// back whole.
func (h *History) begins() bool {
	if h.Found == nil {
		return true
	}
	for id, record := range h.Open {
		if record.Change.Object != (model.Ref{}) || id == stepUninstall {
			return false
		}
	}
	return true
}

// write puts an entry into the journal, and adds it to the history.
func (r *run) write(e Entry) error {
	e.At = r.Clock.Now().UTC()
	if e.Change.Object.Kind == kindSecret {
		e.Change.Content = nil
	}
	if err := e.Check(); err != nil {
		return err
	}
	if err := r.Journal.Append(e); err != nil {
		return &JournalError{Step: e.Change.ID, Err: err}
	}
	r.history.Add(e)
	return nil
}

// JournalError says that the journal could not be written, so that the run stops before anything else is changed.
type JournalError struct {
	// Step is the step that was to be written down.
	Step string
	Err  error
}

// Error says what to do.
func (e *JournalError) Error() string {
	return fmt.Sprintf("the journal cannot be written, so nothing more is changed (step %s): %v; make room on the disk and run "+
		"again", e.Step, e.Err)
}

// Unwrap is what went wrong.
func (e *JournalError) Unwrap() error { return e.Err }
