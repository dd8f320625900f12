package spcparams_test

import (
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"

	"secretstore/internal/spcparams"
)

func TestTotalOfVersionsIsBounded(t *testing.T) {
	t.Parallel()
	asked := make([]spcparams.Object, 9)
	for i := range asked {
		asked[i] = spcparams.Object{Name: "n" + strconv.Itoa(i), Type: spcparams.TypeSecret, History: spcparams.MaxHistory}
	}
	objects, _, err := spcparams.ParseObjects(spcparams.FormatObjects(asked))
	want := []string{"objects[8] (line 34) is too much: the objects ask for more than 4000 versions in all; shorten histories, or " +
		"use more than one SecretProviderClass"}
	if diff := cmp.Diff(want, texts(err)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if len(objects) != 8 {
		t.Errorf("%d objects were kept, want the 8 that fit", len(objects))
	}
}
