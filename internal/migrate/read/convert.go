package read

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

const (
	// maxNodes is how many values a document may have once its aliases are resolved: a few lines of YAML can stand for billions.
	maxNodes = 1 << 20
	// maxDepth is how deep values may be nested. An alias within its own anchor nests for ever.
	maxDepth = 200
	// lineDepth is how deep in a document lines are remembered: enough for a kustomization's patches and a list's items.
	lineDepth = 3
)

// lineError is an error at a line of a file.
type lineError struct {
	line    int
	problem string
}

func (e *lineError) Error() string { return e.problem }

// converter turns YAML nodes into values of the types that JSON gives, as kubectl does.
type converter struct {
	budget   int
	template bool
	lines    map[string]int
}

// convert turns a node into a value. pointer is its JSON pointer.
func (c *converter) convert(n *yaml.Node, pointer string, depth int) (any, error) {
	if c.budget--; c.budget < 0 || depth > maxDepth {
		return nil, &lineError{n.Line, "the document is too large or too deep once its aliases are resolved"}
	}
	if depth <= lineDepth {
		c.lines[pointer] = n.Line
	}
	switch n.Kind {
	case yaml.AliasNode:
		return c.convert(n.Alias, pointer, depth+1)
	case yaml.MappingNode:
		return c.mapping(n, pointer, depth)
	case yaml.SequenceNode:
		values := make([]any, 0, len(n.Content))
		for i, item := range n.Content {
			value, err := c.convert(item, below(pointer, depth, strconv.Itoa(i)), depth+1)
			if err != nil {
				return nil, err
			}
			values = append(values, value)
		}
		return values, nil
	default:
		return c.scalar(n)
	}
}

// below is the JSON pointer of a field or an item, as long as lines are remembered.
func below(pointer string, depth int, name string) string {
	if depth >= lineDepth {
		return ""
	}
	return pointer + "/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(name)
}

// mapping turns a mapping into a map. What its own keys say goes before what `<<` merges into it.
func (c *converter) mapping(n *yaml.Node, pointer string, depth int) (any, error) {
	fields := make(map[string]any, len(n.Content)/2)
	var merged []*yaml.Node
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		if key.ShortTag() == "!!merge" {
			merged = append(merged, value)
			continue
		}
		name, err := c.key(key)
		if err != nil {
			return nil, err
		}
		if _, twice := fields[name]; twice {
			return nil, &lineError{key.Line, fmt.Sprintf("key %q is there twice", name)}
		}
		if fields[name], err = c.convert(value, below(pointer, depth, name), depth+1); err != nil {
			return nil, err
		}
	}
	for _, source := range merged {
		if err := c.merge(fields, source, depth+1); err != nil {
			return nil, err
		}
	}
	return fields, nil
}

// merge adds what a merge key names, a mapping or a list of them, where fields has nothing yet.
func (c *converter) merge(fields map[string]any, source *yaml.Node, depth int) error {
	value, err := c.convert(source, "", depth+lineDepth)
	if err != nil {
		return err
	}
	sources, isList := value.([]any)
	if !isList {
		sources = []any{value}
	}
	for _, s := range sources {
		from, ok := s.(map[string]any)
		if !ok {
			return &lineError{source.Line, "a merge key (<<) takes a mapping or a list of mappings"}
		}
		for key := range from {
			if _, there := fields[key]; !there {
				fields[key] = from[key]
			}
		}
	}
	return nil
}

// key turns the key of a mapping into a string.
func (c *converter) key(n *yaml.Node) (string, error) {
	if n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	if n.Kind == yaml.MappingNode && n.Style&yaml.FlowStyle != 0 {
		c.template = true // {{ … }} is, to YAML, a mapping whose key is a mapping
		return "{{}}" + strconv.Itoa(n.Column) + ":" + strconv.Itoa(n.Line), nil
	}
	if n.Kind != yaml.ScalarNode {
		return "", &lineError{n.Line, "a key that is no text"}
	}
	c.look(n)
	return show(n.Value), nil
}

// look tells a template's action in a plain scalar, outside quotes and blocks.
func (c *converter) look(n *yaml.Node) {
	const quoted = yaml.DoubleQuotedStyle | yaml.SingleQuotedStyle | yaml.LiteralStyle | yaml.FoldedStyle
	if n.Style&quoted == 0 && strings.Contains(n.Value, "{{") {
		c.template = true
	}
}

// scalar turns a scalar into a value. Dates are text; yes, no, on and off are booleans, since kubectl reads YAML 1.1.
func (c *converter) scalar(n *yaml.Node) (any, error) {
	c.look(n)
	switch n.ShortTag() {
	case "!!null":
		return nil, nil //nolint:nilnil // null is a value
	case "!!bool", "!!int", "!!float":
		return number(n)
	}
	if n.Style == 0 && n.Tag == "!!str" {
		switch strings.ToLower(n.Value) {
		case "yes", "on":
			return true, nil
		case "no", "off":
			return false, nil
		}
	}
	return show(n.Value), nil
}

// number turns a scalar that is a number or a boolean into its value; what JSON has no number for stays text.
func number(n *yaml.Node) (any, error) {
	var value any
	if err := n.Decode(&value); err != nil {
		what := strings.TrimPrefix(n.ShortTag(), "!!")
		return nil, &lineError{n.Line, "a value that is no " + what} // the value may be a secret
	}
	switch v := value.(type) {
	case int:
		return int64(v), nil
	case uint64:
		return float64(v), nil
	case float64:
		if math.IsInf(v, 0) || math.IsNaN(v) {
			return n.Value, nil
		}
	}
	return value, nil
}
