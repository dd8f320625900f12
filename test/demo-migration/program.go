package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

// image is the controller's; nothing pulls it here.
const image = "registry.example.com/secretstore:v1"

// stopTimeout is how long the program may take to end a step that it is at, once it is asked to stop.
const stopTimeout = 20 * time.Second

// program is the path of kubectl-secretstore, state the folder that a migration keeps its state in.
func (d *demo) program() string { return filepath.Join(d.programs, "kubectl-secretstore") }
func (d *demo) state() string   { return filepath.Join(d.dir, "secretstore-migration") }

// runAll are the arguments that take all of a cluster over.
func runAll() []string {
	return []string{"migrate", "run", "--apply", "--yes-irreversible", "--image", image}
}

// call runs the program as the owner would, says so, and returns what it says and its exit code. What it says goes to out as
// well, as it comes.
func (d *demo) call(ctx context.Context, out io.Writer, args ...string) (said string, code int, err error) {
	d.show.Line("    $ kubectl secretstore %s", strings.Join(args, " "))
	if args[0] == "migrate" {
		args = append(slices.Clone(args), "--state", d.state())
	}
	cmd := exec.CommandContext(ctx, d.program(), args...)
	cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + d.dir, "TMPDIR=" + os.TempDir()}, d.world.Environment...)
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = stopTimeout
	var both bytes.Buffer
	cmd.Stdout = io.MultiWriter(&both, out)
	cmd.Stderr = cmd.Stdout // one writer for both, so that the program's lines stay whole
	err = cmd.Run()
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) && ctx.Err() == nil {
		err = nil
	}
	if err != nil {
		return both.String(), -1, fmt.Errorf("running %s: %w", d.program(), err)
	}
	return both.String(), cmd.ProcessState.ExitCode(), nil
}

// failedError is a run of the program that did not end as it should.
func failedError(code int, said string) error {
	lines := strings.Split(strings.TrimSpace(said), "\n")
	const last = 5
	return fmt.Errorf("kubectl secretstore ended with exit code %d, saying last:\n%s",
		code, strings.Join(lines[max(0, len(lines)-last):], "\n"))
}
