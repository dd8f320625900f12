package azure

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"secretstore/internal/emulator/state"
	"secretstore/internal/emulator/wire"
	"secretstore/internal/migrate/model"
	"secretstore/internal/migrate/read"
)

// TestReadAzure: a plan is told what the login may see, and of all else what is missing and why.
func TestReadAzure(t *testing.T) {
	t.Parallel()
	w := start(t, state.ManagementSettings{PageSize: 1})
	whole := model.AzureInputs{Subscription: subscriptionID, ResourceGroup: "rg", Cluster: "edge"}
	byName, without, typo := whole, whole, whole
	byName.Subscription, without.Subscription, typo.Cluster = "shop", "", "egde"
	shop := model.Vault{Name: "Shop-Vault", ID: vaultID, Tenant: tenantID, RBAC: true}
	policy := model.Vault{Name: "policy-vault", ID: policyVaultID, Tenant: tenantID}
	cluster := model.Azure{
		Arc: groupID + "/providers/Microsoft.Kubernetes/connectedClusters/edge", IssuerURL: w.issuer.URL, IssuerEnabled: true,
		Extensions: []model.Extension{{
			Name: "akvsecretsprovider", Type: "microsoft.azurekeyvaultsecretsprovider", Version: "1.7.2", Namespace: "kube-system",
			Settings: map[string]string{"secrets-store-csi-driver.syncSecret.enabled": "true"},
		}},
	}
	with := func(a model.Azure, vaults ...model.Vault) *model.Azure {
		a.Vaults = vaults
		return &a
	}
	for name, tc := range map[string]struct {
		reason string
		login  string
		in     model.AzureInputs
		vaults []string
		want   *model.Azure
		says   []string
	}{
		"All":     {"vaults are found in any subscription", ownerID, whole, []string{"policy-vault", "shop-vault"}, with(cluster, policy, shop), nil},
		"ByName":  {"a subscription has a name too", ownerID, byName, nil, with(cluster), nil},
		"Unknown": {"a vault that nobody sees is left out; stage prepare says so", ownerID, whole, []string{"gone"}, with(cluster), nil},
		"Without": {
			"several subscriptions and none told", ownerID, without,
			[]string{"shop-vault"},
			with(model.Azure{}, shop),
			[]string{"M182 Azure was not asked for the cluster: --subscription, --resource-group and --cluster-name say where it is; of these --subscription is missing."},
		},
		"Typo": {"the cluster is called otherwise", ownerID, typo, nil, with(model.Azure{}), []string{"M184 reading the Arc-enabled cluster egde", "check the name"}},
		"Reader": {
			"of what a reader of one subscription sees", readerID, whole, []string{"policy-vault", "shop-vault"}, with(cluster, shop), nil,
		},
		"OneSubscription": {"the only one that the login sees is meant", readerID, without, nil, with(cluster), nil},
		"Nobody":          {"a login without any right", nobodyID, whole, nil, with(model.Azure{}), []string{"M184", "AuthorizationFailed", "the role Reader"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, findings := read.Azure(t.Context(), w.as(tc.login), tc.in, tc.vaults)
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tc.reason, diff)
			}
			var said []string
			for _, f := range findings {
				said = append(said, string(f.Code)+" "+f.Message)
			}
			if len(said) > 0 != (len(tc.says) > 0) {
				t.Errorf("%s: it said %q", tc.reason, said)
			}
			for _, text := range tc.says {
				if !strings.Contains(strings.Join(said, "\n"), text) {
					t.Errorf("%s: %q does not say %q", tc.reason, said, text)
				}
			}
		})
	}
}

// TestReadAzureThatIsAway: without an answer there is one finding, and nothing else is asked.
func TestReadAzureThatIsAway(t *testing.T) {
	t.Parallel()
	w := start(t, state.ManagementSettings{})
	w.misbehave(wire.Fault{Kind: wire.KindUnreachable, Service: "arm"})
	in := model.AzureInputs{Subscription: subscriptionID, ResourceGroup: "rg", Cluster: "edge"}
	got, findings := read.Azure(t.Context(), w.as(ownerID), in, []string{"shop-vault"})
	if got != nil || len(findings) != 1 || findings[0].Code != model.AzureUnread || !strings.Contains(findings[0].Message, "could not be reached") {
		t.Errorf("%+v, %+v", got, findings)
	}
}

func TestVaultNames(t *testing.T) {
	t.Parallel()
	class := func(provider, vault string) model.Object {
		return model.Object{Ref: model.Ref{Kind: "SecretProviderClass"}, Content: map[string]any{
			"spec": map[string]any{"provider": provider, "parameters": map[string]any{"keyvaultName": vault}},
		}}
	}
	got := read.VaultNames([]model.Object{
		class("azure", "B-vault"), class("azure", " a-vault"), class("azure", "b-vault"), class("azure", "${KEYVAULT_NAME}"), class("aws", "c"),
		class("azure", ""),
		{Ref: model.Ref{Kind: "Deployment"}},
	})
	if diff := cmp.Diff([]string{"a-vault", "b-vault"}, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}
