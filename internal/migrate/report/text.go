// Package report writes what a migration has to say: text for a terminal, and one HTML file that needs nothing beside it. The
// machine-readable form is model.Report itself, whose JSON is the contract.
//
// Promises: everything of the report is in each form, however long; the same report gives the same bytes; and there is no value
// of a secret in it, because there is none in the report.
package report

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"

	"secretstore/internal/migrate/model"
	"secretstore/internal/migrate/model/shell"
)

// Text is the report for people at a terminal: counts, what has to be decided or looked at, and the steps in their order. With
// wide set each object is listed, and each step with what it needs, risks, and how it is undone. states says of steps, by ID,
// how they stand; those that are missing are to be done.
func Text(r model.Report, wide bool, states map[string]string) string {
	var b strings.Builder
	b.WriteString(heading(r))
	b.WriteString("\n" + countsTable(r.Counts))
	if wide {
		b.WriteString("\n" + objectsTable(r.Objects))
	}
	b.WriteString(findings(r.Findings))
	b.WriteString(decisions(r.Decisions))
	b.WriteString(steps(r.Changes, wide, states))
	b.WriteString("\n" + summary(r))
	return b.String()
}

// heading says what was read and what is installed there.
func heading(r model.Report) string {
	lines := []string{"Read\t" + source(r.Input), "Strategy\t" + string(r.Options.Strategy) + ", to " + string(r.Options.Target)}
	if text := installed(r.Installed); text != "" {
		lines = append(lines, "Installed\t"+text)
	}
	return columns(lines)
}

// source names the input.
func source(in model.Input) string {
	text := "the cluster at " + in.Server
	if in.IsFolder() {
		text = "the folder " + in.Folder
	}
	if in.Version != "" {
		text += ", Kubernetes " + in.Version
	}
	if len(in.Namespaces) > 0 {
		text += ", of it the namespaces " + strings.Join(in.Namespaces, ", ")
	}
	if in.Selector != "" {
		text += ", of it the workloads " + in.Selector
	}
	return text
}

// installed names the old way as it was found.
func installed(i model.Installed) string {
	if i.Flavour == model.FlavourNone {
		return ""
	}
	text := map[model.Flavour]string{
		model.FlavourArc: "the Arc extension", model.FlavourAKS: "the AKS add-on", model.FlavourHelm: "the Helm chart",
		model.FlavourManifests: "plain manifests",
	}[i.Flavour]
	if name := cmp.Or(i.Extension, i.Release); name != "" {
		text += " " + name
	}
	if i.Namespace != "" {
		text += " in " + i.Namespace
	}
	if i.DriverVersion != "" {
		text += ", CSI driver " + i.DriverVersion
	}
	if i.ProviderVersion != "" {
		text += ", Azure provider " + i.ProviderVersion
	}
	return text
}

// countsTable is a line for each kind, and the sums.
func countsTable(c model.Counts) string {
	row := func(name string, c model.Counts) string {
		return fmt.Sprintf("%s\t%d\t%d\t%d\t%d\t%d", name, c.Total, c.Translated, c.NeedsDecision, c.Blocked, c.NotInUse)
	}
	lines := []string{"KIND\tFOUND\tTRANSLATED\tNEEDS DECISION\tBLOCKED\tNOT IN USE"}
	for _, kind := range slices.Sorted(maps.Keys(c.Kinds)) {
		lines = append(lines, row(kind, c.Kinds[kind]))
	}
	return columns(append(lines, row("all", c)))
}

// objectsTable is a line for each object.
func objectsTable(objects []model.Accounted) string {
	lines := []string{"NAMESPACE\tKIND\tNAME\tOUTCOME\tFINDINGS\tPLACE"}
	for _, o := range objects {
		codes := make([]string, 0, len(o.Findings))
		for _, code := range o.Findings {
			codes = append(codes, string(code))
		}
		lines = append(lines, strings.Join([]string{
			cmp.Or(o.Namespace, "-"), o.Kind, o.Name, string(o.Outcome), cmp.Or(strings.Join(codes, ","), "-"), o.Place.String(),
		}, "\t"))
	}
	return columns(lines)
}

// findings tells what was found, the gravest first; what was found of many objects alike is told once, with their names.
func findings(list []model.Finding) string {
	var b strings.Builder
	for _, group := range groups(list) {
		first := group[0]
		entry, _ := model.Explain(first.Code)
		fmt.Fprintf(&b, "\n%s %s: %s\n", first.Code, first.Severity, entry.Title)
		for _, f := range group {
			fmt.Fprintf(&b, "  %s%s\n", subject(f), indent(f.Message))
		}
		for _, action := range actions(group) {
			fmt.Fprintf(&b, "  -> %s\n", indent(action))
		}
	}
	return b.String()
}

