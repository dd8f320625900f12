package cluster

import (
	"fmt"
	"maps"
	"reflect"
	"slices"

	"secretstore/internal/migrate/model"
)

// sortedKeys are a map's keys, sorted.
func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// normalEdits are edits whose paths and values are of the types that JSON gives, places in lists being int: the journal reads
// them as float64.
func normalEdits(edits []model.FieldEdit) ([]model.FieldEdit, error) {
	out := make([]model.FieldEdit, 0, len(edits))
	for _, e := range edits {
		path := make(model.Path, 0, len(e.Path))
		for _, step := range e.Path {
			switch s := step.(type) {
			case float64:
				path = append(path, int(s))
			case int64:
				path = append(path, int(s))
			default:
				path = append(path, s)
			}
		}
		if len(path) == 0 {
			return nil, fmt.Errorf("an edit %q of no field", e.Op)
		}
		e.Path = path
		var err error
		if e.Value, err = normal(e.Value); err != nil {
			return nil, err
		}
		if e.Was, err = normal(e.Was); err != nil {
			return nil, err
		}
		out = append(out, e)
	}
	return out, nil
}

// open says why edits cannot be made of an object as it is, by what stands at their places; empty if they can.
func open(content map[string]any, edits []model.FieldEdit) string {
	work := document{content}
	for _, e := range edits {
		if why := work.openFor(e); why != "" {
			return why
		}
		work.do(e)
	}
	return ""
}

// done says why edits are not all made already; empty if they are. They are looked at backwards, each taken back in turn.
func done(content map[string]any, edits []model.FieldEdit) string {
	work := document{content}
	for _, e := range slices.Backward(edits) {
		if why := work.doneOf(e); why != "" {
			return why
		}
		work.do(reverse(e))
	}
	return ""
}

// changes tells whether edits make anything of an object that is not so already.
func changes(content map[string]any, edits []model.FieldEdit) bool {
	work := document{content}
	for _, e := range edits {
		work.do(e)
	}
	return len(edits) == 0 || !reflect.DeepEqual(work.content, any(content))
}

// reverse takes an edit back.
func reverse(e model.FieldEdit) model.FieldEdit {
	switch e.Op {
	case model.OpAdd:
		return model.FieldEdit{Op: model.OpRemove, Path: e.Path, Was: e.Value}
	case model.OpRemove:
		return model.FieldEdit{Op: model.OpAdd, Path: e.Path, Value: e.Was}
	case model.OpReplace:
		return model.FieldEdit{Op: model.OpReplace, Path: e.Path, Value: e.Was, Was: e.Value}
	}
	return e
}

// inverse are the edits that give an object back, at the places that edits change, what stood there to the last field.
func inverse(before map[string]any, edits []model.FieldEdit) []model.FieldEdit {
	work := document{before}
	back := make([]model.FieldEdit, 0, len(edits))
	for _, e := range edits {
		was, there := e.Path.Get(work.content)
		_, inList := last(e.Path).(int)
		switch {
		case e.Op == model.OpAdd && there && !inList:
			e.Op = model.OpReplace // adding a field that exists replaces it
			e.Was = was
		case e.Op != model.OpAdd && there:
			e.Was = was
		}
		back = append(back, reverse(e))
		work.do(e)
	}
	slices.Reverse(back)
	return back
}

// document is an object that edits are tried on; it is not changed, but copied along the paths that are.
type document struct{ content any }

func last(p model.Path) any { return p[len(p)-1] }

// openFor says why one edit cannot be made.
func (d *document) openFor(e model.FieldEdit) string {
	have, there := e.Path.Get(d.content)
	_, inList := last(e.Path).(int)
	switch {
	case e.Op == model.OpAdd && inList:
		return d.openList(e)
	case e.Op == model.OpAdd:
		if _, parent := e.Path[:len(e.Path)-1].Get(d.content); !parent {
			return fmt.Sprintf("%s, which holds what is added, is not there", e.Path[:len(e.Path)-1])
		}
		if there && !contains(have, e.Value) {
			return fmt.Sprintf("%s is there by now, with another value", e.Path)
		}
	case !there:
		return fmt.Sprintf("%s is not there any more%s", e.Path, d.moved(e.Path, e.Was))
	case !contains(have, e.Was):
		return fmt.Sprintf("%s is not as it was read%s", e.Path, d.moved(e.Path, e.Was))
	}
	return ""
}

