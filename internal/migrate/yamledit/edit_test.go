package yamledit_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"secretstore/internal/migrate/yamledit"
)

func path(elements ...any) []any { return elements }

func add(value any, elements ...any) yamledit.Edit {
	return yamledit.Edit{Op: yamledit.Add, Path: elements, Value: value}
}

func replace(value any, elements ...any) yamledit.Edit {
	return yamledit.Edit{Op: yamledit.Replace, Path: elements, Value: value}
}

func remove(elements ...any) yamledit.Edit {
	return yamledit.Edit{Op: yamledit.Remove, Path: elements}
}

type object = map[string]any

type list = []any

type editCase struct {
	reason string
	before string
	edits  []yamledit.Edit
	after  string
}

func checkEdits(t *testing.T, cases map[string]editCase) {
	t.Helper()
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			file, err := yamledit.Parse("file.yaml", []byte(tc.before))
			if err != nil {
				t.Fatalf("%s: Parse: %v", tc.reason, err)
			}
			if err := file.Apply(0, tc.edits); err != nil {
				t.Fatalf("%s: Apply: %v", tc.reason, err)
			}
			if diff := cmp.Diff(tc.after, string(file.Bytes())); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tc.reason, diff)
			}
		})
	}
}

func TestAddToBlock(t *testing.T) {
	t.Parallel()
	checkEdits(t, map[string]editCase{
		"Key": {
			reason: "a key goes behind the last one of its mapping, before blank lines and comments of what follows",
			before: "spec:\n  a: 1 # one\n\n# next\nother: x\n",
			edits:  []yamledit.Edit{add("text", "spec", "b")},
			after:  "spec:\n  a: 1 # one\n  b: text\n\n# next\nother: x\n",
		},
		"CommentsBelow": {
			reason: "comments at the end of the mapping before are its own",
			before: "a:\n  b: 1\n  # c: 2\n", edits: []yamledit.Edit{add(1, "d"), add(3, "a", "c")},
			after: "a:\n  b: 1\n  c: 3\n  # c: 2\nd: 1\n",
		},
		"Existing": {
			reason: "RFC 6902 lets add replace",
			before: "a: 1 # one\n", edits: []yamledit.Edit{add(2, "a")}, after: "a: 2 # one\n",
		},
		"FourSpaces": {
			reason: "the step of the indentation is the file's",
			before: "a:\n    b:\n        c: 1\n", edits: []yamledit.Edit{add(object{"x": object{"yy": 1}}, "a", "d")},
			after: "a:\n    b:\n        c: 1\n    d:\n        x:\n            yy: 1\n",
		},
		"ListsIndented": {
			reason: "lists are indented where the file's are",
			before: "a:\n  - 1\n", edits: []yamledit.Edit{add(list{"x"}, "b")}, after: "a:\n  - 1\nb:\n  - x\n",
		},
		"ListsNotIndented": {
			reason: "and not where they are not",
			before: "a:\n- 1\n", edits: []yamledit.Edit{add(list{"x", list{"yy"}}, "b")}, after: "a:\n- 1\nb:\n- x\n- - yy\n",
		},
		"Item": {
			reason: "an item at the length is appended",
			before: "volumes:\n- name: a\n  emptyDir: {}\n# after\nx: 1\n",
			edits:  []yamledit.Edit{add(object{"secret": object{"secretName": "s"}, "name": "b"}, "volumes", 1)},
			after:  "volumes:\n- name: a\n  emptyDir: {}\n- name: b\n  secret:\n    secretName: s\n# after\nx: 1\n",
		},
		"ItemBefore": {
			reason: "an item at an index goes above the comment of what is there",
			before: "a:\n  - x\n  # about yy\n  - yy\n", edits: []yamledit.Edit{add("new", "a", 1)},
			after: "a:\n  - x\n  - new\n  # about yy\n  - yy\n",
		},
		"ItemFirst": {
			reason: "as does the first",
			before: "a:\n  # about x\n  - x\n", edits: []yamledit.Edit{add("new", "a", 0)}, after: "a:\n  - new\n  # about x\n  - x\n",
		},
		"ItemInCompactList": {
			reason: "a list that begins beside a dash",
			before: "- - a\n  - b\n", edits: []yamledit.Edit{add("new", 0, 0), add("last", 0, 3)}, after: "- - new\n  - a\n  - b\n  - last\n",
		},
		"WideDashes": {
			reason: "dashes with more space behind them",
			before: "a:\n-   x: 1\n    yy: 2\n", edits: []yamledit.Edit{add(object{"z": 1, "u": 2}, "a", 1)},
			after: "a:\n-   x: 1\n    yy: 2\n-   u: 2\n    z: 1\n",
		},
		"IntoItem": {
			reason: "a mapping that begins beside a dash",
			before: "- name: a\n- name: b\n", edits: []yamledit.Edit{add(1, 0, "x")}, after: "- name: a\n  x: 1\n- name: b\n",
		},
		"NoFinalNewline": {
			reason: "a final newline that is missing stays so",
			before: "a: 1", edits: []yamledit.Edit{add(2, "b")}, after: "a: 1\nb: 2",
		},
		"AfterLiteralWithoutNewline": {
			reason: "a block scalar at the end of such a file must not gain a line break",
			before: "a:\n  objects: |\n    x", edits: []yamledit.Edit{add(2, "a", "b")}, after: "a:\n  objects: |-\n    x\n  b: 2",
		},
		"LiteralAtEnd": {
			reason: "a block scalar that comes to the end must have its line break",
			before: "a: 1", edits: []yamledit.Edit{add("x\nyy\n", "b")}, after: "a: 1\nb: |\n  x\n  yy\n",
		},
		"AfterKeep": {
			reason: "the lines of a block scalar that keeps its line breaks are its own",
			before: "a:\n  t: |+\n    x\n\n\n", edits: []yamledit.Edit{add(2, "a", "b")}, after: "a:\n  t: |+\n    x\n\n\n  b: 2\n",
		},
		"CRLF": {
			reason: "line ends are the file's",
			before: "a:\r\n  b: 1\r\n", edits: []yamledit.Edit{add(object{"x": "1\n2\n"}, "a", "c")},
			after: "a:\r\n  b: 1\r\n  c:\r\n    x: |\r\n      1\r\n      2\r\n",
		},
		"ByteOrderMark": {
			reason: "a byte order mark is no column",
			before: "\ufeffa: 1 # é\nü:\n  b: 2\n", edits: []yamledit.Edit{add(1, "c"), replace(3, "a"), add(1, "ü", "x")},
			after: "\ufeffa: 3 # é\nü:\n  b: 2\n  x: 1\nc: 1\n",
		},
		"EmptyMapping": {
			reason: "an empty mapping becomes a block where blocks may be",
			before: "a: {} # none\nb: []\nc: 1\n", edits: []yamledit.Edit{add("v", "a", "k"), add("i", "b", 0)},
			after: "a: # none\n  k: v\nb:\n- i\nc: 1\n",
		},
		"EmptyDocument": {
			reason: "where there is nothing, the whole is added",
			before: "# only\n---\n", edits: []yamledit.Edit{add(object{"a": 1})}, after: "# only\n---\na: 1\n",
		},
		"Comment": {
			reason: "a comment goes above, in as many lines as it has",
			before: "a:\n  b: 1\nl:\n- x\ne: []\n",
			edits: []yamledit.Edit{
				{Op: yamledit.Add, Path: path("a", "c"), Value: 2, Comment: "one\ntwo"},
				{Op: yamledit.Add, Path: path("l", 1), Value: "yy", Comment: "why"},
				{Op: yamledit.Add, Path: path("l", 0), Value: "w", Comment: "first"},
				{Op: yamledit.Add, Path: path("e", 0), Value: object{"f": 1}, Comment: "new"},
			},
			after: "a:\n  b: 1\n  # one\n  # two\n  c: 2\nl:\n# first\n- w\n- x\n# why\n- yy\ne:\n# new\n- f: 1\n",
		},
		"Quotes": {
			reason: "quotes stand only where some reader needs them",
			before: "x: 1\n",
			edits: []yamledit.Edit{add(yamledit.Map{
				{Key: "plain", Value: "nginx:1.2 (a)"},
				{Key: "yes", Value: "no"},
				{Key: "octal", Value: "0123"},
				{Key: "exp", Value: "1e3"},
				{Key: "date", Value: "2001-01-01"},
				{Key: "sixty", Value: "12:30"},
				{Key: "id", Value: "12345678-0000-0000-0000-000000000000"},
				{Key: "version", Value: "1.2.3"},
				{Key: "flag", Value: "--a=b"},
				{Key: "colon", Value: "a: b"},
				{Key: "hash", Value: "a #b"},
				{Key: "empty", Value: ""},
				{Key: "space", Value: " a"},
				{Key: "tilde", Value: "~"},
				{Key: "star", Value: "*"},
				{Key: "var", Value: "${VAR}"},
				{Key: "tab", Value: "a\tb"},
				{Key: "quote", Value: `say "hi"`},
				{Key: "template", Value: "{{ x }}"},
				{Key: "bytes", Value: "\x7f\u0085\ufeff"},
				{Key: "dollar", Value: "$(X)/yy"},
				{Key: "e5", Value: "e5"},
			}, "v")},
			after: "x: 1\nv:\n  plain: nginx:1.2 (a)\n" + `  "yes": "no"
  octal: "0123"
  exp: "1e3"
  date: "2001-01-01"
  sixty: "12:30"
  id: 12345678-0000-0000-0000-000000000000
  version: 1.2.3
  flag: --a=b
  colon: "a: b"
  hash: "a #b"
  empty: ""
  space: " a"
  tilde: "~"
  star: "*"
  var: ${VAR}
  tab: "a\tb"
  quote: say "hi"
  template: "{{ x }}"
  bytes: "\u007f\u0085\ufeff"
  dollar: $(X)/yy
  e5: e5
`,
		},
		"SingleQuotes": {
			reason: "the file's favourite quotes",
			before: "a: 'x'\n", edits: []yamledit.Edit{add("it's: so", "b")}, after: "a: 'x'\nb: 'it''s: so'\n",
		},
		"Scalars": {
			reason: "all kinds of values",
			before: "a: 1\n",
			edits:  []yamledit.Edit{add(yamledit.Map{{Key: "null", Value: nil}, {Key: "t", Value: true}, {Key: "f", Value: 1.5}, {Key: "i", Value: int32(7)}, {Key: "e", Value: 1e-9}, {Key: "s", Value: []string{"x"}}, {Key: "m", Value: map[string]string{}}}, "b")},
			after:  "a: 1\nb:\n  \"null\": null\n  t: true\n  f: 1.5\n  i: 7\n  e: 1.0e-09\n  s:\n  - x\n  m: {}\n",
		},
		"Order": {
			reason: "maps without an order are written as manifests are",
			before: "a: 1\n",
			edits:  []yamledit.Edit{add(object{"spec": 1, "kind": "K", "apiVersion": "v1", "b": 1, "metadata": object{"labels": object{}, "annotations": object{}, "name": "app"}, "a": 2}, "o")},
			after:  "a: 1\no:\n  apiVersion: v1\n  kind: K\n  metadata:\n    name: app\n    annotations: {}\n    labels: {}\n  spec: 1\n  a: 2\n  b: 1\n",
		},
	})
}

