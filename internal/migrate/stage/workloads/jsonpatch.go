package workloads

import (
	"errors"
	"slices"
	"strconv"

	"secretstore/internal/migrate/model"
	"secretstore/internal/migrate/model/jsonpatch"
)

// A JSON patch of a kustomization says what to do with its base, at places that the migration changes. What it has to become
// follows from what it was for: applied to the changed base it must make what the migration makes of the object that it made
// before. So both ways are gone, an operation at a time, and only what is proved to lead to the same object takes the place of
// an operation.

// jsonPatch plans a JSON patch.
func (p *planner) jsonPatch(w model.Workload) {
	base, known := p.base(w)
	switch {
	case known && (base.Held || !p.quiet().decided(base)):
		p.waitsForBase(w)
		return
	case !p.ready(w):
		return
	}
	list, failed, err := p.rewrite(w)
	if err != nil {
		object := w.Object
		object.Place.Line = failed.Line
		p.say(model.JSONPatch, object, "", "%s: the operation %s of a JSON patch cannot be carried over: %s.", object.Place, failed,
			err)
		return
	}
	if known && !p.quiet().ready(base) {
		p.waitsForBase(w)
		return
	}
	if edits := operationEdits(w.Object.Patch.Steps, list); len(edits) > 0 {
		p.add(p.patchChange(w, list, edits), true)
	}
}

// waitsForBase says of a patch that its base is not changed yet.
func (p *planner) waitsForBase(w model.Workload) {
	p.say(codeUndecided, w.Object, "Settle what is said of its base.", "The object that it patches has to wait, so the patch does.")
}

// quiet is a planner that knows the same, and whose findings and questions are nobody's.
func (p *planner) quiet() *planner {
	q := *p
	q.plan, q.ids = model.Plan{}, map[string]bool{}
	return &q
}

// carried tells whether a base's JSON patches can be changed with it, and says which one cannot.
func (p *planner) carried(w, patch model.Workload) bool {
	if !patch.Object.IsJSONPatch() || patch.Held {
		return true // what is held is said elsewhere
	}
	_, _, err := p.rewrite(patch)
	if err == nil && p.quiet().ready(patch) {
		return true
	}
	p.say(codeUndecided, w.Object, "Settle what is said of the patch.",
		"The JSON patch in %s has to change together with it, and cannot be changed yet.", patch.Object.Place)
	return false
}

// rewrite finds what takes the place of each operation: a list of none, itself, or others. The error is about the operation
// that is returned with it.
func (p *planner) rewrite(w model.Workload) ([][]jsonpatch.Operation, model.Step, error) {
	q := p.quiet()
	before := w.States[0].Object.Content
	base, known := p.base(w)
	if known {
		before = q.edited(base)
	}
	var list [][]jsonpatch.Operation
	for i, step := range w.Object.Patch.Steps {
		state := w.States[i+1]
		state.States = w.States[len(w.States)-1:]
		if known {
			state.Object.Ref = base.Object.Ref
		}
		after := q.edited(state)
		operations, found := rewriteOne(step.Operation, before, after)
		if !found {
			return nil, step, errors.New("no operation does on the changed base what this one did on the old")
		}
		list, before = append(list, operations), after
	}
	return list, model.Step{}, nil
}

// edited is the content of a workload as the migration leaves it.
func (p *planner) edited(w model.Workload) map[string]any {
	e := p.edits(w)
	return apply(w.Object.Content, e.list(w.Object.Content))
}

// rewriteOne finds operations that make after of before, as near to an operation as can be; it tells whether it found them.
func rewriteOne(o jsonpatch.Operation, before, after any) ([]jsonpatch.Operation, bool) {
	candidates := [][]jsonpatch.Operation{{o}, {}}
	if value, err := jsonpatch.Get(after, o.Path); err == nil && (o.Op == "add" || o.Op == "replace") {
		candidates = append(candidates, []jsonpatch.Operation{{Op: o.Op, Path: o.Path, Value: value}})
	}
	if i := slices.Index(jsonpatch.Steps(o.Path), "csi"); i > 0 {
		volume := jsonpatch.Pointer(jsonpatch.Steps(o.Path)[:i]...)
		candidates = append(candidates, sourceChange(volume, before, after))
	}
	for _, operations := range candidates {
		if leads(operations, before, after) {
			return operations, true
		}
	}
	return nil, false
}

