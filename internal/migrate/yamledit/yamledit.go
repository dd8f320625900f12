// Package yamledit changes manifests in place: whatever need not change keeps its bytes, be it comments, order, quotes,
// indentation, anchors, line ends, trailing spaces, a byte order mark, or a final newline that is missing.
//
// No encoder does that, so this package has none. It asks a YAML parser where each value stands, and splices the source text:
// a value is replaced, lines go in, lines go out ([File.Apply]). Edits mean what RFC 6902 says, and what is new is written as its
// surroundings are: same indentation, same quotes, flow style in flow style, JSON in JSON. A value that is replaced by a similar
// one is compared with it, and only where they differ is anything touched.
//
// Each edit is proved before it counts: the new text is parsed, and must hold the old content with nothing but that edit made. A
// text too strange to be edited so is refused by an [EditError] and left as it was; so is what other parts of the document share
// by an anchor ([AliasError]). Documents that are templates are recognised ([Document.Templated]) and never touched.
//
// Everything here is pure: bytes in, bytes out. A [File] is not safe for concurrent use.
package yamledit

import (
	"bytes"
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"
)

// File is a text with documents, which edits change.
type File struct {
	name string
	docs []*Document
}

// Document is one document of a file. It stays the same document through edits of the file, until it is removed.
type Document struct {
	name  string
	text  []byte // from its separator, if it has one, to the next document's
	first int    // the 0-based line of the file on which text begins
	tree  *tree  // nil where templated
	// hidden says that text has other characters for the braces of placeholders
	hidden bool
}

// Parse reads a file of YAML or JSON. The name serves errors, which are a *[ParseError].
func Parse(name string, source []byte) (*File, error) {
	if err := checkText(name, source); err != nil {
		return nil, err
	}
	f := &File{name: name}
	for _, text := range split(source) {
		f.docs = append(f.docs, &Document{name: name, text: text})
	}
	f.number()
	for _, d := range f.docs {
		if err := d.parse(); err != nil {
			return nil, err
		}
	}
	return f, nil
}

// number tells each document where in the file it stands.
func (f *File) number() {
	line := 0
	for _, d := range f.docs {
		d.first = line
		line += len(lineStarts(d.text)) - 2
	}
}

// Bytes returns the text of the file as it is now.
func (f *File) Bytes() []byte {
	var b bytes.Buffer
	for _, d := range f.docs {
		b.Write(d.shown())
	}
	return b.Bytes()
}

// Documents returns the documents in their order. Empty ones are among them: their value is nil.
func (f *File) Documents() []*Document { return append([]*Document(nil), f.docs...) }

// AppendDocument adds a document at the end of the file, in the style of the last one there. The value is as that of an [Edit],
// the comment goes above it.
func (f *File) AppendDocument(value any, comment string) error {
	v, err := ordered(value)
	if err != nil {
		return &EditError{Name: f.name, Line: f.lines(), Reason: err.Error()}
	}
	w := f.writer(len(f.docs) - 1)
	if w.json {
		return &EditError{Name: f.name, Line: 1, Reason: "a JSON file holds one document: add the object to a List, or to another file"}
	}
	d := &Document{name: f.name, text: []byte(w.lines("---\n" + commentLines(comment, 0) + w.root(v) + "\n"))}
	whole := f.Bytes()
	if len(whole) == 0 {
		d.text = bytes.TrimPrefix(d.text, []byte("---"+w.newline))
	}
	if err := d.parse(); err != nil {
		return err
	}
	if len(whole) > 0 && !bytes.HasSuffix(whole, []byte("\n")) {
		if err := f.closeLastLine(w.newline); err != nil {
			return err
		}
	}
	f.docs = append(f.docs, d)
	f.number()
	return nil
}

// closeLastLine ends the last line of the file, which changes no value.
func (f *File) closeLastLine(newline string) error {
	last := f.docs[len(f.docs)-1]
	if last.tree == nil {
		last.text = append(last.text, newline...)
		return nil
	}
	end := len(last.text)
	return last.commit(newline, append(last.tree.chompAt(end), splice{end, end, "\n"}), change{})
}

// RemoveDocument takes a document out of the file, with its separator and its comments. What stands above the first separator of
// the file stays: it is about the file. Without documents, the file is empty.
func (f *File) RemoveDocument(d int) error {
	if d < 0 || d >= len(f.docs) {
		return f.noDocument(d)
	}
	if head := preamble(f.docs[0].shown()); d == 0 && len(head) > 0 && len(f.docs) > 1 {
		next := *f.docs[1]
		next.text = append(bytes.Clone(head), next.shown()...)
		if err := next.parse(); err != nil {
			return err
		}
		*f.docs[1] = next
	}
	f.docs = append(f.docs[:d:d], f.docs[d+1:]...)
	f.number()
	return nil
}

func (f *File) noDocument(d int) error {
	return &EditError{Name: f.name, Line: 1, Reason: fmt.Sprintf("there is no document %d: the file has %d", d, len(f.docs))}
}

