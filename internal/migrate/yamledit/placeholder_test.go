package yamledit_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"secretstore/internal/migrate/yamledit"
)

// TestPlaceholdersInFlow: braces of placeholders mean something to YAML in flow style; they are text, before an edit and after.
func TestPlaceholdersInFlow(t *testing.T) {
	t.Parallel()
	const source = "# ${TEAM}\nmetadata: {name: web, namespace: ${NS}, labels: {app: web-${ENV}}} # ${WHY}\nspec:\n  a: 1 # one\n  list: [${A}, b]\n---\nkind: Other\n"
	f, err := yamledit.Parse("f.yaml", []byte(source))
	if err != nil {
		t.Fatal(err)
	}
	value, err := f.Documents()[0].Value()
	want := map[string]any{
		"metadata": map[string]any{"name": "web", "namespace": "${NS}", "labels": map[string]any{"app": "web-${ENV}"}},
		"spec":     map[string]any{"a": int64(1), "list": []any{"${A}", "b"}},
	}
	if diff := cmp.Diff(any(want), value); err != nil || diff != "" {
		t.Errorf("value: %v (-want +got):\n%s", err, diff)
	}
	edits := []yamledit.Edit{
		{Op: yamledit.Replace, Path: []any{"spec", "a"}, Value: int64(2)},
		{Op: yamledit.Add, Path: []any{"metadata", "labels", "${KEY}"}, Value: "x-${Y}"},
		{Op: yamledit.Remove, Path: []any{"spec", "list", 1}},
		{Op: yamledit.Add, Path: []any{"spec", "class"}, Value: map[string]any{"tenantID": "${TENANT}"}},
	}
	if err := f.Apply(0, edits); err != nil {
		t.Fatal(err)
	}
	const after = "# ${TEAM}\nmetadata: {name: web, namespace: ${NS}, labels: {app: web-${ENV}, ${KEY}: x-${Y}}} # ${WHY}\nspec:\n  a: 2 # one\n" +
		"  list: [${A}]\n  class:\n    tenantID: ${TENANT}\n---\nkind: Other\n"
	if diff := cmp.Diff(after, string(f.Bytes())); diff != "" {
		t.Errorf("text (-want +got):\n%s", diff)
	}
	if err := f.RemoveDocument(1); err != nil || f.Documents()[0].Text() != string(f.Bytes()) {
		t.Errorf("removing the other document: %v", err)
	}
}
