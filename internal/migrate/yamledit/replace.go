package yamledit

import (
	"bytes"
	"strings"

	"go.yaml.in/yaml/v3"
)

// replace returns how a value becomes another, or nil where that cannot be said. The comment goes above the first line of a
// block.
func (t *tree) replace(w *writer, p place, v any, comment string) []splice {
	switch {
	case p.parent == nil:
		return t.replaceRoot(w, p, v)
	case p.parent.Style&yaml.FlowStyle != 0:
		return t.replaceFlow(w, p, v)
	}
	if s, ok := v.(string); ok {
		if splices := t.replaceLiteral(p, s); splices != nil {
			return splices
		}
	}
	indicator := t.indicatorEnd(p)
	if indicator < 0 {
		return nil
	}
	head, body := t.render(w, p, v, comment)
	if anchor := t.anchor(p.value); anchor != "" {
		head = strings.TrimRight(anchor+" "+head, " ")
	}
	if body == "" && !strings.Contains(head, "\n") && isInline(p.value) && t.spans[p.value].start < t.spans[p.value].end {
		return []splice{{t.spans[p.value].start, t.spans[p.value].end, head}}
	}
	return t.relay(p, indicator, head, body)
}

// anchor returns the anchor to keep at a value that is replaced: that which is shared.
func (t *tree) anchor(n *yaml.Node) string {
	if len(t.users[n]) == 0 {
		return ""
	}
	return "&" + n.Anchor
}

// render writes the new value of a place in a block: what goes behind its key or dash, and the lines below.
func (t *tree) render(w *writer, p place, v any, comment string) (head, body string) {
	indent := t.column(t.spans[p.parent].body)
	if p.key == nil {
		return t.renderItem(w, p, v, indent, comment)
	}
	head, body = w.value(v, indent, w.list)
	if s, ok := v.(string); ok && body == "" {
		head = w.inline(s, false, t.quoteOf(p.value))
	}
	if body != "" && head == "" && comment != "" {
		lines := body[1:]
		body = "\n" + commentLines(comment, len(lines)-len(strings.TrimLeft(lines, " "))) + lines
	}
	return head, body
}

// renderItem is render in a sequence: a mapping or list begins beside the dash, if there is no comment.
func (t *tree) renderItem(w *writer, p place, v any, indent int, comment string) (head, body string) {
	gap := t.dashGap(p.parent)
	head = w.compact(v, indent, gap)
	if s, ok := v.(string); ok && !strings.Contains(head, "\n") {
		return w.inline(s, false, t.quoteOf(p.value)), ""
	}
	first, rest, several := strings.Cut(head, "\n")
	if _, ok := v.(string); ok && several {
		return first, "\n" + rest
	}
	full := isFull(v)
	if t.commentBehind(p) || comment != "" || t.anchor(p.value) != "" {
		if full {
			spaces := strings.Repeat(" ", indent+gap)
			return "", "\n" + commentLines(comment, indent+gap) + spaces + head
		}
	}
	return head, ""
}

// isFull says whether a value is a mapping or a list with something in it, which makes a block.
func isFull(v any) bool {
	switch v := v.(type) {
	case Map:
		return len(v) > 0
	case []any:
		return len(v) > 0
	}
	return false
}

// commentBehind says whether a comment stays on the line of the key or dash when the value is replaced.
func (t *tree) commentBehind(p place) bool {
	at := t.blanks(t.headEnd(p, max(t.indicatorEnd(p), 0)))
	return at < len(t.text) && t.text[at] == '#'
}

// headEnd returns where, on the line of a key or dash, that ends which belongs to its value.
func (t *tree) headEnd(p place, indicator int) int {
	sp := t.spans[p.value]
	switch {
	case t.row(sp.start) > t.row(indicator):
		return indicator
	case p.value.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0:
		return t.parseHeader(sp.body, -1).header
	case isInline(p.value):
		return sp.end
	case t.row(sp.body) > t.row(indicator):
		end, _ := t.properties(sp.start)
		return end
	}
	return t.eol(sp.end) // it begins beside the dash, and goes with its last comment
}

// isInline says whether a value may share its line with what follows.
func isInline(n *yaml.Node) bool {
	if n.Kind == yaml.MappingNode || n.Kind == yaml.SequenceNode {
		return n.Style&yaml.FlowStyle != 0
	}
	return n.Style&(yaml.LiteralStyle|yaml.FoldedStyle) == 0
}

