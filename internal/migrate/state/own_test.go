//go:build linux || darwin

package state_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"secretstore/internal/migrate/state"
)

// TestLinksAreNotFollowed: a folder that came out of somebody's archive does not make this program write elsewhere.
func TestLinksAreNotFollowed(t *testing.T) {
	t.Parallel()
	for name, use := range map[string]func(*state.Folder) error{
		"lock":          func(f *state.Folder) error { _, err := f.Lock("me"); return err },
		"journal.jsonl": func(f *state.Folder) error { _, _, err := f.OpenJournal(); return err },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir, elsewhere := filepath.Join(t.TempDir(), "state"), filepath.Join(t.TempDir(), "precious")
			f := open(t, dir)
			if err := os.WriteFile(elsewhere, []byte("precious"), 0o600); err != nil {
				t.Fatal(err)
			}
			if err := os.Symlink(elsewhere, filepath.Join(dir, name)); err != nil {
				t.Fatal(err)
			}
			if err := use(f); err == nil || !strings.Contains(err.Error(), "is no file") {
				t.Errorf("a link is followed: %v", err)
			}
			if content, err := os.ReadFile(elsewhere); err != nil || string(content) != "precious" {
				t.Errorf("what it leads to holds %q: %v", content, err)
			}
		})
	}
}

// TestFolderOfSomebodyElse: whoever owns the folder could read what is written into it, and say what was done.
func TestFolderOfSomebodyElse(t *testing.T) {
	t.Parallel()
	dir := "/" // which is root's
	if os.Geteuid() == 0 {
		dir = filepath.Join(t.TempDir(), "state")
		open(t, dir)
		if err := os.Chown(dir, 4711, 4711); err != nil {
			t.Fatal(err)
		}
	}
	_, err := state.Open(dir, state.Owner{Cluster: "uid"}, "v1", chance(1))
	if err == nil || !strings.Contains(err.Error(), "somebody else") {
		t.Errorf("it is opened: %v", err)
	}
}
