package state

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
)

// lockFile is locked by whoever works with the folder, and says who that is.
const lockFile = "lock"

// InUseError says that another run works with a state folder.
type InUseError struct {
	// Dir is the folder, Who the other run as it calls itself, empty if that is not known.
	Dir, Who string
}

// Error names the other, and what to do.
func (e *InUseError) Error() string {
	who := e.Who
	if who == "" {
		who = "another run"
	}
	return fmt.Sprintf("%s works with the state folder %s: wait until that is done, or end it there", who, e.Dir)
}

// A Lock keeps other runs from a state folder until it is released, or its process ends, however it ends.
type Lock struct {
	file *os.File
	id   string
}

// Lock locks the folder for a run that calls itself who. If another run has it the error is an *InUseError. Where files cannot be
// locked the Lock holds nothing and has no ID.
func (f *Folder) Lock(who string) (*Lock, error) {
	if err := f.makeDir(); err != nil {
		return nil, err
	}
	file, err := f.openOwn(lockFile, os.O_RDWR)
	if err != nil {
		return nil, fmt.Errorf("locking the state folder: %w", err)
	}
	place, err := lockFileOf(file)
	switch {
	case errors.Is(err, errLocked):
		const longest = 500
		name, _ := io.ReadAll(io.LimitReader(file, longest)) // without it the other has no name
		return nil, errors.Join(&InUseError{Dir: f.dir, Who: strings.TrimSpace(string(name))}, file.Close())
	case err != nil:
		return &Lock{file: file}, nil //nolint:nilerr // the file system has no locks: the Lease alone keeps runs apart
	}
	// The name is for others to read. On a full disk there is none.
	if err := file.Truncate(0); err == nil {
		_, _ = file.WriteAt([]byte(who+"\n"), 0)
	}
	return &Lock{file: file, id: f.lockID(place)}, nil
}

// lockID tells this very file, on this machine, from all others, and tells nobody anything else.
func (f *Folder) lockID(place string) string {
	host, err := os.Hostname()
	if err != nil {
		return ""
	}
	mac := hmac.New(sha256.New, f.key)
	_, _ = fmt.Fprintf(mac, "lock %q %s", host, place)
	return hex.EncodeToString(mac.Sum(nil)[:6])
}

// ID is the same for all runs with the same folder on the same machine, of which one is alive at a time, and no others: a
// copy of the folder has another. It is empty where that cannot be known.
func (l *Lock) ID() string { return l.id }

// Release lets others have the folder.
func (l *Lock) Release() error { return l.file.Close() }
