package translate_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"secretstore/internal/migrate/model"
	"secretstore/internal/migrate/stage/translate"
)

// Workloads that were changed mount the class no more; what is left to do about it must not be forgotten for that.
func TestRunAfterWorkloadsWereChanged(t *testing.T) {
	s := mounted(t, making(azure("web", "", "a"), secretObject("db", "Opaque", "a=password")))
	s.Synced = []model.SyncedSecret{driverMade("db", "web")}
	ids := identities(s)
	plan, before := translate.Plan(s, ids, model.Options{})
	var first model.Plan
	for _, c := range plan.Changes {
		if c.Order < model.OrderWorkloads {
			first.Changes = append(first.Changes, c)
		}
	}
	s = done(t, s, first)
	s.Workloads, s.Synced = nil, []model.SyncedSecret{driverMade("db", "web")}
	for i := range s.Classes {
		s.Classes[i].UsedBy = nil
	}
	for name, ids := range map[string]model.Identities{"still planned": ids, "no longer planned": {}} {
		plan, after := translate.Plan(s, ids, model.Options{})
		if diff := cmp.Diff(before, after); diff != "" {
			t.Errorf("identities %s: the translation (-want +got):\n%s", name, diff)
		}
		want := []string{"504 edit Secret db", "700 check Secret db", "701 create SecretSync db", "702 edit Secret db"}
		if diff := cmp.Diff(want, steps(plan)); diff != "" {
			t.Errorf("identities %s: steps (-want +got):\n%s", name, diff)
		}
	}
}

func TestWhatDiffersIsEdited(t *testing.T) {
	s := mounted(t, azure("web", "", "a", "b"))
	ids := identities(s)
	plan, _ := translate.Plan(s, ids, model.Options{})
	s = done(t, s, plan)
	for i, o := range s.Existing {
		switch o.Kind + " " + o.Name {
		case "SecretSync web-files":
			spec := s.Existing[i].Content["spec"].(map[string]any)
			spec["serviceAccountName"], spec["forceSynchronization"] = "other", "1"
			spec["secretObject"] = map[string]any{"type": "Opaque", "data": []any{
				map[string]any{"sourcePath": "x", "targetKey": "a"},
				map[string]any{"sourcePath": "b", "targetKey": "b"},
				map[string]any{"sourcePath": "b", "targetKey": "c"},
			}}
		case "SecretProviderClass web-sse":
			s.Existing[i].Content["spec"].(map[string]any)["parameters"].(map[string]any)["cloudName"] = "AzurePublicCloud"
		}
	}
	plan, _ = translate.Plan(s, ids, model.Options{})
	want := map[string][]model.FieldEdit{
		"SecretProviderClass web-sse": {
			{Op: model.OpRemove, Path: model.Path{"spec", "parameters", "cloudName"}, Was: "AzurePublicCloud"},
		},
		"SecretSync web-files": {
			{
				Op: model.OpReplace, Path: model.Path{"spec", "secretObject", "data", 0, "sourcePath"}, Value: "a", Was: "x",
			},
			{
				Op: model.OpRemove, Path: model.Path{"spec", "secretObject", "data", 2},
				Was: map[string]any{"sourcePath": "b", "targetKey": "c"},
			},
			{Op: model.OpReplace, Path: model.Path{"spec", "serviceAccountName"}, Value: "secretstore", Was: "other"},
		},
	}
	got := map[string][]model.FieldEdit{}
	for _, c := range plan.Changes {
		if c.Verb == model.Edit {
			got[c.Object.Kind+" "+c.Object.Name] = c.Edits
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// The gate stays until every SecretSync is seen to be healthy and every Secret is there.
func TestGateStays(t *testing.T) {
	cases := map[string]struct {
		reason, says, secret string
		gate                 bool
	}{
		"Healthy":  {reason: "nothing is left to wait for", says: "UpdateNoValueChangeSucceeded", secret: "web-files"},
		"Written":  {reason: "a written Secret is as good", says: "UpdateValueChangeOrForceUpdateSucceeded", secret: "web-files"},
		"Partial":  {reason: "PartialSync is not healthy", says: "PartialSync", secret: "web-files", gate: true},
		"NoSecret": {reason: "the Secret must be there", says: "UpdateNoValueChangeSucceeded", gate: true},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			s := mounted(t, azure("web", "", "a"))
			ids := identities(s)
			plan, _ := translate.Plan(s, ids, model.Options{})
			s = done(t, s, plan)
			s.Secrets["shop"] = []string{tc.secret}
			for _, o := range s.Existing {
				if o.Kind == "SecretSync" {
					o.Content["status"] = map[string]any{"conditions": []any{map[string]any{"type": "Update", "reason": tc.says}}}
				}
			}
			plan, _ = translate.Plan(s, ids, model.Options{})
			if got := len(plan.Changes) == 1 && plan.Changes[0].Verb == model.Check; got != tc.gate || !got && len(plan.Changes) > 0 {
				t.Errorf("%s: got %v", tc.reason, steps(plan))
			}
		})
	}
}

// A variable that was filled in when manifests were applied is not put back.
func TestFilledInVariablesStay(t *testing.T) {
	s := mounted(t, azure("web", "", "a"))
	ids := identities(s)
	plan, _ := translate.Plan(s, ids, model.Options{})
	s = done(t, s, plan)
	ids.Identities[0].ClientID, ids.Accounts[0].Name = "${USER_ASSIGNED_CLIENT_ID}", "${SERVICE_ACCOUNT_NAME}"
	if plan, _ := translate.Plan(s, ids, model.Options{}); len(plan.Changes) > 0 {
		t.Errorf("got %+v", plan.Changes[0])
	}
}

// An interrupted run may have made the twin and nothing that reads it: it is no class that nobody mounts.
func TestTwinIsNoClassOfItsOwn(t *testing.T) {
	s := mounted(t, azure("web", "", "a"))
	twin := class(t, manifest(t, azure("web-sse", "clientID: "+client, "a")))
	s.Classes, s.Existing = append(s.Classes, twin), []model.Object{twin.Object}
	plan, translations := translate.Plan(s, identities(s), model.Options{})
	if len(translations) != 1 || len(plan.Findings)+len(plan.Decisions) > 0 {
		t.Errorf("got %+v, %v", translations, plan.Findings)
	}
}
