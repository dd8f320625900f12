package migrate

import (
	"testing"

	"secretstore/internal/migrate/model"
)

// TestIdentified: a Secret that is deleted is the one that was read; what others make anew under its name is not asked about.
func TestIdentified(t *testing.T) {
	t.Parallel()
	secret, status := model.Ref{APIVersion: "v1", Kind: "Secret", Name: "s"}, model.Ref{Kind: "SecretProviderClassPodStatus", Name: "p"}
	snapshot := model.Snapshot{}
	for _, ref := range []model.Ref{secret, status} {
		snapshot.Objects = append(snapshot.Objects,
			model.Object{Ref: ref, Content: map[string]any{"metadata": map[string]any{"uid": "uid of " + ref.Name}}})
	}
	report := identified(model.Report{Plan: model.Plan{Changes: []model.Change{
		{Verb: model.Delete, Object: secret}, {Verb: model.Delete, Object: status}, {Verb: model.Edit, Object: secret},
	}}}, snapshot)
	for i, want := range []string{"uid of s", "", ""} {
		if got := report.Changes[i].UID; got != want {
			t.Errorf("%s %s: %q instead of %q", report.Changes[i].Verb, report.Changes[i].Object, got, want)
		}
	}
}
