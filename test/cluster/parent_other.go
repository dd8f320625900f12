//go:build !linux

package cluster

import "syscall"

// endWithParent has nothing to offer on this system: a program outlives a parent that is killed.
func endWithParent(*syscall.SysProcAttr) {}
