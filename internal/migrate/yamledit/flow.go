package yamledit

import (
	"bytes"
	"strings"

	"go.yaml.in/yaml/v3"
)

// addFlow adds a child to what is in flow style and not empty.
func (t *tree) addFlow(w *writer, c change) []splice {
	n := c.parent
	near := t.at(n, min(c.index, size(n)-1))
	start := t.entryStart(near)
	separator := t.separator(w, n)
	tall := strings.Contains(separator, "\n")
	text := w.flow(c.value, t.indentOf(start), tall)
	if n.Kind == yaml.MappingNode {
		text = t.flowKey(w, near, c.key) + text
	}
	if c.index < size(n) {
		return []splice{{start, start, text + separator}}
	}
	end := t.entryEnd(near)
	comma, after := ",", ""
	if at := t.gap(end); at < len(t.text) && t.text[at] == ',' {
		end, comma, after = at+1, "", ","
	}
	to := end
	if rest := t.blanks(end); tall && rest < len(t.text) && t.text[rest] == '#' {
		to = t.eol(rest) // the comment is the last child's
	}
	text = separator[1:] + text + after
	if to == end {
		return []splice{{end, end, comma + text}}
	}
	return []splice{{end, end, comma}, {to, to, text}}
}

// flowKey writes a key with its ":" as its neighbour is written.
func (t *tree) flowKey(w *writer, near place, key string) string {
	colon := w.colon
	if at := t.indicatorEnd(near); at >= 0 {
		colon = string(t.text[t.spans[near.key].end:max(at, t.spans[near.value].start)])
	}
	if strings.TrimSpace(colon) != ":" || strings.Contains(colon, "\n") || colon == ":" && !w.json {
		colon = w.colon
	}
	return w.text(key, true, t.quoteOf(near.key)) + colon
}

// separator returns what stands between the children of a node in flow style: the comma, and where the next begins.
func (t *tree) separator(w *writer, n *yaml.Node) string {
	first := t.entryStart(t.at(n, 0))
	if t.firstOnLine(first) && t.row(first) > t.row(t.spans[n].start) {
		return ",\n" + t.indentOf(first)
	}
	if size(n) > 1 {
		between := string(t.text[t.entryEnd(t.at(n, 0)):t.entryStart(t.at(n, 1))])
		if strings.TrimSpace(between) == "," && !strings.ContainsAny(between, "\r\n") {
			return strings.TrimLeft(between, " \t")
		}
	}
	return "," + strings.TrimPrefix(w.colon, ":")
}

// indentOf returns the spaces and tabs that the line of a position begins with.
func (t *tree) indentOf(at int) string {
	start := t.bol(at)
	return string(t.text[start:min(t.blanks(start), at)])
}

// replaceFlow gives a value in flow style another one.
func (t *tree) replaceFlow(w *writer, p place, v any) []splice {
	sp := t.spans[p.value]
	start := t.entryStart(p)
	tall := isFull(v) && t.firstOnLine(start) && t.row(start) > t.row(t.spans[p.parent].start)
	text := w.flow(v, t.indentOf(start), tall)
	if s, ok := v.(string); ok {
		text = w.inline(s, true, t.quoteOf(p.value))
	}
	if anchor := t.anchor(p.value); anchor != "" {
		text = anchor + " " + text
	}
	if sp.start < sp.end {
		return []splice{{sp.start, sp.end, text}}
	}
	if p.key == nil {
		return nil
	}
	colon := ""
	at := t.indicatorEnd(p)
	if at < 0 {
		at, colon = t.spans[p.key].end, ":"
	}
	end := at
	if colon == "" && sp.start > at {
		end = sp.start
	}
	return []splice{{at, end, colon + " " + text}}
}

// removeFlow takes a child out of what is in flow style.
func (t *tree) removeFlow(p place) []splice {
	n, last := p.parent, size(p.parent)-1
	if last == 0 {
		sp := t.spans[n]
		if sp.body+1 > sp.end-1 {
			return nil
		}
		return []splice{{sp.body + 1, sp.end - 1, ""}}
	}
	start, end := t.entryStart(p), t.entryEnd(p)
	comma := t.gap(end)
	trailing := comma < len(t.text) && t.text[comma] == ','
	if p.index == last {
		before := t.entryEnd(t.at(n, last-1))
		if !bytes.ContainsRune(t.text[before:start], '#') || !t.firstOnLine(start) {
			return []splice{{before, end, ""}}
		}
		splices := []splice{{t.withComments(p, start), t.next(max(end, comma*btoi(trailing))), ""}}
		if !trailing { // a comment stands before the last child: its line goes, and the comma that leads there
			at := t.gap(before)
			splices = append([]splice{{at, at + 1, ""}}, splices...)
		}
		return splices
	}
	next := t.entryStart(t.at(n, p.index+1))
	if t.firstOnLine(start) && trailing && t.row(comma) < t.row(next) {
		return []splice{{t.withComments(p, start), t.next(comma), ""}}
	}
	return []splice{{start, next, ""}}
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}
