package model

import (
	"cmp"
	"fmt"
	"slices"
)

// Code is a finding's stable name: `M`, the number of the stage (1 inventory to 6 verify and clean up, 7
// writing), two digits.
type Code string

// Severity is how much a finding matters.
type Severity string

// The severities, the gravest last.
const (
	// Info is worth knowing; nothing has to be done.
	Info Severity = "info"
	// Warning is something that may surprise, or that the operator has to look at.
	Warning Severity = "warning"
	// Needed is a decision that only the operator can take; the object is not changed until then.
	Needed Severity = "needs-decision"
	// Blocking is what the tool cannot do, or must not.
	Blocking Severity = "blocked"
)

// rank orders severities.
func (s Severity) rank() int { return slices.Index([]Severity{Info, Warning, Needed, Blocking}, s) }

// Finding is something to be said about an object, or about the cluster where Object is zero.
type Finding struct {
	Code     Code     `json:"code"`
	Severity Severity `json:"severity"`
	Object   Ref      `json:"object,omitzero"`
	// Place is where in a folder it is, with the line of the very field where that is known.
	Place Place `json:"place,omitzero"`
	// Message says what was found, in one or two sentences that name names.
	Message string `json:"message"`
	// Action says what to do about it.
	Action string `json:"action"`
}

// Entry explains a code, for people.
type Entry struct {
	Code     Code     `json:"code"`
	Severity Severity `json:"severity"`
	// Title is what it is, in a few words.
	Title string `json:"title"`
	// What, Why and Do are a paragraph each: what was found, why it matters, what to do.
	What string `json:"what"`
	Why  string `json:"why"`
	Do   string `json:"do"`
}

// Catalogue is every code there is, in order.
func Catalogue() []Entry {
	all := slices.Concat(inventoryCodes(), readCodes(), prepareCodes(), switchoverCodes(), translateCodes(), workloadsCodes(),
		verifyCodes(), writeCodes())
	slices.SortFunc(all, func(a, b Entry) int { return cmp.Compare(a.Code, b.Code) })
	return all
}

// Explain returns what the catalogue says of a code, and whether it knows it.
func Explain(code Code) (Entry, bool) {
	catalogue := Catalogue()
	i := slices.IndexFunc(catalogue, func(e Entry) bool { return e.Code == code })
	if i < 0 {
		return Entry{}, false
	}
	return catalogue[i], true
}

// Find makes a finding of a code about an object, with the severity that the catalogue gives it. The action is the
// catalogue's too, unless one is given. A code that the catalogue lacks is a mistake of the program: the finding is blocking
// and says so.
func Find(code Code, object Object, action, message string, args ...any) Finding {
	entry, known := Explain(code)
	if !known {
		entry = Entry{Severity: Blocking, Do: "report this as a mistake of the program: the code is in no catalogue"}
	}
	return Finding{
		Code: code, Severity: entry.Severity, Object: object.Ref, Place: object.Place,
		Message: fmt.Sprintf(message, args...), Action: cmp.Or(action, entry.Do),
	}
}

// SortFindings orders findings by gravity, the gravest first, then by object, code and message, and drops repetitions.
func SortFindings(findings []Finding) []Finding {
	slices.SortStableFunc(findings, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(b.Severity.rank(), a.Severity.rank()), a.Object.Compare(b.Object), cmp.Compare(a.Code, b.Code),
			cmp.Compare(a.Place.File, b.Place.File), cmp.Compare(a.Place.Line, b.Place.Line), cmp.Compare(a.Message, b.Message))
	})
	return slices.Compact(findings)
}
