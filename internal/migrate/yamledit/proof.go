package yamledit

import (
	"bytes"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// splice replaces a range of a text.
type splice struct {
	from, to int
	text     string // with "\n" for a line break, whatever the file has
}

// apply returns the text with the splices made, which must not overlap.
func apply(text []byte, splices []splice, newline string) ([]byte, bool) {
	slices.SortStableFunc(splices, func(a, b splice) int { return a.from - b.from })
	var b bytes.Buffer
	at := 0
	for _, s := range splices {
		if s.from < at || s.to < s.from || s.to > len(text) {
			return nil, false
		}
		b.Write(text[at:s.from])
		b.WriteString(strings.ReplaceAll(s.text, "\n", newline))
		at = s.to
	}
	b.Write(text[at:])
	return b.Bytes(), true
}

// commit gives the document the new text, if that holds what the old did but for the change. A literal block that has come to the
// end of a text without a final newline gets one: without, it would lose its own.
func (d *Document) commit(newline string, splices []splice, c change) error {
	text, ok := apply(d.text, splices, newline)
	if !ok {
		return strange()
	}
	for _, end := range []string{"", newline} {
		candidate := append(slices.Clip(text), end...)
		t, err := newTree(candidate)
		if err == nil && !t.hasTemplate() && c.proves(d.tree.root, t.root) {
			d.text, d.tree = candidate, t
			return nil
		}
	}
	return strange()
}

// proves says whether the node after is the node before with the change made, and nothing else.
func (c change) proves(before, after *yaml.Node) bool {
	switch {
	case c.made && c.parent == nil: // it is the root that changes
		return c.holds(after)
	case before == nil || after == nil:
		return before == after
	case !alike(before, after):
		return false
	}
	was, is := before.Content, after.Content
	if c.made && before == c.parent {
		var ok bool
		if was, is, ok = c.others(was, is, after.Kind == yaml.MappingNode); !ok {
			return false
		}
	}
	return slices.EqualFunc(was, is, c.proves)
}

// alike compares two nodes without their children.
func alike(a, b *yaml.Node) bool {
	return a.Kind == b.Kind && a.Anchor == b.Anchor && a.Value == b.Value &&
		(a.Kind == yaml.AliasNode || a.ShortTag() == b.ShortTag())
}

// others returns the children before and after which the change is not about, and whether those that it is about are as they
// should be.
func (c change) others(before, after []*yaml.Node, mapping bool) (olds, news []*yaml.Node, ok bool) {
	from, to := c.index, c.index+1
	if mapping {
		from, to = 2*from, 2*to
	}
	if c.op == Replace && mapping {
		from++ // the key must stay
	}
	if c.op != Remove {
		if to > len(after) || !c.holds(after[to-1]) || c.op == Add && mapping && !named(after[from], c.key) {
			return nil, nil, false
		}
		after = slices.Concat(after[:from], after[to:])
	}
	if c.op != Add {
		before = slices.Concat(before[:from], before[to:])
	}
	return before, after, true
}

// holds says whether the node says the value of the change.
func (c change) holds(n *yaml.Node) bool {
	same, err := equal(n, c.value)
	return same && err == nil
}
