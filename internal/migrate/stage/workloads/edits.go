package workloads

import (
	"cmp"
	"maps"
	"slices"

	"secretstore/internal/migrate/model"
)

// edits are the changes of one object. Those of fields move nothing; entries of lists are taken out afterwards, the last
// first, so that every index is still right when its turn comes.
type edits struct {
	fields []model.FieldEdit
	drops  []model.Path
	// appended counts what was put at the end of lists, by their pointers.
	appended map[string]int
}

// set puts a value where there may be one. It does nothing if the very value is there.
func (e *edits) set(content map[string]any, path model.Path, value any) {
	was, found := path.Get(content)
	switch {
	case !found:
		e.fields = append(e.fields, model.FieldEdit{Op: model.OpAdd, Path: path, Value: value})
	case was != value:
		e.fields = append(e.fields, model.FieldEdit{Op: model.OpReplace, Path: path, Value: value, Was: was})
	}
}

// put adds a value where there is none: a field, or the end of a list.
func (e *edits) put(path model.Path, value any) {
	e.fields = append(e.fields, model.FieldEdit{Op: model.OpAdd, Path: path, Value: value})
}

// append puts a value at the end of a list, which is made if there is none.
func (e *edits) append(content map[string]any, list model.Path, value any) {
	if e.appended == nil {
		e.appended = map[string]int{}
	}
	was, _ := list.Get(content)
	at, exists := was.([]any)
	end := len(at) + e.appended[list.Pointer()]
	e.appended[list.Pointer()]++
	if !exists && end == 0 {
		e.put(list, []any{value})
		return
	}
	e.put(list.Of(end), value)
}

// remove takes a field away.
func (e *edits) remove(content map[string]any, path model.Path) {
	was, _ := path.Get(content)
	e.fields = append(e.fields, model.FieldEdit{Op: model.OpRemove, Path: path, Was: was})
}

// drop takes an entry out of a list.
func (e *edits) drop(path model.Path) { e.drops = append(e.drops, path) }

// list orders the edits. A list that loses all its entries goes as a whole.
func (e *edits) list(content map[string]any) []model.FieldEdit {
	slices.SortFunc(e.drops, func(a, b model.Path) int { return comparePaths(b, a) })
	dropped := map[string]int{}
	for _, path := range e.drops {
		dropped[path[:len(path)-1].Pointer()]++
	}
	list := slices.Clone(e.fields)
	for _, path := range e.drops {
		parent := path[:len(path)-1]
		entries, _ := parent.Get(content)
		all, _ := entries.([]any)
		switch n := dropped[parent.Pointer()]; {
		case n < len(all):
			was, _ := path.Get(content)
			list = append(list, model.FieldEdit{Op: model.OpRemove, Path: path, Was: was})
		case n == len(all):
			list = append(list, model.FieldEdit{Op: model.OpRemove, Path: parent, Was: entries})
			dropped[parent.Pointer()]++ // gone: nothing more is to be taken out of it
		}
	}
	return list
}

// comparePaths orders paths of one object, entries of lists by their places.
func comparePaths(a, b model.Path) int {
	return slices.CompareFunc(a, b, func(x, y any) int {
		i, isInt := x.(int)
		j, areInts := y.(int)
		if isInt && areInts {
			return cmp.Compare(i, j)
		}
		return cmp.Compare(model.Path{x}.String(), model.Path{y}.String())
	})
}

// apply returns a copy of content with the edits done. They are those of list: their paths exist.
func apply(content map[string]any, edits []model.FieldEdit) map[string]any {
	edited, _ := clone(content).(map[string]any)
	for _, e := range edits {
		edited, _ = applied(edited, e.Path, e).(map[string]any)
	}
	return edited
}

// applied does one edit below v, and returns what takes v's place.
func applied(v any, path model.Path, e model.FieldEdit) any {
	switch at := v.(type) {
	case map[string]any:
		name, _ := path[0].(string)
		switch {
		case len(path) > 1:
			at[name] = applied(at[name], path[1:], e)
		case e.Op == model.OpRemove:
			delete(at, name)
		default:
			at[name] = clone(e.Value)
		}
	case []any:
		i, _ := path[0].(int)
		switch {
		case len(path) > 1:
			at[i] = applied(at[i], path[1:], e)
		case e.Op == model.OpRemove:
			return slices.Delete(at, i, i+1)
		case e.Op == model.OpAdd:
			return slices.Insert(at, i, clone(e.Value))
		default:
			at[i] = clone(e.Value)
		}
	}
	return v
}

// clone copies a value of the types that JSON gives.
func clone(v any) any {
	switch at := v.(type) {
	case map[string]any:
		copied := maps.Clone(at)
		for name, value := range at {
			copied[name] = clone(value)
		}
		return copied
	case []any:
		copied := slices.Clone(at)
		for i, value := range at {
			copied[i] = clone(value)
		}
		return copied
	default:
		return v
	}
}

// text is the string that a path leads to, empty if it leads to none.
func text(content any, path ...any) string {
	value, _ := model.Path(path).Get(content)
	s, _ := value.(string)
	return s
}

// entries is the list that a path leads to, empty if it leads to none.
func entries(content any, path model.Path) []any {
	value, _ := path.Get(content)
	list, _ := value.([]any)
	return list
}
