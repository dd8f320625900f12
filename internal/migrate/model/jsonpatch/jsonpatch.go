// Package jsonpatch does what kustomize does with the patches of a kustomization, on values of the types that JSON gives: the
// operations of a JSON patch (RFC 6902), one at a time, and the merge of a piece into an object of a kind that has no schema.
//
// It promises never to change what it is given: each result is a copy. An operation that RFC 6902 refuses is an error that names
// it and says what is not there.
//
// It is pure.
package jsonpatch

import (
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// Operation is one of a JSON patch.
type Operation struct {
	// Op is add, remove, replace, move, copy or test.
	Op string
	// Path and From are JSON pointers (RFC 6901), as they are written.
	Path, From string
	// Value is that of add, replace and test.
	Value any
}

// Parse reads the operations of a patch, and tells whether content is one at all: a list of maps with op and path.
func Parse(content any) ([]Operation, bool) {
	entries, isList := content.([]any)
	operations := make([]Operation, 0, len(entries))
	for _, entry := range entries {
		fields, _ := entry.(map[string]any)
		text := func(name string) string { s, _ := fields[name].(string); return s }
		o := Operation{Op: text("op"), Path: text("path"), From: text("from"), Value: fields["value"]}
		if o.Op == "" || o.Path == "" {
			return nil, false
		}
		operations = append(operations, o)
	}
	return operations, isList && len(operations) > 0
}

// String is the operation without its value, for messages.
func (o Operation) String() string {
	if o.From != "" {
		return o.Op + " " + o.From + " " + o.Path
	}
	return o.Op + " " + o.Path
}

// Steps splits a pointer into its names and places.
func Steps(pointer string) []string {
	steps := strings.Split(strings.TrimPrefix(pointer, "/"), "/")
	for i, step := range steps {
		steps[i] = strings.NewReplacer("~1", "/", "~0", "~").Replace(step)
	}
	return steps
}

// Pointer is the pointer of names and places.
func Pointer(steps ...string) string {
	var b strings.Builder
	for _, step := range steps {
		b.WriteString("/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(step))
	}
	return b.String()
}

// Apply returns what the operation makes of doc.
func (o Operation) Apply(doc any) (any, error) {
	result, err := o.apply(clone(doc))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", o, err)
	}
	return result, nil
}

func (o Operation) apply(doc any) (any, error) {
	switch o.Op {
	case "add":
		return at(doc, Steps(o.Path), add(clone(o.Value)))
	case "remove":
		return at(doc, Steps(o.Path), remove)
	case "replace":
		return at(doc, Steps(o.Path), replace(clone(o.Value)))
	case "copy", "move":
		return o.carry(doc)
	case "test":
		value, err := Get(doc, o.Path)
		if err == nil && !Equal(value, o.Value) {
			err = errors.New("another value is there")
		}
		return doc, err
	default:
		return nil, errors.New("there is no such operation")
	}
}

// carry copies or moves.
func (o Operation) carry(doc any) (any, error) {
	value, err := Get(doc, o.From)
	if err == nil && o.Op == "move" {
		doc, err = at(doc, Steps(o.From), remove)
	}
	if err != nil {
		return nil, err
	}
	return at(doc, Steps(o.Path), add(clone(value)))
}

// Get returns the value that a pointer leads to. The place `-`, behind the end of a list, means its last entry.
func Get(doc any, pointer string) (any, error) {
	for _, step := range Steps(pointer) {
		switch parent := doc.(type) {
		case map[string]any:
			value, found := parent[step]
			if !found {
				return nil, missing(step)
			}
			doc = value
		case []any:
			if step == "-" {
				step = strconv.Itoa(len(parent) - 1)
			}
			i, err := index(step, len(parent))
			if err != nil {
				return nil, err
			}
			doc = parent[i]
		default:
			return nil, missing(step)
		}
	}
	return doc, nil
}

// edit changes one entry of a map or a list, and returns what takes its place.
type edit func(parent any, step string) (any, error)

// at makes an edit where the steps lead to.
func at(doc any, steps []string, do edit) (any, error) {
	if len(steps) == 1 {
		return do(doc, steps[0])
	}
	switch parent := doc.(type) {
	case map[string]any:
		below, found := parent[steps[0]]
		if !found {
			return nil, missing(steps[0])
		}
		changed, err := at(below, steps[1:], do)
		parent[steps[0]] = changed
		return parent, err
	case []any:
		i, err := index(steps[0], len(parent))
		if err != nil {
			return nil, err
		}
		parent[i], err = at(parent[i], steps[1:], do)
		return parent, err
	default:
		return nil, missing(steps[0])
	}
}

func add(value any) edit {
	return func(parent any, step string) (any, error) {
		switch parent := parent.(type) {
		case map[string]any:
			parent[step] = value
			return parent, nil
		case []any:
			if step == "-" {
				return append(parent, value), nil
			}
			i, err := index(step, len(parent)+1)
			if err != nil {
				return nil, err
			}
			return slices.Insert(parent, i, value), nil
		default:
			return nil, missing(step)
		}
	}
}

func replace(value any) edit {
	return func(parent any, step string) (any, error) {
		switch parent := parent.(type) {
		case map[string]any:
			if _, found := parent[step]; !found {
				return nil, missing(step)
			}
			parent[step] = value
			return parent, nil
		case []any:
			i, err := index(step, len(parent))
			if err != nil {
				return nil, err
			}
			parent[i] = value
			return parent, nil
		default:
			return nil, missing(step)
		}
	}
}

func remove(parent any, step string) (any, error) {
	switch parent := parent.(type) {
	case map[string]any:
		if _, found := parent[step]; !found {
			return nil, missing(step)
		}
		delete(parent, step)
		return parent, nil
	case []any:
		i, err := index(step, len(parent))
		if err != nil {
			return nil, err
		}
		return slices.Delete(parent, i, i+1), nil
	default:
		return nil, missing(step)
	}
}

// index reads a place in a list of that many.
func index(step string, length int) (int, error) {
	i, err := strconv.Atoi(step)
	if err != nil || i < 0 || i >= length {
		return 0, fmt.Errorf("there is no entry %s: the list has %d", step, length)
	}
	return i, nil
}

func missing(step string) error { return fmt.Errorf("there is no %s", step) }

// Merge returns a base with a piece merged into it as kustomize does for kinds that it has no schema of: maps are merged, all
// else is replaced, null takes a field away. It tells whether that is all that the piece asks for: directives ($patch) are not
// known.
func Merge(base, piece any) (any, bool) {
	fields, isMap := piece.(map[string]any)
	if !isMap {
		return clone(piece), true
	}
	merged, _ := clone(base).(map[string]any)
	if merged == nil {
		merged = map[string]any{}
	}
	known := true
	for name, value := range fields {
		if strings.HasPrefix(name, "$") {
			return nil, false
		}
		if value == nil {
			delete(merged, name)
			continue
		}
		var fits bool
		merged[name], fits = Merge(merged[name], value)
		known = known && fits
	}
	return merged, known
}

// Equal compares values; numbers are equal whatever their type.
func Equal(a, b any) bool {
	switch x := a.(type) {
	case map[string]any:
		y, ok := b.(map[string]any)
		return ok && maps.EqualFunc(x, y, Equal)
	case []any:
		y, ok := b.([]any)
		return ok && slices.EqualFunc(x, y, Equal)
	case int64:
		if y, ok := b.(float64); ok {
			return float64(x) == y
		}
	case float64:
		if y, ok := b.(int64); ok {
			return x == float64(y)
		}
	}
	return reflect.DeepEqual(a, b)
}

// clone copies a value.
func clone(value any) any {
	switch v := value.(type) {
	case map[string]any:
		copied := make(map[string]any, len(v))
		for name, field := range v {
			copied[name] = clone(field)
		}
		return copied
	case []any:
		copied := make([]any, len(v))
		for i, item := range v {
			copied[i] = clone(item)
		}
		return copied
	default:
		return value
	}
}
