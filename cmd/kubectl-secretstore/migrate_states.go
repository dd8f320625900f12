package main

import (
	"secretstore/internal/migrate/act"
	"secretstore/internal/migrate/model"
)

// statedReport is a report with how its steps stand, by their IDs.
type statedReport struct {
	model.Report
	States map[string]string `json:"states,omitempty"`
}

// States of steps, by the journal.
const (
	stateMade   = "made"
	statePassed = "passed"
	stateBegun  = "begun"
)

// states says of the steps that the journal knows how they stand.
func (r *migrationRun) states(changes []model.Change) map[string]string {
	history, states := act.Read(r.entries), map[string]string{}
	for _, c := range changes {
		record, open := history.Open[c.ID]
		_, passed := history.Passed[c.ID]
		switch {
		case record.Made:
			states[c.ID] = stateMade
		case passed:
			states[c.ID] = statePassed
		case open:
			states[c.ID] = stateBegun
		}
	}
	return states
}
