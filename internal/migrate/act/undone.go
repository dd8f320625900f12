package act

import (
	"maps"
	"slices"
	"strings"

	"secretstore/internal/migrate/model"
)

// Steps whose doings no entry holds: programs of others come and go with them.
const (
	stepInstall    = "switchover/run/secretstore"
	stepInstallSSE = "switchover/run/sse"
	stepUninstall  = "switchover/run/uninstall"
)

// extensionStore is the type of Microsoft's extension, in lower case.
const extensionStore = "microsoft.azure.secretstore"

// Undone is a snapshot as if this migration had not begun, as far as its journal tells: what it edited or deleted is as it was
// before (of a Secret the values are those of now), what it made is not there, nor what belongs to nothing else, nor the
// controller that it installed; the driver that it removed is there.
//
// So a plan made of it is that of the whole migration, whatever of it is done.
func Undone(s model.Snapshot, entries []Entry) model.Snapshot {
	h := Read(entries)
	if len(h.Open) == 0 {
		return s
	}
	w := world{objects: map[model.Ref]model.Object{}, gone: map[owner]bool{}}
	var others []model.Object // documents of a folder, of which one name may have several: nothing was done to them
	for _, o := range s.Objects {
		if _, twice := w.objects[o.Ref]; twice {
			others = append(others, o)
			continue
		}
		w.objects[o.Ref] = o
	}
	for _, record := range slices.Backward(h.Records()) {
		w.undo(record)
	}
	w.orphans()
	s = programs(h, s, w.objects)
	s.Objects = append(others, slices.Collect(maps.Values(w.objects))...)
	slices.SortStableFunc(s.Objects, func(a, b model.Object) int { return a.Compare(b.Ref) })
	return clients(h, s)
}

// owner names an object as an owner reference does, in a namespace.
type owner struct{ namespace, kind, name, uid string }

// world is a snapshot in which steps are undone.
type world struct {
	objects map[model.Ref]model.Object
	gone    map[owner]bool
}

// undo takes one step back.
func (w *world) undo(r Record) {
	ref := r.Change.Object
	now, there := w.objects[ref]
	switch r.Change.Verb {
	case model.Create:
		if there && isOurs(r, now) {
			w.drop(now)
		}
	case model.Edit:
		if there && r.Before != nil {
			w.objects[ref] = restored(now, r.Before)
		}
	case model.Delete:
		if !there && r.Before != nil {
			w.objects[ref] = model.Object{Ref: ref, Content: r.Before}
		}
	case model.Run, model.Check:
	}
}

// isOurs tells whether an object is the one that a step made.
func isOurs(r Record, now model.Object) bool {
	uid := text(now.Content, "metadata", "uid")
	return !r.Made || r.UID == "" || uid == "" || uid == r.UID
}

// drop takes an object out.
func (w *world) drop(o model.Object) {
	delete(w.objects, o.Ref)
	w.gone[owner{o.Namespace, o.Kind, o.Name, text(o.Content, "metadata", "uid")}] = true
}

// restored is an object as it was before. Of a Secret, what was written down lacks the values: their digests are those of now.
func restored(now model.Object, before map[string]any) model.Object {
	was := maps.Clone(before)
	if now.Kind == kindSecret {
		for _, field := range []string{"data", "immutable"} {
			if value, has := now.Content[field]; has {
				was[field] = value
			}
		}
	}
	now.Content = was
	return now
}

// orphans takes out what belongs only to objects that were taken out: Secrets of SecretSyncs, SecretSyncs of AKVSyncs, pods of
// Jobs.
func (w *world) orphans() {
	for again := true; again; {
		again = false
		for _, o := range w.objects {
			if w.orphaned(o) {
				w.drop(o)
				again = true
			}
		}
	}
}

// orphaned tells whether an object has owners, and all of them were taken out.
func (w *world) orphaned(o model.Object) bool {
	value, _ := model.Path{"metadata", "ownerReferences"}.Get(o.Content)
	references, _ := value.([]any)
	for _, r := range references {
		of := owner{o.Namespace, text(r, "kind"), text(r, "name"), text(r, "uid")}
		if !w.gone[of] {
			return false
		}
	}
	return len(references) > 0
}