// openList says why a value cannot be put into a list.
func (d *document) openList(e model.FieldEdit) string {
	list, ok := d.listOf(e.Path)
	at, _ := last(e.Path).(int)
	switch {
	case !ok || at > len(list):
		return fmt.Sprintf("the list at %s is shorter than it was", e.Path[:len(e.Path)-1])
	case indexOf(list, e.Value) >= 0:
		return fmt.Sprintf("%s holds it already", e.Path[:len(e.Path)-1])
	}
	return ""
}

// doneOf says why one edit is not made yet.
func (d *document) doneOf(e model.FieldEdit) string {
	have, there := e.Path.Get(d.content)
	_, inList := last(e.Path).(int)
	switch {
	case e.Op == model.OpRemove && inList:
		if list, _ := d.listOf(e.Path); indexOf(list, e.Was) >= 0 {
			return fmt.Sprintf("%s is still there", e.Path)
		}
	case e.Op == model.OpRemove:
		if there {
			return fmt.Sprintf("%s is still there", e.Path)
		}
	case !there:
		return fmt.Sprintf("%s is not there", e.Path)
	case !contains(have, e.Value):
		return fmt.Sprintf("%s holds another value%s", e.Path, d.moved(e.Path, e.Value))
	}
	return ""
}

// moved tells where in its list an entry stands that was at another place.
func (d *document) moved(path model.Path, value any) string {
	if _, inList := last(path).(int); !inList {
		return ""
	}
	list, _ := d.listOf(path)
	if at := indexOf(list, value); at >= 0 {
		return fmt.Sprintf(": somebody else changed the list, and it is at %d now", at)
	}
	return ""
}

// listOf is the list that a path ends in.
func (d *document) listOf(path model.Path) ([]any, bool) {
	parent, _ := path[:len(path)-1].Get(d.content)
	list, ok := parent.([]any)
	return list, ok
}

// indexOf finds a value in a list, -1 if it is in none of its places.
func indexOf(list []any, value any) int {
	return slices.IndexFunc(list, func(v any) bool { return !empty(value) && contains(v, value) })
}

// do makes an edit. One whose place is not there changes nothing.
func (d *document) do(e model.FieldEdit) { d.content = changed(d.content, e.Path, e) }

// changed is a value with an edit made below it.
func changed(value any, path model.Path, e model.FieldEdit) any {
	switch step := path[0].(type) {
	case string:
		fields, ok := value.(map[string]any)
		if !ok {
			return value
		}
		fields = maps.Clone(fields)
		switch {
		case len(path) > 1:
			fields[step] = changed(fields[step], path[1:], e)
		case e.Op == model.OpRemove:
			delete(fields, step)
		default:
			fields[step] = e.Value
		}
		return fields
	case int:
		if entries, ok := value.([]any); ok {
			return changedList(entries, step, path, e)
		}
	}
	return value
}

// changedList is a list with an edit made at or below one of its places.
func changedList(entries []any, at int, path model.Path, e model.FieldEdit) any {
	entries = slices.Clone(entries)
	switch {
	case at < 0 || at > len(entries) || at == len(entries) && (e.Op != model.OpAdd || len(path) > 1):
		return entries
	case len(path) > 1:
		entries[at] = changed(entries[at], path[1:], e)
	case e.Op == model.OpRemove:
		return slices.Delete(entries, at, at+1)
	case e.Op == model.OpAdd:
		return slices.Insert(entries, at, e.Value)
	default:
		entries[at] = e.Value
	}
	return entries
}

// operation is one of a JSON patch (RFC 6902).
type operation struct {
	Op    model.Op `json:"op"`
	Path  string   `json:"path"`
	Value any      `json:"value"`
}

// operations are edits as a JSON patch has them.
func operations(edits []model.FieldEdit) []operation {
	ops := make([]operation, 0, len(edits)+2)
	for _, e := range edits {
		ops = append(ops, operation{Op: e.Op, Path: e.Path.Pointer(), Value: e.Value})
	}
	return ops
}