func TestReplaceInBlock(t *testing.T) {
	t.Parallel()
	objects := "parameters:\n  objects: |   # list\n      array:\n        - |\n          objectName: a\n   \n        - |\n          objectName: b\n\n  x: 1\n"
	checkEdits(t, map[string]editCase{
		"Equal": {
			reason: "an equal value changes nothing, however it is written",
			before: "a:   0x10\nb: \"x\"  \nc: {d: [1,2]}\ne: yes\n",
			edits:  []yamledit.Edit{replace(16, "a"), replace("x", "b"), replace(object{"d": list{1, 2.0}}, "c"), replace(true, "e")},
			after:  "a:   0x10\nb: \"x\"  \nc: {d: [1,2]}\ne: yes\n",
		},
		"Scalar": {
			reason: "a scalar alone is exchanged, in the quotes that it had",
			before: "a:   x   # c\nb: \"yy\"\nc: 'z'\nd: w\n",
			edits:  []yamledit.Edit{replace("x2", "a"), replace("y2", "b"), replace("z2", "c"), replace("5", "d")},
			after:  "a:   x2   # c\nb: \"y2\"\nc: 'z2'\nd: \"5\"\n",
		},
		"Null": {
			reason: "nothing becomes something", before: "a:\nb: # c\nc:\n  -\n  - x\n",
			edits: []yamledit.Edit{replace("x", "a"), replace(object{"yy": 1}, "b"), replace(object{"z": 1}, "c", 0)},
			after: "a: x\nb: # c\n  yy: 1\nc:\n  - z: 1\n  - x\n",
		},
		"MultiLine": {
			reason: "values over several lines", before: "a: \"x\n  yy\" # c\nb: x\n  yy\nc:\n  long\n",
			edits: []yamledit.Edit{replace("p", "a"), replace("q", "b"), replace("r", "c")},
			after: "a: \"p\" # c\nb: q\nc:\n  r\n",
		},
		"ScalarToBlock": {
			reason: "the comment of the line stays there", before: "a: 1 # c\nb: 2  \nl:\n- 5 # five\n- 6\n",
			edits: []yamledit.Edit{replace(object{"x": 1}, "a"), replace(list{"yy"}, "b"), replace(object{"z": 1, "u": 1}, "l", 0), replace(list{1, 2}, "l", 1)},
			after: "a: # c\n  x: 1\nb:\n- yy\nl:\n- # five\n  u: 1\n  z: 1\n- - 1\n  - 2\n",
		},
		"BlockToScalar": {
			reason: "comments inside go with what they are about", before: "a: # c\n  # in\n  x: 1 # d\nb:\n  - x\nc: |\n  t\n\nd: 1\n",
			edits: []yamledit.Edit{replace(1, "a"), replace("yy", "b"), replace(2, "c")},
			after: "a: 1 # c\nb: yy\nc: 2\n\nd: 1\n",
		},
		"MappingToList":   {reason: "one block becomes another", before: "a:\n  b: 1\nc: 1\n", edits: []yamledit.Edit{replace(list{1}, "a")}, after: "a:\n- 1\nc: 1\n"},
		"CompactToScalar": {reason: "a mapping beside its dash", before: "- a: 1\n  b: 2 # c\n- x\n", edits: []yamledit.Edit{replace("yy", 0)}, after: "- yy\n- x\n"},
		"Diff": {
			reason: "of two mappings only what differs is touched", before: "spec:\n  # keep\n  a: 1   # one\n  b: {x: 1,  yy: 2}\n  # goes\n  c: 3\n  d:\n  - name: p\n    v: 1 # p\n  - name: q\n    v: 2 # q\n",
			edits: []yamledit.Edit{replace(object{"a": 1, "b": object{"x": 1, "yy": 3}, "d": list{object{"name": "q", "v": 9}, object{"name": "r", "v": 3}}, "e": 5}, "spec")},
			after: "spec:\n  # keep\n  a: 1   # one\n  b: {x: 1,  yy: 3}\n  d:\n  - name: q\n    v: 9 # q\n  - name: r\n    v: 3\n  e: 5\n",
		},
		"NothingInCommon": {reason: "a mapping all of whose keys change stays one", before: "a:\n  # x\n  x: 1\nb: 1\n", edits: []yamledit.Edit{replace(object{"yy": 2}, "a")}, after: "a:\n  yy: 2\nb: 1\n"},
		"ToEmpty":         {reason: "to nothing", before: "a:\n  x: 1\nb:\n- 1\n", edits: []yamledit.Edit{replace(object{}, "a"), replace(list{}, "b")}, after: "a: {}\nb: []\n"},
		"Literal": {
			reason: "a literal block keeps its style, its comment and its unchanged lines, blank ones with their spaces",
			before: objects,
			edits:  []yamledit.Edit{replace("array:\n  - |\n    objectName: a\n\n  - |\n    objectName: c\n    objectVersion: \"\"\n", "parameters", "objects")},
			after:  strings.Replace(objects, "objectName: b\n", "objectName: c\n          objectVersion: \"\"\n", 1),
		},
		"LiteralChomping": {reason: "the sign for the last line break follows the text", before: "a: |\n  x\n  yy\nb: |-\n  z\nc: |2\n   i\n  j\n", edits: []yamledit.Edit{replace("x\nz", "a"), replace("p\nq\n", "b"), replace("  i\nk\n", "c")}, after: "a: |-\n  x\n  z\nb: |\n  p\n  q\nc: |2\n    i\n  k\n"},
		"LiteralKeep":     {reason: "a block that keeps its line breaks may go on doing so", before: "a: |+\n  x\n\nb: 1\n", edits: []yamledit.Edit{replace("x\nyy\n\n", "a")}, after: "a: |+\n  x\n  yy\n\nb: 1\n"},
		"LiteralCRLF":     {reason: "with the file's line ends", before: "a: |\r\n  x\r\n  yy\r\nb: 1\r\n", edits: []yamledit.Edit{replace("x\nz\n", "a")}, after: "a: |\r\n  x\r\n  z\r\nb: 1\r\n"},
		"Folded":          {reason: "a folded text becomes a literal one", before: "a: >-\n  x\n  yy\nb: 1\n", edits: []yamledit.Edit{replace("p\nq", "a")}, after: "a: |-\n  p\n  q\nb: 1\n"},
		"QuotedToLiteral": {reason: "a text of several lines is a literal block", before: "a: \"x\" # c\n", edits: []yamledit.Edit{replace("p\nq\n", "a")}, after: "a: | # c\n  p\n  q\n"},
		"LiteralItem":     {reason: "in a list too", before: "- |\n  x\n  yy\n- z\n", edits: []yamledit.Edit{replace("x\nw\n", 0), replace("p\nq\n", 1)}, after: "- |\n  x\n  w\n- |\n  p\n  q\n"},
		"Unwritable":      {reason: "what a literal block cannot hold is quoted", before: "a: x\n", edits: []yamledit.Edit{replace("p\r\nq\n", "a")}, after: "a: \"p\\r\\nq\\n\"\n"},
		"Tag":             {reason: "a tag goes with its value", before: "a: !!str 5\nb: &x 1\n", edits: []yamledit.Edit{replace(6, "a"), replace(2, "b")}, after: "a: 6\nb: 2\n"},
		"Root":            {reason: "a whole document", before: "--- # c\n5 # d\n", edits: []yamledit.Edit{replace(object{"a": 1})}, after: "--- # c\n# d\na: 1\n"},
	})
}

