package workloads

import (
	"slices"

	"secretstore/internal/migrate/model"
)

// A patch of a kustomization is merged into its base: a volume of both gets the fields of both. So a base whose volume becomes
// a Secret's, and a patch that still puts a `csi` into it, make a volume with two sources, which the API server refuses. What
// a patch says of a volume is changed together with the base.

// entry is what a patch says of a CSI volume.
type entry struct {
	name, class string
	path        model.Path
	// driver says that it names the driver, or what only the driver's volumes have.
	driver bool
}

// patched lists the CSI volumes in a workload that may be the driver's.
func patched(w model.Workload) []entry {
	var list []entry
	for i, volume := range entries(w.Object.Content, w.PodSpec.Of("volumes")) {
		value, _ := model.Path{"csi"}.Get(volume)
		csi, isMap := value.(map[string]any)
		driver := text(csi, "driver")
		if !isMap || driver != "" && driver != model.Driver {
			continue
		}
		class := text(csi, "volumeAttributes", "secretProviderClass")
		list = append(list, entry{
			name: text(volume, "name"), class: class, path: w.PodSpec.Of("volumes", i),
			driver: driver != "" || class != "" || csi["nodePublishSecretRef"] != nil,
		})
	}
	return list
}

// isSame tells whether two workloads of a folder are parts of one object, as far as namespaces are known.
func isSame(a, b model.Workload) bool {
	x, y := a.Object.Ref, b.Object.Ref
	return x.Kind == y.Kind && x.Name == y.Name && x.Group() == y.Group() &&
		(x.Namespace == y.Namespace || x.Namespace == "" || y.Namespace == "")
}

// patches are the patches of a workload.
func (p *planner) patches(w model.Workload) []model.Workload {
	var patches []model.Workload
	for _, other := range p.survey.Workloads {
		if other.Object.Partial && !w.Object.Partial && isSame(w, other) {
			patches = append(patches, other)
		}
	}
	return patches
}

// base is the workload that a patch is merged into, and whether it is in the folder.
func (p *planner) base(patch model.Workload) (model.Workload, bool) {
	i := slices.IndexFunc(p.survey.Workloads, func(w model.Workload) bool { return !w.Object.Partial && isSame(w, patch) })
	if i < 0 {
		return model.Workload{}, false
	}
	return p.survey.Workloads[i], true
}

// patch plans a patch: what it says of volumes that change in the base, the volumes that it adds, and its references.
func (p *planner) patch(w model.Workload) {
	if w.Object.IsJSONPatch() {
		p.jsonPatch(w)
		return
	}
	base, known := p.base(w)
	if !p.readable(w.Object, w.Uses) {
		return
	}
	var e edits
	for _, entry := range patched(w) {
		i := slices.IndexFunc(base.Volumes, func(v model.Volume) bool { return v.Name == entry.name })
		switch {
		case i >= 0:
			p.merged(&e, w, base, base.Volumes[i], entry)
		case p.foreign(w.Object.Namespace, entry.class): // it stays, and so does the driver
		case entry.class != "":
			p.own(&e, w, entry, known)
		case entry.driver && !known:
			p.say(codeNoBase, w.Object, "", "It patches the CSI volume %s of an object that is not in the folder.", entry.name)
		}
	}
	p.orphans(&e, w, base)
	p.references(&e, w.Object, w.Uses)
	p.reloader(&e, w)
	if list := e.list(w.Object.Content); len(list) > 0 {
		c := p.change(w.Object, w.Manager, orderWorkloads, list)
		c.Summary = "Let the patch of " + w.Object.String() + " say nothing of the CSI driver any more, together with its base"
		c.Risk = "The base and all its patches have to change together: else a volume gets two sources, which the API server refuses."
		p.add(c, true)
	}
}

// merged plans what a patch says of a volume of its base.
func (p *planner) merged(e *edits, w, base model.Workload, v model.Volume, patch entry) {
	if base.Held {
		p.say(codeUndecided, w.Object, "Settle what is said of its base.", "The object that it patches has to wait, so the patch does.")
		return
	}
	namespace := base.Object.Namespace
	for _, class := range p.classes(base) {
		if !p.isReady(namespace, class) {
			p.waits(w.Object, namespace, class)
			return
		}
	}
	switch {
	case p.removes(base, v), patch.class == "", patch.class == v.Class:
		p.forget(e, w, patch)
	default:
		mine, _ := p.translation(namespace, patch.class)
		theirs, _ := p.translation(namespace, v.Class)
		e.replace(w.Object.Content, patch.path, mine)
		is, _ := source(mine.Files)
		was, _ := source(theirs.Files)
		if is != was {
			e.put(patch.path.Of(was), nil) // takes the base's away
		}
	}
}

// forget takes the CSI part out of what a patch says of a volume, and the entry if nothing else is in it.
func (p *planner) forget(e *edits, w model.Workload, patch entry) {
	value, _ := patch.path.Get(w.Object.Content)
	if fields, _ := value.(map[string]any); len(fields) <= 2 { // name and csi
		e.drop(patch.path)
		return
	}
	e.remove(w.Object.Content, patch.path.Of("csi"))
}

// own plans a volume that a patch adds. Where the base is not in the folder it may have one of the name, whose `csi` then has
// to go: null takes it away, and is nothing where there is none.
func (p *planner) own(e *edits, w model.Workload, patch entry, known bool) {
	t, _ := p.translation(w.Object.Namespace, patch.class)
	switch {
	case !t.Ready:
		p.waits(w.Object, w.Object.Namespace, patch.class)
	case len(t.Files) == 0:
		p.forget(e, w, patch)
	case known:
		e.replace(w.Object.Content, patch.path, t)
	default:
		was, _ := patch.path.Of("csi").Get(w.Object.Content)
		field, source := source(t.Files)
		e.fields = append(e.fields, model.FieldEdit{Op: model.OpReplace, Path: patch.path.Of("csi"), Was: was})
		e.put(patch.path.Of(field), source)
	}
}

// orphans takes mounts out of a patch whose volume goes from the base.
func (p *planner) orphans(e *edits, w, base model.Workload) {
	for _, v := range base.Volumes {
		if base.Held || !p.isReady(base.Object.Namespace, v.Class) || !p.removes(base, v) {
			continue
		}
		for _, mount := range mounts(w.Object.Content, w.PodSpec, v.Name) {
			e.drop(mount)
		}
	}
}
