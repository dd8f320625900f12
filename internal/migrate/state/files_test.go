package state_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

// TestSaveFiles: files of a folder within the folder are the owner's alone, those of an earlier run are gone, and no name leads out.
func TestSaveFiles(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "state")
	f := open(t, dir)
	for _, files := range []map[string][]byte{{"old": nil}, {"shop/app.yaml": []byte("a"), "apply.sh": []byte("b")}} {
		if path, err := f.SaveFiles("left", files); err != nil || path != filepath.Join(dir, "left") {
			t.Fatal(path, err)
		}
	}
	info, err := os.Stat(filepath.Join(dir, "left", "shop", "app.yaml"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("got %v, %v", info, err)
	}
	if _, err := os.Stat(filepath.Join(dir, "left", "old")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("an earlier run's file is still there: %v", err)
	}
	if _, err := f.SaveFiles("left", map[string][]byte{"../plan.yaml": nil}); err == nil {
		t.Error("a name led out of the folder")
	}
	if path, err := f.SaveFiles("left", nil); err != nil || path != "" {
		t.Error(path, err)
	}
	if _, err := os.Stat(filepath.Join(dir, "left")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the folder is left although there is nothing in it: %v", err)
	}
}