// quoteOf returns the quote of a value, 0 without one.
func (t *tree) quoteOf(n *yaml.Node) byte {
	switch {
	case n.Style&yaml.DoubleQuotedStyle != 0:
		return '"'
	case n.Style&yaml.SingleQuotedStyle != 0:
		return '\''
	}
	return 0
}

// relay replaces a value by another of a different layout: what stands on the line of the key or dash, and the lines below. A
// comment on that line stays.
func (t *tree) relay(p place, indicator int, head, body string) []splice {
	sp := t.spans[p.value]
	headEnd, bodyEnd := t.headEnd(p, indicator), sp.end
	bodyStart := t.eol(headEnd)
	if !isInline(p.value) {
		bodyEnd = t.eol(bodyEnd)
	}
	bodyEnd = max(bodyStart, bodyEnd)
	space := " "
	if at := t.blanks(indicator); at > indicator && at == sp.start {
		space = string(t.text[indicator:at])
	}
	if head != "" {
		head = space + head
	}
	if t.blanks(headEnd) == bodyStart && (body != "" || strings.Contains(head, "\n")) {
		headEnd = bodyStart // no comment, and no space for one
	}
	return []splice{{indicator, headEnd, head}, {bodyStart, bodyEnd, body}}
}

// replaceLiteral gives a literal block other text. Lines that stay keep their bytes.
func (t *tree) replaceLiteral(p place, text string) []splice {
	s := text
	if !strings.Contains(text, "\n") {
		text += "\n" // a block of one line stays one
	}
	if _, ok := literal(text); !ok || p.value.Style&yaml.LiteralStyle == 0 || p.value.Style&yaml.TaggedStyle != 0 {
		return nil
	}
	sp, parent := t.spans[p.value], t.column(t.spans[p.parent].body)
	old := t.parseBlockScalar(sp.body, parent)
	before := string(t.text[sp.body:old.header])
	if old.indent <= parent || len(old.lines) == 0 || strings.HasSuffix(s, "\n\n") && !strings.Contains(before, "+") {
		return nil
	}
	header, lines := literalText(s, old.indent, old.indent-parent)
	if withoutDigits(header) == withoutDigits(before) && len(before) >= len(header) {
		header = before // it may say the indentation where it need not
	}
	t.keepLines(old, lines)
	from := t.eol(old.header)
	return []splice{{sp.body, old.header, header}, {from, max(from, sp.end), "\n" + strings.Join(lines, "\n")}}
}

// keepLines gives those lines that the block scalar has already the bytes that they have there: blank lines may have spaces.
func (t *tree) keepLines(old blockScalar, lines []string) {
	raw := make([]string, len(old.lines))
	for i, start := range old.lines {
		raw[i] = string(t.text[start:t.eol(start)])
	}
	spaces := strings.Repeat(" ", old.indent)
	kept := align(len(raw), len(lines), func(i, j int) bool {
		return raw[i] == lines[j] || lines[j] == "" && strings.HasPrefix(spaces, raw[i])
	})
	for _, same := range kept {
		lines[same.new] = raw[same.old]
	}
}

// withoutDigits returns the header of a block scalar without the indentation that it may say.
func withoutDigits(header string) string {
	return strings.Trim(header[:1]+strings.TrimLeft(header[1:], "0123456789"), "0123456789")
}

// replaceRoot gives a document other content.
func (t *tree) replaceRoot(w *writer, p place, v any) []splice {
	if p.value == nil {
		text := w.root(v) + "\n"
		if len(t.text) > 0 && !bytes.HasSuffix(t.text, []byte("\n")) {
			text = "\n" + text
		}
		return []splice{{len(t.text), len(t.text), text}}
	}
	sp := t.spans[p.value]
	text := w.root(v)
	switch {
	case w.json:
		text = w.flow(v, "", bytes.ContainsRune(t.text[sp.start:sp.end], '\n'))
	case isFull(v):
		if comment := strings.TrimSpace(string(t.text[sp.end:t.eol(sp.end)])); comment != "" && isInline(p.value) {
			text = comment + "\n" + text // on its line it would be the last entry's
		}
		if !t.firstOnLine(sp.start) {
			text = "\n" + text
		}
		sp.end = t.eol(sp.end)
	}
	if anchor := t.anchor(p.value); anchor != "" {
		text = anchor + "\n" + text
	}
	return []splice{{sp.start, sp.end, text}}
}
