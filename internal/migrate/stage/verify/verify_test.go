package verify_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"secretstore/internal/migrate/model"
	"secretstore/internal/migrate/stage/verify"
	"secretstore/internal/spcparams"
)

const client = "11111111-2222-3333-4444-555555555555"

func ref(kind, name string) model.Ref {
	version := map[string]string{
		"SecretProviderClass": "secrets-store.csi.x-k8s.io/v1", "SecretProviderClassPodStatus": "secrets-store.csi.x-k8s.io/v1",
		"Secret": "v1", "Deployment": "apps/v1", "CronJob": "batch/v1", "SecretSync": "secret-sync.x-k8s.io/v1alpha1",
	}[kind]
	return model.Ref{APIVersion: version, Kind: kind, Namespace: "shop", Name: name}
}

// shop is a cluster of one class with a Secret of the driver's, which one Deployment mounts with credentials.
type shop struct {
	survey       model.Survey
	ids          model.Identities
	translations []model.Translation
	options      model.Options
}

func newShop() *shop {
	class, web := ref("SecretProviderClass", "web"), ref("Deployment", "web")
	return &shop{
		survey: model.Survey{
			Classes: []model.Class{{
				Object: model.Object{Ref: class}, Params: spcparams.Params{VaultName: "KV-shop"}, UsedBy: []model.Ref{web},
			}},
			Workloads: []model.Workload{{
				Object: model.Object{Ref: web}, Volumes: []model.Volume{{Name: "v", Class: "web", Credential: "creds"}},
				Uses: []model.Use{{Secret: "web-db", How: "env"}},
			}},
			Synced: []model.SyncedSecret{{
				Ref: ref("Secret", "web-db"), Classes: []string{"web"}, Exists: true, Managed: true, Digests: map[string]string{"p": "d"},
			}},
			Credentials: []model.Credential{{Ref: ref("Secret", "creds"), ClientID: client, Exists: true, UsedBy: []model.Ref{web}}},
			Mounted:     []model.Ref{ref("SecretProviderClassPodStatus", "old"), ref("SecretProviderClassPodStatus", "web")},
			Stale:       []model.Ref{ref("SecretProviderClassPodStatus", "old")},
			Installed:   model.Installed{Flavour: model.FlavourArc},
			Azure:       &model.Azure{Vaults: []model.Vault{{Name: "kv-shop", ID: "/v", RBAC: true}}},
		},
		ids: model.Identities{
			Identities: []model.Identity{{Key: "k"}},
			Accounts:   []model.Account{{Namespace: "shop", Identity: "k", Principal: client, Classes: []string{"web"}}},
		},
		translations: []model.Translation{{
			Class: class, NewClass: "web-sse", Ready: true, Files: []model.File{{Name: "db", Secret: "web-files", Key: "db"}},
			Syncs: []model.Sync{{Old: "web-db", New: "web-db", Proof: "web-db-sse"}},
		}},
		options: model.Options{Strategy: model.ZeroDowntime, Decisions: map[string]string{}},
	}
}

func (s *shop) plan() model.Plan { return verify.Plan(s.survey, s.ids, s.translations, s.options) }

func ids(p model.Plan) []string {
	var all []string
	for _, c := range p.Changes {
		all = append(all, c.ID)
	}
	return all
}

