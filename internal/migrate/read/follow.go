package read

import (
	"fmt"
	"maps"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"secretstore/internal/migrate/model"
	"secretstore/internal/migrate/model/jsonpatch"
)

// What a patch means is known once it is applied to its base. So patches of classes, and JSON patches of what the migration
// changes, are followed: the piece in the Snapshot is then the whole object as the patch leaves it.

// reach are the files that a kustomization builds from, by itself and by those that it uses, and the folders of these.
func (f *kustomizer) reach(k *kustomization) (files, dirs map[string]bool) {
	files, dirs = map[string]bool{}, map[string]bool{}
	var visit func(k *kustomization)
	visit = func(k *kustomization) {
		if dirs[k.dir] {
			return
		}
		dirs[k.dir] = true
		for _, source := range k.sources() {
			if base := f.byDir[source]; base != nil {
				visit(base)
				continue
			}
			files[source] = true
		}
	}
	visit(k)
	return files, dirs
}

// bases are the objects that an entry patches: of those that its kustomization builds, those that its target fits.
func (f *kustomizer) bases(p patch) []model.Object {
	files, _ := f.reach(p.of)
	var found []model.Object
	for _, o := range f.objects {
		isSecret := o.Kind == "Secret" && o.Group() == "" // what a patch puts into one is a value of a secret
		if files[o.Place.File] && p.fits(o) && !isSecret {
			found = append(found, o)
		}
	}
	return found
}

// fits tells whether an object is one that the entry's target means.
func (p patch) fits(o model.Object) bool {
	_, version, _ := strings.Cut(o.APIVersion, "/")
	if version == "" {
		version = o.APIVersion
	}
	return !o.Partial && fits(p.target.Kind, o.Kind) && fits(p.target.Name, o.Name) && fits(p.group, o.Group()) &&
		fits(p.version, version)
}

// fits tells whether a regular expression fits the whole of a text, as kustomize asks it; an empty one fits all.
func fits(pattern, text string) bool {
	if pattern == "" || pattern == text {
		return true
	}
	placeholder := regexp.MustCompile(`\$\{[^{}]*\}`) // which means something to a regular expression, but not here
	expression, err := regexp.Compile("^(?:" + placeholder.ReplaceAllLiteralString(pattern, "x") + ")$")
	return err == nil && expression.MatchString(placeholder.ReplaceAllLiteralString(text, "x"))
}

// followClasses makes whole classes of the pieces of classes.
func (f *kustomizer) followClasses() {
	for i := range f.objects {
		if o := &f.objects[i]; o.Partial && o.Patch != nil && o.Kind == "SecretProviderClass" {
			more := f.followClass(o)
			f.objects = append(f.objects, more...)
		}
	}
}

// followClass makes a whole class of a piece of one, and further ones where it is a piece of several.
func (f *kustomizer) followClass(piece *model.Object) []model.Object {
	p := patch{of: f.byDir[path.Dir(piece.Patch.Entry.File)], target: model.Ref{Kind: piece.Kind, Name: piece.Name}}
	for _, entry := range p.of.patches() {
		if entry.entry == piece.Patch.Entry.Inside {
			p.selects, p.group, p.version = entry.selects, entry.group, entry.version
		}
	}
	bases := f.bases(p)
	said, patched := piece.Content, *piece.Patch
	switch {
	case len(bases) == 0:
		piece.Patch.Unsure = "the class that it patches is not among what its kustomization builds"
		return nil
	case len(f.patched[piece.Place.File]) > 1 && piece.Place.Inside == "":
		patched.Unsure = "several kustomizations use the file"
	case p.selects:
		patched.Unsure = "its target selects by labels or annotations"
	case !f.alone(*piece):
		patched.Unsure = "it stands beside other patches, so that its entry can have no target: put it into a file of its own"
	}
	made := make([]model.Object, 0, len(bases))
	for _, base := range bases {
		o, patch := *piece, patched
		o.Name, o.Patch = base.Name, &patch
		content, known := jsonpatch.Merge(base.Content, map[string]any{"spec": said["spec"], "metadata": said["metadata"]})
		if !known {
			patch.Unsure = "it has directives ($patch)"
		}
		patch.Base, patch.Piece = &base, said
		o.Content, _ = content.(map[string]any)
		if o.Content == nil {
			o.Content = base.Content
		}
		made = append(made, o)
	}
	*piece = made[0]
	return made[1:]
}

