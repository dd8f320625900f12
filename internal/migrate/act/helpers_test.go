package act_test

import (
	"context"
	"errors"
	"reflect"

	"github.com/google/go-cmp/cmp"

	"secretstore/internal/migrate/act"
	"secretstore/internal/migrate/model"
)

// installer installs or removes the controller.
func installer(w *cluster, ref model.Ref, there bool) func(context.Context, model.Change) (bool, error) {
	return func(_ context.Context, c model.Change) (bool, error) {
		if err := w.tick(); err != nil {
			return false, err
		}
		if c.ID != "switchover/run/secretstore" {
			return false, &act.ByHandError{Command: c.Command, Why: "unknown"}
		}
		_, was := w.objects[ref]
		if there && !was {
			w.put(ref, map[string]any{"apiVersion": ref.APIVersion, "kind": ref.Kind, "metadata": map[string]any{
				"name": ref.Name, "namespace": ref.Namespace, "labels": map[string]any{"app.kubernetes.io/name": "secretstore-controller"},
			}, "spec": map[string]any{"template": map[string]any{"spec": map[string]any{"containers": []any{
				map[string]any{"name": "controller", "image": "example/secretstore-controller"},
			}}}}})
		} else if !there {
			delete(w.objects, ref)
		}
		return was != there, errors.Join(w.tick())
	}
}

// every gives each place below n at which a test kills the program.
func every(n int) func(func(int) bool) {
	return func(yield func(int) bool) {
		for i := 0; i < n && yield(i); {
			i += stride
		}
	}
}

// differ is cmp.Diff, which takes long where nothing differs.
func differ(want, got any) string {
	if reflect.DeepEqual(want, got) {
		return ""
	}
	return cmp.Diff(want, got)
}
