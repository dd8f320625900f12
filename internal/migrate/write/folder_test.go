package write_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"secretstore/internal/migrate/model"
	"secretstore/internal/migrate/write"
)

const web = `# the shop's web
kind: Deployment # keep me
spec:
  a: 1
---
kind: ConfigMap
metadata: {name: second}
`

func at(file string, document, item int) model.Place {
	return model.Place{File: file, Document: document, Item: item, Line: 1}
}

func inside(p model.Place) model.Place {
	p.Inside = "/patches/0/patch"
	return p
}

func edit(place model.Place, op model.Op, value any, path ...any) model.Change {
	return model.Change{Verb: model.Edit, Place: place, Edits: []model.FieldEdit{{Op: op, Path: path, Value: value}}}
}

func TestFolder(t *testing.T) {
	t.Parallel()
	sync := model.Ref{Kind: "SecretSync", Namespace: "shop", Name: "x"}
	create := func(place model.Place) model.Change {
		return model.Change{Verb: model.Create, Object: sync, Place: place, Content: map[string]any{"kind": "SecretSync"}}
	}
	byHand := edit(at("web.yaml", 0, -1), model.OpReplace, int64(2), "spec", "a")
	byHand.ByHand = "it is Helm's"
	tests := map[string]struct {
		reason  string
		files   map[string]string
		changes []model.Change
		want    map[string]string
		codes   []model.Code
	}{
		"Nothing": {reason: "no change, no file", files: map[string]string{"web.yaml": web}, want: map[string]string{}},
		"Edit": {
			"only what changes is touched",
			map[string]string{"web.yaml": web},
			[]model.Change{edit(at("web.yaml", 0, -1), model.OpReplace, int64(2), "spec", "a")},
			map[string]string{"web.yaml": strings.Replace(web, "a: 1", "a: 2", 1)},
			nil,
		},
		"Same": {
			"an edit that changes nothing writes nothing",
			map[string]string{"web.yaml": web},
			[]model.Change{edit(at("web.yaml", 0, -1), model.OpReplace, int64(1), "spec", "a")},
			map[string]string{},
			nil,
		},
		"ByHand": {"what is somebody else's is left", map[string]string{"web.yaml": web}, []model.Change{byHand}, map[string]string{}, nil},
		"OfNoFile": {
			"what only the cluster has, such as a Secret that the driver made, is in no file",
			map[string]string{"web.yaml": web},
			[]model.Change{edit(model.Place{}, model.OpRemove, nil, "metadata", "labels")},
			map[string]string{},
			nil,
		},
		"Item": {
			"objects of a list are edited in it",
			map[string]string{"l.yaml": "kind: List\nitems:\n- spec: {a: 1}\n- spec: {a: 1}\n"},
			[]model.Change{edit(at("l.yaml", 0, 1), model.OpReplace, int64(2), "spec", "a")},
			map[string]string{"l.yaml": "kind: List\nitems:\n- spec: {a: 1}\n- spec: {a: 2}\n"},
			nil,
		},
		"Create": {
			"a new object goes to the end of the file of the old one",
			map[string]string{"web.yaml": web},
			[]model.Change{create(at("web.yaml", 0, -1))},
			map[string]string{"web.yaml": web + "---\nkind: SecretSync\n"},
			nil,
		},
		"CreateBesideJSON": {
			"a JSON file holds one document",
			map[string]string{"shop/web.json": `{"kind": "Deployment"}`},
			[]model.Change{create(at("shop/web.json", 0, -1))},
			map[string]string{"shop/secretsync-x.yaml": "kind: SecretSync\n"},
			[]model.Code{"M703"},
		},
		"CreateInAFileThatIsThere": {
			"a file of the name keeps what it holds",
			map[string]string{"web.json": `{"kind": "Deployment"}`, "secretsync-x.yaml": "kind: Other\n"},
			[]model.Change{create(at("web.json", 0, -1))},
			map[string]string{"secretsync-x.yaml": "kind: Other\n---\nkind: SecretSync\n"},
			nil,
		},
		"Delete": {
			"a document goes with its separator, counted as the file was",
			map[string]string{"web.yaml": web},
			[]model.Change{
				create(at("web.yaml", 0, -1)),
				{Verb: model.Delete, Object: sync, Place: at("web.yaml", 1, -1)},
				edit(at("web.yaml", 0, -1), model.OpReplace, int64(2), "spec", "a"),
			},
			map[string]string{"web.yaml": "# the shop's web\nkind: Deployment # keep me\nspec:\n  a: 2\n---\nkind: SecretSync\n"},
			nil,
		},
		"Shared": {
			"what an anchor shares is not changed for one",
			map[string]string{"a.yaml": "spec:\n  a: &x {v: 1}\n  b: *x\n"},
			[]model.Change{edit(at("a.yaml", 0, -1), model.OpReplace, int64(2), "spec", "b", "v")},
			map[string]string{},
			[]model.Code{"M702"},
		},
		"Inline": {
			"a patch within a kustomization is text within text",
			map[string]string{"web.yaml": web},
			[]model.Change{edit(inside(at("web.yaml", 0, -1)), model.OpReplace, int64(2), "spec", "a")},
			map[string]string{},
			[]model.Code{"M701"},
		},
		"CreateBesideInline": {
			"a kustomization holds no second document",
			map[string]string{"web.yaml": web},
			[]model.Change{create(inside(at("web.yaml", 0, -1)))},
			map[string]string{"secretsync-x.yaml": "kind: SecretSync\n"},
			[]model.Code{"M703"},
		},
		"Impossible": {
			"an edit of what is not there is told",
			map[string]string{"web.yaml": web},
			[]model.Change{edit(at("web.yaml", 0, -1), model.OpRemove, nil, "spec", "nothing")},
			map[string]string{},
			[]model.Code{"M701"},
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			folder := fstest.MapFS{}
			for file, text := range tc.files {
				folder[file] = &fstest.MapFile{Data: []byte(text)}
			}
			r, err := write.Folder(folder, tc.changes)
			if err != nil {
				t.Fatal(err)
			}
			got := map[string]string{}
			for file, text := range r.Files {
				got[file] = string(text)
			}
			var codes []model.Code
			for _, f := range r.Findings {
				codes = append(codes, f.Code)
			}
			if diff := cmp.Diff(tc.want, got) + cmp.Diff(tc.codes, codes); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tc.reason, diff)
			}
		})
	}
}

