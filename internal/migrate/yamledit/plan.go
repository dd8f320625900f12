package yamledit

import (
	"reflect"
	"slices"

	"go.yaml.in/yaml/v3"
)

// plan divides an edit into small ones, which touch only what differs.
func (t *tree) plan(e Edit) ([]Edit, error) {
	if e.Op == Remove {
		return []Edit{e}, nil
	}
	if e.Op == Add && len(e.Path) > 0 {
		n, err := t.container(e)
		if err != nil {
			return nil, err
		}
		if _, found := t.child(n, e.Path[len(e.Path)-1]); !found || n.Kind == yaml.SequenceNode {
			return []Edit{e}, nil
		}
	}
	e.Op = Replace
	return t.planReplace(e)
}

// planReplace divides the change of a value.
func (t *tree) planReplace(e Edit) ([]Edit, error) {
	p, err := t.find(e)
	if err != nil {
		return nil, err
	}
	if same, err := equal(p.value, e.Value); same || err != nil {
		return nil, err
	}
	if p.value == nil || len(p.value.Content) == 0 || !isFull(e.Value) {
		return []Edit{e}, nil
	}
	if m, ok := e.Value.(Map); ok && p.value.Kind == yaml.MappingNode {
		return t.planMap(p.value, m, e)
	}
	if items, ok := e.Value.([]any); ok && p.value.Kind == yaml.SequenceNode {
		return t.planList(p.value, items, e)
	}
	return []Edit{e}, nil
}

// below returns an edit of a child of what e is about.
func (e Edit) below(op Op, element, value any) Edit {
	return Edit{Op: op, Path: append(slices.Clone(e.Path), element), Value: value, Shared: e.Shared}
}

// planMap turns the mapping into the other: what both have first, then what is new, then what goes, so that it is never empty in
// between.
func (t *tree) planMap(n *yaml.Node, m Map, e Edit) ([]Edit, error) {
	old, _, err := decode(n)
	if err != nil {
		return nil, err
	}
	has, _ := old.(map[string]any)
	var changed, added, removed []Edit
	for _, entry := range m {
		before, found := has[entry.Key]
		_, own := t.child(n, entry.Key)
		switch {
		case found && reflect.DeepEqual(before, plain(entry.Value)):
		case own:
			steps, err := t.plan(e.below(Replace, entry.Key, entry.Value))
			if err != nil {
				return nil, err
			}
			changed = append(changed, steps...)
		default: // a key that is merged in is not changed where it comes from, but hidden by an own one
			added = append(added, e.below(Add, entry.Key, entry.Value))
		}
	}
	for _, key := range conventional(has) {
		if _, kept := m.get(key.Key); !kept {
			removed = append(removed, e.below(Remove, key.Key, nil))
		}
	}
	return slices.Concat(changed, added, removed), nil
}

// planList turns the list into the other. It works from the end, so that the indexes before stay true.
func (t *tree) planList(n *yaml.Node, items []any, e Edit) ([]Edit, error) {
	value, _, err := decode(n)
	if err != nil {
		return nil, err
	}
	old, _ := value.([]any)
	var edits []Edit
	pairs := align(len(old), len(items), func(i, j int) bool { return akin(old[i], plain(items[j])) })
	pairs = append([]pair{{-1, -1}}, pairs...)
	nextOld, nextNew := len(old), len(items)
	for _, p := range slices.Backward(pairs) {
		both := min(nextOld-p.old, nextNew-p.new) - 1 // between this pair and the next, so many are paired by their order
		for i := nextOld - 1; i > p.old+both; i-- {
			edits = append(edits, e.below(Remove, i, nil))
		}
		for j := nextNew - 1; j > p.new+both; j-- {
			edits = append(edits, e.below(Add, p.old+both+1, items[j]))
		}
		for k := both; k >= 0 && p.old+k >= 0; k-- {
			steps, err := t.plan(e.below(Replace, p.old+k, items[p.new+k]))
			if err != nil {
				return nil, err
			}
			edits = append(edits, steps...)
		}
		nextOld, nextNew = p.old, p.new
	}
	return edits, nil
}

// akin says whether two items are the same one, before and after: they are equal, or have one name.
func akin(a, b any) bool {
	before, isMap := a.(map[string]any)
	after, too := b.(map[string]any)
	if isMap && too && before["name"] != nil {
		if name, ok := before["name"].(string); ok && name == after["name"] {
			return true
		}
	}
	return reflect.DeepEqual(a, b)
}

// pair is an item of a list and the one of another list that it is aligned with.
type pair struct{ old, new int }

// mostCompared bounds the table of align. Beyond it, only what is alike at both ends is aligned.
const mostCompared = 4_000_000

// align finds the longest common subsequence of two lists.
func align(olds, news int, same func(i, j int) bool) []pair {
	var pairs []pair
	start := 0
	for ; start < min(olds, news) && same(start, start); start++ {
		pairs = append(pairs, pair{start, start})
	}
	tail := 0
	for tail < min(olds, news)-start && same(olds-1-tail, news-1-tail) {
		tail++
	}
	if n, m := olds-start-tail, news-start-tail; n*m <= mostCompared {
		for _, p := range longest(n, m, func(i, j int) bool { return same(start+i, start+j) }) {
			pairs = append(pairs, pair{start + p.old, start + p.new})
		}
	}
	for ; tail > 0; tail-- {
		pairs = append(pairs, pair{olds - tail, news - tail})
	}
	return pairs
}

func longest(n, m int, same func(i, j int) bool) []pair {
	alike := make([]bool, n*m)
	length := make([]int32, (n+1)*(m+1)) // of the rest of both, from there
	for i := n - 1; i >= 0; i-- {
		for j := m - 1; j >= 0; j-- {
			here := &length[i*(m+1)+j]
			if alike[i*m+j] = same(i, j); alike[i*m+j] {
				*here = length[(i+1)*(m+1)+j+1] + 1
			} else {
				*here = max(length[(i+1)*(m+1)+j], length[i*(m+1)+j+1])
			}
		}
	}
	var pairs []pair
	for i, j := 0, 0; i < n && j < m; {
		switch {
		case alike[i*m+j]:
			pairs = append(pairs, pair{i, j})
			i, j = i+1, j+1
		case length[(i+1)*(m+1)+j] >= length[i*(m+1)+j+1]:
			i++
		default:
			j++
		}
	}
	return pairs
}
