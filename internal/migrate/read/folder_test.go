package read_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"secretstore/internal/migrate/model"
	"secretstore/internal/migrate/read"
)

// digest stands for a keyed digest.
func digest(value []byte) string { return fmt.Sprintf("digest of %d bytes", len(value)) }

// tree makes a folder of files, `name: content`.
func tree(files map[string]string) fstest.MapFS {
	fsys := fstest.MapFS{}
	for name, content := range files {
		fsys[name] = &fstest.MapFile{Data: []byte(content)}
	}
	return fsys
}

// folder reads files, and fails the test where that fails.
func folder(t *testing.T, files map[string]string) model.Snapshot {
	t.Helper()
	snapshot, err := read.Folder(t.Context(), tree(files), "estate", read.FolderOptions{Digest: digest})
	if err != nil {
		t.Fatal(err)
	}
	return snapshot
}

// lines are objects as `Kind namespace/name@file:line`, with what else their places say.
func lines(objects []model.Object) []string {
	var lines []string
	for _, o := range objects {
		line := o.String() + "@" + o.Place.String()
		if o.Place.Document > 0 || o.Place.Item >= 0 {
			line += fmt.Sprintf(" doc %d item %d", o.Place.Document, o.Place.Item)
		}
		if o.Place.Inside != "" {
			line += " in " + o.Place.Inside
		}
		if o.Partial {
			line += " partial"
		}
		if len(o.Namespaces) > 0 {
			line += " in " + strings.Join(o.Namespaces, ",")
		}
		lines = append(lines, line)
	}
	return lines
}

// codes are findings as `code file:line`.
func codes(findings []model.Finding) []string {
	var codes []string
	for _, f := range findings {
		codes = append(codes, strings.TrimSpace(string(f.Code)+" "+f.Place.String()))
	}
	return codes
}

const class = "apiVersion: secrets-store.csi.x-k8s.io/v1\nkind: SecretProviderClass\nmetadata:\n  name: app\n"

func object(kind, name string) string {
	return "apiVersion: v1\nkind: " + kind + "\nmetadata:\n  name: " + name + "\n"
}

