package takeover_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"secretstore/test/rig"
	"secretstore/test/rig/connect"
)

// oldPrincipal is the one that the shop reads its vaults by on the old way.
const oldPrincipal = "01d00000-5555-4666-8777-0000000000bb"

// world is a cluster on the old way, connected by Arc, and the operator who takes it over by the program.
type world struct {
	*connect.World

	t       *testing.T
	objects []*unstructured.Unstructured
	state   string // the operator's folder
	program string
	// output is all that the program has said.
	output strings.Builder
}

// newWorld starts a rig with the objects, all of which run.
func newWorld(t *testing.T, objects []*unstructured.Unstructured) *world {
	t.Helper()
	return newWorldOf(t, connect.Options{Objects: objects})
}

// newWorldOf is newWorld with more in Azure, or with objects that do not run.
func newWorldOf(t *testing.T, o connect.Options, unwell ...string) *world {
	t.Helper()
	objects := o.Objects
	w := &world{t: t, objects: objects, state: filepath.Join(t.TempDir(), "state"), program: program(t)}
	began := time.Now()
	var err error
	o.Rig.Programs, o.Rig.Log = programs, t.Output()
	o.Rig.Driver = rig.DriverOptions{OwnersEvery: 500 * time.Millisecond, Identity: rig.Operator(tenant)}
	o.Tenant, o.Dir = tenant, t.TempDir()
	w.World, err = connect.Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.Stop(); err != nil {
			t.Error(err)
		}
	})
	if err := w.Settle(t.Context(), objects, unwell...); err != nil {
		t.Fatal(err)
	}
	t.Logf("the old way runs %.1f s after the start", time.Since(began).Seconds())
	return w
}

// program is the built program.
func program(t *testing.T) string {
	t.Helper()
	path := filepath.Join(programs, "kubectl-secretstore")
	if _, err := os.Stat(path); err == nil {
		return path
	}
	cmd := exec.CommandContext(t.Context(), "go", "build", "-trimpath", "-o", path, "../../cmd/kubectl-secretstore")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("building the program: %v\n%s", err, out)
	}
	return path
}

// answer writes plan.yaml.
func (w *world) answer(answers map[string]string) {
	w.t.Helper()
	var b strings.Builder
	b.WriteString("version: 1\ndecisions:\n")
	for _, id := range slices.Sorted(maps.Keys(answers)) {
		fmt.Fprintf(&b, "  - {id: %q, answer: %q, decided: true}\n", id, answers[id])
	}
	err := errors.Join(os.MkdirAll(w.state, 0o700), os.WriteFile(filepath.Join(w.state, "plan.yaml"), []byte(b.String()), 0o600))
	if err != nil {
		w.t.Fatal(err)
	}
}

// ended is how the program ended: its summary, if it got so far, all that it said, and its exit code.
type ended struct {
	Made   int            `json:"made"`
	Left   []leftStep     `json:"left"`
	Found  int            `json:"found"`
	Fates  map[string]int `json:"fates"`
	Next   []string       `json:"next"`
	Counts struct {
		Total, Translated, NeedsDecision, Blocked, NotInUse int
	} `json:"counts"`
	said string
	code int
}

// leftStep is a step that the program left to somebody.
type leftStep struct {
	ID  string `json:"id"`
	Why string `json:"why"`
}

// migrate runs the program, and returns how it ended.
func (w *world) migrate(args ...string) ended {
	w.t.Helper()
	args = slices.Concat([]string{"migrate"}, args, []string{"-o", "json", "--state", w.state})
	cmd := exec.CommandContext(w.t.Context(), w.program, args...)
	cmd.Env = w.Environment
	var out, said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, io.MultiWriter(&said, w.t.Output())
	began := time.Now()
	err := cmd.Run()
	w.output.Write(slices.Concat(out.Bytes(), said.Bytes()))
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
		w.t.Fatal(err)
	}
	e := w.ended(out.String(), said.String(), cmd.ProcessState.ExitCode())
	w.t.Logf("%s took %.1f s, exit code %d", strings.Join(args[:2], " "), time.Since(began).Seconds(), e.code)
	return e
}

// ended is how the program ended, by what it said.
func (w *world) ended(out, said string, code int) ended {
	w.t.Helper()
	e := ended{said: said, code: code}
	if out != "" {
		if err := json.Unmarshal([]byte(out), &e); err != nil {
			w.t.Fatalf("%v: %s", err, out)
		}
	}
	return e
}

// rightsOf are the roles that a principal has on the vaults, by the vaults' names.
func (w *world) rightsOf(client string) map[string][]string {
	w.t.Helper()
	rights, err := w.RolesOf(w.t.Context(), client, vaultNames(w.objects)...)
	if err != nil {
		w.t.Fatal(err)
	}
	return rights
}

// vaultNames are the vaults that classes name.
func vaultNames(objects []*unstructured.Unstructured) []string {
	var names []string
	for _, o := range objects {
		if name, _, _ := unstructured.NestedString(o.Object, "spec", "parameters", "keyvaultName"); name != "" {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}
