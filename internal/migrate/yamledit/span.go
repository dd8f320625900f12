package yamledit

import (
	"bytes"
	"strings"
	"unicode"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// lineStarts returns where each line begins, by YAML's notion of line ends, and last the end of the text.
func lineStarts(text []byte) []int {
	starts := []int{0}
	for at := 0; at < len(text); {
		if size := breakSize(text[at:]); size > 0 {
			at += size
			starts = append(starts, at)
			continue
		}
		_, size := utf8.DecodeRune(text[at:])
		at += size
	}
	return append(starts, len(text))
}

// breakSize returns the length of the line break that the text begins with, or 0.
func breakSize(text []byte) int {
	if len(text) == 0 || strings.IndexByte("\n\r\xc2\xe2", text[0]) < 0 {
		return 0 // no break begins so
	}
	for _, end := range [...]string{"\r\n", "\n", "\r", "\u0085", "\u2028", "\u2029"} {
		if bytes.HasPrefix(text, []byte(end)) {
			return len(end)
		}
	}
	return 0
}

// offset turns a position of the parser, which counts characters from 1, into one of the text.
func (t *tree) offset(line, column int) int {
	if line < 1 || line >= len(t.starts) {
		return len(t.text)
	}
	at := t.bol(t.starts[line-1])
	for range column - 1 {
		_, size := utf8.DecodeRune(t.text[at:])
		at += size
	}
	return at
}

// bol returns where the line of a position begins, behind a byte order mark.
func (t *tree) bol(at int) int {
	start := t.starts[t.row(at)]
	if start == 0 && bytes.HasPrefix(t.text, []byte(byteOrderMark)) {
		return len(byteOrderMark)
	}
	return start
}

// row returns the 0-based line of a position.
func (t *tree) row(at int) int {
	low, high := 0, len(t.starts)-1 // the last is no line
	for high-low > 1 {
		if middle := (low + high) / 2; t.starts[middle] <= at {
			low = middle
		} else {
			high = middle
		}
	}
	return low
}

// eol returns where the line of a position ends, before its break.
func (t *tree) eol(at int) int {
	for at < len(t.text) && breakSize(t.text[at:]) == 0 {
		_, size := utf8.DecodeRune(t.text[at:])
		at += size
	}
	return at
}

// next returns where the line after that of a position begins.
func (t *tree) next(at int) int {
	end := t.eol(at)
	return end + breakSize(t.text[end:])
}

// column returns the 0-based column of a position.
func (t *tree) column(at int) int { return utf8.RuneCount(t.text[min(t.bol(at), at):at]) }

// blanks returns where, from a position on, the spaces and tabs end.
func (t *tree) blanks(at int) int {
	for at < len(t.text) && (t.text[at] == ' ' || t.text[at] == '\t') {
		at++
	}
	return at
}

// gap returns where, from a position on, spaces, line breaks and comments end.
func (t *tree) gap(at int) int {
	for at < len(t.text) {
		switch size := breakSize(t.text[at:]); {
		case size > 0:
			at += size
		case t.text[at] == ' ' || t.text[at] == '\t':
			at++
		case t.text[at] == '#':
			at = t.eol(at)
		default:
			return at
		}
	}
	return at
}

// properties returns where the anchor and the tag that may stand at a position end, and where behind them a value begins.
func (t *tree) properties(at int) (end, value int) {
	end = at
	for at < len(t.text) && (t.text[at] == '&' || t.text[at] == '!') {
		stop := " \t\r\n,[]{}"
		if bytes.HasPrefix(t.text[at:], []byte("!<")) {
			stop = " \t\r\n"
		}
		for at < len(t.text) && strings.IndexByte(stop, t.text[at]) < 0 {
			at++
		}
		end, at = at, t.gap(at)
	}
	return end, at
}

// hasProperties says whether the node has an anchor or a tag.
func hasProperties(n *yaml.Node) bool { return n.Anchor != "" || n.Style&yaml.TaggedStyle != 0 }

// scalarSpan completes the span of a scalar.
func (t *tree) scalarSpan(n *yaml.Node, sp span, indent int) span {
	switch {
	case n.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0:
		sp.end = t.parseBlockScalar(sp.body, indent).end
	case n.Style&yaml.DoubleQuotedStyle != 0:
		sp.end = t.quotedEnd(sp.body, '"', '\\')
	case n.Style&yaml.SingleQuotedStyle != 0:
		sp.end = t.quotedEnd(sp.body, '\'', '\'')
	case n.Value == "":
		if sp.body = sp.start; hasProperties(n) {
			sp.body, _ = t.properties(sp.start)
		}
		sp.end = sp.body
	default:
		sp.end = t.plainEnd(sp.body, n.Value)
	}
	return sp
}

// quotedEnd returns where a quoted text ends. The character escape makes the one after it mean itself; in single quotes, that is
// the quote itself.
func (t *tree) quotedEnd(at int, quote, escape byte) int {
	for at++; at < len(t.text); at++ {
		doubled := at+1 < len(t.text) && t.text[at+1] == quote
		switch {
		case t.text[at] == escape && (escape != quote || doubled):
			at++
		case t.text[at] == quote:
			return at + 1
		}
	}
	return -1
}

// plainEnd returns where an unquoted text ends. Only spaces and line breaks, which the parser folds, may differ from its value.
func (t *tree) plainEnd(at int, value string) int {
	for _, want := range value {
		if unicode.IsSpace(want) {
			continue
		}
		r, size := utf8.DecodeRune(t.text[at:])
		for ; size > 0 && unicode.IsSpace(r); r, size = utf8.DecodeRune(t.text[at:]) {
			at += size
		}
		if r != want {
			return -1
		}
		at += size
	}
	return at
}

// blockBody completes the span of a block mapping or sequence, but for its end.
func (t *tree) blockBody(n *yaml.Node, sp span) span {
	if !hasProperties(n) {
		sp.body = sp.start // an anchor there is the first key's
	} else if n.Kind == yaml.MappingNode && len(n.Content) > 0 {
		sp.body = t.offset(n.Content[0].Line, n.Content[0].Column)
	}
	return sp
}

// flowSpan completes the span of a mapping or sequence in flow style, whose last child ends where sp does.
func (t *tree) flowSpan(n *yaml.Node, sp span) span {
	if n.Kind == yaml.MappingNode && len(n.Content) > 0 && t.spans[n.Content[0]].start == sp.start || sp.body >= len(t.text) ||
		!strings.ContainsRune("[{", rune(t.text[sp.body])) {
		sp.body = sp.start
		return sp // a single pair in a sequence needs no braces
	}
	at := max(sp.end, sp.body+1)
	for at = t.gap(at); at < len(t.text) && strings.IndexByte(",:?", t.text[at]) >= 0; {
		at = t.gap(at + 1)
	}
	sp.end = at + 1
	return sp
}

// blockScalar is a literal or folded text.
type blockScalar struct {
	header int   // where its header ends: "|", ">2-"
	lines  []int // where its lines begin
	end    int   // behind the last of them, without its break
	indent int   // of its content; 0 if it has none
}

// parseBlockScalar reads the block scalar whose header is at a position, inside of a block that is indented by so much.
func (t *tree) parseBlockScalar(at, parent int) blockScalar {
	b, count := t.parseHeader(at, parent), 0
	keep := bytes.IndexByte(t.text[at:b.header], '+') >= 0
	for line := t.next(b.header); line < len(t.text); line = t.next(line) {
		end := t.eol(line)
		indent := end - line - len(bytes.TrimLeft(t.text[line:end], " "))
		blank := line+indent == end
		if b.indent == 0 && !blank {
			b.indent = max(indent, parent+1, 1) // of the first line with text, if that is in the block
		}
		if !blank && indent < b.indent {
			break
		}
		b.lines = append(b.lines, line)
		if keep || !blank || b.indent > 0 && indent > b.indent {
			b.end, count = end, len(b.lines)
		}
	}
	b.lines = b.lines[:count] // without the blank lines below, which are no text
	return b
}

// parseHeader reads the header of a block scalar.
func (t *tree) parseHeader(at, parent int) blockScalar {
	b := blockScalar{header: at + 1}
	for ; b.header < len(t.text) && strings.IndexByte("+-0123456789", t.text[b.header]) >= 0; b.header++ {
		if digit := t.text[b.header]; digit >= '0' {
			b.indent = max(parent, 0) + int(digit-'0')
		}
	}
	b.end = b.header
	return b
}
