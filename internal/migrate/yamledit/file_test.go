package yamledit_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"secretstore/internal/migrate/yamledit"
)

func TestParseErrors(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		reason string
		source string
		line   int
		want   string // a part of what it says
	}{
		"SecondColon":   {reason: "a value that needs quotes", source: "a: 1\nb: c: d\n", line: 2, want: `a second ": "`},
		"Tab":           {reason: "a tab", source: "a:\n\tb: 1\n", line: 2, want: "a tab indents the line"},
		"Dash":          {reason: "a key in a list", source: "x:\n  - a\n  b: 1\n", line: 2, want: `does not begin with "-"`},
		"Bracket":       {reason: "a bracket that is missing", source: "a: 1\nb: [\n", line: 3, want: "closing bracket"},
		"Quote":         {reason: "a quote that is missing", source: "x: 1\na: \"b\n", line: 2, want: "a quote is not closed"},
		"Alias":         {reason: "an alias of nothing", source: "a: *x\n", line: 1, want: "an alias of an anchor that is not defined"},
		"SecondFile":    {reason: "lines count from the beginning of the file", source: "a: 1\n---\n# c\nb: @x\n", line: 4, want: "needs quotes"},
		"Twice":         {reason: "a key that is there twice", source: "a:\n  x: 1\n  \"x\": 2\n", line: 3, want: `the key "x" is given a second time`},
		"Binary":        {reason: "no text", source: "a: 1\nb: \xff\n", line: 2, want: "not UTF-8"},
		"UTF16":         {reason: "what a Windows shell writes", source: "\xff\xfea\x00", line: 1, want: "save it as UTF-8"},
		"Control":       {reason: "a control character", source: "a: 1\nb: \x01\n", line: 2, want: "control character (U+0001)"},
		"NotATemplate":  {reason: "a template's signs in quotes or comments excuse nothing", source: "a: '{{ b }}' # ${X} {{\nb: c: d\n", line: 2, want: `a second ": "`},
		"BareDocuments": {reason: "what is no YAML in a second document", source: "--- a\n--- b: c: d\n", line: 2, want: `a second ": "`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := yamledit.Parse("dir/file.yaml", []byte(tc.source))
			var problem *yamledit.ParseError
			if !errors.As(err, &problem) {
				t.Fatalf("%s: got %v, want a ParseError", tc.reason, err)
			}
			if problem.Name != "dir/file.yaml" || problem.Line != tc.line || !strings.Contains(problem.Reason, tc.want) {
				t.Errorf("%s: got %q, want line %d and %q", tc.reason, err, tc.line, tc.want)
			}
		})
	}
}

func TestTemplated(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		reason string
		source string
		want   bool
	}{
		"Value":       {reason: "YAML all the same, by chance", source: "name: {{ .Values.name }}\n", want: true},
		"Part":        {reason: "a part of a text", source: "name: app-{{ .Values.name }}\n", want: true},
		"Control":     {reason: "a line of its own", source: "a: 1\n{{- if .x }}\nb: 1\n{{- end }}\n", want: true},
		"Block":       {reason: "inside of a block scalar", source: "a: |\n  {{ x }}\n", want: true},
		"Key":         {reason: "a key", source: "{{ x }}: 1\n", want: true},
		"Quoted":      {reason: "in quotes", source: "a: \"{{ x }}\"\nb: ['{{ y }}']\n'{{': 1\n", want: false},
		"Comment":     {reason: "in a comment", source: "# {{ x }}\na: 1 # {{ y }}\n", want: false},
		"Placeholder": {reason: "a placeholder that is a text", source: "a: ${X}\nb: x-${Y}\n${K}: 1\n", want: false},
		"Flow":        {reason: "a placeholder whose braces alone keep it from being YAML", source: "a: [${X}, ${Y}]\n", want: false},
		"FlowRoot":    {reason: "what may be JSON knows no plain text", source: "{a: ${X}}\n", want: true},
		"Line":        {reason: "a placeholder instead of lines", source: "a: 1\n${REST}\nb: 2\n", want: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			file, err := yamledit.Parse("f.yaml", []byte(tc.source+"---\nplain: 1\n"))
			if err != nil {
				t.Fatalf("%s: %v", tc.reason, err)
			}
			docs := file.Documents()
			if got := docs[0].Templated(); got != tc.want || docs[1].Templated() {
				t.Fatalf("%s: got %v, want %v", tc.reason, got, tc.want)
			}
			_, valueErr := docs[0].Value()
			editErr := file.Apply(0, []yamledit.Edit{add(1, "new")})
			if (valueErr != nil) != tc.want || (editErr != nil) != tc.want {
				t.Errorf("%s: Value says %v, Apply %v", tc.reason, valueErr, editErr)
			}
			if err := file.Apply(1, []yamledit.Edit{replace(2, "plain")}); err != nil || !strings.HasSuffix(string(file.Bytes()), "---\nplain: 2\n") {
				t.Errorf("%s: the document beside it was not edited (%v): %q", tc.reason, err, file.Bytes())
			}
		})
	}
}

