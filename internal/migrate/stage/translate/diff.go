package translate

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"secretstore/internal/migrate/model"
)

// everything says of any field that it has to go where it is not wanted.
func everything(model.Path) bool { return true }

// diff is what turns a value into the wanted one, the fewest fields changed. Fields that are not wanted stay unless drop says
// that they must go.
func diff(at model.Path, wanted, have any, drop func(model.Path) bool) []model.FieldEdit {
	if same(wanted, have) {
		return nil
	}
	switch want := wanted.(type) {
	case map[string]any:
		if fields, ok := have.(map[string]any); ok {
			return diffFields(at, want, fields, drop)
		}
	case []any:
		if list, ok := have.([]any); ok {
			return diffList(at, want, list, drop)
		}
	}
	return []model.FieldEdit{{Op: model.OpReplace, Path: at, Value: wanted, Was: have}}
}

// same is equality, but that a variable which is filled in elsewhere stands for whatever was filled in.
func same(wanted, have any) bool {
	want, isText := wanted.(string)
	text, _ := have.(string)
	if isText && text != "" && isVariable(want) {
		return true
	}
	return reflect.DeepEqual(wanted, have) || isNumber(wanted) && isNumber(have) && fmt.Sprint(wanted) == fmt.Sprint(have)
}

// isNumber tells the two types of number that JSON gives.
func isNumber(value any) bool {
	switch value.(type) {
	case int64, float64:
		return true
	}
	return false
}

// isVariable tells ${NAME}.
func isVariable(text string) bool {
	return strings.HasPrefix(text, "${") && strings.Index(text, "}") == len(text)-1
}

func diffFields(at model.Path, want, have map[string]any, drop func(model.Path) bool) []model.FieldEdit {
	var edits []model.FieldEdit
	names := maps.Clone(want)
	maps.Copy(names, have)
	for _, name := range slices.Sorted(maps.Keys(names)) {
		path := at.Of(name)
		value, wanted := want[name]
		was, has := have[name]
		switch {
		case wanted && has:
			edits = append(edits, diff(path, value, was, drop)...)
		case wanted:
			edits = append(edits, model.FieldEdit{Op: model.OpAdd, Path: path, Value: value})
		case drop(path):
			edits = append(edits, model.FieldEdit{Op: model.OpRemove, Path: path, Was: was})
		}
	}
	return edits
}

func diffList(at model.Path, want, have []any, drop func(model.Path) bool) []model.FieldEdit {
	var edits []model.FieldEdit
	for i := range min(len(want), len(have)) {
		edits = append(edits, diff(at.Of(i), want[i], have[i], drop)...)
	}
	for i := len(have); i < len(want); i++ {
		edits = append(edits, model.FieldEdit{Op: model.OpAdd, Path: at.Of(i), Value: want[i]})
	}
	for i := len(have) - 1; i >= len(want); i-- {
		edits = append(edits, model.FieldEdit{Op: model.OpRemove, Path: at.Of(i), Was: have[i]})
	}
	return edits
}
