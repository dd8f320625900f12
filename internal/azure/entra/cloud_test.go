package entra

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestLoadCloud(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		reason string
		text   string
		want   Cloud
		errs   []string
	}{
		"Empty": {
			"what is left out is the public cloud's", "",
			Cloud{Name: "cloud", Authority: "https://login.microsoftonline.com", VaultDNSSuffix: "vault.azure.net", TokenAudience: "api://AzureADTokenExchange"},
			nil,
		},
		"Whole": {
			"every field can be set", "name: mine\nauthority: https://login.example\nvaultDNSSuffix: vault.example\n" +
				"tokenAudience: api://x\ncaFile: /etc/ca.pem\ndialAddress: 127.0.0.1:1\n",
			Cloud{"mine", "https://login.example", "vault.example", "api://x", "/etc/ca.pem", "127.0.0.1:1"},
			nil,
		},
		"UnknownField": {"a slip is not swallowed", "authorty: x", Cloud{}, []string{"authorty", "authority"}},
		"NotYAML":      {"nor is what is no YAML", "a: [", Cloud{}, []string{"cloud.yaml"}},
		"AllWrong": {
			"all that is wrong is said at once", "authority: http://x\nvaultDNSSuffix: https://x\ntokenAudience: ''\ndialAddress: x\n",
			Cloud{},
			[]string{"authority", "vaultDNSSuffix", "tokenAudience", "dialAddress"},
		},
		"AuthorityPath": {"a tenant in the authority is a mistake", "authority: https://login.example/tenant", Cloud{}, []string{"without a path"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			file := filepath.Join(t.TempDir(), "cloud.yaml")
			if err := os.WriteFile(file, []byte(tc.text), 0o600); err != nil {
				t.Fatal(err)
			}
			got, err := LoadCloud(file)
			for _, text := range tc.errs {
				if err == nil || !strings.Contains(err.Error(), text) {
					t.Errorf("%s: error %v does not say %q", tc.reason, err, text)
				}
			}
			if len(tc.errs) == 0 && err != nil {
				t.Errorf("%s: %v", tc.reason, err)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tc.reason, diff)
			}
		})
	}
}

func TestCAFileIsRelativeToTheDefinition(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "cloud.yaml"), []byte("caFile: ca.pem\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	cloud, err := LoadCloud(filepath.Join(dir, "cloud.yaml"))
	if err != nil || cloud.CAFile != filepath.Join(dir, "ca.pem") {
		t.Fatalf("caFile %q, %v", cloud.CAFile, err)
	}
	if _, err := cloud.HTTPClient(); err == nil || !strings.Contains(err.Error(), "ca.pem") {
		t.Errorf("a missing caFile gives %v", err)
	}
	if err := os.WriteFile(cloud.CAFile, []byte("no certificate"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := cloud.HTTPClient(); err == nil || !strings.Contains(err.Error(), "no PEM certificate") {
		t.Errorf("a caFile without certificates gives %v", err)
	}
}

func TestVaultURL(t *testing.T) {
	t.Parallel()
	if got := PublicCloud().VaultURL("shop"); got != "https://shop.vault.azure.net" {
		t.Errorf("VaultURL = %q", got)
	}
}
