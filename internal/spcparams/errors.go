package spcparams

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// Error is one mistake in the parameters of a SecretProviderClass.
type Error struct {
	// Path is the place: a parameter, or a field of an object as in `objects[2].objectType (line 7)`, the line being that
	// of the text of `objects`.
	Path string
	// Problem is what is wrong there.
	Problem string
	// Cure is what to do about it.
	Cure string
}

// Error says where, what and what to do, in one line.
func (e *Error) Error() string { return e.Path + " " + e.Problem + "; " + e.Cure }

// Warning is something in the parameters that is understood but has no effect.
type Warning struct {
	// Path is the place, as in [Error].
	Path string
	// Text is what is said of it.
	Text string
}

// String is the warning in one line.
func (w Warning) String() string { return w.Path + " " + w.Text }

// Errors lists every [*Error] in an error that this package returned, in the order in which they stand.
func Errors(err error) []*Error {
	var joined interface{ Unwrap() []error }
	if errors.As(err, &joined) {
		var list []*Error
		for _, one := range joined.Unwrap() {
			list = append(list, Errors(one)...)
		}
		return list
	}
	if single, ok := errors.AsType[*Error](err); ok {
		return []*Error{single}
	}
	return nil
}

// UnknownSourcePathError says that no object of the SecretProviderClass gives a source path.
type UnknownSourcePathError struct {
	// SourcePath is the path that was asked for.
	SourcePath string
	// Nearest is the path that was probably meant, empty if none is near.
	Nearest string
	// Given are the paths of the whole objects, in the order of the SecretProviderClass.
	Given []string
}

// listed is how many paths a message names at most: it goes into conditions and events, which people read.
const listed = 10

// Error names the path, what was probably meant and what there is, in a bounded length.
func (e *UnknownSourcePathError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "source path %s is not given by the SecretProviderClass", quote(e.SourcePath))
	if e.Nearest != "" {
		fmt.Fprintf(&b, "; did you mean %s?", quote(e.Nearest))
	}
	if len(e.Given) == 0 {
		b.WriteString("; it gives none")
		return b.String()
	}
	b.WriteString("; it gives ")
	for i, path := range e.Given[:min(listed, len(e.Given))] {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(quote(path))
	}
	if more := len(e.Given) - listed; more > 0 {
		fmt.Fprintf(&b, " and %d more", more)
	}
	return b.String()
}

// shown is how much of a text that users wrote a message repeats, in bytes.
const shown = 80

// quote shows a text that users wrote, bounded and with nothing in it that could break a line.
func quote(s string) string {
	if len(s) > shown {
		s = s[:shown] + "…"
	}
	return strconv.Quote(s)
}

func unknownWarning(path, kind string) Warning {
	text := "is no " + kind + " that this program knows and has no effect; check its spelling or remove it"
	return Warning{Path: path, Text: text}
}
