package main

import (
	"fmt"
	"strings"
	"sync"
)

// buildOutput collects what "go build -v" writes: the path of each package once it is compiled, and messages. Only paths
// hold no space.
type buildOutput struct {
	mu       sync.Mutex
	partial  string // a line whose end has not come
	packages int
	fetched  int
	other    []string
}

// Write takes the next piece of output.
func (o *buildOutput) Write(piece []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	lines := strings.Split(o.partial+string(piece), "\n")
	o.partial = lines[len(lines)-1]
	for _, line := range lines[:len(lines)-1] {
		switch {
		case strings.HasPrefix(line, "go: downloading "):
			o.fetched++
		case strings.Contains(line, " "):
			o.other = append(o.other, line)
		default:
			o.packages++
		}
	}
	return len(piece), nil
}

// progress says in a few words how far the build is.
func (o *buildOutput) progress() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return fmt.Sprintf("%d modules downloaded, %d packages compiled", o.fetched, o.packages)
}

// messages returns what is neither package nor download: the compiler's complaints, if the build failed.
func (o *buildOutput) messages() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return strings.Join(append(o.other, o.partial), "\n")
}
