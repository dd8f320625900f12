package yamledit

import (
	"errors"
	"fmt"
	"reflect"
	"slices"

	"go.yaml.in/yaml/v3"
)

// Apply makes the edits of one document, in their order, each on what those before it left. It makes all of them or, with an
// [*EditError] or [*AliasError], none. An edit that changes no value changes no byte.
func (f *File) Apply(document int, edits []Edit) error {
	if document < 0 || document >= len(f.docs) {
		return f.noDocument(document)
	}
	d := f.docs[document]
	before := *d
	for _, e := range edits {
		if err := f.edit(document, e); err != nil {
			*d = before
			return d.explain(e, err)
		}
	}
	f.number()
	return nil
}

// refusal is why an edit is not made, and where.
type refusal struct {
	node   *yaml.Node // nil where it is about the whole document
	anchor string     // set if it is for what others share
	reason string
}

// Error implements error.
func (r *refusal) Error() string { return r.reason }

// explain turns what stopped an edit into an error for the caller.
func (d *Document) explain(e Edit, err error) error {
	e.Value = nil // an error carries no values
	line := d.Line(e.Path...)
	var r *refusal
	if !errors.As(err, &r) {
		return &EditError{Name: d.name, Line: line, Edit: e, Reason: err.Error()}
	}
	if r.anchor != "" {
		return &AliasError{Name: d.name, Line: d.line(r.node), Anchor: r.anchor, Edit: e, Reason: r.reason}
	}
	return &EditError{Name: d.name, Line: line, Edit: e, Reason: r.reason}
}

func (d *Document) line(n *yaml.Node) int {
	if n == nil {
		return d.first + 1
	}
	return d.first + n.Line
}

// edit makes one edit, as so many small ones as it takes.
func (f *File) edit(document int, e Edit) error {
	d := f.docs[document]
	if d.tree == nil {
		return &refusal{reason: "the document is a template: edit its source by hand"}
	}
	if err := checkPath(e); err != nil {
		return err
	}
	value, err := ordered(e.Value)
	if err != nil {
		return err
	}
	e.Value = value
	e = d.hide(e)
	steps, err := d.tree.plan(e)
	if err != nil {
		return err
	}
	for _, step := range steps {
		if err := d.step(f.writer(document), step); err != nil {
			return err
		}
	}
	return nil
}

func checkPath(e Edit) error {
	if e.Op < Add || e.Op > Remove {
		return &refusal{reason: "there is no such operation"}
	}
	if e.Op == Remove && len(e.Path) == 0 {
		return &refusal{reason: "remove the document itself by RemoveDocument"}
	}
	for _, element := range e.Path {
		switch element.(type) {
		case string, int:
		default:
			return &refusal{reason: fmt.Sprintf("the path has a %T: it is made of keys (string) and indexes (int)", element)}
		}
	}
	return nil
}

// change is what one small edit does to the tree, by which it is proved.
type change struct {
	op     Op
	parent *yaml.Node // nil for the root
	index  int        // among its values
	key    string
	value  any
	made   bool
}

// step makes one small edit.
func (d *Document) step(w *writer, e Edit) error {
	c, splices, err := d.tree.splices(w, e)
	if err != nil {
		return err
	}
	if splices == nil {
		return strange()
	}
	return d.commit(w.newline, splices, c)
}

// splices returns what a small edit changes, in the tree and in the text. Where the text is too strange, there are none.
func (t *tree) splices(w *writer, e Edit) (change, []splice, error) {
	c := change{op: e.Op, value: e.Value, made: true}
	if e.Op == Add && len(e.Path) > 0 {
		var err error
		if c.parent, err = t.container(e); err != nil {
			return c, nil, err
		}
		if c.index, c.key, err = t.newChild(c.parent, e.Path[len(e.Path)-1]); err != nil {
			return c, nil, err
		}
		return c, t.add(w, c, e.Comment), nil
	}
	p, err := t.find(e)
	if err != nil {
		return c, nil, err
	}
	if err := t.unshared(p, e); err != nil {
		return c, nil, err
	}
	c.parent, c.index = p.parent, p.index
	if e.Op != Remove {
		c.op = Replace
		return c, t.replace(w, p, e.Value, ""), nil
	}
	if hidden, err := t.merged(p.parent, e.Path[len(e.Path)-1], Edit{Op: Remove, Path: e.Path}); err != nil {
		return c, nil, err
	} else if hidden.value != nil {
		return c, nil, &refusal{reason: "a merge key (<<) would bring another value in its place"}
	}
	return c, t.remove(w, p), nil
}

