package akv

import (
	"slices"
	"time"

	"secretstore/internal/fault"
	"secretstore/internal/spcparams"
)

// versionInfo is one entry of a list of versions.
type versionInfo struct {
	version string
	created time.Time
	enabled bool
}

// pick chooses the versions that an object with a history asks for: the enabled ones by time of creation, the latest
// first, counted from the object's own version where it names one; at most as many as asked for.
func pick(infos []versionInfo, object spcparams.Object) ([]string, error) {
	infos = slices.Clone(infos)
	slices.SortStableFunc(infos, func(a, b versionInfo) int { return b.created.Compare(a.created) })
	if object.Version != "" {
		from := slices.IndexFunc(infos, func(info versionInfo) bool { return info.version == object.Version })
		if from < 0 {
			return nil, fault.New(fault.ObjectMissing, "%s %s has no version %s in the vault: correct or remove "+
				"objectVersion in the SecretProviderClass", object.Type, object.Name, object.Version)
		}
		infos = infos[from:]
	}
	var picked []string
	for _, info := range infos {
		if info.enabled && len(picked) < object.History {
			picked = append(picked, info.version)
		}
	}
	if len(picked) == 0 {
		return nil, fault.New(fault.ObjectDisabled, "%s %s has no version in the vault that is enabled: enable one, or set "+
			"a new one", object.Type, object.Name)
	}
	return picked, nil
}
