package yamledit

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// tree is a parsed text.
type tree struct {
	text   []byte
	starts []int      // where each line begins, and the end of the text
	root   *yaml.Node // nil where there is none
	spans  map[*yaml.Node]span
	places map[*yaml.Node]place
	users  map[*yaml.Node][]*yaml.Node // of a node with an anchor, the aliases of it
}

// span is where in the text a node stands.
type span struct {
	start int // with its anchor and tag
	body  int // without them
	end   int // behind its last character; for a block, behind its last value
}

// place is what holds a node.
type place struct {
	parent *yaml.Node // nil of the root
	index  int        // among the parent's values
	key    *yaml.Node // nil in a sequence
	value  *yaml.Node
}

// parse reads the text of the document.
func (d *Document) parse() error {
	d.hidden = false
	t, err := newTree(d.text)
	if err == nil && !t.hasTemplate() {
		d.tree = t
		return nil
	}
	d.tree = nil
	if err != nil && d.parseHidden() {
		return nil
	}
	if err == nil || looksTemplated(d.text) {
		return nil
	}
	problem := &textError{1, err.Error()}
	_ = errors.As(err, &problem)
	return &ParseError{Name: d.name, Line: d.first + problem.line, Reason: problem.reason}
}

// textError is what is wrong on a line of the text, counted from 1.
type textError struct {
	line   int
	reason string
}

// Error implements error.
func (p *textError) Error() string { return p.reason }

// newTree parses a text, which holds one document.
func newTree(text []byte) (*tree, error) {
	t := &tree{
		text: text, starts: lineStarts(text), spans: map[*yaml.Node]span{}, places: map[*yaml.Node]place{},
		users: map[*yaml.Node][]*yaml.Node{},
	}
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	var document, second yaml.Node
	if err := decoder.Decode(&document); errors.Is(err, io.EOF) {
		return t, nil
	} else if err != nil {
		return nil, humanError(err)
	}
	if err := decoder.Decode(&second); err == nil {
		return nil, &textError{second.Line, `another document begins here: put a line "---" before it`}
	} else if !errors.Is(err, io.EOF) {
		return nil, humanError(err)
	}
	root := document.Content[0]
	if err := t.locate(place{value: root}, -1); err != nil {
		return nil, err
	}
	if sp := t.spans[root]; sp.start == sp.end {
		return t, nil // nothing but comments
	}
	t.root = root
	return t, nil
}

// humanError says in plain words what the parser found.
func humanError(err error) error {
	line, text := 1, strings.TrimPrefix(err.Error(), "yaml: ")
	if rest, found := strings.CutPrefix(text, "line "); found {
		if number, message, ok := strings.Cut(rest, ": "); ok {
			line, _ = strconv.Atoi(number)
			text = message
		}
		if strings.HasPrefix(text, "did not find expected") {
			line++ // of these errors the parser counts from 0
		}
	}
	for _, known := range problems() {
		if strings.Contains(text, known[0]) {
			return &textError{line, known[1] + " (" + text + ")"}
		}
	}
	return &textError{line, text}
}

// problems lists what people get wrong, by what the parser calls it.
func problems() [][2]string {
	return [][2]string{
		{"mapping values are not allowed", "a second \": \" on the line, or a line that is indented too far: quote or indent it right"},
		{"found character that cannot start any token", "a value begins with a character that needs quotes, or a tab indents the line"},
		{"tab character", "a tab indents the line: use spaces"},
		{"could not find expected ':'", "a key without its \":\""},
		{"did not find expected key", "in the block that begins here, a line is indented as no other is"},
		{"did not find expected '-' indicator", "in the list that begins here, something does not begin with \"-\""},
		{"did not find expected ',' or", "a \",\" or a closing bracket is missing"},
		{"did not find expected node content", "a value or a closing bracket is missing"},
		{"unexpected end of stream", "a quote is not closed"},
		{"unknown escape character", "a backslash in double quotes that means nothing: double it, or use single quotes"},
		{"block sequence entries are not allowed", "a \"-\" where no list can begin: put it on a line of its own"},
		{"unknown anchor", "an alias of an anchor that is not defined above it"},
	}
}

// hasTemplate says whether "{{" stands outside of quotes and comments of a text that is YAML all the same.
func (t *tree) hasTemplate() bool {
	if !bytes.Contains(t.text, []byte("{{")) {
		return false
	}
	for n, sp := range t.spans {
		nested := n.Kind == yaml.MappingNode && n.Style&yaml.FlowStyle != 0 && bytes.HasPrefix(t.text[sp.body:], []byte("{{"))
		unquoted := n.Kind == yaml.ScalarNode && n.Style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle) == 0
		if nested || unquoted && strings.Contains(n.Value, "{{") {
			return true
		}
	}
	return false
}

// locate finds out where a node and all below it stand. Indent is the column of the block around it, -1 outside of all.
func (t *tree) locate(p place, indent int) error {
	n := p.value
	t.places[n] = p
	start := t.offset(n.Line, n.Column)
	sp := span{start: start, end: -1}
	_, sp.body = t.properties(start)
	t.spans[n] = sp // children look for it
	flow := n.Style&yaml.FlowStyle != 0
	switch {
	case n.Kind == yaml.AliasNode:
		t.users[n.Alias] = append(t.users[n.Alias], n)
		sp.body, sp.end = start, start+1+len(n.Value)
	case n.Kind == yaml.ScalarNode:
		sp = t.scalarSpan(n, sp, indent)
	case !flow:
		sp = t.blockBody(n, sp)
		indent = t.column(sp.body)
	}
	t.spans[n] = sp
	if n.Kind == yaml.MappingNode || n.Kind == yaml.SequenceNode {
		last, err := t.locateChildren(n, indent)
		if err != nil {
			return err
		}
		sp.end = max(last, sp.body)
		if flow {
			sp = t.flowSpan(n, sp)
		}
	}
	t.spans[n] = sp
	if sp.start > sp.body || sp.body > sp.end || sp.end > len(t.text) {
		return &textError{n.Line, "this cannot be found in the text again"}
	}
	return nil
}

// locateChildren returns where the last of them ends.
func (t *tree) locateChildren(n *yaml.Node, indent int) (int, error) {
	end := 0
	seen := map[string]int{}
	for i, child := range n.Content {
		p := place{parent: n, index: i, value: child}
		if n.Kind == yaml.MappingNode {
			p.index = i / 2
			if i%2 == 0 {
				if err := once(seen, child); err != nil {
					return 0, err
				}
			} else {
				p.key = n.Content[i-1]
			}
		}
		if err := t.locate(p, indent); err != nil {
			return 0, err
		}
		end = max(end, t.spans[child].end)
	}
	return end, nil
}

// once refuses a key that its mapping already has.
func once(seen map[string]int, key *yaml.Node) error {
	name, err := keyString(key)
	if err != nil {
		return nil //nolint:nilerr // a key that JSON cannot have: said when the value is asked for
	}
	if line, found := seen[name]; found {
		return &textError{key.Line, fmt.Sprintf("the key %q is given a second time, first on line %d of the document", name, line)}
	}
	seen[name] = key.Line
	return nil
}