// programs takes out the controller that was installed, and puts the driver back that was removed.
func programs(h *History, s model.Snapshot, objects map[model.Ref]model.Object) model.Snapshot {
	_, ours := h.Open[stepInstall]
	_, theirs := h.Open[stepInstallSSE]
	maps.DeleteFunc(objects, func(_ model.Ref, o model.Object) bool {
		return ours && isStore(o) || theirs && isExtension(o)
	})
	if theirs && s.Azure != nil {
		azure := *s.Azure
		azure.Extensions = slices.DeleteFunc(slices.Clone(azure.Extensions), func(e model.Extension) bool {
			return strings.EqualFold(e.Type, extensionStore)
		})
		s.Azure = &azure
	}
	if _, removed := h.Open[stepUninstall]; removed && h.Found != nil && h.Found.Kept != nil {
		for _, o := range h.Found.Kept.Driver {
			if _, there := objects[o.Ref]; !there {
				objects[o.Ref] = o
			}
		}
	}
	return s
}

// isStore knows this project's controller.
func isStore(o model.Object) bool {
	return o.Kind == "Deployment" && text(o.Content, "metadata", "labels", "app.kubernetes.io/name") == "secretstore-controller"
}

// isExtension knows what Microsoft's extension brings.
func isExtension(o model.Object) bool {
	return o.Kind == "Deployment" && (o.Namespace == "azure-secret-store" ||
		strings.EqualFold(text(o.Content, "metadata", "labels", "clusterconfig.azure.com/extension-type"), extensionStore)) ||
		o.Kind == "ExtensionConfig" && strings.EqualFold(text(o.Content, "spec", "extensionType"), extensionStore)
}

// clients puts the client IDs back that cannot be read any more.
func clients(h *History, s model.Snapshot) model.Snapshot {
	if h.Found == nil || h.Found.Kept == nil {
		return s
	}
	ids := maps.Clone(h.Found.Kept.ClientIDs)
	if ids == nil {
		return s
	}
	for name, id := range s.ClientIDs {
		if id != "" {
			ids[name] = id
		}
	}
	s.ClientIDs = ids
	return s
}

// Find is the entry that a migration begins with: every object of its first report, and what its own steps hide later.
func Find(s model.Snapshot, r model.Report) Entry {
	e := Entry{What: Found, Kept: &Kept{ClientIDs: maps.Clone(s.ClientIDs)}, Found: make([]FoundObject, 0, len(r.Objects))}
	goes := map[model.Ref]string{}
	for _, o := range s.Objects {
		goes[o.Ref] = goesBy(o)
		// What the driver and its providers have, and workloads that mount it have not.
		driver := o.Kind == "DaemonSet" && mentions(o.Content, "secrets-store/driver", "secrets-store/provider-azure",
			"provider-volume", "secrets-store-csi-providers") ||
			o.Group() == "clusterconfig.azure.com" && mentions(o.Content, "akvsecretsprovider", "azurekeyvaultsecretsprovider")
		if driver {
			e.Kept.Driver = append(e.Kept.Driver, o)
		}
	}
	for _, o := range r.Objects {
		e.Found = append(e.Found, FoundObject{Ref: o.Ref, Outcome: o.Outcome, Goes: goes[o.Ref]})
	}
	return e
}

// goesBy says by what an object may go without anybody's doing, empty if it may not.
func goesBy(o model.Object) string {
	_, expires := model.Path{"spec", "ttlSecondsAfterFinished"}.Get(o.Content)
	switch {
	case o.Kind == "SecretProviderClassPodStatus": // the driver makes one for each pod and class
		return "the end of its pod"
	case o.Kind == "Job" && expires:
		return "its own ttlSecondsAfterFinished"
	}
	return ""
}

// mentions tells whether a text anywhere in a value holds one of the words, in lower case.
func mentions(value any, words ...string) bool {
	switch v := value.(type) {
	case string:
		lower := strings.ToLower(v)
		return slices.ContainsFunc(words, func(word string) bool { return strings.Contains(lower, word) })
	case []any:
		return slices.ContainsFunc(v, func(entry any) bool { return mentions(entry, words...) })
	case map[string]any:
		for _, field := range v {
			if mentions(field, words...) {
				return true
			}
		}
	}
	return false
}
