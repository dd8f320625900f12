package migration_test

import (
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"secretstore/test/migration/estate"
)

const (
	gitopsDir = "testdata/gitops"
	seedDir   = "testdata/seed"
)

// TestGitOpsFilesCanBeRead parses every YAML and JSON file of the repository but Helm's templates, which must not parse: those are
// what a reader has to refuse.
func TestGitOpsFilesCanBeRead(t *testing.T) {
	var read, refused int
	for _, path := range filesBelow(t, gitopsDir) {
		if !slices.Contains([]string{".yaml", ".yml", ".json"}, filepath.Ext(path)) {
			continue
		}
		err := parse(t, path)
		template := filepath.Base(filepath.Dir(path)) == "templates"
		if template != (err != nil) {
			t.Errorf("%s: template: %t, error: %v", path, template, err)
		}
		read++
		if template {
			refused++
		}
	}
	if read < 20 || refused != 2 {
		t.Errorf("%d files, %d of them templates", read, refused)
	}
}

// parse reads all documents of a file, as YAML.
func parse(t *testing.T, path string) error {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	decoder := yaml.NewDecoder(bytes.NewReader(content))
	for {
		var document yaml.Node
		err := decoder.Decode(&document)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// TestGitOpsFilesKeepTheirForm holds files to what they are there for, which an editor or Git may take from them in silence.
func TestGitOpsFilesKeepTheirForm(t *testing.T) {
	read := func(name string) string {
		content, err := os.ReadFile(filepath.Join(gitopsDir, name))
		if err != nil {
			t.Fatal(err)
		}
		return string(content)
	}
	crlf := read("apps/shipping/crlf.yaml")
	if strings.Count(crlf, "\n") == 0 || strings.Count(crlf, "\n") != strings.Count(crlf, "\r\n") {
		t.Error("crlf.yaml: not every line ends in CRLF")
	}
	if strings.HasSuffix(read("apps/shipping/indent.yaml"), "\n") {
		t.Error("indent.yaml: it ends in a newline")
	}
	anchors := read("apps/payments/anchors.yaml")
	for _, mark := range []string{"&vault", "*vault", "<<: *vault", "&mounts", "*mounts"} {
		if !strings.Contains(anchors, mark) {
			t.Errorf("anchors.yaml: no %s", mark)
		}
	}
	if !strings.Contains(read("apps/my-app/spc.yaml"), "${KUBERNETES_NAMESPACE}") {
		t.Error("spc.yaml: no placeholder")
	}
}

// TestOverlaysBuild builds both overlays and looks for what each alone brings: namespaces, and the credentials that patches put
// into CSI volumes.
func TestOverlaysBuild(t *testing.T) {
	kubectl, err := shared.Binary("kubectl")
	if err != nil {
		t.Fatal(err)
	}
	cases := map[string]struct {
		reason      string
		namespace   string
		credentials []string
	}{
		"staging":    {"a merge patch, an added volume, an inline JSON 6902", "orders-staging", []string{"staging-creds", "staging-creds", "staging-creds"}},
		"production": {"a JSON 6902 file for the Deployment alone", "orders", []string{"production-creds", "secrets-store-creds"}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			var stderr bytes.Buffer
			cmd := exec.CommandContext(t.Context(), kubectl, "kustomize", filepath.Join(gitopsDir, "apps/orders/overlays", name))
			cmd.Stderr = &stderr
			built, err := cmd.Output()
			if err != nil {
				t.Fatalf("%s: %v\n%s", c.reason, err, stderr.String())
			}
			path := filepath.Join(t.TempDir(), "built.yaml")
			if err := os.WriteFile(path, built, 0o600); err != nil {
				t.Fatal(err)
			}
			objects, err := estate.Load(filepath.Dir(path))
			if err != nil {
				t.Fatal(err)
			}
			var credentials []string
			for _, object := range objects {
				if object.GetNamespace() != c.namespace {
					t.Errorf("%s: %s is not in %s", c.reason, estate.Name(object), c.namespace)
				}
				walk(object.Object, func(node map[string]any) {
					if ref, is := node["nodePublishSecretRef"].(map[string]any); is {
						credentials = append(credentials, ref["name"].(string))
					}
				})
			}
			slices.Sort(credentials)
			if diff := cmp.Diff(c.credentials, credentials); diff != "" {
				t.Errorf("%s (-want +got):\n%s", c.reason, diff)
			}
		})
	}
}

// TestBrokenFileSaysItsLine makes sure that the broken file is broken, where its comment says.
func TestBrokenFileSaysItsLine(t *testing.T) {
	err := parse(t, "testdata/broken/deployment.yaml")
	if err == nil || !strings.Contains(err.Error(), "line 14") {
		t.Errorf("its error is %v", err)
	}
	if _, err := estate.Load("testdata/broken"); err == nil || !strings.Contains(err.Error(), "deployment.yaml: document 1") {
		t.Errorf("the estate's reader says %v", err)
	}
}

// TestSeedExamples holds the guide's examples, whose indentation was restored, to their meaning: the paths that tell before from
// after.
func TestSeedExamples(t *testing.T) {
	cases := map[string]struct {
		reason string
		count  int
		has    [][]string // paths that lead to something, by the file's first object
		lacks  []string
	}{
		"before": {
			"a class and a pod that mounts it", 2,
			[][]string{{"SecretProviderClass", "spec", "parameters", "usePodIdentity"}, {"SecretProviderClass", "spec", "parameters", "objects"}, {"Pod", "spec", "volumes"}},
			[]string{"clientID", "secretName"},
		},
		"after": {
			"the class with a client ID, a sync, an account, and the pod in two ways", 5,
			[][]string{
				{"SecretProviderClass", "spec", "parameters", "clientID"},
				{"SecretProviderClass", "spec", "parameters", "tenantID"},
				{"SecretSync", "spec", "secretObject", "data"},
				{"ServiceAccount", "metadata", "namespace"},
				{"Pod", "spec", "containers"},
			},
			[]string{"usePodIdentity", "csi"},
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			objects, err := estate.Load(filepath.Join(seedDir, name))
			if err != nil {
				t.Fatal(err)
			}
			if len(objects) != c.count {
				t.Errorf("%s: %d objects, not %d", c.reason, len(objects), c.count)
			}
			for _, path := range c.has {
				if !slices.ContainsFunc(objects, func(o *unstructured.Unstructured) bool {
					_, found, err := unstructured.NestedFieldNoCopy(o.Object, path[1:]...)
					return o.GetKind() == path[0] && found && err == nil
				}) {
					t.Errorf("%s: nothing at %v", c.reason, path)
				}
			}
			for _, object := range objects {
				walk(object.Object, func(node map[string]any) {
					for _, key := range c.lacks {
						if _, is := node[key]; is {
							t.Errorf("%s: %s has a %s", c.reason, estate.Name(object), key)
						}
					}
				})
			}
		})
	}
}
