package read

import (
	"hash/maphash"
	"maps"
	"reflect"
	"slices"
)

// sharer lets equal parts of objects be one: the pods of a workload differ in little but their names, and 5,000 of them would
// take most of the memory of a reading. What is shared must not be changed any more; nothing that reads a Snapshot does.
type sharer struct {
	seed  maphash.Seed
	parts map[uint64]any
}

func newSharer() *sharer { return &sharer{seed: maphash.MakeSeed(), parts: map[uint64]any{}} }

// share returns a value equal to v whose parts are those of values that were shared before, as far as they are equal, and the
// value's hash.
func (s *sharer) share(v any) (any, uint64) {
	var h maphash.Hash
	h.SetSeed(s.seed)
	switch value := v.(type) {
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(value)) {
			shared, sum := s.share(value[name])
			value[name] = shared
			_, _ = h.WriteString(name)
			maphash.WriteComparable(&h, sum)
		}
		_ = h.WriteByte('{')
	case []any:
		for i, item := range value {
			shared, sum := s.share(item)
			value[i] = shared
			maphash.WriteComparable(&h, sum)
		}
		_ = h.WriteByte('[')
	default:
		maphash.WriteComparable(&h, v)
	}
	sum := h.Sum64()
	known, found := s.parts[sum]
	switch {
	case !found:
		s.parts[sum] = v
	case reflect.DeepEqual(known, v): // of what is one already this asks no more than that
		return known, sum
	}
	return v, sum
}
