package write_test

import (
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"secretstore/internal/migrate/model"
	"secretstore/internal/migrate/write"
)

// TestInline: a patch within a kustomization is edited there; the rest of its block keeps its bytes.
func TestInline(t *testing.T) {
	t.Parallel()
	replace := func(value any, path ...any) []model.FieldEdit {
		return []model.FieldEdit{{Op: model.OpReplace, Path: path, Value: value}}
	}
	drop := func(path ...any) []model.FieldEdit { return []model.FieldEdit{{Op: model.OpRemove, Path: path}} }
	for name, test := range map[string]struct {
		reason, before, after string // after is empty where it is refused
		edits                 []model.FieldEdit
	}{
		"strip": {
			"indentation, comments and |- stay",
			"namespace: shop # ours\npatches:\n- patch: |-\n      # why\n      kind: A   # kind\n      spec:\n          a: 1 # one\n          b: 2\n  target: {kind: A}\n",
			"namespace: shop # ours\npatches:\n- patch: |-\n      # why\n      kind: A   # kind\n      spec:\n          a: 3 # one\n          b: 2\n  target: {kind: A}\n",
			replace(int64(3), "spec", "a"),
		},
		"strip, the last line goes": {
			"the block ends as it ended", "patches:\n- patch: |-\n    - {op: test, path: /a, value: 1}\n    - op: remove\n      path: /b\n# end\n",
			"patches:\n- patch: |-\n    - {op: test, path: /a, value: 1}\n# end\n", drop(1),
		},
		"clip": {
			"one line end", "patches:\n- patch: |\n    - {op: test, path: /a, value: 1}\n    - {op: remove, path: /b}\n\n- path: x\n",
			"patches:\n- patch: |\n    - {op: test, path: /a, value: 1}\n\n- path: x\n", drop(1),
		},
		"keep": {
			"all line ends", "patches:\n- patch: |+\n    - {op: test, path: /a, value: 1}\n    - {op: remove, path: /b}\n\n\n- path: x\n",
			"patches:\n- patch: |+\n    - {op: remove, path: /b}\n\n\n- path: x\n", drop(0),
		},
		"indented": {
			"by a number in its header", "patches:\n- patch: |2-\n     - {op: test, path: /a, value: 1}\n     - {op: remove, path: /b}\n",
			"patches:\n- patch: |2-\n     - {op: remove, path: /b}\n", drop(0),
		},
		"quoted": {
			"one line of text", "patches:\n- patch: '[{op: test, path: /a, value: 1}, {op: remove, path: /b}]' # short\n",
			"patches:\n- patch: '[{op: remove, path: /b}]' # short\n", drop(0),
		},
		"JSON": {
			"in a block", "patches:\n- patch: |-\n    [\n      {\"op\": \"test\", \"path\": \"/a\", \"value\": 1},\n      {\"op\": \"remove\", \"path\": \"/b\"}\n    ]\n",
			"patches:\n- patch: |-\n    [\n      {\"op\": \"test\", \"path\": \"/a\", \"value\": 2},\n      {\"op\": \"remove\", \"path\": \"/b\"}\n    ]\n",
			replace(int64(2), 0, "value"),
		},
		"folded":    {"its lines are not those of the text", "patches:\n- patch: >-\n    [{op: remove, path: /a},\n    {op: remove, path: /b}]\n", "", drop(0)},
		"two":       {"which is meant is not known", "patches:\n- patch: |-\n    a: 1\n    ---\n    a: 2\n", "", replace(int64(2), "a")},
		"no text":   {"kustomize would refuse it", "patches:\n- patch: {a: 1}\n", "", replace(int64(2), "a")},
		"not there": {"as of any manifest", "patches:\n- patch: |-\n    a: 1\n", "", drop("b")},
		"shared":    {"an anchor within the text", "patches:\n- patch: |-\n    a: &x {b: 1}\n    c: *x\n", "", replace(int64(2), "c", "b")},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			place := inside(at("k.yaml", 0, -1))
			change := model.Change{Verb: model.Edit, Place: place, Edits: test.edits}
			r, err := write.Folder(fstest.MapFS{"k.yaml": &fstest.MapFile{Data: []byte(test.before)}}, []model.Change{change})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.after, string(r.Files["k.yaml"])); diff != "" || (len(r.Findings) > 0) != (test.after == "") {
				t.Errorf("%s: findings %v (-want +got):\n%s", test.reason, r.Findings, diff)
			}
		})
	}
}

// TestUnlist: entries go last, the last of them first, so that all numbers are those of the file as it was.
func TestUnlist(t *testing.T) {
	t.Parallel()
	entry := func(i int) model.Change { return edit(at("k.yaml", 0, -1), model.OpRemove, nil, "patches", i) }
	third := edit(model.Place{File: "k.yaml", Item: -1, Inside: "/patches/2/patch"}, model.OpReplace, int64(2), "a")
	before := "patches:\n- path: a\n- path: b\n- patch: |-\n    a: 1\n"
	r, err := write.Folder(fstest.MapFS{"k.yaml": &fstest.MapFile{Data: []byte(before)}}, []model.Change{entry(0), entry(1), third})
	if diff := cmp.Diff("patches:\n- patch: |-\n    a: 2\n", string(r.Files["k.yaml"])); err != nil || diff != "" {
		t.Errorf("error %v, findings %v (-want +got):\n%s", err, r.Findings, diff)
	}
}
