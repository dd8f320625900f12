//go:build long

package main

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"secretstore/test/narrator"
	"secretstore/test/processes"
	"secretstore/test/stack"
)

// programs builds all that the demo runs.
func programs(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := stack.Build(t.Context(), dir, false); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "go", "build", "-trimpath", "-o", dir+"/", "../../cmd/kubectl-secretstore")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("building kubectl-secretstore: %v\n%s", err, out)
	}
	return dir
}

// TestDemo runs the demo as "make demo-migration KEEP=1" does, until it stays, and looks at what it says.
func TestDemo(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	out := &narrator.Watched{Text: "what the way back would be", Seen: cancel}
	if err := run(ctx, narrator.Plain(out), options{keep: true, programs: programs(t)}); err != nil {
		t.Fatalf("%v; it said:\n%s", err, out.String())
	}
	said := out.String()
	for _, text := range []string{
		"class web-files, class web-signing", "SecretProviderClassPodStatus", "M202 needs-decision", "→ recreate:", "Stage cleanup (",
		"403 Forbidden", "\n    0 steps made", "0 lost", "kubeconfig: /", "migrate rollback --state",
		"\n  moved:", "\n  accounted:", "\n  watched:", "\n  old way:", "\n  compared:", "\n  shut:", "\n  again:", "\n  rotated:",
	} {
		if !strings.Contains(said, text) {
			t.Errorf("the demo does not say %q:\n%s", text, said)
		}
	}
	for _, value := range []string{"canary", "PRIVATE KEY", "\033["} {
		if strings.Contains(said, value) {
			t.Errorf("the demo says %q:\n%s", value, said)
		}
	}
	nothingLeft(t)
}

// TestInterrupt ends the demo while the program is at work, as Ctrl-C does.
func TestInterrupt(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	out := &narrator.Watched{Text: "Stage workloads (", Seen: cancel}
	err := run(ctx, narrator.Plain(out), options{programs: programs(t)})
	if err == nil || !strings.Contains(err.Error(), context.Canceled.Error()) {
		t.Errorf("an interrupted demo ends with %v", err)
	}
	nothingLeft(t)
}

// TestFailureSaysWhereTheLogsAre has no program to run.
func TestFailureSaysWhereTheLogsAre(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	err := run(t.Context(), narrator.Plain(&bytes.Buffer{}), options{programs: t.TempDir()})
	left, globErr := filepath.Glob(filepath.Join(os.TempDir(), "secretstore-demo-migration-*"))
	if err == nil || globErr != nil || len(left) != 1 || !strings.Contains(err.Error(), left[0]) {
		t.Errorf("it ends with %v, and leaves %v", err, left)
	}
	if running := processes.Naming(t, os.TempDir()); len(running) > 0 {
		t.Errorf("it left running: %s", running)
	}
}

// nothingLeft looks for folders and processes of the demo.
func nothingLeft(t *testing.T) {
	t.Helper()
	left, err := filepath.Glob(filepath.Join(os.TempDir(), "secretstore-*"))
	if err != nil || len(left) > 0 {
		t.Errorf("it left %v behind, %v", left, err)
	}
	if running := processes.Naming(t, os.TempDir()); len(running) > 0 {
		t.Errorf("it left running: %s", running)
	}
}
