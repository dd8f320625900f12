package main

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// definition is what a page needs of a CustomResourceDefinition.
type definition struct {
	Spec struct {
		Group string
		Scope string
		Names struct {
			Kind   string
			Plural string
		}
		Versions []version
	}
}

// version is one served version of a kind.
type version struct {
	Name    string
	Columns []struct {
		Name     string
		JSONPath string
		Priority int
	} `json:"additionalPrinterColumns"`
	Schema struct {
		Root schema `json:"openAPIV3Schema"`
	}
}

// schema describes a value.
type schema struct {
	Type, Format, Description, Pattern       string
	Default                                  any
	Enum                                     []any
	Required                                 []string
	MinLength, MaxLength, MinItems, MaxItems *int
	Minimum, Maximum                         *float64
	Properties                               map[string]schema
	Items, AdditionalProperties              *schema
	Validations                              []struct{ Rule, Message string } `json:"x-kubernetes-validations"`
}

// page renders the definition.
func (d definition) page() string {
	var b strings.Builder
	fmt.Fprintf(&b, "<!-- Generated from the Go types by \"make generate\": change those. -->\n# %s\n", d.Spec.Names.Kind)
	for _, v := range d.Spec.Versions {
		fmt.Fprintf(&b, "\n`apiVersion: %s/%s`, `kind: %s` (%s, `kubectl get %s`)\n\n%s\n", d.Spec.Group, v.Name,
			d.Spec.Names.Kind, strings.ToLower(d.Spec.Scope), d.Spec.Names.Plural, v.Schema.Root.Description)
		for _, part := range []string{"spec", "status"} {
			s, exists := v.Schema.Root.Properties[part]
			if !exists {
				continue
			}
			if s.Description != "" {
				s.Description = "\n" + oneLine(s.Description) + "\n"
			}
			fmt.Fprintf(&b, "\n## %s\n%s\n| Field | Type | Meaning |\n|---|---|---|\n", part, s.Description)
			for _, row := range s.rows("") {
				b.WriteString(row)
			}
		}
		v.writeColumns(&b)
	}
	return b.String()
}

// writeColumns renders what kubectl shows.
func (v version) writeColumns(b *strings.Builder) {
	if len(v.Columns) == 0 {
		return
	}
	b.WriteString("\n## kubectl's columns\n\n| Column | From | Shown |\n|---|---|---|\n")
	for _, c := range v.Columns {
		shown := "always"
		if c.Priority > 0 {
			shown = "with `-o wide`"
		}
		fmt.Fprintf(b, "| %s | `%s` | %s |\n", c.Name, c.JSONPath, shown)
	}
}

// rows renders the properties below path and all below them, required ones first, each group by name.
func (s schema) rows(path string) []string {
	names := make([]string, 0, len(s.Properties))
	for name := range s.Properties {
		names = append(names, name)
	}
	slices.SortFunc(names, func(a, b string) int {
		if ra, rb := slices.Contains(s.Required, a), slices.Contains(s.Required, b); ra != rb {
			if ra {
				return -1
			}
			return 1
		}
		return strings.Compare(a, b)
	})
	var rows []string
	for _, name := range names {
		p := s.Properties[name]
		facts := append([]string{p.typeName()}, p.limits()...)
		if slices.Contains(s.Required, name) {
			facts = append(facts, "required")
		}
		rows = append(rows, fmt.Sprintf("| `%s` | %s | %s |\n", path+name, strings.Join(facts, ", "), oneLine(p.Description)))
		rows = append(rows, p.rows(path+name+".")...)
		if p.Items != nil {
			rows = append(rows, p.Items.rows(path+name+"[].")...)
		}
	}
	return rows
}

// typeName names the type as a person would.
func (s schema) typeName() string {
	switch {
	case s.Items != nil:
		return "list of " + s.Items.typeName()
	case s.AdditionalProperties != nil:
		return "map of " + s.AdditionalProperties.typeName()
	case s.Format != "":
		return s.Format
	default:
		return s.Type
	}
}

// limits says what the API server demands of the value.
func (s schema) limits() []string {
	var limits []string
	if s.Default != nil {
		limits = append(limits, "default `"+inJSON(s.Default)+"`")
	}
	if len(s.Enum) > 0 {
		values := make([]string, len(s.Enum))
		for i, value := range s.Enum {
			values[i] = "`" + inJSON(value) + "`"
		}
		limits = append(limits, "one of "+strings.Join(values, " "))
	}
	limits = append(limits, span(s.MinLength, s.MaxLength, "characters")...)
	limits = append(limits, span(s.MinItems, s.MaxItems, "entries")...)
	limits = append(limits, span(s.Minimum, s.Maximum, "")...)
	if s.Pattern != "" {
		limits = append(limits, "matches `"+cell(s.Pattern)+"`")
	}
	for _, v := range s.Validations {
		limits = append(limits, "`"+cell(v.Rule)+"`")
	}
	return limits
}

// span renders a range of which either end may be open.
func span[N int | float64](least, most *N, unit string) []string {
	var text string
	switch {
	case least != nil && most != nil:
		text = fmt.Sprintf("%v to %v %s", *least, *most, unit)
	case least != nil:
		text = fmt.Sprintf("at least %v %s", *least, unit)
	case most != nil:
		text = fmt.Sprintf("at most %v %s", *most, unit)
	default:
		return nil
	}
	return []string{strings.TrimSpace(text)}
}

// inJSON renders a value from a schema, which came out of JSON.
func inJSON(value any) string {
	text, err := json.Marshal(value)
	if err != nil {
		return fmt.Sprint(value)
	}
	return cell(string(text))
}

// oneLine makes text fit a line of a table.
func oneLine(text string) string { return cell(strings.Join(strings.Fields(text), " ")) }

// cell escapes what would end a cell of a table.
func cell(text string) string { return strings.ReplaceAll(text, "|", `\|`) }
