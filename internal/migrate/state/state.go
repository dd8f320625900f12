// Package state keeps what a migration must remember between runs, in a folder that only its owner may read: the key of
// digests, backups of what was found, and the operator's decisions.
//
// Promises: the folder has mode 0700 and its files 0600; a file is whole or not there, since it is written beside its place and
// renamed; a folder belongs to one cluster, or to one folder of manifests, and is refused for another; no secret value is in it.
// It is made with the first file that is kept in it: a run that fails before, or only looks, leaves nothing behind.
package state

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"sigs.k8s.io/yaml"

	"secretstore/internal/migrate/model"
)

const (
	stateFile = "state.yaml"
	keyFile   = "digest.key"
	keyBytes  = 32
)

// Owner is whose migration a state folder remembers: that of a cluster, or of a folder of manifests.
type Owner struct {
	// Cluster is the UID of the cluster's namespace kube-system; empty for a folder.
	Cluster string `json:"cluster,omitempty"`
	// Folder is the absolute path of the folder of manifests; empty for a cluster.
	Folder string `json:"folder,omitempty"`
}

// String names the owner for people.
func (o Owner) String() string {
	if o.Folder != "" {
		return "the folder " + o.Folder
	}
	return "the cluster whose kube-system has the UID " + o.Cluster
}

// about is the content of state.yaml.
type about struct {
	Owner
	// Version is that of the program which wrote the folder last.
	Version string `json:"version"`
}

// Folder is a state folder that is open.
type Folder struct {
	dir string
	key []byte
	// newKey says that the key is not in the folder yet; about is what state.yaml has to say, nil if it says so already.
	newKey bool
	about  []byte
}

// MismatchError says that a state folder belongs to another cluster or folder.
type MismatchError struct {
	Dir       string
	Has, Want Owner
}

// Error says whose the folder is, and what to do.
func (e *MismatchError) Error() string {
	return fmt.Sprintf("the state folder %s belongs to %s, not to %s: name another one with --state, or look whether you mean "+
		"this cluster", e.Dir, e.Has, e.Want)
}

// Open opens the state folder of an owner, which need not be there yet. version is the program's; chance gives the key of
// digests, once. A folder of another owner is refused by a *MismatchError, one that others may read by an error with the cure.
func Open(dir string, owner Owner, version string, chance io.Reader) (*Folder, error) {
	f := &Folder{dir: dir}
	if err := f.lookAtDir(); err != nil {
		return nil, fmt.Errorf("opening the state folder: %w", err)
	}
	if err := f.claim(owner, version); err != nil {
		return nil, err
	}
	if err := f.readKey(chance); err != nil {
		return nil, fmt.Errorf("opening the state folder: %w", err)
	}
	return f, nil
}

// lookAtDir looks whether a folder that is there is the user's alone.
func (f *Folder) lookAtDir() error {
	info, err := os.Stat(f.dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if isOthers(info) {
		return fmt.Errorf("%s belongs to somebody else, who could read and change what is in it: name another one with --state, or "+
			"run as its owner", f.dir)
	}
	if info.Mode().Perm()&0o077 != 0 {
		return fmt.Errorf("%s may be read by others (mode %04o): chmod 0700 %s, or name another one with --state",
			f.dir, info.Mode().Perm(), f.dir)
	}
	return nil
}

// claim looks whether the folder is the owner's, and keeps what has to be written for it to be.
func (f *Folder) claim(owner Owner, version string) error {
	path := filepath.Join(f.dir, stateFile)
	content, err := os.ReadFile(path)
	if err == nil {
		var has about
		if err := yaml.UnmarshalStrict(content, &has); err != nil {
			return fmt.Errorf("%s is broken: %w; move the folder away, or name another one with --state", path, err)
		}
		if has.Owner != owner {
			return &MismatchError{Dir: f.dir, Has: has.Owner, Want: owner}
		}
		if has.Version == version {
			return nil
		}
	} else if !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("opening the state folder: %w", err)
	}
	content, err = yaml.Marshal(about{owner, version})
	if err != nil {
		return fmt.Errorf("writing %s: %w", path, err)
	}
	f.about = content
	return nil
}

// readKey reads the key of digests, or makes it.
func (f *Folder) readKey(chance io.Reader) error {
	path := filepath.Join(f.dir, keyFile)
	key, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		key = make([]byte, keyBytes)
		if _, err := io.ReadFull(chance, key); err != nil {
			return fmt.Errorf("making the key of digests: %w", err)
		}
		f.newKey, err = true, nil
	}
	if err != nil {
		return err
	}
	if len(key) != keyBytes {
		return fmt.Errorf("%s holds %d bytes instead of %d: remove it; digests of earlier runs cannot be compared then",
			path, len(key), keyBytes)
	}
	f.key = key
	return nil
}

// Digester makes the keyed digests of this migration: HMAC-SHA-256 with the folder's key, in hexadecimal.
func (f *Folder) Digester() model.Digester {
	return func(value []byte) string {
		mac := hmac.New(sha256.New, f.key)
		_, _ = mac.Write(value) // never fails
		return hex.EncodeToString(mac.Sum(nil))
	}
}

// Path is where a file of the folder is, for messages.
func (f *Folder) Path(name string) string { return filepath.Join(f.dir, name) }

// makeDir makes the folder, its key and state.yaml, as far as they are not there. Of two runs at once one makes the key.
func (f *Folder) makeDir() error {
	if err := os.MkdirAll(f.dir, 0o700); err != nil {
		return fmt.Errorf("making the state folder: %w", err)
	}
	if f.newKey {
		if err := f.create(keyFile, f.key); errors.Is(err, fs.ErrExist) {
			return fmt.Errorf("another run made the state folder %s meanwhile: run again", f.dir)
		} else if err != nil {
			return err
		}
		f.newKey = false
	}
	if f.about == nil {
		return nil
	}
	if err := f.put(stateFile, f.about); err != nil {
		return err
	}
	f.about = nil
	return nil
}

// write puts a file in its place, whole or not at all, in a folder that is there after that.
func (f *Folder) write(name string, content []byte) error {
	if err := f.makeDir(); err != nil {
		return err
	}
	return f.put(name, content)
}

// put is write, in a folder that is there.
func (f *Folder) put(name string, content []byte) error {
	temporary, err := f.temporary(name, content)
	if err != nil {
		return err
	}
	if err := os.Rename(temporary, f.Path(name)); err != nil {
		return errors.Join(fmt.Errorf("writing %s: %w", f.Path(name), err), os.Remove(temporary))
	}
	return nil
}

// create is write, but for a file that must not be there yet: fs.ErrExist otherwise.
func (f *Folder) create(name string, content []byte) error {
	temporary, err := f.temporary(name, content)
	if err != nil {
		return err
	}
	if err := errors.Join(os.Link(temporary, f.Path(name)), os.Remove(temporary)); err != nil {
		return fmt.Errorf("writing %s: %w", f.Path(name), err)
	}
	return nil
}

// temporary writes a file of the folder that nobody else writes, with mode 0600, and returns its path.
func (f *Folder) temporary(name string, content []byte) (string, error) {
	file, err := os.CreateTemp(f.dir, "."+name+".*")
	if err != nil {
		return "", fmt.Errorf("writing %s: %w", f.Path(name), err)
	}
	_, err = file.Write(content)
	if err := errors.Join(err, file.Sync(), file.Close()); err != nil {
		return "", errors.Join(fmt.Errorf("writing %s: %w", f.Path(name), err), os.Remove(file.Name()))
	}
	return file.Name(), nil
}
