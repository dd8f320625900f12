package inventory

import (
	"slices"
	"strings"

	"secretstore/internal/migrate/model"
	"secretstore/internal/spcparams"
)

// spcGroup is the API group of the driver's kinds.
const spcGroup = "secrets-store.csi.x-k8s.io"

// readClasses sorts the classes into those of Azure and others, and lists what exists of our own kinds.
func (t *taking) readClasses() {
	all := t.objects.of(spcGroup, "SecretProviderClass")
	var whole names
	for i, object := range all {
		if text(object.Content, "spec", "provider") != "" {
			whole.add(object.Namespace, object.Name, i)
		}
	}
	for _, object := range all {
		t.survey.Existing = append(t.survey.Existing, object)
		provider := text(object.Content, "spec", "provider")
		if pieces := whole.find(object.Namespace, object.Name); provider == "" && len(pieces) > 0 {
			provider = text(all[pieces[0]].Content, "spec", "provider") // what the piece belongs to says it
		}
		if provider == model.ProviderAzure {
			t.classes.add(object.Namespace, object.Name, len(t.survey.Classes))
			t.survey.Classes = append(t.survey.Classes, t.readClass(object))
			continue
		}
		t.readForeign(object, provider)
	}
	for _, object := range t.objects.all {
		if object.Group() == "secret-sync.x-k8s.io" && (object.Kind == "SecretSync" || object.Kind == "AKVSync") {
			t.survey.Existing = append(t.survey.Existing, object)
			t.readSync(object)
		}
	}
	slices.SortStableFunc(t.survey.Existing, compareObjects)
}

// readForeign notes a class of another provider.
func (t *taking) readForeign(object model.Object, provider string) {
	t.foreign.add(object.Namespace, object.Name, len(t.survey.Others))
	t.survey.Others = append(t.survey.Others, object.Ref)
	for _, entry := range list(object.Content, "spec", "secretObjects") {
		t.foreignSecrets.add(object.Namespace, text(entry, "secretName"), 0)
	}
	if provider == "" {
		t.say(model.CodeClassProvider, object, "%s has no spec.provider.", object.Ref)
		return
	}
	t.say(model.CodeClassForeign, object, "%s is of provider %s and left as it is.", object.Ref, provider)
}

// readSync notes which classes a SecretSync reads.
func (t *taking) readSync(object model.Object) {
	for _, i := range t.classes.find(object.Namespace, text(object.Content, "spec", "secretProviderClassName")) {
		class := &t.survey.Classes[i]
		class.Syncs = appendOnce(class.Syncs, object.Name)
		slices.Sort(class.Syncs)
	}
}

// readClass reads one class of Azure.
func (t *taking) readClass(object model.Object) model.Class {
	class := model.Class{Object: object, Parameters: texts(object.Content, "spec", "parameters")}
	if class.Parameters == nil {
		class.Parameters = map[string]string{}
	}
	params, mistakes := parse(class.Parameters, t.snapshot.Input.IsFolder())
	class.Params = params
	for _, mistake := range mistakes {
		if object.Partial && class.Parameters[mistake.Path] == "" {
			continue // another piece of the class says it
		}
		class.Broken = true
		t.say(model.CodeClassBroken, object, "%s: %s.", object.Ref, mistake)
	}
	for _, warning := range params.Warnings {
		t.say(model.CodeClassWarning, object, "%s: %s.", object.Ref, warning)
	}
	t.readSecretObjects(&class)
	return class
}

// readSecretObjects reads spec.secretObjects.
func (t *taking) readSecretObjects(class *model.Class) {
	object := class.Object
	for i, entry := range list(object.Content, "spec", "secretObjects") {
		secret := model.SecretObject{
			Name: text(entry, "secretName"), Type: text(entry, "type"),
			Labels: texts(entry, "labels"), Annotations: texts(entry, "annotations"), Data: []model.SecretKey{},
		}
		for j, data := range list(entry, "data") {
			key := model.SecretKey{ObjectName: strings.TrimSpace(text(data, "objectName")), Key: strings.TrimSpace(text(data, "key"))}
			if key.ObjectName == "" || key.Key == "" {
				t.say(model.CodeSecretObject, object, "%s: spec.secretObjects[%d].data[%d] lacks objectName or key.", object.Ref, i, j)
				continue
			}
			secret.Data = append(secret.Data, key)
		}
		if secret.Name == "" || len(secret.Data) == 0 {
			t.say(model.CodeSecretObject, object, "%s: spec.secretObjects[%d] lacks secretName or data.", object.Ref, i)
			continue
		}
		class.SecretObjects = append(class.SecretObjects, secret)
	}
}

// parse reads parameters as the old provider means them. That clientID is missing or odd is no mistake there: the migration
// sets it; and the old ways to sign in had an effect, so that they are no warning. In a folder, placeholders such as
// ${KEYVAULT_NAME} stand for what a pipeline puts there.
func parse(parameters map[string]string, folder bool) (spcparams.Params, []*spcparams.Error) {
	var marks placeholders
	if folder {
		marks = findPlaceholders(parameters)
	}
	params, err := spcparams.Parse(marks.hide(parameters))
	params = marks.show(params)
	mistakes := slices.DeleteFunc(spcparams.Errors(err), func(e *spcparams.Error) bool {
		return e.Path == "clientID" || e.Path == "tenantID" && marks.in(params.TenantID) ||
			e.Path == "keyvaultName" && marks.in(params.VaultName)
	})
	for _, mistake := range mistakes {
		mistake.Problem = marks.reveal(mistake.Problem)
	}
	params.Warnings = slices.DeleteFunc(params.Warnings, func(w spcparams.Warning) bool {
		first, _, _ := strings.Cut(w.Path, ",")
		return slices.Contains([]string{"usePodIdentity", "useVMManagedIdentity", "userAssignedIdentityID"}, first)
	})
	return params, mistakes
}
