// Package narrator tells on a terminal what a long program is doing, while it does it: the demo and the benchmark speak by it.
// What takes more than two seconds is reported on, so that nobody wonders whether it hangs.
package narrator

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"
)

// Narrator tells what happens, as it happens. It uses colours on a terminal only. It may be used by several goroutines.
type Narrator struct {
	out    io.Writer
	colour bool
	mu     sync.Mutex
}

// New makes a narrator that writes to a file, in colour if that is a terminal and NO_COLOR is not set.
func New(out *os.File) *Narrator {
	info, err := out.Stat()
	terminal := err == nil && info.Mode()&os.ModeCharDevice != 0
	return &Narrator{out: out, colour: terminal && os.Getenv("NO_COLOR") == ""}
}

// Plain makes a narrator that writes to anything, without colours.
func Plain(out io.Writer) *Narrator { return &Narrator{out: out} }

// Line writes one line.
func (n *Narrator) Line(format string, args ...any) {
	n.mu.Lock()
	defer n.mu.Unlock()
	_, _ = fmt.Fprintf(n.out, format+"\n", args...)
}

// Title begins a chapter.
func (n *Narrator) Title(text string) {
	if n.colour {
		text = "\033[1m" + text + "\033[0m"
	}
	n.Line("\n%s", text)
}

// Block shows what a program printed, indented.
func (n *Narrator) Block(text string) {
	for line := range strings.Lines(text) {
		n.Line("    %s", strings.TrimRight(line, "\n"))
	}
}

// slow is how long something may take before it is said that it goes on, and seldom how long at most until that is said again.
const (
	slow   = 2 * time.Second
	seldom = 10 * time.Second
)

// During runs work, and says from time to time that it is still at it.
func (n *Narrator) During(what string, work func() error) error {
	begun := time.Now()
	done := make(chan struct{})
	var said sync.WaitGroup
	said.Go(func() {
		wait := slow
		timer := time.NewTimer(wait)
		defer timer.Stop()
		for {
			select {
			case <-done:
				return
			case <-timer.C:
				n.Line("  … %s (%d s)", what, int(time.Since(begun).Seconds()))
				wait = min(2*wait, seldom)
				timer.Reset(wait)
			}
		}
	})
	err := work()
	close(done)
	said.Wait()
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	n.Line("  ✓ %s (%.1f s)", what, time.Since(begun).Seconds())
	return nil
}