func TestRemoveFromBlock(t *testing.T) {
	t.Parallel()
	checkEdits(t, map[string]editCase{
		"Entry": {
			reason: "an entry goes with the comments that are its own, and no others",
			before: "# top\n\n# about a\na: 1\n# about b\n# more\nb:\n  x: 1 # x\n  # in b\n# about c\nc: 3\n",
			edits:  []yamledit.Edit{remove("b")}, after: "# top\n\n# about a\na: 1\n# about c\nc: 3\n",
		},
		"DetachedComment": {reason: "a comment behind a blank line is about more", before: "a: 1\n# section\n\nb: 2\nc: 3\n", edits: []yamledit.Edit{remove("b")}, after: "a: 1\n# section\n\nc: 3\n"},
		"BlankLines":      {reason: "blank lines stay", before: "a: 1\n\nb: 2\n\nc: 3\n", edits: []yamledit.Edit{remove("b")}, after: "a: 1\n\n\nc: 3\n"},
		"First":           {reason: "an entry beside a dash leaves its place to the next", before: "- name: a # a\n  # about v\n  v: 1\n- x: 1\n  yy: 2\n", edits: []yamledit.Edit{remove(0, "name"), remove(1, "x")}, after: "- # about v\n  v: 1\n- yy: 2\n"},
		"Item":            {reason: "an item with its lines", before: "a:\n# x\n- x: 1\n  yy: 2\n# z\n- z\n", edits: []yamledit.Edit{remove("a", 0)}, after: "a:\n# z\n- z\n"},
		"CompactItem":     {reason: "an item beside a dash", before: "- - a\n  - b\n", edits: []yamledit.Edit{remove(0, 0)}, after: "- - b\n"},
		"Last":            {reason: "of the last, an empty one stays", before: "a: # c\n  b: 1\nl:\n- x # d\nz: 1\n", edits: []yamledit.Edit{remove("a", "b"), remove("l", 0)}, after: "a: {} # c\nl: []\nz: 1\n"},
		"AfterKeep":       {reason: "blank lines must not become text of what keeps its line breaks", before: "a: |+\n  x\n\nb: 1\n\nc: 1\n", edits: []yamledit.Edit{remove("b")}, after: "a: |+\n  x\n\nc: 1\n"},
		"LastOfRoot":      {reason: "of a document too", before: "---\na: 1\n", edits: []yamledit.Edit{remove("a")}, after: "---\n{}\n"},
		"EndOfFile":       {reason: "at the end of a file without a final newline", before: "a: 1\nb: 2", edits: []yamledit.Edit{remove("b")}, after: "a: 1\n"},
		"LiteralHash":     {reason: "what looks like a comment may be text", before: "a:\n  b: |\n    # text\n  c: 1\n  d: \"\n  # text\"\n  e: 1\n", edits: []yamledit.Edit{remove("a", "c"), remove("a", "e")}, after: "a:\n  b: |\n    # text\n  d: \"\n  # text\"\n"},
		"CRLF":            {reason: "whole lines", before: "a: 1\r\n# b\r\nb: 2\r\nc: 3\r\n", edits: []yamledit.Edit{remove("b")}, after: "a: 1\r\nc: 3\r\n"},
		"CommentOfDeeper": {reason: "comments at the end of the mapping before are its own", before: "a:\n  x: 1\n  # yy: 2\nb: 2\nc: 1\n", edits: []yamledit.Edit{remove("b")}, after: "a:\n  x: 1\n  # yy: 2\nc: 1\n"},
	})
}

