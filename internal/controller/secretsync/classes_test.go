package secretsync

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestClassesAreReadOnce(t *testing.T) {
	t.Parallel()
	var c classes
	class := valid().class
	first, flaw := c.parse(class)
	if flaw != nil {
		t.Fatal(flaw)
	}
	class.Spec.Parameters["keyvaultName"] = "other" // no edit changes a class without its generation
	if again, _ := c.parse(class); cmp.Diff(first, again) != "" {
		t.Error("the same version is read twice")
	}
	class.Generation++
	if edited, _ := c.parse(class); edited.VaultName != "other" {
		t.Errorf("an edit is not seen: vault %q", edited.VaultName)
	}
	class.Generation++
	delete(class.Spec.Parameters, "objects")
	if _, flaw := c.parse(class); flaw == nil {
		t.Error("a spoilt one is not seen")
	}
	anew := valid().class
	anew.UID, anew.Generation = "another", class.Generation
	if _, flaw := c.parse(anew); flaw != nil {
		t.Errorf("one that was made anew under its name is taken for the old one: %v", flaw)
	}
	c.forget("another")
	c.forget(class.UID)
	if len(c.read) != 0 {
		t.Errorf("%d classes that are gone still take room", len(c.read))
	}
}
