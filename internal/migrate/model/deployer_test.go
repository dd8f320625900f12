package model_test

import (
	"slices"
	"strings"
	"testing"

	"secretstore/internal/migrate/model"
)

// TestManager: who deploys an object, told by its labels, annotations and field managers.
func TestManager(t *testing.T) {
	t.Parallel()
	meta := func(list, name, value string) map[string]any {
		return map[string]any{list: map[string]any{name: value}}
	}
	wrote := func(manager, subresource string) map[string]any {
		return map[string]any{"managedFields": []any{"odd", map[string]any{"manager": manager, "subresource": subresource}}}
	}
	helm := map[string]any{
		"labels":      map[string]any{"app.kubernetes.io/managed-by": "Helm"},
		"annotations": map[string]any{"meta.helm.sh/release-name": "web"},
	}
	fluxHelm := map[string]any{
		"labels":      map[string]any{"app.kubernetes.io/managed-by": "Helm", "helm.toolkit.fluxcd.io/name": "web"},
		"annotations": helm["annotations"],
	}
	for name, tt := range map[string]struct {
		reason string
		meta   map[string]any
		want   string
	}{
		"nobody":                {reason: "no marks"},
		"Helm":                  {reason: "label and annotation of a release", meta: helm, want: "Helm"},
		"a chart's label alone": {reason: "rendered by helm template and applied by hand: nobody brings it back", meta: meta("labels", "app.kubernetes.io/managed-by", "Helm")},
		"Argo CD by annotation": {reason: "its default", meta: meta("annotations", "argocd.argoproj.io/tracking-id", "x"), want: "Argo CD"},
		"Argo CD by label":      {reason: "its label of old", meta: meta("labels", "argocd.argoproj.io/instance", "x"), want: "Argo CD"},
		"Argo CD by fields":     {reason: "server-side apply leaves a manager", meta: wrote("argocd-controller", ""), want: "Argo CD"},
		"status only":           {reason: "who writes a status does not deploy", meta: wrote("argocd-controller", "status")},
		"Flux by kustomization": {reason: "its label", meta: meta("labels", "kustomize.toolkit.fluxcd.io/name", "x"), want: "Flux"},
		"Flux by Helm release":  {reason: "Flux runs Helm, and brings the release back", meta: fluxHelm, want: "Flux"},
		"Flux by fields":        {reason: "its field manager", meta: wrote("kustomize-controller", ""), want: "Flux"},
		"kubectl":               {reason: "a person", meta: wrote("kubectl-client-side-apply", "")},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := (model.Object{Content: map[string]any{"metadata": tt.meta}}).Manager(); got != tt.want {
				t.Errorf("%s: got %q, want %q", tt.reason, got, tt.want)
			}
		})
	}
}

// TestInventoryCodes: every finding of the inventory is explained in full, once, in order.
func TestInventoryCodes(t *testing.T) {
	t.Parallel()
	var codes []model.Code
	for _, e := range model.Catalogue() {
		if !strings.HasPrefix(string(e.Code), "M1") {
			continue
		}
		codes = append(codes, e.Code)
		for _, prose := range []string{e.Title, e.What, e.Why, e.Do, string(e.Severity)} {
			if prose == "" || strings.Contains(prose, "  ") {
				t.Errorf("%s is not explained: %q", e.Code, prose)
			}
		}
	}
	if !slices.IsSorted(codes) || len(slices.Compact(slices.Clone(codes))) != len(codes) || len(codes) < 20 {
		t.Errorf("codes: %v", codes)
	}
}

// TestInventoryDecisionsCount: a decision of the inventory that is open makes its object wait in the report.
func TestInventoryDecisionsCount(t *testing.T) {
	t.Parallel()
	w := model.Workload{Object: model.Object{Ref: model.Ref{Kind: "Rollout", Name: "web"}}}
	left := model.Ref{Kind: "SecretProviderClassPodStatus", Name: "old"}
	s := model.Survey{
		Workloads: []model.Workload{w}, Mounted: []model.Ref{left}, Stale: []model.Ref{left},
		Decisions: []model.Decision{{ID: model.DecisionID("M110", w.Object.Ref), Object: w.Object.Ref, Required: true}},
	}
	c := model.NewReport(s, model.Options{}, model.Plan{}).Counts
	if c.Total != 2 || c.NeedsDecision != 1 || c.NotInUse != 1 {
		t.Errorf("counts: %+v", c)
	}
	if s.Decisions[0].ID != "M110//web/Rollout" {
		t.Errorf("ID %q", s.Decisions[0].ID)
	}
}
