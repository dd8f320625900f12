// Command testsummary runs "go test" and writes what a reader of a log wants: one line for each package, the output of what
// failed, and one line in the end that counts passed and failed tests. It exits with 1 if anything failed, or if nothing was
// tested.
//
// Usage: testsummary FOLDER [ARGUMENT OF GO TEST]…
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
)

func main() {
	if err := run(context.Background(), os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "testsummary:", err)
		os.Exit(1)
	}
}

// run tests and summarizes.
func run(ctx context.Context, args []string, w io.Writer) error {
	if len(args) == 0 {
		return errors.New("usage: testsummary FOLDER [ARGUMENT OF GO TEST]…")
	}
	cmd := exec.CommandContext(ctx, "go", append([]string{"test", "-json"}, args[1:]...)...) //nolint:gosec // its user's own
	cmd.Dir = args[0]
	cmd.Stderr = os.Stderr
	events, err := cmd.StdoutPipe()
	if err != nil {
		return fmt.Errorf("connecting to go test: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("starting go test: %w", err)
	}
	s, err := summarize(events, w)
	if err != nil {
		return err
	}
	_, _ = fmt.Fprintln(w, s)
	// Both are asked: go test may fail before there is any event, and a summary may see what go test calls a success.
	if err := cmd.Wait(); err != nil {
		return fmt.Errorf("go test: %w", err)
	}
	if !s.ok() {
		return errors.New("something failed, or nothing was tested")
	}
	return nil
}
