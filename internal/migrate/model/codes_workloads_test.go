package model_test

import (
	"strings"
	"testing"

	"secretstore/internal/migrate/model"
)

// Each finding of stage workloads is explained in full, and codes are in order and each there once.
func TestWorkloadsCodes(t *testing.T) {
	var last model.Code
	count := 0
	for _, e := range model.Catalogue() {
		if !strings.HasPrefix(string(e.Code), "M5") {
			continue
		}
		count++
		for _, text := range []string{e.What, e.Why, e.Do} {
			if !strings.HasSuffix(text, ".") || strings.Contains(text, "  ") {
				t.Errorf("%s: %q is no sentence", e.Code, text)
			}
		}
		if e.Title == "" || strings.HasSuffix(e.Title, ".") || e.Code <= last {
			t.Errorf("%s after %s: title %q", e.Code, last, e.Title)
		}
		last = e.Code
	}
	if count != 28 {
		t.Errorf("%d codes", count)
	}
}
