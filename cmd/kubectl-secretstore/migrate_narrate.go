package main

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"k8s.io/cli-runtime/pkg/printers"

	"secretstore/internal/migrate/act"
	"secretstore/internal/migrate/install"
	"secretstore/internal/migrate/model"
	"secretstore/internal/migrate/model/shell"
)

// How often a long step is told about: at a terminal, and elsewhere.
const (
	moving = time.Second
	steady = 10 * time.Second
)

// narrator tells what a run does, a line a step.
type narrator struct {
	out      io.Writer
	terminal bool
	colour   bool
	// now is the time; steps are how many each stage has.
	now   func() time.Time
	steps map[model.StageName]int
	// brief leaves out what is passed over.
	brief bool

	mu    sync.Mutex
	stage model.StageName
	// current is what is worked at, empty between steps; since when, and when it was told last.
	current     string
	since, told time.Time
	// shown says that a line is there that the next one has to take the place of.
	shown bool
	stop  chan struct{}
	ended sync.WaitGroup
}

// narrate begins to tell. close ends it.
func (r *migrationRun) narrate(changes []model.Change) *narrator {
	n := &narrator{
		out: r.program.Out, terminal: r.program.terminal && r.program.colour, colour: r.program.colour, now: r.program.clock.Now,
		steps: map[model.StageName]int{}, stop: make(chan struct{}),
	}
	if r.format == formatJSON || r.format == formatYAML {
		n.out, n.colour, n.terminal = r.program.ErrOut, false, r.program.terminal
	}
	for _, c := range changes {
		n.steps[c.Stage]++
	}
	n.ended.Go(n.keepTelling)
	return n
}

// close ends the telling.
func (n *narrator) close() {
	close(n.stop)
	n.ended.Wait()
	n.mu.Lock()
	defer n.mu.Unlock()
	n.wipe()
}

// keepTelling says that something goes on while a step takes long.
func (n *narrator) keepTelling() {
	ticker := time.NewTicker(moving)
	defer ticker.Stop()
	for {
		select {
		case <-n.stop:
			return
		case <-ticker.C:
			n.tick(n.now())
		}
	}
}

// tick tells of a step that takes long, if it is time to.
func (n *narrator) tick(now time.Time) {
	n.mu.Lock()
	defer n.mu.Unlock()
	took := now.Sub(n.since)
	switch {
	case n.current == "" || took < patience:
	case n.terminal:
		n.write(fmt.Sprintf("\r\x1b[K  … %s (%s)", cut(n.current), took.Round(time.Second)))
		n.shown = true
	case now.Sub(n.told) >= steady:
		n.told = now
		n.write(fmt.Sprintf("  ...      still: %s (%s)\n", n.current, took.Round(time.Second)))
	}
}

// tell tells an event.
func (n *narrator) tell(e act.Event) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.heading(e.Step.Stage)
	summary := harmlessLine(e.Step.Summary)
	switch e.Kind {
	case act.EventBegun:
		if n.current != summary {
			n.current, n.since = summary, n.now()
			n.told = n.since
		}
		return
	case act.EventWaiting:
		n.current = "waiting for " + harmlessLine(strings.Join(e.Lacking, "; "))
		n.line(e.Kind, summary, "waiting for: "+strings.Join(e.Lacking, "; "))
		return
	case act.EventPassed:
		if !n.brief {
			n.line(e.Kind, summary, e.Text)
		}
	default:
		if install.Is(e.Step) && e.Kind == act.EventMade {
			e.Text = "the same by helm: " + shell.Command(e.Step.Command)
		}
		n.line(e.Kind, summary, e.Text)
	}
	n.current = ""
}

// heading names a stage when its first step comes.
func (n *narrator) heading(stage model.StageName) {
	if stage == n.stage || stage == "" {
		return
	}
	n.stage = stage
	n.wipe()
	text := "\nStage " + string(stage)
	if steps := n.steps[stage]; steps > 0 {
		text += " (" + plural(steps, "step") + ")"
	}
	n.write(n.coloured("\x1b[1m", text) + "\n")
}

// line is what became of a step.
func (n *narrator) line(kind act.EventKind, summary, text string) {
	n.wipe()
	mark := map[act.EventKind]string{
		act.EventMade: "\x1b[32m", act.EventReverted: "\x1b[33m", act.EventLeft: "\x1b[33m", act.EventWaiting: "\x1b[36m",
		act.EventStopped: "\x1b[31m", act.EventPassed: "\x1b[2m",
	}[kind]
	line := n.coloured(mark, fmt.Sprintf("  %-8s", kind)) + " " + summary
	if first, _, _ := strings.Cut(text, "\n"); kind != act.EventStopped && text != "" { // at the end it is told in full
		line += "\n           " + harmlessLine(first)
	}
	n.write(line + "\n")
}

// note tells what belongs to no step.
func (n *narrator) note(text string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.wipe()
	n.write("           " + strings.ReplaceAll(printers.EscapeTerminal(strings.TrimSpace(text)), "\n", "\n           ") + "\n")
}

// wipe takes the moving line away.
func (n *narrator) wipe() {
	if n.shown {
		n.write("\r\x1b[K")
		n.shown = false
	}
}

func (n *narrator) coloured(mark, text string) string {
	if !n.colour || mark == "" {
		return text
	}
	return mark + text + "\x1b[0m"
}

// write writes. If that fails there is nobody to tell.
func (n *narrator) write(text string) { _, _ = io.WriteString(n.out, text) }

// harmlessLine is a text from afar on one line that does nothing to a terminal.
func harmlessLine(text string) string { return printers.EscapeTerminal(oneLine(text)) }
