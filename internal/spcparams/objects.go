package spcparams

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Names of the fields of an object.
const (
	fieldName       = "objectName"
	fieldType       = "objectType"
	fieldAlias      = "objectAlias"
	fieldVersion    = "objectVersion"
	fieldHistory    = "objectVersionHistory"
	fieldFormat     = "objectFormat"
	fieldEncoding   = "objectEncoding"
	fieldPermission = "filePermission"
)

// arrayField is the one key of the YAML document in `objects`.
const arrayField = "array"

// shapeCure shows what `objects` has to look like: most mistakes are about the string in the string.
const shapeCure = "write it as `array:` and one entry `- |` per object, its fields below the `- |` and further in than it"

// ParseObjects reads the parameter `objects` alone, as [Parse] does for a whole SecretProviderClass.
func ParseObjects(text string) ([]Object, []Warning, error) {
	if strings.TrimSpace(text) == "" {
		return nil, nil, &Error{Path: paramObjects, Problem: "is not set", Cure: shapeCure}
	}
	entries, warnings, err := readArray(text)
	if err != nil {
		return nil, nil, err
	}
	r := reader{owner: map[string]int{}, warnings: warnings}
	for i, entry := range entries {
		r.entry(i, entry)
	}
	return r.objects, r.warnings, errors.Join(r.errs...)
}

// readArray reads the outer document.
func readArray(text string) ([]yaml.Node, []Warning, error) {
	fields, err := readMapping(text)
	if err != nil {
		text := "is not the YAML of a list of objects: " + plain(err)
		return nil, nil, &Error{Path: paramObjects, Problem: text, Cure: shapeCure}
	}
	var warnings []Warning
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		if name != arrayField {
			path := fmt.Sprintf("%s.%s (line %d)", paramObjects, name, fields[name].Line)
			warnings = append(warnings, unknownWarning(path, "field"))
		}
	}
	array := fields[arrayField]
	node := deref(&array)
	switch {
	case node.Kind == 0, node.Tag == "!!null", node.Kind == yaml.SequenceNode && len(node.Content) == 0:
		return nil, nil, &Error{Path: paramObjects, Problem: "lists no object", Cure: shapeCure}
	case node.Kind != yaml.SequenceNode:
		path := fmt.Sprintf("%s.%s (line %d)", paramObjects, arrayField, node.Line)
		return nil, nil, &Error{Path: path, Problem: "is not a list", Cure: shapeCure}
	}
	entries := make([]yaml.Node, len(node.Content))
	for i, entry := range node.Content {
		entries[i] = *deref(entry)
	}
	return entries, warnings, nil
}

// readMapping reads a YAML document that is a mapping, keeping its values as they were written.
func readMapping(text string) (map[string]yaml.Node, error) {
	var document yaml.Node
	if err := yaml.Unmarshal([]byte(text), &document); err != nil {
		return nil, err
	}
	if document.Kind == 0 {
		return nil, nil // nothing but comments and blanks
	}
	root := document.Content[0]
	if root.Kind != yaml.MappingNode {
		return nil, fmt.Errorf("line %d: expected fields, as in `name: value`", root.Line)
	}
	var fields map[string]yaml.Node
	err := root.Decode(&fields)
	return fields, err
}

// deref follows a YAML alias (`*name`) to what it stands for. The parser refuses aliases of aliases.
func deref(node *yaml.Node) *yaml.Node {
	if node.Kind == yaml.AliasNode {
		return node.Alias
	}
	return node
}

// plain is the text of a YAML error in one line and without the name of the library.
func plain(err error) string {
	text := strings.TrimPrefix(err.Error(), "yaml: ")
	return strings.Join(strings.Fields(strings.TrimPrefix(text, "unmarshal errors:")), " ")
}

// A reader collects the objects and what is to be said about them.
type reader struct {
	objects  []Object
	places   []string       // the place of each object, for messages about two of them
	owner    map[string]int // which object gives a whole object's path
	warnings []Warning
	errs     []error
}

func (r *reader) fail(path, problem, cure string) {
	r.errs = append(r.errs, &Error{Path: path, Problem: problem, Cure: cure})
}

