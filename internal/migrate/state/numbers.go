package state

import (
	"encoding/json"

	"secretstore/internal/migrate/act"
)

// wholeEntry makes the numbers of an entry what those of objects are that were read from a cluster: int64 where they are whole,
// float64 otherwise, and int within paths.
func wholeEntry(e *act.Entry) {
	e.Before = wholeFields(e.Before)
	e.Change.Content = wholeFields(e.Change.Content)
	for i := range e.Change.Edits {
		edit := &e.Change.Edits[i]
		edit.Value, edit.Was = wholeNumbers(edit.Value), wholeNumbers(edit.Was)
		for at, step := range edit.Path {
			if n, isNumber := wholeNumbers(step).(int64); isNumber {
				edit.Path[at] = int(n)
			}
		}
	}
	if e.Kept != nil {
		for i := range e.Kept.Driver {
			e.Kept.Driver[i].Content = wholeFields(e.Kept.Driver[i].Content)
		}
	}
}

// wholeFields is wholeNumbers for the fields of an object.
func wholeFields(fields map[string]any) map[string]any {
	for name, value := range fields {
		fields[name] = wholeNumbers(value)
	}
	return fields
}

// wholeNumbers replaces the numbers within a value.
func wholeNumbers(value any) any {
	switch v := value.(type) {
	case json.Number:
		if n, err := v.Int64(); err == nil {
			return n
		}
		f, err := v.Float64()
		if err != nil {
			return v.String()
		}
		return f
	case []any:
		for i := range v {
			v[i] = wholeNumbers(v[i])
		}
	case map[string]any:
		return wholeFields(v)
	}
	return value
}
