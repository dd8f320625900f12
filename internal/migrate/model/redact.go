package model

import (
	"maps"
	"slices"
	"strings"
)

// A Digester makes a keyed digest of a value. The key lives no longer than the state folder, so that a digest tells equal
// from different within one migration and nothing else.
type Digester func(value []byte) string

// Redact replaces the values of a Secret's `data` and `stringData` by what digest makes of them, and drops the annotation
// that kubectl keeps the last applied manifest in, and others of the kind (HoldsObject). Values of `data` that are no base64 are
// digested as they stand. It returns a copy; content itself is not changed.
func Redact(content map[string]any, decode func(string) ([]byte, error), digest Digester) map[string]any {
	redacted := maps.Clone(content)
	for _, field := range []string{"data", "stringData"} {
		values, ok := content[field].(map[string]any)
		if !ok {
			delete(redacted, field) // of no shape that could be told to hold no value
			continue
		}
		digests := make(map[string]any, len(values))
		for key, value := range values {
			text, _ := value.(string)
			raw := []byte(text)
			if decoded, err := decode(text); err == nil && field == "data" {
				raw = decoded
			}
			digests[key] = digest(raw)
		}
		redacted[field] = digests
	}
	redacted["metadata"] = withoutLastApplied(content["metadata"])
	return redacted
}

// withoutLastApplied copies metadata without the copy of the manifest, values included, that kubectl apply keeps in it.
func withoutLastApplied(metadata any) any {
	fields, ok := metadata.(map[string]any)
	if !ok {
		return metadata
	}
	annotations, ok := fields["annotations"].(map[string]any)
	if !ok {
		return metadata
	}
	fields, annotations = maps.Clone(fields), maps.Clone(annotations)
	maps.DeleteFunc(annotations, func(name string, value any) bool {
		text, is := value.(string)
		return !is || HoldsObject(name, text)
	})
	fields["annotations"] = annotations
	return fields
}

// HoldsObject tells an annotation in which a tool keeps the whole object, of a Secret with its values: kubectl apply, and others
// such as kapp and Rancher, which are known by what they write: JSON, plain or compressed.
func HoldsObject(name, value string) bool {
	const longest = 1024
	value = strings.TrimSpace(value)
	begins := func(prefix string) bool { return strings.HasPrefix(value, prefix) }
	return name == "kubectl.kubernetes.io/last-applied-configuration" || len(value) > longest ||
		// The last three are what gzip and JSON begin with in base64.
		slices.ContainsFunc([]string{"{", "[", "H4sI", "eyJ", "ewo"}, begins)
}
