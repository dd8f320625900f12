package model_test

import (
	"testing"

	"secretstore/internal/migrate/model"
)

func TestCounted(t *testing.T) {
	t.Parallel()
	for want, c := range map[string]struct {
		reason string
		n      int
		noun   string
	}{
		"0 pods":    {reason: "none is many", n: 0, noun: "pod"},
		"1 class":   {reason: "one is one, whatever it ends with", n: 1, noun: "class"},
		"2 classes": {reason: "an s takes an e", n: 2, noun: "class"},
		"3 Secrets": {reason: "others do not", n: 3, noun: "Secret"},
	} {
		if got := model.Counted(c.n, c.noun); got != want {
			t.Errorf("%s: got %q, want %q", c.reason, got, want)
		}
	}
}