func codes(p model.Plan) []model.Code {
	var all []model.Code
	for _, f := range p.Findings {
		all = append(all, f.Code)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// TestWholePlan is the plan of the simplest cluster, in its order.
func TestWholePlan(t *testing.T) {
	t.Parallel()
	plan := newShop().plan()
	want := []string{
		"verify/check/secretproviderclass/shop/web",
		"verify/check/secrets/shop",
		"verify/check/deployment/shop/web",
		"verify/check/references",
		"verify/check/access/shop",
		"cleanup/delete/secretsync/shop/web-db-sse",
		"cleanup/delete/secretproviderclasspodstatus/shop/old",
		"cleanup/delete/secretproviderclass/shop/web",
		"cleanup/delete/secret/shop/creds",
		"cleanup/run/roles/kv-shop/" + client,
		"cleanup/run/roles-revoked/kv-shop/" + client,
	}
	if diff := cmp.Diff(want, ids(plan)); diff != "" {
		t.Errorf("steps -want +got:\n%s", diff)
	}
	if diff := cmp.Diff([]model.Code{"M601", "M602", "M606", "M608"}, codes(plan)); diff != "" {
		t.Errorf("findings -want +got:\n%s", diff)
	}
	for _, c := range plan.Changes {
		if c.Summary == "" || c.Undo == "" {
			t.Errorf("%s says not what it does, or how it is undone", c.ID)
		}
		if azure := len(c.Command) > 0 && c.Command[0] == "az" && c.Sets == ""; azure && !c.Irreversible {
			t.Errorf("%s has no gate of its own", c.ID)
		}
	}
}

// TestForeignSecretProvesNothing: one that has the name and is not the driver's is compared with nothing.
func TestForeignSecretProvesNothing(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		have  model.SyncedSecret
		pairs int // of the proof and of the successor
	}{
		"of two classes":   {model.SyncedSecret{Classes: []string{"api"}, Exists: true, Managed: true, Digests: map[string]string{"p": "d"}}, 0},
		"the driver's":     {model.SyncedSecret{Exists: true, Managed: true, Digests: map[string]string{"p": "d"}}, 2},
		"somebody else's":  {model.SyncedSecret{Exists: true, Digests: map[string]string{"p": "d"}}, 0},
		"not there so far": {model.SyncedSecret{}, 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newShop()
			s.translations[0].Syncs[0].New = "web-db-2"
			c.have.Ref, c.have.Classes = ref("Secret", "web-db"), append(c.have.Classes, "web")
			s.survey.Synced = []model.SyncedSecret{c.have}
			check := s.plan().Changes[0]
			if len(check.Gate.Same) != c.pairs || strings.Contains(check.Summary, "the driver's Secrets web-db held") != c.have.Managed {
				t.Errorf("%v: %s", check.Gate.Same, check.Summary)
			}
		})
	}
}

