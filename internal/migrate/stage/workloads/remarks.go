package workloads

import (
	"slices"
	"strconv"
	"strings"

	"secretstore/internal/migrate/model"
)

// remarks says what differs for a workload whose volumes become those of Secrets.
func (p *planner) remarks(w model.Workload) {
	var kept []model.Volume
	for _, v := range w.Volumes {
		if !p.removes(w, v) {
			kept = append(kept, v)
		}
	}
	p.keeper(w)
	if len(kept) == 0 {
		return
	}
	p.modes(w, kept)
	p.windows(w)
	p.mountsOf(w, kept)
	p.credentials(w, kept)
	if p.survey.Installed.Settings["rotation"] != "true" {
		p.say(codeRotation, w.Object, "", "Its files will follow the vault while pods run: within the check interval, 1 h unless set "+
			"otherwise, and about a minute of the kubelet's. Rotation was off, or not known to be on, until now.")
	}
}

// modes warns of files that a group may read from now on.
func (p *planner) modes(w model.Workload, kept []model.Volume) {
	if _, found := w.PodSpec.Of("securityContext", "fsGroup").Get(w.Object.Content); !found {
		return
	}
	var files []string
	for _, v := range kept {
		t, _ := p.translation(w.Object.Namespace, v.Class)
		for _, f := range t.Files {
			if f.Mode != nil && *f.Mode|0o440 != *f.Mode {
				files = append(files, f.Name+" "+octal(*f.Mode)+" becomes "+octal(*f.Mode|0o440))
			}
		}
	}
	if len(files) > 0 {
		p.say(codeModes, w.Object, "", "The pod has an fsGroup, so the kubelet lets its group read each file of a Secret: %s.",
			strings.Join(files, ", "))
	}
}

// octal is a mode as people write it.
func octal(mode int32) string { return "0" + strconv.FormatInt(int64(mode), 8) }

// windows says what is different on Windows.
func (p *planner) windows(w model.Workload) {
	content := w.Object.Content
	if text(content, w.PodSpec.Of("os", "name")...) == "windows" ||
		text(content, w.PodSpec.Of("nodeSelector", "kubernetes.io/os")...) == "windows" {
		p.say(codeWindows, w.Object, "", "Its pods run on Windows: files of a Secret have no modes there, and paths are Windows' own.")
	}
}

// mountsOf says what holds of single mounts: a subPath never follows, an ephemeral container cannot be taken along.
func (p *planner) mountsOf(w model.Workload, kept []model.Volume) {
	for _, v := range kept {
		for _, m := range v.Mounts {
			if m.SubPath != "" {
				p.say(codeSubPath, w.Object, "", "Container %s mounts %s of the volume %s by subPath: the file stays what it was when the "+
					"container started.", m.Container, m.SubPath, v.Name)
			}
			if m.List == "ephemeralContainers" {
				p.say(codeEphemeral, w.Object, "", "The ephemeral container %s mounts the volume %s.", m.Container, v.Name)
			}
		}
	}
}

// credentials says where a class is read with several credentials, which one identity takes the place of.
func (p *planner) credentials(w model.Workload, kept []model.Volume) {
	for _, v := range kept {
		var names []string
		for _, other := range p.survey.Workloads {
			for _, volume := range other.Volumes {
				if other.Object.Namespace == w.Object.Namespace && volume.Class == v.Class {
					names = append(names, volume.Credential)
				}
			}
		}
		slices.Sort(names)
		if names = slices.Compact(names); len(names) > 1 {
			p.say(codeCredentials, w.Object, "", "Volumes of class %s are mounted with the credentials %s; afterwards one identity "+
				"reads it for all of them.", v.Class, strings.TrimPrefix(strings.Join(names, ", "), ", "))
		}
	}
}

// keeper says of a workload that it may have no purpose any more: it uses none of the Secrets that its volumes make the
// driver write, and others do.
func (p *planner) keeper(w model.Workload) {
	if len(w.Uses) > 0 || len(w.Volumes) == 0 {
		return
	}
	for _, v := range w.Volumes {
		t, _ := p.translation(w.Object.Namespace, v.Class)
		if len(t.Syncs) == 0 || !p.usedByOthers(w, t) {
			return
		}
	}
	p.say(codeKeeper, w.Object, "", "Only others read the Secrets of its classes: it may be there to keep the driver writing them.")
}

// usedByOthers tells whether something reads a Secret of a class without mounting it.
func (p *planner) usedByOthers(w model.Workload, t model.Translation) bool {
	reads := func(uses []model.Use) bool {
		return slices.ContainsFunc(uses, func(use model.Use) bool {
			return slices.ContainsFunc(t.Syncs, func(s model.Sync) bool { return s.Old == use.Secret })
		})
	}
	mounts := func(v model.Volume) bool { return v.Class == t.Class.Name }
	return slices.ContainsFunc(p.survey.Workloads, func(other model.Workload) bool {
		return other.Object.Namespace == w.Object.Namespace && reads(other.Uses) && !slices.ContainsFunc(other.Volumes, mounts)
	}) || slices.ContainsFunc(p.survey.Readers, func(r model.Reader) bool {
		return r.Object.Namespace == w.Object.Namespace && reads(r.Uses)
	})
}

// needs says which Secrets have to be there before an object is changed: those that its edits bring in.
func needs(namespace string, edits []model.FieldEdit) []string {
	var secrets []string
	for _, e := range edits {
		secrets = append(secrets, named(e.Value)...)
	}
	slices.Sort(secrets)
	var list []string
	for _, secret := range slices.Compact(secrets) {
		name := strings.TrimPrefix(namespace+"/"+secret, "/")
		list = append(list, "Secret "+name+" is there with every key that is listed: its sync is healthy")
	}
	return list
}

// named lists the Secrets that a volume source names.
func named(source any) []string {
	names := []string{}
	if name := text(source, "secretName"); name != "" {
		names = append(names, name)
	}
	for _, s := range entries(source, model.Path{"sources"}) {
		names = append(names, text(s, "secret", "name"))
	}
	return names
}
