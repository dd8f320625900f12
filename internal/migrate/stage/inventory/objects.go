package inventory

import (
	"slices"

	"secretstore/internal/migrate/model"
)

// objects are those of a snapshot, sorted, with what is asked of them often.
type objects struct {
	all []model.Object
	// specs are the paths of the pod specs within each object.
	specs [][]model.Path
	byKey map[key][]int
}

// key is what an owner reference says of an object. Versions differ without meaning another object.
type key struct{ group, kind, namespace, name string }

// newObjects sorts and indexes.
func newObjects(input []model.Object) *objects {
	o := &objects{all: slices.Clone(input), byKey: map[key][]int{}}
	slices.SortStableFunc(o.all, compareObjects)
	o.specs = make([][]model.Path, len(o.all))
	for i, object := range o.all {
		o.specs[i] = podSpecs(object)
		k := keyOf(object.Ref)
		o.byKey[k] = append(o.byKey[k], i)
	}
	return o
}

func keyOf(r model.Ref) key { return key{r.Group(), r.Kind, r.Namespace, r.Name} }

// owner is the reference to what made an object and keeps it as it wants it: the controller. Of pods any owner counts, since
// some operators leave the mark out.
func owner(object model.Object) (model.Ref, bool) {
	owners := list(object.Content, "metadata", "ownerReferences")
	i := slices.IndexFunc(owners, func(o any) bool { return truth(o, "controller") })
	if i < 0 && isPod(object.Ref) && len(owners) > 0 {
		i = 0
	}
	if i < 0 {
		return model.Ref{}, false
	}
	ref := model.Ref{
		APIVersion: text(owners[i], "apiVersion"), Kind: text(owners[i], "kind"),
		Namespace: object.Namespace, Name: text(owners[i], "name"),
	}
	return ref, ref.Kind != "" && ref.Name != ""
}

// top climbs from an object to the highest one that holds a pod template. Above is the owner of that one, if it has one: it was
// not read, or holds no template.
func (o *objects) top(i int) (top int, above model.Ref) {
	top = i
	visited := map[int]bool{}
	for at := i; !visited[at]; {
		visited[at] = true
		ref, owned := owner(o.all[at])
		if !owned {
			break
		}
		if top == at {
			above = ref
		}
		next, found := o.lookup(ref)
		if !found {
			break
		}
		at = next
		if len(o.specs[at]) > 0 {
			top, above = at, model.Ref{}
		}
	}
	return top, above
}

// lookup finds an owner: in the namespace of what it owns, else among what has none.
func (o *objects) lookup(ref model.Ref) (int, bool) {
	k := keyOf(ref)
	found := o.byKey[k]
	if len(found) == 0 {
		k.namespace = ""
		found = o.byKey[k]
	}
	if len(found) == 0 {
		return 0, false
	}
	return found[0], true
}

// of lists the objects of a group and kind.
func (o *objects) of(group, kind string) []model.Object {
	var found []model.Object
	for _, object := range o.all {
		if object.Kind == kind && object.Group() == group {
			found = append(found, object)
		}
	}
	return found
}

func isPod(r model.Ref) bool { return r.Kind == "Pod" && r.Group() == "" }
