package yamledit

import (
	"bytes"
	"regexp"
	"strings"
)

// A placeholder such as ${NAME}, which a pipeline fills in, is text. Within flow style its braces mean something to YAML, so that
// a document that has one there is no YAML before it is filled in. Such a document is read and edited with other characters in
// the place of these braces, which come back in all that leaves this package.
const (
	openBrace  = "\uE000"
	closeBrace = "\uE001"
)

// hidePlaceholders takes the braces of placeholders out of a text. One that uses the private characters itself, or that may be
// JSON, whose readers know no plain text, stays as it is.
func hidePlaceholders(text []byte) []byte {
	content := bytes.TrimSpace(bytes.TrimPrefix(bytes.TrimSpace(text), []byte("---")))
	flow := bytes.HasPrefix(content, []byte("{")) || bytes.HasPrefix(content, []byte("["))
	if flow || bytes.ContainsAny(text, openBrace+closeBrace) {
		return text
	}
	return regexp.MustCompile(`\$\{([^{}\r\n]*)\}`).ReplaceAll(text, []byte("$$"+openBrace+"${1}"+closeBrace))
}

// showPlaceholders undoes hidePlaceholders.
func showPlaceholders(text string) string {
	return strings.NewReplacer("$"+openBrace, "${", closeBrace, "}").Replace(text)
}

// parseHidden parses a document whose placeholders keep it from being YAML, and tells whether it could.
func (d *Document) parseHidden() bool {
	hidden := hidePlaceholders(d.text)
	if bytes.Equal(hidden, d.text) {
		return false
	}
	t, err := newTree(hidden)
	if err != nil || t.hasTemplate() {
		return false
	}
	d.text, d.tree, d.hidden = hidden, t, true
	return true
}

// shown is the text of a document as its file has it.
func (d *Document) shown() []byte {
	if !d.hidden {
		return d.text
	}
	return []byte(showPlaceholders(string(d.text)))
}

// hide makes of an edit of a document one of its text as it is held.
func (d *Document) hide(e Edit) Edit {
	if !d.hidden {
		return e
	}
	path := make([]any, len(e.Path))
	for i, step := range e.Path {
		path[i] = mapTexts(step, hideText)
	}
	e.Path, e.Value = path, mapTexts(e.Value, hideText)
	return e
}

// hideText is hidePlaceholders for a text that is no document.
func hideText(s string) string { return string(hidePlaceholders([]byte("x" + s))[1:]) }

// mapTexts returns a value with every text and key changed.
func mapTexts(value any, change func(string) string) any {
	switch v := value.(type) {
	case string:
		return change(v)
	case Map:
		changed := make(Map, len(v))
		for i, e := range v {
			changed[i] = Entry{change(e.Key), mapTexts(e.Value, change)}
		}
		return changed
	case []any:
		changed := make([]any, len(v))
		for i, item := range v {
			changed[i] = mapTexts(item, change)
		}
		return changed
	case map[string]any:
		changed := make(map[string]any, len(v))
		for key, field := range v {
			changed[change(key)] = mapTexts(field, change)
		}
		return changed
	default:
		return value
	}
}
