//go:build linux || darwin

package state

import (
	"errors"
	"fmt"
	"os"
	"syscall"
)

// errLocked says that somebody else has a file locked.
var errLocked = errors.New("locked")

// lockFileOf locks a file until it is closed, and says which it is of all of this machine.
func lockFileOf(file *os.File) (string, error) {
	err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return "", errLocked
	}
	if err != nil {
		return "", err
	}
	info, err := file.Stat()
	if err != nil {
		return "", err
	}
	stat, known := info.Sys().(*syscall.Stat_t)
	if !known {
		return "", errors.ErrUnsupported
	}
	return fmt.Sprintf("%d %d", stat.Dev, stat.Ino), nil
}

// isOthers tells what does not belong to who runs this program.
func isOthers(info os.FileInfo) bool {
	stat, known := info.Sys().(*syscall.Stat_t)
	return known && int(stat.Uid) != os.Geteuid()
}