// entry reads one entry of the array.
func (r *reader) entry(index int, node yaml.Node) {
	place := fmt.Sprintf("%s[%d]", paramObjects, index)
	at := fmt.Sprintf("%s (line %d)", place, node.Line)
	if node.Kind != yaml.ScalarNode {
		r.fail(at, "is not a string", "write `- |` instead of `-` and put the object's fields on the lines below, further in")
		return
	}
	fields, err := readMapping(node.Value)
	if err != nil {
		r.fail(at, "is not the YAML of one object: "+plain(err), shapeCure)
		return
	}
	d := object{place: place, fields: fields, firstLine: firstLine(node)}
	before := len(r.errs)
	value := d.read(r)
	for _, m := range value.mistakes() {
		r.fail(d.at(m.field), m.problem, m.cure)
	}
	if len(r.errs) == before {
		r.add(value, at)
	}
}

// add keeps the object unless it is listed already, takes a source path of another one, or is one too many.
func (r *reader) add(added Object, at string) {
	if len(r.owner)+added.Versions() > MaxVersions {
		r.fail(at, fmt.Sprintf("is too much: the objects ask for more than %d versions in all", MaxVersions),
			"shorten histories, or use more than one SecretProviderClass")
		return
	}
	for _, stem := range added.stems() {
		i, taken := r.owner[stem]
		switch {
		case !taken:
		case added == r.objects[i]:
			r.warnings = append(r.warnings, Warning{Path: at, Text: "says the same as " + r.places[i] + "; remove one of them"})
			return
		default:
			r.fail(at, fmt.Sprintf("gives the source path %s, as %s does", quote(stem), r.places[i]),
				"set objectAlias of one of them to another name")
			return
		}
	}
	for _, stem := range added.stems() {
		r.owner[stem] = len(r.objects)
	}
	r.objects = append(r.objects, added)
	r.places = append(r.places, at)
}

// firstLine is the line of `objects` in which the text of an entry begins: a block scalar begins below its `|`.
func firstLine(node yaml.Node) int {
	if node.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0 {
		return node.Line + 1
	}
	return node.Line
}

// An object is one entry as YAML gives it.
type object struct {
	place     string
	fields    map[string]yaml.Node
	firstLine int
}

// at names a field for a message, with its line in `objects` if it was written.
func (d object) at(field string) string {
	node, written := d.fields[field]
	line := d.firstLine
	if written {
		line += node.Line - 1
	}
	return fmt.Sprintf("%s.%s (line %d)", d.place, field, line)
}

// read turns the fields into an object, reporting what is not text, not a number or not known.
func (d object) read(r *reader) Object {
	text := func(field string) string { return d.text(r, field) }
	value := Object{
		Name:           text(fieldName),
		Type:           ObjectType(text(fieldType)),
		Alias:          text(fieldAlias),
		Version:        text(fieldVersion),
		Format:         Format(strings.ToLower(text(fieldFormat))),
		Encoding:       Encoding(strings.ToLower(text(fieldEncoding))),
		FilePermission: text(fieldPermission),
	}
	if value.Version == "latest" {
		value.Version = ""
	}
	d.warnUnknown(r)
	if history := text(fieldHistory); history != "" {
		n, err := strconv.Atoi(history)
		if err != nil {
			r.fail(d.at(fieldHistory), quote(history)+" is not a whole number", historyCure())
			return value
		}
		value.History = n
	}
	return value
}

// text is the trimmed text of a field as it was written; an absent one and null are empty.
func (d object) text(r *reader, field string) string {
	node := d.fields[field]
	value := deref(&node)
	switch {
	case value.Kind == 0, value.Tag == "!!null":
		return ""
	case value.Kind != yaml.ScalarNode:
		r.fail(d.at(field), "is not text", "write one value on the line of the field")
		return ""
	}
	return strings.TrimSpace(value.Value)
}

func (d object) warnUnknown(r *reader) {
	for _, name := range slices.Sorted(maps.Keys(d.fields)) {
		switch name {
		case fieldName, fieldType, fieldAlias, fieldVersion, fieldHistory, fieldFormat, fieldEncoding, fieldPermission:
		default:
			r.warnings = append(r.warnings, unknownWarning(d.at(name), "field"))
		}
	}
}
