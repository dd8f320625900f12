package cluster_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"secretstore/internal/migrate/act"
	"secretstore/internal/migrate/model"
)

const deployment = `
apiVersion: apps/v1
kind: Deployment
metadata: {namespace: NAMESPACE, name: web, labels: {app: web}}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - {name: web, image: web, volumeMounts: [{name: secrets, mountPath: /secrets}]}
      volumes:
      - {name: tmp, emptyDir: {}}
      - name: secrets
        csi: {driver: secrets-store.csi.k8s.io, readOnly: true, volumeAttributes: {secretProviderClass: app}}
`

// volumes leads to the volumes of a Deployment's template.
func volumes(more ...any) model.Path {
	return model.Path{"spec", "template", "spec", "volumes"}.Of(more...)
}

// swap is the edit of the Deployment as stage workloads plans it.
func (f *fixture) swap() model.Change {
	return model.Change{
		ID: "workloads/edit/deployment/web", Verb: model.Edit, Object: f.ref("Deployment", "web"), Edits: []model.FieldEdit{{
			Op: model.OpReplace, Path: volumes(1),
			Value: map[string]any{"name": "secrets", "secret": map[string]any{"secretName": "app-files"}},
			Was: map[string]any{"name": "secrets", "csi": map[string]any{
				"driver": model.Driver, "readOnly": true, "volumeAttributes": map[string]any{"secretProviderClass": "app"},
			}},
		}},
	}
}

func (f *fixture) account(name string) model.Change {
	ref := f.ref("ServiceAccount", name)
	return model.Change{ID: "create", Verb: model.Create, Object: ref, Content: map[string]any{
		"apiVersion": "v1", "kind": "ServiceAccount", "metadata": map[string]any{"namespace": ref.Namespace, "name": name},
		"automountServiceAccountToken": false,
	}}
}

func TestCreate(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	c := f.account("made")
	f.revert(t, f.make(t, c))
	if f.live(t, c.Object) != nil {
		t.Error("taken back, it is still there")
	}
	// Made by somebody else, as it should be: nothing to do, and nothing to take back.
	same := f.account("same")
	f.apply(t, `{apiVersion: v1, kind: ServiceAccount, metadata: {namespace: NAMESPACE, name: same}, automountServiceAccountToken: false}`)
	f.look(t, same, act.Done)
	f.revert(t, act.Entry{Change: same})
	if f.live(t, same.Object) == nil {
		t.Error("another's object was deleted")
	}
	// Made by somebody else, otherwise, or without what it should say.
	f.apply(t, `{apiVersion: v1, kind: ServiceAccount, metadata: {namespace: NAMESPACE, name: differs}, automountServiceAccountToken: true}`)
	f.apply(t, `{apiVersion: v1, kind: ServiceAccount, metadata: {namespace: NAMESPACE, name: lacks}}`)
	for name, says := range map[string]string{"differs": "automountServiceAccountToken", "lacks": "automountServiceAccountToken"} {
		seen := f.look(t, f.account(name), act.Foreign)
		if !strings.Contains(seen.Why, says) {
			t.Errorf("%s: %s", name, seen.Why)
		}
	}
	// Made by us, and to be otherwise by now.
	f.make(t, f.account("ours"))
	changed := f.account("ours")
	changed.Content["metadata"].(map[string]any)["labels"] = map[string]any{"a": "b"}
	f.make(t, changed)
}

func TestCreateRacing(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	c := f.account("raced")
	seen := f.look(t, c, act.Open)
	f.apply(t, `{apiVersion: v1, kind: ServiceAccount, metadata: {namespace: NAMESPACE, name: raced}}`)
	before := f.live(t, c.Object)
	_, err := f.Apply(t.Context(), c, seen, false)
	if conflict, ok := errors.AsType[*act.ConflictError](err); !ok || conflict.Object != c.Object {
		t.Errorf("made over another's: %v", err)
	}
	if diff := cmp.Diff(before, f.live(t, c.Object)); diff != "" {
		t.Errorf("another's object was changed (-before +after):\n%s", diff)
	}
}

func TestCreateTouched(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	e := f.make(t, f.account("touched"))
	f.apply(t, `{apiVersion: v1, kind: ServiceAccount, metadata: {namespace: NAMESPACE, name: touched, labels: {mine: "yes"}}}`)
	if err := f.Revert(t.Context(), e); !errors.Is(err, act.ErrStopped) || !strings.Contains(err.Error(), "test-cluster") {
		t.Errorf("what others have touched is theirs: %v", err)
	}
	if f.live(t, e.Change.Object) == nil {
		t.Error("it was deleted")
	}
}

