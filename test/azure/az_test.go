package azure

import (
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"secretstore/internal/azure/entra"
	"secretstore/internal/emulator/state"
	"secretstore/internal/emulator/wire"
	"secretstore/internal/migrate"
	"secretstore/internal/migrate/az"
	"secretstore/internal/migrate/model"
	"secretstore/internal/migrate/read"
	"secretstore/test/cluster"
)

// manifests are two namespaces that read two vaults by one old principal, before the migration.
func manifests() string { return readerOf("shop", "shop-vault") + readerOf("desk", "policy-vault") }

// readerOf is a namespace that reads a vault.
func readerOf(namespace, vault string) string {
	return strings.NewReplacer("NAMESPACE", namespace, "VAULT", vault).Replace(`
apiVersion: secrets-store.csi.x-k8s.io/v1
kind: SecretProviderClass
metadata: {name: db, namespace: NAMESPACE}
spec:
  provider: azure
  parameters: {keyvaultName: VAULT, tenantId: aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee, objects: 'array: ["{objectName: password, objectType: secret}"]'}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: NAMESPACE}
spec:
  template:
    spec:
      containers: [{name: main, image: shop:1, volumeMounts: [{name: s, mountPath: /secrets}]}]
      volumes: [{name: s, csi: {driver: secrets-store.csi.k8s.io, nodePublishSecretRef: {name: creds}, volumeAttributes: {secretProviderClass: db}}}]
---
apiVersion: v1
kind: Secret
metadata: {name: creds, namespace: NAMESPACE}
stringData: {clientid: 22222222-2222-3333-4444-555555555555, clientsecret: canary}
---
`)
}

// steps are the commands for Azure of a plan of the manifests, of one stage.
func steps(t *testing.T, stage model.StageName, azure *model.Azure) []model.Change {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "all.yaml"), []byte(manifests()), 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := read.Folder(t.Context(), os.DirFS(dir), dir, read.FolderOptions{Digest: func([]byte) string { return "digest" }})
	if err != nil {
		t.Fatal(err)
	}
	s.Azure = azure
	report := migrate.Plan(s, model.Options{
		Strategy: model.ZeroDowntime, Target: model.TargetSecretStore, Style: model.StyleDirect, Roles: model.RolesLeast,
		Azure: model.AzureInputs{
			Subscription: subscriptionID, ResourceGroup: "rg", Cluster: "edge", Location: "westeurope", Tenant: tenantID, Identity: "shop",
		},
		Decisions: map[string]string{"M202/etcd": "accept"},
	})
	return slices.DeleteFunc(model.SortChanges(report.Changes), func(c model.Change) bool {
		return c.Stage != stage || len(c.Command) == 0 || c.Command[0] != "az"
	})
}

// carryOut carries steps out as a migration would, and gives those that changed something, with their variables replaced.
func (w *world) carryOut(t *testing.T, changes []model.Change) (did [][]string, variables map[string]string) {
	t.Helper()
	r := w.runner()
	variables = map[string]string{}
	for _, c := range changes {
		if !wanted(c.When, variables) {
			continue
		}
		if c.Gate != nil && c.Gate.Kind == model.GateExchange {
			gate := *c.Gate
			gate.Client = replaced([]string{gate.Client}, variables)[0]
			w.exchanged(t, gate, *c.Token)
			continue
		}
		argv := replaced(c.Command, variables)
		output, changed, err := r.Run(t.Context(), argv)
		if _, ok := errors.AsType[*az.UnsupportedError](err); ok && strings.HasPrefix(c.ID, "prepare/run/issuer") {
			continue // a person's, which the emulator's cluster has behind it
		}
		if err != nil {
			t.Fatalf("%s: %v", c.ID, err)
		}
		if c.Sets != "" {
			variables[c.Sets] = output
		}
		if changed {
			did = append(did, argv)
		}
	}
	return did, variables
}

func wanted(when string, variables map[string]string) bool {
	if name, value, found := strings.Cut(when, "!="); found {
		return variables[name] != value
	}
	name, value, found := strings.Cut(when, "=")
	return !found || variables[name] == value
}

func replaced(argv []string, variables map[string]string) []string {
	argv = slices.Clone(argv)
	for i, word := range argv {
		argv[i] = regexp.MustCompile(`\$\{(\w+)\}`).ReplaceAllStringFunc(word, func(v string) string {
			if value, set := variables[strings.Trim(v, "${}")]; set {
				return value
			}
			return v
		})
	}
	return argv
}

func words(commands [][]string) []string {
	var all []string
	for _, argv := range commands {
		end := slices.IndexFunc(argv, func(w string) bool { return strings.HasPrefix(w, "-") })
		all = append(all, strings.Join(argv[1:end], " "))
	}
	return all
}

