package act

import (
	"strings"

	"secretstore/internal/migrate/model"
)

// EventKind says what an Event tells.
type EventKind string

// The kinds of events.
const (
	// EventBegun: a step is looked at.
	EventBegun EventKind = "begun"
	// EventPassed: nothing had to be done; Text says why.
	EventPassed EventKind = "passed"
	// EventMade: a step was made, or a gate is open.
	EventMade EventKind = "made"
	// EventLeft: a step is somebody else's, and not done yet; Text says whose.
	EventLeft EventKind = "left"
	// EventWaiting: a gate is closed, and may open by itself; Lacking says what is lacking. It comes when that changes.
	EventWaiting EventKind = "waiting"
	// EventJudged: dry runs only: what would be done is accepted; Text says more, if there is more to say.
	EventJudged EventKind = "judged"
	// EventReverted: a step was taken back.
	EventReverted EventKind = "reverted"
	// EventStopped: the run stopped here; Text says why.
	EventStopped EventKind = "stopped"
)

// Event is what a run tells while it goes on.
type Event struct {
	Kind EventKind
	// Step is the step, with its variables replaced as far as they are known.
	Step    model.Change
	Text    string
	Lacking []string
}

// Summary is what a run did.
type Summary struct {
	// Made, Passed, Left and Reverted count steps. Left are the IDs of those that are somebody else's and not done.
	Made, Passed, Reverted int
	Left                   []string
	// Stopped is the ID of the step that the run stopped at, empty if it came to the end.
	Stopped string
}

// StopError says that a run stopped at a step. It is an ErrStopped where a person is needed.
type StopError struct {
	Step model.Change
	// Do is what a person has to do, in lines; empty where running again is all.
	Do  []string
	Err error
}

// Error says why and what to do.
func (e *StopError) Error() string {
	text := "stopped at " + e.Step.ID + ": " + e.Err.Error()
	if len(e.Do) > 0 {
		text += "\n" + strings.Join(e.Do, "\n")
	}
	return text
}

// Unwrap is why.
func (e *StopError) Unwrap() []error {
	if len(e.Do) == 0 {
		return []error{e.Err}
	}
	return []error{e.Err, ErrStopped}
}

// RefusedError says that an object is not as the plan has it.
type RefusedError struct {
	Object model.Ref
	Why    string
}

// Error says what differs.
func (e *RefusedError) Error() string {
	return e.Object.String() + " is neither as it was read nor as the step would have it: " + e.Why
}

// IrreversibleError says that steps which cannot be taken back were not allowed, or stand in the way of a rollback.
type IrreversibleError struct {
	Steps []model.Change
	// Back says that it is a rollback that was refused.
	Back bool
}

// Error names the steps.
func (e *IrreversibleError) Error() string {
	ids := make([]string, 0, len(e.Steps))
	for _, c := range e.Steps {
		ids = append(ids, c.ID)
	}
	if e.Back {
		return "these steps were made and cannot be taken back by a program: " + strings.Join(ids, ", ")
	}
	return "these steps cannot be taken back, and were not allowed: " + strings.Join(ids, ", ")
}
