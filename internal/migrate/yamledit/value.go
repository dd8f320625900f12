package yamledit

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// Map is a mapping that keeps its order.
type Map []Entry

// Entry is a key of a [Map] with its value.
type Entry struct {
	Key   string
	Value any
}

// mostValues bounds what a document may come to when its aliases are resolved: a few lines can say billions.
const mostValues = 1_000_000

// decoder turns nodes into values.
type decoder struct {
	left int
	open map[*yaml.Node]bool // the aliases that are being resolved
	at   *yaml.Node          // where it failed
}

// decode returns what a node says, or the node that says nothing that JSON could hold.
func decode(n *yaml.Node) (any, *yaml.Node, error) {
	d := &decoder{left: mostValues, open: map[*yaml.Node]bool{}, at: n}
	if n == nil {
		return nil, nil, nil
	}
	v, err := d.value(n)
	return v, d.at, err
}

func (d *decoder) fail(n *yaml.Node, format string, args ...any) error {
	d.at = n
	return fmt.Errorf(format, args...)
}

func (d *decoder) value(n *yaml.Node) (any, error) {
	if d.left--; d.left < 0 {
		return nil, d.fail(n, "the aliases of the document make it more than %d values", mostValues)
	}
	switch n.Kind {
	case yaml.AliasNode:
		if d.open[n.Alias] {
			return nil, d.fail(n, "the alias *%s stands inside of what it means", n.Value)
		}
		d.open[n.Alias] = true
		defer delete(d.open, n.Alias)
		return d.value(n.Alias)
	case yaml.SequenceNode:
		items := make([]any, 0, len(n.Content))
		for _, child := range n.Content {
			item, err := d.value(child)
			if err != nil {
				return nil, err
			}
			items = append(items, item)
		}
		return items, nil
	case yaml.MappingNode:
		return d.mapping(n)
	default:
		v, err := scalar(n)
		if err != nil {
			return nil, d.fail(n, "%w", err)
		}
		return v, nil
	}
}

// mapping decodes a mapping as Kubernetes' reader does: of two entries with one key the later wins, be it the mapping's own or
// one that a merge key brings. (Others let the own one win wherever it stands.)
func (d *decoder) mapping(n *yaml.Node) (map[string]any, error) {
	values := map[string]any{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if isMerge(n.Content[i]) {
			if err := d.merge(values, n.Content[i+1]); err != nil {
				return nil, err
			}
			continue
		}
		key, err := keyString(n.Content[i])
		if err != nil {
			return nil, d.fail(n.Content[i], "%w", err)
		}
		if values[key], err = d.value(n.Content[i+1]); err != nil {
			return nil, err
		}
	}
	return values, nil
}

func isMerge(key *yaml.Node) bool { return key.Kind == yaml.ScalarNode && key.ShortTag() == "!!merge" }

// merge puts what a merge key names among the values; of several mappings the first wins.
func (d *decoder) merge(values map[string]any, from *yaml.Node) error {
	v, err := d.value(from)
	if err != nil {
		return err
	}
	sources, ok := v.([]any)
	if !ok {
		sources = []any{v}
	}
	for _, source := range slices.Backward(sources) {
		entries, ok := source.(map[string]any)
		if !ok {
			return d.fail(from, "a merge key (<<) needs a mapping or a list of mappings")
		}
		maps.Copy(values, entries)
	}
	return nil
}

// keyString returns a key as JSON has it.
func keyString(n *yaml.Node) (string, error) {
	if n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	if n.Kind != yaml.ScalarNode {
		return "", errors.New("a key is a list or a mapping, which Kubernetes does not read")
	}
	if isMerge(n) {
		return n.Value, nil
	}
	v, err := scalar(n)
	switch v := v.(type) {
	case string:
		return v, err
	case float64:
		return strconv.FormatFloat(v, 'g', -1, 32), err
	case nil:
		return "", errors.Join(err, errors.New("a key is null, which Kubernetes does not read"))
	}
	return fmt.Sprint(v), err
}

// scalar returns what a scalar means to Kubernetes, which reads booleans as YAML 1.1 does.
func scalar(n *yaml.Node) (any, error) {
	quoted := n.Style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle|yaml.LiteralStyle|yaml.FoldedStyle|yaml.TaggedStyle) != 0
	if truth, ok := oldBool(n.Value); ok && (!quoted || n.ShortTag() == "!!bool") {
		return truth, nil
	}
	switch n.ShortTag() {
	case "!!null", "!!bool", "!!int", "!!float", "!!binary":
		var v any
		if err := n.Decode(&v); err != nil {
			return nil, fmt.Errorf("the value is no %s", n.ShortTag()[2:])
		}
		return number(v)
	}
	return n.Value, nil
}