// groups puts findings of one code together, in the order in which the codes come first.
func groups(list []model.Finding) [][]model.Finding {
	var order []model.Code
	byCode := map[model.Code][]model.Finding{}
	for _, f := range list {
		if _, seen := byCode[f.Code]; !seen {
			order = append(order, f.Code)
		}
		byCode[f.Code] = append(byCode[f.Code], f)
	}
	grouped := make([][]model.Finding, 0, len(order))
	for _, code := range order {
		grouped = append(grouped, byCode[code])
	}
	return grouped
}

// actions are those of a group, each once.
func actions(group []model.Finding) []string {
	var all []string
	for _, f := range group {
		if f.Action != "" && !slices.Contains(all, f.Action) {
			all = append(all, f.Action)
		}
	}
	return all
}

// subject is the object that a finding is about, and its place, before its message.
func subject(f model.Finding) string {
	text := ""
	if f.Object != (model.Ref{}) {
		text = f.Object.String() + ": "
	}
	if place := f.Place.String(); place != "" {
		text = place + ": " + text
	}
	return text
}

// decisions lists the questions: those that are open first.
func decisions(list []model.Decision) string {
	if len(list) == 0 {
		return ""
	}
	var b strings.Builder
	b.WriteString("\nDecisions (answer them in plan.yaml)\n")
	for _, open := range []bool{true, false} {
		for _, d := range list {
			if answer, decided := d.Effective(); decided != open {
				fmt.Fprintf(&b, "  %s\n    %s\n    %s\n", d.ID, indent(d.Question), state(d, answer, decided))
			}
		}
	}
	return b.String()
}

// state says how a decision stands.
func state(d model.Decision, answer string, decided bool) string {
	switch {
	case !decided:
		return "open; proposed: " + cmp.Or(d.Proposal, "nothing") + options(d)
	case d.Answer == "":
		return answer + ", unless you say otherwise" + options(d)
	default:
		return "decided: " + answer
	}
}

// options lists the answers that a decision takes.
func options(d model.Decision) string {
	answers := make([]string, 0, len(d.Options)+1)
	for _, o := range d.Options {
		answers = append(answers, o.Answer)
	}
	if d.Free {
		answers = append(answers, "any other name")
	}
	return " (" + strings.Join(answers, " | ") + ")"
}

// steps lists what is to be done, by stage in the order of the strategy.
func steps(changes []model.Change, wide bool, states map[string]string) string {
	var b strings.Builder
	var stage model.StageName
	for i, c := range changes {
		if c.Stage != stage {
			stage = c.Stage
			fmt.Fprintf(&b, "\nStage %s\n", stage)
		}
		mark := ""
		if text := states[c.ID]; text != "" {
			mark = "[" + text + "] "
		}
		fmt.Fprintf(&b, "%4d. %s%s\n", i+1, mark, indent(c.Summary))
		for _, line := range details(c, wide) {
			fmt.Fprintf(&b, "      %s\n", indent(line))
		}
	}
	return b.String()
}

// details are the lines below a step.
func details(c model.Change, wide bool) []string {
	var lines []string
	add := func(mark, text string, shown bool) {
		if text != "" && shown {
			lines = append(lines, mark+text)
		}
	}
	add("in ", c.Place.String(), wide)
	add("by hand: ", c.ByHand, true)
	add("$ ", shell.Command(c.Command), true)
	add("do: ", c.Manual, wide)
	if c.Irreversible {
		lines = append(lines, "cannot be undone")
	}
	for _, e := range c.Edits {
		add(string(e.Op)+" ", e.Path.String(), wide)
	}
	for _, need := range c.Needs {
		add("needs: ", need, wide)
	}
	add("risk: ", c.Risk, wide)
	add("undo: ", c.Undo, wide)
	return lines
}

// summary is the last line: the sums, and what stands in the way.
func summary(r model.Report) string {
	c := r.Counts
	text := fmt.Sprintf("%d found = %d translated + %d needs-decision + %d blocked + %d not-in-use; %s.\n",
		c.Total, c.Translated, c.NeedsDecision, c.Blocked, c.NotInUse,
		model.Counted(len(r.Changes), "step"))
	if c.NeedsDecision+c.Blocked > 0 {
		text += "Not everything can be taken over yet: decide in plan.yaml what needs a decision, mend what is blocked, and " +
			"run this again.\n"
	}
	return text
}

// columns aligns lines whose cells are parted by tabs.
func columns(lines []string) string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 3, ' ', 0) //nolint:mnd // as wide as kubectl's
	for _, line := range lines {
		_, _ = w.Write([]byte(strings.TrimRight(line, "\t") + "\n")) // a strings.Builder takes everything
	}
	_ = w.Flush()
	return b.String()
}

// indent sets the lines after the first apart from what follows a text.
func indent(text string) string { return strings.ReplaceAll(strings.TrimSpace(text), "\n", "\n      ") }