func TestFlow(t *testing.T) {
	t.Parallel()
	pretty := "{\n  \"kind\": \"List\",\n  \"items\": [\n    {\n      \"a\": 1\n    }\n  ]\n}\n"
	checkEdits(t, map[string]editCase{
		"Add":           {reason: "flow style is kept", before: "a: {x: 1} # c\nb: [p,q]\nc: [ r , s ]\n", edits: []yamledit.Edit{add("v", "a", "yy"), add("w", "b", 2), add("u", "b", 0), add("t", "c", 1)}, after: "a: {x: 1, yy: v} # c\nb: [u,p,q,w]\nc: [ r , t, s ]\n"},
		"Replace":       {reason: "and in it only the value changes", before: "a: {x: 1, yy: \"b\", z}\n", edits: []yamledit.Edit{replace(list{1, "a,b"}, "a", "x"), replace("c", "a", "yy"), replace(3, "a", "z")}, after: "a: {x: [1, \"a,b\"], yy: \"c\", z: 3}\n"},
		"Remove":        {reason: "with the comma", before: "a: {x: 1, yy: 2, z: 3}\nb: [p,q,]\nc: [r]\n", edits: []yamledit.Edit{remove("a", "x"), remove("a", "z"), remove("b", 1), remove("c", 0)}, after: "a: {yy: 2}\nb: [p,]\nc: []\n"},
		"Empty":         {reason: "nothing in flow style gets flow style", before: "a: [{}]\n", edits: []yamledit.Edit{add(object{"b": "c"}, "a", 0, "x")}, after: "a: [{x: {b: c}}]\n"},
		"Tall":          {reason: "one entry a line, comments in their place", before: "a: [\n  x, # x\n  yy # yy\n]\n", edits: []yamledit.Edit{add("z", "a", 2)}, after: "a: [\n  x, # x\n  yy, # yy\n  z\n]\n"},
		"TallRemove":    {reason: "the last with a comment above", before: "a: [\n  x, # x\n  # about it\n  last # end\n]\n", edits: []yamledit.Edit{remove("a", 1)}, after: "a: [\n  x # x\n]\n"},
		"TrailingComma": {reason: "a comma behind the last stays", before: "a: [\n  x,\n  yy,\n]\n", edits: []yamledit.Edit{add("z", "a", 2), remove("a", 0)}, after: "a: [\n  yy,\n  z,\n]\n"},
		"JSON":          {reason: "JSON stays JSON, in its layout", before: pretty, edits: []yamledit.Edit{add(object{"b": list{"x"}, "c": list{}}, "items", 1), add("yes", "items", 0, "k"), remove("kind")}, after: "{\n  \"items\": [\n    {\n      \"a\": 1,\n      \"k\": \"yes\"\n    },\n    {\n      \"b\": [\n        \"x\"\n      ],\n      \"c\": []\n    }\n  ]\n}\n"},
		"JSONTight":     {reason: "without spaces too", before: `{"a":{"b":1},"c":[]}`, edits: []yamledit.Edit{add(object{"x": true, "yy": "z"}, "a", "d"), add(1, "c", 0)}, after: `{"a":{"b":1,"d":{"x":true,"yy":"z"}},"c":[1]}`},
		"JSONRemove":    {reason: "the last entry takes the comma before it", before: pretty, edits: []yamledit.Edit{remove("items")}, after: "{\n  \"kind\": \"List\"\n}\n"},
	})
}

