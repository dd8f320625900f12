package read

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v3"
)

// document is one document of a file.
type document struct {
	// content is of the types that JSON gives; nil if the document is empty.
	content any
	line    int
	// items are the first lines of the items of a list, as far as they are known.
	items []int
	// template says that a scalar or a key is a template's action rather than YAML.
	template bool
	// lines finds the first line of the value that a JSON pointer names, in documents that the YAML parser read.
	lines map[string]int
}

// Placeholders such as ${NAME} are text. Where braces have a meaning to YAML (within [] and {}) they would break it, so that
// these private characters take their places while a file is parsed: as many, so that columns stay.
const (
	openBrace  = "\uE000"
	closeBrace = "\uE001"
)

// hide takes the braces of placeholders away. A text that uses the private characters itself stays as it is.
func hide(content []byte) []byte {
	if !bytes.Contains(content, []byte("${")) || bytes.ContainsAny(content, openBrace+closeBrace) {
		return content
	}
	placeholder := regexp.MustCompile(`\$\{([^{}\r\n]*)\}`)
	return placeholder.ReplaceAll(content, []byte("$$"+openBrace+"${1}"+closeBrace))
}

// show undoes hide.
func show(text string) string {
	if !strings.Contains(text, "$"+openBrace) {
		return text
	}
	return strings.NewReplacer("$"+openBrace, "${", closeBrace, "}").Replace(text)
}

// parse reads all documents of a file.
func parse(file string, content []byte) ([]document, *Broken) {
	content = bytes.TrimPrefix(content, []byte("\ufeff"))
	hidden := hide(content)
	decoder := yaml.NewDecoder(bytes.NewReader(hidden))
	var documents []document
	for {
		var node yaml.Node
		err := decoder.Decode(&node)
		if errors.Is(err, io.EOF) {
			return documents, nil
		}
		if err != nil {
			if documents, ok := parseJSON(content); ok {
				return documents, nil
			}
			broken := parseError(file, hidden, err)
			return nil, &broken
		}
		d, broken := convertDocument(&node)
		if broken != nil {
			broken.File = file
			return nil, broken
		}
		documents = append(documents, d)
	}
}

// parseJSON reads JSON that the YAML parser does not: with tabs, or with characters beyond the basic plane as \u pairs.
func parseJSON(content []byte) ([]document, bool) {
	trimmed := bytes.TrimSpace(content)
	if len(trimmed) == 0 || trimmed[0] != '{' && trimmed[0] != '[' {
		return nil, false
	}
	decoder := json.NewDecoder(bytes.NewReader(content))
	decoder.UseNumber()
	var documents []document
	for {
		rest := content[decoder.InputOffset():]
		start := len(content) - len(bytes.TrimLeft(rest, " \t\r\n"))
		var value any
		err := decoder.Decode(&value)
		if errors.Is(err, io.EOF) {
			return documents, true
		}
		if err != nil {
			return nil, false
		}
		documents = append(documents, document{content: numbers(value), line: bytes.Count(content[:start], []byte("\n")) + 1})
	}
}

// numbers turns the numbers of a JSON value into int64 or float64.
func numbers(value any) any {
	switch v := value.(type) {
	case map[string]any:
		for key := range v {
			v[key] = numbers(v[key])
		}
	case []any:
		for i := range v {
			v[i] = numbers(v[i])
		}
	case json.Number:
		if i, err := v.Int64(); err == nil {
			return i
		}
		f, _ := v.Float64()
		return f
	}
	return value
}

// convertDocument turns a document's node into its content.
func convertDocument(node *yaml.Node) (document, *Broken) {
	root := node.Content[0]
	c := converter{budget: maxNodes, lines: map[string]int{}}
	content, err := c.convert(root, "", 0)
	if err != nil {
		if at, ok := errors.AsType[*lineError](err); ok {
			return document{}, &Broken{Line: at.line, Problem: "broken YAML: " + at.problem}
		}
		return document{}, &Broken{Line: root.Line, Problem: fmt.Sprintf("broken YAML: %v", err)}
	}
	d := document{content: content, line: root.Line, template: c.template, lines: c.lines}
	for i := range list(content, "items") {
		d.items = append(d.items, c.lines[fmt.Sprintf("/items/%d", i)])
	}
	return d, nil
}