// alone tells whether a patch is the only one of its file or of its entry's text.
func (f *kustomizer) alone(piece model.Object) bool {
	return !slices.ContainsFunc(f.objects, func(o model.Object) bool {
		return o.Place.File == piece.Place.File && o.Place.Inside == piece.Place.Inside && o.Partial &&
			(o.Place.Document != piece.Place.Document || o.Place.Item != piece.Place.Item || o.Place.Line != piece.Place.Line)
	})
}

// followJSONPatches follows the JSON patches of a kustomization, and tells of those that cannot be followed.
func (f *kustomizer) followJSONPatches(k *kustomization) {
	for _, p := range k.patches() {
		place, start := k.place, 0
		documents := f.files[p.file]
		if p.file == "" {
			documents, start, _ = f.inline(k, p)
			place.Inside = p.pointer
		} else {
			place = model.Place{File: p.file, Item: -1}
		}
		for i, d := range documents {
			if p.file != "" {
				place.Document = i
			}
			place.Line = start + d.line
			f.followJSONPatch(p, place, d)
		}
	}
}

// followJSONPatch follows one JSON patch, if it touches what the migration changes.
func (f *kustomizer) followJSONPatch(p patch, place model.Place, d document) {
	if !isJSONPatch(d.content) {
		return
	}
	operations, whole := jsonpatch.Parse(d.content)
	if !whole {
		f.findings = append(f.findings, model.Find(model.BrokenPatch, model.Object{Place: place}, "",
			"%s: an operation of the JSON patch lacks op or path.", place))
		return
	}
	bases := f.bases(p)
	concerned := slices.DeleteFunc(slices.Clone(bases), func(o model.Object) bool { return !concerns(o.Content) })
	class := p.target.Kind == "SecretProviderClass" || slices.ContainsFunc(bases, isClass)
	touching := slices.DeleteFunc(stepsOf(operations, place, d), func(s model.Step) bool {
		return !touches(s.Operation, class, len(concerned) > 0)
	})
	if len(touching) == 0 && !slices.ContainsFunc(operations, refers) {
		return
	}
	made, reason := f.results(p, place, stepsOf(operations, place, d), bases)
	if reason == "" {
		f.objects = append(f.objects, made...)
		return
	}
	if len(concerned) == 0 {
		concerned = []model.Object{{Ref: p.target}}
	}
	for _, s := range touching {
		f.tellJSONPatch(p, place, s, concerned, reason)
	}
}

// stepsOf are the operations of a patch with their lines.
func stepsOf(operations []jsonpatch.Operation, place model.Place, d document) []model.Step {
	steps := make([]model.Step, len(operations))
	for i, o := range operations {
		steps[i] = model.Step{Operation: o, Line: place.Line + max(0, d.lines["/"+strconv.Itoa(i)]-d.line)}
	}
	return steps
}

// results are the objects that a JSON patch makes of its bases, or why it is not known.
func (f *kustomizer) results(p patch, place model.Place, steps []model.Step, bases []model.Object) ([]model.Object, string) {
	reason := f.unsure(p, bases)
	if reason == "" && slices.ContainsFunc(steps, counts) {
		reason = f.moved(p, bases[0])
	}
	var made []model.Object
	for i := 0; i < len(bases) && reason == ""; i++ {
		var o model.Object
		o, reason = p.result(bases[i], place, steps)
		made = append(made, o)
	}
	return made, reason
}

// tellJSONPatch says of an operation what it touches, and why it cannot be followed.
func (f *kustomizer) tellJSONPatch(p patch, place model.Place, s model.Step, concerned []model.Object, reason string) {
	place.Line = s.Line
	for _, o := range concerned {
		f.findings = append(f.findings, model.Find(model.JSONPatch, model.Object{Ref: o.Ref, Place: place}, "",
			"%s: the operation %s of a JSON patch touches %s %s, and cannot be followed: %s.", place, s, p.target.Kind,
			p.target.Name, reason))
	}
}

func isClass(o model.Object) bool { return o.Kind == "SecretProviderClass" }

// result is the object that a JSON patch makes of its base, or why it makes none.
func (p patch) result(base model.Object, place model.Place, steps []model.Step) (o model.Object, reason string) {
	steps = slices.Clone(steps)
	var content any = base.Content
	for i, s := range steps {
		after, err := s.Apply(content)
		if err != nil {
			return model.Object{}, fmt.Sprintf("on %s it fails: %s", base.Place, err)
		}
		content = after
		steps[i].After, _ = content.(map[string]any)
	}
	entry := p.of.place
	entry.Inside = p.entry
	o = base
	o.Place, o.Partial = place, true
	o.Content, _ = content.(map[string]any)
	o.Patch = &model.Patch{Entry: entry, Target: p.target.Name, Targeted: true, Base: &base, Steps: steps}
	if namespaces := maps.Clone(p.of.namespaces); len(namespaces) > 1 || !namespaces[""] {
		o.Namespaces = nil
		locate(&o, namespaces)
	}
	return o, ""
}