func TestDocuments(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		reason string
		source string
		want   []any
	}{
		"None":      {reason: "an empty file", source: "", want: nil},
		"Comments":  {reason: "a file of comments has one empty document", source: "# a\n", want: list{nil}},
		"One":       {reason: "without a separator", source: "a: 1", want: list{object{"a": int64(1)}}},
		"Several":   {reason: "separators with what may stand around them", source: "# head\n---\na: 1\n--- # c\nb: 2\n---\n---   \n", want: list{object{"a": int64(1)}, object{"b": int64(2)}, nil, nil}},
		"Ends":      {reason: "documents with an end", source: "a: 1\n...\n# c\nb: 2\n...\n# d\n", want: list{object{"a": int64(1)}, object{"b": int64(2)}}},
		"InScalar":  {reason: "dashes that are no separator", source: "a: |\n  ---\n  x\nb: ---x\n", want: list{object{"a": "---\nx\n", "b": "---x"}}},
		"SameLine":  {reason: "content beside the separator", source: "--- {a: 1}\n--- |\n x\n", want: list{object{"a": int64(1)}, "x\n"}},
		"Directive": {reason: "a directive", source: "%YAML 1.1\n---\na: 1\n", want: list{object{"a": int64(1)}}},
		"CRLF":      {reason: "other line ends", source: "a: 1\r\n---\r\nb: 2\r\n", want: list{object{"a": int64(1)}, object{"b": int64(2)}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			file, err := yamledit.Parse("f.yaml", []byte(tc.source))
			if err != nil {
				t.Fatalf("%s: %v", tc.reason, err)
			}
			var got []any
			for _, d := range file.Documents() {
				value, err := d.Value()
				if err != nil {
					t.Fatal(err)
				}
				got = append(got, value)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tc.reason, diff)
			}
			if string(file.Bytes()) != tc.source {
				t.Errorf("%s: reading made %q of %q", tc.reason, file.Bytes(), tc.source)
			}
		})
	}
}

func TestAppendAndRemoveDocument(t *testing.T) {
	t.Parallel()
	appended := func(f *yamledit.File) error {
		return f.AppendDocument(object{"kind": "K", "l": list{1}}, "new")
	}
	removed := func(i int) func(*yamledit.File) error {
		return func(f *yamledit.File) error { return f.RemoveDocument(i) }
	}
	for name, tc := range map[string]struct {
		reason string
		before string
		do     func(*yamledit.File) error
		after  string
	}{
		"Append":          {reason: "in the file's style", before: "a:\n  - 1\n", do: appended, after: "a:\n  - 1\n---\n# new\nkind: K\nl:\n  - 1\n"},
		"NoFinalNewline":  {reason: "the last line is ended first, and says the same", before: "a: |\n  x", do: appended, after: "a: |-\n  x\n---\n# new\nkind: K\nl:\n- 1\n"},
		"CRLF":            {reason: "with the file's line ends", before: "a: 1\r\nb: 2", do: appended, after: "a: 1\r\nb: 2\r\n---\r\n# new\r\nkind: K\r\nl:\r\n- 1\r\n"},
		"Empty":           {reason: "the first needs no separator", before: "", do: appended, after: "# new\nkind: K\nl:\n- 1\n"},
		"AfterTemplate":   {reason: "behind a template, which stays as it is", before: "a: {{ b }}", do: appended, after: "a: {{ b }}\n---\n# new\nkind: K\nl:\n- 1\n"},
		"RemoveFirst":     {reason: "the next keeps its separator", before: "a: 1\n---\nb: 2\n", do: removed(0), after: "---\nb: 2\n"},
		"RemoveKeepsHead": {reason: "the head of the file stays", before: "# licence\n---\na: 1\n---\nb: 2\n", do: removed(0), after: "# licence\n---\nb: 2\n"},
		"RemoveMiddle":    {reason: "a document with its separator and comments", before: "a: 1\n---\n# b\nb: 2\n---\nc: 3\n", do: removed(1), after: "a: 1\n---\nc: 3\n"},
		"RemoveLast":      {reason: "the last", before: "a: 1\n---\nb: 2", do: removed(1), after: "a: 1\n"},
		"RemoveOnly":      {reason: "the only one", before: "# x\na: 1\n", do: removed(0), after: ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			file, err := yamledit.Parse("f.yaml", []byte(tc.before))
			if err != nil {
				t.Fatal(err)
			}
			if err := tc.do(file); err != nil {
				t.Fatalf("%s: %v", tc.reason, err)
			}
			if diff := cmp.Diff(tc.after, string(file.Bytes())); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tc.reason, diff)
			}
			again, err := yamledit.Parse("f.yaml", file.Bytes())
			if err != nil || len(again.Documents()) != len(file.Documents()) {
				t.Errorf("%s: it is read as another file: %v", tc.reason, err)
			}
		})
	}
}

