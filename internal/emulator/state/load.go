package state

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// Load reads a seed file's content. Placeholders ${NAME} in values are replaced by what lookup gives, $${ stands for ${;
// errors name the file, the line and, for a field that does not exist, those that do.
func Load(file string, content []byte, lookup func(name string) (value string, ok bool)) (Seed, error) {
	var document yaml.Node
	switch err := yaml.NewDecoder(bytes.NewReader(content)).Decode(&document); {
	case errors.Is(err, io.EOF):
		return Seed{}, fmt.Errorf("%s: there is nothing in it", file)
	case err != nil:
		return Seed{}, fmt.Errorf("reading %s: %w", file, err)
	}
	l := loader{file: file, lookup: lookup}
	l.expand(&document)
	l.check(&document, reflect.TypeFor[Seed](), "")
	if err := errors.Join(l.errs...); err != nil {
		return Seed{}, err
	}
	var seed Seed
	if err := document.Decode(&seed); err != nil {
		return Seed{}, fmt.Errorf("reading %s: %w", file, err)
	}
	return seed, nil
}

type loader struct {
	file   string
	lookup func(string) (string, bool)
	errs   []error
}

func (l *loader) fail(node *yaml.Node, format string, args ...any) {
	l.errs = append(l.errs, fmt.Errorf("%s:%d: %w", l.file, node.Line, fmt.Errorf(format, args...)))
}

// expand replaces the placeholders in every value. Values are replaced after parsing, so that none can change the structure.
func (l *loader) expand(node *yaml.Node) {
	if node.Kind == yaml.ScalarNode && strings.Contains(node.Value, "${") {
		node.Value = regexp.MustCompile(`\$\$\{|\$\{[^}]*\}?`).ReplaceAllStringFunc(node.Value, func(found string) string {
			if found == "$${" {
				return "${"
			}
			name, closed := strings.CutSuffix(strings.TrimPrefix(found, "${"), "}")
			value, ok := l.lookup(name)
			switch {
			case !closed || name == "":
				l.fail(node, "a placeholder is written ${NAME}; for a literal ${ write $${")
			case !ok:
				l.fail(node, "the environment variable %s is not set", name)
			}
			return value
		})
	}
	for _, child := range node.Content {
		l.expand(child)
	}
}

// check finds the fields that the seed does not have.
func (l *loader) check(node *yaml.Node, t reflect.Type, path string) {
	switch {
	case node.Kind == yaml.DocumentNode:
		l.check(node.Content[0], t, path)
	case node.Kind == yaml.AliasNode:
		l.check(node.Alias, t, path)
	case node.Kind == yaml.SequenceNode && t.Kind() == reflect.Slice:
		for i, item := range node.Content {
			l.check(item, t.Elem(), fmt.Sprintf("%s[%d]", path, i))
		}
	case node.Kind == yaml.MappingNode && t.Kind() == reflect.Struct && t != reflect.TypeFor[time.Time]():
		l.checkFields(node, t, path)
	}
}

func (l *loader) checkFields(node *yaml.Node, t reflect.Type, path string) {
	names, types := fields(t)
	for i := 0; i+1 < len(node.Content); i += 2 {
		key, value := node.Content[i], node.Content[i+1]
		known := slices.Index(names, key.Value)
		switch at := strings.TrimPrefix(path+"."+key.Value, "."); {
		case key.Value == "<<": // YAML's merge of another mapping
			l.check(value, t, path)
		case known < 0:
			l.fail(key, "%s: there is no such field; there are %s", at, strings.Join(names, ", "))
		default:
			l.check(value, types[known], at)
		}
	}
}

// fields gives the names and types of a struct's fields as YAML has them.
func fields(t reflect.Type) (names []string, types []reflect.Type) {
	for field := range t.Fields() {
		name, options, _ := strings.Cut(field.Tag.Get("yaml"), ",")
		switch {
		case options == "inline":
			inner, innerTypes := fields(field.Type)
			names, types = append(names, inner...), append(types, innerTypes...)
		case name != "":
			names, types = append(names, name), append(types, field.Type)
		}
	}
	return names, types
}