func TestEdit(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.look(t, f.swap(), act.Gone)
	f.apply(t, deployment)
	was := f.at(t, f.swap().Object, "spec")
	e := f.make(t, f.swap())
	if got := f.at(t, e.Change.Object, volumes(1, "secret", "secretName")...); got != "app-files" {
		t.Errorf("the volume's Secret is %v", got)
	}
	// What others change elsewhere meanwhile stays, and what was edited comes back to the last field.
	f.apply(t, strings.ReplaceAll(strings.ReplaceAll(deployment, "csi: {driver: secrets-store.csi.k8s.io, readOnly: true, "+
		"volumeAttributes: {secretProviderClass: app}}", "secret: {secretName: app-files}"), "labels: {app: web}}\nspec",
		"labels: {app: web, tier: front}}\nspec"))
	f.revert(t, throughJournal(t, e))
	if diff := cmp.Diff(was, f.at(t, e.Change.Object, "spec")); diff != "" {
		t.Errorf("spec (-before +taken back):\n%s", diff)
	}
	if got := f.at(t, e.Change.Object, "metadata", "labels", "tier"); got != "front" {
		t.Errorf("another's label is %v", got)
	}
}

// throughJournal is an entry as it is read back.
func throughJournal(t *testing.T, e act.Entry) act.Entry {
	t.Helper()
	raw, err := json.Marshal(e)
	if err != nil {
		t.Fatal(err)
	}
	var read act.Entry
	if err := json.Unmarshal(raw, &read); err != nil {
		t.Fatal(err)
	}
	return read
}

func TestEditForeign(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		edit func(string) string
		says string
	}{
		"moved": {
			func(m string) string {
				return strings.Replace(m, "- {name: tmp, emptyDir: {}}", "- {name: tmp, emptyDir: {}}\n      - {name: x, emptyDir: {}}", 1)
			}, "volumes[1] is not as it was read: somebody else changed the list, and it is at 2 now",
		},
		"edited": {
			func(m string) string {
				return strings.Replace(m, "secretProviderClass: app", "secretProviderClass: b", 1)
			},
			"volumes[1] is not as it was read",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t)
			f.apply(t, tc.edit(deployment))
			if seen := f.look(t, f.swap(), act.Foreign); !strings.Contains(seen.Why, tc.says) {
				t.Errorf("Why is %q, which does not say %q", seen.Why, tc.says)
			}
		})
	}
}

func TestEditRacing(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.apply(t, deployment)
	// A controller that writes the status in between takes nothing from the step.
	seen := f.look(t, f.swap(), act.Open)
	f.status(t, f.swap().Object, `{"observedGeneration":1,"replicas":1}`)
	done, err := f.Apply(t.Context(), f.swap(), seen, false)
	if err != nil || done.Standing != act.Done {
		t.Fatalf("a status that was written meanwhile: %v", err)
	}
	f.revert(t, act.Entry{Change: f.swap(), Before: seen.Before})
	// Anybody else who writes does.
	seen = f.look(t, f.swap(), act.Open)
	f.apply(t, strings.Replace(deployment, "image: web", "image: web2", 1))
	before := f.live(t, f.swap().Object)
	for _, dry := range []bool{true, false} {
		_, err = f.Apply(t.Context(), f.swap(), seen, dry)
		if _, ok := errors.AsType[*act.ConflictError](err); !ok {
			t.Errorf("dry %v: an object that changed meanwhile was edited: %v", dry, err)
		}
	}
	if diff := cmp.Diff(before, f.live(t, f.swap().Object)); diff != "" {
		t.Errorf("it was changed (-before +after):\n%s", diff)
	}
	if _, err = f.Apply(t.Context(), f.swap(), act.Sight{Standing: act.Open}, false); err == nil {
		t.Error("edited blindly")
	}
}

func TestEditTouched(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.apply(t, deployment)
	e := f.make(t, f.swap())
	f.patch(t, e.Change.Object, `[{"op":"replace","path":"/spec/template/spec/volumes/1","value":{"name":"secrets","emptyDir":{}}}]`)
	if err := f.Revert(t.Context(), e); !errors.Is(err, act.ErrStopped) || !strings.Contains(fmt.Sprint(err), "volumes[1]") {
		t.Errorf("what others have edited at the same place is theirs: %v", err)
	}
}

func TestDelete(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.apply(t, `{apiVersion: v1, kind: ConfigMap, metadata: {namespace: NAMESPACE, name: old, labels: {a: b}}, data: {k: v}}`)
	c := model.Change{ID: "delete", Verb: model.Delete, Object: f.ref("ConfigMap", "old")}
	was := f.live(t, c.Object)
	// Changed between look and act: kept.
	seen := f.look(t, c, act.Open)
	f.apply(t, `{apiVersion: v1, kind: ConfigMap, metadata: {namespace: NAMESPACE, name: old, labels: {a: b, c: d}}, data: {k: v}}`)
	_, err := f.Apply(t.Context(), c, seen, false)
	if _, ok := errors.AsType[*act.ConflictError](err); !ok || f.live(t, c.Object) == nil {
		t.Errorf("an object that changed meanwhile was deleted: %v", err)
	}
	f.apply(t, `{apiVersion: v1, kind: ConfigMap, metadata: {namespace: NAMESPACE, name: old, labels: {a: b}}, data: {k: v}}`)
	e := f.make(t, c)
	f.revert(t, throughJournal(t, e))
	for _, field := range [][]any{{"data"}, {"metadata", "labels"}} {
		want, _ := model.Path(field).Get(was)
		if diff := cmp.Diff(want, f.at(t, c.Object, field...)); diff != "" {
			t.Errorf("%v (-before +made again):\n%s", field, diff)
		}
	}
	f.apply(t, `{apiVersion: v1, kind: ConfigMap, metadata: {namespace: NAMESPACE, name: old}, data: {k: w}}`)
	if err := f.Revert(t.Context(), e); !errors.Is(err, act.ErrStopped) {
		t.Errorf("another one of that name is there: %v", err)
	}
}

