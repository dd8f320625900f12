package read

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// BrokenError says that files of a folder are no YAML or JSON. It names all of them; nothing was read.
type BrokenError struct {
	Files []Broken
}

// Broken is a place in a file where reading had to stop.
type Broken struct {
	File string
	// Line counts from 1.
	Line    int
	Problem string
}

// Error lists the places, a line each.
func (e *BrokenError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "reading manifests: %d of the files cannot be read:", len(e.Files))
	for _, f := range e.Files {
		fmt.Fprintf(&b, "\n  %s:%d: %s", f.File, f.Line, f.Problem)
	}
	b.WriteString("\nMend them, or move what is no manifest out of the folder, and run again: nothing was written")
	return b.String()
}

// parseError turns an error of the YAML parser about text into a place. The parser counts the line of an error of its grammar
// from 0 and that of its scanner from 1, leaves a 0 out, and gives no line for an anchor that is missing.
func parseError(file string, content []byte, err error) Broken {
	b := Broken{File: file, Line: 1}
	message := strings.TrimPrefix(err.Error(), "yaml: ")
	numbered := regexp.MustCompile(`^line (\d+): `)
	if found := numbered.FindStringSubmatch(message); found != nil {
		b.Line, _ = strconv.Atoi(found[1])
		message = message[len(found[0]):]
		if strings.HasPrefix(message, "did not find expected") {
			b.Line++
		}
	}
	if _, after, found := strings.Cut(message, "unknown anchor '"); found {
		name, _, _ := strings.Cut(after, "'")
		if before, _, found := strings.Cut(string(content), "*"+name); found {
			b.Line = strings.Count(before, "\n") + 1
		}
	}
	b.Problem = "broken YAML: " + message
	return b
}
