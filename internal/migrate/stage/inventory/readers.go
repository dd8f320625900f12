package inventory

import (
	"secretstore/internal/migrate/model"
)

// readReaders lists the objects without a pod template that use a Secret that a class makes.
func (t *taking) readReaders() {
	for i, object := range t.objects.all {
		if len(t.objects.specs[i]) > 0 {
			continue
		}
		if uses := t.syncedUses(object, t.usesOf(i)); len(uses) > 0 {
			t.survey.Readers = append(t.survey.Readers, model.Reader{Object: object, Uses: uses})
		}
	}
}

// usesOf are all references of an object to Secrets, whatever Secrets they are.
func (t *taking) usesOf(i int) []model.Use {
	object := t.objects.all[i]
	var uses []model.Use
	for _, at := range t.objects.specs[i] {
		uses = append(uses, podUses(object.Content, at)...)
	}
	if len(t.objects.specs[i]) > 0 {
		return uses
	}
	switch object.Group() + "/" + object.Kind {
	case "/ServiceAccount":
		for _, how := range []string{"imagePullSecrets", "secrets"} {
			uses = append(uses, named(object.Content, how, model.Path{how})...)
		}
	case "networking.k8s.io/Ingress", "extensions/Ingress":
		for j, tls := range list(object.Content, "spec", "tls") {
			if name := text(tls, "secretName"); name != "" {
				uses = append(uses, model.Use{Secret: name, How: "tls", Path: model.Path{"spec", "tls", j}})
			}
		}
	}
	return append(uses, certificates(model.Path{"spec"}, object.Content["spec"])...)
}

// named are the references by name in the list at a path.
func named(content any, how string, at model.Path) []model.Use {
	var uses []model.Use
	for i, entry := range list(content, at...) {
		if name := text(entry, "name"); name != "" {
			uses = append(uses, model.Use{Secret: name, How: how, Path: at.Of(i)})
		}
	}
	return uses
}

// certificates are the Secrets in every `certificateRefs` below a value: listeners of a Gateway, and of what else follows its
// form. A reference without a kind is one to a Secret.
func certificates(at model.Path, v any) []model.Use {
	var uses []model.Use
	switch within := v.(type) {
	case map[string]any:
		for _, field := range sortedKeys(within) {
			if field != "certificateRefs" {
				uses = append(uses, certificates(at.Of(field), within[field])...)
				continue
			}
			for i, ref := range list(within, field) {
				kind, group := text(ref, "kind"), text(ref, "group")
				if name := text(ref, "name"); name != "" && (kind == "" || kind == "Secret") && group == "" {
					uses = append(uses, model.Use{
						Secret: name, Namespace: text(ref, "namespace"), How: field, Path: at.Of(field, i),
					})
				}
			}
		}
	case []any:
		for i, item := range within {
			uses = append(uses, certificates(at.Of(i), item)...)
		}
	}
	return uses
}

// syncedUses are those references that name a Secret that a class makes.
func (t *taking) syncedUses(object model.Object, uses []model.Use) []model.Use {
	var found []model.Use
	for _, use := range uses {
		if use.Namespace == object.Namespace {
			use.Namespace = ""
		}
		if t.synced.has(namespaceOf(object, use), use.Secret) {
			found = append(found, use)
		}
	}
	return found
}

// namespaceOf is where the Secret of a use is.
func namespaceOf(object model.Object, use model.Use) string {
	if use.Namespace != "" {
		return use.Namespace
	}
	return object.Namespace
}
