package act_test

import (
	"reflect"
	"slices"

	"secretstore/internal/migrate/model"
)

// reversed undoes edits, the last first.
func reversed(edits []model.FieldEdit) []model.FieldEdit {
	var back []model.FieldEdit
	for _, e := range slices.Backward(edits) {
		switch e.Op {
		case model.OpAdd:
			back = append(back, model.FieldEdit{Op: model.OpRemove, Path: e.Path, Was: e.Value})
		case model.OpRemove:
			back = append(back, model.FieldEdit{Op: model.OpAdd, Path: e.Path, Value: e.Was})
		case model.OpReplace:
			back = append(back, model.FieldEdit{Op: model.OpReplace, Path: e.Path, Value: e.Was, Was: e.Value})
		}
	}
	return back
}

// patch does edits on content, if all of them find what they say. over lets an addition replace owner references.
func patch(content map[string]any, edits []model.FieldEdit, over bool) bool {
	for _, e := range edits {
		parent, at := e.Path[:len(e.Path)-1], e.Path[len(e.Path)-1]
		holder, found := parent.Get(content)
		if !found {
			return false
		}
		was, there := model.Path{at}.Get(holder)
		if e.Op != model.OpAdd && (!there || !reflect.DeepEqual(was, e.Was)) {
			return false
		}
		switch h := holder.(type) {
		case map[string]any:
			name, _ := at.(string)
			if _, has := h[name]; e.Op == model.OpAdd && has && (!over || name != "ownerReferences") {
				return false
			}
			if h[name] = clone(e.Value); e.Op == model.OpRemove {
				delete(h, name)
			}
		case []any:
			i, _ := at.(int)
			switch {
			case e.Op == model.OpReplace:
				h[i] = clone(e.Value)
				continue
			case e.Op == model.OpRemove:
				h = slices.Delete(slices.Clone(h), i, i+1)
			case i > len(h):
				return false
			default:
				h = slices.Insert(slices.Clone(h), i, clone(e.Value))
			}
			set(content, parent, h)
		default:
			return false
		}
	}
	return true
}

// set puts a value where there is one.
func set(content map[string]any, path model.Path, value any) {
	holder, _ := path[:len(path)-1].Get(content)
	switch h := holder.(type) {
	case map[string]any:
		name, _ := path[len(path)-1].(string)
		h[name] = value
	case []any:
		i, _ := path[len(path)-1].(int)
		h[i] = value
	}
}
