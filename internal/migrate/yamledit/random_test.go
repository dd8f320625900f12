package yamledit_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
)

// words are texts that are easily written wrong.
var words = []string{
	"plain", "yes", "No", "on", "~", "null", "true", "0123", "1e3", "1_000", "0x1f", "0b1", "12:30:45", "2001-01-01", "=", "<<", "", " lead", "trail ", "a: b",
	"a:", "a #b", "#c", "- x", "-", "--", "---", "--- x", "...", "?", "? x", ":x", "[x", "{x", "a,b", "a]b", "&a", "*a", "!t", "|", ">", "%x", "@x", "`x", "it's", `say "x"`,
	"\ttab", "a\tb", "line\n", "one\ntwo", "one\ntwo\n", "one\n\n", "\n", "\n\n", "\none\n", " one\ntwo", "one\n  two\n \nthree", "one\n ", "one\n\t\ntwo", "\r\n", "a\rb\n", "é", "日本\nx",
	"\u0085", "\u2028x\n", "\ufeff", "\x7f", "\x00", "${VAR}", "{{ x }}", "{{ x }}\ny", "$(x)", "nginx:1.2", "01234567-89ab-cdef-0123-456789abcdef", ".5", "1.", "+1", "-0", ".inf", ".NaN", "0o7", "08", "1:2", "e5", "n", "y",
	"# not\n# a comment\n", "a: |\n  b\n", "\n  x\n", "x\\y", "\\n", "\"", "'", "a\n\nb\n", "😀", "a'b\"c: d",
}

func word(r *rand.Rand) string { return words[r.IntN(len(words))] }

func randomScalar(r *rand.Rand) any {
	switch r.IntN(8) {
	case 0:
		return nil
	case 1:
		return r.IntN(2) == 0
	case 2:
		return int64(r.IntN(2000) - 1000)
	case 3:
		return []any{1.5, -2.5e-9, 1e300, 3.25}[r.IntN(4)]
	}
	return word(r)
}

func randomValue(r *rand.Rand, depth int) any {
	if depth <= 0 || r.IntN(3) == 0 {
		return randomScalar(r)
	}
	if r.IntN(2) == 0 {
		items := []any{}
		for range r.IntN(4) {
			items = append(items, randomValue(r, depth-1))
		}
		return items
	}
	entries := map[string]any{}
	for range r.IntN(4) {
		entries[randomKey(r)] = randomValue(r, depth-1)
	}
	return entries
}

func randomKey(r *rand.Rand) string {
	if r.IntN(4) == 0 {
		if key := word(r); !strings.ContainsAny(key, "\n\r") {
			return key
		}
	}
	return []string{"name", "image", "a", "b", "c", "spec", "metadata", "key with space"}[r.IntN(8)]
}

// scribe writes values as people do: this way here, that way there.
type scribe struct {
	r          *rand.Rand
	step, list int
}

func (s *scribe) once(in int) bool { return s.r.IntN(in) == 0 }

func (s *scribe) scalar(v any, flow bool) string {
	text, ok := v.(string)
	if !ok {
		b, _ := json.Marshal(v)
		return string(b)
	}
	simple := text != "" && !strings.ContainsFunc(text, func(r rune) bool { return r < 'a' || r > 'z' }) && !slices.Contains([]string{"yes", "no", "on", "null", "true", "y", "n", "e"}, text)
	switch {
	case simple && s.once(2):
		return text
	case !flow && strings.HasPrefix(text, "nginx:"), strings.HasPrefix(text, "${") && !flow:
		return text
	case text != "" && s.once(2) && !strings.ContainsFunc(text, func(r rune) bool { return r < 0x20 || r > 0x7e && r < 0xa0 || r > 0x2000 }):
		return "'" + strings.ReplaceAll(text, "'", "''") + "'"
	}
	var b strings.Builder
	for _, r := range text {
		if r < 0x20 || r == '"' || r == '\\' || r >= 0x7f && r < 0x10000 {
			fmt.Fprintf(&b, `\u%04x`, r)
		} else {
			b.WriteRune(r)
		}
	}
	return `"` + b.String() + `"`
}

func (s *scribe) flow(v any) string {
	comma := []string{", ", ",", ",\n      ", " , "}[s.r.IntN(4)]
	var parts []string
	switch v := v.(type) {
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(v)) {
			parts = append(parts, s.scalar(key, true)+": "+s.flow(v[key]))
		}
		return "{" + strings.Join(parts, comma) + "}"
	case []any:
		for _, item := range v {
			parts = append(parts, s.flow(item))
		}
		return "[" + strings.Join(parts, comma) + "]"
	}
	return s.scalar(v, true)
}

func (s *scribe) comment() string {
	if s.once(4) {
		return []string{" # comment", "   # it's: \"a\" [b", "  "}[s.r.IntN(3)]
	}
	return ""
}

