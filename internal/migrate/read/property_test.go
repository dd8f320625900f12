package read_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"

	"secretstore/internal/migrate/model"
	"secretstore/internal/migrate/read"
)

// estate writes n objects into files in every way that a folder may hold them, and returns the files and the objects' names.
func estate(chance *rand.Rand, n int) (files map[string]string, names []string) {
	files = map[string]string{}
	for len(names) < n {
		var group []map[string]any
		for range 1 + chance.IntN(4) {
			name := fmt.Sprintf("o-%04d", len(names))
			names = append(names, name)
			kind := []string{"Pod", "Secret", "ConfigMap", "SecretProviderClass"}[chance.IntN(4)]
			group = append(group, map[string]any{"apiVersion": "v1", "kind": kind, "metadata": map[string]any{"name": name}})
		}
		name := fmt.Sprintf("d%d/f%d", chance.IntN(3), chance.IntN(5))
		switch chance.IntN(4) {
		case 0:
			content, _ := json.MarshalIndent(map[string]any{"apiVersion": "v1", "kind": "List", "items": group}, "", "\t")
			files[fmt.Sprintf("%s-%d.json", name, len(names))] = string(content)
		case 1:
			content, _ := yaml.Marshal(map[string]any{"apiVersion": "v1", "kind": "List", "items": group})
			files[name+".yaml"] += "---\n" + string(content)
		case 2:
			for _, o := range group {
				content, _ := yaml.Marshal(o)
				files[name+".yml"] += "# a comment\n---\n" + string(content) + "...\n"
			}
		default:
			for _, o := range group {
				content, _ := yaml.Marshal(o)
				files[name+".yaml"] += "---\r\n" + strings.ReplaceAll(string(content), "\n", "\r\n") + "---\n"
			}
		}
	}
	return files, names
}

// TestFolderLosesNothing writes random folders and looks for every object, at a line that holds it.
func TestFolderLosesNothing(t *testing.T) {
	for seed := range uint64(100) {
		files, want := estate(rand.New(rand.NewPCG(seed, 0)), 40)
		snapshot := folder(t, files)
		var got []string
		for _, o := range snapshot.Objects {
			got = append(got, o.Name)
			rest := strings.Split(files[o.Place.File], "\n")[o.Place.Line-1:]
			if near := strings.Join(rest[:min(len(rest), 7)], "\n"); o.Place.Item < 0 && !strings.Contains(near, o.Name) {
				t.Errorf("seed %d: %s is not at %s", seed, o.Name, o.Place)
			}
		}
		slices.Sort(got)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("seed %d (-want +got):\n%s", seed, diff)
		}
		if diff := cmp.Diff(snapshot, folder(t, files)); diff != "" {
			t.Fatalf("seed %d: another reading differs:\n%s", seed, diff)
		}
	}
}

// FuzzFolder shows that any file is read, or refused with its place, and that no value of a Secret gets through.
func FuzzFolder(f *testing.F) {
	f.Add("apiVersion: v1\nkind: Secret\nmetadata: {name: a}\nstringData: {a: swordfish}\n", "patches: [{patch: 'a: b'}]")
	f.Add("a: &a [*a]\n--- \n{{ x }}", "namespace: a\nresources: [.., a.yaml, 1, {}]\npatches: [1, {path: a.yaml, target: 1}]")
	f.Add("- op: add\n  path: /spec/volumes/0\n", "patches: [{path: a.yaml, target: {kind: Pod}}]\npatchesStrategicMerge: [a.yaml, 1]")
	f.Add("apiVersion: v1\nkind: Secret\nmetadata: {name: a}\nstringData: {a: b}\n", "resources: [a.yaml]\npatches:\n- target: {name: a}\n"+
		"  patch: '[{op: add, path: /stringData/secret, value: swordfish}, {op: add, path: /x, value: {driver: secrets-store.csi.k8s.io}}]'")
	f.Add("{\"apiVersion\": \"v1\", \"kind\": \"List\", \"items\": [1, {}, null]}", "<<: {namespace: a}")
	f.Add("${a}: [${b}]\nx: !!binary aGk=\ny: !!int a\n? [a]\n: b", "\ufeff")
	f.Fuzz(func(t *testing.T, manifest, kustomization string) {
		fsys := tree(map[string]string{"a.yaml": manifest, "kustomization.yaml": kustomization})
		snapshot, err := read.Folder(t.Context(), fsys, "estate", read.FolderOptions{Digest: digest})
		if err != nil {
			var broken *read.BrokenError
			if !errors.As(err, &broken) || broken.Files[0].Line < 1 {
				t.Fatalf("an error without a place: %v", err)
			}
			return
		}
		for _, o := range snapshot.Objects {
			if o.Kind != "Secret" || o.Group() != "" {
				continue
			}
			for _, field := range []string{"data", "stringData"} {
				values, _ := model.Path{field}.Get(o.Content)
				fields, _ := values.(map[string]any)
				for key := range fields {
					if value, _ := fields[key].(string); !strings.HasPrefix(value, "digest of ") {
						t.Fatalf("%s %s is not a digest", field, key)
					}
				}
			}
		}
		if _, err := json.Marshal(snapshot); err != nil {
			t.Fatalf("the snapshot is no JSON: %v", err)
		}
	})
}
