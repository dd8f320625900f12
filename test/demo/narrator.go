package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"
)

// narrator tells what happens, as it happens. It uses colours on a terminal only.
type narrator struct {
	out    io.Writer
	colour bool
	mu     sync.Mutex
}

func newNarrator(out *os.File) *narrator {
	info, err := out.Stat()
	terminal := err == nil && info.Mode()&os.ModeCharDevice != 0
	return &narrator{out: out, colour: terminal && os.Getenv("NO_COLOR") == ""}
}

func (n *narrator) line(format string, args ...any) {
	n.mu.Lock()
	defer n.mu.Unlock()
	_, _ = fmt.Fprintf(n.out, format+"\n", args...)
}

// title begins a chapter.
func (n *narrator) title(text string) {
	if n.colour {
		text = "\033[1m" + text + "\033[0m"
	}
	n.line("\n%s", text)
}

// block shows what a program printed, indented.
func (n *narrator) block(text string) {
	for line := range strings.Lines(text) {
		n.line("    %s", strings.TrimRight(line, "\n"))
	}
}

// slow is how long something may take before it is said that it goes on.
const slow = 2 * time.Second

// during runs work, and says every few seconds that it is still at it.
func (n *narrator) during(what string, work func() error) error {
	begun := time.Now()
	done := make(chan struct{})
	var said sync.WaitGroup
	said.Go(func() {
		tick := time.NewTicker(slow)
		defer tick.Stop()
		for {
			select {
			case <-done:
				return
			case <-tick.C:
				n.line("  … %s (%d s)", what, int(time.Since(begun).Seconds()))
			}
		}
	})
	err := work()
	close(done)
	said.Wait()
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	n.line("  ✓ %s (%.1f s)", what, time.Since(begun).Seconds())
	return nil
}
