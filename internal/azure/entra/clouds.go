package entra

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Clouds are the clouds that a SecretProviderClass may name. The zero value has none; see [NewClouds].
type Clouds struct {
	byName  map[string]Cloud
	unnamed Cloud
}

// NewClouds knows Azure's own clouds and those given, which replace any of the same name. The first one given, or else the
// public cloud, is meant where a SecretProviderClass names none.
func NewClouds(own ...Cloud) Clouds {
	clouds := Clouds{byName: map[string]Cloud{}, unnamed: PublicCloud()}
	for name, cloud := range azureClouds() {
		clouds.byName[strings.ToLower(name)] = cloud
	}
	for _, cloud := range own {
		clouds.byName[strings.ToLower(cloud.Name)] = cloud
	}
	if len(own) > 0 {
		clouds.unnamed = own[0]
	}
	return clouds
}

// Named returns the cloud of a name, in any letter case as the Azure provider takes it; "" is the one that is meant by default.
func (c Clouds) Named(name string) (Cloud, error) {
	if name == "" {
		return c.unnamed, nil
	}
	cloud, ok := c.byName[strings.ToLower(name)]
	if !ok {
		var names []string
		for _, known := range c.byName {
			names = append(names, known.Name)
		}
		slices.Sort(names)
		return Cloud{}, fmt.Errorf("there is no cloud %q; there are %s", name, strings.Join(slices.Compact(names), ", "))
	}
	return cloud, nil
}

// All lists the clouds, each once, in the order of their names.
func (c Clouds) All() []Cloud {
	names := slices.Sorted(maps.Keys(c.byName))
	clouds := make([]Cloud, 0, len(names))
	for _, name := range names {
		clouds = append(clouds, c.byName[name])
	}
	return clouds
}

// azureClouds are Azure's clouds by the names that the Azure provider of the CSI driver gives them.
//
// Sources: learn.microsoft.com/azure/azure-government/compare-azure-government-global-azure,
// learn.microsoft.com/azure/china/resources-developer-guide, and, for the audiences of federated credentials,
// learn.microsoft.com/entra/workload-id/workload-identity-federation-create-trust.
func azureClouds() map[string]Cloud {
	government := Cloud{ //nolint:gosec // G101 takes the audience's name for a credential
		Name:           "AzureUSGovernmentCloud",
		Authority:      "https://login.microsoftonline.us",
		VaultDNSSuffix: "vault.usgovcloudapi.net",
		TokenAudience:  "api://AzureADTokenExchangeUSGov",
	}
	china := Cloud{ //nolint:gosec // as above
		Name:           "AzureChinaCloud",
		Authority:      "https://login.chinacloudapi.cn",
		VaultDNSSuffix: "vault.azure.cn",
		TokenAudience:  "api://AzureADTokenExchangeChina",
	}
	return map[string]Cloud{
		"AzurePublicCloud":       PublicCloud(),
		"AzureCloud":             PublicCloud(),
		"AzureUSGovernmentCloud": government,
		"AzureUSGovernment":      government,
		"AzureChinaCloud":        china,
		"AzureChina":             china,
	}
}
