package inventory

import (
	"fmt"
	"maps"
	"slices"

	"secretstore/internal/migrate/model"
)

// value is what the path leads to within v, nil if nothing is there.
func value(v any, path ...any) any {
	found, _ := model.Path(path).Get(v)
	return found
}

// text is the string that the path leads to, empty if it is none.
func text(v any, path ...any) string {
	found, _ := value(v, path...).(string)
	return found
}

// truth is the boolean that the path leads to, false if it is none.
func truth(v any, path ...any) bool {
	found, _ := value(v, path...).(bool)
	return found
}

// list is the list that the path leads to, empty if it is none.
func list(v any, path ...any) []any {
	found, _ := value(v, path...).([]any)
	return found
}

// fields is the object that the path leads to, nil if it is none.
func fields(v any, path ...any) map[string]any {
	found, _ := value(v, path...).(map[string]any)
	return found
}

// texts are the fields of the object that the path leads to, as strings; nil if it has none. What YAML took for a number or a
// boolean is written as JSON has it: the API server would refuse it, but a pipeline may have yet to quote it.
func texts(v any, path ...any) map[string]string {
	var found map[string]string
	for name, entry := range fields(v, path...) {
		switch entry.(type) {
		case map[string]any, []any, nil:
			continue
		}
		if found == nil {
			found = map[string]string{}
		}
		found[name] = fmt.Sprint(entry)
	}
	return found
}

// sortedKeys are the names of an object's fields in order.
func sortedKeys[T any](m map[string]T) []string { return slices.Sorted(maps.Keys(m)) }

// appendOnce appends what is not in the list yet.
func appendOnce[T comparable](to []T, more ...T) []T {
	for _, one := range more {
		if !slices.Contains(to, one) {
			to = append(to, one)
		}
	}
	return to
}

// names finds the places of things in a list by namespace and name.
type names struct {
	exact map[[2]string][]int
	any   map[string][]int
}

// add notes a place.
func (n *names) add(namespace, name string, place int) {
	if n.exact == nil {
		n.exact, n.any = map[[2]string][]int{}, map[string][]int{}
	}
	n.exact[[2]string{namespace, name}] = append(n.exact[[2]string{namespace, name}], place)
	n.any[name] = append(n.any[name], place)
}

// find returns the places of a name as an object in a namespace means it. A folder may leave namespaces to its
// kustomizations: one that is unknown, on either side, may be any.
func (n *names) find(namespace, name string) []int {
	switch found := n.exact[[2]string{namespace, name}]; {
	case len(found) > 0:
		return found
	case namespace == "":
		return n.any[name]
	default:
		return n.exact[[2]string{"", name}]
	}
}

// has tells whether find finds something.
func (n *names) has(namespace, name string) bool { return len(n.find(namespace, name)) > 0 }
