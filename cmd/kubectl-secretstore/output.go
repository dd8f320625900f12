package main

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"k8s.io/cli-runtime/pkg/printers"
	"sigs.k8s.io/yaml"
)

// format is a value of -o.
type format string

// The formats. The empty one is text.
const (
	formatText format = ""
	formatWide format = "wide"
	formatJSON format = "json"
	formatYAML format = "yaml"
)

// addFormatFlag adds -o with the formats that a verb knows besides text.
func addFormatFlag(cmd *cobra.Command, into *string, formats ...format) {
	names := make([]string, 0, len(formats))
	for _, f := range formats {
		names = append(names, string(f))
	}
	cmd.Flags().StringVarP(into, "output", "o", "", "output format: "+strings.Join(names, ", "))
	// Fails only if there is no such flag.
	_ = cmd.RegisterFlagCompletionFunc("output", cobra.FixedCompletions(names, cobra.ShellCompDirectiveNoFileComp))
}

// parseFormat checks the value of -o.
func parseFormat(text string, formats ...format) (format, error) {
	if f := format(text); f == formatText || slices.Contains(formats, f) {
		return f, nil
	}
	return "", fmt.Errorf("-o %s is no output format: there are %v", text, formats)
}

// encode writes a value for programs to read.
func encode(w io.Writer, f format, value any) error {
	if f == formatYAML {
		text, err := yaml.Marshal(value)
		if err != nil {
			return fmt.Errorf("encoding the output: %w", err)
		}
		_, err = w.Write(text)
		return err
	}
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "    ") // as kubectl does
	return encoder.Encode(value)
}

// print writes text for people to standard output, with what came from the cluster made harmless to a terminal.
func (p program) print(text string) error {
	_, err := io.WriteString(p.Out, printers.EscapeTerminal(text))
	return err
}

// note writes text for people to standard error. If that fails there is nobody to tell.
func (p program) note(text string) {
	_, _ = io.WriteString(p.ErrOut, printers.EscapeTerminal(text)+"\n")
}

// columns aligns lines whose cells are parted by tabs.
func columns(lines []string) string {
	var b strings.Builder
	w := printers.GetNewTabWriter(&b)
	_, _ = io.WriteString(w, strings.Join(lines, "\n")+"\n") // a strings.Builder takes everything
	_ = w.Flush()
	return b.String()
}

// oneLine keeps a text from afar from ending its line or cell.
func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }

// plural is a number with its noun, of which there may be one.
func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
