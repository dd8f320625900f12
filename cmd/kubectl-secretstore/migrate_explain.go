package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"secretstore/internal/migrate/model"
	migrationreport "secretstore/internal/migrate/report"
)

// formatMarkdown is the page of the documentation.
const formatMarkdown format = "markdown"

// explainVerb says what codes of findings mean.
type explainVerb struct {
	entries []model.Entry
	format  format
}

func newExplain(p program) *cobra.Command {
	var output string
	cmd := &cobra.Command{
		Use:   "explain [CODE...]",
		Short: "Say what the codes of findings mean, why they matter and what to do",
		Long: "Say what the codes of findings mean, why they matter and what to do. Without a code, all are listed. It " +
			"asks no cluster.",
		Example: `  # One
  kubectl secretstore migrate explain M702`,
		ValidArgs: codes(),
	}
	addFormatFlag(cmd, &output, formatJSON, formatYAML, formatMarkdown)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		verb, err := parseExplain(output, args)
		if err != nil {
			return usage(cmd, err)
		}
		return verb.Run(p)
	}
	return cmd
}

// codes lists all that can be asked for.
func codes() []string {
	var all []string
	for _, e := range model.Catalogue() {
		all = append(all, string(e.Code))
	}
	return all
}

// parseExplain looks the codes up.
func parseExplain(output string, args []string) (explainVerb, error) {
	f, err := parseFormat(output, formatJSON, formatYAML, formatMarkdown)
	if err != nil {
		return explainVerb{}, err
	}
	if len(args) == 0 {
		return explainVerb{model.Catalogue(), f}, nil
	}
	var entries []model.Entry
	for _, arg := range args {
		entry, known := model.Explain(model.Code(strings.ToUpper(arg)))
		if !known {
			return explainVerb{}, fmt.Errorf("there is no code %s: \"kubectl secretstore migrate explain\" lists all", arg)
		}
		entries = append(entries, entry)
	}
	return explainVerb{entries, f}, nil
}

// Run shows them.
func (v explainVerb) Run(p program) error {
	switch {
	case v.format == formatMarkdown:
		_, err := io.WriteString(p.Out, migrationreport.Catalogue())
		return err
	case v.format != formatText:
		return encode(p.Out, v.format, v.entries)
	case len(v.entries) == len(model.Catalogue()):
		return p.print(list(v.entries))
	}
	var texts []string
	for _, e := range v.entries {
		texts = append(texts, migrationreport.Explain(e))
	}
	return p.print(strings.Join(texts, "\n"))
}

// list is a line for each entry.
func list(entries []model.Entry) string {
	lines := []string{"CODE\tSEVERITY\tWHAT IT IS"}
	for _, e := range entries {
		lines = append(lines, fmt.Sprintf("%s\t%s\t%s", e.Code, e.Severity, e.Title))
	}
	return columns(lines)
}
