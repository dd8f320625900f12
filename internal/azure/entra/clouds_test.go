package entra

import (
	"strings"
	"testing"
)

//covers:field SecretProviderClass.spec.parameters.cloudName
func TestClouds(t *testing.T) {
	t.Parallel()
	mine := Cloud{Name: "mine", VaultDNSSuffix: "vault.mine"}
	replaced := Cloud{Name: "AzureChinaCloud", VaultDNSSuffix: "vault.stand-in"}
	for name, tc := range map[string]struct {
		reason string
		own    []Cloud
		asked  string
		suffix string
	}{
		"Default":     {"without a name, the public cloud", nil, "", "vault.azure.net"},
		"Public":      {"by its name", nil, "AzurePublicCloud", "vault.azure.net"},
		"Government":  {"the Azure provider's name", nil, "AzureUSGovernmentCloud", "vault.usgovcloudapi.net"},
		"Case":        {"in any letter case", nil, "azurechinacloud", "vault.azure.cn"},
		"Own":         {"one of the operator's", []Cloud{mine}, "mine", "vault.mine"},
		"OwnDefault":  {"the first of which is the default", []Cloud{mine, replaced}, "", "vault.mine"},
		"OwnReplaces": {"and which may stand in for one of Azure's", []Cloud{mine, replaced}, "AzureChinaCloud", "vault.stand-in"},
		"StillPublic": {"while the others stay", []Cloud{mine}, "AzurePublicCloud", "vault.azure.net"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := NewClouds(tc.own...).Named(tc.asked)
			if err != nil || got.VaultDNSSuffix != tc.suffix {
				t.Errorf("%s: %+v, %v", tc.reason, got, err)
			}
		})
	}
	_, err := NewClouds(mine).Named("AzureGermanCloud")
	for _, text := range []string{"AzureGermanCloud", "AzureChinaCloud", "AzurePublicCloud", "AzureUSGovernmentCloud", "mine"} {
		if err == nil || !strings.Contains(err.Error(), text) {
			t.Errorf("an unknown cloud: %v does not say %q", err, text)
		}
	}
}

// TestEveryCloudHasItsOwnAudience guards against a token for one cloud being good in another.
func TestEveryCloudHasItsOwnAudience(t *testing.T) {
	t.Parallel()
	seen := map[string]string{}
	for _, cloud := range NewClouds().All() {
		if err := cloud.validate(); err != nil {
			t.Errorf("%s: %v", cloud.Name, err)
		}
		if other, ok := seen[cloud.TokenAudience]; ok && other != cloud.Name {
			t.Errorf("%s and %s share the audience %s", cloud.Name, other, cloud.TokenAudience)
		}
		seen[cloud.TokenAudience] = cloud.Name
	}
	if len(seen) != 3 {
		t.Errorf("there are %d audiences, want 3", len(seen))
	}
}
