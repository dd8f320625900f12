package yamledit

import (
	"bytes"
	"encoding/json"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v3"
)

// writer writes values as the rest of the file is written.
type writer struct {
	step    int    // by which a mapping inside of a mapping is indented
	list    int    // by which a list inside of a mapping is
	json    bool   // nothing but JSON is understood
	colon   string // between key and value, in flow style
	quote   byte   // the quote that the document prefers
	newline string
	other   *regexp.Regexp // otherInOld
}

// writer finds out how a document is written, and where it does not tell, how the others are.
func (f *File) writer(document int) *writer {
	w := &writer{newline: "\n", quote: '"', step: 2, colon: ": ", other: regexp.MustCompile(otherInOld)}
	whole := f.Bytes()
	if end := bytes.IndexByte(whole, '\n'); end > 0 && whole[end-1] == '\r' {
		w.newline = "\r\n"
	}
	var own, others style
	for i, d := range f.docs {
		switch {
		case d.tree == nil:
		case i == document:
			own.look(d.tree)
			w.look(d.tree)
		default:
			others.look(d.tree)
		}
	}
	own.or(&others)
	if own.single > own.double {
		w.quote = '\''
	}
	if step := most(own.steps); step > 0 {
		w.step = step
	}
	w.list = max(most(own.lists), 0)
	return w
}

// look finds out whether a document is JSON, and how tight.
func (w *writer) look(t *tree) {
	trimmed := bytes.TrimPrefix(t.text, []byte(byteOrderMark))
	w.json = t.root != nil && t.root.Style&yaml.FlowStyle != 0 && json.Valid(trimmed)
	if w.json && !bytes.Contains(t.text, []byte(`": `)) {
		w.colon = ":"
	}
}

// style counts how a text is written.
type style struct {
	steps, lists   map[int]int
	single, double int
}

// or makes the style, where it tells nothing, the other's.
func (s *style) or(other *style) {
	if len(s.steps) == 0 {
		s.steps = other.steps
	}
	if len(s.lists) == 0 {
		s.lists = other.lists
	}
	if s.single == s.double {
		s.single, s.double = other.single, other.double
	}
}

// look counts a tree in.
func (s *style) look(t *tree) {
	if s.steps == nil {
		s.steps, s.lists = map[int]int{}, map[int]int{}
	}
	for n, p := range t.places {
		switch {
		case n.Style&yaml.DoubleQuotedStyle != 0:
			s.double++
		case n.Style&yaml.SingleQuotedStyle != 0:
			s.single++
		case p.parent == nil || p.key == nil || n.Style&yaml.FlowStyle != 0 || len(n.Content) == 0:
		case n.Kind == yaml.MappingNode:
			s.steps[t.column(t.spans[n].body)-t.column(t.spans[p.parent].body)]++
		case n.Kind == yaml.SequenceNode:
			s.lists[t.column(t.spans[n].body)-t.column(t.spans[p.parent].body)]++
		}
	}
}

// most returns what was counted most often, the least of several; -1 of nothing.
func most(counts map[int]int) int {
	best := -1
	for value, count := range counts {
		if best < 0 || count > counts[best] || count == counts[best] && value < best {
			best = value
		}
	}
	return best
}

// lines gives a text the file's line ends.
func (w *writer) lines(s string) string { return strings.ReplaceAll(s, "\n", w.newline) }

// root writes a whole document, without a final newline.
func (w *writer) root(v any) string {
	if w.json {
		return w.flow(v, "", true)
	}
	if _, isText := v.(string); isText {
		return w.inline(v, false, 0)
	}
	head, body := w.value(v, -1, 0)
	return head + strings.TrimPrefix(body, "\n")
}

// value writes what goes behind a key or a dash in a block of that indentation: what goes on its line, and the lines below, each
// after its line break. By list a list is indented.
func (w *writer) value(v any, indent, list int) (head, body string) {
	inner := indent + w.step
	if indent < 0 {
		inner, list = 0, 0
	}
	if s, ok := literal(v); ok && !strings.HasSuffix(s, "\n\n") {
		inner = max(inner, 1)
		header, lines := literalText(s, inner, inner-max(indent, 0))
		return header, "\n" + strings.Join(lines, "\n")
	}
	switch v := v.(type) {
	case Map:
		if len(v) > 0 {
			return "", "\n" + w.entries(v, inner)
		}
		return "{}", ""
	case []any:
		if len(v) > 0 {
			return "", "\n" + w.items(v, max(indent, 0)+list)
		}
		return "[]", ""
	}
	return w.inline(v, false, 0), ""
}

// entries writes the lines of a block mapping.
func (w *writer) entries(m Map, indent int) string {
	lines := make([]string, len(m))
	for i, e := range m {
		lines[i] = strings.Repeat(" ", indent) + w.entry(e, indent)
	}
	return strings.Join(lines, "\n")
}

func (w *writer) entry(e Entry, indent int) string {
	head, body := w.value(e.Value, indent, w.list)
	if head != "" {
		head = " " + head
	}
	return w.text(e.Key, false, 0) + ":" + head + body
}

// items writes the lines of a block sequence.
func (w *writer) items(values []any, indent int) string {
	lines := make([]string, len(values))
	for i, v := range values {
		lines[i] = strings.Repeat(" ", indent) + "- " + w.compact(v, indent, 2)
	}
	return strings.Join(lines, "\n")
}

// compact writes what goes behind a dash of that indentation, so that a mapping or a list begins on its line. Gap is how far
// behind the dash that is.
func (w *writer) compact(v any, indent, gap int) string {
	switch v := v.(type) {
	case Map:
		if len(v) > 0 {
			return strings.TrimLeft(w.entries(v, indent+gap), " ")
		}
	case []any:
		if len(v) > 0 {
			return strings.TrimLeft(w.items(v, indent+gap), " ")
		}
	}
	head, body := w.value(v, indent, 0)
	return head + body
}

// flow writes a value in flow style, on several lines if it is to be so; then indent is what its line begins with.
func (w *writer) flow(v any, indent string, tall bool) string {
	inner := indent + strings.Repeat(" ", w.step)
	var open, end string
	var parts []string
	switch v := v.(type) {
	case Map:
		open, end = "{", "}"
		for _, e := range v {
			parts = append(parts, w.text(e.Key, true, 0)+w.colon+w.flow(e.Value, inner, tall))
		}
	case []any:
		open, end = "[", "]"
		for _, item := range v {
			parts = append(parts, w.flow(item, inner, tall))
		}
	default:
		return w.inline(v, true, 0)
	}
	if tall && len(parts) > 0 {
		return open + "\n" + inner + strings.Join(parts, ",\n"+inner) + "\n" + indent + end
	}
	return open + strings.Join(parts, ","+strings.TrimPrefix(w.colon, ":")) + end
}

// commentLines writes a comment, each line with its break.
func commentLines(comment string, indent int) string {
	if comment == "" {
		return ""
	}
	var b strings.Builder
	for line := range strings.SplitSeq(strings.TrimRight(comment, "\n"), "\n") {
		b.WriteString(strings.TrimRight(strings.Repeat(" ", indent)+"# "+strings.TrimSpace(line), " ") + "\n")
	}
	return b.String()
}
