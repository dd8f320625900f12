package main

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"secretstore/internal/jitter"
)

// What a verb is run with is a value; these are the values. What is refused, and in which words, testdata/usage.txtar specifies.

func TestParseStatus(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		reason string
		flags  status
		args   []string
		output string
		want   status
		fails  string
	}{
		"Nothing":  {reason: "nothing means the namespace, as text", want: status{}},
		"Names":    {reason: "names are sorted, and each once", args: []string{"b", "a", "b"}, want: status{selection: selection{names: []string{"a", "b"}}}},
		"All":      {reason: "flags pass", flags: status{selection: selection{allNamespaces: true, selector: "a=b"}, check: true}, output: "json", want: status{selection: selection{allNamespaces: true, selector: "a=b"}, check: true, format: formatJSON}},
		"Format":   {reason: "formats are those listed", output: "name", fails: "no output format"},
		"Selector": {reason: "selectors are checked", flags: status{selection: selection{selector: "=="}}, fails: "no label selector"},
		"Both":     {reason: "names are of one namespace", flags: status{selection: selection{allNamespaces: true}}, args: []string{"a"}, fails: "-n instead of -A"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := tc.flags.parse(tc.args, tc.output)
			checkParsed(t, tc.reason, tc.want, got, tc.fails, err)
		})
	}
}

func TestParseForce(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		reason      string
		flags       force
		args        []string
		wait, timed bool
		want        force
		fails       string
	}{
		"Name":      {reason: "without --wait there is no timeout", args: []string{"a"}, want: force{selection: selection{names: []string{"a"}}}},
		"Wait":      {reason: "with it there is", args: []string{"a"}, wait: true, want: force{selection: selection{names: []string{"a"}}, timeout: time.Minute}},
		"All":       {reason: "everything must be asked for", flags: force{all: true}, want: force{all: true}},
		"Selected":  {reason: "a selector is enough", flags: force{selection: selection{selector: "a=b"}}, want: force{selection: selection{selector: "a=b"}}},
		"Nothing":   {reason: "nothing is not everything", fails: "--all"},
		"Both":      {reason: "names and everything contradict each other", flags: force{all: true}, args: []string{"a"}, fails: "not both"},
		"Timeout":   {reason: "a timeout without --wait would do nothing", args: []string{"a"}, timed: true, fails: "--wait"},
		"NoTimeout": {reason: "nor would one of no length", flags: force{timeout: -1}, args: []string{"a"}, wait: true, fails: "longer than nothing"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if tc.flags.timeout == 0 {
				tc.flags.timeout = defaultTimeout
			}
			got, err := tc.flags.parse(tc.args, tc.wait, tc.timed)
			checkParsed(t, tc.reason, tc.want, got, tc.fails, err)
		})
	}
}

func TestParseJitter(t *testing.T) {
	t.Parallel()
	fleet := jitter.Fleet{Clusters: 700, Secrets: 30, Limit: 400, Risk: 1e-4}
	for name, tc := range map[string]struct {
		reason string
		fleet  jitter.Fleet
		output string
		want   jitterVerb
		fails  string
	}{
		"Good":   {"the figures pass", fleet, "wide", jitterVerb{fleet: fleet, format: formatWide}, ""},
		"Format": {"the format is checked", fleet, "xml", jitterVerb{}, "no output format"},
		"Fleet":  {"so is the fleet", jitter.Fleet{}, "", jitterVerb{}, "clusters is 0"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := jitterVerb{fleet: tc.fleet}.parse(tc.output)
			checkParsed(t, tc.reason, tc.want, got, tc.fails, err)
		})
	}
}

func checkParsed[T any](t *testing.T, reason string, want, got T, fails string, err error) {
	t.Helper()
	if (err == nil) != (fails == "") || err != nil && !strings.Contains(err.Error(), fails) {
		t.Fatalf("%s: error %v, want one that says %q", reason, err, fails)
	}
	exported := cmp.AllowUnexported(status{}, force{}, selection{}, jitterVerb{})
	if diff := cmp.Diff(want, got, exported); diff != "" {
		t.Errorf("%s (-want +got):\n%s", reason, diff)
	}
}
