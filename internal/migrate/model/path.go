package model

import (
	"slices"
	"strconv"
	"strings"
)

// Path leads to a value within an object: names of fields (string) and places in lists (int).
type Path []any

// Of returns the path that goes on from p, sharing nothing with it.
func (p Path) Of(more ...any) Path { return append(slices.Clone(p), more...) }

// String is the path as people write it: spec.template.spec.volumes[0].
func (p Path) String() string {
	var b strings.Builder
	for i, step := range p {
		switch s := step.(type) {
		case int:
			b.WriteString("[" + strconv.Itoa(s) + "]")
		case string:
			if i > 0 {
				b.WriteByte('.')
			}
			b.WriteString(s)
		}
	}
	return b.String()
}

// Pointer is the path as a JSON pointer (RFC 6901).
func (p Path) Pointer() string {
	var b strings.Builder
	escape := strings.NewReplacer("~", "~0", "/", "~1")
	for _, step := range p {
		b.WriteByte('/')
		switch s := step.(type) {
		case int:
			b.WriteString(strconv.Itoa(s))
		case string:
			b.WriteString(escape.Replace(s))
		}
	}
	return b.String()
}

// Get returns the value that the path leads to within v, and whether there is one.
func (p Path) Get(v any) (any, bool) {
	for _, step := range p {
		switch s := step.(type) {
		case int:
			list, ok := v.([]any)
			if !ok || s < 0 || s >= len(list) {
				return nil, false
			}
			v = list[s]
		case string:
			fields, ok := v.(map[string]any)
			if !ok {
				return nil, false
			}
			if v, ok = fields[s]; !ok {
				return nil, false
			}
		}
	}
	return v, true
}
