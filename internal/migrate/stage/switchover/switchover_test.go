package switchover_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"secretstore/internal/migrate/model"
	"secretstore/internal/migrate/stage/switchover"
)

// shop is a cluster of one class that one Deployment of three pods mounts, with the driver as an Arc extension.
func shop() model.Survey {
	class := model.Ref{APIVersion: "secrets-store.csi.x-k8s.io/v1", Kind: "SecretProviderClass", Namespace: "shop", Name: "web"}
	web := model.Ref{APIVersion: "apps/v1", Kind: "Deployment", Namespace: "shop", Name: "web"}
	return model.Survey{
		Input:   model.Input{Cluster: "uid", Version: "v1.31.0"},
		Classes: []model.Class{{Object: model.Object{Ref: class}, UsedBy: []model.Ref{web}}},
		Workloads: []model.Workload{{
			Object: model.Object{Ref: web}, Volumes: []model.Volume{{Name: "v", Class: "web"}}, Pods: 3,
		}},
		Installed: model.Installed{
			Flavour: model.FlavourArc, Extension: "akvsecretsprovider", Namespace: "kube-system", Release: "rel", DriverVersion: "v1.5.6",
		},
	}
}

// steps are `order id` of each step, with the command of those that matter.
func steps(p model.Plan) []string {
	var all []string
	for _, c := range p.Changes {
		all = append(all, strings.TrimPrefix(c.ID, "switchover/"))
	}
	return all
}

func find(t *testing.T, p model.Plan, id string) model.Change {
	t.Helper()
	for _, c := range p.Changes {
		if c.ID == "switchover/"+id {
			return c
		}
	}
	t.Fatalf("no step %s among %v", id, steps(p))
	return model.Change{}
}

