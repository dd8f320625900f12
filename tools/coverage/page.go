package main

import (
	"fmt"
	"strings"
)

// page renders the tables.
func page(all []section, covered map[thing][]claim) string {
	var b strings.Builder
	b.WriteString("<!-- Generated from the tests by \"make generate\": tag those. -->\n# What the tests cover\n\n" +
		"Every field, every reason and every fault, with the tests that fail if it is broken. Each test says so itself, in lines " +
		"such\nas `//covers:reason PartialSync`; `make verify` fails where something is covered by none.\n")
	for _, s := range all {
		fmt.Fprintf(&b, "\n## %s\n\n", s.title)
		if s.kind == kindFault {
			b.WriteString("| fault | what happens | tests |\n|---|---|---|\n")
		} else {
			fmt.Fprintf(&b, "| %s | tests |\n|---|---|\n", s.kind)
		}
		for _, e := range s.entries {
			tests := links(covered[thing{s.kind, e.name}])
			if s.kind == kindFault {
				fmt.Fprintf(&b, "| %s | %s | %s |\n", e.name, e.meaning, tests)
			} else {
				fmt.Fprintf(&b, "| `%s` | %s |\n", e.name, tests)
			}
		}
	}
	return b.String()
}

// links names the tests, each with the way to its file.
func links(tests []claim) string {
	names := make([]string, 0, len(tests))
	for _, c := range tests {
		names = append(names, fmt.Sprintf("[%s](../../%s)", c.test, c.file))
	}
	return strings.Join(names, ", ")
}
