package state_test

import (
	"crypto/rand"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"secretstore/internal/emulator/state"
	"secretstore/internal/emulator/wire"
)

func environment(name string) (string, bool) {
	value, ok := map[string]string{"ISSUER": "https://issuer.example: {}", "EMPTY": ""}[name]
	return value, ok
}

func TestLoad(t *testing.T) {
	yes := true
	text := `
authorityHosts: [login.example]
tenants:
  - {id: t1, name: Contoso, domain: contoso.example}
applications:
  - clientID: c1
    federatedCredentials:
      - {name: cluster, issuer: "${ISSUER}", subject: 'a${EMPTY}b'}
    clientSecrets:
      - {value: "$${literal}", expires: 2026-01-02T03:04:05Z}
vaults:
  - name: shop
    firewall: Deny
    secrets:
      - &first {name: a, value: one, enabled: true}
      - name: b
        versions:
          - {value: old, created: 2026-01-01T00:00:00Z, tags: {k: v}}
          - value: |
              new ${ISSUER}
      - {<<: *first, name: c}
faults:
  - {kind: refuse, next: 2}
`
	got, err := state.Load("seed.yaml", []byte(text), environment)
	if err != nil {
		t.Fatal(err)
	}
	plain := func(name, value string) state.SecretSeed {
		return state.SecretSeed{Name: name, SecretVersion: state.SecretVersion{Value: value, VersionSeed: state.VersionSeed{Enabled: &yes}}}
	}
	want := state.Seed{
		AuthorityHosts: []string{"login.example"},
		Tenants:        []state.Tenant{{ID: "t1", Name: "Contoso", Domain: "contoso.example"}},
		Applications: []state.Application{{
			ClientID:             "c1",
			FederatedCredentials: []state.FederatedCredential{{Name: "cluster", Issuer: "https://issuer.example: {}", Subject: "ab"}},
			ClientSecrets:        []state.ClientSecret{{Value: "${literal}", Expires: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}},
		}},
		Vaults: []state.VaultSeed{{
			Name: "shop", Network: state.Network{Firewall: "Deny"},
			Secrets: []state.SecretSeed{
				plain("a", "one"),
				{Name: "b", Versions: []state.SecretVersion{
					{Value: "old", VersionSeed: state.VersionSeed{Created: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), Tags: map[string]string{"k": "v"}}},
					{Value: "new https://issuer.example: {}\n"},
				}},
				plain("c", "one"),
			},
		}},
		Behaviour: wire.Behaviour{Faults: []wire.Fault{{Kind: "refuse", Next: 2}}},
	}
	if diff := cmp.Diff(want, got, cmpopts.IgnoreUnexported(state.FederatedCredential{}, state.Application{})); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

func TestLoadRefuses(t *testing.T) {
	for name, tc := range map[string]struct {
		reason string
		text   string
		want   []string
	}{
		"unknown field":      {"a slip at the top", "tenant: []", []string{"seed.yaml:1: tenant: there is no such field; there are authorityHosts, vaultDNSSuffix, tenants, applications, vaults, management, faults, limits"}},
		"unknown deep field": {"a slip far below", "vaults:\n  - name: shop\n    secrets:\n      - name: a\n        versions:\n          - vlaue: x", []string{"seed.yaml:6: vaults[0].secrets[0].versions[0].vlaue: there is no such field; there are version, enabled"}},
		"two at once":        {"all are told", "x: 1\ny: 2", []string{"seed.yaml:1: x:", "seed.yaml:2: y:"}},
		"unset variable":     {"the name and the line are told", "tenants:\n  - id: ${NOWHERE}", []string{"seed.yaml:2: the environment variable NOWHERE is not set"}},
		"open placeholder":   {"it never ends", "vaultDNSSuffix: 'a${ISSUER'", []string{"seed.yaml:1: a placeholder is written ${NAME}; for a literal ${ write $${"}},
		"empty placeholder":  {"it names nothing", "vaultDNSSuffix: a${}", []string{"seed.yaml:1: a placeholder is written ${NAME}"}},
		"empty":              {"a seed says something", "# later", []string{"seed.yaml: there is nothing in it"}},
		"no YAML":            {"broken", "tenants: [", []string{"reading seed.yaml:"}},
		"wrong type":         {"a text for a number", "applications:\n  - tokenLifetimeSeconds: long", []string{"reading seed.yaml:", "line 2"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := state.Load("seed.yaml", []byte(tc.text), environment)
			for _, want := range tc.want {
				if err == nil || !strings.Contains(err.Error(), want) {
					t.Errorf("%s: got %v, want %q in it", tc.reason, err, want)
				}
			}
		})
	}
}

