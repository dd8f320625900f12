// Command reference writes a Markdown page for each CustomResourceDefinition: its fields, their types, limits and
// meanings. The definitions are themselves generated from the Go types, so that the pages cannot say another thing than
// the API server does.
//
// Usage: reference OUTPUT-FOLDER DEFINITION.yaml…
package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"sigs.k8s.io/yaml"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "reference:", err)
		os.Exit(1)
	}
}

// run writes one page for each definition, named after its kind.
func run(args []string) error {
	if len(args) < 2 {
		return errors.New("usage: reference OUTPUT-FOLDER DEFINITION.yaml…")
	}
	if err := os.MkdirAll(args[0], 0o755); err != nil { //nolint:gosec // documentation is for all to read
		return fmt.Errorf("making the folder: %w", err)
	}
	for _, file := range args[1:] {
		content, err := os.ReadFile(file)
		if err != nil {
			return fmt.Errorf("reading a definition: %w", err)
		}
		var d definition
		if err := yaml.Unmarshal(content, &d); err != nil {
			return fmt.Errorf("decoding %s: %w", file, err)
		}
		page := filepath.Join(args[0], strings.ToLower(d.Spec.Names.Kind)+".md")
		if err := os.WriteFile(page, []byte(d.page()), 0o644); err != nil { //nolint:gosec // as above
			return fmt.Errorf("writing a page: %w", err)
		}
	}
	return nil
}
