package state_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"secretstore/internal/migrate/state"
)

// TestLock: one run at a time has a folder, the second is told who, and a copy of the folder is another.
func TestLock(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "state")
	f := open(t, dir)
	first, err := f.Lock("alice@laptop, process 1")
	if err != nil {
		t.Fatal(err)
	}
	_, err = open(t, dir).Lock("bob@laptop, process 2")
	used, is := errors.AsType[*state.InUseError](err)
	if !is || used.Who != "alice@laptop, process 1" || used.Dir != dir {
		t.Errorf("the second is not refused by the first's name: %v", err)
	}
	if err := first.Release(); err != nil {
		t.Fatal(err)
	}
	again, err := open(t, dir).Lock("bob@laptop, process 2")
	if err != nil || again.ID() != first.ID() || first.ID() == "" {
		t.Errorf("IDs %q and %q: %v", first.ID(), again.ID(), err)
	}
	other := dir + "-copy"
	if err := os.CopyFS(other, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(other, 0o700); err != nil {
		t.Fatal(err)
	}
	copied, err := open(t, other).Lock("carol@laptop, process 3")
	if err != nil || copied.ID() == first.ID() {
		t.Errorf("the copy has the ID %q: %v", copied.ID(), err)
	}
	for _, lock := range []*state.Lock{again, copied} {
		if err := lock.Release(); err != nil {
			t.Error(err)
		}
	}
}
