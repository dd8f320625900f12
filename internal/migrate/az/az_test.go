package az_test

import (
	"errors"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"secretstore/internal/migrate/az"
	"secretstore/internal/migrate/model"
	"secretstore/internal/migrate/read"
	"secretstore/internal/migrate/stage/inventory"
	"secretstore/internal/migrate/stage/prepare"
	"secretstore/internal/migrate/stage/switchover"
	"secretstore/internal/migrate/stage/translate"
	"secretstore/internal/migrate/stage/verify"
)

const estate = "../../../test/migration/testdata/estate"

// plans are those of the estate, whichever way it is moved and whatever Azure told.
func plans(t *testing.T, visit func(model.Plan)) {
	t.Helper()
	s, err := read.Folder(t.Context(), os.DirFS(estate), estate, read.FolderOptions{Digest: func([]byte) string { return "digest" }})
	if err != nil {
		t.Fatal(err)
	}
	seen := &model.Azure{Arc: "/arc", Extensions: []model.Extension{{Type: "microsoft.iotoperations"}}}
	for i, name := range read.VaultNames(s.Objects) {
		seen.Vaults = append(seen.Vaults, model.Vault{Name: name, ID: "/subscriptions/s/" + name, RBAC: i%2 == 0})
	}
	ends, n := []string{"revoke", "disable", "delete"}, 0
	for _, azure := range []*model.Azure{nil, seen} {
		for _, flavour := range []model.Flavour{model.FlavourArc, model.FlavourAKS, model.FlavourHelm} {
			for _, target := range []model.Target{model.TargetSecretStore, model.TargetSSE} {
				for _, strategy := range []model.Strategy{model.ZeroDowntime, model.Guide} {
					o := model.Options{Strategy: strategy, Target: target, Style: model.StyleDirect, Roles: model.RolesLeast}
					if n++; n%2 == 0 {
						o.Roles = model.RolesGuide
					}
					s.Azure = azure
					visit(planned(s, flavour, o, ends[n%len(ends)]))
				}
			}
		}
	}
}

// planned answers all that the plan asks, and gives the plan by these answers. What runs on the cluster is told, as a folder has
// nothing of it.
func planned(s model.Snapshot, flavour model.Flavour, o model.Options, end string) model.Plan {
	o.Decisions = map[string]string{}
	var plan model.Plan
	for range 2 { // an answer may raise another question
		survey := inventory.Survey(s, o)
		survey.Installed, survey.Others = model.Installed{Flavour: flavour}, nil // others would keep the driver
		var ids model.Identities
		plan, ids = prepare.Plan(survey, o)
		plan.Join(switchover.Plan(survey, o))
		translated, translations := translate.Plan(survey, ids, o)
		plan.Join(translated)
		for i := range survey.Workloads { // as if they had been moved
			survey.Workloads[i].Volumes, survey.Workloads[i].Held = nil, false
		}
		plan.Join(verify.Plan(survey, ids, translations, o))
		for _, d := range append(plan.Decisions, survey.Decisions...) {
			o.Decisions[d.ID] = answer(d, end)
		}
	}
	return plan
}

func answer(d model.Decision, end string) string {
	for _, wanted := range []string{end, "secret", "accept"} {
		if slices.ContainsFunc(d.Options, func(o model.Option) bool { return o.Answer == wanted }) {
			return wanted
		}
	}
	if d.Free && d.Required {
		return "22222222-2222-3333-4444-555555555555"
	}
	return d.Proposal
}

// TestEveryCommandOfAPlanIsKnown: each az command that a plan has is carried out, waited for, or one of those that are left to
// people on purpose.
func TestEveryCommandOfAPlanIsKnown(t *testing.T) {
	t.Parallel()
	carriedOut, left := map[string]bool{}, map[string]bool{}
	plans(t, func(p model.Plan) {
		for _, c := range p.Changes {
			if len(c.Command) == 0 || c.Command[0] != "az" {
				continue
			}
			end := slices.IndexFunc(c.Command, func(w string) bool { return strings.HasPrefix(w, "-") })
			words := strings.Join(c.Command[:end], " ")
			switch err := az.Supports(c.Command); {
			case c.Gate != nil && c.Gate.Kind == model.GateExchange:
				if c.Token == nil || c.Verb != model.Check {
					t.Errorf("%s: an exchange without a token", c.ID)
				}
				carriedOut[words] = true
			case err == nil:
				carriedOut[words] = true
			default:
				if unsupported, ok := errors.AsType[*az.UnsupportedError](err); !ok || !strings.HasPrefix(unsupported.Command, words) {
					t.Errorf("%s: %v", c.ID, err)
				}
				left[words] = true
			}
		}
	})
	want := []string{
		"az ad sp show", "az ad sp update", "az connectedk8s show", "az identity create", "az identity federated-credential create",
		"az identity list", "az identity show", "az k8s-extension create", "az k8s-extension delete", "az k8s-extension list",
		"az keyvault delete-policy", "az keyvault set-policy", "az keyvault show", "az login", "az role assignment create",
		"az role assignment delete", "az role assignment list",
	}
	if diff := cmp.Diff(want, slices.Sorted(maps.Keys(carriedOut))); diff != "" {
		t.Errorf("carried out (-want +got):\n%s", diff)
	}
	want = []string{
		"az ad app delete", "az ad app federated-credential create", "az aks disable-addons", "az aks show", "az aks update",
		"az connectedk8s update",
	}
	if diff := cmp.Diff(want, slices.Sorted(maps.Keys(left))); diff != "" {
		t.Errorf("left to people (-want +got):\n%s", diff)
	}
}

