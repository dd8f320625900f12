package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"strings"
)

// maxLine bounds one line of input: a test may print a whole document as one.
const maxLine = 64 << 20

// event is a line of "go test -json", as "go doc test2json" describes it.
type event struct {
	Action  string
	Package string
	Test    string // empty if the event is about the package
	Output  string
}

// summary counts tests, subtests included, and packages.
type summary struct {
	passed, failed, skipped  int
	packages, failedPackages int
}

// ok tells whether something was tested and nothing failed.
func (s *summary) ok() bool { return s.packages > 0 && s.failed == 0 && s.failedPackages == 0 }

// String is the line that ends a log.
func (s *summary) String() string {
	line := fmt.Sprintf("%d passed, %d failed", s.passed, s.failed)
	if s.skipped > 0 {
		line += fmt.Sprintf(", %d skipped", s.skipped)
	}
	line += fmt.Sprintf(" in %d packages", s.packages)
	if s.failedPackages > 0 {
		line += fmt.Sprintf(", %d of which failed", s.failedPackages)
	}
	return line
}

// summarize copies what matters of the events to w and counts.
func summarize(r io.Reader, w io.Writer) (*summary, error) {
	s := &summary{}
	held := map[string]*strings.Builder{} // the output of each test that has not ended
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, maxLine)
	for lines.Scan() {
		var e event
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			_, _ = fmt.Fprintln(w, lines.Text()) // what is no event is a message of go itself
			continue
		}
		if e.Test == "" {
			s.countPackage(e, w)
		} else {
			s.countTest(e, held, w)
		}
	}
	if err := lines.Err(); err != nil {
		return s, fmt.Errorf("reading events: %w", err)
	}
	return s, nil
}

// countPackage takes an event about a package: its output is its verdict, or what does not belong to a test.
func (s *summary) countPackage(e event, w io.Writer) {
	switch e.Action {
	case "output", "build-output":
		// These say what the verdict says again.
		if e.Output != "PASS\n" && e.Output != "FAIL\n" && !strings.Contains(e.Output, "[no test files]") {
			_, _ = io.WriteString(w, e.Output)
		}
	case "pass":
		s.packages++
	case "fail":
		s.packages++
		s.failedPackages++
	}
}

// countTest takes an event about a test: its output is shown if it fails.
func (s *summary) countTest(e event, held map[string]*strings.Builder, w io.Writer) {
	name := e.Package + " " + e.Test
	switch e.Action {
	case "output":
		if held[name] == nil {
			held[name] = &strings.Builder{}
		}
		held[name].WriteString(e.Output)
		return
	case "pass":
		s.passed++
	case "skip":
		s.skipped++
	case "fail":
		s.failed++
		if held[name] != nil {
			_, _ = io.WriteString(w, held[name].String())
		}
	default:
		return
	}
	delete(held, name)
}
