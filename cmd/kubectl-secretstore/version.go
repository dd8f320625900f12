package main

import (
	"fmt"
	"io"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// buildVersion is which program this is.
type buildVersion struct {
	Version   string `json:"version"`
	Revision  string `json:"revision,omitempty"`
	Modified  bool   `json:"modified,omitempty"`
	GoVersion string `json:"goVersion"`
	Platform  string `json:"platform"`
}

func newVersion(p program) *cobra.Command {
	var output string
	cmd := &cobra.Command{
		Use:   "version",
		Short: "Say which version this program is",
		Example: `  kubectl secretstore version
  kubectl secretstore version -o json`,
		Args: noArguments,
	}
	addFormatFlag(cmd, &output, formatJSON, formatYAML)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		f, err := parseFormat(output, formatJSON, formatYAML)
		if err != nil {
			return usage(cmd, err)
		}
		info, _ := debug.ReadBuildInfo()
		return versionOf(info).Run(p.Out, f)
	}
	return cmd
}

// versionOf reads what Go's toolchain recorded when the program was built; info is nil if it recorded nothing.
func versionOf(info *debug.BuildInfo) buildVersion {
	v := buildVersion{Version: "unknown", GoVersion: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH}
	if info == nil {
		return v
	}
	if info.Main.Version != "" {
		v.Version = info.Main.Version
	}
	for _, setting := range info.Settings {
		switch setting.Key {
		case "vcs.revision":
			v.Revision = setting.Value
		case "vcs.modified":
			v.Modified = setting.Value == "true"
		}
	}
	return v
}

// Run shows it.
func (v buildVersion) Run(w io.Writer, f format) error {
	if f != formatText {
		return encode(w, f, v)
	}
	text := fmt.Sprintf("kubectl-secretstore %s (%s, %s)", v.Version, v.GoVersion, v.Platform)
	if v.Revision != "" {
		text += " revision " + v.Revision
	}
	if v.Modified {
		text += ", modified"
	}
	_, err := fmt.Fprintln(w, text)
	return err
}

// thisVersion is the version of this program.
func thisVersion() string {
	info, _ := debug.ReadBuildInfo()
	return versionOf(info).Version
}
