package stack

import (
	"os/exec"
	"syscall"
)

// endWithParent ends the program when this process dies, however it dies, and keeps Ctrl-C, which reaches the whole
// foreground group, from ending it before its turn.
func endWithParent(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
}