func TestCleanUp(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		reason string
		change func(s *shop)
		gone   []string // steps of the whole plan that are no more
		more   []string // and those that are new
		codes  []model.Code
	}{
		"an undecided class": {
			reason: "nothing of it is removed",
			change: func(s *shop) { s.translations[0].Ready = false },
			gone: []string{
				"verify/check/secretproviderclass/shop/web", "verify/check/deployment/shop/web", "cleanup/delete/secretsync/shop/web-db-sse",
				"cleanup/delete/secretproviderclass/shop/web", "cleanup/delete/secret/shop/creds", "cleanup/run/roles/kv-shop/" + client,
				"cleanup/run/roles-revoked/kv-shop/" + client,
			},
			codes: []model.Code{"M604"},
		},
		"a static pod": {
			reason: "it keeps its class, its credentials and their rights",
			change: func(s *shop) { s.survey.Workloads[0].Static = true },
			gone: []string{
				"verify/check/deployment/shop/web", "cleanup/delete/secretproviderclass/shop/web", "cleanup/delete/secret/shop/creds",
				"cleanup/run/roles/kv-shop/" + client, "cleanup/run/roles-revoked/kv-shop/" + client,
			},
			codes: []model.Code{"M603", "M604"},
		},
		"credentials that something else uses": {
			reason: "they stay, and so does the principal, until the operator says otherwise",
			change: func(s *shop) { s.survey.Credentials[0].ReadBy = []model.Ref{ref("CronJob", "terraform")} },
			gone: []string{
				"cleanup/delete/secret/shop/creds", "cleanup/run/roles/kv-shop/" + client, "cleanup/run/roles-revoked/kv-shop/" + client,
			},
			codes: []model.Code{"M605"},
		},
		"credentials that something else uses, deleted all the same": {
			reason: "the answer counts",
			change: func(s *shop) {
				s.survey.Credentials[0].ReadBy = []model.Ref{ref("CronJob", "terraform")}
				s.options.Decisions["M605/shop/creds/Secret"] = "delete"
			},
		},
		"a principal that is used elsewhere": {
			reason: "its rights stay",
			change: func(s *shop) { s.options.Decisions["M606/"+client] = "keep" },
			gone:   []string{"cleanup/run/roles/kv-shop/" + client, "cleanup/run/roles-revoked/kv-shop/" + client},
		},
		"a principal to be disabled": {
			reason: "after its rights",
			change: func(s *shop) { s.options.Decisions["M606/"+client] = "disable" },
			more:   []string{"cleanup/run/principal/" + client},
		},
		"access policies": {
			reason: "the policy goes, not roles",
			change: func(s *shop) { s.survey.Azure.Vaults[0].RBAC = false },
			gone:   []string{"cleanup/run/roles/kv-shop/" + client, "cleanup/run/roles-revoked/kv-shop/" + client},
			more: []string{
				"cleanup/run/principal-id/" + client, "cleanup/run/policy/kv-shop/" + client, "cleanup/run/policy-revoked/kv-shop/" + client,
			},
		},
		"a vault that was not seen": {
			reason: "both ways, each under its condition",
			change: func(s *shop) { s.survey.Azure = nil },
			more: []string{
				"cleanup/run/vault/kv-shop/id", "cleanup/run/vault/kv-shop/properties.enablerbacauthorization",
				"cleanup/run/principal-id/" + client, "cleanup/run/policy/kv-shop/" + client, "cleanup/run/policy-revoked/kv-shop/" + client,
			},
		},
		"guide": {
			reason: "the class was edited in place, and nothing was proved beforehand",
			change: func(s *shop) {
				s.translations[0].NewClass, s.translations[0].Syncs[0].Proof, s.options.Strategy = "web", "", model.Guide
			},
			gone: []string{"cleanup/delete/secretsync/shop/web-db-sse", "cleanup/delete/secretproviderclass/shop/web"},
		},
		"after the driver": {
			reason: "nobody removes pod statuses any more",
			change: func(s *shop) { s.survey.Installed = model.Installed{} },
			more:   []string{"cleanup/delete/secretproviderclasspodstatus/shop/web"},
		},
		"handed over, and the proof removed": {
			reason: "a second run does not remove what is gone",
			change: func(s *shop) { s.survey.Synced[0].Owners = []model.Ref{ref("SecretSync", "web-db")} },
			gone:   []string{"cleanup/delete/secretsync/shop/web-db-sse"},
		},
		"managed identities": {
			reason: "their rights are nobody's to take unasked",
			change: func(s *shop) { s.survey.Workloads[0].Volumes[0].Credential, s.survey.Credentials = "", nil },
			gone: []string{
				"cleanup/delete/secret/shop/creds", "cleanup/run/roles/kv-shop/" + client, "cleanup/run/roles-revoked/kv-shop/" + client,
			},
			codes: []model.Code{"M607"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newShop()
			whole := ids(s.plan())
			c.change(s)
			plan := s.plan()
			want := slices.DeleteFunc(whole, func(id string) bool { return slices.Contains(c.gone, id) })
			want = append(want, c.more...)
			got := ids(plan)
			slices.Sort(want)
			slices.Sort(got)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s; steps -want +got:\n%s", c.reason, diff)
			}
			for _, code := range c.codes {
				if !slices.Contains(codes(plan), code) {
					t.Errorf("%s; %s is missing from %v", c.reason, code, codes(plan))
				}
			}
		})
	}
}