func strange() error {
	return &refusal{reason: "what is written here cannot be edited in place: edit it by hand, or write it more simply first"}
}

// find returns the place that the path of an edit leads to.
func (t *tree) find(e Edit) (place, error) {
	p := place{value: t.root}
	for i, element := range e.Path {
		n, err := t.enter(p.value, e)
		if err != nil {
			return place{}, err
		}
		next, found := t.child(n, element)
		if !found {
			if next, err = t.merged(n, element, e); err != nil {
				return place{}, err
			}
		}
		if next.value == nil {
			return place{}, &refusal{reason: fmt.Sprintf("there is no %s", pathString(e.Path[:i+1]))}
		}
		p = next
	}
	return p, nil
}

// enter returns the node whose children an edit is about to change. What others share it enters only by consent.
func (t *tree) enter(n *yaml.Node, e Edit) (*yaml.Node, error) {
	if n == nil {
		return nil, &refusal{reason: "the document is empty"}
	}
	if n.Kind == yaml.AliasNode {
		if !e.Shared {
			return nil, &refusal{n, n.Value, fmt.Sprintf("it is below the alias *%s, whose anchor on line %d of the document is shared",
				n.Value, n.Alias.Line)}
		}
		n = n.Alias
	}
	if len(t.users[n]) > 0 && !e.Shared {
		return nil, t.sharedBy(n, "inside of ")
	}
	return n, nil
}

func (t *tree) sharedBy(n *yaml.Node, where string) error {
	return &refusal{n, n.Anchor, fmt.Sprintf("it is %swhat the anchor &%s shares with line %d of the document",
		where, n.Anchor, t.users[n][0].Line)}
}

// child returns the place of a child that the node itself has, and that no merge key hides.
func (t *tree) child(n *yaml.Node, element any) (place, bool) {
	switch element := element.(type) {
	case int:
		if n.Kind == yaml.SequenceNode && element >= 0 && element < len(n.Content) {
			return t.places[n.Content[element]], true
		}
	case string:
		for i := 0; n.Kind == yaml.MappingNode && i+1 < len(n.Content); i += 2 {
			if named(n.Content[i], element) && !mergesOver(n, i, element) {
				return t.places[n.Content[i+1]], true
			}
		}
	}
	return place{}, false
}

// named says whether the key of an entry is this one. A merge key is none.
func named(n *yaml.Node, key string) bool {
	name, err := keyString(n)
	return err == nil && name == key && !isMerge(n)
}

// merged returns the place of an entry that the node has by its merge keys. An edit goes there only by consent.
func (t *tree) merged(n *yaml.Node, element any, e Edit) (place, error) {
	for _, source := range mergeSources(n, 0) {
		if v, _, err := decode(source); err != nil || !hasKey(v, element) {
			continue
		}
		source, err := t.enter(source, e)
		if err != nil {
			return place{}, err
		}
		if p, found := t.child(source, element); found {
			return p, nil
		}
		return t.merged(source, element, e)
	}
	return place{}, nil
}

// mergeSources returns what the merge keys of a mapping name, from the child at an index on.
func mergeSources(n *yaml.Node, from int) []*yaml.Node {
	var sources []*yaml.Node
	for i := from; n.Kind == yaml.MappingNode && i+1 < len(n.Content); i += 2 {
		switch value := n.Content[i+1]; {
		case !isMerge(n.Content[i]):
		case value.Kind == yaml.SequenceNode:
			sources = append(sources, value.Content...)
		default:
			sources = append(sources, value)
		}
	}
	return sources
}

