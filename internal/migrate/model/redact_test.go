package model_test

import (
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"

	"secretstore/internal/migrate/model"
)

func TestRedact(t *testing.T) {
	t.Parallel()
	const canary = "canary-5f2a"
	encoded := base64.StdEncoding.EncodeToString([]byte(canary))
	digest := func(value []byte) string {
		return strings.Repeat("x", len(value))
	}
	tests := map[string]struct {
		reason  string
		content string
		want    string
	}{
		"Data":       {"values of data are decoded and digested", `{"data":{"k":"` + encoded + `"}}`, `{"data":{"k":"xxxxxxxxxxx"},"metadata":null}`},
		"StringData": {"so are those of stringData, as they stand", `{"stringData":{"k":"` + canary + `"}}`, `{"metadata":null,"stringData":{"k":"xxxxxxxxxxx"}}`},
		"NoBase64":   {"a placeholder is digested as it stands", `{"data":{"k":"${X}"}}`, `{"data":{"k":"xxxx"},"metadata":null}`},
		"NoMap":      {"what has no shape is dropped", `{"data":"` + canary + `"}`, `{"metadata":null}`},
		"NoText":     {"a value that is no text is digested as none", `{"data":{"k":{"x":"` + canary + `"}}}`, `{"data":{"k":""},"metadata":null}`},
		"LastApplied": {
			"kubectl keeps a copy of the manifest",
			`{"metadata":{"annotations":{"a":"b","kubectl.kubernetes.io/last-applied-configuration":"` + canary + `"}}}`,
			`{"metadata":{"annotations":{"a":"b"}}}`,
		},
		"Copies": {
			"so do other tools, plain, compressed and encoded", `{"metadata":{"annotations":{"a":"b","kapp.k14s.io/original":" {` + canary +
				`}","objectset.rio.cattle.io/applied":"H4sI` + canary + `","x":"eyJ` + canary + `","y":` + `"` + strings.Repeat(canary, 100) +
				`","z":{"x":"` + canary + `"}}}}`,
			`{"metadata":{"annotations":{"a":"b"}}}`,
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var content map[string]any
			if err := json.Unmarshal([]byte(tc.content), &content); err != nil {
				t.Fatal(err)
			}
			got, err := json.Marshal(model.Redact(content, base64.StdEncoding.DecodeString, digest))
			if err != nil {
				t.Fatal(err)
			}
			if string(got) != tc.want {
				t.Errorf("%s: got %s, want %s", tc.reason, got, tc.want)
			}
			if after, _ := json.Marshal(content); string(after) != tc.content {
				t.Errorf("the object itself was changed to %s", after)
			}
		})
	}
}

func TestPath(t *testing.T) {
	t.Parallel()
	p := model.Path{"spec", "volumes", 1, "a/b~c"}
	if got := p.String(); got != "spec.volumes[1].a/b~c" {
		t.Error(got)
	}
	if got := p.Pointer(); got != "/spec/volumes/1/a~1b~0c" {
		t.Error(got)
	}
	object := map[string]any{"spec": map[string]any{"volumes": []any{nil, map[string]any{"a/b~c": "found"}}}}
	if got, ok := p.Get(object); !ok || got != "found" {
		t.Errorf("got %v, %v", got, ok)
	}
	for _, nowhere := range []model.Path{{"spec", 0}, {"spec", "volumes", 2}, {"spec", "volumes", -1}, {"x"}, {"spec", "volumes", "x"}} {
		if got, ok := nowhere.Get(object); ok {
			t.Errorf("%s leads to %v", nowhere, got)
		}
	}
}
