package takeover_test

import (
	"bytes"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"secretstore/test/cluster"
	"secretstore/test/migration/estate"
)

// words is what a program says, while it says it.
type words struct {
	mu   sync.Mutex
	text bytes.Buffer
}

// Write implements io.Writer.
func (w *words) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.text.Write(p)
}

// String is all of it until now.
func (w *words) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.text.String()
}

// attempt is a run of the program that goes on.
type attempt struct {
	w         *world
	cmd       *exec.Cmd
	out, said words
	exited    chan error
}

// begin starts the program as an operator whose environment has something more, in place of what it had.
func (w *world) begin(env []string, args ...string) *attempt {
	w.t.Helper()
	return w.beginAs(w.state, env, w.program, args...)
}

// beginAs starts the program by a path, which may be of one that runs it, with a state folder.
func (w *world) beginAs(state string, env []string, path string, args ...string) *attempt {
	w.t.Helper()
	a := &attempt{w: w, exited: make(chan error, 1)}
	words := strings.Fields(path)
	words = slices.Concat(words, []string{"migrate"}, args, []string{"-o", "json", "--state", state})
	a.cmd = exec.CommandContext(w.t.Context(), words[0], words[1:]...)
	a.cmd.Env = slices.Concat(w.Environment, env)
	a.cmd.Stdout, a.cmd.Stderr = &a.out, io.MultiWriter(&a.said, w.t.Output())
	if err := a.cmd.Start(); err != nil {
		w.t.Fatal(err)
	}
	go func() { a.exited <- a.cmd.Wait() }()
	return a
}

// awaitWords waits until it has said something. It fails the test if it ends before.
func (a *attempt) awaitWords(text string) {
	a.w.t.Helper()
	ended := false
	cluster.Eventually(a.w.t, patience, func() error {
		if ended = len(a.exited) > 0; ended || strings.Contains(a.said.String(), text) {
			return nil
		}
		return unsaidError(text)
	})
	if ended && !strings.Contains(a.said.String(), text) {
		a.w.t.Fatalf("it ended and did not say %q", text)
	}
}

type unsaidError string

func (e unsaidError) Error() string { return "it has not said " + string(e) }

// end waits for its end, and says how it ended.
func (a *attempt) end() ended {
	a.w.t.Helper()
	err := <-a.exited
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
		a.w.t.Fatal(err)
	}
	a.w.t.Logf("exit code %d", a.cmd.ProcessState.ExitCode())
	a.w.output.WriteString(a.out.String() + a.said.String())
	return a.w.ended(a.out.String(), a.said.String(), a.cmd.ProcessState.ExitCode())
}

// kill ends it without a word.
func (a *attempt) kill() {
	a.w.t.Helper()
	_ = a.cmd.Process.Kill() // it may have ended
	<-a.exited
	a.w.output.WriteString(a.out.String() + a.said.String())
}

// expect fails unless a run ended with an exit code and said all of something.
func (e ended) expect(t *testing.T, code int, said ...string) {
	t.Helper()
	if e.code != code {
		t.Errorf("exit code %d, want %d", e.code, code)
	}
	for _, text := range said {
		if !strings.Contains(e.said, text) {
			t.Errorf("it does not say %q", text)
		}
	}
	if t.Failed() {
		t.Fatalf("it said:\n%s", e.said)
	}
}

// load reads a folder of manifests.
func load(t *testing.T, dir string) []*unstructured.Unstructured {
	t.Helper()
	objects, err := estate.Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	return objects
}

// partOfTheShop are the objects of some of the shop's namespaces.
func partOfTheShop(t *testing.T, namespaces ...string) []*unstructured.Unstructured {
	t.Helper()
	return slices.DeleteFunc(load(t, shopDir), func(o *unstructured.Unstructured) bool {
		return !slices.Contains(namespaces, o.GetNamespace()) && !slices.Contains(namespaces, o.GetName())
	})
}
