package install

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// planned is the command as the plan has it.
func planned() []string {
	return strings.Fields("helm upgrade --install secretstore charts/secretstore --namespace s --create-namespace " +
		"--set image.repository=${R} --set image.digest=${D} --set namespaces={a,b}")
}

func TestCommandAndParse(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "values.yaml")
	if err := os.WriteFile(file, []byte("workers: 3\nimage: {repository: of-the-file, pullPolicy: Always}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	namespaces := []any{"a", "b"}
	for name, c := range map[string]struct {
		reason, values, image string
		want                  map[string]any
	}{
		"nothing given": {reason: "the plan's own", want: map[string]any{
			"namespaces": namespaces, "image": map[string]any{"repository": "${R}", "digest": "${D}"},
		}},
		"a tag": {reason: "a registry's port is none", image: "r:5000/s:v1", want: map[string]any{
			"namespaces": namespaces, "image": map[string]any{"repository": "r:5000/s", "tag": "v1"},
		}},
		"a digest": {reason: "it wins", image: "r:5000/s@sha256:aa", want: map[string]any{
			"namespaces": namespaces, "image": map[string]any{"repository": "r:5000/s", "digest": "sha256:aa"},
		}},
		"a file": {reason: "it may name the image", values: file, want: map[string]any{
			"namespaces": namespaces, "workers": 3.0, "image": map[string]any{"repository": "of-the-file", "pullPolicy": "Always"},
		}},
		"both": {reason: "a setting wins over a file", values: file, image: "r", want: map[string]any{
			"namespaces": namespaces, "workers": 3.0, "image": map[string]any{"repository": "r", "pullPolicy": "Always"},
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, err := parse(Command(planned(), c.values, c.image))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(Release{Name: "secretstore", Namespace: "s", Values: c.want}, r); diff != "" {
				t.Errorf("%s (-want +got):\n%s", c.reason, diff)
			}
		})
	}
	if _, err := parse(Command(planned(), file+".none", "")); err == nil {
		t.Error("a file that is not there is taken for an empty one")
	}
}
