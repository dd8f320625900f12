package read

import (
	"encoding/base64"
	"strconv"
	"strings"

	"secretstore/internal/migrate/model"
)

// patch is an entry of a kustomization's patches.
type patch struct {
	// target is what the entry says of the object that is patched; empty members match anything, others are regular expressions.
	// group and version are those of its apiVersion; selects says that it asks for labels or annotations besides.
	target         model.Ref
	group, version string
	selects        bool
	// targeted says that the entry has a target.
	targeted bool
	// entry leads to the entry within the kustomization, pointer to its text; file is the patch's file, empty for an inline one.
	entry, pointer, file, text string
	of                         *kustomization
}

// mark makes an object a patch of what the entry names: with a target, the patch's own kind and name mean nothing, so that what
// was read as any other kind may turn out to hold the values of a Secret.
func (p patch) mark(o model.Object, digest model.Digester) model.Object {
	o.Partial = true
	entry := p.of.place
	entry.Inside = p.entry
	o.Patch = &model.Patch{Entry: entry, Target: p.target.Name, Targeted: p.targeted}
	if p.target.Kind == "" || p.target.Name == "" {
		return o
	}
	known := o.Kind == "Secret" && o.Group() == "" // and was redacted when it was read
	o.Kind, o.Name = p.target.Kind, p.target.Name
	if o.Kind == "Secret" && !known {
		o.Content = model.Redact(o.Content, base64.StdEncoding.DecodeString, digest)
	}
	return o
}

// patches lists the entries of a kustomization, of the current field and of the two old ones.
func (k *kustomization) patches() []patch {
	var patches []patch
	for _, field := range []string{"patches", "patchesJson6902"} {
		for i, entry := range list(k.content, field) {
			p := patch{of: k, entry: "/" + field + "/" + strconv.Itoa(i), text: text(entry, "patch")}
			p.pointer = p.entry + "/patch"
			p.target = model.Ref{Kind: text(entry, "target", "kind"), Name: text(entry, "target", "name")}
			p.group, p.version = text(entry, "target", "group"), text(entry, "target", "version")
			p.selects = text(entry, "target", "labelSelector")+text(entry, "target", "annotationSelector") != ""
			_, p.targeted = model.Path{"target"}.Get(entry)
			if name := text(entry, "path"); name != "" {
				p.file = k.resolve(name)
			}
			patches = append(patches, p)
		}
	}
	for i, entry := range list(k.content, "patchesStrategicMerge") {
		p := patch{of: k, pointer: "/patchesStrategicMerge/" + strconv.Itoa(i)}
		p.entry = p.pointer
		if name, _ := entry.(string); strings.Contains(name, "\n") || strings.Contains(name, ": ") {
			p.text = name
		} else {
			p.file = k.resolve(name)
		}
		patches = append(patches, p)
	}
	return patches
}

// readPatches marks the files that are patches of a kustomization and reads the inline ones.
func (f *kustomizer) readPatches(k *kustomization) {
	for _, p := range k.patches() {
		if p.file != "" {
			f.tellOutside(k, p.file)
			f.patched[p.file] = append(f.patched[p.file], p)
			f.use(p.file, k.namespaces)
			continue
		}
		documents, start, broken := f.inline(k, p)
		f.tellBroken(p, start, broken)
		for _, d := range documents {
			place := k.place
			place.Inside, place.Line = p.pointer, start+d.line
			if isJSONPatch(d.content) {
				continue
			}
			objects, _ := f.objectsOf(document{content: d.content}, place)
			for _, o := range objects {
				o = p.mark(o, f.options.Digest)
				locate(&o, k.namespaces)
				f.objects = append(f.objects, o)
			}
		}
	}
}

// inline reads the text of an inline patch and says which line comes before its first one.
func (f *kustomizer) inline(k *kustomization, p patch) (documents []document, start int, broken *Broken) {
	documents, broken = parse(k.place.File, []byte(p.text))
	start = k.lines[p.pointer]
	if !strings.Contains(p.text, "\n") {
		start--
	}
	return documents, start, broken
}

// tellBroken says of an inline patch that it is no YAML.
func (f *kustomizer) tellBroken(p patch, start int, broken *Broken) {
	if broken == nil {
		return
	}
	place := p.of.place
	place.Inside, place.Line = p.pointer, start+broken.Line
	f.findings = append(f.findings, model.Find(model.BrokenPatch, model.Object{Place: place}, "", "%s: the patch at %s: %s.", place,
		p.pointer, broken.Problem))
}

// isJSONPatch tells a JSON 6902 patch: a list of operations.
func isJSONPatch(content any) bool {
	operations, ok := content.([]any)
	return ok && len(operations) > 0 && text(operations[0], "op") != "" && text(operations[0], "path") != ""
}
