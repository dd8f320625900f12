package chart_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"secretstore/api/secretsync/v1alpha1"
	"secretstore/test/chart"
	"secretstore/test/cluster"
	"secretstore/test/stack"
)

// TestTheControllerRunsByTheChart runs the controller by the chart's settings file and rights, once for the cluster and once for
// one namespace, watching its Secrets or not: it takes its Lease and does its work, and nothing is forbidden to it.
//
//covers:field setting.leaderElection setting.namespaces
func TestTheControllerRunsByTheChart(t *testing.T) {
	programs := buildPrograms(t)
	for name, tc := range map[string]struct {
		narrow   bool
		settings []any
	}{
		"for all namespaces": {},
		"for one":            {narrow: true},
		"watching one":       {narrow: true, settings: []any{"driftDetection", "watch"}},
	} {
		t.Run(name, func(t *testing.T) {
			served, other := newRoom(t), newRoom(t)
			release := chart.Namespace
			if tc.narrow {
				release = installNarrow(t, served.namespace, tc.settings...)
			}
			other.sync(t, "shop")
			served.sync(t, "shop")
			log := startController(t, programs, release)
			cluster.Eventually(t, patience, func() error { return served.judged(t.Context()) })

			var lease coordinationv1.Lease
			key := client.ObjectKey{Namespace: release, Name: chart.Account}
			if err := served.admin.Get(t.Context(), key, &lease); err != nil || lease.Spec.HolderIdentity == nil {
				t.Errorf("the Lease: %+v, %v", lease.Spec, err)
			}
			if err := other.judged(t.Context()); tc.narrow && err == nil {
				t.Error("a namespace is served that was not asked for")
			}
			// So RBAC says no; policies, which refuse what other tests left behind, say it in other words.
			if text := log.String(); strings.Contains(text, "forbidden: User") {
				t.Errorf("the controller lacks a right:\n%s", text)
			}
		})
	}
}

// buildPrograms builds the controller, and returns the folder that it is in.
func buildPrograms(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := stack.Build(t.Context(), dir, false); err != nil {
		t.Fatal(err)
	}
	return dir
}

// judged says whether the controller found that the SecretSync's class is missing, which takes reading and writing.
func (r room) judged(ctx context.Context) error {
	var s v1alpha1.SecretSync
	if err := r.admin.Get(ctx, client.ObjectKey{Namespace: r.namespace, Name: "shop"}, &s); err != nil {
		return err
	}
	if c := meta.FindStatusCondition(s.Status.Conditions, "Create"); c == nil || c.Reason != "ControllerSpcError" {
		return fmt.Errorf("conditions: %+v", s.Status.Conditions)
	}
	return nil
}

// startController runs the controller as a release's pod would, but for the addresses and what own says, and returns what it logs.
func startController(t *testing.T, programs, release string, own ...string) *process {
	t.Helper()
	var config corev1.ConfigMap
	var key corev1.Secret
	admin := newClient(t, shared.Config())
	for name, object := range map[string]client.Object{chart.Account: &config, "secretstore-sync-hash-key": &key} {
		if err := admin.Get(t.Context(), client.ObjectKey{Namespace: release, Name: name}, object); err != nil {
			t.Fatal(err)
		}
	}
	dir := t.TempDir()
	settings, keyFile := filepath.Join(dir, "config.yaml"), filepath.Join(dir, "key")
	for file, text := range map[string][]byte{settings: []byte(config.Data["config.yaml"]), keyFile: key.Data["key"]} {
		if err := os.WriteFile(file, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	kubeconfig := must(shared.KubeconfigFile(release, controllerConfig(t, release)))(t)
	flags := []string{
		"--config", settings, "--kubeconfig", kubeconfig, "--syncHashKeyFile", keyFile, "--metricsBindAddress=0",
		"--healthProbeBindAddress=0",
	}
	ctx, end := context.WithCancel(t.Context())
	p := &process{
		cmd: exec.CommandContext(ctx, filepath.Join(programs, "secretstore-controller"), append(flags, own...)...),
		end: end, ended: make(chan struct{}),
	}
	p.cmd.Stderr = &p.safeBuffer
	p.cmd.Cancel = func() error { return p.cmd.Process.Signal(syscall.SIGTERM) }
	p.cmd.WaitDelay = patience
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(p.ended)
		_ = p.cmd.Wait()
	}()
	t.Cleanup(func() {
		end()
		<-p.ended
		if t.Failed() {
			t.Log(p)
		}
	})
	return p
}

// process is a controller that runs, with what it logs.
type process struct {
	safeBuffer

	cmd   *exec.Cmd
	end   context.CancelFunc // asks it to end
	ended chan struct{}      // is closed when it has
}

// safeBuffer is written by a process while a test reads it.
type safeBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *safeBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *safeBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}
