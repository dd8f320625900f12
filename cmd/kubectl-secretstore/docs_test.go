package main

import (
	"context"
	"encoding/json"
	"maps"
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

const page = "../../docs/reference/kubectl-secretstore.md"

func readPage(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// section is the part of the page about a verb.
func section(t *testing.T, verb string) string {
	t.Helper()
	_, rest, found := strings.Cut(readPage(t), "\n## "+verb+"\n")
	if !found {
		t.Fatalf("%s has no section %q", page, verb)
	}
	text, _, _ := strings.Cut(rest, "\n## ")
	return text
}

// verbs are the program's own.
func verbs() []*cobra.Command {
	p, _, _ := streams()
	return newRoot(p).Commands()
}

// flagsOf are the flags of a verb, those of the verbs below it included: one section tells of them all.
func flagsOf(verb *cobra.Command) map[string]bool {
	all := map[string]bool{}
	verb.Flags().VisitAll(func(flag *pflag.Flag) {
		if !flag.Hidden && flag.Name != "context" && flag.Name != "kubeconfig" && flag.Name != "namespace" {
			all[flag.Name] = true
		}
	})
	for _, below := range verb.Commands() {
		maps.Copy(all, flagsOf(below))
	}
	return all
}

// TestEveryFlagIsDocumented: the page tells of every verb and flag that help shows, and of no others.
func TestEveryFlagIsDocumented(t *testing.T) {
	t.Parallel()
	mention := regexp.MustCompile("`(?:-[a-zA-Z], )?--([a-z-]+)`")
	for _, verb := range verbs() {
		want, got := flagsOf(verb), map[string]bool{}
		for line := range strings.SplitSeq(section(t, verb.Name()), "\n") {
			if match := mention.FindStringSubmatch(line); match != nil && strings.HasPrefix(line, "| `-") {
				got[match[1]] = true
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("flags of %s (-program +page):\n%s", verb.Name(), diff)
		}
	}
}

// TestEveryFieldIsDocumented: the page promises each field of the output for programs.
func TestEveryFieldIsDocumented(t *testing.T) {
	t.Parallel()
	for verb, values := range map[string][]any{
		"status": {report{}, entry{}, counts{}}, "jitter": {jitterReport{}}, "version": {buildVersion{}},
	} {
		text := section(t, verb)
		for _, value := range values {
			for field := range reflect.TypeOf(value).Fields() {
				name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
				if !strings.Contains(text, "`"+name+"`") {
					t.Errorf("the section on %s says nothing of the field %s", verb, name)
				}
			}
		}
	}
}

// TestExamplesParse: what help and page show as examples is understood; that it works, the scripts show.
func TestExamplesParse(t *testing.T) {
	t.Parallel()
	p, _, _ := streams()
	text := newRoot(p).Example + "\n" + readPage(t)
	for _, verb := range verbs() {
		text += "\n" + verb.Example
		for _, below := range verb.Commands() {
			text += "\n" + below.Example
		}
	}
	examples := regexp.MustCompile(`(?m)^ *kubectl secretstore (.*?)(?: *[|>#].*)?$`).FindAllStringSubmatch(text, -1)
	if len(examples) < 15 {
		t.Fatalf("only %d examples were found: the test would show nothing", len(examples))
	}
	for _, example := range examples {
		verb, args, err := newRoot(p).Find(strings.Fields(example[1]))
		if err != nil || !verb.HasParent() {
			t.Errorf("%s: no such verb (%v)", example[0], err)
			continue
		}
		if err := verb.ParseFlags(args); err != nil {
			t.Errorf("%s: %v", example[0], err)
		}
	}
}

// TestJitterOnThePage: the figures on the page are those that the program computes.
func TestJitterOnThePage(t *testing.T) {
	t.Parallel()
	rows := regexp.MustCompile(`(?m)^\| ([\d,]+) \| (\d+) \| ([\d,]+) s \|`).FindAllStringSubmatch(section(t, "jitter"), -1)
	if len(rows) < 3 {
		t.Fatalf("only %d rows were found", len(rows))
	}
	for _, row := range rows {
		p, out, errOut := streams()
		args := []string{"jitter", "--clusters", strings.ReplaceAll(row[1], ",", ""), "--secrets", row[2], "-o", "json"}
		if code := execute(context.Background(), args, p); code != 0 {
			t.Fatalf("%v: %s", args, errOut)
		}
		var got struct{ JitterSeconds json.Number }
		if err := json.Unmarshal(out.Bytes(), &got); err != nil {
			t.Fatal(err)
		}
		if want := strings.ReplaceAll(row[3], ",", ""); got.JitterSeconds.String() != want {
			t.Errorf("%v: %s s, the page says %s", args, got.JitterSeconds, want)
		}
	}
}
