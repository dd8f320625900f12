package akv

import (
	"cmp"
	"slices"
	"strings"

	"secretstore/internal/fault"
	"secretstore/internal/spcparams"
)

// pick chooses the versions that an object with a history asks for: the enabled ones by time of creation, the latest
// first, counted from the object's own version where it names one; at most as many as asked for.
func pick(entries []entry, object spcparams.Object) ([]entry, error) {
	entries = slices.Clone(entries)
	slices.SortStableFunc(entries, func(a, b entry) int { return cmp.Compare(b.created, a.created) })
	if object.Version != "" {
		from := slices.IndexFunc(entries, func(e entry) bool { return e.version == object.Version })
		if from < 0 {
			return nil, fault.New(fault.ObjectMissing, "%s %s has no version %s in the vault: correct or remove "+
				"objectVersion in the SecretProviderClass", object.Type, object.Name, object.Version)
		}
		entries = entries[from:]
	}
	var picked []entry
	for _, e := range entries {
		if e.enabled && len(picked) < object.History {
			picked = append(picked, e)
		}
	}
	if len(picked) == 0 {
		return nil, fault.New(fault.ObjectDisabled, "%s %s has no version in the vault that is enabled: enable one, or set "+
			"a new one", object.Type, object.Name)
	}
	return picked, nil
}

// sameSecond says whether it cannot be told from the times which of the versions is the current one.
func sameSecond(picked []entry, object spcparams.Object) bool {
	return object.Version == "" && len(picked) > 1 && picked[0].created == picked[1].created
}

// putFirst puts a version before the others.
func putFirst(picked []entry, version string) []entry {
	i := slices.IndexFunc(picked, func(e entry) bool { return e.version == version })
	if i <= 0 {
		return picked
	}
	first := picked[i]
	return slices.Concat([]entry{first}, picked[:i], picked[i+1:])
}

// stateOfAll tells a list of versions from others, and when the latest of them was changed.
func stateOfAll(picked []entry) (versions string, updated int64) {
	texts := make([]string, 0, len(picked))
	for _, e := range picked {
		texts = append(texts, e.version+"/"+e.String())
		updated = max(updated, e.updated)
	}
	return strings.Join(texts, " "), updated
}
