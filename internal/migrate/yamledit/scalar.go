package yamledit

import (
	"fmt"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// otherInOld matches what YAML 1.1 reads as something else than text, beside what the parser's own rules (1.2 and some of 1.1)
// say: numbers with underscores, of base 60, binary and octal ones; dates; and "=".
const otherInOld = `^([-+]?0b[01_]+|[-+]?0o?[0-7_]+|[-+]?0x[0-9a-fA-F_]+|[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?|` +
	`[-+]?([0-9][0-9_]*\.?[0-9_]*|\.[0-9_]+)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)|` +
	`[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}([Tt \t].*)?|=)$`

// inline writes a scalar on one line. Quote is the quote to use where one is needed, or that the text had before; 0 for neither.
func (w *writer) inline(v any, flow bool, had byte) string {
	switch v := v.(type) {
	case nil:
		return "null"
	case bool:
		return strconv.FormatBool(v)
	case int64:
		return strconv.FormatInt(v, 10)
	case float64:
		return floatText(v)
	case string:
		return w.text(v, flow, had)
	}
	return ""
}

// floatText writes a number so that old readers take it for one too: they want a point before an exponent.
func floatText(f float64) string {
	s := strconv.FormatFloat(f, 'g', -1, 64)
	if mantissa, exponent, ok := strings.Cut(s, "e"); ok && !strings.Contains(mantissa, ".") {
		return mantissa + ".0e" + exponent
	}
	return s
}

// text writes a string, quoted if it must be or was.
func (w *writer) text(s string, flow bool, had byte) string {
	switch {
	case w.json || !oneLine(s):
		return doubleQuoted(s)
	case had == 0 && w.plain(s, flow):
		return s
	case had == '\'' || had == 0 && w.quote == '\'':
		return "'" + strings.ReplaceAll(s, "'", "''") + "'"
	}
	return doubleQuoted(s)
}

// oneLine says whether nothing in the text has to be escaped.
func oneLine(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return !printable(r) || r == '\t' || isBreak(r) || r == 0xfeff })
}

func isBreak(r rune) bool { return r == '\n' || r == '\r' || r == 0x85 || r == 0x2028 || r == 0x2029 }

// plain says whether all readers take the text for itself without quotes.
func (w *writer) plain(s string, flow bool) bool {
	_, old := oldBool(s)
	return !looksLikeSyntax(s) && (!flow || !strings.ContainsAny(s, ",[]{}:?")) && !old && !w.other.MatchString(s) &&
		(&yaml.Node{Kind: yaml.ScalarNode, Value: s}).ShortTag() == "!!str"
}

// looksLikeSyntax says whether the text would be read as something else than a scalar, or not to its end.
func looksLikeSyntax(s string) bool {
	if s == "" || strings.TrimSpace(s) != s || strings.ContainsAny(s[:1], "?:,[]{}#&*!|>'\"%@`") {
		return true
	}
	for _, prefix := range []string{"- ", "---", "..."} {
		if strings.HasPrefix(s+" ", prefix) {
			return true
		}
	}
	return strings.Contains(s+" ", ": ") || strings.Contains(s, " #") || strings.Contains(s, "{{")
}

// doubleQuoted writes a string so that it is the same in YAML and JSON.
func doubleQuoted(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\t':
			b.WriteString(`\t`)
		case r == '\r':
			b.WriteString(`\r`)
		case !printable(r) || isBreak(r) || r == 0xfeff:
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}

// literal says whether a string can be a literal block.
func literal(v any) (string, bool) {
	s, ok := v.(string)
	if !ok || !strings.Contains(s, "\n") || strings.Trim(s, "\n \t") == "" || strings.Contains(s, "{{") {
		return "", false
	}
	lines := strings.Split(s, "\n")
	for _, line := range lines {
		if strings.ContainsFunc(line, func(r rune) bool { return !printable(r) || isBreak(r) || r == 0xfeff }) {
			return "", false
		}
	}
	body := strings.TrimRight(s, "\n")
	last := body[strings.LastIndexByte(body, '\n')+1:]
	return s, strings.TrimSpace(last) != "" && !strings.HasPrefix(strings.TrimLeft(s, " \n"), "\t") && !blankFirst(lines)
}

// blankFirst says whether the first line that has anything in it has only spaces, which tell no reader the indentation.
func blankFirst(lines []string) bool {
	for _, line := range lines {
		if line != "" {
			return strings.TrimSpace(line) == ""
		}
	}
	return true
}

// literalText writes a literal block: its header, and its lines. Indent is that of the lines, step by how much it is more than
// that of the block around.
func literalText(s string, indent, step int) (header string, lines []string) {
	body := strings.TrimRight(s, "\n")
	header = "|"
	if strings.HasPrefix(strings.TrimLeft(s, "\n"), " ") {
		header += strconv.Itoa(step)
	}
	switch breaks := len(s) - len(body); {
	case breaks == 0:
		header += "-"
	case breaks > 1:
		header += "+"
		body += strings.Repeat("\n", breaks-1)
	}
	for line := range strings.SplitSeq(body, "\n") {
		if line != "" {
			line = strings.Repeat(" ", indent) + line
		}
		lines = append(lines, line)
	}
	return header, lines
}
