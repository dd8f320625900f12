package yamledit

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"
)

const byteOrderMark = "\ufeff"

// checkText finds what no YAML or JSON file may hold, where the parser would not say the line.
func checkText(name string, source []byte) error {
	if bytes.HasPrefix(source, []byte("\xff\xfe")) || bytes.HasPrefix(source, []byte("\xfe\xff")) {
		return &ParseError{Name: name, Line: 1, Reason: "the file is UTF-16: save it as UTF-8"}
	}
	line := 1
	for at := 0; at < len(source); {
		r, size := utf8.DecodeRune(source[at:])
		switch {
		case r == utf8.RuneError && size == 1:
			return &ParseError{Name: name, Line: line, Reason: "the file is not UTF-8 here: save it as UTF-8"}
		case !printable(r):
			return &ParseError{Name: name, Line: line, Reason: fmt.Sprintf("there is a control character (%U), which YAML forbids", r)}
		case r == '\n':
			line++
		}
		at += size
	}
	return nil
}

// printable says whether YAML lets the character stand unescaped.
func printable(r rune) bool {
	switch {
	case r == '\t' || r == '\n' || r == '\r' || r == 0x85:
		return true
	case r < 0x20 || r >= 0x7f && r < 0xa0 || r == 0xfffe || r == 0xffff:
		return false
	}
	return true
}

// split cuts a file into the texts of its documents, which together are the file. What stands above the first separator is the
// first document's.
func split(source []byte) [][]byte {
	var texts [][]byte
	from := 0
	cut := func(at int) {
		if at > from && (hasContent(source[from:at]) || at == len(source) && len(texts) == 0) {
			texts, from = append(texts, source[from:at:at]), at
		}
	}
	for at := 0; at < len(source); {
		next := len(source)
		if end := bytes.IndexByte(source[at:], '\n'); end >= 0 {
			next = at + end + 1
		}
		line := bytes.TrimPrefix(source[at:next], []byte(byteOrderMark))
		if marker(line, "---") {
			cut(at)
		} else if marker(line, "...") {
			cut(next)
		}
		at = next
	}
	cut(len(source))
	if from < len(source) { // comments after the last "..."
		texts[len(texts)-1] = append(texts[len(texts)-1], source[from:]...)
	}
	return texts
}

func marker(line []byte, what string) bool {
	rest, found := bytes.CutPrefix(line, []byte(what))
	return found && (len(rest) == 0 || strings.IndexByte(" \t\r\n", rest[0]) >= 0)
}

// hasContent says whether the text is a document, be it an empty one behind a separator, and not only what may precede one.
func hasContent(text []byte) bool {
	for line := range bytes.Lines(text) {
		line = bytes.TrimPrefix(line, []byte(byteOrderMark))
		trimmed := bytes.TrimSpace(line)
		if len(trimmed) > 0 && trimmed[0] != '#' && line[0] != '%' && !marker(line, "...") {
			return true
		}
	}
	return false
}

// preamble returns what stands above the separator of a document.
func preamble(text []byte) []byte {
	at := 0
	for line := range bytes.Lines(text) {
		if marker(bytes.TrimPrefix(line, []byte(byteOrderMark)), "---") {
			return text[:at]
		}
		at += len(line)
	}
	return nil
}

// quotedOrComment matches, as well as can be done where YAML cannot be parsed, what is no syntax: a comment, a quoted text.
const quotedOrComment = `(?m)(^|[ \t])#.*$|([:\-\[,{?]|^)[ \t]*("([^"\\\n]|\\.)*"|'([^'\n]|'')*')`

// looksTemplated says whether a text that is no YAML is one that becomes YAML.
func looksTemplated(text []byte) bool {
	rest := regexp.MustCompile(quotedOrComment).ReplaceAllString(string(text), "$2")
	_, after, placeholder := strings.Cut(rest, "${")
	return strings.Contains(rest, "{{") || placeholder && strings.Contains(after, "}")
}