func TestLine(t *testing.T) {
	t.Parallel()
	source := "a: 1\n---\n# c\nspec:\n  list:\n  -\n    name: x\n  - {k: v,\n     l: w}\n  merged: &m\n    deep: 1\n  <<: *m\n  alias: *m\n"
	file, err := yamledit.Parse("f.yaml", []byte(source))
	if err != nil {
		t.Fatal(err)
	}
	lines := func() map[string]int {
		d := file.Documents()[1]
		return map[string]int{
			"root": d.Line(), "spec": d.Line("spec"), "item": d.Line("spec", "list", 0), "name": d.Line("spec", "list", 0, "name"),
			"flow": d.Line("spec", "list", 1, "l"), "merged": d.Line("spec", "deep"), "alias": d.Line("spec", "alias", "deep"),
			"nowhere": d.Line("spec", "list", 7, "x"), "first": file.Documents()[0].Line("a"),
		}
	}
	want := map[string]int{"root": 4, "spec": 4, "item": 6, "name": 7, "flow": 9, "merged": 11, "alias": 11, "nowhere": 5, "first": 1}
	if diff := cmp.Diff(want, lines()); diff != "" {
		t.Errorf("lines (-want +got):\n%s", diff)
	}
	if err := file.Apply(0, []yamledit.Edit{add(object{"c": 1, "d": 2}, "b")}); err != nil {
		t.Fatal(err)
	}
	for name := range want {
		if name != "first" {
			want[name] += 3
		}
	}
	if diff := cmp.Diff(want, lines()); diff != "" {
		t.Errorf("lines after an edit above (-want +got):\n%s", diff)
	}
}

