package write

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Commit writes files below a folder. All of them are written under other names first, so that a full disk or a missing
// right leaves every file as it was; then each takes its name. Permissions of files that exist are kept, and a file that is a
// link is written where it leads to.
func Commit(folder string, r Result) (err error) {
	var pending []pendingFile
	defer func() {
		for _, p := range pending {
			err = errors.Join(err, p.drop())
		}
	}()
	for _, name := range r.Names() {
		p, err := prepare(filepath.Join(folder, filepath.FromSlash(name)), r.Files[name])
		if p.temporary != "" {
			pending = append(pending, p)
		}
		if err != nil {
			return err
		}
	}
	for _, p := range pending {
		if err := os.Rename(p.temporary, p.target); err != nil {
			return fmt.Errorf("replacing a file: %w", err)
		}
	}
	return nil
}

// pendingFile is a file that is written, but does not have its name yet.
type pendingFile struct{ temporary, target string }

// drop removes what did not get its name.
func (p pendingFile) drop() error {
	if err := os.Remove(p.temporary); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("removing a temporary file: %w", err)
	}
	return nil
}

// prepare writes a file's content beside the file, to the disk.
func prepare(target string, content []byte) (pendingFile, error) {
	const ordinary, folders = 0o644, 0o755
	mode := fs.FileMode(ordinary)
	if behind, err := filepath.EvalSymlinks(target); err == nil {
		target = behind
	}
	if info, err := os.Stat(target); err == nil {
		mode = info.Mode().Perm()
	}
	if err := os.MkdirAll(filepath.Dir(target), folders); err != nil {
		return pendingFile{}, fmt.Errorf("making a folder: %w", err)
	}
	f, err := os.CreateTemp(filepath.Dir(target), "."+filepath.Base(target)+".*")
	if err != nil {
		return pendingFile{}, fmt.Errorf("writing a file: %w", err)
	}
	p := pendingFile{f.Name(), target}
	_, err = f.Write(content)
	if err = errors.Join(err, f.Chmod(mode), f.Sync(), f.Close()); err != nil {
		return p, fmt.Errorf("writing %s: %w", target, err)
	}
	return p, nil
}
