// Package act carries a plan out: one step after another, in the order of the plan, so that it can be stopped anywhere and gone
// on with, and taken back.
//
// A run reads the cluster afresh. What this migration has changed until then is put back in that reading (Undone), by the
// journal: so the plan is always the whole of the migration, whatever of it is done, and each step is looked at before it is
// made. One that is as it should be already is passed over; one whose object somebody else has changed is refused.
//
// Promises: before a step changes anything, the journal holds, on disk, what it takes to take the step back; two operators
// never act at once (Cluster.Hold); nothing is done behind a gate that is closed; no value of a secret is in the journal or in
// an error.
package act

import (
	"context"
	"errors"
	"strings"
	"time"

	"secretstore/internal/migrate/model"
)

// Cluster is what carrying out a plan needs of a cluster.
type Cluster interface { //nolint:interfacebloat // one system, asked by one caller: two halves would always go together
	// Look tells how an object stands with regard to a Create, an Edit or a Delete, without changing it.
	Look(ctx context.Context, c model.Change) (Sight, error)
	// Apply carries out a Create, an Edit or a Delete, on the object as it was looked at: one that has changed meanwhile is not
	// touched, and the error is a *ConflictError. dry lets the API server judge and change nothing.
	Apply(ctx context.Context, c model.Change, seen Sight, dry bool) (Sight, error)
	// Check looks at a gate, once. The error is a *ClosedError if it is closed.
	Check(ctx context.Context, c model.Change) error
	// Revert takes a change back, by what was written down before it: what was made is deleted, unless somebody else's hands were
	// on it; what was edited gets back what stood at the places that were edited; what was deleted is made again.
	// It changes nothing where that is so already.
	Revert(ctx context.Context, e Entry) error
	// Mint gives a token of a service account, for at most 10 minutes. It must go nowhere but to Entra.
	Mint(ctx context.Context, t model.Token) (string, error)
	// Hold takes the Lease that keeps two operators apart, and holds it until release is called. The context that it gives ends
	// when the Lease is lost. The error names who has it, if somebody does.
	Hold(ctx context.Context, who string) (held context.Context, release func(), err error)
}

// Azure is what carrying out a plan needs of Azure.
type Azure interface {
	// Run carries out an `az` command whose variables are replaced. output is what the command would print; did says whether
	// anything was changed. begin is called once, after it was seen that something has to be changed and before that is done; its
	// error keeps it from being done. A command that only a person can run gives a *ByHandError.
	Run(ctx context.Context, command []string, begin func() error) (output string, did bool, err error)
	// Reverse is the command that takes another back, if there is one.
	Reverse(command []string) ([]string, bool)
	// Exchange trades a token, minted as of says, for one of Entra's, once, and throws that away. The error is a *ClosedError while
	// Entra does not know the federated credential yet.
	Exchange(ctx context.Context, gate model.Gate, of model.Token, token string) error
}

// Standing is how an object stands with regard to a step.
type Standing string

// The standings.
const (
	// Open: the step is to be made.
	Open Standing = "open"
	// Done: the object is as the step would have it.
	Done Standing = "done"
	// Gone: the object that was to be edited is not there any more.
	Gone Standing = "gone"
	// Foreign: the object is neither as it was when it was read nor as the step would have it. Why says what differs.
	Foreign Standing = "foreign"
)

// Sight is what was seen of an object.
type Sight struct {
	Standing Standing
	// Why says of Foreign what differs, without a value of a Secret.
	Why string
	// UID and ResourceVersion are of the object that was seen, or that was made; empty if there is none.
	UID, ResourceVersion string
	// Before is the object as it was seen, nil if there was none. Of a Secret it has the metadata and the type alone.
	Before map[string]any
}

// What says what a line of the journal is about.
type What string

// The kinds of lines.
const (
	// Begun is written before a step changes anything.
	Begun What = "begun"
	// Made is written after it did.
	Made What = "made"
	// Passed: nothing had to be done.
	Passed What = "passed"
	// Failed: it did not work; Entry.Message says why.
	Failed What = "failed"
	// Reverted: it was taken back.
	Reverted What = "reverted"
	// Found is the first line of a migration: the objects that were found, for the sums at the end (Entry.Found).
	Found What = "found"
)

// Entry is a line of the journal.
type Entry struct {
	At   time.Time `json:"at"`
	What What      `json:"what"`
	// Change is the step, without Content of a Secret.
	Change model.Change `json:"change,omitzero"`
	// Before, UID: see Sight. Begun has Before, Made the UID.
	Before map[string]any `json:"before,omitempty"`
	UID    string         `json:"uid,omitempty"`
	// Command is what was run, with its variables replaced.
	Command []string `json:"command,omitempty"`
	Message string   `json:"message,omitempty"`
	// Found are the objects of the first inventory, by outcome.
	Found []FoundObject `json:"found,omitempty"`
	// Kept is, in Found, what a later reading cannot tell any more; Undone puts it back.
	Kept *Kept `json:"kept,omitempty"`
}

// Kept is what the migration itself hides from later readings.
type Kept struct {
	// Driver are the DaemonSets of the CSI driver and of its providers, which go with its removal.
	Driver []model.Object `json:"driver,omitempty"`
	// ClientIDs are those of the credentials, which are read only while a volume names them.
	ClientIDs map[string]string `json:"clientIDs,omitempty"`
}

// FoundObject is an object of the first inventory.
type FoundObject struct {
	model.Ref
	Outcome model.Outcome `json:"outcome"`
	// Goes says by what it may go without anybody's doing, empty if it may not.
	Goes string `json:"goes,omitempty"`
}

// ClosedError says that a gate is closed.
type ClosedError struct {
	// Lacking says what is lacking, a line each, naming objects.
	Lacking []string
	// Wait says that it may open by itself: a rollout goes on, a role is on its way. Otherwise somebody has to do something.
	Wait bool
}

// Error lists what is lacking.
func (e *ClosedError) Error() string {
	return strings.Join(e.Lacking, "; ")
}

// ByHandError says that a command has to be run by a person.
type ByHandError struct {
	Command []string
	Why     string
}

// Error says why.
func (e *ByHandError) Error() string { return e.Why }

// ConflictError says that an object has changed since it was looked at.
type ConflictError struct{ Object model.Ref }

// Error names the object.
func (e *ConflictError) Error() string {
	return e.Object.String() + " was changed by somebody else at this very moment: run again, which looks at it anew"
}

// ErrStopped says that a run stopped where a person is needed.
var ErrStopped = errors.New("stopped")