// TestPrepareIsCarriedOutOnceAndTakenBack: the steps of stage prepare, from a plan that knows nothing of Azure and from one that
// does; twice is once; and what was made is taken back by its reverse, until Azure is as it was.
func TestPrepareIsCarriedOutOnceAndTakenBack(t *testing.T) {
	t.Parallel()
	made := []string{
		"identity create", "identity create", "keyvault set-policy", "role assignment create", "identity federated-credential create",
		"identity federated-credential create",
	}
	for name, seen := range map[string]bool{"Blind": false, "Seen": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := start(t, state.ManagementSettings{CredentialPropagationSeconds: 1, PrincipalPropagationSeconds: 1, RolePropagationSeconds: 1})
			var azure *model.Azure
			if seen {
				var findings []model.Finding
				in := model.AzureInputs{Subscription: subscriptionID, ResourceGroup: "rg", Cluster: "edge"}
				azure, findings = read.Azure(t.Context(), w.as(ownerID), in, []string{"policy-vault", "shop-vault"})
				if len(findings) > 0 {
					t.Fatal(findings)
				}
			}
			plan := steps(t, model.Prepare, azure)
			did, variables := w.carryOut(t, plan)
			got := words(did)
			slices.Sort(got)
			slices.Sort(made)
			if diff := cmp.Diff(made, got); diff != "" {
				t.Errorf("what was made (-want +got):\n%s", diff)
			}
			again, _ := w.carryOut(t, plan)
			if len(again) > 0 {
				t.Errorf("again it did %v", words(again))
			}
			for _, argv := range slices.Backward(did) {
				back, found := az.Reverse(argv)
				if !found {
					t.Fatalf("%v has no reverse", argv)
				}
				if _, changed, err := w.runner().Run(t.Context(), back); err != nil || !changed {
					t.Errorf("%v: %t, %v", back, changed, err)
				}
				if _, changed, err := w.runner().Run(t.Context(), back); changed || err != nil && !strings.Contains(err.Error(), "ParentResourceNotFound") {
					t.Errorf("again %v: %t, %v", back, changed, err)
				}
			}
			if rights, err := w.as(ownerID).RoleAssignments(t.Context(), vaultID, variables["USER_ASSIGNED_PRINCIPAL_ID"]); err != nil || len(rights) > 0 {
				t.Errorf("there is left %v, %v", rights, err)
			}
		})
	}
}

// TestRevocation: the old principal's rights are written down and taken, and those of nobody else.
func TestRevocation(t *testing.T) {
	t.Parallel()
	w := start(t, state.ManagementSettings{})
	r := w.runner()
	for _, step := range []struct {
		command, output string
		did             bool
	}{
		{"az ad sp show --id " + oldID + " --query id --output tsv", oldObjectID, false},
		{"az role assignment list --assignee " + oldID + " --scope " + vaultID + " --query [].roleDefinitionName --output tsv", "Key Vault Reader\nKey Vault Secrets User", false},
		{"az role assignment delete --assignee " + oldID + " --scope " + vaultID, "", true},
		{"az role assignment delete --assignee " + oldObjectID + " --scope " + vaultID, "", false},
		{"az keyvault show --name policy-vault --query properties.accessPolicies[?objectId=='" + oldObjectID + "'].permissions|[0] --output json", `{"secrets":["get","list"],"keys":["get"]}`, false},
		{"az keyvault delete-policy --name policy-vault --object-id " + oldObjectID, "", true},
		{"az keyvault delete-policy --name policy-vault --object-id " + oldObjectID, "", false},
		{"az ad sp update --id " + oldID + " --set accountEnabled=false", "", true},
		{"az ad sp update --id " + oldID + " --set accountEnabled=false", "", false},
		{"az ad sp update --id " + oldID + " --set accountEnabled=true", "", true},
	} {
		argv := strings.Fields(strings.ReplaceAll(step.command, "|", "_|_"))
		for i := range argv {
			argv[i] = strings.ReplaceAll(argv[i], "_|_", " | ")
		}
		output, did, err := r.Run(t.Context(), argv)
		if err != nil || output != step.output || did != step.did {
			t.Errorf("%s: %q, %t, %v", step.command, output, did, err)
		}
	}
}