// oldBool reads the booleans that YAML 1.1 has beside "true" and "false".
func oldBool(s string) (value, ok bool) {
	switch s {
	case "y", "Y", "yes", "Yes", "YES", "on", "On", "ON":
		return true, true
	case "n", "N", "no", "No", "NO", "off", "Off", "OFF":
		return false, true
	}
	return false, false
}

// number makes an int64 of what is whole and fits, and else a float64, as happens to numbers that pass through JSON. What is no
// number it returns as it is.
func number(v any) (any, error) {
	value := reflect.ValueOf(v)
	switch {
	case v == nil:
		return nil, nil
	case value.CanInt():
		return value.Int(), nil
	case value.CanUint():
		if u := value.Uint(); u > math.MaxInt64 {
			return float64(u), nil
		}
		return int64(value.Uint()), nil //nolint:gosec // it fits
	case value.CanFloat():
		f := value.Float()
		if math.IsNaN(f) || math.IsInf(f, 0) {
			return nil, errors.New("the number is infinite or none at all, which JSON cannot hold")
		}
		if f == math.Trunc(f) && math.Abs(f) < 1<<63 {
			return int64(f), nil
		}
		return f, nil
	}
	return v, nil
}

// ordered returns a value made of Map, []any and scalars only, or what is wrong with it.
func ordered(v any) (any, error) {
	switch v := v.(type) {
	case nil, bool:
		return v, nil
	case string:
		if !utf8.ValidString(v) {
			return nil, errors.New("a text to write is not UTF-8")
		}
		return v, nil
	case Map:
		return orderedMap(v)
	case map[string]any:
		return orderedMap(conventional(v))
	}
	return orderedOther(v, reflect.ValueOf(v))
}

// orderedOther is ordered for the types that mean the same as those it makes.
func orderedOther(v any, value reflect.Value) (any, error) {
	switch {
	case value.Kind() == reflect.Slice:
		items := make([]any, value.Len())
		for i := range items {
			var err error
			if items[i], err = ordered(value.Index(i).Interface()); err != nil {
				return nil, err
			}
		}
		return items, nil
	case value.Kind() == reflect.Map && value.Type().Key().Kind() == reflect.String:
		entries := map[string]any{}
		for _, key := range value.MapKeys() {
			entries[key.String()] = value.MapIndex(key).Interface()
		}
		return ordered(entries)
	case value.Kind() == reflect.String:
		return ordered(value.String())
	case value.CanInt(), value.CanUint(), value.CanFloat():
		return number(v)
	}
	return nil, fmt.Errorf("a value to write is a %T, which is not made of maps, slices and scalars", v)
}

func orderedMap(m Map) (any, error) {
	entries := make(Map, 0, len(m))
	seen := map[string]bool{}
	for _, e := range m {
		if seen[e.Key] || !utf8.ValidString(e.Key) {
			return nil, fmt.Errorf("the key %q of a value to write is there twice, or is not UTF-8", e.Key)
		}
		seen[e.Key] = true
		value, err := ordered(e.Value)
		if err != nil {
			return nil, err
		}
		entries = append(entries, Entry{e.Key, value})
	}
	return entries, nil
}

// conventional orders a map as Kubernetes manifests are.
func conventional(m map[string]any) Map {
	first := []string{"apiVersion", "kind", "metadata", "name", "spec"}
	entries := make(Map, 0, len(m))
	for _, key := range first {
		if value, ok := m[key]; ok {
			entries = append(entries, Entry{key, value})
		}
	}
	heads := len(entries)
	for key, value := range m {
		if !slices.Contains(first, key) {
			entries = append(entries, Entry{key, value})
		}
	}
	slices.SortFunc(entries[heads:], func(a, b Entry) int { return strings.Compare(a.Key, b.Key) })
	return entries
}

// plain returns an ordered value as decode would.
func plain(v any) any {
	switch v := v.(type) {
	case Map:
		m := make(map[string]any, len(v))
		for _, e := range v {
			m[e.Key] = plain(e.Value)
		}
		return m
	case []any:
		items := make([]any, len(v))
		for i := range v {
			items[i] = plain(v[i])
		}
		return items
	}
	return v
}

// get returns the value of a key.
func (m Map) get(key string) (any, bool) {
	for _, e := range m {
		if e.Key == key {
			return e.Value, true
		}
	}
	return nil, false
}
