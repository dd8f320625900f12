package yamledit

import (
	"bytes"
	"strings"

	"go.yaml.in/yaml/v3"
)

// add returns how a new child comes into a mapping or sequence, or nil where that cannot be said.
func (t *tree) add(w *writer, c change, comment string) []splice {
	n := c.parent
	var one any = []any{c.value}
	if n.Kind == yaml.MappingNode {
		one = Map{{c.key, c.value}}
	}
	switch {
	case len(n.Content) == 0:
		return t.replace(w, t.places[n], one, comment)
	case n.Style&yaml.FlowStyle != 0:
		return t.addFlow(w, c)
	case n.Kind == yaml.MappingNode:
		indent := t.column(t.spans[n].body)
		end := t.tail(t.last(n), indent)
		text := "\n" + commentLines(comment, indent) + strings.Repeat(" ", indent) + w.entry(Entry{c.key, c.value}, indent)
		return append(t.chompAt(end), splice{end, end, text})
	}
	return t.addItem(w, c, comment)
}

// addItem adds to a block sequence.
func (t *tree) addItem(w *writer, c change, comment string) []splice {
	n := c.parent
	indent, gap := t.column(t.spans[n].body), t.dashGap(n)
	item := "-" + strings.Repeat(" ", gap-1) + w.compact(c.value, indent, gap)
	spaces := strings.Repeat(" ", indent)
	if c.index == len(n.Content) {
		end := t.tail(t.last(n), indent)
		return append(t.chompAt(end), splice{end, end, "\n" + commentLines(comment, indent) + spaces + item})
	}
	next := t.places[n.Content[c.index]]
	at := t.entryStart(next)
	if at < 0 {
		return nil
	}
	if !t.firstOnLine(at) {
		return []splice{{at, at, item + "\n" + spaces}}
	}
	at = t.withComments(next, at)
	return []splice{{at, at, commentLines(comment, indent) + spaces + item + "\n"}}
}

// dashGap returns how far behind their dashes the items of a sequence begin.
func (t *tree) dashGap(n *yaml.Node) int {
	dash := t.spans[n].body
	start := t.spans[n.Content[0]].start
	if gap := start - dash; gap > 1 && t.row(start) == t.row(dash) {
		return gap
	}
	return 2
}

// last returns the place of the last value of a mapping or sequence.
func (t *tree) last(n *yaml.Node) place { return t.places[n.Content[len(n.Content)-1]] }

// size returns how many values a mapping or sequence has.
func size(n *yaml.Node) int {
	if n.Kind == yaml.MappingNode {
		return len(n.Content) / 2
	}
	return len(n.Content)
}

// at returns the place of the i-th value of a mapping or sequence.
func (t *tree) at(n *yaml.Node, i int) place {
	if n.Kind == yaml.MappingNode {
		i = 2*i + 1
	}
	return t.places[n.Content[i]]
}

// chompAt keeps the value of a block scalar as it is, if it ends there without a line break and is about to get one.
func (t *tree) chompAt(end int) []splice {
	if end != len(t.text) || bytes.HasSuffix(t.text, []byte("\n")) {
		return nil
	}
	for n, sp := range t.spans {
		if sp.end != end || n.Kind != yaml.ScalarNode || n.Style&(yaml.LiteralStyle|yaml.FoldedStyle) == 0 ||
			n.Value == "" || strings.HasSuffix(n.Value, "\n") {
			continue
		}
		from := sp.body + 1
		to := t.parseHeader(sp.body, -1).header
		header := strings.Trim(string(t.text[from:to]), "+-")
		return []splice{{from, to, header + "-"}}
	}
	return nil
}

// indicatorEnd returns where the ":" of an entry or the dash of an item ends; -1 if there is none.
func (t *tree) indicatorEnd(p place) int {
	if p.key == nil {
		if dash := t.dash(p); dash >= 0 {
			return dash + 1
		}
		return -1
	}
	colon := t.gap(t.spans[p.key].end)
	if colon < len(t.text) && t.text[colon] == ':' {
		return colon + 1
	}
	return -1
}

