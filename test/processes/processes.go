// Package processes looks, in tests, for programs that outlive what started them.
package processes

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"secretstore/test/cluster"
)

// orphanVariable makes of a test binary a program that starts something in a folder and waits to be killed.
const orphanVariable = "TEST_ORPHAN_DIR"

// Naming lists the command lines of the running programs that name a folder; none where there is no /proc.
func Naming(t testing.TB, dir string) []string {
	t.Helper()
	files, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, file := range files {
		line, err := os.ReadFile(file) // one that has ended meanwhile is as good as gone; a zombie has an empty line
		if err == nil && strings.Contains(string(line), dir) {
			found = append(found, strings.ReplaceAll(string(line), "\x00", " "))
		}
	}
	return found
}

// Orphan is for TestMain: in a test binary that [EndWithTheirParent] has started it starts something in that test's folder, and
// returns the exit code once its input ends. In any other it does nothing and returns false.
func Orphan(start func(dir string) error) (code int, is bool) {
	dir, is := os.LookupEnv(orphanVariable)
	if !is {
		return 0, false
	}
	if err := start(dir); err != nil {
		fmt.Println(err)
		return 1, true
	}
	fmt.Print("started")
	_, _ = io.Copy(io.Discard, os.Stdin) // which does not end while the test watches
	return 0, true
}

// EndWithTheirParent fails unless the programs that the test binary starts as an [Orphan], want of them, end by themselves when
// that is killed: a test that runs into its time limit stops nothing.
func EndWithTheirParent(t *testing.T, want int) {
	t.Helper()
	dir := t.TempDir()
	parent := exec.CommandContext(t.Context(), os.Args[0])
	parent.Env = append(os.Environ(), orphanVariable+"="+dir)
	stdin, err := parent.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = stdin.Close() }()
	stdout, err := parent.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := parent.Start(); err != nil {
		t.Fatal(err)
	}
	said := make([]byte, len("started"))
	if _, err := io.ReadFull(stdout, said); err != nil || string(said) != "started" {
		t.Fatalf("starting in a child: %q, %v", said, err)
	}
	if running := Naming(t, dir); len(running) != want {
		t.Errorf("while it runs: %d processes, want %d: %s", len(running), want, running)
	}
	if err := parent.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = parent.Wait() // it was killed
	cluster.Eventually(t, 10*time.Second, func() error {
		if left := Naming(t, dir); len(left) > 0 {
			return fmt.Errorf("still running: %s", left)
		}
		return nil
	})
}
