package akvsync

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"secretstore/api/secretsync/v1alpha1"
	"secretstore/internal/spcparams"
)

// needs are the objects of the vault that Secrets are made of, by their names in lower case: Key Vault does not tell cases
// apart. A certificate with its private key is read as the secret of its name, so that both are one object here.
type needs map[string]spcparams.Object

// add adds what a Secret needs, each object with the longest history that anyone wants of it, or says that it is too much.
func (n needs) add(s secret) *problem {
	added := needs{}
	for _, i := range s.items {
		base := strings.ToLower(i.object)
		object, known := added[base]
		if !known {
			object, known = n[base]
		}
		if !known || i.object < object.Name { // of several spellings always the same one
			object.Name = i.object
		}
		object.Type = spcparams.TypeSecret
		object.Alias = ""
		if object.Name != base {
			object.Alias = base // so that paths do not depend on the spelling
		}
		if i.version > 0 {
			object.History = max(object.History, i.version+1)
		}
		added[base] = object
	}
	total := 0
	for base, object := range n {
		if _, replaced := added[base]; !replaced {
			total += object.Versions()
		}
	}
	for _, object := range added {
		total += object.Versions()
	}
	if total > spcparams.MaxVersions {
		return mistake("%s is too much: the entries up to it ask for more than %d versions of objects; shorten histories, or use more "+
			"than one AKVSync", place(s.entry), spcparams.MaxVersions)
	}
	maps.Copy(n, added)
	return nil
}

// path is the source path of an item. It has a number wherever anyone wants a history of the object.
func (n needs) path(i item) string {
	object := n[strings.ToLower(i.object)]
	if object.History > 1 {
		return object.Base() + "/" + strconv.Itoa(i.version)
	}
	return object.Base()
}

// objects are all that are needed, in an order that does not depend on that of the entries.
func (n needs) objects() []spcparams.Object {
	list := make([]spcparams.Object, 0, len(n))
	for _, base := range slices.Sorted(maps.Keys(n)) {
		list = append(list, n[base])
	}
	return list
}

// keep adds to what is wanted those objects of the SecretProviderClass as it is that a SecretSync still refers to and that
// would go otherwise. A SecretSync that waits to be changed, to be deleted or for somebody to cure a mistake loses nothing so;
// once none refers to an object any more, it goes. The two forms of one object, with and without a history, may stand side by
// side, since their paths differ.
func keep(wanted, have spcparams.Params, syncs []*v1alpha1.SecretSync) spcparams.Params {
	kept := wanted
	kept.Objects = slices.Clone(wanted.Objects)
	for _, sync := range syncs {
		for _, entry := range sync.Spec.SecretObject.Data {
			if _, err := kept.Resolve(entry.SourcePath); err == nil {
				continue
			}
			if ref, err := have.Resolve(entry.SourcePath); err == nil {
				kept.Objects = merge(kept.Objects, have.Objects[ref.Object])
			}
		}
	}
	if _, err := spcparams.Parse(kept.Parameters()); err != nil {
		return wanted // what somebody wrote into the class by hand does not go together with what is wanted
	}
	return kept
}

// merge adds an object to a list, in the place of the same one with a shorter history if there is that.
func merge(objects []spcparams.Object, added spcparams.Object) []spcparams.Object {
	for i, o := range objects {
		if o.Base() == added.Base() && o.History > 1 && added.History > 1 {
			objects[i].History = max(o.History, added.History)
			return objects
		}
	}
	return append(objects, added)
}
