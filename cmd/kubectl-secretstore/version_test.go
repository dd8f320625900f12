package main

import (
	"bytes"
	"runtime"
	"runtime/debug"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestVersionOf(t *testing.T) {
	t.Parallel()
	setting := func(key, value string) debug.BuildSetting { return debug.BuildSetting{Key: key, Value: value} }
	platform := " (" + runtime.Version() + ", " + runtime.GOOS + "/" + runtime.GOARCH + ")"
	for name, tc := range map[string]struct {
		reason string
		info   *debug.BuildInfo
		want   string
	}{
		"Nothing": {"a program built without modules still answers", nil, "unknown" + platform},
		"Empty":   {"so does one built of a bare tree", &debug.BuildInfo{}, "unknown" + platform},
		"Release": {"a release says which", &debug.BuildInfo{Main: debug.Module{Version: "v1.2.3"}}, "v1.2.3" + platform},
		"Commit": {
			"a build of a commit says which", &debug.BuildInfo{
				Main: debug.Module{Version: "(devel)"}, Settings: []debug.BuildSetting{setting("vcs.revision", "abc"), setting("vcs.modified", "false")},
			}, "(devel)" + platform + " revision abc",
		},
		"Modified": {
			"and whether it is that commit", &debug.BuildInfo{
				Main: debug.Module{Version: "(devel)"}, Settings: []debug.BuildSetting{setting("vcs.revision", "abc"), setting("vcs.modified", "true")},
			}, "(devel)" + platform + " revision abc, modified",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var out bytes.Buffer
			if err := versionOf(tc.info).Run(&out, formatText); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff("kubectl-secretstore "+tc.want+"\n", out.String()); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tc.reason, diff)
			}
		})
	}
}
