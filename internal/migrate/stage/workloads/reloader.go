package workloads

import (
	"slices"
	"strings"

	"secretstore/internal/migrate/model"
)

// reloads are the annotations by which Stakater's Reloader watches classes, and those by which it watches Secrets. Reloader
// looks at those of the workload, else at those of its template.
func reloads() [][2]string {
	return [][2]string{
		{"secretproviderclass.reloader.stakater.com/reload", "secret.reloader.stakater.com/reload"},
		{"secretproviderclasses.exclude.reloader.stakater.com/reload", "secrets.exclude.reloader.stakater.com/reload"},
	}
}

// The same for all classes, or Secrets, that the pods refer to.
const (
	autoClass  = "secretproviderclass.reloader.stakater.com/auto"
	autoSecret = "secret.reloader.stakater.com/auto"
)

// reloader moves Reloader's annotations from the classes to the Secrets that take their place.
func (p *planner) reloader(e *edits, w model.Workload) {
	template := w.PodSpec[:len(w.PodSpec)-1].Of("metadata", "annotations")
	places := []model.Path{{"metadata", "annotations"}}
	if len(template) > 2 {
		places = append(places, template)
	}
	before := len(e.fields)
	for _, place := range places {
		for _, names := range reloads() {
			p.reload(e, w, place.Of(names[0]), place.Of(names[1]))
		}
		e.auto(w, place.Of(autoClass), place.Of(autoSecret))
	}
	if len(e.fields) > before {
		p.say(codeReloader, w.Object, "", "Reloader restarts its pods when a class changes; its annotations name Secrets from now on.")
	}
}

// reload moves the classes of a list over; those that stay classes stay in it.
func (p *planner) reload(e *edits, w model.Workload, from, to model.Path) {
	content := w.Object.Content
	list := text(content, from...)
	if list == "" {
		return
	}
	stay, secrets := []string{}, split(text(content, to...))
	for _, class := range split(list) {
		if !p.isReady(w.Object.Namespace, class) {
			stay = append(stay, class)
			continue
		}
		t, _ := p.translation(w.Object.Namespace, class)
		for _, secret := range p.secrets(w, t) {
			if !slices.Contains(secrets, secret) {
				secrets = append(secrets, secret)
			}
		}
	}
	if len(stay) == len(split(list)) {
		return
	}
	if len(secrets) > 0 {
		e.set(content, to, strings.Join(secrets, ","))
	}
	if len(stay) > 0 {
		e.set(content, from, strings.Join(stay, ","))
		return
	}
	e.remove(content, from)
}

// auto moves the annotation that watches everything. It stays beside the new one while a volume of another provider does.
func (e *edits) auto(w model.Workload, from, to model.Path) {
	content := w.Object.Content
	value := text(content, from...)
	if value == "" {
		return
	}
	ours := 0
	for _, volume := range entries(content, w.PodSpec.Of("volumes")) {
		if text(volume, "csi", "driver") == model.Driver {
			ours++
		}
	}
	if _, found := to.Get(content); !found {
		e.put(to, value)
	}
	if ours == len(w.Volumes) {
		e.remove(content, from)
	}
}

// secrets are the Secrets in which a workload finds what it took from a class: those of its files and those that it reads by
// reference; all of them, if it does neither.
func (p *planner) secrets(w model.Workload, t model.Translation) []string {
	var used, all []string
	files := slices.ContainsFunc(w.Volumes, func(v model.Volume) bool { return v.Class == t.Class.Name && !p.removes(w, v) })
	for _, f := range t.Files {
		all = append(all, f.Secret)
		if files {
			used = append(used, f.Secret)
		}
	}
	for _, s := range t.Syncs {
		all = append(all, s.New)
		if slices.ContainsFunc(w.Uses, func(use model.Use) bool { return use.Secret == s.Old || use.Secret == s.New }) {
			used = append(used, s.New)
		}
	}
	if len(used) == 0 {
		used = all
	}
	slices.Sort(used)
	return slices.Compact(used)
}

// split reads a list as Reloader does: names between commas.
func split(list string) []string {
	var names []string
	for name := range strings.SplitSeq(list, ",") {
		if name = strings.TrimSpace(name); name != "" {
			names = append(names, name)
		}
	}
	return names
}