func TestAnchors(t *testing.T) {
	t.Parallel()
	base := "base: &b\n  x: 1\n  m: {k: v}\none:\n  <<: *b\n  yy: 2\ntwo: *b\nthree:\n  x: 5\n  <<: *b\n"
	shared := func(e yamledit.Edit) yamledit.Edit { e.Shared = true; return e }
	checkEdits(t, map[string]editCase{
		"Beside":       {reason: "what is beside an alias can be edited", before: base, edits: []yamledit.Edit{replace(3, "one", "yy"), add(4, "one", "z")}, after: strings.Replace(base, "yy: 2\n", "yy: 3\n  z: 4\n", 1)},
		"AliasItself":  {reason: "an alias can be exchanged for a value", before: base, edits: []yamledit.Edit{replace(3, "two")}, after: strings.Replace(base, "two: *b", "two: 3", 1)},
		"AliasRemoved": {reason: "or removed", before: base, edits: []yamledit.Edit{remove("two")}, after: strings.Replace(base, "two: *b\n", "", 1)},
		"Override":     {reason: "an added key hides the merged one", before: base, edits: []yamledit.Edit{add(5, "one", "x")}, after: strings.Replace(base, "yy: 2\n", "yy: 2\n  x: 5\n", 1)},
		"Shared":       {reason: "with consent, the definition is edited", before: base, edits: []yamledit.Edit{shared(replace(5, "two", "x")), shared(add(1, "one", "m", "l")), shared(add(1, "base", "z"))}, after: strings.Replace(base, "x: 1\n  m: {k: v}\n", "x: 5\n  m: {k: v, l: 1}\n  z: 1\n", 1)},
		"SharedWhole":  {reason: "with consent, the whole of it, and the anchor stays", before: "a: &a 1\nb: *a\nc: &c {x: 1}\nd: *c\n", edits: []yamledit.Edit{shared(replace(2, "a")), shared(replace("s", "c"))}, after: "a: &a 2\nb: *a\nc: &c s\nd: *c\n"},
		"Unused":       {reason: "an anchor that nobody uses holds nobody up", before: "a: &a\n  x: 1\n", edits: []yamledit.Edit{replace(2, "a", "x")}, after: "a: &a\n  x: 2\n"},
		"Within":       {reason: "an anchor may go with all its users", before: "a:\n  x: &x 1\n  yy: *x\nb: 1\n", edits: []yamledit.Edit{remove("a")}, after: "b: 1\n"},
		"DiffMerged":   {reason: "a mapping that comes out of a merge changed hides what it merged", before: base, edits: []yamledit.Edit{replace(object{"x": 7, "m": object{"k": "v"}, "yy": 2}, "one")}, after: strings.Replace(base, "yy: 2\n", "yy: 2\n  x: 7\n", 1)},
	})
	for name, tc := range map[string]struct {
		reason string
		edit   yamledit.Edit
		line   int
	}{
		"Hidden":           {reason: "an own key that a merge key behind it hides", edit: replace(2, "three", "x"), line: 10},
		"BelowAlias":       {reason: "below an alias", edit: replace(2, "two", "x"), line: 7},
		"BelowMerge":       {reason: "below a merge key", edit: add(2, "one", "m", "l"), line: 5},
		"Merged":           {reason: "a merged key itself", edit: remove("one", "x"), line: 5},
		"Inside":           {reason: "inside of the definition", edit: replace(2, "base", "x"), line: 1},
		"Definition":       {reason: "the definition as a whole", edit: replace("x", "base"), line: 1},
		"Removed":          {reason: "the definition gone", edit: remove("base"), line: 1},
		"RemovedByConsent": {reason: "which no consent makes right", edit: shared(remove("base")), line: 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			file, err := yamledit.Parse("dir/file.yaml", []byte(base))
			if err != nil {
				t.Fatal(err)
			}
			var refused *yamledit.AliasError
			if err := file.Apply(0, []yamledit.Edit{add(1, "new"), tc.edit}); !errors.As(err, &refused) {
				t.Fatalf("%s: got %v, want an AliasError", tc.reason, err)
			}
			if refused.Anchor != "b" || refused.Line != tc.line || refused.Name != "dir/file.yaml" {
				t.Errorf("%s: got anchor %q on %s:%d, want b on line %d", tc.reason, refused.Anchor, refused.Name, refused.Line, tc.line)
			}
			if got := string(file.Bytes()); got != base {
				t.Errorf("%s: the refused edit left %q", tc.reason, got)
			}
		})
	}
}
