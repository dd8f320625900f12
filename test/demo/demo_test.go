package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"secretstore/test/narrator"
)

// TestDemo runs the demo as "make demo" does, and looks at what it says.
func TestDemo(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	if err := run(t.Context(), narrator.Plain(&out), false); err != nil {
		t.Fatalf("%v; it said:\n%s", err, out.String())
	}
	said := out.String()
	for _, text := range []string{
		"my-app-secrets   True    Synced", "my-app-secrets   True    Stale", "vault my-key-vault could not be reached",
		"\n  synced:", "\n  compared:", "\n  rotated:", "\n  survived:", "\n  asked:",
	} {
		if !strings.Contains(said, text) {
			t.Errorf("the demo does not say %q:\n%s", text, said)
		}
	}
	if strings.Contains(said, "the value of my-secret") {
		t.Errorf("the demo shows a value:\n%s", said)
	}
}

// TestInterrupt ends the demo in the middle, as Ctrl-C does.
func TestInterrupt(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	out := &watched{text: "the SecretSync is ready", seen: cancel}
	err := run(ctx, narrator.Plain(out), false)
	if err == nil || !strings.Contains(err.Error(), context.Canceled.Error()) {
		t.Errorf("an interrupted demo ends with %v", err)
	}
	left, globErr := filepath.Glob(filepath.Join(os.TempDir(), "secretstore-*"))
	if globErr != nil || len(left) > 0 {
		t.Errorf("it left %v behind, %v", left, globErr)
	}
	noProcessLeft(t, os.Getenv("TMPDIR"))
}

// noProcessLeft looks for processes whose command line names the folder.
func noProcessLeft(t *testing.T, dir string) {
	t.Helper()
	files, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil || len(files) == 0 {
		t.Logf("no /proc to look at: %v", err)
		return
	}
	for _, file := range files {
		if line, err := os.ReadFile(file); err == nil && strings.Contains(string(line), dir) {
			t.Errorf("a process is left: %s", strings.ReplaceAll(string(line), "\x00", " "))
		}
	}
}

// watched calls seen when a text is written to it.
type watched struct {
	bytes.Buffer
	text string
	seen func()
}

// Write implements io.Writer.
func (w *watched) Write(p []byte) (int, error) {
	if strings.Contains(string(p), w.text) {
		w.seen()
	}
	return w.Buffer.Write(p)
}

func TestKeepStaysUntilInterrupted(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	out := &watched{text: "/admin/requests", seen: cancel}
	if err := run(ctx, narrator.Plain(out), true); err != nil {
		t.Fatalf("%v; it said:\n%s", err, out.String())
	}
	for _, text := range []string{"kubeconfig: /", "emulator:   https://127.0.0.1:", "get secretsync -A"} {
		if !strings.Contains(out.String(), text) {
			t.Errorf("a demo that stays does not say %q", text)
		}
	}
}
