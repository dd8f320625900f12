//go:build unix

package cluster

import "syscall"

// ownGroup keeps a terminal's Ctrl-C from reaching a child, which must outlive its parent's orderly end.
func ownGroup() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }
