// Package read makes a model.Snapshot: of a folder of manifests (Folder) or of a live cluster (Cluster). It decides nothing
// about what it reads; that is for the stages.
//
// Promises:
//   - Nothing is lost silently. Whatever looks like a Kubernetes object is in the Snapshot; what could not be read is a finding
//     (templates, folders passed over) or an error that names all of it at once (broken files, missing permissions).
//   - No value of a Secret is in a Snapshot: each is replaced by a keyed digest as soon as it was read, and of a cluster's
//     Secrets only those are read in full that the migration needs.
//   - A Snapshot is sorted, so that the same input gives the same Snapshot.
//   - Nothing is changed: Cluster only gets and lists, and asks what it may do.
//
// It fails by *BrokenError, *ForbiddenError and *UnreachableError, each with its cure in the text.
package read

import (
	"cmp"
	"encoding/base64"
	"slices"

	"secretstore/internal/migrate/model"
)

// redact replaces the values of a Secret by digests, and leaves every other object as it is.
func redact(o model.Object, digest model.Digester) model.Object {
	if o.Kind == "Secret" && o.Group() == "" {
		o.Content = model.Redact(o.Content, base64.StdEncoding.DecodeString, digest)
	}
	return o
}

// sortObjects orders objects by reference and place.
func sortObjects(objects []model.Object) {
	slices.SortStableFunc(objects, func(a, b model.Object) int {
		return cmp.Or(a.Compare(b.Ref), cmp.Compare(a.Place.File, b.Place.File), cmp.Compare(a.Place.Document, b.Place.Document),
			cmp.Compare(a.Place.Item, b.Place.Item), cmp.Compare(a.Place.Inside, b.Place.Inside))
	})
}

// text returns the string that a path leads to within v, or none.
func text(v any, path ...any) string {
	found, _ := model.Path(path).Get(v)
	s, _ := found.(string)
	return s
}

// list returns the list that a path leads to within v, or none.
func list(v any, path ...any) []any {
	found, _ := model.Path(path).Get(v)
	l, _ := found.([]any)
	return l
}

// refOf is the reference of an object's content. An object that the API server names is called by its generateName.
func refOf(content map[string]any) model.Ref {
	return model.Ref{
		APIVersion: text(content, "apiVersion"), Kind: text(content, "kind"),
		Namespace: text(content, "metadata", "namespace"),
		Name:      cmp.Or(text(content, "metadata", "name"), text(content, "metadata", "generateName")),
	}
}
