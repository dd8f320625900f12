package migration_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"secretstore/test/migration/estate"
)

// row is one trap of a fixture's README: what shows it, and how that must end.
type row struct {
	trap, outcome string
	shownBy       []string
}

// outcomes are the ends of an object that a table may name; a dash stands for rows about no object that is migrated.
var outcomes = []string{"translated", "needs-decision", "blocked", "not-in-use", "–"}

// readTable reads the rows of a README's tables that have four columns, the objects or files being those in backticks in one of
// them.
func readTable(t *testing.T, path string, shownBy, trap int) []row {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	quoted := regexp.MustCompile("`([^`]+)`")
	var rows []row
	for line := range strings.Lines(string(content)) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		if len(cells) != 4 || strings.HasPrefix(cells[0], "---") || strings.TrimSpace(cells[2]) == "outcome" {
			continue
		}
		r := row{trap: strings.TrimSpace(cells[trap]), outcome: strings.TrimSpace(cells[2])}
		for _, match := range quoted.FindAllStringSubmatch(cells[shownBy], -1) {
			r.shownBy = append(r.shownBy, match[1])
		}
		rows = append(rows, r)
	}
	return rows
}

// TestEstatesTableIsTrue holds the table to the manifests, both ways: what it names is there, and what uses the driver is named.
func TestEstatesTableIsTrue(t *testing.T) {
	there := map[string]*unstructured.Unstructured{}
	for _, object := range loadEstate(t) {
		there[estate.Name(object)] = object
	}
	named := map[string]bool{}
	for _, r := range readTable(t, filepath.Join(estateDir, "README.md"), 1, 0) {
		if !slices.Contains(outcomes, r.outcome) {
			t.Errorf("%q: %q is no outcome", r.trap, r.outcome)
		}
		for _, name := range r.shownBy {
			named[name] = true
			if there[name] == nil {
				t.Errorf("%q: there is no %s", r.trap, name)
			}
		}
	}
	if len(named) == 0 {
		t.Fatal("the table names nothing")
	}
	for name, object := range there {
		uses := object.GetKind() == "SecretProviderClass" || object.GetKind() == "SecretProviderClassPodStatus" ||
			len(volumeNames(object)) > 0 || object.GetLabels()["secrets-store.csi.k8s.io/managed"] != ""
		if uses && !named[name] {
			t.Errorf("%s is not in the table", name)
		}
	}
}

// TestGitOpsTableIsTrue holds the other table to the files, both ways.
func TestGitOpsTableIsTrue(t *testing.T) {
	named := map[string]bool{}
	for _, r := range readTable(t, filepath.Join(gitopsDir, "README.md"), 0, 1) {
		if !slices.Contains(outcomes, r.outcome) {
			t.Errorf("%q: %q is no outcome", r.trap, r.outcome)
		}
		for _, name := range r.shownBy {
			named[name] = true
		}
	}
	for _, path := range filesBelow(t, gitopsDir) {
		name, err := filepath.Rel(gitopsDir, path)
		if err != nil {
			t.Fatal(err)
		}
		if !named[filepath.ToSlash(name)] && name != "README.md" {
			t.Errorf("%s is not in the table", name)
		}
		delete(named, filepath.ToSlash(name))
	}
	for name := range named {
		t.Errorf("there is no %s", name)
	}
}

// filesBelow lists the files of a folder, sorted.
func filesBelow(t *testing.T, dir string) []string {
	t.Helper()
	var paths []string
	if err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			paths = append(paths, path)
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return paths
}