func codes(p model.Plan) []model.Code {
	var all []model.Code
	for _, f := range p.Findings {
		all = append(all, f.Code)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

func TestPlan(t *testing.T) {
	t.Parallel()
	removal := []string{"check/definitions-saved", "run/uninstall", "check/definitions"}
	ours := []string{"run/secretstore", "check/secretstore"}
	for name, c := range map[string]struct {
		reason string
		change func(s *model.Survey, o *model.Options)
		steps  []string
		codes  []model.Code
	}{
		"zero downtime": {
			reason: "the new one first, the old one last, behind the gate",
			change: func(*model.Survey, *model.Options) {},
			steps:  slices.Concat(ours, []string{"check/gate"}, removal), codes: []model.Code{"M310"},
		},
		"guide, undecided": {
			reason: "the outage has to be accepted", change: func(_ *model.Survey, o *model.Options) { o.Strategy = model.Guide },
			steps: slices.Concat(removal, ours), codes: []model.Code{"M301", "M310"},
		},
		"guide, accepted": {
			reason: "the old one goes first, and there is no gate",
			change: func(_ *model.Survey, o *model.Options) {
				o.Strategy, o.Decisions = model.Guide, map[string]string{"M301/outage": "accept"}
			},
			steps: slices.Concat(removal, ours), codes: []model.Code{"M310"},
		},
		"guide, refused": {
			reason: "the driver stays",
			change: func(_ *model.Survey, o *model.Options) {
				o.Strategy, o.Decisions = model.Guide, map[string]string{"M301/outage": "stop"}
			},
			steps: ours, codes: []model.Code{"M302"},
		},
		"guide, nobody mounts": {
			reason: "without workloads there is no outage to accept",
			change: func(s *model.Survey, o *model.Options) { o.Strategy, s.Workloads = model.Guide, nil },
			steps:  slices.Concat(removal, ours), codes: []model.Code{"M310"},
		},
		"other providers": {
			reason: "only the Azure provider goes",
			change: func(s *model.Survey, _ *model.Options) { s.Installed.Providers = []string{"aws"} },
			steps:  slices.Concat(ours, []string{"check/gate", "check/provider"}), codes: []model.Code{"M304"},
		},
		"other providers' classes, guide": {
			reason: "the driver stays, so there is no outage to ask about",
			change: func(s *model.Survey, o *model.Options) {
				o.Strategy, s.Others = model.Guide, []model.Ref{{Kind: "SecretProviderClass", Namespace: "x", Name: "aws"}}
			},
			steps: slices.Concat([]string{"check/provider"}, ours), codes: []model.Code{"M304"},
		},
		"static pods": {
			reason: "the gate cannot open",
			change: func(s *model.Survey, _ *model.Options) { s.Workloads[0].Static = true },
			steps:  slices.Concat(ours, []string{"check/gate"}, removal), codes: []model.Code{"M303", "M310"},
		},
		"driver 1.6.0": {
			reason: "it writes Secrets again and again",
			change: func(s *model.Survey, _ *model.Options) { s.Installed.DriverVersion = "v1.6.0" },
			steps:  slices.Concat(ours, []string{"check/gate"}, removal), codes: []model.Code{"M309", "M310"},
		},
		"a folder": {
			reason: "how the driver came is not known",
			change: func(s *model.Survey, _ *model.Options) { s.Installed = model.Installed{} },
			steps:  ours, codes: []model.Code{"M305"},
		},
		"all done": {
			reason: "what is there is not installed, what is gone not removed",
			change: func(s *model.Survey, _ *model.Options) {
				s.Installed, s.Workloads = model.Installed{SecretStore: "secretstore"}, nil
			},
		},
		"no classes": {reason: "nothing to migrate", change: func(s *model.Survey, _ *model.Options) { s.Classes = nil }},
		"a neighbour": {
			reason: "the other one has to stop first",
			change: func(s *model.Survey, _ *model.Options) { s.Installed = model.Installed{SecretStore: "sse"} },
			steps:  slices.Concat([]string{"check/neighbour"}, ours), codes: []model.Code{"M305", "M306"},
		},
		"sse": {
			reason: "Microsoft's extension, in the guide's order",
			change: func(_ *model.Survey, o *model.Options) {
				o.Target, o.Strategy, o.Decisions = model.TargetSSE, model.Guide, map[string]string{"M301/outage": "accept"}
			},
			steps: slices.Concat(removal, []string{"run/sse", "check/sse"}), codes: []model.Code{"M310"},
		},
		"sse, side by side": {
			reason: "Microsoft does not support that",
			change: func(_ *model.Survey, o *model.Options) { o.Target = model.TargetSSE },
			steps:  slices.Concat([]string{"check/gate"}, removal), codes: []model.Code{"M308", "M310"},
		},
		"sse beside ours": {
			reason: "one of them has to go",
			change: func(s *model.Survey, o *model.Options) {
				o.Target, o.Strategy, s.Installed = model.TargetSSE, model.Guide, model.Installed{SecretStore: "secretstore"}
			},
			codes: []model.Code{"M305", "M307"},
		},
		"sse with IoT Operations": {
			reason: "a setting of Microsoft's",
			change: func(s *model.Survey, o *model.Options) {
				o.Target, o.Strategy, s.Workloads = model.TargetSSE, model.Guide, nil
				s.Azure = &model.Azure{Extensions: []model.Extension{{Type: "microsoft.iotoperations"}}}
			},
			steps: slices.Concat(removal, []string{"run/sse", "check/sse"}), codes: []model.Code{"M310", "M311"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, o := shop(), model.Options{Strategy: model.ZeroDowntime, Target: model.TargetSecretStore}
			c.change(&s, &o)
			plan := switchover.Plan(s, o)
			if diff := cmp.Diff(c.steps, steps(plan)); diff != "" {
				t.Errorf("%s; steps -want +got:\n%s", c.reason, diff)
			}
			if diff := cmp.Diff(c.codes, codes(plan)); diff != "" {
				t.Errorf("%s; findings -want +got:\n%s", c.reason, diff)
			}
			for _, change := range plan.Changes {
				if change.Summary == "" || change.Undo == "" {
					t.Errorf("%s says not what it does, or how it is undone", change.ID)
				}
			}
		})
	}
}

func TestUninstall(t *testing.T) {
	t.Parallel()
	const cluster = "--cluster-type connectedClusters --cluster-name ${CLUSTER_NAME} --resource-group ${RESOURCE_GROUP} "
	for name, c := range map[string]struct {
		reason string
		change func(s *model.Survey)
		step   string
		want   string
		undo   string
	}{
		"Arc": {
			reason: "with its settings for the way back",
			change: func(s *model.Survey) {
				s.Azure = &model.Azure{Arc: "/arc", Extensions: []model.Extension{{
					Type:     "microsoft.azurekeyvaultsecretsprovider",
					Settings: map[string]string{"secrets-store-csi-driver.syncSecret.enabled": "true", "b": "it's", "proxy": "http://u:p@x"},
				}}}
			},
			step: "run/uninstall", want: "az k8s-extension delete " + cluster + "--name akvsecretsprovider --yes",
			undo: "az k8s-extension create " + strings.NewReplacer("${", `"${`, "}", `}"`).Replace(cluster) +
				"--name akvsecretsprovider --extension-type Microsoft.AzureKeyVaultSecretsProvider " +
				`--configuration-settings 'b=it'\''s' secrets-store-csi-driver.syncSecret.enabled=true; then restore the classes that were edited`,
		},
		"Arc, name unknown": {
			reason: "found by its type", change: func(s *model.Survey) { s.Installed.Extension = "" }, step: "run/uninstall",
			want: "az k8s-extension delete " + cluster + "--name ${AKV_SPE_EXTENSION_NAME} --yes",
		},
		"AKS": {
			reason: "an add-on", change: func(s *model.Survey) { s.Installed.Flavour = model.FlavourAKS }, step: "run/uninstall",
			want: "az aks disable-addons --addons azure-keyvault-secrets-provider --name ${CLUSTER_NAME} --resource-group ${RESOURCE_GROUP}",
		},
		"Helm": {
			reason: "the history makes it possible to put it back", step: "run/uninstall",
			change: func(s *model.Survey) { s.Installed.Flavour = model.FlavourHelm },
			want:   "helm uninstall rel --namespace kube-system --keep-history", undo: "helm rollback rel --namespace kube-system",
		},
		"manifests": {
			reason: "by hand", change: func(s *model.Survey) { s.Installed.Flavour = model.FlavourManifests }, step: "check/uninstall",
			want: "kubectl get daemonsets --all-namespaces",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := shop()
			c.change(&s)
			plan := switchover.Plan(s, model.Options{Strategy: model.ZeroDowntime, Target: model.TargetSecretStore})
			got := find(t, plan, c.step)
			if command := strings.Join(got.Command, " "); command != c.want {
				t.Errorf("%s; the command is\n%s\nwant\n%s", c.reason, command, c.want)
			}
			if c.undo != "" && got.Undo != c.undo {
				t.Errorf("%s; undone by\n%s\nwant\n%s", c.reason, got.Undo, c.undo)
			}
			if (got.ByHand != "") != (name == "manifests") {
				t.Errorf("%s; by hand: %q", c.reason, got.ByHand)
			}
			if strings.Contains(c.want, "${AKV_SPE") && find(t, plan, "run/extension-name").Sets != "AKV_SPE_EXTENSION_NAME" {
				t.Errorf("%s; the name is not looked up", c.reason)
			}
			if got.Order <= model.OrderHandOver || got.Order >= model.OrderVerify {
				t.Errorf("%s; the driver goes at %d", c.reason, got.Order)
			}
		})
	}
}

// TestOutageIsEstimated: the question says how much it concerns.
func TestOutageIsEstimated(t *testing.T) {
	t.Parallel()
	s := shop()
	plan := switchover.Plan(s, model.Options{Strategy: model.Guide})
	if len(plan.Decisions) != 1 || !strings.Contains(plan.Decisions[0].Question, "1 workload in 1 namespace, with 3 pods now") {
		t.Errorf("asked is %+v", plan.Decisions)
	}
	if order := find(t, plan, "run/uninstall").Order; order >= model.OrderInstall {
		t.Errorf("under the guide's order the driver goes first, not at %d", order)
	}
}

// TestNamespacesBeforePolicies: the chart demands namespaces where there are no admission policies.
func TestNamespacesBeforePolicies(t *testing.T) {
	t.Parallel()
	for version, want := range map[string]bool{"v1.27.3": true, "v1.29.0+k3s1": true, "v1.30.1": false, "v1.31": false, "": false} {
		s := shop()
		s.Input.Version = version
		plan := switchover.Plan(s, model.Options{Strategy: model.ZeroDowntime})
		command := strings.Join(find(t, plan, "run/secretstore").Command, " ")
		if strings.HasSuffix(command, " --set namespaces={shop}") != want {
			t.Errorf("for %q: %s", version, command)
		}
	}
}

// TestAzureIsLeftToOthers: with --no-azure what is done in Azure is not the tool's.
func TestAzureIsLeftToOthers(t *testing.T) {
	t.Parallel()
	plan := switchover.Plan(shop(), model.Options{Strategy: model.ZeroDowntime, NoAzure: true})
	if find(t, plan, "run/uninstall").ByHand == "" || find(t, plan, "run/secretstore").ByHand != "" {
		t.Error("only the uninstallation is left to others")
	}
}

// The extension comes back by a command that has all of its settings, or by a person.
func TestUninstallHasAWayBack(t *testing.T) {
	t.Parallel()
	const create = "az k8s-extension create --cluster-type connectedClusters --cluster-name ${CLUSTER_NAME} --resource-group " +
		"${RESOURCE_GROUP} --name akvsecretsprovider --extension-type Microsoft.AzureKeyVaultSecretsProvider"
	extension := func(settings map[string]string) *model.Azure {
		return &model.Azure{Arc: "/arc", Extensions: []model.Extension{{
			Type: "microsoft.azurekeyvaultsecretsprovider", Namespace: "kube-system", Settings: settings,
		}}}
	}
	for name, c := range map[string]struct {
		reason string
		azure  *model.Azure
		want   string
	}{
		"settings":     {"in order, each a word", extension(map[string]string{"b": "2", "a": "x y"}), create + " --release-namespace kube-system --configuration-settings a=x y b=2"},
		"none":         {"the defaults are its settings", extension(nil), create + " --release-namespace kube-system"},
		"a password":   {"it is written down nowhere, so that a person has to give it", extension(map[string]string{"proxy": "http://u:p@x"}), ""},
		"Azure unread": {"its settings are not known", nil, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := shop()
			s.Azure = c.azure
			plan := switchover.Plan(s, model.Options{Strategy: model.ZeroDowntime, Target: model.TargetSecretStore})
			if got := strings.Join(find(t, plan, "run/uninstall").Back, " "); got != c.want {
				t.Errorf("%s: it comes back by\n%s\nwant\n%s", c.reason, got, c.want)
			}
		})
	}
}