// TestFileName: a name in a manifest leads into no other folder.
func TestFileName(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"shop.db": "secretsync-shop.db.yaml", "../../etc/x": "secretsync-..-..-etc-x.yaml", "${NAME}; rm *": "secretsync---NAME---rm--.yaml",
	} {
		if got := write.FileName(model.Ref{Kind: "SecretSync", Name: name}); got != want {
			t.Errorf("%s: got %s, want %s", name, got, want)
		}
	}
}

func TestFolderThatCannotBeRead(t *testing.T) {
	t.Parallel()
	_, err := write.Folder(fstest.MapFS{}, []model.Change{edit(at("gone.yaml", 0, -1), model.OpAdd, "x", "a")})
	if !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
}

func TestCommit(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	script := filepath.Join(folder, "run.yaml")
	if err := os.WriteFile(script, []byte("old"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("run.yaml", filepath.Join(folder, "link.yaml")); err != nil {
		t.Fatal(err)
	}
	r := write.Result{Files: map[string][]byte{"link.yaml": []byte("new"), "below/new.yaml": []byte("x")}}
	if err := write.Commit(folder, r); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(script)
	if err != nil {
		t.Fatal(err)
	}
	text, _ := os.ReadFile(script)
	if string(text) != "new" || info.Mode().Perm() != 0o755 {
		t.Errorf("%s, mode %o", text, info.Mode().Perm())
	}
	if target, err := os.Readlink(filepath.Join(folder, "link.yaml")); err != nil || target != "run.yaml" {
		t.Errorf("the link leads to %s (%v)", target, err)
	}
	if files := list(t, folder); cmp.Diff([]string{"below/new.yaml", "link.yaml", "run.yaml"}, files) != "" {
		t.Errorf("files: %v", files)
	}
}

// TestCommitIsAllOrNothing: a file that cannot be written leaves every other one as it was.
func TestCommitIsAllOrNothing(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	for _, name := range []string{"a.yaml", "b"} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte("old"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	// b is a file, so there can be no file below it.
	r := write.Result{Files: map[string][]byte{"a.yaml": []byte("new"), "b/c.yaml": []byte("new")}}
	if err := write.Commit(folder, r); err == nil {
		t.Error("it was written")
	}
	if text, _ := os.ReadFile(filepath.Join(folder, "a.yaml")); string(text) != "old" {
		t.Errorf("a.yaml is %s", text)
	}
	if files := list(t, folder); cmp.Diff([]string{"a.yaml", "b"}, files) != "" {
		t.Errorf("left behind: %v", files)
	}
}

// list names the files below a folder.
func list(t *testing.T, folder string) (files []string) {
	t.Helper()
	err := fs.WalkDir(os.DirFS(folder), ".", func(name string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			files = append(files, name)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func TestManifests(t *testing.T) {
	t.Parallel()
	deployment := model.Ref{APIVersion: "apps/v1", Kind: "Deployment", Namespace: "shop", Name: "web"}
	foreign := edit(model.Place{}, model.OpReplace, "y", "spec", "x")
	foreign.Object, foreign.Summary, foreign.ByHand = deployment, "Change it.", "it is Helm's"
	foreign.Object.Name = "helm"
	own := edit(model.Place{}, model.OpRemove, nil, "spec", "a/b")
	own.Edits[0].Was = "old"
	own.Object, own.Summary = deployment, "Remove it."
	r, err := write.Manifests([]model.Change{
		{Verb: model.Create, Object: model.Ref{Kind: "Namespace", Name: "n"}, Content: map[string]any{"kind": "Namespace"}, Summary: "Make it."},
		own, foreign,
		{Verb: model.Run, Summary: "not a file's"},
	})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{
		"_cluster/namespace-n.yaml": "kind: Namespace\n",
		"shop/deployment-web.patch.json": `[
  {
    "op": "test",
    "path": "/spec/a~1b",
    "value": "old"
  },
  {
    "op": "remove",
    "path": "/spec/a~1b"
  }
]
`,
		"shop/deployment-helm.patch.json": `[
  {
    "op": "replace",
    "path": "/spec/x",
    "value": "y"
  }
]
`,
		"apply.sh": `#!/bin/sh
# Applies what lies beside this file, in this order. Review it first.
set -eu
cd "$(dirname "$0")"

# Make it.
kubectl apply -f _cluster/namespace-n.yaml

# Remove it.
kubectl patch deployment.v1.apps web -n shop --type=json --patch-file=shop/deployment-web.patch.json

# Change it.
# By hand: it is Helm's
# kubectl patch deployment.v1.apps helm -n shop --type=json --patch-file=shop/deployment-helm.patch.json
`,
	}
	got := map[string]string{}
	for name, text := range r.Files {
		got[name] = string(text)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}