// TestRevocationIsExact: the commands that take rights, and those that give them back.
func TestRevocationIsExact(t *testing.T) {
	t.Parallel()
	s := newShop()
	s.survey.Azure = nil
	s.options.Decisions["M606/"+client] = "delete"
	want := map[string][2]string{
		"roles-revoked/kv-shop/": {
			"az role assignment delete --assignee " + client + " --scope ${KEYVAULT_ID_KV_SHOP}", "KEYVAULT_RBAC_KV_SHOP=true",
		},
		"policy-revoked/kv-shop/": {
			"az keyvault delete-policy --name kv-shop --object-id ${OLD_OBJECT_ID_11111111_2222_3333_4444_555555555555}",
			"KEYVAULT_RBAC_KV_SHOP!=true",
		},
	}
	order, seen := 0, map[string]bool{}
	for _, c := range s.plan().Changes {
		if seen[c.ID] {
			t.Errorf("%s is there twice", c.ID)
		}
		seen[c.ID] = true
		for id, w := range want {
			if c.ID == "cleanup/run/"+id+client {
				if diff := cmp.Diff(w, [2]string{strings.Join(c.Command, " "), c.When}); diff != "" {
					t.Errorf("%s -want +got:\n%s", c.ID, diff)
				}
				delete(want, id)
				order = c.Order
			}
		}
		if strings.Join(c.Command, " ") == "az ad app delete --id "+client && c.Order <= order {
			t.Error("the principal goes before its rights")
		}
	}
	if len(want) > 0 {
		t.Errorf("missing: %v", want)
	}
}

// TestHelmsClass: a class that Helm deploys is not removed by the tool in a cluster, but in a folder.
func TestHelmsClass(t *testing.T) {
	t.Parallel()
	s := newShop()
	s.survey.Classes[0].Object.Content = map[string]any{"metadata": map[string]any{
		"labels":      map[string]any{"app.kubernetes.io/managed-by": "Helm"},
		"annotations": map[string]any{"meta.helm.sh/release-name": "web"},
	}}
	byHand := func() string {
		for _, c := range s.plan().Changes {
			if c.Object.Kind == "SecretProviderClass" && c.Verb == model.Delete {
				return c.ByHand
			}
		}
		return "no step"
	}
	if got := byHand(); !strings.HasPrefix(got, "Helm ") {
		t.Errorf("in a cluster: %q", got)
	}
	s.survey.Input.Folder = "deploy"
	if got := byHand(); got != "" {
		t.Errorf("in a folder: %q", got)
	}
}

func TestRollback(t *testing.T) {
	t.Parallel()
	path := model.Path{"spec", "a"}
	changes := []model.Change{
		{ID: "a", Order: 200, Verb: model.Create, Object: ref("Deployment", "new")},
		{ID: "b", Order: 300, Verb: model.Edit, Object: ref("Deployment", "web"), Edits: []model.FieldEdit{
			{Op: model.OpAdd, Path: path, Value: "x"},
			{Op: model.OpReplace, Path: path, Value: "y", Was: "x"},
			{Op: model.OpRemove, Path: path, Was: "y"},
		}},
		{ID: "c", Order: 400, Verb: model.Check},
		{ID: "d", Order: 500, Verb: model.Run, Command: []string{"az", "show"}, Sets: "X"},
		{ID: "e", Order: 600, Verb: model.Run, Command: []string{"az", "delete"}, Undo: "az create"},
		{ID: "f", Order: 700, Verb: model.Edit, Object: ref("Secret", "s"), Undo: "as saved"},
	}
	want := []model.Change{
		{ID: "rollback/f", Verb: model.Check, Object: ref("Secret", "s"), Manual: "as saved\n", ByHand: "Only a person can take this back."},
		{ID: "rollback/e", Verb: model.Check, Manual: "az create\n", ByHand: "Only a person can take this back."},
		{ID: "rollback/b", Verb: model.Edit, Object: ref("Deployment", "web"), Edits: []model.FieldEdit{
			{Op: model.OpAdd, Path: path, Value: "y"},
			{Op: model.OpReplace, Path: path, Value: "x", Was: "y"},
			{Op: model.OpRemove, Path: path, Was: "x"},
		}},
		{ID: "rollback/a", Verb: model.Delete, Object: ref("Deployment", "new")},
	}
	got := verify.Rollback(changes)
	last := 0
	for i := range got {
		if got[i].Stage != model.Rollback || got[i].Undo == "" || got[i].Summary == "" || got[i].Order <= last {
			t.Errorf("%s is incomplete, or out of its place: %+v", got[i].ID, got[i])
		}
		last = got[i].Order
		got[i].Stage, got[i].Undo, got[i].Summary, got[i].Order = "", "", "", 0
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}