func TestFolder(t *testing.T) {
	chart := map[string]string{"c/Chart.yaml": "name: c\n", "c/templates/a.yaml": class, "c/templates/b.yaml": object("Pod", "b")}
	for name, test := range map[string]struct {
		reason   string
		files    map[string]string
		objects  []string
		findings []string
	}{
		"documents": {
			reason: "empty documents count, so that a writer finds the place again",
			files: map[string]string{"a.yaml": "# first\n---\n" + object("Pod", "a") + "---\n# nothing\n---\n" +
				object("Pod", "b")},
			objects: []string{"Pod a@a.yaml:3", "Pod b@a.yaml:10 doc 2 item -1"},
		},
		"a list": {
			reason: "items are objects of their own",
			files: map[string]string{"l.yml": "apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: Pod\n  metadata: {name: a}\n" +
				"- apiVersion: v1\n  kind: Pod\n  metadata: {name: b}\n"},
			objects: []string{"Pod a@l.yml:4 doc 0 item 0", "Pod b@l.yml:7 doc 0 item 1"},
		},
		"a list of one kind": {
			reason:  "kubectl's lists of a kind leave it to the list to say which",
			files:   map[string]string{"l.yaml": "apiVersion: v1\nkind: PodList\nitems:\n- metadata: {name: a}\n"},
			objects: []string{"Pod a@l.yaml:4 doc 0 item 0"},
		},
		"a list within a list": {
			reason: "what is not read is told",
			files: map[string]string{"l.yaml": "apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: List\n  items:\n" +
				"  - apiVersion: v1\n    kind: Pod\n    metadata: {name: a}\n"},
			objects: []string{"List @l.yaml:4 doc 0 item 0"}, findings: []string{"M179 l.yaml:4"},
		},
		"JSON": {
			reason:  "tabs and pairs of surrogates after a byte order mark are JSON and no YAML",
			files:   map[string]string{"a.json": "\ufeff\n{\n\t\"apiVersion\": \"v1\",\n\t\"kind\": \"Pod\", \"metadata\": {\"name\": \"\\ud83d\\ude00\"}}"},
			objects: []string{"Pod \U0001f600@a.json:2"},
		},
		"Windows": {
			reason:  "a byte order mark and CRLF are not part of the manifest",
			files:   map[string]string{"a.yaml": "\ufeff" + strings.ReplaceAll(object("Pod", "a")+"---\n"+object("Pod", "b"), "\n", "\r\n")},
			objects: []string{"Pod a@a.yaml:1", "Pod b@a.yaml:6 doc 1 item -1"},
		},
		"other YAML": {
			reason:   "one finding a file, however much of it is none of Kubernetes'",
			files:    map[string]string{"values.yaml": "a: 1\n---\nb: 2\n---\n" + object("Pod", "p"), "list.yaml": "- 1\n", "n.yaml": "\n"},
			objects:  []string{"Pod p@values.yaml:5 doc 2 item -1"},
			findings: []string{"M171 list.yaml", "M171 values.yaml"},
		},
		"folders that are passed over": {
			reason: "Git's own goes without saying",
			files: map[string]string{
				".git/a.yaml": object("Pod", "a"), ".x/a.yaml": object("Pod", "b"), "node_modules/a.yaml": object("Pod", "c"),
				"vendor/a.yaml": object("Pod", "d"), "a.txt": "x: [",
			},
			objects: []string{"Pod d@vendor/a.yaml:1"}, findings: []string{"M170"},
		},
		"a chart": {
			reason: "nothing in its templates is guessed, and nothing is said of what does not migrate",
			files:  chart, findings: []string{"M172 c/templates/a.yaml:2", "M171 c/Chart.yaml"},
		},
		"templates outside a chart": {
			reason: "actions outside quotes make a template, whether YAML can read it or not",
			files: map[string]string{
				"a.yaml": "{{- if .x }}\n" + class + "{{- end }}\n", "b.yaml": class + "  namespace: {{ .ns }}\n",
				"c.yaml": class + "  namespace: x-{{ .ns }}\n", "d.yaml": object("Pod", "{{ .x }}"),
			},
			findings: []string{"M172 a.yaml:3", "M172 b.yaml:2", "M172 c.yaml:2"},
		},
		"no templates": {
			reason: "actions in quotes, blocks and comments are text",
			files: map[string]string{
				"a.yaml": object("Pod", `"{{ .x }}"`) + "# {{ .y }}\ntext: |\n  {{ .z }}\n",
			},
			objects: []string{"Pod {{ .x }}@a.yaml:1"},
		},
		"placeholders": {
			reason:  "braces of placeholders are text even where braces mean something to YAML",
			files:   map[string]string{"a.yaml": "{apiVersion: v1, kind: Pod, metadata: {name: ${NAME}, namespace: a-${NS:-x}}}\n"},
			objects: []string{"Pod a-${NS:-x}/${NAME}@a.yaml:1"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			snapshot := folder(t, test.files)
			if diff := cmp.Diff(test.objects, lines(snapshot.Objects)); diff != "" {
				t.Errorf("%s: objects (-want +got):\n%s", test.reason, diff)
			}
			if diff := cmp.Diff(test.findings, codes(snapshot.Findings)); diff != "" {
				t.Errorf("%s: findings (-want +got):\n%s", test.reason, diff)
			}
		})
	}
}

func TestFolderValues(t *testing.T) {
	for name, test := range map[string]struct {
		reason, yaml string
		want         any
	}{
		"numbers":      {"as JSON has them", "[1, -2, 0o17, 0400, 1.5, 1e3]", []any{int64(1), int64(-2), int64(15), int64(256), 1.5, 1000.0}},
		"booleans":     {"YAML 1.1, as kubectl reads it", "[true, yes, off, \"no\"]", []any{true, true, false, "no"}},
		"null":         {"is kept", "[~, null]", []any{nil, nil}},
		"dates":        {"are text in JSON", "2020-01-02", "2020-01-02"},
		"anchors":      {"stand for what they name", "[&a {x: 1}, *a]", []any{map[string]any{"x": int64(1)}, map[string]any{"x": int64(1)}}},
		"merge":        {"own keys go first, then the first of a list", "{<<: [{a: 1, b: 1}, {b: 2, c: 2}], a: 0}", map[string]any{"a": int64(0), "b": int64(1), "c": int64(2)}},
		"merge quoted": {"a quoted key is text", "{\"<<\": 1}", map[string]any{"<<": int64(1)}},
		"number keys":  {"keys are text", "{1: a, true: b}", map[string]any{"1": "a", "true": "b"}},
		"private use":  {"text that uses our private characters stays", "\"\uE001 ${X}\"", "\uE001 ${X}"},
		"placeholder":  {"in a list", "[${X}, a${Y}b]", []any{"${X}", "a${Y}b"}},
	} {
		t.Run(name, func(t *testing.T) {
			snapshot := folder(t, map[string]string{"a.yaml": object("Pod", "a") + "x: " + test.yaml + "\n"})
			if diff := cmp.Diff(test.want, snapshot.Objects[0].Content["x"]); diff != "" {
				t.Errorf("%s (-want +got):\n%s", test.reason, diff)
			}
		})
	}
}

