package report

import (
	"fmt"
	"strings"

	"secretstore/internal/migrate/model"
)

// Explain is an entry of the catalogue for people at a terminal.
func Explain(e model.Entry) string {
	return fmt.Sprintf("%s %s: %s\n\n%s\n\nWhy it matters: %s\n\nWhat to do: %s\n", e.Code, e.Severity, e.Title, e.What, e.Why, e.Do)
}

// Catalogue is the page of all codes, as Markdown.
func Catalogue() string {
	var b strings.Builder
	b.WriteString("# What a migration finds\n\n" +
		"Every finding of `kubectl secretstore migrate` has a code that stays the same from version to version. `kubectl\n" +
		"secretstore migrate explain CODE` says what is said here. This page is generated: `make generate` writes it.\n\n" +
		"| severity | means |\n|---|---|\n" +
		"| `info` | worth knowing; nothing has to be done |\n" +
		"| `warning` | may surprise, or wants to be looked at |\n" +
		"| `needs-decision` | only you can decide, in `plan.yaml`; the object is left alone until then |\n" +
		"| `blocked` | cannot be done, or must not; the object is left alone |\n\n" +
		"| code | severity | what it is |\n|---|---|---|\n")
	for _, e := range model.Catalogue() {
		fmt.Fprintf(&b, "| [%s](#%s) | `%s` | %s |\n", e.Code, strings.ToLower(string(e.Code)), e.Severity, e.Title)
	}
	for _, e := range model.Catalogue() {
		fmt.Fprintf(&b, "\n## %s\n\n**%s** (`%s`)\n\n%s\n\n*Why it matters.* %s\n\n*What to do.* %s\n",
			e.Code, e.Title, e.Severity, e.What, e.Why, e.Do)
	}
	return b.String()
}