func TestEditErrors(t *testing.T) {
	t.Parallel()
	source := "a: 1\nl:\n- x\nm: {}\n? explicit\n: key\no:\n  <<: {x: 1}\n  x: 2\n"
	for name, tc := range map[string]struct {
		reason string
		edit   yamledit.Edit
		want   string
	}{
		"NoKey":      {reason: "what is not there", edit: replace(1, "b"), want: "f.yaml:1: cannot replace b: there is no b"},
		"NoItem":     {reason: "an index beyond the list", edit: remove("l", 1), want: "f.yaml:2: cannot remove l[1]: there is no l[1]"},
		"BeyondList": {reason: "an index beyond its end", edit: add(1, "l", 2), want: "f.yaml:2: cannot add l[2]: the list has 1 items"},
		"NotAList":   {reason: "an index of a mapping", edit: add(1, "m", 0), want: "f.yaml:4: cannot add m[0]: there is no list to add to"},
		"NotAMap":    {reason: "a key of a scalar", edit: add(1, "a", "b"), want: "f.yaml:1: cannot add a.b: there is no mapping to add to"},
		"Path":       {reason: "a path of something else", edit: remove(1.5), want: "the path has a float64"},
		"Root":       {reason: "the document itself", edit: remove(), want: "RemoveDocument"},
		"Value":      {reason: "a value that is none", edit: add(struct{}{}, "b"), want: "a value to write is a struct {}"},
		"NotUTF8":    {reason: "a text that is none", edit: add("secret\xff", "b"), want: "a text to write is not UTF-8"},
		"Op":         {reason: "an operation that is none", edit: yamledit.Edit{Op: 7}, want: "no such operation"},
		"Merged":     {reason: "a key behind which a merge key has another", edit: remove("o", "x"), want: "f.yaml:9: cannot remove o.x: a merge key"},
		"Strange":    {reason: "what is written too strangely", edit: remove("explicit"), want: "f.yaml:5: cannot remove explicit: what is written here cannot be edited in place"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			file, err := yamledit.Parse("f.yaml", []byte(source))
			if err != nil {
				t.Fatal(err)
			}
			err = file.Apply(0, []yamledit.Edit{add(1, "new"), tc.edit})
			var refused *yamledit.EditError
			if !errors.As(err, &refused) || !strings.Contains(err.Error(), tc.want) || strings.Contains(err.Error(), "secret") {
				t.Errorf("%s: got %v, want an EditError with %q", tc.reason, err, tc.want)
			}
			if string(file.Bytes()) != source {
				t.Errorf("%s: refused, but it left %q", tc.reason, file.Bytes())
			}
		})
	}
}

// Aliases can say more than any memory holds, and can stand inside of themselves.
func TestValueErrors(t *testing.T) {
	t.Parallel()
	bomb := "a0: &a0 [x, x]\n"
	for _, pair := range []string{"01", "12", "23", "34", "45", "56", "67", "78", "89"} {
		bomb += "a" + pair[1:] + ": &a" + pair[1:] + " [" + strings.Repeat("*a"+pair[:1]+" , ", 12) + "]\n"
	}
	for name, tc := range map[string]struct{ reason, source, want string }{
		"Bomb":   {reason: "billions of values", source: bomb, want: "more than 1000000 values"},
		"Self":   {reason: "an alias inside of its anchor", source: "a: &a [*a]\n", want: "f.yaml:1: the alias *a stands inside of what it means"},
		"Merge":  {reason: "a merge of no mapping", source: "a: 1\nb:\n  <<: x\n", want: "f.yaml:3: a merge key"},
		"NaN":    {reason: "what JSON cannot hold", source: "a: 1\nb: .nan\n", want: "f.yaml:2: the number is infinite or none at all"},
		"Key":    {reason: "a key that is a list", source: "[a]: 1\n", want: "f.yaml:1: a key is a list or a mapping"},
		"Null":   {reason: "a key that is null", source: "~: 1\n", want: "f.yaml:1: a key is null"},
		"Binary": {reason: "a tag that is not true", source: "a: !!int x\n", want: "f.yaml:1: the value is no int"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			file, err := yamledit.Parse("f.yaml", []byte(tc.source))
			if err != nil {
				t.Fatal(err)
			}
			if _, err := file.Documents()[0].Value(); err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("%s: got %v, want %q", tc.reason, err, tc.want)
			}
		})
	}
}

// What Kubernetes reads is what its own reader says.
func TestValueAsKubernetes(t *testing.T) {
	t.Parallel()
	source := "a: yes\nb: 'yes'\nc: 2001-01-01\nd: 0400\ne: 1_000\nf: 0b11\ng: 12:30:45\n1: x\n1.5: z\nh: 08\ni: 1e3\nj: .5\nl: -0\n" +
		"m: 18446744073709551615\nnn: 1.0\nno: off\no: !!str 5\np: !!binary aGk=\nq: 1e400\nr: \"\\u00e9\"\ns: &s {x: 1, y: 2}\nt: {<<: *s, x: 3}\nw: {x: 3, <<: [*s, {x: 5, z: 6}]}\n" +
		"u: >\n  a\n\n  b\n  c\nv: |+\n  k\n\n"
	file, err := yamledit.Parse("f.yaml", []byte(source))
	if err != nil {
		t.Fatal(err)
	}
	got, err := file.Documents()[0].Value()
	if err != nil {
		t.Fatal(err)
	}
	want, err := asKubernetes([]byte(source))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the value (-Kubernetes +got):\n%s", diff)
	}
}