// leads tells whether operations make after of before.
func leads(operations []jsonpatch.Operation, before, after any) bool {
	var err error
	for _, o := range operations {
		if before, err = o.Apply(before); err != nil {
			return false
		}
	}
	return jsonpatch.Equal(before, after)
}

// sourceChange gives a volume another Secret, or takes it away.
func sourceChange(volume string, before, after any) []jsonpatch.Operation {
	was, _ := secretSource(volume, before)
	is, value := secretSource(volume, after)
	switch {
	case was != "" && was == is:
		return []jsonpatch.Operation{{Op: "replace", Path: volume + "/" + is, Value: value}}
	case was != "" && is != "":
		return []jsonpatch.Operation{{Op: "remove", Path: volume + "/" + was}, {Op: "add", Path: volume + "/" + is, Value: value}}
	case was != "":
		return []jsonpatch.Operation{{Op: "remove", Path: volume + "/" + was}}
	default:
		return []jsonpatch.Operation{{Op: "add", Path: volume + "/" + is, Value: value}}
	}
}

// secretSource is the field of a volume that gives it the files of Secrets, and its value; empty if it has none.
func secretSource(volume string, content any) (field string, value any) {
	for _, field := range []string{"secret", "projected"} {
		if value, err := jsonpatch.Get(content, volume+"/"+field); err == nil {
			return field, value
		}
	}
	return "", nil
}

// operationEdits turn the operations of a patch into those that take their places, the last first, so that every number is
// still right when its turn comes.
func operationEdits(steps []model.Step, list [][]jsonpatch.Operation) []model.FieldEdit {
	var e edits
	for i, operations := range slices.Backward(list) {
		if len(operations) == 0 {
			e.fields = append(e.fields, model.FieldEdit{
				Op: model.OpRemove, Path: model.Path{i}, Was: fieldsOf(steps[i].Operation),
			})
			continue
		}
		for _, further := range slices.Backward(operations[1:]) {
			e.put(model.Path{i + 1}, fieldsOf(further))
		}
		e.operation(i, fieldsOf(steps[i].Operation), fieldsOf(operations[0]))
	}
	return e.fields
}

// operation changes the fields of one operation.
func (e *edits) operation(i int, was, is map[string]any) {
	for _, name := range []string{"op", "path", "value"} {
		value, wanted := is[name]
		old, found := was[name]
		switch path := (model.Path{i, name}); {
		case wanted && !found:
			e.put(path, value)
		case found && !wanted:
			e.fields = append(e.fields, model.FieldEdit{Op: model.OpRemove, Path: path, Was: old})
		case !jsonpatch.Equal(old, value):
			e.fields = append(e.fields, model.FieldEdit{Op: model.OpReplace, Path: path, Value: value, Was: old})
		}
	}
}

// fieldsOf is an operation as it is written.
func fieldsOf(o jsonpatch.Operation) map[string]any {
	fields := map[string]any{"op": o.Op, "path": o.Path}
	if o.From != "" {
		fields["from"] = o.From
	}
	if o.Op == "add" || o.Op == "replace" || o.Op == "test" {
		fields["value"] = o.Value
	}
	return fields
}

// patchChange is the step that changes a JSON patch. One of which nothing is left goes from its kustomization, which refuses an
// empty one.
func (p *planner) patchChange(w model.Workload, list [][]jsonpatch.Operation, edits []model.FieldEdit) model.Change {
	object := w.Object
	summary := "Let the JSON patch of " + object.String() + " say of its volumes what it said, together with its base"
	if !slices.ContainsFunc(list, func(operations []jsonpatch.Operation) bool { return len(operations) > 0 }) {
		entry := object.Patch.Entry
		steps := jsonpatch.Steps(entry.Inside)
		i, _ := strconv.Atoi(steps[len(steps)-1])
		object.Place, object.Place.Inside = entry, ""
		edits = []model.FieldEdit{{Op: model.OpRemove, Path: model.Path{steps[0], i}}}
		summary = "Take the JSON patch of " + object.String() + ", which says nothing but of the CSI driver, out of its kustomization"
		if w.Object.Place.Inside == "" {
			summary += "; its file " + w.Object.Place.File + " is not used any more"
		}
	}
	c := p.change(object, w.Manager, orderWorkloads, edits)
	c.Summary = summary
	c.Risk = "The base and all its patches have to change together: else a patch names what is not there, and kustomize builds " +
		"nothing."
	return c
}
