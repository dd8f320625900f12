package workloads

import (
	"slices"
	"strings"

	"secretstore/internal/migrate/model"
)

// volume plans one CSI volume: it gets a Secret as its source and keeps its name and place, or goes with its mounts.
func (p *planner) volume(e *edits, w model.Workload, v model.Volume) {
	t, _ := p.translation(w.Object.Namespace, v.Class)
	switch {
	case !p.mounted(w, v.Name):
		p.say(codeUnmounted, w.Object, "", "No container mounts the volume %s of class %s; it goes.", v.Name, v.Class)
		e.drop(v.Path)
	case p.triggers(w, v):
		d := trigger(w, v)
		p.say(codeTrigger, w.Object, "", "It mounts the volume %s and also reads Secrets that class %s makes, by reference: "+
			"the volume may be there only so that the driver makes them.", v.Name, v.Class)
		if answer, _ := p.plan.Ask(p.options, d, model.Finding{}); answer == answerRemove {
			dropVolume(e, w.Object, v.Path, w.PodSpec, v.Name)
			return
		}
		e.replace(w.Object.Content, v.Path, t)
	default:
		e.replace(w.Object.Content, v.Path, t)
	}
}

// replace makes Secrets the source of a volume instead of the driver.
func (e *edits) replace(content map[string]any, volume model.Path, t model.Translation) {
	field, source := source(t.Files)
	e.remove(content, volume.Of("csi"))
	e.put(volume.Of(field), source)
}

// dropVolume takes a volume out of a pod, with all its mounts.
func dropVolume(e *edits, object model.Object, volume, podSpec model.Path, name string) {
	e.drop(volume)
	for _, mount := range mounts(object.Content, podSpec, name) {
		e.drop(mount)
	}
}

// source is the volume source that gives the files: the field of the volume and its value. All files are listed, so that one
// that is missing keeps the pod from starting, as the driver did. The mode of files is left out where it is the default: it
// is 0644 for both kinds of volume.
func source(files []model.File) (string, map[string]any) {
	var names []string
	items := map[string][]any{}
	for _, f := range files {
		item := map[string]any{"key": f.Key, "path": f.Name}
		if f.Mode != nil {
			item["mode"] = int64(*f.Mode)
		}
		if items[f.Secret] == nil {
			names = append(names, f.Secret)
		}
		items[f.Secret] = append(items[f.Secret], item)
	}
	if len(names) == 1 {
		return "secret", map[string]any{"secretName": names[0], "items": items[names[0]]}
	}
	sources := make([]any, 0, len(names))
	for _, name := range names {
		sources = append(sources, map[string]any{"secret": map[string]any{"name": name, "items": items[name]}})
	}
	return "projected", map[string]any{"sources": sources}
}

// mounted tells whether a container of a workload mounts a volume, patches of a kustomization counted in.
func (p *planner) mounted(w model.Workload, volume string) bool {
	parts := append(append([]model.Workload{w}, p.patches(w)...), w.States...)
	if base, known := p.base(w); known && w.Object.Partial {
		parts = append(append(parts, base), p.patches(base)...)
	}
	for _, part := range parts {
		if len(mounts(part.Object.Content, part.PodSpec, volume)) > 0 {
			return true
		}
	}
	return false
}

// mounts are the paths of a volume's mounts in containers of every list.
func mounts(content map[string]any, podSpec model.Path, volume string) []model.Path {
	var paths []model.Path
	for _, list := range []string{"initContainers", "containers", "ephemeralContainers"} {
		for i := range entries(content, podSpec.Of(list)) {
			for j, mount := range entries(content, podSpec.Of(list, i, "volumeMounts")) {
				if text(mount, "name") == volume {
					paths = append(paths, podSpec.Of(list, i, "volumeMounts", j))
				}
			}
		}
	}
	return paths
}

// triggers tells whether a mounted volume may be there only to make the driver write Secrets: the same pods read one of its
// class by reference, and no mount picks a file of the volume.
func (p *planner) triggers(w model.Workload, v model.Volume) bool {
	t, _ := p.translation(w.Object.Namespace, v.Class)
	reads := slices.ContainsFunc(w.Uses, func(use model.Use) bool {
		return slices.ContainsFunc(t.Syncs, func(s model.Sync) bool { return s.Old == use.Secret })
	})
	return reads && !slices.ContainsFunc(v.Mounts, func(m model.Mount) bool { return m.SubPath != "" })
}

// The answers to the question whether a volume is needed.
const (
	answerKeep   = "keep"
	answerRemove = "remove"
)

// trigger asks whether the files of a volume are read.
func trigger(w model.Workload, v model.Volume) model.Decision {
	var where []string
	for _, m := range v.Mounts {
		where = append(where, m.MountPath+" of "+m.Container)
	}
	return model.Decision{
		ID: model.DecisionID(codeTrigger, w.Object.Ref, v.Name), Code: codeTrigger, Object: w.Object.Ref,
		Question: "Does anything read the files of the volume " + v.Name + " (" + strings.Join(where, ", ") + ")?",
		Options: []model.Option{
			{Answer: answerKeep, Means: "The files stay where they are, from a Secret. This is right even if nobody reads them."},
			{Answer: answerRemove, Means: "The volume and its mounts go. A program that reads a file of it fails from then on."},
		},
		Proposal: answerKeep,
	}
}

// removes tells whether a volume of a workload goes altogether, asking nobody.
func (p *planner) removes(w model.Workload, v model.Volume) bool {
	if !p.mounted(w, v.Name) {
		return true
	}
	answer, _ := p.options.Decide(trigger(w, v)).Effective()
	return answer == answerRemove && p.triggers(w, v)
}
