// Command coverage writes a page that says, for every field, every reason of a condition and every fault, which tests cover it.
//
// The fields come from the definitions, from the parameters that package spcparams knows and from the schema of the chart's
// values; the reasons from the constants of the API; the faults from test/faults.txt. What a test covers it says itself, in lines
// at the end of its comment:
//
//	//covers:field SecretSync.spec.secretObject.data[].sourcePath setting.workers
//	//covers:reason PartialSync
//	//covers:fault vault-hangs
//
// Such a line claims that the test fails if that is broken. The command fails, and writes nothing, where something is covered by
// no test, or a line names what does not exist.
//
// Usage: coverage REPOSITORY OUTPUT-FILE
package main

import (
	"errors"
	"fmt"
	"os"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "coverage:", err)
		os.Exit(1)
	}
}

// run writes the page.
func run(args []string) error {
	if len(args) != 2 {
		return errors.New("usage: coverage REPOSITORY OUTPUT-FILE")
	}
	all, err := universe(args[0])
	if err != nil {
		return err
	}
	said, err := claims(args[0])
	if err != nil {
		return err
	}
	covered, err := match(all, said)
	if err != nil {
		return err
	}
	err = os.WriteFile(args[1], []byte(page(all, covered)), 0o644) //nolint:gosec // documentation is for all to read
	if err != nil {
		return fmt.Errorf("writing the page: %w", err)
	}
	return nil
}

// match gives the tests of each thing. Its error names everything that is covered by none, and every claim of what is none.
func match(all []section, said []claim) (map[thing][]claim, error) {
	known := map[thing]bool{}
	for _, s := range all {
		for _, e := range s.entries {
			known[thing{s.kind, e.name}] = true
		}
	}
	covered := map[thing][]claim{}
	var errs []error
	for _, c := range said {
		if !known[c.of] {
			errs = append(errs, fmt.Errorf("%s: %s covers the %s %q, which does not exist", c.file, c.test, c.of.kind, c.of.name))
		}
		covered[c.of] = append(covered[c.of], c)
	}
	for _, s := range all {
		for _, e := range s.entries {
			if what := (thing{s.kind, e.name}); covered[what] == nil {
				errs = append(errs, fmt.Errorf("no test covers the %s %s: write one, or tag the one that does with \"//covers:%s %s\"",
					s.kind, e.name, s.kind, e.name))
			}
		}
	}
	return covered, errors.Join(errs...)
}
