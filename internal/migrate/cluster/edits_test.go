package cluster

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"secretstore/internal/migrate/model"
)

// template is what the edits of these tests are about: a template with two volumes, in the middle of which a CSI volume becomes a Secret.
func template(volumes ...any) map[string]any {
	return map[string]any{"spec": map[string]any{"volumes": volumes, "replicas": int64(2)}}
}

func csi() map[string]any {
	return map[string]any{"name": "secrets", "csi": map[string]any{"driver": model.Driver, "readOnly": true}}
}

func secretVolume(defaulted bool) map[string]any {
	secret := map[string]any{"secretName": "app-files"}
	if defaulted {
		secret["defaultMode"] = int64(420)
	}
	return map[string]any{"name": "secrets", "secret": secret}
}

func other(name string) map[string]any {
	return map[string]any{"name": name, "emptyDir": map[string]any{}}
}

func TestStandingOfEdits(t *testing.T) {
	at := model.Path{"spec", "volumes"}
	swap := []model.FieldEdit{{Op: model.OpReplace, Path: at.Of(1), Value: secretVolume(false), Was: csi()}}
	grow := []model.FieldEdit{{Op: model.OpAdd, Path: at.Of(1), Value: secretVolume(false)}}
	drop := []model.FieldEdit{
		{Op: model.OpRemove, Path: at.Of(1), Was: csi()}, {Op: model.OpRemove, Path: at.Of(0), Was: other("tmp")},
	}
	label := []model.FieldEdit{{Op: model.OpAdd, Path: model.Path{"spec", "mark"}, Value: ""}}
	tests := map[string]struct {
		reason     string
		live       map[string]any
		edits      []model.FieldEdit
		open, done bool
	}{
		"ReplaceOpen":    {"what was read stands there", template(other("tmp"), csi()), swap, true, false},
		"ReplaceDone":    {"what is wanted stands there, with defaults", template(other("tmp"), secretVolume(true)), swap, false, true},
		"ReplaceMoved":   {"an entry that moved is not touched", template(other("new"), other("tmp"), csi()), swap, false, false},
		"ReplaceEdited":  {"an entry that was edited is not touched", template(other("tmp"), other("secrets")), swap, false, false},
		"ReplaceShorter": {"a list that lost the entry is not touched", template(other("tmp")), swap, false, false},
		"AppendOpen":     {"a list that ends there takes one more", template(other("tmp")), grow, true, false},
		"AppendDone":     {"one that has it does not take it twice", template(other("tmp"), secretVolume(true)), grow, false, true},
		"AppendElsewhere": {
			"one that has it at another place is somebody else's", template(secretVolume(true), other("tmp")), grow, false, false,
		},
		"RemoveOpen": {"both are there", template(other("tmp"), csi()), drop, true, false},
		"RemoveDone": {"a list that is gone holds neither", map[string]any{"spec": map[string]any{}}, drop, false, true},
		"RemoveHalf": {"one is left", template(other("tmp")), drop, false, false},
		"AddOpen":    {"a field is not there", template(), label, true, false},
		"AddDone": {
			"a field is there with that value", map[string]any{"spec": map[string]any{"mark": ""}}, label, true, true, // and they change nothing
		},
		"AddForeign": {
			"a field is there with another", map[string]any{"spec": map[string]any{"mark": "x"}}, label, false, false,
		},
		"AddNowhere": {"what holds the field is gone", map[string]any{}, label, false, false},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			edits := journalled(t, tc.edits)
			notOpen, notDone := open(tc.live, edits), done(tc.live, edits)
			if (notOpen == "") != tc.open || (notDone == "") != tc.done {
				t.Errorf("%s: open %v (%s), done %v (%s)", tc.reason, notOpen == "", notOpen, notDone == "", notDone)
			}
		})
	}
}

// journalled are edits as they come out of the journal, with places in lists as float64.
func journalled(t *testing.T, edits []model.FieldEdit) []model.FieldEdit {
	t.Helper()
	raw, err := json.Marshal(edits)
	if err != nil {
		t.Fatal(err)
	}
	var read []model.FieldEdit
	if err := json.Unmarshal(raw, &read); err != nil {
		t.Fatal(err)
	}
	if read, err = normalEdits(read); err != nil {
		t.Fatal(err)
	}
	return read
}

func TestInverseOfEdits(t *testing.T) {
	at := model.Path{"spec", "volumes"}
	was := template(other("tmp"), map[string]any{"name": "secrets", "csi": map[string]any{"driver": model.Driver, "fsType": "x"}})
	edits := journalled(t, []model.FieldEdit{
		{Op: model.OpReplace, Path: at.Of(1), Value: secretVolume(false), Was: map[string]any{"name": "secrets"}},
		{Op: model.OpRemove, Path: at.Of(0), Was: other("tmp")},
		{Op: model.OpAdd, Path: at.Of(1), Value: other("more")},
		{Op: model.OpAdd, Path: model.Path{"spec", "replicas"}, Value: int64(3)},
		{Op: model.OpAdd, Path: model.Path{"spec", "mark"}, Value: "x"},
	})
	work := document{was}
	for _, e := range edits {
		work.do(e)
	}
	if cmp.Equal(any(was), work.content) {
		t.Fatal("the edits change nothing")
	}
	for _, e := range inverse(was, edits) {
		work.do(e)
	}
	if diff := cmp.Diff(any(was), work.content); diff != "" {
		t.Errorf("edited and taken back, the object is not what it was, to the last field (-want +got):\n%s", diff)
	}
}

func TestContains(t *testing.T) {
	tests := map[string]struct {
		reason      string
		whole, part any
		want        bool
	}{
		"Defaults":      {"defaults may be added", map[string]any{"a": "x", "b": "y"}, map[string]any{"a": "x"}, true},
		"Empty":         {"readers write out empty fields", map[string]any{}, map[string]any{"a": nil, "b": map[string]any{}}, true},
		"EmptyFilled":   {"an empty map may be filled by defaults", map[string]any{"a": "x"}, map[string]any{}, true},
		"EmptyList":     {"an empty list may not", []any{"x"}, []any{}, false},
		"NothingOrText": {"nothing is not a text", "x", nil, false},
		"Order":         {"lists have an order", []any{"a", "b"}, []any{"b", "a"}, false},
		"Longer":        {"lists are whole", []any{"a", "b"}, []any{"a"}, false},
		"Deep": {
			"entries of lists may have defaults", []any{map[string]any{"n": int64(1), "p": "TCP"}}, []any{map[string]any{"n": int64(1)}}, true,
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			if got := contains(tc.whole, tc.part); got != tc.want {
				t.Errorf("%s: %v", tc.reason, got)
			}
		})
	}
}
