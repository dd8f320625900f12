package main

import (
	"fmt"
	"strings"
	"testing"
)

// described is a document of OpenAPI with a SecretSync and an AKVSync whose statuses have the given fields.
func described(syncField, akvField string) []byte {
	one := func(kind, field string) string {
		return fmt.Sprintf(`"io.x-k8s.secret-sync.v1alpha1.%s": {"properties": {"status": {"properties": {"conditions": {}, %q: {}}}},
			"x-kubernetes-group-version-kind": [{"group": "secret-sync.x-k8s.io", "kind": %q, "version": "v1alpha1"}]}`, kind, field, kind)
	}
	return fmt.Appendf(nil, `{"components": {"schemas": {%s, %s, "io.k8s.Other": {"type": "object"}}}}`,
		one("SecretSync", syncField), one("AKVSync", akvField))
}

func TestJudgeDefinitions(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		reason string
		text   []byte
		says   []string
	}{
		"Ours":          {"statuses are kept whole", described("lastCheckTime", "observedGeneration"), nil},
		"OtherSyncs":    {"the schedule would be lost at every write", described("syncHash", "observedGeneration"), []string{"SecretSync", "status.lastCheckTime", "docs/guide/adopt.md"}},
		"OtherAKVSyncs": {"as would be whose it is", described("lastCheckTime", "objects"), []string{"AKVSync", "status.observedGeneration", "charts/secretstore/crds"}},
		"Nothing":       {"what is not described is not judged", []byte(`{}`), nil},
		"Broken":        {"what cannot be read is said", []byte(`{`), []string{"reading the definitions"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := judgeDefinitions(tc.text)
			if (err == nil) != (tc.says == nil) {
				t.Fatalf("%s: %v", tc.reason, err)
			}
			for _, text := range tc.says {
				if !strings.Contains(err.Error(), text) {
					t.Errorf("%s: %q does not say %q", tc.reason, err, text)
				}
			}
		})
	}
}
