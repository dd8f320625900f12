package read

import (
	"encoding/base64"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"secretstore/internal/migrate/model"
)

// patch is an entry of a kustomization's patches.
type patch struct {
	// target is what the entry says of the object that is patched; empty members match anything.
	target model.Ref
	// pointer leads to the entry's text within the kustomization; file is the patch's file, empty for an inline one.
	pointer, file, text string
}

// mark makes an object a patch of what the entry names: with a target, the patch's own kind and name mean nothing, so that what
// was read as any other kind may turn out to hold the values of a Secret.
func (p patch) mark(o model.Object, digest model.Digester) model.Object {
	o.Partial = true
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
			p := patch{pointer: "/" + field + "/" + strconv.Itoa(i) + "/patch", text: text(entry, "patch")}
			p.target = model.Ref{Kind: text(entry, "target", "kind"), Name: text(entry, "target", "name")}
			if name := text(entry, "path"); name != "" {
				p.file = k.resolve(name)
			}
			patches = append(patches, p)
		}
	}
	for i, entry := range list(k.content, "patchesStrategicMerge") {
		p := patch{pointer: "/patchesStrategicMerge/" + strconv.Itoa(i)}
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
			f.patched[p.file] = p
			f.use(p.file, k.namespaces)
			continue
		}
		documents, start := f.inline(k, p)
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

// inline reads the text of an inline patch and says which line comes before its first one. What is no YAML kustomize refuses:
// it patches nothing.
func (f *kustomizer) inline(k *kustomization, p patch) (documents []document, start int) {
	documents, broken := parse(k.place.File, []byte(p.text))
	start = k.lines[p.pointer]
	if !strings.Contains(p.text, "\n") {
		start--
	}
	if broken != nil {
		return nil, start
	}
	return documents, start
}

// isJSONPatch tells a JSON 6902 patch: a list of operations.
func isJSONPatch(content any) bool {
	operations, ok := content.([]any)
	return ok && len(operations) > 0 && text(operations[0], "op") != "" && text(operations[0], "path") != ""
}

// judgeJSONPatches tells of JSON patches that touch what the migration changes.
func (f *kustomizer) judgeJSONPatches(dirs []string) {
	for _, dir := range dirs {
		k := f.byDir[dir]
		for _, p := range k.patches() {
			place, start := k.place, 0
			documents := f.files[p.file]
			if p.file == "" {
				documents, start = f.inline(k, p)
				place.Inside = p.pointer
			} else {
				place = model.Place{File: p.file, Item: -1}
			}
			for i, d := range documents {
				if p.file != "" {
					place.Document = i
				}
				place.Line = start + d.line
				f.judge(p, place, d)
			}
		}
	}
}

// judge tells of the operations of one JSON patch.
func (f *kustomizer) judge(p patch, place model.Place, d document) {
	if !isJSONPatch(d.content) {
		return
	}
	targets := f.targets(p.target)
	mounts := slices.ContainsFunc(targets, concernsObject)
	if mounts {
		targets = slices.DeleteFunc(targets, func(o model.Object) bool { return !concernsObject(o) })
	}
	operations, _ := d.content.([]any)
	for i, operation := range operations {
		if !touches(operation, p.target.Kind == "SecretProviderClass", mounts) {
			continue
		}
		at := place
		if line := d.lines["/"+strconv.Itoa(i)]; line > 0 {
			at.Line += line - d.line
		}
		message := fmt.Sprintf("%s: the operation %s %s of a JSON patch touches %s %s.", at, text(operation, "op"),
			text(operation, "path"), p.target.Kind, p.target.Name)
		found := model.Object{Ref: p.target, Place: at}
		if len(targets) == 0 {
			f.findings = append(f.findings, model.Find(model.JSONPatch, found, "", "%s", message))
		}
		for _, target := range targets {
			found.Ref = target.Ref
			f.findings = append(f.findings, model.Find(model.JSONPatch, found, "", "%s", message))
		}
	}
}

// targets are the objects that a patch's target names.
func (f *kustomizer) targets(target model.Ref) []model.Object {
	var found []model.Object
	for _, o := range f.objects {
		if !o.Partial && (target.Kind == "" || target.Kind == o.Kind) && (target.Name == "" || target.Name == o.Name) {
			found = append(found, o)
		}
	}
	return found
}

func concernsObject(o model.Object) bool { return concerns(o.Content) }

// touches tells whether an operation changes a class, or volumes of which the migration changes one. A volume of another kind
// that is added at the end does not: no number of the others is changed.
func touches(operation any, class, mounts bool) bool {
	where := text(operation, "path") + "/" + text(operation, "from") + "/"
	volumes := strings.Contains(where, "/volumes/") || strings.Contains(where, "/volumeMounts/")
	fields, _ := operation.(map[string]any)
	if class || concerns(fields["value"]) {
		return true
	}
	appends := text(operation, "op") == "add" && strings.HasSuffix(text(operation, "path"), "/-")
	return volumes && mounts && !appends
}
