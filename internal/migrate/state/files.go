package state

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"sigs.k8s.io/yaml"
)

// openOwn opens a file of the folder for writing, and makes it where there is none. A link is not followed: a folder that came
// out of an archive may hold one to anywhere.
func (f *Folder) openOwn(name string, flags int) (*os.File, error) {
	path := f.Path(name)
	if info, err := os.Lstat(path); err == nil && !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is no file (%s): look what it is, and remove it", path, info.Mode().Type())
	}
	return os.OpenFile(path, flags|os.O_CREATE, 0o600)
}

// SaveObject keeps an object as a file of the folder, by its name. It is on the disk when SaveObject returns.
func (f *Folder) SaveObject(name string, object map[string]any) error {
	text, err := yaml.Marshal(object)
	if err != nil {
		return fmt.Errorf("writing %s: %w", f.Path(name), err)
	}
	return f.write(name, text)
}

// SaveFiles keeps files, named by paths, in a folder of the folder's, which holds nothing else afterwards, and returns its path.
// Without files there is no such folder.
func (f *Folder) SaveFiles(folder string, files map[string][]byte) (string, error) {
	dir := f.Path(folder)
	if err := f.makeDir(); err != nil {
		return "", err
	}
	if err := os.RemoveAll(dir); err != nil {
		return "", fmt.Errorf("writing %s: %w", dir, err)
	}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if !filepath.IsLocal(name) {
			return "", fmt.Errorf("writing %s: %s leads out of it", dir, name)
		}
		path := filepath.Join(dir, filepath.FromSlash(name))
		err := os.MkdirAll(filepath.Dir(path), 0o700)
		if err = errors.Join(err, os.WriteFile(path, files[name], fs.FileMode(0o600))); err != nil {
			return "", fmt.Errorf("writing %s: %w", path, err)
		}
	}
	if len(files) == 0 {
		return "", nil
	}
	return dir, nil
}
