package read

import (
	"maps"
	"path"
	"slices"
	"strings"

	"secretstore/internal/migrate/model"
)

// kustomization is a file that tells kustomize what to build.
type kustomization struct {
	place   model.Place
	dir     string
	content map[string]any
	lines   map[string]int
	// namespaces are those that it is built for, by itself or by the overlays that use it; "" leaves each object its own.
	namespaces map[string]bool
}

// kustomizer follows the kustomizations of a folder.
type kustomizer struct {
	*folder
	byDir map[string]*kustomization
	// used holds the folders of kustomizations that another one uses.
	used map[string]bool
	// namespaces are, by file, those that its objects are built for.
	namespaces map[string]map[string]bool
	// patched are the files that are patches, and the entries that use them.
	patched map[string][]patch
}

// isKustomization tells a kustomization from an object (as Flux' kind of that name is one).
func isKustomization(file string, content any) bool {
	fields, ok := content.(map[string]any)
	if !ok {
		return false
	}
	if version := text(fields, "apiVersion"); version != "" {
		return strings.HasPrefix(version, "kustomize.config.k8s.io/")
	}
	name := strings.TrimSuffix(strings.TrimSuffix(path.Base(file), ".yaml"), ".yml")
	return strings.EqualFold(name, "kustomization") && text(fields, "kind") == ""
}

// kustomize gives objects the namespaces that kustomizations give them, and finds out which objects are patches.
func (f *folder) kustomize() {
	k := &kustomizer{
		folder: f, byDir: map[string]*kustomization{}, used: map[string]bool{},
		namespaces: map[string]map[string]bool{}, patched: map[string][]patch{},
	}
	for _, file := range slices.Sorted(maps.Keys(f.files)) {
		for i, d := range f.files[file] {
			if content, ok := d.content.(map[string]any); ok && isKustomization(file, content) {
				place := model.Place{File: file, Document: i, Item: -1, Line: d.line}
				k.byDir[path.Dir(file)] = &kustomization{place, path.Dir(file), content, d.lines, map[string]bool{}}
			}
		}
	}
	dirs := slices.Sorted(maps.Keys(k.byDir))
	for _, dir := range dirs {
		k.findUsed(k.byDir[dir])
	}
	for _, dir := range dirs {
		if !k.used[dir] {
			k.build(k.byDir[dir], "", nil)
		}
	}
	for _, dir := range dirs {
		k.readPatches(k.byDir[dir])
	}
	for i := range f.objects {
		k.place(&f.objects[i])
	}
	k.followClasses()
	for _, dir := range dirs {
		k.followJSONPatches(k.byDir[dir])
	}
}

// sources are what a kustomization builds from: files and folders, as paths below the folder that is read.
func (k *kustomization) sources() []string {
	var sources []string
	for _, field := range []string{"resources", "bases", "components"} {
		for _, entry := range list(k.content, field) {
			if name, ok := entry.(string); ok {
				sources = append(sources, k.resolve(name))
			}
		}
	}
	return sources
}

// resolve is the path of what a kustomization names; addresses stay as they are.
func (k *kustomization) resolve(name string) string {
	if strings.Contains(name, "://") || strings.HasPrefix(name, "git@") || strings.Contains(name, "?ref=") {
		return name
	}
	return path.Join(k.dir, name)
}

// findUsed remembers which kustomizations k uses, and tells of names that no folder tells the meaning of.
func (f *kustomizer) findUsed(k *kustomization) {
	at := model.Object{Place: k.place}
	if text(k.content, "namePrefix") != "" || text(k.content, "nameSuffix") != "" {
		f.findings = append(f.findings, model.Find(model.RenamedByOverlay, at, "", "%s sets namePrefix or nameSuffix.", k.place.File))
	}
	for _, source := range k.sources() {
		if f.byDir[source] != nil {
			f.used[source] = true
		} else {
			f.tellOutside(k, source)
		}
	}
}