// unsure says why it is not known which objects a JSON patch is for, empty if it is. One for several classes is as good as one
// for each.
func (f *kustomizer) unsure(p patch, bases []model.Object) string {
	switch {
	case p.selects:
		return "its target selects by labels or annotations"
	case len(bases) == 0:
		return "the object that it patches is not among what its kustomization builds"
	case len(bases) > 1 && slices.ContainsFunc(bases, func(o model.Object) bool { return !isClass(o) }):
		return fmt.Sprintf("its target fits %d objects, which need not become alike", len(bases))
	case p.file != "" && len(f.patched[p.file]) > 1:
		return "several entries of kustomizations use the file"
	}
	return ""
}

// moved says which other patch, of what the kustomization builds, changes the places of an object's volumes; empty if none does.
func (f *kustomizer) moved(p patch, base model.Object) string {
	_, dirs := f.reach(p.of)
	for _, dir := range slices.Sorted(maps.Keys(dirs)) {
		for _, other := range f.byDir[dir].patches() {
			same := other.of == p.of && other.entry == p.entry
			if !same && f.shifts(other, base) {
				return "it counts volumes, and " + other.of.place.File + " has another patch, which changes their number"
			}
		}
	}
	return ""
}

// counts tells whether an operation names a volume by its place.
func counts(s model.Step) bool {
	return regexp.MustCompile(`/volumes/[0-9]+(/| |$)`).MatchString(s.Path + " " + s.From)
}

// shifts tells whether a patch changes the places of an object's volumes: a strategic merge patch puts new ones first.
func (f *kustomizer) shifts(p patch, base model.Object) bool {
	documents := f.files[p.file]
	if p.file == "" {
		documents, _, _ = f.inline(p.of, p)
	}
	for _, d := range documents {
		if operations, is := jsonpatch.Parse(d.content); is {
			if p.fits(base) && slices.ContainsFunc(operations, moves) {
				return true
			}
			continue
		}
		own, names := p, volumeNames(base.Content)
		if !p.targeted {
			own.target = model.Ref{Kind: text(d.content, "kind"), Name: text(d.content, "metadata", "name")}
		}
		adds := func(name string) bool { return !slices.Contains(names, name) }
		if own.fits(base) && slices.ContainsFunc(volumeNames(d.content), adds) {
			return true
		}
	}
	return false
}

// moves tells whether an operation changes the places of volumes. One at the end leaves the others theirs.
func moves(o jsonpatch.Operation) bool {
	return o.Op != "test" && o.Op != "replace" && regexp.MustCompile(`/volumes/[0-9]+( |$)`).MatchString(o.Path+" "+o.From) ||
		o.Op != "test" && regexp.MustCompile(`/volumes( |$)`).MatchString(o.Path+" "+o.From)
}

// volumeNames are the names in every list of volumes. An entry without a name, such as a directive, has an empty one.
func volumeNames(value any) []string {
	var names []string
	switch v := value.(type) {
	case []any:
		for _, item := range v {
			names = append(names, volumeNames(item)...)
		}
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(v)) {
			if name != "volumes" {
				names = append(names, volumeNames(v[name])...)
				continue
			}
			for _, volume := range list(v, name) {
				names = append(names, text(volume, "name"))
			}
		}
	}
	return names
}

// touches tells whether an operation changes a class, or volumes of which the migration changes one. A volume of another kind
// that is added at the end does not: no number of the others is changed.
func touches(o jsonpatch.Operation, class, mounts bool) bool {
	where := o.Path + "/" + o.From + "/"
	if class || concerns(o.Value) {
		return true
	}
	volumes := strings.Contains(where, "/volumes/") || strings.Contains(where, "/volumeMounts/")
	return volumes && mounts && (o.Op != "add" || !strings.HasSuffix(o.Path, "/-"))
}

// refers tells whether an operation may change a reference to a Secret: all fields that refer to one have it in their names.
func refers(o jsonpatch.Operation) bool {
	return strings.Contains(o.Path, "ecret") || namesSecret(o.Value)
}

// namesSecret tells whether a field in value may refer to a Secret.
func namesSecret(value any) bool {
	switch v := value.(type) {
	case []any:
		return slices.ContainsFunc(v, namesSecret)
	case map[string]any:
		for name, field := range v {
			if strings.Contains(name, "ecret") || namesSecret(field) {
				return true
			}
		}
	}
	return false
}