// TestExtensionsAreSwitched: the old extension is found by its type in any case, and goes; the new one comes.
func TestExtensionsAreSwitched(t *testing.T) {
	t.Parallel()
	w := start(t, state.ManagementSettings{OperationMilliseconds: 20})
	r := w.runner()
	const where = " --cluster-type connectedClusters --cluster-name edge --resource-group rg "
	for _, step := range []struct {
		command, output string
		did             bool
	}{
		{"az k8s-extension list" + where + "--query [?extensionType=='microsoft.azurekeyvaultsecretsprovider'].name_|_[0] --output tsv", "akvsecretsprovider", false},
		{"az k8s-extension delete" + where + "--name akvsecretsprovider --yes", "", true},
		{"az k8s-extension delete" + where + "--name akvsecretsprovider --yes", "", false},
		{"az k8s-extension list" + where + "--query [?extensionType=='microsoft.azurekeyvaultsecretsprovider'].name_|_[0] --output tsv", "", false},
		{"az k8s-extension create" + where + "--name ssarcextension --extension-type microsoft.azure.secretstore --scope cluster --configuration-settings a=b c=d=e", "", true},
		{"az k8s-extension create" + where + "--name ssarcextension --extension-type microsoft.azure.secretstore", "", false},
		{"az connectedk8s show --name edge --resource-group rg --query oidcIssuerProfile.issuerUrl --output tsv", w.issuer.URL, false},
	} {
		argv := strings.Fields(step.command)
		for i := range argv {
			argv[i] = strings.ReplaceAll(argv[i], "_|_", " | ")
		}
		output, did, err := r.Run(t.Context(), argv)
		if err != nil || output != step.output || did != step.did {
			t.Errorf("%s: %q, %t, %v", step.command, output, did, err)
		}
	}
	got, err := w.as(ownerID).Extension(t.Context(), group(), "edge", "ssarcextension")
	if diff := cmp.Diff(map[string]string{"a": "b", "c": "d=e"}, got.Settings); diff != "" || err != nil {
		t.Errorf("its settings, %v (-want +got):\n%s", err, diff)
	}
}

// exchanged exchanges tokens of a service account until Entra knows the credential.
func (w *world) exchanged(t *testing.T, gate model.Gate, of model.Token) (tries int) {
	t.Helper()
	r := w.runner()
	cluster.Eventually(t, time.Minute, func() error {
		tries++
		err := r.Exchange(t.Context(), gate, of, w.mint(of))
		if err != nil && !entra.MayPass(err) {
			t.Fatal(err)
		}
		return err
	})
	return tries
}

// TestExchange: a credential that is on its way may be there later, and of one that never works it is told what Entra says, and
// the cure.
func TestExchange(t *testing.T) {
	t.Parallel()
	w := start(t, state.ManagementSettings{CredentialPropagationSeconds: 1})
	r := w.runner()
	run := func(command string) string {
		output, _, err := r.Run(t.Context(), strings.Fields(command))
		if err != nil {
			t.Fatal(err)
		}
		return output
	}
	run("az identity create --name web --resource-group rg --location westeurope")
	gate := model.Gate{
		Kind: model.GateExchange, Tenant: tenantID,
		Client: run("az identity show --name web --resource-group rg --query clientId --output tsv"),
	}
	run("az identity federated-credential create --name edge-web --identity-name web --resource-group rg --issuer " + w.issuer.URL +
		" --subject system:serviceaccount:shop:web --audiences " + audience)
	good := model.Token{Namespace: "shop", Account: "web", Audience: audience}
	if tries := w.exchanged(t, gate, good); tries < 2 {
		t.Errorf("known at once")
	}
	// As after a cluster got another issuer.
	run("az identity create --name moved --resource-group rg --location westeurope")
	run("az identity federated-credential create --name edge-web --identity-name moved --resource-group rg --issuer https://issuer.example/" +
		" --subject system:serviceaccount:shop:web --audiences " + audience)
	moved := run("az identity show --name moved --resource-group rg --query clientId --output tsv")
	for name, tc := range map[string]struct {
		reason string
		of     model.Token
		says   []string
		later  bool
		client string // by default the one whose credential works
	}{
		"Issuer": {
			"the credential is for another issuer",
			good,
			[]string{"shop/web", "AADSTS700211", "service-account-issuer, exactly"},
			true, moved,
		},
		"Subject": {
			"another account: Entra may not know it yet",
			model.Token{Namespace: "shop", Account: "typo", Audience: audience},
			[]string{"shop/typo", "AADSTS700213", "system:serviceaccount:shop:typo; create one"},
			true, "",
		},
		"Case": {
			"no time makes one letter another",
			model.Token{Namespace: "shop", Account: "Web", Audience: audience},
			[]string{"AADSTS7002138", "letter case"},
			false, "",
		},
		"Cloud": {
			"no cloud takes it",
			model.Token{Namespace: "shop", Account: "web", Audience: "api://x"},
			[]string{"no cloud has the audience api://x"},
			false, "",
		},
	} {
		t.Run(name, func(t *testing.T) {
			of := gate
			if tc.client != "" {
				of.Client = tc.client
			}
			err := r.Exchange(t.Context(), of, tc.of, w.mint(tc.of))
			if err == nil || entra.MayPass(err) != tc.later {
				t.Fatalf("%s: %v", tc.reason, err)
			}
			for _, text := range tc.says {
				if !strings.Contains(err.Error(), text) {
					t.Errorf("%s: %q does not say %q", tc.reason, err, text)
				}
			}
			if strings.Contains(err.Error(), "eyJ") {
				t.Errorf("%s: a token is in %q", tc.reason, err)
			}
		})
	}
	w.misbehave(wire.Fault{Kind: wire.KindStatus, Service: "entra", Status: 503, Next: 1})
	if tries := w.exchanged(t, gate, good); tries < 2 {
		t.Errorf("an Entra that fails for a while was not asked again")
	}
}
