package cluster_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"secretstore/internal/migrate/act"
	"secretstore/internal/migrate/model"
)

// A class is added to the owners of a Secret and taken off again; of the others those stay that live, in either direction.
func TestKeep(t *testing.T) {
	f := newFixture(t)
	f.class(t, 0, "app-sse")
	f.apply(t, `{apiVersion: v1, kind: ConfigMap, metadata: {namespace: NAMESPACE, name: set}}`)
	class, set, secret := f.ref("SecretProviderClass", "app-sse"), f.ref("ConfigMap", "set"), f.ref("Secret", "app")
	uid, _ := f.at(t, class, "metadata", "uid").(string)
	owner, _ := f.at(t, set, "metadata", "uid").(string)
	f.apply(t, `
apiVersion: v1
kind: Secret
metadata:
  namespace: NAMESPACE
  name: app
  labels: {secrets-store.csi.k8s.io/managed: "true"}
  ownerReferences: [{apiVersion: v1, kind: ConfigMap, name: set, uid: `+owner+`}]
stringData: {key: canary}
`)
	step := model.Change{ID: "translate/edit/secret/kept", Verb: model.Edit, Object: secret, Edits: []model.FieldEdit{{
		Op: model.OpAdd, Path: model.Path{"metadata", "ownerReferences"}, Value: []any{map[string]any{
			"apiVersion": class.APIVersion, "kind": class.Kind, "name": class.Name, "uid": uid,
		}},
	}}}
	expect := func(when string, want ...string) {
		t.Helper()
		var names []string
		list, _ := f.at(t, secret, "metadata", "ownerReferences").([]any)
		for _, o := range list {
			name, _ := o.(map[string]any)["name"].(string)
			names = append(names, name)
		}
		if diff := cmp.Diff(want, names); diff != "" {
			t.Errorf("owners %s (-want +got):\n%s", when, diff)
		}
	}
	f.look(t, step, act.Open)
	made := f.make(t, step)
	expect("after it was kept", "set", "app-sse")
	f.look(t, step, act.Done)
	f.revert(t, made)
	expect("after that was taken back", "set")
	f.look(t, step, act.Open)
	f.revert(t, made) // twice is once
	expect("after that was taken back again", "set")
	f.patch(t, secret, `[{"op":"remove","path":"/metadata/labels"}]`)
	f.look(t, step, act.Foreign)
	f.patch(t, secret, `[{"op":"add","path":"/metadata/labels","value":{"secrets-store.sync.x-k8s.io":""}}]`)
	f.look(t, step, act.Done) // it was handed over
}
