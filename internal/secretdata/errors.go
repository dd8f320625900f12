package secretdata

import (
	"strconv"

	"secretstore/internal/spcparams"
)

// Kind says whose an [Error] is to cure.
type Kind int

const (
	// KindSpec is a mistake in the resource: an impossible type, a key that Kubernetes refuses.
	KindSpec Kind = iota
	// KindAbsent is something that the vault does not hold: an older version, a private key.
	KindAbsent
	// KindValue is a value in the vault that is not what it is used for: not base64, not a key pair, too large.
	KindValue
)

// Error is one thing that is wrong. It never holds a value.
type Error struct {
	// Kind says whose it is to cure.
	Kind Kind
	// Place is what is wrong: an object as in `secret "web"`, or a field below `spec.secretObject` as in
	// `data[1].targetKey`, or a key of the Secret as in `key "tls.crt"`.
	Place string
	// Problem is what is wrong with it.
	Problem string
	// Cure is what to do about it.
	Cure string
}

// Error says what, why and what to do, in one line.
func (e *Error) Error() string { return e.Place + " " + e.Problem + "; " + e.Cure }

// problem is an error about an object of the vault.
func problem(kind Kind, o spcparams.Object, text, cure string) *Error {
	return &Error{Kind: kind, Place: string(o.Type) + " " + strconv.Quote(o.Name), Problem: text, Cure: cure}
}

// unfit is an error about a value whose owner the caller names: what is wrong and the cure, without a place.
type unfit struct {
	kind          Kind
	problem, cure string
}

func (e *unfit) of(o spcparams.Object) *Error { return problem(e.kind, o, e.problem, e.cure) }

func (e *unfit) at(place string) *Error {
	return &Error{Kind: e.kind, Place: place, Problem: e.problem, Cure: e.cure}
}
