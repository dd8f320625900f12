package main

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"
)

// folded shows what a run of the program tells as it comes, a line at a time, and folds steps of the same outcome that follow
// each other: the first ones stand for all.
type folded struct {
	show func(line string)

	rest    []byte // of a line that has not ended yet
	outcome string // of the step that was told last; empty between stages
	same    int    // how many such steps have followed each other
}

// shownOfSame is how many steps of the same outcome are shown.
const shownOfSame = 3

// Write implements io.Writer.
func (f *folded) Write(p []byte) (int, error) {
	f.rest = append(f.rest, p...)
	for {
		line, rest, whole := bytes.Cut(f.rest, []byte("\n"))
		if !whole {
			return len(p), nil
		}
		f.line(string(line))
		f.rest = rest
	}
}

// line takes one line: a step's outcome and name, what belongs to the step above, or something else, which ends the row.
func (f *folded) line(line string) {
	step := regexp.MustCompile(`^  ([a-z]+) +\S`).FindStringSubmatch(line)
	switch {
	case step != nil && folds(step[1]) && step[1] == f.outcome:
		f.same++
	case step != nil:
		f.close()
		f.outcome, f.same = step[1], 1
	case strings.HasPrefix(line, "           "):
		if line == "           it is open" { // said of every check
			return
		}
	default:
		f.close()
	}
	if f.same <= shownOfSame {
		f.show(line)
	}
}

// folds tells outcomes that come in rows. All others are shown whole.
func folds(outcome string) bool { return outcome == "made" || outcome == "passed" }

// close ends a row.
func (f *folded) close() {
	if f.same > shownOfSame {
		f.show(fmt.Sprintf("           … %d more %s", f.same-shownOfSame, f.outcome))
	}
	f.outcome, f.same = "", 0
}