// mergesOver says whether a merge key behind the entry at an index brings another value for its key.
func mergesOver(n *yaml.Node, index int, key string) bool {
	return slices.ContainsFunc(mergeSources(n, index), func(source *yaml.Node) bool {
		v, _, err := decode(source)
		return err == nil && hasKey(v, key)
	})
}

func hasKey(v, element any) bool {
	key, isKey := element.(string)
	entries, isMap := v.(map[string]any)
	_, found := entries[key]
	return isKey && isMap && found
}

// container returns the node that an edit adds to.
func (t *tree) container(e Edit) (*yaml.Node, error) {
	to := e
	to.Path = e.Path[:len(e.Path)-1]
	p, err := t.find(to)
	if err != nil {
		return nil, err
	}
	return t.enter(p.value, e)
}

// newChild returns at which index, or under which key, a child goes into the node.
func (t *tree) newChild(n *yaml.Node, element any) (int, string, error) {
	switch element := element.(type) {
	case int:
		if n.Kind != yaml.SequenceNode {
			return 0, "", &refusal{reason: "there is no list to add to"}
		}
		if element < 0 || element > len(n.Content) {
			return 0, "", &refusal{reason: fmt.Sprintf("the list has %d items", len(n.Content))}
		}
		return element, "", nil
	case string:
		if n.Kind == yaml.MappingNode {
			return len(n.Content) / 2, element, nil
		}
	}
	return 0, "", &refusal{reason: "there is no mapping to add to"}
}

// unshared refuses to take away what others share, and to change it without consent.
func (t *tree) unshared(p place, e Edit) error {
	if p.value == nil {
		return nil
	}
	inside := map[*yaml.Node]bool{}
	walk(p.value, func(n *yaml.Node) { inside[n] = true })
	if e.Op == Remove && p.key != nil {
		inside[p.key] = true
	}
	found := t.usedOutside(inside, func(n *yaml.Node) bool { return n == p.value && e.Op != Remove && e.Shared })
	switch {
	case found == nil:
		return nil
	case found == p.value && e.Op != Remove:
		return t.sharedBy(found, "")
	}
	return t.sharedBy(found, "with ")
}

// usedOutside returns the first of the nodes that an alias outside of them stands for, but for those that may be.
func (t *tree) usedOutside(inside map[*yaml.Node]bool, may func(*yaml.Node) bool) *yaml.Node {
	var found *yaml.Node
	for n := range inside {
		outside := slices.ContainsFunc(t.users[n], func(user *yaml.Node) bool { return !inside[user] })
		if outside && !may(n) && (found == nil || t.spans[n].start < t.spans[found].start) {
			found = n
		}
	}
	return found
}

// walk calls do for a node and all below it.
func walk(n *yaml.Node, do func(*yaml.Node)) {
	do(n)
	for _, child := range n.Content {
		walk(child, do)
	}
}

// lineOf returns the line, from 1, of what the path names, as far as it leads.
func (t *tree) lineOf(path []any) int {
	line := t.root.Line
	n := t.root
	for _, element := range path {
		if n.Kind == yaml.AliasNode {
			n = n.Alias
		}
		p, found := t.child(n, element)
		if !found {
			p, _ = t.merged(n, element, Edit{Shared: true})
		}
		if p.value == nil {
			break
		}
		n = p.value
		line = n.Line
		if p.key != nil {
			line = p.key.Line
		} else if at := t.dash(p); p.parent.Style&yaml.FlowStyle == 0 && at >= 0 {
			line = t.row(at) + 1
		}
	}
	return line
}

// equal says whether a node says what an ordered value does.
func equal(n *yaml.Node, value any) (bool, error) {
	if n == nil {
		return false, nil // where nothing is, even null is something
	}
	old, _, err := decode(n)
	return err == nil && reflect.DeepEqual(old, plain(value)), err
}
