package state

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"secretstore/internal/migrate/model"
)

const (
	// PlanFile holds the operator's decisions.
	PlanFile = "plan.yaml"
	// knownFile holds the decisions that PlanFile was written for, by which a mistake in it is told.
	knownFile = "decisions.json"
)

// Decisions reads the operator's answers that count, by the IDs of decisions: of those that are not required what differs from
// the proposal, and of those that are the ones marked `decided: true`. Without a plan.yaml there are none. A mistake in it is a
// *PlanError. What is asked is not known yet where a plan.yaml was brought into a new folder, as for a second cluster of a kind:
// all that is in it counts then, and [Folder.CheckDecisions] judges it.
func (f *Folder) Decisions() (map[string]string, error) {
	answers, known, err := f.readPlan(nil)
	if err != nil {
		return nil, err
	}
	count := map[string]string{}
	if !f.has(knownFile) {
		maps.DeleteFunc(answers.current, func(_ string, a answer) bool { return a.open })
		for id, a := range answers.current {
			count[id] = a.Answer
		}
	}
	for _, d := range known {
		if a, ok := answers.current[d.ID]; ok && a.Answer != "" && (a.Decided || !d.Required) {
			count[d.ID] = a.Answer
		}
	}
	return count, nil
}

// CheckDecisions looks for mistakes in a plan.yaml that was brought into a new folder, by the decisions of a plan. They are a
// *PlanError. In any other folder it has nothing to do.
func (f *Folder) CheckDecisions(decisions []model.Decision) error {
	_, _, err := f.readPlan(decisions)
	return err
}

// SaveDecisions writes plan.yaml for the decisions of a plan. Answers that are there are kept; those to questions that nobody
// asks any more are kept apart as obsolete, and return if the question does. A broken plan.yaml is not overwritten.
func (f *Folder) SaveDecisions(decisions []model.Decision) error {
	answers, asked, err := f.readPlan(decisions)
	if err != nil {
		return err
	}
	known, err := json.MarshalIndent(union(decisions, asked), "", "  ")
	if err != nil {
		return fmt.Errorf("writing %s: %w", f.Path(knownFile), err)
	}
	content, err := render(decisions, answers)
	if err != nil {
		return fmt.Errorf("writing %s: %w", f.Path(PlanFile), err)
	}
	// The decisions first, with those that were asked before: plan.yaml must not hold an ID that they do not, or it would be
	// refused, whenever the program is stopped.
	if err := f.write(knownFile, append(known, '\n')); err != nil {
		return err
	}
	return f.write(PlanFile, content)
}

// union is all decisions that were ever asked, as they were asked last.
func union(decisions, asked []model.Decision) []model.Decision {
	all := slices.Concat(decisions, asked)
	slices.SortStableFunc(all, byID)
	return slices.CompactFunc(all, func(a, b model.Decision) bool { return a.ID == b.ID })
}

func byID(a, b model.Decision) int { return strings.Compare(a.ID, b.ID) }

// readPlan reads both files; without them nothing is known and nothing is answered. A plan.yaml alone is judged by decisions, if
// there are any.
func (f *Folder) readPlan(decisions []model.Decision) (answers, []model.Decision, error) {
	content, err := os.ReadFile(f.Path(PlanFile))
	if errors.Is(err, fs.ErrNotExist) {
		return answers{}, nil, nil
	}
	if err != nil {
		return answers{}, nil, fmt.Errorf("reading the decisions: %w", err)
	}
	var known []model.Decision
	raw, err := os.ReadFile(f.Path(knownFile))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return answers{}, nil, fmt.Errorf("reading the decisions: %w", err)
	}
	if len(raw) > 0 {
		if err := json.Unmarshal(raw, &known); err != nil {
			return answers{}, nil, fmt.Errorf("%s is broken: %w; remove it and %s, and plan again", f.Path(knownFile), err, PlanFile)
		}
	}
	brought := len(raw) == 0
	if brought {
		known = decisions
	}
	a, err := parsePlan(f.Path(PlanFile), content, known, brought)
	if err != nil {
		return a, known, err
	}
	a.dropProposals(known)
	return a, known, nil
}