func (s *scribe) above(indent int) string {
	if !s.once(5) {
		return ""
	}
	return []string{"\n", strings.Repeat(" ", indent) + "# above: it's\n", "# far left\n", "\n" + strings.Repeat(" ", indent) + "# - x: 1\n"}[s.r.IntN(4)]
}

// value writes what follows a key or dash: the rest of its line, and lines.
func (s *scribe) value(v any, indent int, inList bool) string {
	inner := indent + s.step
	switch full := v.(type) {
	case map[string]any:
		if len(full) > 0 && !s.once(5) {
			return s.comment() + "\n" + s.mapping(full, inner, "")
		}
	case []any:
		if len(full) > 0 && !s.once(5) {
			if inList {
				return s.comment() + "\n" + s.sequence(full, inner, "")
			}
			return s.comment() + "\n" + s.sequence(full, indent+s.list, "")
		}
	case string:
		body := strings.TrimRight(full, "\n")
		if strings.Contains(full, "\n") && body != "" && !strings.ContainsAny(full, "\r\u0085\u2028{\t") && full[0] != '\n' && full[0] != ' ' && !strings.HasSuffix(body, " ") {
			sign := []string{"|-", "|", "|+"}[min(len(full)-len(body), 2)]
			text := " " + sign + s.comment() + "\n"
			for line := range strings.SplitSeq(body+strings.Repeat("\n", max(len(full)-len(body)-1, 0)), "\n") {
				if line != "" {
					line = strings.Repeat(" ", inner) + line
				}
				text += line + "\n"
			}
			return text
		}
	}
	return " " + s.flow(v) + s.comment() + "\n"
}

func (s *scribe) mapping(m map[string]any, indent int, first string) string {
	var b strings.Builder
	for _, key := range s.shuffled(m) {
		if first == "" {
			b.WriteString(s.above(indent) + strings.Repeat(" ", indent))
		}
		b.WriteString(first + s.scalar(key, false) + ":" + s.value(m[key], indent, false))
		first = ""
	}
	return b.String()
}

func (s *scribe) shuffled(m map[string]any) []string {
	keys := slices.Sorted(maps.Keys(m))
	s.r.Shuffle(len(keys), func(i, j int) { keys[i], keys[j] = keys[j], keys[i] })
	return keys
}

func (s *scribe) sequence(items []any, indent int, first string) string {
	var b strings.Builder
	for _, item := range items {
		if first == "" {
			b.WriteString(s.above(indent) + strings.Repeat(" ", indent))
		}
		dash := first + "-"
		first = ""
		switch full := item.(type) {
		case map[string]any:
			if len(full) > 0 && !s.once(4) {
				b.WriteString(s.mapping(full, indent+2, dash+" "))
				continue
			}
		case []any:
			if len(full) > 0 && !s.once(4) {
				b.WriteString(s.sequence(full, indent+2, dash+" "))
				continue
			}
		}
		b.WriteString(dash + s.value(item, indent, true))
	}
	return b.String()
}

func randomDocument(r *rand.Rand) string {
	if r.IntN(10) == 0 {
		return randomJSON(r)
	}
	s := &scribe{r: r, step: []int{2, 4, 3}[r.IntN(3)], list: []int{0, 2}[r.IntN(2)]}
	var text string
	switch m := randomValue(r, 4).(type) {
	case map[string]any:
		if len(m) > 0 {
			text = s.mapping(m, 0, "")
		}
	case []any:
		if len(m) > 0 {
			text = s.sequence(m, 0, "")
		}
	}
	if text == "" {
		text = s.mapping(map[string]any{"a": map[string]any{"b": randomValue(r, 3)}, "name": randomValue(r, 3), "c": "x"}, 0, "")
	}
	if s.once(6) {
		text = "# head\n---\n" + text
	}
	if s.once(8) {
		text = strings.ReplaceAll(text, "\n", "\r\n")
	}
	if s.once(8) {
		text = "\ufeff" + text
	}
	if s.once(6) {
		text = strings.TrimSuffix(strings.TrimSuffix(text, "\n"), "\r")
	}
	return text
}

// randomJSON escapes what YAML readers do not take as JSON's do.
func randomJSON(r *rand.Rand) string {
	value := map[string]any{"a": randomValue(r, 4), "b": []any{randomValue(r, 3)}}
	escape := strings.NewReplacer("\x7f", `\u007f`, "\u0085", `\u0085`)
	switch r.IntN(3) {
	case 0:
		text, _ := json.Marshal(value)
		return escape.Replace(string(text))
	case 1:
		text, _ := json.MarshalIndent(value, "", "\t")
		return escape.Replace(string(text))
	}
	text, _ := json.MarshalIndent(value, "", "  ")
	return escape.Replace(string(text)) + "\n"
}
