package cluster_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"secretstore/test/cluster"
	"secretstore/test/processes"
)

func TestStopLeavesNothing(t *testing.T) {
	t.Parallel()
	c, err := cluster.Start(t.Context(), cluster.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if running := processes.Naming(t, c.Dir()); runtime.GOOS == "linux" && len(running) != 3 {
		t.Errorf("while it runs: %d processes, want 3: %s", len(running), running)
	}
	if err := c.Stop(); err != nil {
		t.Fatal(err)
	}
	if left := processes.Naming(t, c.Dir()); len(left) > 0 {
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
	processes.EndWithTheirParent(t, 3)
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
