package workloads

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"secretstore/internal/migrate/model"
)

// reader plans an object without pods that uses Secrets of a class: an Ingress, a Gateway, a ServiceAccount.
func (p *planner) reader(r model.Reader) {
	if !p.readable(r.Object, r.Uses) {
		return
	}
	var e edits
	p.references(&e, r.Object, r.Uses)
	if list := e.list(r.Object.Content); len(list) > 0 {
		c := p.change(r.Object, r.Object.Manager(), orderReaders, list)
		c.Summary = "Let " + r.Object.String() + " refer to the Secrets by their new names"
		p.add(c, r.Object.Partial)
	}
}

// references edits what refers to a Secret whose successor has another name or other keys. The rest stays as it is.
func (p *planner) references(e *edits, object model.Object, uses []model.Use) {
	done := map[string]bool{}
	for _, use := range uses {
		t, sync, known := p.sync(cmp.Or(use.Namespace, object.Namespace), use.Secret)
		if !known || sync.New == sync.Old && len(sync.Keys) == 0 {
			continue
		}
		at, field := reference(object.Content, use)
		switch {
		case field == "":
			p.say(codeLost, object, "", "The reference to Secret %s (%s) was not found at %s.", use.Secret, use.How, use.Path)
		case !done[at.Pointer()]:
			before := len(e.fields)
			e.set(object.Content, at.Of(field), sync.New)
			e.renameKeys(object.Content, at, use.How, sync, p.keys(t.Class, sync.Old))
			if len(e.fields) > before {
				p.say(codeRenamed, object, "", "It reads Secret %s (%s at %s), whose successor is Secret %s.", sync.Old, use.How, use.Path,
					renamed(sync))
			}
		}
		done[at.Pointer()] = true
	}
}

// renamed is the successor's name, with the keys that change.
func renamed(s model.Sync) string {
	words := []string{s.New}
	for _, key := range slices.Sorted(maps.Keys(s.Keys)) {
		words = append(words, "key "+s.Keys[key]+" for "+key)
	}
	return strings.Join(words, ", ")
}

// reference finds the fields that name a Secret at a path, or just below it, and which of them holds the name. No name of a
// field means that there is none.
func reference(content map[string]any, use model.Use) (model.Path, string) {
	at := use.Path
	if _, isText := lastText(content, at); isText {
		at = at[:len(at)-1] // the path led to the name itself
	}
	for _, below := range [][]any{{}, {"secretRef"}, {"secret"}, {"valueFrom", "secretKeyRef"}, {"secretKeyRef"}} {
		for _, field := range []string{"secretName", "name"} {
			if text(content, at.Of(below...).Of(field)...) == use.Secret {
				return at.Of(below...), field
			}
		}
	}
	return nil, ""
}

// lastText is the text that a path leads to, and whether it leads to one.
func lastText(content map[string]any, path model.Path) (string, bool) {
	value, _ := path.Get(content)
	s, isText := value.(string)
	return s, isText && len(path) > 0
}

// renameKeys edits the keys that a reference reads. What took all keys under their own names gets the old names back: files by
// items, environment by variables.
func (e *edits) renameKeys(content map[string]any, at model.Path, how string, s model.Sync, keys []string) {
	if len(s.Keys) == 0 {
		return
	}
	if key := text(content, at.Of("key")...); s.Keys[key] != "" {
		e.set(content, at.Of("key"), s.Keys[key])
	}
	items := entries(content, at.Of("items"))
	for i, item := range items {
		if key := s.Keys[text(item, "key")]; key != "" {
			e.set(content, at.Of("items", i, "key"), key)
		}
	}
	switch {
	case how == "envFrom":
		e.variables(content, at, s)
	case at[len(at)-1] == "secret" && len(items) == 0:
		var all []any
		for _, key := range keys {
			all = append(all, map[string]any{"key": successor(s, key), "path": key})
		}
		e.put(at.Of("items"), all)
	}
}

// successor is the key that takes a key's place.
func successor(s model.Sync, key string) string {
	if renamed := s.Keys[key]; renamed != "" {
		return renamed
	}
	return key
}

// variables adds the environment variables whose names a container took from keys that are called otherwise now.
func (e *edits) variables(content map[string]any, secretRef model.Path, s model.Sync) {
	source, container := secretRef[:len(secretRef)-1], secretRef[:len(secretRef)-3]
	env := entries(content, container.Of("env"))
	for _, key := range slices.Sorted(maps.Keys(s.Keys)) {
		name := text(content, source.Of("prefix")...) + key
		if slices.ContainsFunc(env, func(v any) bool { return text(v, "name") == name }) {
			continue // it was this one that counted before, too
		}
		ref := map[string]any{"name": s.New, "key": s.Keys[key]}
		if optional, found := secretRef.Of("optional").Get(content); found {
			ref["optional"] = optional
		}
		e.append(content, container.Of("env"), map[string]any{"name": name, "valueFrom": map[string]any{"secretKeyRef": ref}})
	}
}