// TestNothingIsGuessed: a command that is not known in every word is refused before anything is sent, shown as it is to be run,
// and without a token.
func TestNothingIsGuessed(t *testing.T) {
	t.Parallel()
	const identity = "az identity create --name n --resource-group g --location l"
	for name, tc := range map[string]struct {
		reason, command, says string
	}{
		"Unknown":   {"another verb", "az identity update --name n", "az identity update is none"},
		"NotAz":     {"another program", "kubectl get pods", "no az command"},
		"Flag":      {"a flag changes what is done", identity + " --tags a=b", "--tags"},
		"Missing":   {"a flag is missing", "az identity create --name n --location l", "--resource-group is missing"},
		"Query":     {"another query", "az identity show --name n --resource-group g --query tags", "tags"},
		"QueryTail": {"a query that only begins alike", "az identity show --name n --resource-group g --query clientId[0]", "clientId[0]"},
		"NoQuery":   {"all of it is printed by nothing here", "az identity show --name n --resource-group g", "the query"},
		"Output":    {"another output", "az identity show --name n --resource-group g --query id --output table", "table"},
		"Path":      {"a name is no path", "az identity create --name a/../b --resource-group g --location l", "--name is no name"},
		"Token":     {"a token is not shown", "az login --service-principal --federated-token canary", "${FEDERATED_TOKEN}"},
		"Connected": {"done in the cluster as well", "az connectedk8s update --name c --resource-group g --enable-oidc-issuer", "run it yourself"},
		"ClusterType": {
			"another kind of cluster", "az k8s-extension delete --cluster-type managedClusters --cluster-name c --resource-group g --name e --yes",
			"--cluster-type managedClusters",
		},
		"Set":        {"another property", "az ad sp update --id x --set accountEnabled=maybe", "accountEnabled=maybe"},
		"Nobody":     {"nobody is named", "az role assignment delete --scope /s", "--assignee"},
		"Deployment": {"words come first", "az --name n", "none that it knows"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, did, err := (&az.Runner{}).Run(t.Context(), strings.Fields(tc.command))
			unsupported, ok := errors.AsType[*az.UnsupportedError](err)
			if !ok || did || !strings.Contains(strings.ReplaceAll(err.Error(), `"`, ""), tc.says) || strings.Contains(err.Error(), "canary") {
				t.Fatalf("%s: %v", tc.reason, err)
			}
			if plain := strings.ReplaceAll(unsupported.Command, "'", ""); name != "Token" && plain != tc.command {
				t.Errorf("%s: it is shown as %q", tc.reason, plain)
			}
		})
	}
	_, _, err := (&az.Runner{}).Run(t.Context(), strings.Fields(strings.Replace(identity, "--name n", "--name ${NAME}", 1)))
	if err == nil || !strings.Contains(err.Error(), "${NAME}") {
		t.Errorf("a variable that nobody set: %v", err)
	}
}

// TestReverse: what makes something has a command that takes it back, which is known as well.
func TestReverse(t *testing.T) {
	t.Parallel()
	for command, want := range map[string]string{
		"az identity create --name n --resource-group g --location l --subscription s":                                               "az identity delete --name n --resource-group g --subscription s",
		"az identity federated-credential create --name f --identity-name n --resource-group g --issuer i --subject s --audiences a": "az identity federated-credential delete --name f --identity-name n --resource-group g --yes",
		"az role assignment create --role r --assignee-object-id o --assignee-principal-type ServicePrincipal --scope /s":            "az role assignment delete --assignee-object-id o --role r --scope /s",
		"az keyvault set-policy --name v --object-id o --secret-permissions get list":                                                "az keyvault delete-policy --name v --object-id o",
		"az k8s-extension create --resource-group g --cluster-name c --cluster-type connectedClusters --name e --extension-type t":   "az k8s-extension delete --cluster-type connectedClusters --cluster-name c --resource-group g --name e --yes",
		"az identity show --name n --resource-group g --query id":                                                                    "",
		"az k8s-extension delete --cluster-type connectedClusters --cluster-name c --resource-group g --name e --yes":                "",
		"az connectedk8s update --name c --resource-group g --enable-oidc-issuer":                                                    "",
	} {
		got, found := az.Reverse(strings.Fields(command))
		if strings.Join(got, " ") != want || found != (want != "") {
			t.Errorf("%s is taken back by %q, want %q", command, got, want)
		}
		if found && az.Supports(got) != nil {
			t.Errorf("%q: %v", got, az.Supports(got))
		}
	}
}
