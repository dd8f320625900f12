package migration_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"secretstore/internal/spcparams"
	"secretstore/test/migration/estate"
)

// TestClassesAreReadable reads the objects of every class of Azure's as the controller does: one class is broken on purpose, and
// those that have something to be warned of are known. A slip in a fixture would else become a trap that nobody meant.
func TestClassesAreReadable(t *testing.T) {
	var broken, warned []string
	types := map[spcparams.ObjectType]bool{}
	for _, object := range loadEstate(t) {
		if provider, _, _ := unstructured.NestedString(object.Object, "spec", "provider"); provider != "azure" {
			continue
		}
		text, found, err := unstructured.NestedString(object.Object, "spec", "parameters", "objects")
		if err != nil || !found {
			t.Fatalf("%s has no objects: %v", estate.Name(object), err)
		}
		objects, warnings, err := spcparams.ParseObjects(text)
		if err != nil {
			t.Logf("%s: %v", estate.Name(object), err)
			broken = append(broken, estate.Name(object))
		}
		if len(warnings) > 0 {
			t.Logf("%s: %v", estate.Name(object), warnings)
			warned = append(warned, estate.Name(object))
		}
		for _, o := range objects {
			types[o.Type] = true
		}
	}
	slices.Sort(broken)
	slices.Sort(warned)
	if diff := cmp.Diff([]string{"SecretProviderClass support/support-broken"}, broken); diff != "" {
		t.Errorf("broken (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"SecretProviderClass fraud/fraud-model"}, warned); diff != "" {
		t.Errorf("with unknown fields (-want +got):\n%s", diff)
	}
	if len(types) != 3 {
		t.Errorf("types of objects: %v", types)
	}
}