// has tells whether a file is there.
func (f *Folder) has(name string) bool {
	_, err := os.Lstat(f.Path(name))
	return err == nil
}

// answer is an entry of plan.yaml.
type answer struct {
	ID      string `yaml:"id"`
	Answer  string `yaml:"answer"`
	Decided bool   `yaml:"decided"`
	// open says that the entry has a `decided`, and that it is false.
	open bool
}

// answers are the entries of plan.yaml by their IDs.
type answers struct {
	current, obsolete map[string]answer
}

// dropProposals forgets the entries that stand as they were proposed and count without being decided: nobody has said them, so
// that a later proposal takes their place.
func (a answers) dropProposals(known []model.Decision) {
	for _, d := range known {
		if given, ok := a.current[d.ID]; ok && !d.Required && given.Answer == d.Proposal {
			delete(a.current, d.ID)
		}
	}
}

// of is the answer that is written for a decision: what the operator said, now or when the question was asked before, unless
// it is not allowed any more; else the proposal.
func (a answers) of(d model.Decision) answer {
	for _, from := range []map[string]answer{a.current, a.obsolete} {
		if given, ok := from[d.ID]; ok && d.Allows(given.Answer) {
			return given
		}
	}
	return answer{ID: d.ID, Answer: d.Proposal}
}

// render writes plan.yaml.
func render(decisions []model.Decision, a answers) ([]byte, error) {
	decisions = union(decisions, nil)
	var b bytes.Buffer
	b.WriteString(header)
	left := maps.Clone(a.obsolete)
	if left == nil {
		left = map[string]answer{}
	}
	maps.Copy(left, a.current)
	list(&b, "decisions", len(decisions))
	for _, d := range decisions {
		delete(left, d.ID)
		if err := entry(&b, d, a.of(d)); err != nil {
			return nil, err
		}
	}
	b.WriteString("\n# Answers to questions that nobody asks any more. They return with the question.\n")
	list(&b, "obsolete", len(left))
	for _, id := range slices.Sorted(maps.Keys(left)) {
		if err := fieldsOf(&b, left[id], true); err != nil {
			return nil, err
		}
	}
	return b.Bytes(), nil
}

const header = `# The decisions of this migration. Change "answer", and where a "decided" is, set it to true: until then nothing
# is done about the object. Entries without "decided" count as they stand. The file is written anew by every
# plan: answers are kept, comments are not.
version: 1
`

// list begins a list of n entries.
func list(b *bytes.Buffer, name string, n int) {
	if n == 0 {
		fmt.Fprintf(b, "%s: []\n", name)
		return
	}
	fmt.Fprintf(b, "%s:\n", name)
}

// entry writes a decision with its question and answers as comments.
func entry(b *bytes.Buffer, d model.Decision, a answer) error {
	about := "the whole"
	if d.Object != (model.Ref{}) {
		about = line(d.Object.String())
	}
	fmt.Fprintf(b, "\n  # %s\n  # %s, finding %s\n", line(d.Question), about, d.Code)
	for _, o := range d.Options {
		fmt.Fprintf(b, "  #   %s: %s\n", line(o.Answer), line(o.Means))
	}
	if d.Free {
		b.WriteString("  #   any other text is an answer too\n")
	}
	return fieldsOf(b, a, d.Required)
}

// fieldsOf writes an entry's fields.
func fieldsOf(b *bytes.Buffer, a answer, decided bool) error {
	id, err := scalar(a.ID)
	if err != nil {
		return err
	}
	text, err := scalar(a.Answer)
	if err != nil {
		return err
	}
	fmt.Fprintf(b, "  - id: %s\n    answer: %s\n", id, text)
	if decided {
		fmt.Fprintf(b, "    decided: %t\n", a.Decided)
	}
	return nil
}

// scalar is text as YAML, quoted where it has to be.
func scalar(text string) (string, error) {
	node := yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: text}
	if strings.ContainsAny(text, "\r\n") {
		node.Style = yaml.DoubleQuotedStyle
	}
	content, err := yaml.Marshal(&node)
	return strings.TrimSuffix(string(content), "\n"), err
}

// line is text without line breaks, for a comment.
func line(text string) string { return strings.Join(strings.Fields(text), " ") }