// TestDeleteAnother: what took the place of the object that was read is not deleted.
func TestDeleteAnother(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	manifest := `{apiVersion: v1, kind: Secret, metadata: {namespace: NAMESPACE, name: creds}, stringData: {a: b}}`
	f.apply(t, manifest)
	c := model.Change{ID: "d", Verb: model.Delete, Object: f.ref("Secret", "creds")}
	read, _ := f.at(t, c.Object, "metadata", "uid").(string)
	f.make(t, c)
	f.apply(t, manifest)
	c.UID = read
	if seen := f.look(t, c, act.Foreign); !strings.Contains(seen.Why, "another") {
		t.Errorf("it is not said why: %q", seen.Why)
	}
	c.UID, _ = f.at(t, c.Object, "metadata", "uid").(string)
	f.make(t, c)
}

func TestDeleteSecret(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.apply(t, `{apiVersion: v1, kind: Secret, metadata: {namespace: NAMESPACE, name: creds, annotations: {
		"kubectl.kubernetes.io/last-applied-configuration": CANARY, "kapp.k14s.io/original": "{CANARY}",
		"objectset.rio.cattle.io/applied": "H4sICANARY"}}, stringData: {clientsecret: CANARY}}`)
	e := f.make(t, model.Change{ID: "d", Verb: model.Delete, Object: f.ref("Secret", "creds"), Undo: "make it from where it was taken"})
	raw, err := json.Marshal(e)
	if err != nil || strings.Contains(string(raw), canary) {
		t.Errorf("a value is in the entry: %s, %v", raw, err)
	}
	if err := f.Revert(t.Context(), e); !errors.Is(err, act.ErrStopped) || !strings.Contains(err.Error(), "where it was taken") {
		t.Errorf("its values are nowhere: %v", err)
	}
}

const jobManifest = `
apiVersion: batch/v1
kind: Job
metadata: {namespace: NAMESPACE, name: once}
spec:
  template:
    spec: {restartPolicy: Never, containers: [{name: c, image: c}]}
`

// A Job that is made anew under its own name: the new one is not taken for the old one, and the old one comes back.
func TestRecreate(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.apply(t, jobManifest)
	remove := model.Change{ID: "delete", Verb: model.Delete, Object: f.ref("Job", "once")}
	create := model.Change{ID: "create", Verb: model.Create, Object: f.ref("Job", "once"), Content: map[string]any{
		"apiVersion": "batch/v1", "kind": "Job", "metadata": map[string]any{"namespace": f.namespace, "name": "once"},
		"spec": map[string]any{"template": map[string]any{"spec": map[string]any{
			"restartPolicy": "Never", "containers": []any{map[string]any{"name": "new", "image": "new"}},
		}}},
	}}
	f.look(t, create, act.Foreign)
	gone := f.make(t, remove)
	if f.live(t, remove.Object) != nil {
		t.Fatal("the old one is still there")
	}
	made := f.make(t, create)
	f.look(t, remove, act.Done)
	f.revert(t, made)
	f.revert(t, throughJournal(t, gone))
	if got := f.at(t, remove.Object, "spec", "template", "spec", "containers", 0, "name"); got != "c" {
		t.Errorf("the container is %v", got)
	}
}

// A label that is there already is no reason to write.
func TestEditToNoEffect(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.apply(t, deployment)
	c := model.Change{ID: "edit", Verb: model.Edit, Object: f.ref("Deployment", "web"), Edits: []model.FieldEdit{{
		Op: model.OpAdd, Path: model.Path{"metadata", "labels", "app"}, Value: "web",
	}}}
	f.look(t, c, act.Done)
}

// The definition of a kind may come while a migration runs: with the controller.
func TestKindDefinedLater(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	ref := model.Ref{APIVersion: "later.example.org/v1", Kind: "Thing", Namespace: f.namespace, Name: "one"}
	c := model.Change{ID: "create", Verb: model.Create, Object: ref, Content: map[string]any{
		"apiVersion": ref.APIVersion, "kind": ref.Kind, "metadata": map[string]any{"namespace": ref.Namespace, "name": ref.Name},
	}}
	for range 2 { // a mapper that has just asked believes that it knows all kinds
		seen := f.look(t, c, act.Open)
		if _, err := f.Apply(t.Context(), c, seen, false); err == nil || !strings.Contains(err.Error(), "does not serve its kind") {
			t.Errorf("made of a kind that is not there: %v", err)
		}
	}
	f.apply(t, `
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: things.later.example.org}
spec:
  group: later.example.org
  scope: Namespaced
  names: {kind: Thing, plural: things}
  versions: [{name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object}}}]
`)
	f.make(t, c)
}
