package report

import (
	"bytes"
	_ "embed" // the page's template
	"fmt"
	"html/template"
	"slices"
	"strings"

	"secretstore/internal/migrate/model"
	"secretstore/internal/migrate/model/shell"
)

//go:embed report.html.tmpl
var page string

// HTML is the report as one file that loads nothing: it can be mailed, printed, and read where there is no network.
func HTML(r model.Report) ([]byte, error) {
	t, err := template.New("report").Funcs(template.FuncMap{
		"shell": shell.Command, "source": source, "installed": installed, "explain": explain, "groups": groups, "actions": actions,
		"subject": subject, "lower": strings.ToLower, "state": stateOf, "anchor": anchor,
	}).Parse(page)
	if err != nil {
		return nil, fmt.Errorf("reading the report's template: %w", err)
	}
	var b bytes.Buffer
	v := view{Report: r, Namespaces: namespaces(r), Stages: stages(r.Changes), Bars: bars(r.Counts)}
	if err := t.Execute(&b, v); err != nil {
		return nil, fmt.Errorf("writing the report: %w", err)
	}
	return b.Bytes(), nil
}

// view is what the template shows: the report, and its parts in the order in which people read them.
type view struct {
	model.Report
	Namespaces []namespace
	Stages     []stage
	Bars       []bar
}

// Open lists the decisions that nothing goes on without.
func (v view) Open() []model.Decision {
	return slices.DeleteFunc(slices.Clone(v.Decisions), func(d model.Decision) bool {
		_, decided := d.Effective()
		return decided
	})
}

// Proposed lists the decisions that are taken as proposed, or by the operator.
func (v view) Proposed() []model.Decision {
	return slices.DeleteFunc(slices.Clone(v.Decisions), func(d model.Decision) bool {
		_, decided := d.Effective()
		return !decided
	})
}

// namespace is what was found in one namespace, and what is done about each object.
type namespace struct {
	Name    string
	Objects []row
	Counts  model.Counts
}

// row is an object and the steps that concern it.
type row struct {
	model.Accounted
	Changes []model.Change
}

// stage is the steps of one stage, in one piece of the order.
type stage struct {
	Name    model.StageName
	Changes []numbered
}

// numbered is a step with its number in the whole order.
type numbered struct {
	Number int
	model.Change
}

// bar is one outcome's share.
type bar struct {
	Outcome model.Outcome
	Count   int
}

func bars(c model.Counts) []bar {
	return []bar{
		{model.Translated, c.Translated},
		{model.NeedsDecision, c.NeedsDecision},
		{model.Blocked, c.Blocked},
		{model.NotInUse, c.NotInUse},
	}
}

// namespaces puts the objects of each namespace together, those of the whole cluster first.
func namespaces(r model.Report) []namespace {
	var all []namespace
	index := map[string]int{}
	for _, object := range r.Objects {
		at, seen := index[object.Namespace]
		if !seen {
			at = len(all)
			index[object.Namespace] = at
			all = append(all, namespace{Name: object.Namespace})
		}
		all[at].Objects = append(all[at].Objects, row{object, changesOf(r.Changes, object.Ref)})
		all[at].Counts.Add(object.Outcome)
	}
	slices.SortStableFunc(all, func(a, b namespace) int { return strings.Compare(a.Name, b.Name) })
	return all
}

// changesOf are the steps that concern an object.
func changesOf(changes []model.Change, ref model.Ref) []model.Change {
	return slices.DeleteFunc(slices.Clone(changes), func(c model.Change) bool { return c.Object != ref && c.For != ref })
}

// stages cuts the steps where one stage ends and the next begins.
func stages(changes []model.Change) []stage {
	var all []stage
	for i, c := range changes {
		if len(all) == 0 || all[len(all)-1].Name != c.Stage {
			all = append(all, stage{Name: c.Stage})
		}
		last := &all[len(all)-1]
		last.Changes = append(last.Changes, numbered{i + 1, c})
	}
	return all
}

// explain is the catalogue's entry of a code.
func explain(code model.Code) model.Entry {
	entry, _ := model.Explain(code)
	return entry
}

// stateOf says how a decision stands.
func stateOf(d model.Decision) string {
	answer, decided := d.Effective()
	return state(d, answer, decided)
}

// anchor is a name that a link within the page can lead to.
func anchor(name string) string {
	if name == "" {
		return "ns"
	}
	return "ns-" + name
}
