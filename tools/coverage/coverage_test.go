package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// files are a repository with one of everything.
func files() map[string]string {
	crd := func(spec string) string {
		return "spec: {versions: [{schema: {openAPIV3Schema: {properties: {spec: {properties: " + spec + "}, status: {properties: {at: {}}}}}}}]}"
	}
	return map[string]string{
		"charts/secretstore/crds/secret-sync.x-k8s.io_secretsyncs.yaml": crd("{data: {items: {properties: {key: {}}}}, labels: {additionalProperties: {}}}"),
		"charts/secretstore/crds/secret-sync.x-k8s.io_akvsyncs.yaml":    crd("{name: {}}"),
		"charts/secretstore/values.schema.json":                         `{"properties": {"global": {}, "image": {"properties": {"tag": {}}}}}`,
		"internal/spcparams/params.go":                                  "package spcparams\n\nconst (\n\tparamID = \"id\"\n\tfieldName = \"name\"\n\tarrayField = \"array\"\n)\n",
		"api/secretsync/v1alpha1/types.go":                              "package v1alpha1\n\nconst ReasonGood = \"Good\"\n",
		"test/faults.txt":                                               "# comment\n\nvault-away: the vault is away\n",
		"test/a_test.go": `package test

// TestAll is everything's.
//
//covers:field SecretSync.spec.data[].key SecretSync.spec.labels SecretSync.status.at AKVSync.spec.name AKVSync.status.at
//covers:field SecretProviderClass.spec.parameters.id SecretProviderClass.spec.parameters.objects[].name setting.image.tag
//covers:reason Good
func TestAll() {}

// TestFault is another.
//
//covers:fault vault-away
//covers:reason Good
func TestFault() {}
`,
		"bin/left_test.go": "no Go at all",
	}
}

// coverage runs the command on files, and gives the page.
func coverage(t *testing.T, files map[string]string) (string, error) {
	t.Helper()
	root := t.TempDir()
	for name, content := range files {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	output := filepath.Join(root, "page.md")
	err := run([]string{root, output})
	written, _ := os.ReadFile(output)
	return string(written), err
}

func TestPage(t *testing.T) {
	got, err := coverage(t, files())
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{
		"| `SecretSync.spec.data[].key` | [TestAll](../../test/a_test.go) |",
		"| `SecretSync.spec.labels` | [TestAll](../../test/a_test.go) |",
		"| `setting.image.tag` | [TestAll](../../test/a_test.go) |",
		"| `SecretProviderClass.spec.parameters.objects[].name` | [TestAll](../../test/a_test.go) |",
		"| `Good` | [TestAll](../../test/a_test.go), [TestFault](../../test/a_test.go) |",
		"| vault-away | the vault is away | [TestFault](../../test/a_test.go) |",
	} {
		if !strings.Contains(got, line+"\n") {
			t.Errorf("the page lacks %q:\n%s", line, got)
		}
	}
	if strings.Contains(got, "array") || strings.Contains(got, "global") {
		t.Errorf("the page has what is no field:\n%s", got)
	}
}

func TestRefuses(t *testing.T) {
	for name, tc := range map[string]struct{ reason, file, old, with, says string }{
		"Uncovered":  {"what no test covers is named", "test/a_test.go", "//covers:fault vault-away\n", "", "no test covers the fault vault-away"},
		"NewField":   {"so is a new field", "internal/spcparams/params.go", "fieldName", "fieldNew = \"new\"\n\tfieldName", "objects[].new"},
		"Unknown":    {"a claim of nothing is named, with its place", "test/a_test.go", "reason Good", "reason Bad", `test/a_test.go: TestAll covers the reason "Bad"`},
		"WrongKind":  {"so is one of a kind that does not exist", "test/a_test.go", "covers:fault", "covers:failure", `the failure "vault-away"`},
		"NoTest":     {"a claim above no test is one too", "test/a_test.go", "func TestFault", "func helper", "stands above no test"},
		"Malformed":  {"the list of faults has a form", "test/faults.txt", "away: ", "away ", "test/faults.txt:3"},
		"WrongPlace": {"a list that is empty is a mistake of this program", "api/secretsync/v1alpha1/types.go", "ReasonGood", "Good", "Reasons: there are none"},
	} {
		t.Run(name, func(t *testing.T) {
			all := files()
			all[tc.file] = strings.ReplaceAll(all[tc.file], tc.old, tc.with)
			got, err := coverage(t, all)
			if err == nil || !strings.Contains(err.Error(), tc.says) {
				t.Errorf("%s: error %v does not say %q", tc.reason, err, tc.says)
			}
			if got != "" {
				t.Errorf("%s: a page was written", tc.reason)
			}
		})
	}
}

func TestUsage(t *testing.T) {
	if err := run(nil); err == nil || !strings.Contains(err.Error(), "usage") {
		t.Errorf("without arguments: %v", err)
	}
}
