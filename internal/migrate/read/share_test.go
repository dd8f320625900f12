package read //nolint:testpackage // what is shared shows in no result, only in memory

import (
	"reflect"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestShare: equal parts become one, and nothing else changes.
func TestShare(t *testing.T) {
	t.Parallel()
	pod := func(name, image string) map[string]any {
		return map[string]any{
			"metadata": map[string]any{"name": name, "labels": map[string]any{"app": "web"}},
			"spec":     map[string]any{"containers": []any{map[string]any{"image": image, "port": int64(80), "tty": nil}}},
		}
	}
	s := newSharer()
	a, _ := s.share(pod("a", "web:1"))
	b, _ := s.share(pod("b", "web:1"))
	c, _ := s.share(pod("c", "web:2"))
	for name, pair := range map[string][2]any{"a": {a, pod("a", "web:1")}, "b": {b, pod("b", "web:1")}, "c": {c, pod("c", "web:2")}} {
		if diff := cmp.Diff(pair[1], pair[0]); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	at := func(v any, path ...string) uintptr {
		for _, step := range path {
			v = v.(map[string]any)[step]
		}
		return reflect.ValueOf(v).Pointer()
	}
	if at(a, "spec") != at(b, "spec") || at(a, "metadata", "labels") != at(c, "metadata", "labels") {
		t.Error("equal parts are not one")
	}
	if at(a, "spec") == at(c, "spec") || at(a, "metadata") == at(b, "metadata") {
		t.Error("parts that differ are one")
	}
}