// tellOutside says that what a kustomization names is not in the folder.
func (f *kustomizer) tellOutside(k *kustomization, source string) {
	if f.files[source] == nil && !f.exists(source) {
		f.findings = append(f.findings, model.Find(model.OutsideResource, model.Object{Place: k.place}, "",
			"%s uses %s, which is not in the folder.", k.place.File, source))
	}
}

// exists tells whether a file is there: one that is there and was not read is a template.
func (f *kustomizer) exists(file string) bool {
	opened, err := f.fsys.Open(file)
	if err != nil {
		return false
	}
	info, err := opened.Stat()
	_ = opened.Close()
	return err == nil && !info.IsDir()
}

// build follows what a kustomization builds. The outermost namespace holds: an overlay's goes over that of its base.
func (f *kustomizer) build(k *kustomization, outer string, above []string) {
	if slices.Contains(above, k.dir) {
		return // a circle, which kustomize refuses
	}
	namespace := outer
	if namespace == "" {
		namespace = text(k.content, "namespace")
	}
	if k.namespaces[namespace] {
		return // followed before
	}
	k.namespaces[namespace] = true
	for _, source := range k.sources() {
		if base := f.byDir[source]; base != nil {
			f.build(base, namespace, append(slices.Clone(above), k.dir))
			continue
		}
		f.use(source, map[string]bool{namespace: true})
	}
}

// use adds to the namespaces that a file's objects are built for.
func (f *kustomizer) use(file string, namespaces map[string]bool) {
	if f.namespaces[file] == nil {
		f.namespaces[file] = map[string]bool{}
	}
	maps.Copy(f.namespaces[file], namespaces)
}

// place gives an object its namespace, and marks it if it is a patch.
func (f *kustomizer) place(o *model.Object) {
	if entries := f.patched[o.Place.File]; len(entries) > 0 && o.Place.Inside == "" {
		*o = entries[len(entries)-1].mark(*o, f.options.Digest)
	}
	if o.Place.Inside == "" {
		locate(o, f.namespaces[o.Place.File])
	}
	if len(o.Namespaces) > 0 && concerns(o.Content) {
		f.findings = append(f.findings, model.Find(model.SeveralNamespaces, *o, "", "%s is deployed to the namespaces %s.",
			o.Ref, strings.Join(o.Namespaces, ", ")))
	}
}

// locate gives an object its namespace out of those that kustomizations build it for.
func locate(o *model.Object, namespaces map[string]bool) {
	if len(namespaces) == 0 || isClusterScoped(o.Kind) {
		return
	}
	distinct := map[string]bool{}
	for namespace := range namespaces {
		if namespace == "" {
			namespace = o.Namespace
		}
		distinct[namespace] = true
	}
	found := slices.Sorted(maps.Keys(distinct))
	if len(found) == 1 {
		o.Namespace = found[0]
		return
	}
	o.Namespace = ""
	o.Namespaces = slices.DeleteFunc(found, func(namespace string) bool { return namespace == "" })
}

// isClusterScoped tells kinds that have no namespace, of those that manifests of applications hold.
func isClusterScoped(kind string) bool {
	return slices.Contains([]string{
		"APIService", "CSIDriver", "ClusterIssuer", "ClusterRole", "ClusterRoleBinding", "CustomResourceDefinition",
		"GatewayClass", "IngressClass", "MutatingWebhookConfiguration", "Namespace", "PersistentVolume", "PriorityClass",
		"RuntimeClass", "StorageClass", "ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding",
		"ValidatingWebhookConfiguration",
	}, kind)
}

// concerns tells whether content is a class, or mentions the driver: what the migration changes.
func concerns(value any) bool {
	switch v := value.(type) {
	case string:
		return v == model.Driver
	case []any:
		return slices.ContainsFunc(v, concerns)
	case map[string]any:
		if v["kind"] == "SecretProviderClass" {
			return true
		}
		for _, field := range v {
			if concerns(field) {
				return true
			}
		}
	}
	return false
}
