package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// module writes a module with one program and returns the builder that builds it.
func module(t *testing.T, body string) builder {
	t.Helper()
	root := t.TempDir()
	b := builder{
		target: target{name: "tiny", pattern: []string{"."}, links: []string{"alias"}},
		source: filepath.Join(root, "tools", "tiny"), out: filepath.Join(root, "bin", "tiny"), now: time.Now,
	}
	if err := os.MkdirAll(b.source, 0o700); err != nil {
		t.Fatal(err)
	}
	write(t, b, "go.mod", "module tiny\n\ngo 1.26.0\n")
	write(t, b, "main.go", "package main\n\nfunc main() {"+body+"}\n")
	return b
}

// write writes a file of the module.
func write(t *testing.T, b builder, name, content string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(b.source, name), []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

// builtAt says when the program was built.
func builtAt(t *testing.T, b builder) time.Time {
	t.Helper()
	info, err := os.Stat(filepath.Join(b.out, "alias")) // through the link
	if err != nil {
		t.Fatal(err)
	}
	return info.ModTime()
}

func TestBuildsOnlyWhatChanged(t *testing.T) {
	b := module(t, "")
	if err := b.build(t.Context()); err != nil {
		t.Fatal(err)
	}
	first := builtAt(t, b)
	if err := b.build(t.Context()); err != nil {
		t.Fatal(err)
	}
	if again := builtAt(t, b); !again.Equal(first) {
		t.Errorf("an unchanged module was built again, at %s after %s", again, first)
	}
	write(t, b, "main.go", `package main; func main() { println("new") }`)
	if err := b.build(t.Context()); err != nil {
		t.Fatal(err)
	}
	if changed := builtAt(t, b); changed.Equal(first) {
		t.Error("a changed module was not built again")
	}
}

func TestFailedBuildLeavesNoStamp(t *testing.T) {
	b := module(t, "")
	if err := b.build(t.Context()); err != nil {
		t.Fatal(err)
	}
	write(t, b, "main.go", "package main; func main() { nonsense }")
	if err := b.build(t.Context()); err == nil || !strings.Contains(err.Error(), "undefined: nonsense") {
		t.Errorf("got %v, want the compiler's own words", err)
	}
	if _, err := os.Stat(filepath.Join(b.out, "stamp")); err == nil {
		t.Error("the stamp of the older program stayed: the next build would be taken for done")
	}
}

func TestOutputTellsPackagesFromMessages(t *testing.T) {
	var o buildOutput
	for _, piece := range []string{"go: downloading x.test/a v1.0.0\nx.test/a\nx.te", "st/b\n# x.test/c\nc.go:1:2: undefined: d\n"} {
		if _, err := o.Write([]byte(piece)); err != nil {
			t.Fatal(err)
		}
	}
	if got, want := o.progress(), "1 modules downloaded, 2 packages compiled"; got != want {
		t.Errorf("progress: got %q, want %q", got, want)
	}
	if got, want := o.messages(), "# x.test/c\nc.go:1:2: undefined: d\n"; got != want {
		t.Errorf("messages: got %q, want %q", got, want)
	}
}

func TestRunRefusesUnknownTargets(t *testing.T) {
	err := run(t.Context(), []string{"kernel"})
	if err == nil || !strings.Contains(err.Error(), "there are controlplane, kwok, programs, generate, lint") {
		t.Errorf("got %v, want the list of targets", err)
	}
}
