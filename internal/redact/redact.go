// Package redact keeps secret values out of every text: logs, errors, events, statuses, panics, JSON and YAML.
//
// A value that came from a vault, a token or an assertion travels in [Bytes]. Whatever formats, marshals or logs it
// prints [Mask] in its place; the value itself is had by [Bytes.Reveal] only, so that a search for that word finds every
// place where a secret leaves its wrapper.
package redact

import (
	"fmt"
	"log/slog"
)

// Mask is what a redacted value shows of itself. It says nothing of the value, not even its length.
const Mask = "[redacted]"

// Bytes is a secret value. The zero value is an empty secret. Two are compared with [Bytes.Equal], not with ==.
type Bytes struct {
	// value is closed over because fmt prints the fields of a struct that it meets in an unexported field of another one
	// without asking its methods, and follows pointers there: of a function it can print the address only.
	value func() []byte
}

// New wraps b. The caller gives b away: it must neither read nor change it afterwards.
func New(b []byte) Bytes { return Bytes{value: func() []byte { return b }} }

// FromString wraps s.
func FromString(s string) Bytes { return New([]byte(s)) }

// Reveal returns the value itself. Whoever calls it is answerable for where the value goes next.
func (b Bytes) Reveal() []byte {
	if b.value == nil {
		return nil
	}
	return b.value()
}

// Len is the length of the value in bytes.
func (b Bytes) Len() int { return len(b.Reveal()) }

// Equal says whether both hold the same value. Its time depends on the values; it is not for comparing credentials.
func (b Bytes) Equal(other Bytes) bool { return string(b.Reveal()) == string(other.Reveal()) }

// String implements fmt.Stringer.
func (Bytes) String() string { return Mask }

// GoString implements fmt.GoStringer, for %#v.
func (Bytes) GoString() string { return Mask }

// Format implements fmt.Formatter, so that no verb, %x and %d among them, reaches the value.
func (Bytes) Format(s fmt.State, _ rune) { _, _ = s.Write([]byte(Mask)) }

// MarshalText implements encoding.TextMarshaler: JSON, YAML, map keys and flags show the mask.
func (Bytes) MarshalText() ([]byte, error) { return []byte(Mask), nil }

// LogValue implements slog.LogValuer.
func (Bytes) LogValue() slog.Value { return slog.StringValue(Mask) }

// MarshalLog implements logr.Marshaler.
func (Bytes) MarshalLog() any { return Mask }