func (f *File) lines() int { return bytes.Count(f.Bytes(), []byte("\n")) + 1 }

// Templated says whether the document is the source of a template, such as one of Helm's, rather than a manifest: it has "{{"
// outside of quotes and comments, or a "${…}" that makes it no YAML, and not one of a name where a text may stand. Nothing in
// it can be read or edited.
func (d *Document) Templated() bool { return d.tree == nil }

// Text returns the text of the document, with its separator and comments.
func (d *Document) Text() string { return string(d.shown()) }

// Value returns what the document says, with aliases and merge keys resolved, and scalars as Kubernetes reads them: nil, bool,
// int64, float64, string, []any and map[string]any. It is nil for an empty document. The caller owns it.
func (d *Document) Value() (any, error) {
	if d.tree == nil {
		return nil, &EditError{Name: d.name, Line: d.first + 1, Reason: "the document is a template: render it first"}
	}
	v, n, err := decode(d.tree.root)
	if err != nil {
		return nil, &ParseError{Name: d.name, Line: d.line(n), Reason: err.Error()}
	}
	if d.hidden {
		v = mapTexts(v, showPlaceholders)
	}
	return v, nil
}

// Line returns the line of the file, from 1, on which the value at the path is named: by its key, or by its dash. Of a path that
// leads nowhere, it is the line of as much of it as there is.
func (d *Document) Line(path ...any) int {
	if d.tree == nil || d.tree.root == nil {
		return d.first + 1
	}
	return d.first + d.tree.lineOf(path)
}

// Folded says whether the value at the path is a folded block: a text that has other line breaks than it is written with.
func (d *Document) Folded(path ...any) bool {
	if d.tree == nil {
		return false
	}
	p, err := d.tree.find(Edit{Path: path, Shared: true})
	return err == nil && p.value != nil && p.value.Style&yaml.FoldedStyle != 0
}

// Op says what an edit does.
type Op int

// The operations of RFC 6902 that are here.
const (
	// Add puts an entry into a mapping, or replaces it there; or puts an item into a sequence, before the one at that index.
	Add Op = iota
	// Replace changes a value that is there.
	Replace
	// Remove takes out an entry or item, with its comments. Of the last one, "{}" or "[]" stays.
	Remove
)

// String returns the name that RFC 6902 gives the operation.
func (o Op) String() string {
	return [...]string{"add", "replace", "remove"}[min(max(int(o), 0), 2)]
}

// Edit is one change of a document.
type Edit struct {
	Op Op
	// Path leads from the root: a string is a key, an int an index. Adding at the index that is the length appends.
	Path []any
	// Value is what to write: nil, bool, string, a number, a slice, a map[string]any or a [Map]. Maps without an order are written
	// as Kubernetes manifests are (apiVersion, kind, metadata, name, spec, then by the alphabet).
	Value any
	// Comment goes above an entry or item that is added to a block, without its "#"; flow style and JSON have no room for it.
	Comment string
	// Shared allows to edit what is shared by an anchor, for all who share it.
	Shared bool
}

// ParseError says why a file cannot be read.
type ParseError struct {
	Name   string
	Line   int // from 1
	Reason string
}

// Error implements error.
func (e *ParseError) Error() string { return fmt.Sprintf("%s:%d: %s", e.Name, e.Line, e.Reason) }

// EditError says why an edit cannot be made. The file is as it was.
type EditError struct {
	Name   string
	Line   int // from 1
	Edit   Edit
	Reason string
}

// Error implements error. It tells no values.
func (e *EditError) Error() string {
	if e.Edit.Path == nil {
		return fmt.Sprintf("%s:%d: %s", e.Name, e.Line, e.Reason)
	}
	return fmt.Sprintf("%s:%d: cannot %s %s: %s", e.Name, e.Line, e.Edit.Op, pathString(e.Edit.Path), e.Reason)
}

// AliasError says that an edit was refused because it would change more than its path: what an anchor shares. The file is as it
// was.
type AliasError struct {
	Name   string
	Line   int // of the anchor's definition or of the alias, whichever the edit met; from 1
	Anchor string
	Edit   Edit
	Reason string
}

// Error implements error. It tells no values.
func (e *AliasError) Error() string {
	return fmt.Sprintf("%s:%d: cannot %s %s: %s", e.Name, e.Line, e.Edit.Op, pathString(e.Edit.Path), e.Reason)
}

// pathString writes a path as people do: spec.containers[0].name.
func pathString(path []any) string {
	var b strings.Builder
	for _, element := range path {
		if index, ok := element.(int); ok {
			fmt.Fprintf(&b, "[%d]", index)
			continue
		}
		if b.Len() > 0 {
			b.WriteByte('.')
		}
		fmt.Fprint(&b, element)
	}
	if b.Len() == 0 {
		return "the document"
	}
	return b.String()
}
