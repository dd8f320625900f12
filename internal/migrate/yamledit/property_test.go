package yamledit_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	kjson "k8s.io/apimachinery/pkg/util/json"
	kyaml "sigs.k8s.io/yaml"

	"secretstore/internal/migrate/yamledit"
)

// model is RFC 6902 on values, made to be compared with.
func model(value any, e yamledit.Edit) any {
	if len(e.Path) == 0 {
		return e.Value
	}
	rest := e
	rest.Path = e.Path[1:]
	last := len(e.Path) == 1
	switch value := value.(type) {
	case map[string]any:
		key := e.Path[0].(string)
		result := maps.Clone(value)
		switch {
		case !last:
			result[key] = model(value[key], rest)
		case e.Op == yamledit.Remove:
			delete(result, key)
		default:
			result[key] = e.Value
		}
		return result
	case []any:
		index := e.Path[0].(int)
		result := slices.Clone(value)
		switch {
		case !last:
			result[index] = model(value[index], rest)
		case e.Op == yamledit.Remove:
			result = slices.Delete(result, index, index+1)
		case e.Op == yamledit.Add:
			result = slices.Insert(result, index, e.Value)
		default:
			result[index] = e.Value
		}
		return result
	}
	panic(fmt.Sprintf("no way along %v in a %T", e.Path, value))
}

// randomEdit draws an edit that RFC 6902 has a meaning for.
func randomEdit(r *rand.Rand, value any) yamledit.Edit {
	e := yamledit.Edit{Op: yamledit.Replace, Path: []any{}, Value: randomValue(r, 2)}
	if r.IntN(6) == 0 {
		e.Comment = "why"
	}
	for {
		deeper := r.IntN(4) > 0
		switch v := value.(type) {
		case map[string]any:
			if len(v) == 0 || r.IntN(5) == 0 {
				e.Op, e.Path = yamledit.Add, append(e.Path, randomKey(r))
				return e
			}
			key := slices.Sorted(maps.Keys(v))[r.IntN(len(v))]
			value, e.Path = v[key], append(e.Path, key)
		case []any:
			if len(v) == 0 || r.IntN(5) == 0 {
				e.Op, e.Path = yamledit.Add, append(e.Path, r.IntN(len(v)+1))
				return e
			}
			index := r.IntN(len(v))
			value, e.Path = v[index], append(e.Path, index)
		default:
			deeper = false
		}
		if !deeper {
			if len(e.Path) > 0 && r.IntN(3) == 0 {
				e.Op = yamledit.Remove
			} else if r.IntN(3) == 0 {
				e.Value = mutate(r, value)
			}
			return e
		}
	}
}

// mutate returns something similar.
func mutate(r *rand.Rand, value any) any {
	switch v := value.(type) {
	case map[string]any:
		v = maps.Clone(v)
		for _, key := range slices.Sorted(maps.Keys(v)) {
			if r.IntN(3) == 0 {
				v[key] = mutate(r, v[key])
			} else if r.IntN(6) == 0 {
				delete(v, key)
			}
		}
		if r.IntN(2) == 0 {
			v[randomKey(r)] = randomValue(r, 1)
		}
		return v
	case []any:
		items := []any{}
		for _, item := range v {
			if r.IntN(5) == 0 {
				items = append(items, randomValue(r, 1))
			}
			if r.IntN(3) > 0 {
				items = append(items, item)
			} else if r.IntN(2) == 0 {
				items = append(items, mutate(r, item))
			}
		}
		return items
	case string:
		if lines := strings.SplitAfter(v, "\n"); len(lines) > 1 {
			lines[r.IntN(len(lines))] = "changed\n"
			return strings.Join(lines, "")
		}
	}
	return randomScalar(r)
}

// asKubernetes reads a document as Kubernetes does.
func asKubernetes(text []byte) (any, error) {
	text, err := kyaml.YAMLToJSON(text)
	if err != nil {
		return nil, err
	}
	var v any
	return v, kjson.Unmarshal(text, &v)
}

// normal makes a value what it is after a way through JSON.
func normal(t *testing.T, v any) any {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	var result any
	if err := kjson.Unmarshal(b, &result); err != nil {
		t.Fatal(err)
	}
	return result
}

