package spcparams_test

import (
	"errors"
	"fmt"
	"maps"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"secretstore/internal/spcparams"
)

const (
	clientID = "11111111-2222-3333-4444-555555555555"
	tenantID = "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee"
	oneEntry = "array:\n  - |\n    objectName: db\n    objectType: secret\n"
)

// with is a SecretProviderClass without mistakes, changed in some parameters; an empty value takes one away.
func with(changes map[string]string) map[string]string {
	parameters := map[string]string{
		"clientID": clientID, "tenantID": tenantID, "keyvaultName": "shop-vault", "objects": oneEntry,
	}
	for name, value := range changes {
		if value == "" {
			delete(parameters, name)
			continue
		}
		parameters[name] = value
	}
	return parameters
}

func db() spcparams.Object { return spcparams.Object{Name: "db", Type: spcparams.TypeSecret} }

// texts are the errors and warnings as users read them.
func texts(err error) []string {
	var list []string
	for _, e := range spcparams.Errors(err) {
		list = append(list, e.Error())
	}
	return list
}

//covers:field SecretProviderClass.spec.parameters.clientID SecretProviderClass.spec.parameters.cloudName
//covers:field SecretProviderClass.spec.parameters.keyvaultName SecretProviderClass.spec.parameters.tenantID
//covers:field SecretProviderClass.spec.parameters.tenantId SecretProviderClass.spec.parameters.usePodIdentity
//covers:field SecretProviderClass.spec.parameters.useVMManagedIdentity
//covers:field SecretProviderClass.spec.parameters.userAssignedIdentityID
func TestParse(t *testing.T) {
	t.Parallel()
	plain := spcparams.Params{
		ClientID: clientID, TenantID: tenantID, VaultName: "shop-vault", Objects: []spcparams.Object{db()},
	}
	changed := func(change func(*spcparams.Params)) spcparams.Params {
		p := plain
		change(&p)
		return p
	}
	const noEffect = "is no parameter that this program knows and has no effect; check its spelling or remove it"
	cases := map[string]struct {
		reason     string
		parameters map[string]string
		want       spcparams.Params
	}{
		"Plain": {
			reason:     "The least that a manifest has to say is enough.",
			parameters: with(nil),
			want:       plain,
		},
		"Trimmed": {
			reason: "Values come out of templates with blanks and line breaks around them.",
			parameters: with(map[string]string{
				"clientID": " " + clientID + "\n", "tenantID": "\t" + tenantID, "keyvaultName": "shop-vault ", "cloudName": " ",
			}),
			want: plain,
		},
		"OldTenantSpelling": {
			reason:     "tenantId is the spelling of older manifests.",
			parameters: with(map[string]string{"tenantID": "", "tenantId": tenantID}),
			want:       plain,
		},
		"BothTenantSpellings": {
			reason:     "tenantID wins over tenantId, as in the Azure provider.",
			parameters: with(map[string]string{"tenantId": clientID}),
			want:       plain,
		},
		"BlankTenantDoesNotWin": {
			reason:     "A tenantID that a template left blank does not hide tenantId.",
			parameters: with(map[string]string{"tenantID": "  ", "tenantId": tenantID}),
			want:       plain,
		},
		"TenantDomain": {
			reason:     "Entra takes a domain for the tenant.",
			parameters: with(map[string]string{"tenantID": "contoso.onmicrosoft.com"}),
			want:       changed(func(p *spcparams.Params) { p.TenantID = "contoso.onmicrosoft.com" }),
		},
		"Cloud": {
			reason:     "The cloud's name is handed on as it is: which ones exist is configuration.",
			parameters: with(map[string]string{"cloudName": "AzureUSGovernmentCloud"}),
			want:       changed(func(p *spcparams.Params) { p.CloudName = "AzureUSGovernmentCloud" }),
		},
		"LegacyFlags": {
			reason: "Older ways to sign in are not read, and one warning says so of all of them.",
			parameters: with(map[string]string{
				"usePodIdentity": "true", "useVMManagedIdentity": "TRUE", "userAssignedIdentityID": clientID,
			}),
			want: changed(func(p *spcparams.Params) {
				p.Warnings = []spcparams.Warning{{
					Path: "usePodIdentity, useVMManagedIdentity, userAssignedIdentityID",
					Text: "has no effect: only workload identity federation with clientID is supported; remove it",
				}}
			}),
		},
		"LegacyFlagsOff": {
			reason: "Templates carry the flags switched off: nothing is lost, so nothing is said.",
			parameters: with(map[string]string{
				"usePodIdentity": "false", "useVMManagedIdentity": "False", "userAssignedIdentityID": " ",
			}),
			want: plain,
		},
		"UnknownParameter": {
			reason:     "A misspelt parameter would otherwise be lost silently.",
			parameters: with(map[string]string{"keyVaultName": "other", "cloudEnvFileName": "/etc/cloud.json"}),
			want: changed(func(p *spcparams.Params) {
				p.Warnings = []spcparams.Warning{{Path: "cloudEnvFileName", Text: noEffect}, {Path: "keyVaultName", Text: noEffect}}
			}),
		},
		"CSIDriver": {
			reason: "The CSI driver adds parameters of its own to those of the SecretProviderClass.",
			parameters: with(map[string]string{
				"csi.storage.k8s.io/pod.name": "web-0", "csi.storage.k8s.io/serviceAccount.tokens": "{}",
			}),
			want: plain,
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := spcparams.Parse(tc.parameters)
			if err != nil {
				t.Fatalf("%s\nParse: %v", tc.reason, err)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s\n-want +got:\n%s", tc.reason, diff)
			}
			again, err := spcparams.Parse(got.Parameters())
			got.Warnings = nil
			if diff := cmp.Diff(got, again); err != nil || diff != "" {
				t.Errorf("Parse(Parameters()) is another: %v\n%s", err, diff)
			}
		})
	}
}

