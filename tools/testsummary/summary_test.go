package main

import (
	"io"
	"strings"
	"testing"
)

func TestSummarize(t *testing.T) {
	tests := map[string]struct {
		reason, events, wantOutput, wantLine string
		wantOK                               bool
	}{
		"Passed": {
			reason: "a green package is one line, whatever its tests printed",
			events: `{"Action":"run","Package":"p","Test":"TestA"}
{"Action":"output","Package":"p","Test":"TestA","Output":"=== RUN   TestA\n"}
{"Action":"output","Package":"p","Test":"TestA","Output":"chatter\n"}
{"Action":"pass","Package":"p","Test":"TestA"}
{"Action":"output","Package":"p","Output":"PASS\n"}
{"Action":"output","Package":"p","Output":"ok  \tp\t0.1s\n"}
{"Action":"pass","Package":"p"}`,
			wantOutput: "ok  \tp\t0.1s\n", wantLine: "1 passed, 0 failed in 1 packages", wantOK: true,
		},
		"Failed": {
			reason: "of what failed the output is shown, and of nothing else",
			events: `{"Action":"output","Package":"p","Test":"TestA","Output":"fine\n"}
{"Action":"output","Package":"p","Test":"TestB","Output":"b.go:1: broken\n"}
{"Action":"fail","Package":"p","Test":"TestB"}
{"Action":"pass","Package":"p","Test":"TestA"}
{"Action":"skip","Package":"p","Test":"TestC"}
{"Action":"output","Package":"p","Output":"FAIL\n"}
{"Action":"output","Package":"p","Output":"FAIL\tp\t0.1s\n"}
{"Action":"fail","Package":"p"}`,
			wantOutput: "b.go:1: broken\nFAIL\tp\t0.1s\n", wantLine: "1 passed, 1 failed, 1 skipped in 1 packages, 1 of which failed",
		},
		"DoesNotCompile": {
			reason: "a package that does not compile fails without a test",
			events: `{"Action":"build-output","ImportPath":"p","Output":"p.go:1: undefined: x\n"}
{"Action":"build-fail","ImportPath":"p"}
{"Action":"output","Package":"p","Output":"FAIL\tp [build failed]\n"}
{"Action":"fail","Package":"p","FailedBuild":"p"}`,
			wantOutput: "p.go:1: undefined: x\nFAIL\tp [build failed]\n", wantLine: "0 passed, 0 failed in 1 packages, 1 of which failed",
		},
		"Nothing": {reason: "a run that tests nothing is not a success", events: "", wantLine: "0 passed, 0 failed in 0 packages"},
		"NoEvent": {
			reason: "what go says outside of events is shown", events: "go: no module",
			wantOutput: "go: no module\n", wantLine: "0 passed, 0 failed in 0 packages",
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			var output strings.Builder
			s, err := summarize(strings.NewReader(test.events), &output)
			if err != nil {
				t.Fatal(err)
			}
			if output.String() != test.wantOutput || s.String() != test.wantLine || s.ok() != test.wantOK {
				t.Errorf("%s: got output %q, line %q, ok %t; want %q, %q, %t",
					test.reason, output.String(), s, s.ok(), test.wantOutput, test.wantLine, test.wantOK)
			}
		})
	}
}

func TestRunFailsWhenGoTestDoes(t *testing.T) {
	dir := t.TempDir()
	tests := map[string]struct {
		reason string
		args   []string
		want   string // in the error; empty if it must succeed
	}{
		"NoFolder": {reason: "a call without arguments says what they are", want: "usage:"},
		"NoModule": {reason: "go test can fail without any event", args: []string{dir, "./..."}, want: "go test: exit status"},
		"BadFlag":  {reason: "so does a flag that it does not know", args: []string{".", "-nonsense"}, want: "go test: exit status"},
		"NoTests":  {reason: "a package whose tests are all left out passes", args: []string{".", "-run", "^$"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			err := run(t.Context(), test.args, io.Discard)
			if (err == nil) != (test.want == "") || (err != nil && !strings.Contains(err.Error(), test.want)) {
				t.Errorf("%s: got %v, want %q", test.reason, err, test.want)
			}
		})
	}
}
