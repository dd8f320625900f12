package estate

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

func TestLoad(t *testing.T) {
	pod := "apiVersion: v1\nkind: Pod\nmetadata: {name: %, namespace: shop}\n"
	named := func(name string) string { return strings.ReplaceAll(pod, "%", name) }
	cases := map[string]struct {
		reason string
		files  map[string]string
		want   []string
		err    string // part of the error
	}{
		"order": {
			reason: "files by their path, documents as they stand", files: map[string]string{"b.yaml": named("c"), "a/x.yaml": named("a") + "---\n" + named("b")},
			want: []string{"Pod shop/a", "Pod shop/b", "Pod shop/c"},
		},
		"empty": {
			reason: "comments, empty documents and other files are nothing", want: []string{"Namespace shop"},
			files: map[string]string{"a.yaml": "# one\n---\n---\napiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n---\n# end\n", "README.md": "text"},
		},
		"syntax":  {reason: "file and document are named", files: map[string]string{"a.yaml": named("a") + "---\na: [\n"}, err: "a.yaml: document 2: "},
		"twice":   {reason: "a key that is there twice is a mistake", files: map[string]string{"a.yaml": named("a") + "kind: Pod\n"}, err: "a.yaml: document 1: "},
		"no kind": {reason: "a document that is no object is a mistake", files: map[string]string{"a.yaml": "a: b\n"}, err: "is missing"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			for path, content := range c.files {
				path = filepath.Join(dir, path)
				if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			objects, err := Load(dir)
			if c.err != "" {
				if err == nil || !strings.Contains(err.Error(), c.err) {
					t.Errorf("%s: error %v, want %q", c.reason, err, c.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, object := range objects {
				got = append(got, Name(object))
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", c.reason, diff)
			}
		})
	}
}

func TestResolve(t *testing.T) {
	cases := map[string]struct {
		reason string
		said   []string
		live   UIDs
		path   string // a text of the object
		want   string // what becomes of it
		ready  bool
	}{
		"nobody":   {"nothing is mentioned", []string{"own"}, UIDs{}, "/var/x", "/var/x", true},
		"live":     {"within a text too", []string{"own", "pod"}, UIDs{"pod": "1234"}, "/pods/pod-uid=pod/x", "/1234s/1234-uid=1234/x", true},
		"not yet":  {"the pod was not written yet", []string{"own", "pod"}, UIDs{}, "/pods/pod/x", "", false},
		"its own":  {"who mentions itself can never be written", []string{"own"}, UIDs{}, "/own", "", false},
		"somebody": {"what no manifest says is left alone", []string{"own"}, UIDs{}, "/pods/dead", "/pods/dead", true},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			object := &unstructured.Unstructured{Object: map[string]any{"kind": "Pod", "metadata": map[string]any{"uid": "own"}, "path": c.path}}
			a := applier{live: c.live, said: map[string]bool{}}
			for _, uid := range c.said {
				a.said[uid] = true
			}
			resolved, ready, err := a.resolve(object)
			if err != nil {
				t.Fatal(err)
			}
			if ready != c.ready {
				t.Fatalf("%s: ready is %t", c.reason, ready)
			}
			if ready && (resolved.Object["path"] != c.want || resolved.GetUID() != "") {
				t.Errorf("%s: %v", c.reason, resolved.Object)
			}
			if object.GetUID() != "own" || object.Object["path"] != c.path {
				t.Errorf("%s: the manifest was changed: %v", c.reason, object.Object)
			}
		})
	}
}

func TestCyclesAreTold(t *testing.T) {
	one := func(name, uid, mentions string) *unstructured.Unstructured {
		return &unstructured.Unstructured{Object: map[string]any{
			"kind": "Pod", "metadata": map[string]any{"name": name, "uid": uid}, "mentions": mentions,
		}}
	}
	a := applier{live: UIDs{}, said: map[string]bool{"u1": true, "u2": true}}
	err := a.all(t.Context(), []*unstructured.Unstructured{one("a", "u1", "u2"), one("b", "u2", "u1")})
	if err == nil || !strings.Contains(err.Error(), "applying Pod a: it refers by UID") {
		t.Errorf("the error is %v", err)
	}
}