// untouched returns the lines of each top-level entry but one, without the comments between entries.
func untouched(d *yamledit.Document, value any, except any) map[any]string {
	var keys []any
	switch v := value.(type) {
	case map[string]any:
		for key := range v {
			keys = append(keys, key)
		}
	case []any:
		for i := range v {
			keys = append(keys, i)
		}
	}
	slices.SortFunc(keys, func(a, b any) int { return d.Line(a) - d.Line(b) })
	lines := strings.Split(d.Text(), "\n")
	result := map[any]string{}
	for i, key := range keys {
		end := len(lines)
		if i+1 < len(keys) {
			end = d.Line(keys[i+1]) - 1
		}
		own := lines[d.Line(key)-1 : end]
		for len(own) > 1 && (strings.TrimSpace(own[len(own)-1]) == "" || strings.HasPrefix(strings.TrimSpace(own[len(own)-1]), "#")) {
			own = own[:len(own)-1]
		}
		if key != except {
			result[key] = strings.Join(own, "\n")
		}
	}
	return result
}

func TestRandomEdits(t *testing.T) {
	t.Parallel()
	seed := rand.Uint64()
	count := 1000
	if testing.Short() {
		count = 300
	}
	for i := range count {
		if t.Failed() {
			return
		}
		r := rand.New(rand.NewPCG(seed, uint64(i)))
		checkRandomEdits(t, fmt.Sprintf("seed %d, case %d", seed, i), r, randomDocument(r))
	}
}

func checkRandomEdits(t *testing.T, name string, r *rand.Rand, text string) {
	t.Helper()
	file, err := yamledit.Parse("file.yaml", []byte(text))
	if err != nil {
		t.Fatalf("%s: Parse: %v\n%s", name, err, text)
	}
	d := file.Documents()[0]
	for range 3 {
		if d.Templated() {
			return
		}
		before, err := d.Value()
		if err != nil {
			t.Fatalf("%s: Value: %v\n%s", name, err, text)
		}
		seen, err := asKubernetes([]byte(text))
		placeholders := err != nil && strings.Contains(text, "${") // it becomes YAML once they are filled in
		if !placeholders && (err != nil || !reflect.DeepEqual(seen, before)) {
			t.Fatalf("%s: Kubernetes reads another value (%v):\n%s\n%s", name, err, cmp.Diff(seen, before), text)
		}
		for _, none := range [][]yamledit.Edit{nil, {replace(before)}} {
			if err := file.Apply(0, none); err != nil || string(file.Bytes()) != text {
				t.Fatalf("%s: editing nothing changed something (%v):\n%s", name, err, cmp.Diff(text, string(file.Bytes())))
			}
		}
		if placeholders {
			return
		}
		e := randomEdit(r, before)
		e.Value = normal(t, e.Value)
		want := model(before, e)
		var parts map[any]string
		if len(e.Path) > 1 && !json.Valid([]byte(text)) { // there, commas change on lines beside
			parts = untouched(d, before, e.Path[0])
		}
		if err := file.Apply(0, []yamledit.Edit{e}); err != nil {
			t.Fatalf("%s: %v\n%s\n---- edit %s %v %q", name, err, text, e.Op, e.Path, fmt.Sprintf("%#v", e.Value))
		}
		report := fmt.Sprintf("%s: edit %s %v %#v\n%s\n---- became\n%s", name, e.Op, e.Path, e.Value, text, file.Bytes())
		after, err := d.Value()
		if err != nil || !reflect.DeepEqual(after, want) {
			t.Fatalf("%s\n---- which has another value (%v, -want +got)\n%s", report, err, cmp.Diff(want, after))
		}
		if json.Valid([]byte(text)) && !json.Valid(file.Bytes()) {
			t.Fatalf("%s\n---- which is no JSON any more", report)
		}
		text = string(file.Bytes())
		if seen, err := asKubernetes([]byte(text)); err != nil || !reflect.DeepEqual(seen, want) {
			t.Fatalf("%s\n---- which Kubernetes reads otherwise (%v):\n%s", report, err, cmp.Diff(want, seen))
		}
		if parts != nil {
			if diff := cmp.Diff(parts, untouched(d, after, e.Path[0])); diff != "" {
				t.Fatalf("%s\n---- which changed lines elsewhere:\n%s", report, diff)
			}
		}
	}
}

