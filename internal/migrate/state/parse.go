package state

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"secretstore/internal/migrate/model"
)

// PlanError lists the mistakes of a plan.yaml. Nothing is done until they are mended.
type PlanError struct {
	File     string
	Mistakes []Mistake
}

// Mistake is a mistake at a line, from 1.
type Mistake struct {
	Line    int
	Problem string
}

// Error lists the mistakes, a line each.
func (e *PlanError) Error() string {
	var b strings.Builder
	b.WriteString("the decisions cannot be read:")
	for _, m := range e.Mistakes {
		fmt.Fprintf(&b, "\n  %s:%d: %s", e.File, m.Line, m.Problem)
	}
	b.WriteString("\nMend them and run again, or move the file away to begin with the proposals: nothing was written")
	return b.String()
}

// plan reads a plan.yaml and collects its mistakes.
type plan struct {
	known []model.Decision
	// brought says that nothing was asked before: without known nothing can be judged.
	brought  bool
	answers  answers
	mistakes []Mistake
}

// parsePlan reads plan.yaml. known are the decisions that it was written for, or that it was brought for.
func parsePlan(file string, content []byte, known []model.Decision, brought bool) (answers, error) {
	p := &plan{known: known, brought: brought, answers: answers{current: map[string]answer{}, obsolete: map[string]answer{}}}
	var root yaml.Node
	if err := yaml.Unmarshal(content, &root); err != nil {
		p.mistakes = append(p.mistakes, syntaxMistake(err))
	} else if len(root.Content) > 0 {
		p.top(root.Content[0])
	}
	if len(p.mistakes) > 0 {
		slices.SortStableFunc(p.mistakes, func(a, b Mistake) int { return cmp.Compare(a.Line, b.Line) })
		return answers{}, &PlanError{File: file, Mistakes: p.mistakes}
	}
	return p.answers, nil
}

// syntaxMistake tells where YAML is broken. The parser counts the lines of errors of its grammar from 0.
func syntaxMistake(err error) Mistake {
	message := strings.TrimPrefix(err.Error(), "yaml: ")
	m := Mistake{Line: 1, Problem: "broken YAML: " + message}
	if found := regexp.MustCompile(`^line (\d+): (.*)`).FindStringSubmatch(message); found != nil {
		m.Line, _ = strconv.Atoi(found[1])
		m.Problem = "broken YAML: " + found[2]
		if strings.HasPrefix(found[2], "did not find expected") {
			m.Line++
		}
	}
	return m
}

// wrong notes a mistake.
func (p *plan) wrong(n *yaml.Node, problem string, args ...any) {
	p.mistakes = append(p.mistakes, Mistake{Line: n.Line, Problem: fmt.Sprintf(problem, args...)})
}

// each calls field for every key of a mapping, and notes what is none and keys that are there twice.
func (p *plan) each(n *yaml.Node, what string, field func(key, value *yaml.Node)) {
	if n.Kind != yaml.MappingNode {
		p.wrong(n, "%s has to be a mapping of keys to values", what)
		return
	}
	seen := map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := n.Content[i]
		if seen[key.Value] {
			p.wrong(key, "%q is there twice", key.Value)
		}
		seen[key.Value] = true
		field(key, n.Content[i+1])
	}
}

// top reads the file's own keys.
func (p *plan) top(n *yaml.Node) {
	if n.ShortTag() == "!!null" {
		return
	}
	p.each(n, "the file", func(key, value *yaml.Node) {
		switch key.Value {
		case "version":
			if value.Value != "1" {
				p.wrong(value, "version %s is not known: this program writes 1; use the program that wrote the file", value.Value)
			}
		case "decisions":
			p.entries(value, p.answers.current, true)
		case "obsolete":
			p.entries(value, p.answers.obsolete, false)
		default:
			p.wrong(key, "%q is not known: there are version, decisions and obsolete", key.Value)
		}
	})
}

// entries reads a list of entries. Those that are current have to answer a decision that is known.
func (p *plan) entries(n *yaml.Node, into map[string]answer, current bool) {
	if n.ShortTag() == "!!null" {
		return
	}
	if n.Kind != yaml.SequenceNode {
		p.wrong(n, "a list of entries belongs here, each with id and answer")
		return
	}
	for _, item := range n.Content {
		before := len(p.mistakes)
		a, at := p.entry(item)
		if len(p.mistakes) > before {
			continue
		}
		if _, twice := into[a.ID]; twice {
			p.wrong(item, "the decision %q is there twice", a.ID)
		}
		into[a.ID] = a
		if current && (len(p.known) > 0 || !p.brought) {
			p.judge(item, at, a)
		}
	}
}

// entry reads one entry, and returns the node of its answer.
func (p *plan) entry(n *yaml.Node) (a answer, at *yaml.Node) {
	at = n
	p.each(n, "an entry", func(key, value *yaml.Node) {
		switch key.Value {
		case "id":
			a.ID = p.text(value, "id")
		case "answer":
			a.Answer, at = p.text(value, "answer"), value
		case "decided":
			if value.ShortTag() != "!!bool" || value.Decode(&a.Decided) != nil {
				p.wrong(value, "decided is true or false, not %q", value.Value)
			}
			a.open = !a.Decided
		default:
			p.wrong(key, "%q is not known: an entry has id, answer and decided", key.Value)
		}
	})
	if n.Kind == yaml.MappingNode && a.ID == "" {
		p.wrong(n, "the entry has no id")
	}
	return a, at
}

// text reads a scalar as it is written: an answer `443` or `true` is text too.
func (p *plan) text(n *yaml.Node, what string) string {
	if n.Kind != yaml.ScalarNode {
		p.wrong(n, "%s has to be text", what)
		return ""
	}
	if n.ShortTag() == "!!null" {
		return ""
	}
	return n.Value
}

// judgeBrought notes an answer that nobody has decided. What was asked before says so itself.
func (p *plan) judgeBrought(item *yaml.Node, a answer, d model.Decision) {
	if d.Required && !a.Decided && !a.open {
		p.wrong(item, "%q has to be decided by somebody: say decided: true", a.ID)
	}
}

// judge notes an entry that answers nothing that was asked, or in a way that is not understood.
func (p *plan) judge(item, at *yaml.Node, a answer) {
	i := slices.IndexFunc(p.known, func(d model.Decision) bool { return d.ID == a.ID })
	if i < 0 {
		p.wrong(item, "there is no decision %q: IDs are not to be changed; remove the entry", a.ID)
		return
	}
	d := p.known[i]
	if p.brought {
		p.judgeBrought(item, a, d)
	}
	untouched := !a.Decided && (a.Answer == d.Proposal || a.Answer == "")
	if !untouched && !d.Allows(a.Answer) {
		var allowed []string
		for _, o := range d.Options {
			allowed = append(allowed, o.Answer)
		}
		if d.Free {
			allowed = append(allowed, "or any other text")
		}
		p.wrong(at, "%q is no answer to %q: choose %s", a.Answer, a.ID, strings.Join(allowed, ", "))
	}
}
