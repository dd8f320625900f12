package act_test

import (
	"errors"
	"strings"
	"testing"

	"secretstore/internal/migrate/act"
	"secretstore/internal/migrate/model"
)

// TestVariables: they are replaced wherever a step's doings may hold them, but not in what is an application's.
func TestVariables(t *testing.T) {
	t.Parallel()
	s := newShop()
	s.runner.Options.Variables["TENANT"] = "t"
	read := model.Change{ID: "read", Order: 1, Verb: model.Run, Command: []string{"az", "identity", "show", "--query", "clientId"}, Sets: "CLIENT"}
	made := create("${CLIENT} of ${TENANT}, ${not} $ {, ${AZURE_CLIENT_SECRET}")
	pod := model.Change{ID: "pod", Stage: model.Workloads, Order: 611, Verb: model.Create, Object: ref("Pod", "p"), Content: content(ref("Pod", "p"), "${TENANT}")}
	secret := ref("Secret", "db")
	s.world.put(secret, map[string]any{"kind": "Secret", "metadata": map[string]any{"name": "db"}, "data": map[string]any{"a": "canary"}})
	owner := map[string]any{"apiVersion": "secret-sync.x-k8s.io/v1alpha1", "kind": "SecretSync", "name": "db", "uid": model.UIDOfSync}
	give := model.Change{ID: "give", Stage: model.Translate, Order: 702, Verb: model.Edit, Object: secret, Edits: []model.FieldEdit{
		{Op: model.OpAdd, Path: model.Path{"metadata", "ownerReferences"}, Value: []any{owner}},
	}}
	if _, err := s.run(t, read, made, pod, give); err != nil {
		t.Fatal(err)
	}
	client := "value-of-" + model.Variable("az identity show --query clientId")
	uid := text(s.world.objects[ref("SecretSync", "db")], "metadata", "uid")
	for want, got := range map[string]string{
		client + " of t, ${not} $ {, ${AZURE_CLIENT_SECRET}": text(s.world.objects[ref("SecretSync", "db")], "spec", "a"),
		"${TENANT}": text(s.world.objects[ref("Pod", "p")], "spec", "a"),
		uid:         text(s.world.objects[secret], "metadata", "ownerReferences", 0, "uid"),
	} {
		if got != want || got == "" {
			t.Errorf("%q instead of %q", got, want)
		}
	}
	if owner["uid"] != model.UIDOfSync {
		t.Error("the plan itself was changed")
	}
}

// TestOwnerWhileNothingIsChanged: an owner that an earlier step would make has a UID that nobody has, so that the API server judges it.
func TestOwnerWhileNothingIsChanged(t *testing.T) {
	t.Parallel()
	s := newShop()
	s.runner.Options.DryRun = true
	secret := ref("Secret", "db")
	s.world.put(secret, map[string]any{"kind": "Secret", "metadata": map[string]any{"name": "db"}})
	var judged string
	s.world.meddle = func(c model.Change) { judged = text(c.Edits[0].Value, 0, "uid") }
	give := model.Change{ID: "give", Stage: model.Translate, Order: 702, Verb: model.Edit, Object: secret, Edits: []model.FieldEdit{
		{Op: model.OpAdd, Path: model.Path{"metadata", "ownerReferences"}, Value: []any{map[string]any{
			"apiVersion": "secret-sync.x-k8s.io/v1alpha1", "kind": "SecretSync", "name": "db", "uid": model.UIDOfSync,
		}}},
	}}
	if _, err := s.run(t, give); err != nil || judged != "00000000-0000-0000-0000-000000000000" {
		t.Errorf("judged with the owner %q, %v", judged, err)
	}
}

// TestUnsetVariables: the error says who gives the value.
func TestUnsetVariables(t *testing.T) {
	t.Parallel()
	none := model.Change{ID: "read", Order: 1, Verb: model.Run, Command: []string{"az", "nothing", "--query", "x"}, Sets: "X"}
	left := none
	left.ByHand = model.LeftToOthers
	use := create("${X}")
	when := az("x")
	when.When, when.Order = "X=true", 2
	for name, c := range map[string]struct {
		steps []model.Change
		words []string
	}{
		"no step sets it":    {[]model.Change{create("${LOCATION}")}, []string{"LOCATION has no value", "no step"}},
		"no plan uses it":    {[]model.Change{az("keyvault", "show", "--name", "${Y}")}, []string{"Y has no value", "correct the object"}},
		"it found none":      {[]model.Change{none, use}, []string{"X has no value", "read", "found none"}},
		"it is left":         {[]model.Change{left, use}, []string{"X has no value", "read", model.LeftToOthers}},
		"it is left, a When": {[]model.Change{left, when}, []string{"X has no value", "read", model.LeftToOthers}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newShop()
			s.azure.silent = true
			_, err := s.run(t, c.steps...)
			unset := (*act.UnsetError)(nil)
			if !errors.As(err, &unset) || !errors.Is(err, act.ErrStopped) || len(s.world.applied) > 0 {
				t.Fatalf("%v, %v", err, s.world.applied)
			}
			for _, words := range c.words {
				if !strings.Contains(err.Error(), words) {
					t.Errorf("%q is missing in %v", words, err)
				}
			}
		})
	}
}