// dash returns where the dash of an item of a block sequence is; -1 if it is not found.
func (t *tree) dash(p place) int {
	first, start := t.spans[p.parent].body, t.spans[p.value].start
	column := t.column(first)
	for row := t.row(start); row >= t.row(first); row-- {
		at := t.offset(row+1, column+1)
		if at < start && t.text[at] == '-' && strings.IndexByte(" \t\r\n", t.text[min(at+1, len(t.text)-1)]) >= 0 || at == start-1 {
			if !bytes.ContainsRune(t.text[t.bol(at):at], '#') {
				return at
			}
		}
	}
	return -1
}

// entryStart returns where an entry begins with its key, or an item with its dash; -1 if that is not found.
func (t *tree) entryStart(p place) int {
	switch {
	case p.parent == nil:
		return t.spans[p.value].start
	case p.key != nil:
		return t.spans[p.key].start
	case p.parent.Style&yaml.FlowStyle != 0:
		return t.spans[p.value].start
	}
	return t.dash(p)
}

// entryEnd returns where an entry or item ends.
func (t *tree) entryEnd(p place) int {
	end := t.spans[p.value].end
	if p.key != nil {
		end = max(end, t.spans[p.key].end)
	}
	if p.parent != nil && p.parent.Style&yaml.FlowStyle == 0 {
		end = max(end, t.indicatorEnd(p))
	}
	return end
}

// firstOnLine says whether only spaces stand before a position on its line.
func (t *tree) firstOnLine(at int) bool { return t.blanks(t.bol(at)) == at }

// withComments returns where the comments begin that stand right above an entry, which begins its line, and are indented as it
// is; without any, where its line begins.
func (t *tree) withComments(p place, at int) int {
	floor := 0
	if p.index > 0 {
		floor = t.next(t.entryEnd(t.at(p.parent, p.index-1)))
	} else if parent := t.places[p.parent]; parent.parent != nil {
		floor = max(t.indicatorEnd(parent), 0)
		if hasProperties(p.parent) {
			floor, _ = t.properties(t.spans[p.parent].start)
		}
		floor = t.next(floor)
	}
	from := t.bol(at)
	for from > floor && from > 0 {
		above := t.bol(from - 1)
		text := t.blanks(above)
		if above < floor || above >= from || text >= len(t.text) || t.text[text] != '#' || t.column(text) != t.column(at) {
			break
		}
		from = above
	}
	return from
}

// tail returns where the last line of an entry ends: its own, or that of the comments right below that are indented more than it.
func (t *tree) tail(p place, indent int) int {
	end := t.eol(t.entryEnd(p))
	for {
		next := t.next(end)
		text := t.blanks(next)
		if next == end || text >= len(t.text) || t.text[text] != '#' || t.column(text) <= indent {
			return end
		}
		end = t.eol(text)
	}
}

// remove returns how a child goes, with its comments, or nil where that cannot be said.
func (t *tree) remove(w *writer, p place) []splice {
	flow := p.parent.Style&yaml.FlowStyle != 0
	switch {
	case flow:
		return t.removeFlow(p)
	case size(p.parent) > 1:
		return t.removeEntry(p)
	case p.parent.Kind == yaml.MappingNode:
		return t.replace(w, t.places[p.parent], Map{}, "")
	}
	return t.replace(w, t.places[p.parent], []any{}, "")
}

// removeEntry takes the lines of an entry or item out of a block.
func (t *tree) removeEntry(p place) []splice {
	start := t.entryStart(p)
	if start < 0 {
		return nil
	}
	end := t.next(t.tail(p, t.column(start)))
	if t.firstOnLine(start) {
		for t.afterKeep(p) && end < len(t.text) && t.blanks(end) == t.eol(end) {
			end = t.next(end)
		}
		return []splice{{t.withComments(p, start), end, ""}}
	}
	for end < len(t.text) && t.blanks(end) == t.eol(end) { // the next entry takes its place beside the dash
		end = t.next(end)
	}
	return []splice{{start, t.blanks(end), ""}}
}

// afterKeep says whether a block scalar stands right above that keeps all its line breaks ("|+"): it would take blank lines for
// its own that have stood below an entry.
func (t *tree) afterKeep(p place) bool {
	if p.index == 0 {
		return false
	}
	end := t.entryEnd(t.at(p.parent, p.index-1))
	for n, sp := range t.spans {
		if sp.end == end && n.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0 {
			return bytes.IndexByte(t.text[sp.body:t.parseHeader(sp.body, -1).header], '+') >= 0
		}
	}
	return false
}
