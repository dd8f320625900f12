package stack

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// stopTimeout is how long a program may take to end after it was asked to.
const stopTimeout = 10 * time.Second

// Process is a program that runs until it is stopped. What it prints goes into a file.
type Process struct {
	name string
	log  string
	cmd  *exec.Cmd
	done chan error
}

// startProcess starts a program of the given name with its output in dir. It is asked to end when ctx does.
func startProcess(ctx context.Context, dir, path string, env []string, args ...string) (*Process, error) {
	name := filepath.Base(path)
	p := &Process{name: name, log: filepath.Join(dir, name+".log"), done: make(chan error, 1)}
	out, err := os.OpenFile(p.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("opening the log of %s: %w", name, err)
	}
	defer func() { _ = out.Close() }() // the child has its own descriptor
	p.cmd = exec.CommandContext(ctx, path, args...)
	p.cmd.Env = append(os.Environ(), env...)
	p.cmd.Stdout, p.cmd.Stderr = out, out
	p.cmd.Cancel = func() error { return p.cmd.Process.Signal(syscall.SIGTERM) }
	p.cmd.WaitDelay = stopTimeout
	endWithParent(p.cmd)
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("starting %s: %w", name, err)
	}
	go func() { p.done <- p.cmd.Wait() }()
	return p, nil
}

// Log returns what the process has printed so far.
func (p *Process) Log() string {
	text, err := os.ReadFile(p.log)
	if err != nil {
		return err.Error()
	}
	return string(text)
}

// PID is the process's ID.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Ended returns an error that says why, if the process has ended by itself.
func (p *Process) Ended() error {
	select {
	case err := <-p.done:
		p.done <- err
		return fmt.Errorf("%s ended (%w); it printed last:\n%s", p.name, errOrNone(err), p.tail())
	default:
		return nil
	}
}

var errNone = errors.New("without an error")

func errOrNone(err error) error {
	if err == nil {
		return errNone
	}
	return err
}

// tail is the end of the log.
func (p *Process) tail() string {
	const lines = 10
	all := strings.Split(strings.TrimSpace(p.Log()), "\n")
	return strings.Join(all[max(0, len(all)-lines):], "\n")
}

// Stop asks the process to end and waits for it; one that does not end in time is killed, and that is an error.
func (p *Process) Stop() error {
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("stopping %s: %w", p.name, err)
	}
	deadline := time.NewTimer(stopTimeout)
	defer deadline.Stop()
	select {
	case err := <-p.done:
		p.done <- err
		return nil
	case <-deadline.C:
		_ = p.cmd.Process.Kill() // it may have ended just now
		p.done <- <-p.done
		return fmt.Errorf("%s did not end within %v and was killed; it printed last:\n%s", p.name, stopTimeout, p.tail())
	}
}

// Kill ends the process without a word, as a crash would.
func (p *Process) Kill() error {
	if err := p.cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("killing %s: %w", p.name, err)
	}
	p.done <- <-p.done
	return nil
}
