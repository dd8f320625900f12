package cluster_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"secretstore/internal/migrate/act"
	"secretstore/internal/migrate/model"
)

// TestForbidden has somebody at work who may read objects, and no Secrets, and change nothing: each refusal names the verb and the
// resource that lack.
func TestForbidden(t *testing.T) {
	t.Parallel()
	all := newFixture(t)
	all.apply(t, `{apiVersion: v1, kind: ServiceAccount, metadata: {namespace: NAMESPACE, name: weak}}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {namespace: NAMESPACE, name: weak}
rules:
- {apiGroups: ["", apps], resources: [serviceaccounts, deployments, configmaps], verbs: [get, list]}
- {apiGroups: [secret-sync.x-k8s.io], resources: [secretsyncs], verbs: [get]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {namespace: NAMESPACE, name: weak}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: weak}
subjects: [{kind: ServiceAccount, namespace: NAMESPACE, name: weak}]
`)
	all.apply(t, deployment)
	all.driversSecret(t, "app", map[string]string{"a": canary})
	config, err := shared.cluster.ServiceAccountConfig(t.Context(), all.namespace, "weak")
	if err != nil {
		t.Fatal(err)
	}
	f := newFixtureIn(t, all.namespace, config, nil)
	making, editing := f.look(t, f.account("made"), act.Open), f.look(t, f.swap(), act.Open)
	given := all.give(t, "app")
	removal := model.Change{ID: "d", Verb: model.Delete, Object: f.ref("Deployment", "web")}
	tests := map[string]struct {
		do   func(ctx context.Context) error
		says []string
	}{
		"create": {func(ctx context.Context) error {
			_, err := f.Apply(ctx, f.account("made"), making, false)
			return err
		}, []string{"verb patch", "serviceaccounts"}},
		"edit": {func(ctx context.Context) error {
			_, err := f.Apply(ctx, f.swap(), editing, false)
			return err
		}, []string{"verb patch", "deployments.apps", "namespace " + f.namespace}},
		"delete": {func(ctx context.Context) error {
			_, err := f.Apply(ctx, removal, editing, false)
			return err
		}, []string{"verb delete", "deployments.apps"}},
		"secret": {func(ctx context.Context) error {
			_, err := f.Look(ctx, given)
			return err
		}, []string{"verb get", "secrets"}},
		"pods": {func(ctx context.Context) error {
			return f.Check(ctx, gate(model.Gate{Kind: model.GateUnmounted, Objects: []model.Ref{f.classRef("app")}}))
		}, []string{"verb list", "pods"}},
		"token": {func(ctx context.Context) error {
			_, err := f.Mint(ctx, model.Token{Namespace: f.namespace, Account: "weak", Audience: "x"})
			return err
		}, []string{"verb create", "serviceaccounts/token"}},
		"lease": {func(ctx context.Context) error {
			_, _, err := f.Hold(ctx, "weak")
			return err
		}, []string{"verb get", "leases.coordination.k8s.io", "namespace kube-system"}},
		"revert": {func(ctx context.Context) error {
			return f.Revert(ctx, act.Entry{Change: removal, Before: map[string]any{
				"apiVersion": "v1", "kind": "ConfigMap", "metadata": map[string]any{"name": "x"},
			}})
		}, []string{"left as it is"}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			err := tc.do(t.Context())
			for _, text := range tc.says {
				if err == nil || !strings.Contains(err.Error(), text) {
					t.Errorf("%v does not say %q", err, text)
				}
			}
			if err != nil && strings.Contains(err.Error(), canary) {
				t.Errorf("a value is in the error: %v", err)
			}
		})
	}
	all.accessHidden(t, f)
}

// accessHidden: somebody who may not see who may read Secrets is told so, and goes on.
func (f *fixture) accessHidden(t *testing.T, weak *fixture) {
	t.Helper()
	weak.opens(t, model.Gate{Kind: model.GateAccess, Objects: []model.Ref{{APIVersion: "v1", Kind: "Namespace", Name: f.namespace}}})
	if len(weak.told) != 1 || !strings.Contains(weak.told[0], "cannot be told") {
		t.Errorf("told is %q", weak.told)
	}
}

// TestNoValueIsTold has the API server refuse a Secret, whose own answer would quote values, and looks at all that a Secret's steps
// give.
func TestNoValueIsTold(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.driversSecret(t, "app", map[string]string{"a": canary})
	f.make(t, f.makeSync("app", "plain=a"))
	bad := f.give(t, "app")
	bad.Edits = append(bad.Edits, model.FieldEdit{
		Op: model.OpAdd, Path: model.Path{"metadata", "annotations"}, Value: map[string]any{"a b " + canary: canary},
	})
	seen := f.look(t, bad, act.Open)
	_, err := f.Apply(t.Context(), bad, seen, false)
	if err == nil || strings.Contains(err.Error(), canary) || !strings.Contains(err.Error(), "Invalid") {
		t.Errorf("the API server's answer: %v", err)
	}
	raw, err := json.Marshal(seen)
	if err != nil || strings.Contains(string(raw), canary) || seen.Before["metadata"] == nil || seen.Before["data"] != nil {
		t.Errorf("what was seen: %s, %v", raw, err)
	}
	made := model.Change{ID: "c", Verb: model.Create, Object: f.ref("Secret", "made"), Content: map[string]any{
		"apiVersion": "v1", "kind": "Secret", "metadata": map[string]any{"namespace": f.namespace, "name": "made"},
		"data": map[string]any{"a": canary}, // no base64
	}}
	_, err = f.Apply(t.Context(), made, f.look(t, made, act.Open), false)
	if err == nil || strings.Contains(err.Error(), canary) {
		t.Errorf("the API server's answer: %v", err)
	}
	if _, err := f.typed.CoreV1().Secrets(f.namespace).Get(t.Context(), "made", metav1.GetOptions{}); err == nil {
		t.Error("it was made")
	}
}
