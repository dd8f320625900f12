package migration_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"secretstore/test/migration/estate"
)

// build lets kustomize build an overlay, and returns its objects.
func build(t *testing.T, overlay string) []*unstructured.Unstructured {
	t.Helper()
	kubectl, err := shared.Binary("kubectl")
	if err != nil {
		t.Fatal(err)
	}
	var stderr bytes.Buffer
	cmd := exec.CommandContext(t.Context(), kubectl, "kustomize", overlay)
	cmd.Stderr = &stderr
	built, err := cmd.Output()
	if err != nil {
		t.Fatalf("building %s: %v\n%s", overlay, err, stderr.String())
	}
	into := t.TempDir()
	if err := os.WriteFile(filepath.Join(into, "built.yaml"), built, 0o600); err != nil {
		t.Fatal(err)
	}
	objects, err := estate.Load(into)
	if err != nil {
		t.Fatal(err)
	}
	return objects
}

// rewriteFile changes a file of a copied fixture.
func rewriteFile(t *testing.T, name, old, with string) {
	t.Helper()
	content, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(content), old) {
		t.Fatalf("%s has no %q", name, old)
	}
	if err := os.WriteFile(name, []byte(strings.Replace(string(content), old, with, 1)), 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestOverlaysBuildAfterwards: once migrated, kustomize builds both overlays still, no volume of the driver is left in them, and the
// successor of the class reads the vault that each overlay says.
func TestOverlaysBuildAfterwards(t *testing.T) {
	dir := fixture(t, gitopsDir)
	overlays := filepath.Join(dir, "apps/orders/overlays")
	debug := "apiVersion: secrets-store.csi.x-k8s.io/v1\nkind: SecretProviderClass\nmetadata: {name: orders-debug}\nspec:\n" +
		"  provider: azure\n  parameters: {keyvaultName: kv-debug, tenantID: 7a1e0000-1111-4222-8333-0000000000aa, objects: \"array: [\\\"{objectName: key, objectType: secret}\\\"]\"}\n"
	if err := os.WriteFile(filepath.Join(overlays, "staging/debug.yaml"), []byte(debug), 0o600); err != nil {
		t.Fatal(err)
	}
	rewriteFile(t, filepath.Join(overlays, "staging/kustomization.yaml"), "  - ../../base\n", "  - ../../base\n  - debug.yaml\n")
	writeFolder(t, dir, proposals(t, dir))
	for overlay, vault := range map[string]string{"staging": "kv-shop-staging", "production": "kv-shop-prod"} {
		successors := 0
		for _, object := range build(t, filepath.Join(overlays, overlay)) {
			walk(object.Object, func(node map[string]any) {
				if node["driver"] == "secrets-store.csi.k8s.io" || node["nodePublishSecretRef"] != nil {
					t.Errorf("%s: %s has %v", overlay, estate.Name(object), node)
				}
			})
			if object.GetKind() == "SecretProviderClass" && object.GetName() == "orders-app-sse" {
				successors++
				if got, _, _ := unstructured.NestedString(object.Object, "spec", "parameters", "keyvaultName"); got != vault {
					t.Errorf("%s: the successor reads %s", overlay, got)
				}
			}
		}
		if successors != 1 {
			t.Errorf("%s: %d successors", overlay, successors)
		}
	}
}
