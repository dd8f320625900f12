// Package fault names the ways in which a sync fails.
//
// Every part that a sync goes through (reading the SecretProviderClass, the token request, Entra, Key Vault, building
// the data, writing the Secret) says what went wrong by an [*Error]. Its [Kind] carries the decision: one table, in
// package outcome, turns kinds into conditions, events and the time of the next look, so that no part needs to know
// what a reason is called, and none judges another's text.
//
// An [*Error] has two faces. Message is for people: it names the thing, the place and the cure, is the same at every
// repetition of the same failure (so that conditions and events do not flap) and holds no secret. Detail is for the log
// only: the raw error with its request and correlation IDs.
package fault

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// Kind says what sort of failure it is.
type Kind int

// The kinds of failure, by the part that can cure them.
const (
	// Internal is a failure that has no kind of its own: a defect of the controller, or an API server that is away.
	Internal Kind = iota
	// Cancelled means that the work was interrupted, by shutdown or a deadline of ours; it says nothing of the object.
	Cancelled
	// Deferred means that it is not the object's turn yet; it says nothing of the object either.
	Deferred

	// ClassMissing and ClassInvalid: the SecretProviderClass is not there, or cannot be understood.
	ClassMissing
	ClassInvalid
	// SpecInvalid: the SecretSync asks for what cannot be.
	SpecInvalid
	// ReservedLabel and ReservedAnnotation: the SecretSync asks for metadata that belongs to the controller.
	ReservedLabel
	ReservedAnnotation

	// SecretForeign: a Secret of that name exists and is not this SecretSync's.
	SecretForeign
	// SecretLocked: the Secret is this SecretSync's, but cannot be changed to what is asked (immutable, another type).
	SecretLocked
	// SecretConflict: someone changed the Secret at the same time, or the API server refused the write for another cause.
	SecretConflict
	// PolicyRefused: an admission policy refused the Secret or the token request.
	PolicyRefused

	// IdentityRejected: Entra refused the exchange of the service account's token.
	IdentityRejected
	// TokenRefused: the vault refused the token that Entra gave.
	TokenRefused
	// PermissionMissing: the identity is known, but may not do this.
	PermissionMissing
	// NetworkRefused: the vault's firewall does not let this cluster in.
	NetworkRefused
	// ObjectMissing: the vault has no such object, or no such version of it.
	ObjectMissing
	// ObjectDisabled: the object is there, but switched off.
	ObjectDisabled
	// ObjectUnusable: the object was read, but is not what the SecretProviderClass says it is.
	ObjectUnusable
	// Partial: some items could be had and were written, others could not.
	Partial
	// Throttled: too many requests.
	Throttled
	// Unreachable: no answer, or none that could be understood.
	Unreachable
)

// Error is one failure. Build it with the field names, so that each reads as what it is.
type Error struct {
	// Kind carries the decision.
	Kind Kind
	// Message is for people: what is wrong, where, and what to do. Stable, and free of secrets.
	Message string
	// RetryAfter is how long the other side asked to be left alone; 0 if it did not say.
	RetryAfter time.Duration
	// Unsent says that nothing was asked just now, because the other side is being left alone: nothing is known that was not
	// known before.
	Unsent bool
	// Detail is for the log only. May be nil.
	Detail error
}

// PropagatingOrMissing ends the message of a refusal that Azure also gives for some minutes after what was missing has been made:
// a role assignment, a federated credential. It says the same at each repetition; since when it has been refused is what the
// condition's lastTransitionTime and the first event say.
const PropagatingOrMissing = "propagating or missing: what was made within the last 10 minutes may still be on its way, and is " +
	"tried again by itself; what is refused for longer is missing"

// What a word is made of, and its greatest length; a UUID has 36 characters.
const (
	wordLetters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	maxWord     = 40
)

// Word is a code or an ID from another's answer as it may be shown: letters, digits, dashes and underscores, if it is no more
// than that. Anything else may be what a proxy repeats of the request, its token perhaps, and is not shown.
func Word(text string) string {
	if len(text) > maxWord || strings.Trim(text, wordLetters) != "" {
		return "(not shown)"
	}
	return text
}

// New is an Error without a detail; its arguments are those of fmt.Sprintf.
func New(kind Kind, format string, args ...any) *Error {
	return &Error{Kind: kind, Message: fmt.Sprintf(format, args...)}
}

// Error implements error: the message alone, never the detail.
func (e *Error) Error() string { return e.Message }

// Unwrap gives the detail to errors.Is and errors.As.
func (e *Error) Unwrap() error { return e.Detail }

// Of returns the [*Error] in err's chain. An error that has none is of kind [Internal], with a message that gives
// nothing of the error's own text away, since that may hold anything; the text stays in Detail. Of(nil) is nil.
func Of(err error) *Error {
	if err == nil {
		return nil
	}
	if found, ok := errors.AsType[*Error](err); ok {
		return found
	}
	return &Error{Kind: Internal, Message: "an unexpected failure of the controller; its log has the details", Detail: err}
}
