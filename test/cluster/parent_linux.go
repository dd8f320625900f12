package cluster

import "syscall"

// endWithParent has the kernel kill a child when this process dies, however it dies. The programs of tools/controlplane ask for
// that themselves; others do not.
func endWithParent(attributes *syscall.SysProcAttr) { attributes.Pdeathsig = syscall.SIGKILL }
