package takeover_test

import (
	"testing"

	"secretstore/test/migration/estate"
)

// The shop is taken over by the program, to the end.
func TestShopIsTakenOver(t *testing.T) {
	objects, err := estate.Load(shopDir)
	if err != nil {
		t.Fatal(err)
	}
	w := newWorld(t, objects)
	recorder, err := w.Record(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(recorder.Stop)
	w.migrate("plan")
	w.answer(map[string]string{"M202/etcd": "accept"})
	_, code := w.migrate("run", "--apply", "--yes-irreversible", "--image", "registry.example.com/secretstore:v1")
	t.Log(code)
	violations, err := recorder.Violations(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range violations {
		t.Error(v)
	}
	t.Log(w.rightsOf(oldPrincipal))
}
