//go:build !linux && !darwin

package state

import (
	"errors"
	"os"
)

// errLocked says that somebody else has a file locked.
var errLocked = errors.New("locked")

// lockFileOf locks nothing: there is no lock here that ends with its process for sure.
func lockFileOf(*os.File) (string, error) { return "", errors.ErrUnsupported }

// isOthers tells nothing: who may do what with a folder is said by lists here, not by an owner.
func isOthers(os.FileInfo) bool { return false }