func FuzzEdits(f *testing.F) {
	for _, text := range corpus() {
		f.Add([]byte(text), uint64(1))
	}
	f.Fuzz(func(t *testing.T, source []byte, seed uint64) {
		file, err := yamledit.Parse("file.yaml", source)
		if err != nil {
			var problem *yamledit.ParseError
			if !errors.As(err, &problem) || problem.Line < 1 {
				t.Fatalf("Parse: %#v", err)
			}
			return
		}
		if string(file.Bytes()) != string(source) {
			t.Fatal("reading changed the file")
		}
		r := rand.New(rand.NewPCG(seed, 0))
		for i, d := range file.Documents() {
			fuzzDocument(t, r, file, i, d)
		}
	})
}

func fuzzDocument(t *testing.T, r *rand.Rand, file *yamledit.File, i int, d *yamledit.Document) {
	t.Helper()
	value, err := d.Value()
	if err != nil {
		return
	}
	tagged := strings.Contains(d.Text(), "!") // of odd tags two parsers have two opinions
	if seen, err := asKubernetes([]byte(d.Text())); err == nil && !tagged && !reflect.DeepEqual(seen, value) {
		t.Fatalf("Kubernetes reads %q otherwise:\n%s", d.Text(), cmp.Diff(seen, value))
	}
	for range 3 {
		e := randomEdit(r, value)
		e.Value = normal(t, e.Value)
		before := string(file.Bytes())
		if line := d.Line(e.Path...); line < 1 || line > strings.Count(before, "\n")+strings.Count(before, "\r")+strings.Count(before, "\u0085")+strings.Count(before, "\u2028")+strings.Count(before, "\u2029")+1 {
			t.Fatalf("%v is on line %d of %q", e.Path, line, before)
		}
		if err := file.Apply(i, []yamledit.Edit{e}); err != nil {
			if string(file.Bytes()) != before {
				t.Fatalf("refused, but changed: %v", err)
			}
			continue
		}
		want := model(value, e)
		after, err := d.Value()
		if err != nil || !reflect.DeepEqual(after, want) {
			t.Fatalf("edit %s %v %#v of %q gave %q (%v):\n%s", e.Op, e.Path, e.Value, before, file.Bytes(), err, cmp.Diff(want, after))
		}
		again, err := yamledit.Parse("file.yaml", file.Bytes())
		if err != nil || len(again.Documents()) != len(file.Documents()) {
			t.Fatalf("edit %s %v %#v of %q gave %q, which is another file: %v", e.Op, e.Path, e.Value, before, file.Bytes(), err)
		}
		value = after
	}
}

// corpus has one text of each kind.
func corpus() []string {
	return []string{
		"a: 1 # c\nb:\n  - x\n  - y: |\n      t\n    z: 'q'\n", "a: &a {x: 1}\nb:\n  <<: *a\n  y: *a\n", "{\"a\": [1, {\"b\": null}], \"c\": \"d\"}", "- - a\n  - b\n-\n- &x\n  k: v\n",
		"---\na: >-\n  f\n  g\n\n\n---\n# c\n...\nb: \"q\n  r\"\n", "? a\n: b\n? [c]\n: d\n", "a: !!str 5\n!!map b: !<x> c\n", "a: |+\n  k\n\n\nb: |2-\n    i\n", "\ufeffa: 1\r\nb:\r\n- x\r\n", "a: {{ b }}\n---\nc: ${D}\n",
		"a: {b: ${C}, d: [x-${E}]} # ${F}\ng: ${H}\n",
		"a: b\n  c\n\n  d\ne: [f: g, h,]\n", "a:\n# c\n- x # y\n # z\n\n- w\n", "%YAML 1.1\n---\na: yes\n", "\"a\": 'b''c'\n'd' : \"\\u00e9\\\"\"\n", "a: [\n  x, # c\n  # d\n  y\n]\n",
	}
}
