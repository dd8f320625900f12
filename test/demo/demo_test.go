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
	"secretstore/test/processes"
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
	out := &narrator.Watched{Text: "the SecretSync is ready", Seen: cancel}
	err := run(ctx, narrator.Plain(out), false)
	if err == nil || !strings.Contains(err.Error(), context.Canceled.Error()) {
		t.Errorf("an interrupted demo ends with %v", err)
	}
	left, globErr := filepath.Glob(filepath.Join(os.TempDir(), "secretstore-*"))
	if globErr != nil || len(left) > 0 {
		t.Errorf("it left %v behind, %v", left, globErr)
	}
	if running := processes.Naming(t, os.Getenv("TMPDIR")); len(running) > 0 {
		t.Errorf("it left running: %s", running)
	}
}

func TestKeepStaysUntilInterrupted(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	out := &narrator.Watched{Text: "/admin/requests", Seen: cancel}
	if err := run(ctx, narrator.Plain(out), true); err != nil {
		t.Fatalf("%v; it said:\n%s", err, out.String())
	}
	for _, text := range []string{"kubeconfig: /", "emulator:   https://127.0.0.1:", "get secretsync -A"} {
		if !strings.Contains(out.String(), text) {
			t.Errorf("a demo that stays does not say %q", text)
		}
	}
}
