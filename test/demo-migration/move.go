package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// answers are the owner's decisions, by their IDs.
func answers() map[string]string {
	return map[string]string{"M202/etcd": "accept", "M517/shop-tools/console/Pod": "recreate"}
}

// decisionsOpen is the exit code of a plan that asks something.
const decisionsOpen = 4

// plan has the program make a plan, and shows the beginning of it.
func (d *demo) plan(ctx context.Context) error {
	d.show.Title("2. The plan: everything that was found, and every step, before anything is changed")
	said, code, err := d.call(ctx, io.Discard, "migrate", "plan")
	if err != nil {
		return err
	}
	if code != decisionsOpen {
		return failedError(code, said)
	}
	d.show.Block(shortened(said))
	return nil
}

// shortened keeps of a plan what was read, the counts, the findings that want something, and the first steps of each stage.
func shortened(text string) string {
	var out []string
	informs := 0
	for paragraph := range strings.SplitSeq(strings.TrimSpace(text), "\n\n") {
		switch {
		case regexp.MustCompile(`^M\d+ info: `).MatchString(paragraph):
			informs++
		case strings.HasPrefix(paragraph, "Decisions"): // they come in the next chapter
			out = append(out, fmt.Sprintf("… %d findings that only inform", informs))
		case strings.HasPrefix(paragraph, "Stage "):
			out = append(out, firstSteps(paragraph))
		default:
			out = append(out, narrow(paragraph))
		}
	}
	return strings.Join(out, "\n\n")
}

// firstSteps keeps a stage's heading and its first steps, without their commands.
func firstSteps(stage string) string {
	const first = 2
	lines := strings.Split(stage, "\n")
	steps := slices.DeleteFunc(lines[1:], func(line string) bool { return !regexp.MustCompile(`^ +\d+\. `).MatchString(line) })
	kept := append([]string{lines[0]}, steps[:min(first, len(steps))]...)
	if more := len(steps) - first; more > 0 {
		kept = append(kept, fmt.Sprintf("      … %d more steps", more))
	}
	return narrow(strings.Join(kept, "\n"))
}

// narrow cuts lines that a terminal would break.
func narrow(text string) string {
	const width = 140
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		if runes := []rune(line); len(runes) > width {
			lines[i] = string(runes[:width-1]) + "…"
		}
	}
	return strings.Join(lines, "\n")
}

// answer shows what only the owner can decide, and writes the answers.
func (d *demo) answer(ctx context.Context) error {
	d.show.Title("3. What only a person can decide is asked in plan.yaml")
	var planned struct {
		Decisions []struct {
			ID, Question string
			Required     bool
			Options      []struct{ Answer, Means string }
		}
	}
	said, _, err := d.call(ctx, io.Discard, "migrate", "plan", "-o", "json")
	if err != nil {
		return err
	}
	if err := json.Unmarshal([]byte(said[:strings.LastIndex(said, "}")+1]), &planned); err != nil {
		return fmt.Errorf("reading the plan: %w", err)
	}
	proposed := 0
	for _, decision := range planned.Decisions {
		answer, asked := answers()[decision.ID]
		if !asked {
			if decision.Required {
				return fmt.Errorf("the plan asks %s, which nobody answers: %s", decision.ID, decision.Question)
			}
			proposed++
			continue
		}
		d.show.Line("  %s\n    %s", decision.ID, decision.Question)
		for _, option := range decision.Options {
			mark := " "
			if option.Answer == answer {
				mark = "→"
			}
			d.show.Line("    %s %s: %s", mark, option.Answer, option.Means)
		}
	}
	d.show.Line("  %d further questions have an answer that is safe: it stays.", proposed)
	return writeAnswers(filepath.Join(d.state(), "plan.yaml"))
}

// writeAnswers writes the answers into plan.yaml, where the questions are, as an editor would.
func writeAnswers(path string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("reading the questions: %w", err)
	}
	var document yaml.Node
	if err := yaml.Unmarshal(text, &document); err != nil {
		return fmt.Errorf("reading the questions: %w", err)
	}
	open := answers()
	eachMapping(&document, func(fields map[string]*yaml.Node) {
		id := fields["id"]
		if id == nil || open[id.Value] == "" || fields["answer"] == nil {
			return
		}
		fields["answer"].SetString(open[id.Value])
		if decided := fields["decided"]; decided != nil {
			decided.Value = "true"
		}
		delete(open, id.Value)
	})
	if len(open) > 0 {
		return fmt.Errorf("plan.yaml does not ask what has an answer: %v", open)
	}
	if text, err = yaml.Marshal(&document); err != nil {
		return fmt.Errorf("encoding the answers: %w", err)
	}
	if err := os.WriteFile(path, text, 0o600); err != nil {
		return fmt.Errorf("writing the answers: %w", err)
	}
	return nil
}

// eachMapping calls act for every mapping within a node, whose values by their keys it gets.
func eachMapping(node *yaml.Node, act func(map[string]*yaml.Node)) {
	if node.Kind == yaml.MappingNode {
		fields := map[string]*yaml.Node{}
		for pair := range slices.Chunk(node.Content, 2) {
			fields[pair[0].Value] = pair[1]
		}
		act(fields)
	}
	for _, inner := range node.Content {
		eachMapping(inner, act)
	}
}

// takeOver has the program do all of it.
func (d *demo) takeOver(ctx context.Context) error {
	d.show.Title("4. The move, told by the program itself")
	d.show.Line("  made: a step was done; passed: what had to hold, holds, or nothing was to do; waiting: it goes on by itself.")
	log, err := os.Create(d.runLog())
	if err != nil {
		return fmt.Errorf("keeping what the program says: %w", err)
	}
	begun := time.Now()
	story := &folded{show: func(line string) { d.show.Line("    %s", narrow(line)) }}
	said, code, err := d.call(ctx, io.MultiWriter(story, log), runAll()...)
	if err = errors.Join(err, log.Close()); err != nil {
		return err
	}
	sums := sumsOf(said)
	if code != 0 || sums == "" {
		return failedError(code, said)
	}
	if !strings.HasSuffix(sums, " 0 lost") {
		return errors.New("something was lost: " + sums)
	}
	d.summary = append(d.summary, fmt.Sprintf("moved:       %s, in %s", made(said), took(begun)), "accounted:   "+sums)
	return nil
}

// runLog is the file with all that the program said of the move.
func (d *demo) runLog() string { return filepath.Join(d.dir, "run.log") }

// sumsOf is the line that accounts for all that was found; empty if it is not there.
func sumsOf(said string) string { return regexp.MustCompile(`(?m)^\d+ found = .*$`).FindString(said) }

// made is what a run says it made.
func made(said string) string { return regexp.MustCompile(`(?m)^\d+ steps? made`).FindString(said) }

// again runs the same once more, which has nothing to do.
func (d *demo) again(ctx context.Context) error {
	d.show.Title("8. The same once more")
	said, code, err := d.call(ctx, io.Discard, runAll()...)
	if err != nil {
		return err
	}
	if code != 0 || made(said) != "0 steps made" {
		return fmt.Errorf("the second run is not empty: %w", failedError(code, said))
	}
	var end bytes.Buffer
	for line := range strings.Lines(said) {
		if strings.HasPrefix(line, "0 steps made") || sumsOf(line) != "" {
			end.WriteString(line)
		}
	}
	d.show.Block(end.String())
	d.summary = append(d.summary, "again:       a second run makes nothing")
	return nil
}
