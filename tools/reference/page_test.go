package main

import (
	"os"
	"path/filepath"
	"testing"
)

const crd = `
spec:
  group: example.test
  scope: Namespaced
  names: {kind: Widget, plural: widgets}
  versions:
    - name: v1
      additionalPrinterColumns:
        - {name: Size, jsonPath: .spec.size}
        - {name: Why, jsonPath: .status.why, priority: 1}
      schema:
        openAPIV3Schema:
          description: Widget is a thing.
          properties:
            kind: {type: string}
            spec:
              description: What is wanted.
              required: [parts]
              properties:
                color: {type: string, default: red, enum: [red, blue], description: "its a|b\ncolor"}
                labels: {type: object, additionalProperties: {type: string}}
                size: {type: integer, minimum: 1, pattern: "a|b"}
                parts:
                  type: array
                  maxItems: 3
                  description: The parts.
                  items:
                    type: object
                    properties:
                      name: {type: string, minLength: 1, maxLength: 9, x-kubernetes-validations: [{rule: self == oldSelf}]}
            status:
              properties:
                at: {type: string, format: date-time}
`

const want = `<!-- Generated from the Go types by "make generate": change those. -->
# Widget

` + "`apiVersion: example.test/v1`, `kind: Widget` (namespaced, `kubectl get widgets`)" + `

Widget is a thing.

## spec

What is wanted.

| Field | Type | Meaning |
|---|---|---|
` + "| `parts` | list of object, at most 3 entries, required | The parts. |" + `
` + "| `parts[].name` | string, 1 to 9 characters, `self == oldSelf` |  |" + `
` + "| `color` | string, default `\"red\"`, one of `\"red\"` `\"blue\"` | its a\\|b color |" + `
` + "| `labels` | map of string |  |" + `
` + "| `size` | integer, at least 1, matches `a\\|b` |  |" + `

## status

| Field | Type | Meaning |
|---|---|---|
` + "| `at` | date-time |  |" + `

## kubectl's columns

| Column | From | Shown |
|---|---|---|
` + "| Size | `.spec.size` | always |" + `
` + "| Why | `.status.why` | with `-o wide` |" + `
`

func TestRunWritesAPage(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "crd.yaml")
	if err := os.WriteFile(file, []byte(crd), 0o600); err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(dir, "out")
	if err := run([]string{out, file}); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(filepath.Join(out, "widget.md"))
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
}

func TestRunSaysHowToUseIt(t *testing.T) {
	if err := run([]string{"only-a-folder"}); err == nil {
		t.Error("a run without definitions succeeded")
	}
}