func TestNewRefuses(t *testing.T) {
	one := []state.Tenant{{ID: "t1"}}
	vault := func(v state.VaultSeed) state.Seed {
		if v.Name == "" {
			v.Name = "shop"
		}
		return state.Seed{Tenants: one, Vaults: []state.VaultSeed{v}, Applications: []state.Application{{ClientID: "c1"}}}
	}
	app := func(a state.Application) state.Seed {
		return state.Seed{Tenants: one, Applications: []state.Application{a}}
	}
	credentials := make([]state.FederatedCredential, 21)
	for i := range credentials {
		credentials[i] = state.FederatedCredential{Name: "credential-" + string(rune('a'+i)), Issuer: "i", Subject: "s"}
	}
	secret := func(v state.VersionSeed) state.SecretVersion { return state.SecretVersion{VersionSeed: v} }
	day := func(d int) time.Time { return time.Date(2026, 1, d, 0, 0, 0, 0, time.UTC) }
	for name, tc := range map[string]struct {
		reason string
		seed   state.Seed
		want   string
	}{
		"tenant without id":       {"it is its name", state.Seed{Tenants: []state.Tenant{{}}}, "tenants[0]: it needs an id"},
		"two tenants alike":       {"one id, one tenant", state.Seed{Tenants: []state.Tenant{{ID: "a"}, {ID: "A"}}}, "tenants[1]: id A: another tenant has it"},
		"which tenant":            {"there are two", state.Seed{Tenants: []state.Tenant{{ID: "a"}, {ID: "b"}}, Applications: []state.Application{{ClientID: "c"}}}, `applications[0]: tenantID is "": no tenant has it`},
		"application kind":        {"there are two", app(state.Application{ClientID: "c", Kind: "user"}), "it must be one of managedIdentity, application"},
		"application without id":  {"it is its name", app(state.Application{}), "it needs a clientID"},
		"object id is client id":  {"they differ in Azure", app(state.Application{ClientID: "c", ObjectID: "C"}), "which is another than its objectID"},
		"secret of an identity":   {"it has none", app(state.Application{ClientID: "c", ClientSecrets: []state.ClientSecret{{Value: "x"}}}), "a managed identity has no clientSecrets"},
		"negative lifetime":       {"tokens last", app(state.Application{ClientID: "c", TokenLifetimeSeconds: -1}), "tokenLifetimeSeconds must not be negative"},
		"too many credentials":    {"Entra allows 20", app(state.Application{ClientID: "c", FederatedCredentials: credentials}), "has 20 federated credentials, which is the most"},
		"credential name":         {"Azure's pattern", app(state.Application{ClientID: "c", FederatedCredentials: []state.FederatedCredential{{Name: "a", Issuer: "i", Subject: "s"}}}), "a name has 3 to 120"},
		"credential of nobody":    {"a subject is needed", app(state.Application{ClientID: "c", FederatedCredentials: []state.FederatedCredential{{Name: "abc", Issuer: "i"}}}), "it needs an issuer and a subject"},
		"negative propagation":    {"time goes on", app(state.Application{ClientID: "c", FederatedCredentials: []state.FederatedCredential{{Name: "abc", Issuer: "i", Subject: "s", PropagationSeconds: -1}}}), "propagationSeconds must not be negative"},
		"two applications alike":  {"one id, one application", state.Seed{Tenants: one, Applications: []state.Application{{ClientID: "c"}, {ClientID: "C"}}}, "applications[1]: clientID C: another application has it"},
		"vault name":              {"Azure's rule", vault(state.VaultSeed{Name: "my_vault"}), `vaults[0]: name is "my_vault": it must be 3 to 24`},
		"two vaults alike":        {"names are one for all", state.Seed{Tenants: one, Vaults: []state.VaultSeed{{Name: "shop"}, {Name: "SHOP"}}}, "another vault has it"},
		"vault tenant":            {"none has it", vault(state.VaultSeed{TenantID: "x"}), `vaults[0]: tenantID is "x": no tenant has it`},
		"authorization":           {"two ways", vault(state.VaultSeed{Authorization: "abac"}), "it must be one of rbac, accessPolicies"},
		"network":                 {"on or off", vault(state.VaultSeed{Network: state.Network{PublicNetworkAccess: "Maybe"}}), "it must be one of Enabled, Disabled"},
		"pfx encoding":            {"two ways", vault(state.VaultSeed{PFXEncoding: "new"}), "it must be one of modern, legacy"},
		"role":                    {"those that exist are told", vault(state.VaultSeed{RoleAssignments: []state.RoleAssignment{{ClientID: "c1", Role: "Emperor"}}}), `vaults[0].roleAssignments[0]: role is "Emperor": it must be one of Key Vault Reader,`},
		"role of two":             {"whom is it for", vault(state.VaultSeed{RoleAssignments: []state.RoleAssignment{{ClientID: "c1", PrincipalID: "p", Role: "Key Vault Reader"}}}), "either an object ID or a clientID"},
		"role of nobody":          {"no application", vault(state.VaultSeed{RoleAssignments: []state.RoleAssignment{{ClientID: "c2", Role: "Key Vault Reader"}}}), `clientID is "c2": no application has it`},
		"scope":                   {"objects of a vault", vault(state.VaultSeed{RoleAssignments: []state.RoleAssignment{{ClientID: "c1", Role: "Key Vault Reader", Scope: "files/x"}}}), "it must be secrets/NAME"},
		"policy of nobody":        {"no application", vault(state.VaultSeed{AccessPolicies: []state.AccessPolicy{{ClientID: "c2"}}}), "vaults[0].accessPolicies[0]"},
		"secret name":             {"Azure's rule", vault(state.VaultSeed{Secrets: []state.SecretSeed{{Name: "a_b"}}}), `vaults[0].secrets[0]: name is "a_b"`},
		"secret twice":            {"letter case is nothing", vault(state.VaultSeed{Secrets: []state.SecretSeed{{Name: "a"}, {Name: "A"}}}), "it is there already, among the secrets"},
		"secret too large":        {"25 KB", vault(state.VaultSeed{Secrets: []state.SecretSeed{{Name: "a", SecretVersion: state.SecretVersion{Value: strings.Repeat("x", 25601)}}}}), "the value has 25601 bytes"},
		"version":                 {"32 digits", vault(state.VaultSeed{Secrets: []state.SecretSeed{{Name: "a", SecretVersion: secret(state.VersionSeed{Version: "1"})}}}), "it must be 32 hexadecimal digits"},
		"versions not by age":     {"the last is the current one", vault(state.VaultSeed{Secrets: []state.SecretSeed{{Name: "a", Versions: []state.SecretVersion{secret(state.VersionSeed{Created: day(2)}), secret(state.VersionSeed{Created: day(1)})}}}}), "the oldest first"},
		"a dated version last":    {"the one before is made now", vault(state.VaultSeed{Secrets: []state.SecretSeed{{Name: "a", Versions: []state.SecretVersion{secret(state.VersionSeed{}), secret(state.VersionSeed{Created: day(1)})}}}}), "the oldest first"},
		"key name":                {"Azure's rule", vault(state.VaultSeed{Keys: []state.KeySeed{{Name: ""}}}), "vaults[0].keys[0]: name"},
		"key twice":               {"one name, one key", vault(state.VaultSeed{Keys: []state.KeySeed{{Name: "k", Type: "EC"}, {Name: "k", Type: "EC"}}}), "among the keys"},
		"key type":                {"four of them", vault(state.VaultSeed{Keys: []state.KeySeed{{Name: "k", Type: "oct"}}}), "it must be one of RSA, RSA-HSM, EC, EC-HSM"},
		"key size":                {"three of them", vault(state.VaultSeed{Keys: []state.KeySeed{{Name: "k", Size: 1024}}}), "it must be 2048, 3072 or 4096"},
		"curve":                   {"three of them", vault(state.VaultSeed{Keys: []state.KeySeed{{Name: "k", Type: "EC", Curve: "P-256K"}}}), "it must be P-256, P-384 or P-521"},
		"certificate name":        {"Azure's rule", vault(state.VaultSeed{Certificates: []state.CertificateSeed{{Name: "a b"}}}), "vaults[0].certificates[0]: name"},
		"certificate's name used": {"its secret needs it", vault(state.VaultSeed{Secrets: []state.SecretSeed{{Name: "a"}}, Certificates: []state.CertificateSeed{{Name: "a", KeyType: "EC"}}}), "the name is taken"},
		"content type":            {"two of them", vault(state.VaultSeed{Certificates: []state.CertificateSeed{{Name: "a", KeyType: "EC", ContentType: "text/plain"}}}), "it must be one of application/x-pkcs12, application/x-pem-file"},
		"order":                   {"two of them", vault(state.VaultSeed{Certificates: []state.CertificateSeed{{Name: "a", KeyType: "EC", Chain: state.Chain{Order: "x"}}}}), "chain.order"},
		"certificate encoding":    {"two of them", vault(state.VaultSeed{Certificates: []state.CertificateSeed{{Name: "a", KeyType: "EC", PFXEncoding: "x"}}}), "pfxEncoding"},
		"subject":                 {"a distinguished name", vault(state.VaultSeed{Certificates: []state.CertificateSeed{{Name: "a", Subject: "www"}}}), `subject is "www"`},
		"pem and pfx":             {"one or the other", vault(state.VaultSeed{Certificates: []state.CertificateSeed{{Name: "a", CertificateVersion: state.CertificateVersion{PEM: "x", PFX: "y"}}}}), "pem and pfx exclude each other"},
		"pem without key":         {"half of it", vault(state.VaultSeed{Certificates: []state.CertificateSeed{{Name: "a", CertificateVersion: state.CertificateVersion{PEM: "x"}}}}), "there is no private key"},
		"pfx not base64":          {"text in YAML", vault(state.VaultSeed{Certificates: []state.CertificateSeed{{Name: "a", CertificateVersion: state.CertificateVersion{PFX: "%"}}}}), "pfx: illegal base64"},
		"pfx broken":              {"not PKCS#12", vault(state.VaultSeed{Certificates: []state.CertificateSeed{{Name: "a", CertificateVersion: state.CertificateVersion{PFX: "AAAA"}}}}), "reading PKCS#12"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := state.New(tc.seed, time.Now, rand.Reader)
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("%s: got %v, want %q in it", tc.reason, err, tc.want)
			}
		})
	}
}

func TestNewTellsEverythingAtOnce(t *testing.T) {
	_, err := state.New(state.Seed{Tenants: []state.Tenant{{}}, Vaults: []state.VaultSeed{{Name: "x"}}}, time.Now, rand.Reader)
	for _, want := range []string{"tenants[0]", "vaults[0]"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q in it", err, want)
		}
	}
}
