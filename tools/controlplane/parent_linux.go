package main

import (
	"fmt"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// parentVariable names the environment variable that holds the process ID of a parent which this process must not outlive.
const parentVariable = "CONTROLPLANE_PARENT"

// endWithParent asks the kernel to kill this process when its parent dies, if the environment says which parent that is. A
// test binary that is killed or runs into its time limit cannot stop what it started.
func endWithParent() error {
	value, asked := os.LookupEnv(parentVariable)
	if !asked {
		return nil
	}
	parent, err := strconv.Atoi(value)
	if err != nil {
		return fmt.Errorf("%s=%q is not a process ID", parentVariable, value)
	}
	if err := unix.Prctl(unix.PR_SET_PDEATHSIG, uintptr(unix.SIGKILL), 0, 0, 0); err != nil {
		return fmt.Errorf("asking to end with the parent: %w", err)
	}
	// The parent may have died before the kernel was asked; whoever is the parent then is another process.
	if os.Getppid() != parent {
		return fmt.Errorf("the parent, process %d, is gone", parent)
	}
	return nil
}
