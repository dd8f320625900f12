package cluster_test

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

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"secretstore/test/cluster"
)

// orphanVariable makes this test binary a process that starts a cluster and waits to be killed.
const orphanVariable = "CLUSTER_TEST_ORPHAN_DIR"

// runOrphan starts a cluster in dir and waits until its input ends, which it does not while the test watches.
func runOrphan(dir string) int {
	if _, err := cluster.Start(context.Background(), cluster.Options{Dir: dir}); err != nil {
		fmt.Println(err)
		return 1
	}
	fmt.Println("started")
	_, _ = io.Copy(io.Discard, os.Stdin)
	return 0
}

// processes lists the command lines of all processes that mention dir: those of a cluster hold its data there.
func processes(t *testing.T, dir string) []string {
	t.Helper()
	if runtime.GOOS != "linux" {
		return nil
	}
	paths, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, path := range paths {
		line, err := os.ReadFile(path) // one that has ended meanwhile is as good as gone; a zombie has an empty line
		if err == nil && strings.Contains(string(line), dir) {
			found = append(found, strings.ReplaceAll(string(line), "\x00", " "))
		}
	}
	return found
}

func TestStopLeavesNothing(t *testing.T) {
	t.Parallel()
	c, err := cluster.Start(t.Context(), cluster.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if running := processes(t, c.Dir()); runtime.GOOS == "linux" && len(running) != 3 {
		t.Errorf("while it runs: %d processes, want 3: %s", len(running), running)
	}
	if err := c.Stop(); err != nil {
		t.Fatal(err)
	}
	if left := processes(t, c.Dir()); len(left) > 0 {
		t.Errorf("after Stop: %s", left)
	}
	if _, err := os.Stat(c.Dir()); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("after Stop: the temporary folder: %v, want it gone", err)
	}
}

func TestAPIServerComesBack(t *testing.T) {
	t.Parallel()
	c, err := cluster.Start(t.Context(), cluster.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Stop(); err != nil {
			t.Error(err)
		}
	})
	namespace := c.Namespace(t)
	client, err := kubernetes.NewForConfig(c.Config())
	if err != nil {
		t.Fatal(err)
	}
	if err := c.StopAPIServer(); err != nil {
		t.Fatal(err)
	}
	if _, err := client.CoreV1().Namespaces().Get(t.Context(), namespace, metav1.GetOptions{}); err == nil {
		t.Error("it answers while it is stopped")
	}
	if err := c.StartAPIServer(); err != nil {
		t.Fatal(err)
	}
	if _, err := client.CoreV1().Namespaces().Get(t.Context(), namespace, metav1.GetOptions{}); err != nil {
		t.Errorf("reading by the same client what was written before: %v", err)
	}
	c.Namespace(t) // needs kube-controller-manager to have found the API server again
}

// A test binary that runs into its time limit, or is killed, stops nothing: its children must notice by themselves.
func TestChildrenEndWithTheirParent(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" || os.Getenv("KUBEBUILDER_ASSETS") != "" {
		t.Log("only this repository's own binaries end with their parent, and only on Linux: nothing to check")
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
		t.Fatalf("starting a cluster in a child: %q, %v", said, err)
	}
	if running := processes(t, dir); len(running) != 3 {
		t.Fatalf("while it runs: %d processes, want 3: %s", len(running), running)
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

// Whoever has no binaries, or broken ones, must read what to do.
func TestStartSaysWhatIsWrong(t *testing.T) {
	broken := t.TempDir()
	for _, name := range []string{"etcd", "kube-apiserver"} {
		script := "#!/bin/sh\necho this " + name + " is broken\nexit 1\n"
		if err := os.WriteFile(filepath.Join(broken, name), []byte(script), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	tests := map[string]struct{ reason, assets, want string }{
		"Missing": {reason: "a folder without binaries", assets: t.TempDir(), want: "KUBEBUILDER_ASSETS must name a folder"},
		"Broken":  {reason: "a program that ends at once shows its log", assets: broken, want: "this etcd is broken"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Setenv("KUBEBUILDER_ASSETS", test.assets)
			_, err := cluster.Start(t.Context(), cluster.Options{})
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("%s: got %v, want an error with %q", test.reason, err, test.want)
			}
		})
	}
}
