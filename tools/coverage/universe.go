package main

import (
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"sigs.k8s.io/yaml"
)

// Kinds of things that tests cover.
const (
	kindField  = "field"
	kindReason = "reason"
	kindFault  = "fault"
)

// thing is what a test can cover.
type thing struct{ kind, name string }

// section is one table of the page.
type section struct {
	title, kind string
	entries     []entry
}

// entry is one row. Its meaning is shown where it is not empty.
type entry struct{ name, meaning string }

// universe lists all that must be covered.
func universe(root string) ([]section, error) {
	var all []section
	for _, s := range []struct {
		title, kind string
		read        func(string) ([]entry, error)
	}{
		{"Fields of SecretSync", kindField, definition("secret-sync.x-k8s.io_secretsyncs.yaml", "SecretSync")},
		{"Fields of AKVSync", kindField, definition("secret-sync.x-k8s.io_akvsyncs.yaml", "AKVSync")},
		{"Fields of SecretProviderClass", kindField, parameters},
		{"Settings", kindField, settings},
		{"Reasons", kindReason, reasons},
		{"Faults", kindFault, faults},
	} {
		entries, err := s.read(root)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", s.title, err)
		}
		if len(entries) == 0 {
			return nil, fmt.Errorf("%s: there are none, so this program looks for them in the wrong place", s.title)
		}
		all = append(all, section{s.title, s.kind, entries})
	}
	return all, nil
}

// schema is what is needed of a schema: of a definition or of the chart's values.
type schema struct {
	Properties map[string]schema
	Items      *schema
}

// leaves names the fields that hold no others, in order.
func (s schema) leaves(path string) []entry {
	var found []entry
	for _, name := range slices.Sorted(maps.Keys(s.Properties)) {
		field, at := s.Properties[name], path+"."+name
		if field.Items != nil && field.Items.Properties != nil {
			field, at = *field.Items, at+"[]"
		}
		if field.Properties == nil {
			found = append(found, entry{name: at})
			continue
		}
		found = append(found, field.leaves(at)...)
	}
	return found
}

// definition reads the fields of spec and status from a definition.
func definition(file, kind string) func(string) ([]entry, error) {
	return func(root string) ([]entry, error) {
		var d struct {
			Spec struct {
				Versions []struct {
					Schema struct {
						Root schema `json:"openAPIV3Schema"`
					}
				}
			}
		}
		content, err := os.ReadFile(filepath.Join(root, "charts", "secretstore", "crds", file))
		if err != nil {
			return nil, fmt.Errorf("reading the definition: %w", err)
		}
		if err := yaml.Unmarshal(content, &d); err != nil {
			return nil, fmt.Errorf("decoding %s: %w", file, err)
		}
		var found []entry
		for _, version := range d.Spec.Versions {
			for _, part := range []string{"spec", "status"} {
				found = append(found, version.Schema.Root.Properties[part].leaves(kind+"."+part)...)
			}
		}
		return found, nil
	}
}

// settings reads the chart's values from their schema, but for Helm's own.
func settings(root string) ([]entry, error) {
	content, err := os.ReadFile(filepath.Join(root, "charts", "secretstore", "values.schema.json"))
	if err != nil {
		return nil, fmt.Errorf("reading the schema: %w", err)
	}
	var values schema
	if err := json.Unmarshal(content, &values); err != nil {
		return nil, fmt.Errorf("decoding the schema: %w", err)
	}
	delete(values.Properties, "global")
	return values.leaves("setting"), nil
}

// parameters lists what package spcparams knows: the constants whose names begin with param are parameters, those that begin
// with field are fields of an object.
func parameters(root string) ([]entry, error) {
	params, err := constants(filepath.Join(root, "internal", "spcparams"), "param")
	if err != nil {
		return nil, err
	}
	fields, err := constants(filepath.Join(root, "internal", "spcparams"), "field")
	if err != nil {
		return nil, err
	}
	var found []entry
	for _, name := range params {
		found = append(found, entry{name: "SecretProviderClass.spec.parameters." + name})
	}
	for _, name := range fields {
		found = append(found, entry{name: "SecretProviderClass.spec.parameters.objects[]." + name})
	}
	return found, nil
}

// reasons lists the reasons of conditions and events.
func reasons(root string) ([]entry, error) {
	values, err := constants(filepath.Join(root, "api", "secretsync", "v1alpha1"), "Reason")
	if err != nil {
		return nil, err
	}
	var found []entry
	for _, value := range values {
		found = append(found, entry{name: value})
	}
	return found, nil
}

// constants are the texts, sorted, of the constants of a package whose names begin with the prefix.
func constants(dir, prefix string) ([]string, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		return nil, fmt.Errorf("listing %s: %w", dir, err)
	}
	var values []string
	for _, file := range files {
		syntax, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
		if err != nil {
			return nil, fmt.Errorf("reading constants: %w", err)
		}
		for _, declared := range syntax.Decls {
			if group, ok := declared.(*ast.GenDecl); ok && group.Tok == token.CONST {
				values = append(values, texts(group, prefix)...)
			}
		}
	}
	slices.Sort(values)
	return slices.Compact(values), nil
}

// texts are those of a group of constants.
func texts(group *ast.GenDecl, prefix string) []string {
	var values []string
	for _, spec := range group.Specs {
		constant, ok := spec.(*ast.ValueSpec)
		if !ok {
			continue
		}
		for i, name := range constant.Names {
			if !strings.HasPrefix(name.Name, prefix) || i >= len(constant.Values) {
				continue
			}
			if literal, ok := constant.Values[i].(*ast.BasicLit); ok && literal.Kind == token.STRING {
				if text, err := strconv.Unquote(literal.Value); err == nil {
					values = append(values, text)
				}
			}
		}
	}
	return values
}

// faults reads test/faults.txt: "name: what happens", a line each.
func faults(root string) ([]entry, error) {
	content, err := os.ReadFile(filepath.Join(root, "test", "faults.txt"))
	if err != nil {
		return nil, fmt.Errorf("reading the list of faults: %w", err)
	}
	var found []entry
	for i, line := range strings.Split(string(content), "\n") {
		if line = strings.TrimSpace(line); line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		name, meaning, ok := strings.Cut(line, ": ")
		if !ok || strings.Contains(name, " ") {
			return nil, fmt.Errorf("test/faults.txt:%d: %q is not \"name: what happens\"", i+1, line)
		}
		found = append(found, entry{name, meaning})
	}
	return found, nil
}