func TestFolderBroken(t *testing.T) {
	bomb := "a: &a [x,x,x,x,x,x,x,x,x]\n"
	for i := range 8 {
		bomb += fmt.Sprintf("%c: &%c [*%c,*%c,*%c,*%c,*%c,*%c,*%c,*%c]\n", 'b'+i, 'b'+i, 'a'+i, 'a'+i, 'a'+i, 'a'+i, 'a'+i, 'a'+i, 'a'+i, 'a'+i)
	}
	_, err := read.Folder(t.Context(), tree(map[string]string{
		"anchor.yaml": "a: 1\nb: *missing\n", "bomb.yaml": bomb, "circle.yaml": "a: &x [*x]\n", "fine.yaml": object("Pod", "a"),
		"flow.yaml": "a: 1\nb: [\nc: 2\n", "indent.yaml": "a: 1\n  b: 2\n", "json.json": "{\"a\": \n", "merge.yaml": "a: 1\n<<: 2\n",
		"second.yaml": "a: 1\n---\nb: 1\nc: {\n", "tab.yaml": "a:\n\tb: 1\n", "twice.yaml": "a: 1\nb: 2\na: 3\n",
	}), "estate", read.FolderOptions{Digest: digest})
	var broken *read.BrokenError
	if !errors.As(err, &broken) {
		t.Fatalf("got %v", err)
	}
	var got []string
	for _, f := range broken.Files {
		got = append(got, fmt.Sprintf("%s:%d", f.File, f.Line))
	}
	want := []string{
		"anchor.yaml:2", "bomb.yaml:2", "circle.yaml:1", "flow.yaml:2", "indent.yaml:2", "json.json:2", "merge.yaml:2",
		"second.yaml:5", "tab.yaml:2", "twice.yaml:3",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("places (-want +got):\n%s\n%v", diff, err)
	}
	if !strings.Contains(err.Error(), "twice.yaml:3: broken YAML: key \"a\" is there twice") || !strings.Contains(err.Error(), "nothing was written") {
		t.Errorf("the error does not say what is wrong: %v", err)
	}
}

func TestBrokenValueIsNotTold(t *testing.T) {
	_, err := read.Folder(t.Context(), fstest.MapFS{"a.yaml": {Data: []byte(object("Secret", "s") + "stringData: {b: !!int swordfish}\n")}},
		"f", read.FolderOptions{Digest: func([]byte) string { return "" }})
	if err == nil || strings.Contains(err.Error(), "swordfish") {
		t.Errorf("got %v", err)
	}
}

func TestFolderSecrets(t *testing.T) {
	const value = "c3dvcmRmaXNo" // swordfish
	secret := object("Secret", "s") + "data: {a: " + value + "}\nstringData: {b: swordfish}\n"
	snapshot := folder(t, map[string]string{
		"a.yaml": secret, "l.yaml": "apiVersion: v1\nkind: SecretList\nitems:\n- metadata: {name: t}\n  data: {a: " + value + "}\n",
		"n.yaml": "apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: SecretList\n  items:\n  - data: {a: " + value + "}\n",
		// With a target, kustomize takes no notice of the kind that a patch says.
		"t/kustomization.yaml": "patches:\n- target: {kind: Secret, name: s}\n  path: p.yaml\n- target: {kind: Secret, name: s}\n  patch: |\n" +
			"    apiVersion: v1\n    kind: Any\n    metadata: {name: any}\n    stringData: {a: swordfish}\n",
		"t/p.yaml": "apiVersion: v1\nkind: Any\nmetadata: {name: any}\ndata: {a: " + value + "}\n",
		"k/kustomization.yaml": "secretGenerator:\n- name: x\n  literals: [a=swordfish]\npatches:\n- patch: |\n    " +
			strings.ReplaceAll(strings.TrimSpace(secret), "\n", "\n    ") + "\n",
	})
	if all := fmt.Sprintf("%#v", snapshot); strings.Contains(all, value) || strings.Contains(all, "swordfish") {
		t.Errorf("a value is in the snapshot: %s", all)
	}
	want := map[string]any{"a": "digest of 9 bytes"}
	if diff := cmp.Diff(want, snapshot.Objects[1].Content["data"]); diff != "" {
		t.Errorf("digests of %s (-want +got):\n%s", snapshot.Objects[1].Ref, diff)
	}
}