func TestParseRefuses(t *testing.T) {
	t.Parallel()
	const (
		clientCure = "; set it to the client ID of the user-assigned managed identity, not its object ID"
		tenantCure = "; set it to the ID (a GUID) or a domain of the Entra tenant that the managed identity belongs to"
		vaultCure  = "; set it to the vault's name alone, 3 to 24 letters, digits and hyphens, such as my-vault for " +
			"https://my-vault.vault.azure.net"
		shapeCure = "; write it as `array:` and one entry `- |` per object, its fields below the `- |` and further in than it"
	)
	cases := map[string]struct {
		reason     string
		parameters map[string]string
		want       []string
	}{
		"Nothing": {
			reason:     "A SecretProviderClass without parameters is told of everything that it needs at once.",
			parameters: nil,
			want: []string{
				"clientID is not set" + clientCure, "tenantID is not set" + tenantCure, "keyvaultName is not set" + vaultCure,
				"objects is not set" + shapeCure,
			},
		},
		"NotAGUID": {
			reason:     "A client secret may have been pasted here, so the value is not repeated.",
			parameters: with(map[string]string{"clientID": "canary~secret", "tenantID": "canary~secret"}),
			want:       []string{"clientID is not a GUID" + clientCure, "tenantID is neither a GUID nor a domain" + tenantCure},
		},
		"GUIDShapes": {
			reason:     "A hyphen in the wrong place is as wrong as a letter past F.",
			parameters: with(map[string]string{"clientID": "1111111-12222-3333-4444-555555555555", "tenantID": "gggggggg-bbbb-cccc-dddd-eeeeeeeeeeee"}),
			want:       []string{"clientID is not a GUID" + clientCure, "tenantID is neither a GUID nor a domain" + tenantCure},
		},
		"DomainShapes": {
			reason:     "A label may not begin with a hyphen.",
			parameters: with(map[string]string{"tenantID": "contoso.-com"}),
			want:       []string{"tenantID is neither a GUID nor a domain" + tenantCure},
		},
		"VaultURL": {
			reason:     "The vault's address instead of its name is the usual slip.",
			parameters: with(map[string]string{"keyvaultName": "https://v.vault.azure.net"}),
			want:       []string{`keyvaultName "https://v.vault.azure.net" is not a vault's name` + vaultCure},
		},
		"VaultTooShort": {
			reason:     "Names have 3 characters at least.",
			parameters: with(map[string]string{"keyvaultName": "kv"}),
			want:       []string{`keyvaultName "kv" is not a vault's name` + vaultCure},
		},
		"VaultTooLong": {
			reason:     "Names have 24 characters at most.",
			parameters: with(map[string]string{"keyvaultName": strings.Repeat("v", 25)}),
			want:       []string{`keyvaultName "vvvvvvvvvvvvvvvvvvvvvvvvv" is not a vault's name` + vaultCure},
		},
		"VaultHost": {
			reason:     "A name that would reach into the host name or the path is refused.",
			parameters: with(map[string]string{"keyvaultName": "evil.example/x"}),
			want:       []string{`keyvaultName "evil.example/x" is not a vault's name` + vaultCure},
		},
		"BlankObjects": {
			reason:     "Blanks are nothing.",
			parameters: with(map[string]string{"objects": " \n"}),
			want:       []string{"objects is not set" + shapeCure},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			before := maps.Clone(tc.parameters)
			_, err := spcparams.Parse(tc.parameters)
			if diff := cmp.Diff(tc.want, texts(err)); diff != "" {
				t.Errorf("%s\n-want +got:\n%s", tc.reason, diff)
			}
			if !maps.Equal(before, tc.parameters) {
				t.Error("Parse changed its argument")
			}
		})
	}
}

func TestParseReturnsWhatItCouldRead(t *testing.T) {
	t.Parallel()
	got, err := spcparams.Parse(with(map[string]string{"clientID": "", "usePodIdentity": "true"}))
	if err == nil {
		t.Fatal("a SecretProviderClass without clientID was taken")
	}
	if got.VaultName != "shop-vault" || len(got.Objects) != 1 || len(got.Warnings) != 1 {
		t.Errorf("one of the older kind, without clientID, is not readable any more: %+v", got)
	}
}

func TestErrorsAreFoundThroughWrapping(t *testing.T) {
	t.Parallel()
	_, err := spcparams.Parse(nil)
	if n := len(spcparams.Errors(fmt.Errorf("reading SecretProviderClass shop/vault: %w", err))); n != 4 {
		t.Errorf("%d errors, want 4", n)
	}
	if list := spcparams.Errors(errors.New("other")); list != nil {
		t.Errorf("an error of somebody else gave %v", list)
	}
	if list := spcparams.Errors(nil); list != nil {
		t.Errorf("no error gave %v", list)
	}
}
