package jsonpatch_test

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"secretstore/internal/migrate/model/jsonpatch"
)

// value reads JSON.
func value(t *testing.T, text string) any {
	t.Helper()
	var v any
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatal(err)
	}
	return v
}

func TestApply(t *testing.T) {
	const doc = `{"a": {"x/y": 1}, "l": [{"n": "p"}, {"n": "q"}]}`
	for name, test := range map[string]struct {
		reason, op string
		want       string // empty where the operation is refused
	}{
		"add a field":         {"also over one that is there", `{"op": "add", "path": "/a", "value": 2}`, `{"a": 2, "l": [{"n": "p"}, {"n": "q"}]}`},
		"add before":          {"an entry moves those behind it", `{"op": "add", "path": "/l/1", "value": 3}`, `{"a": {"x/y": 1}, "l": [{"n": "p"}, 3, {"n": "q"}]}`},
		"append":              {"the end has a name, and a number", `{"op": "add", "path": "/l/-", "value": 3}`, `{"a": {"x/y": 1}, "l": [{"n": "p"}, {"n": "q"}, 3]}`},
		"append by number":    {"the length is the end", `{"op": "add", "path": "/l/2", "value": 3}`, `{"a": {"x/y": 1}, "l": [{"n": "p"}, {"n": "q"}, 3]}`},
		"add too far":         {"nothing is between", `{"op": "add", "path": "/l/3", "value": 3}`, ""},
		"add below nothing":   {"no map is made on the way", `{"op": "add", "path": "/z/x", "value": 3}`, ""},
		"replace":             {"deep in a list", `{"op": "replace", "path": "/l/0/n", "value": "r"}`, `{"a": {"x/y": 1}, "l": [{"n": "r"}, {"n": "q"}]}`},
		"replace nothing":     {"what is replaced has to be there", `{"op": "replace", "path": "/l/0/m", "value": "r"}`, ""},
		"remove escaped":      {"~1 is a slash", `{"op": "remove", "path": "/a/x~1y"}`, `{"a": {}, "l": [{"n": "p"}, {"n": "q"}]}`},
		"remove an entry":     {"those behind it move up", `{"op": "remove", "path": "/l/0"}`, `{"a": {"x/y": 1}, "l": [{"n": "q"}]}`},
		"remove nothing":      {"what is removed has to be there", `{"op": "remove", "path": "/b"}`, ""},
		"move":                {"taken away first", `{"op": "move", "from": "/l/0", "path": "/l/1"}`, `{"a": {"x/y": 1}, "l": [{"n": "q"}, {"n": "p"}]}`},
		"copy":                {"and it stays", `{"op": "copy", "from": "/l/0/n", "path": "/b"}`, `{"a": {"x/y": 1}, "b": "p", "l": [{"n": "p"}, {"n": "q"}]}`},
		"test":                {"changes nothing", `{"op": "test", "path": "/l/1/n", "value": "q"}`, doc},
		"test another":        {"refuses", `{"op": "test", "path": "/l/1/n", "value": "p"}`, ""},
		"through a text":      {"no path goes on below one", `{"op": "add", "path": "/l/1/n/x", "value": "p"}`, ""},
		"no such operation":   {"RFC 6902 has six", `{"op": "merge", "path": "/a", "value": 1}`, ""},
		"a place by its name": {"is none in a list", `{"op": "remove", "path": "/l/first"}`, ""},
	} {
		t.Run(name, func(t *testing.T) {
			before := value(t, doc)
			operations, is := jsonpatch.Parse([]any{value(t, test.op)})
			if !is {
				t.Fatal("not read as an operation")
			}
			got, err := operations[0].Apply(before)
			switch {
			case (err != nil) != (test.want == ""):
				t.Errorf("%s: error %v", test.reason, err)
			case err == nil && !cmp.Equal(value(t, test.want), got):
				t.Errorf("%s (-want +got):\n%s", test.reason, cmp.Diff(value(t, test.want), got))
			}
			if diff := cmp.Diff(value(t, doc), before); diff != "" {
				t.Errorf("what was given has changed:\n%s", diff)
			}
		})
	}
}

func TestParse(t *testing.T) {
	for text, want := range map[string]bool{
		`[{"op": "remove", "path": "/a"}]`: true, `[]`: false, `{"op": "remove", "path": "/a"}`: false, `[{"op": "remove"}]`: false,
		`[{"op": "remove", "path": "/a"}, 1]`: false,
	} {
		if _, is := jsonpatch.Parse(value(t, text)); is != want {
			t.Errorf("%s is a patch: %t", text, is)
		}
	}
}

func TestMerge(t *testing.T) {
	base := `{"a": {"x": 1, "y": 2}, "l": [1, 2]}`
	for name, test := range map[string]struct{ reason, piece, want string }{
		"fields":     {"maps are merged", `{"a": {"x": 3}, "b": {"c": 4}}`, `{"a": {"x": 3, "y": 2}, "b": {"c": 4}, "l": [1, 2]}`},
		"null":       {"takes away", `{"a": {"y": null}}`, `{"a": {"x": 1}, "l": [1, 2]}`},
		"lists":      {"are replaced", `{"l": [3]}`, `{"a": {"x": 1, "y": 2}, "l": [3]}`},
		"directives": {"are not known", `{"a": {"$patch": "delete"}}`, ""},
	} {
		t.Run(name, func(t *testing.T) {
			got, known := jsonpatch.Merge(value(t, base), value(t, test.piece))
			if known != (test.want != "") {
				t.Fatalf("%s: known %t", test.reason, known)
			}
			if known && !cmp.Equal(value(t, test.want), got) {
				t.Errorf("%s (-want +got):\n%s", test.reason, cmp.Diff(value(t, test.want), got))
			}
		})
	}
}
