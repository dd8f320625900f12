package cluster

import (
	"reflect"
	"slices"

	"secretstore/internal/migrate/model"
)

// contains tells whether all that part says stands in whole too. Lists have to be of one length, entry for entry; what is empty
// says nothing, since readers write out empty fields that the API server leaves out. Both are normal.
func contains(whole, part any) bool {
	if empty(part) {
		return empty(whole) || sameKind(whole, part)
	}
	switch p := part.(type) {
	case map[string]any:
		w, ok := whole.(map[string]any)
		if !ok {
			return false
		}
		for name, value := range p {
			if !contains(w[name], value) {
				return false
			}
		}
		return true
	case []any:
		w, ok := whole.([]any)
		return ok && slices.EqualFunc(w, p, contains)
	}
	return reflect.DeepEqual(whole, part)
}

// empty tells nothing, a map of nothing and a list of nothing.
func empty(value any) bool {
	switch v := value.(type) {
	case nil:
		return true
	case map[string]any:
		return len(v) == 0
	case []any:
		return len(v) == 0
	}
	return false
}

// sameKind tells whether an empty map is compared with a map that defaults have filled. An empty list is no such thing.
func sameKind(whole, part any) bool {
	_, isMap := part.(map[string]any)
	_, wholeIsMap := whole.(map[string]any)
	return isMap && wholeIsMap
}

// lacking is the path of the first thing that part says and whole does not, nil if there is none.
func lacking(at model.Path, whole, part any) model.Path {
	p, isMap := part.(map[string]any)
	w, wholeIsMap := whole.(map[string]any)
	if !isMap || !wholeIsMap {
		if contains(whole, part) {
			return nil
		}
		return at
	}
	for _, name := range sortedKeys(p) {
		if path := lacking(at.Of(name), w[name], p[name]); path != nil {
			return path
		}
	}
	return nil
}
