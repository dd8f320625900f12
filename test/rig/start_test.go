package rig_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"secretstore/test/cluster"
	"secretstore/test/rig"
)

// orphanVariable makes of the test binary a program that starts a rig in a folder, says so, and waits.
const orphanVariable = "RIG_TEST_ORPHAN"

func TestMain(m *testing.M) {
	if dir := os.Getenv(orphanVariable); dir != "" {
		os.Exit(runOrphan(dir))
	}
	os.Exit(m.Run())
}

func runOrphan(dir string) int {
	if _, err := rig.Start(context.Background(), rig.Options{Dir: dir}); err != nil {
		fmt.Println(err)
		return 1
	}
	fmt.Print("started")
	_, _ = io.Copy(io.Discard, os.Stdin) // until the parent goes
	return 0
}

// processes lists the running programs that name a folder on their command lines.
func processes(t *testing.T, dir string) []string {
	t.Helper()
	lines, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, line := range lines {
		text, err := os.ReadFile(line)
		if err == nil && strings.Contains(string(text), dir) {
			found = append(found, strings.ReplaceAll(string(text), "\x00", " "))
		}
	}
	return found
}

// programs is how many a rig without an emulator runs: etcd, kube-apiserver, kube-controller-manager, kube-scheduler, kwok.
const programs = 5

func TestStopLeavesNothing(t *testing.T) {
	r, err := rig.Start(t.Context(), rig.Options{Log: t.Output()})
	if err != nil {
		t.Fatal(err)
	}
	if running := processes(t, r.Cluster.Dir()); runtime.GOOS == "linux" && len(running) != programs {
		t.Errorf("%d programs run: %s", len(running), running)
	}
	started := time.Now()
	if err := r.Stop(); err != nil {
		t.Fatal(err)
	}
	t.Logf("stopped in %.1f s", time.Since(started).Seconds())
	if left := processes(t, r.Cluster.Dir()); len(left) > 0 {
		t.Errorf("after Stop: %s", left)
	}
	if _, err := os.Stat(r.Cluster.Dir()); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("after Stop: the folder: %v, want it gone", err)
	}
}

// A test binary that is killed stops nothing: its children must notice by themselves, kwok too.
func TestChildrenEndWithTheirParent(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Log("the kernel does not offer it: nothing to check")
		return
	}
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
		t.Fatalf("starting a rig in a child: %q, %v", said, err)
	}
	if running := processes(t, dir); len(running) != programs {
		t.Errorf("%d programs run: %s", len(running), running)
	}
	if err := parent.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = parent.Wait() // it was killed
	cluster.Eventually(t, 10*time.Second, func() error {
		if left := processes(t, dir); len(left) > 0 {
			return fmt.Errorf("still running: %s", left)
		}
		return nil
	})
}
