package act_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	clocktesting "k8s.io/utils/clock/testing"

	"secretstore/internal/migrate/act"
	"secretstore/internal/migrate/model"
)

// memory is a journal in memory, which knows what was written when a step is made.
type memory struct {
	entries []act.Entry
	world   *cluster
	full    int // entries until the disk is full; negative is never
}

var errFull = errors.New("no space left on device")

func (m *memory) Append(e act.Entry) error {
	if err := m.world.tick(); err != nil {
		return err
	}
	if m.full == 0 {
		return errFull
	}
	m.full--
	line, err := json.Marshal(e)
	if err != nil {
		return err
	}
	if strings.Contains(string(line), "canary") {
		return fmt.Errorf("a value is to be written down: %s", line)
	}
	m.entries = append(m.entries, e)
	return m.world.tick()
}

// azure is an Azure in memory: what was made, by the commands that made it.
type azure struct {
	world *cluster
	made  map[string]bool
	// driver is what comes with the extension.
	driver map[model.Ref]map[string]any
	ran    []string
	issuer bool
	// silent has reading print nothing.
	silent bool
	// propagating is how often an exchange is refused before it works.
	propagating int
	noReverse   bool
}

func (a *azure) Run(_ context.Context, command []string, begin func() error) (string, bool, error) {
	if err := a.world.tick(); err != nil {
		return "", false, err
	}
	if a.changes(command) {
		if err := begin(); err != nil {
			return "", false, err
		}
	}
	line := strings.Join(command, " ")
	a.ran = append(a.ran, line)
	switch {
	case slices.Contains(command, "--query"):
		return a.print(command), false, nil
	case strings.Contains(line, "k8s-extension"):
		was := len(a.world.objects)
		for ref, content := range a.driver {
			if _, there := a.world.objects[ref]; strings.Contains(line, " create ") && !there {
				a.world.objects[ref] = fields(content)
			} else if strings.Contains(line, " delete ") {
				delete(a.world.objects, ref)
			}
		}
		return "", was != len(a.world.objects), a.world.tick()
	}
	if strings.Contains(line, "connectedk8s update") { // which nothing takes back
		did := !a.issuer
		a.issuer = true
		return "", did, a.world.tick()
	}
	back := strings.HasPrefix(line, "az back ")
	line = strings.TrimPrefix(line, "az back ")
	did := a.made[line] == back
	if a.made[line] = true; back {
		delete(a.made, line)
	}
	return "", did, a.world.tick()
}

// changes tells whether a command has anything to change.
func (a *azure) changes(command []string) bool {
	line := strings.Join(command, " ")
	switch {
	case slices.Contains(command, "--query"):
		return false
	case strings.Contains(line, "k8s-extension"):
		for ref := range a.driver {
			if _, there := a.world.objects[ref]; there == strings.Contains(line, " delete ") {
				return true
			}
		}
		return false
	case strings.Contains(line, "connectedk8s update"):
		return !a.issuer
	}
	undone, back := strings.CutPrefix(line, "az back ")
	return a.made[undone] == back
}

// print is what a command of reading prints.
func (a *azure) print(command []string) string {
	at := slices.Index(command, "--query")
	switch query := command[at+1]; {
	case a.silent:
		return "\n"
	case strings.Contains(query, "issuerUrl"):
		return issuer + "\n"
	case strings.Contains(query, "enableRbac"):
		return "true\n"
	default:
		return "value-of-" + model.Variable(strings.Join(command, " ")) + "\n"
	}
}

func (a *azure) Reverse(command []string) ([]string, bool) {
	line := strings.Join(command, " ")
	if a.noReverse {
		return nil, false
	}
	if strings.Contains(line, "k8s-extension delete") {
		return strings.Fields(strings.Replace(line, " delete ", " create ", 1)), true
	}
	return append([]string{"az", "back"}, command...), !strings.Contains(line, "connectedk8s update")
}

func (a *azure) Exchange(_ context.Context, _ model.Gate, _ model.Token, token string) error {
	if strings.Count(token, ".") != 2 {
		return errors.New("no token")
	}
	if a.propagating--; a.propagating >= 0 {
		return &act.ClosedError{Lacking: []string{"AADSTS70021"}, Wait: true}
	}
	return a.world.tick()
}

// hurried is a clock on which waiting takes no time.
type hurried struct{ *clocktesting.FakeClock }

func (h hurried) After(d time.Duration) <-chan time.Time {
	after := h.FakeClock.After(d)
	h.Step(d)
	return after
}

func newClock() hurried {
	return hurried{clocktesting.NewFakeClock(time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC))}
}
