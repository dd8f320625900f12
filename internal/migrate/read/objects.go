package read

import (
	"encoding/base64"
	"maps"
	"slices"
	"strings"

	"secretstore/internal/migrate/model"
)

// collect makes objects of the documents of all files, but of kustomizations.
func (f *folder) collect() {
	for _, file := range slices.Sorted(maps.Keys(f.files)) {
		passed := 0
		for i, d := range f.files[file] {
			if d.content == nil || isKustomization(file, d.content) || isJSONPatch(d.content) {
				continue
			}
			objects, others := f.objectsOf(d, model.Place{File: file, Document: i, Item: -1, Line: d.line})
			f.objects = append(f.objects, objects...)
			passed += others
		}
		if passed > 0 {
			place := model.Object{Place: model.Place{File: file, Item: -1}}
			f.findings = append(f.findings, model.Find(model.NoObjects, place, "",
				"%s: %d of its documents or items have no apiVersion and kind.", file, passed))
		}
	}
}

// objectsOf are the objects of a document, itself or the items of a list, and how many of these are none.
func (f *folder) objectsOf(d document, place model.Place) (objects []model.Object, others int) {
	content, ok := d.content.(map[string]any)
	if !ok || !isObject(content) {
		return nil, 1
	}
	items, isList := content["items"].([]any)
	if !isList || !strings.HasSuffix(text(content, "kind"), "List") {
		return []model.Object{f.object(content, place)}, 0
	}
	for i, item := range items {
		place.Item = i
		if i < len(d.items) {
			place.Line = d.items[i]
		}
		if item := itemOf(content, item); item != nil {
			objects = append(objects, f.object(item, place))
		} else {
			others++
		}
	}
	return objects, others
}

// itemOf is an item of a list as an object. The items of a list of one kind need not say what they are.
func itemOf(list map[string]any, item any) map[string]any {
	content, ok := item.(map[string]any)
	if !ok {
		return nil
	}
	if isObject(content) {
		return content
	}
	kind := strings.TrimSuffix(text(list, "kind"), "List")
	if kind == "" || content["kind"] != nil || content["apiVersion"] != nil {
		return nil
	}
	content = maps.Clone(content)
	content["apiVersion"], content["kind"] = text(list, "apiVersion"), kind
	return content
}

// object makes an object of its content; values of Secrets go here.
func (f *folder) object(content map[string]any, place model.Place) model.Object {
	ref := refOf(content)
	if id, ok := clientID(ref, content); ok {
		f.clientIDs[place] = id
	}
	o := redact(model.Object{Ref: ref, Place: place, Content: content}, f.options.Digest)
	if _, isList := content["items"].([]any); isList && place.Item >= 0 && strings.HasSuffix(o.Kind, "List") {
		f.findings = append(f.findings, model.Find(model.NestedList, o, "", "An item of the list at %s is itself a list.", place))
		o.Content = map[string]any{"apiVersion": o.APIVersion, "kind": o.Kind} // its items may be Secrets
	}
	return o
}

// isObject tells a Kubernetes object from other YAML.
func isObject(content map[string]any) bool {
	return text(content, "apiVersion") != "" && text(content, "kind") != ""
}

// clientID is the client ID in a Secret that holds a service principal's credentials, which is no secret.
func clientID(ref model.Ref, content map[string]any) (string, bool) {
	if ref.Kind != "Secret" || ref.Group() != "" {
		return "", false
	}
	if plain := text(content, "stringData", "clientid"); plain != "" {
		return strings.TrimSpace(plain), true
	}
	id, err := base64.StdEncoding.DecodeString(text(content, "data", "clientid"))
	return strings.TrimSpace(string(id)), err == nil && len(id) > 0
}
