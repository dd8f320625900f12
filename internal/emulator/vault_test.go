package emulator_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"secretstore/internal/emulator/state"
	"secretstore/internal/emulator/wire"
)

const version = "?api-version=7.4"

// refusal is what clients branch on.
type refusal struct {
	Status      int
	Code, Inner string
}

func refusalOf(t *testing.T, r reply) (refusal, string) {
	t.Helper()
	var body struct {
		Error struct {
			Code    string `json:"code"`
			Message string `json:"message"`
			Inner   struct {
				Code string `json:"code"`
			} `json:"innererror"`
		} `json:"error"`
	}
	if err := json.Unmarshal([]byte(r.body), &body); err != nil {
		t.Fatalf("the body %q is not JSON: %v", r.body, err)
	}
	return refusal{r.status, body.Error.Code, body.Error.Inner.Code}, body.Error.Message
}

// TestVaultRefusals has a case for every row of Key Vault's errors that is known.
func TestVaultRefusals(t *testing.T) {
	f := start(t)
	operator, identity := f.operator(), f.identity()
	stranger := f.ask(strings.Replace(tokenURL, tenantID, otherTenantID, 1), secretForm(strangerID, operatorsPass)).json(t)["access_token"].(string)
	caller := `appid=` + identityID + `;oid=11111111-aaaa-bbbb-cccc-555555555555;iss=https://sts.windows.net/` + tenantID + `/`
	get, put, post := http.MethodGet, http.MethodPut, http.MethodPost
	cases := map[string]struct {
		reason               string
		method, target, with string
		body                 string
		want                 refusal
		text                 string
	}{
		"no token": {
			reason: "the challenge", method: get, target: vaultURL + "/secrets/my-secret" + version,
			want: refusal{401, "Unauthorized", ""}, text: "AKV10000: Request is missing a Bearer or PoP token.",
		},
		"no JWT": {
			reason: "something else as the token", method: get, target: vaultURL + "/secrets/my-secret" + version, with: "x",
			want: refusal{401, "Unauthorized", ""}, text: "Error validating token",
		},
		"forged token": {
			reason: "signed by another", method: get, target: vaultURL + "/secrets/my-secret" + version, with: f.issuer.Token(subject, nil),
			want: refusal{401, "Unauthorized", ""}, text: "Error validating token",
		},
		"token of another tenant": {
			reason: "vaults belong to one tenant", method: get, target: vaultURL + "/secrets/my-secret" + version, with: stranger,
			want: refusal{401, "Unauthorized", ""}, text: "AKV10032: Invalid issuer. Expected one of https://sts.windows.net/" + tenantID + "/, found https://sts.windows.net/" + otherTenantID + "/.",
		},
		"role missing": {
			reason: "Secrets User and Reader may not write", method: put, target: vaultURL + "/secrets/My-Secret" + version, with: identity, body: `{"value":"x"}`,
			want: refusal{403, "Forbidden", "ForbiddenByRbac"},
			text: "Caller is not authorized to perform action on resource.\r\nIf role assignments, deny assignments or role definitions were changed recently, please observe propagation time.\r\n" +
				"Caller: " + caller + "\r\nAction: 'Microsoft.KeyVault/vaults/secrets/setSecret/action'\r\n" +
				"Resource: '/subscriptions/77777777-0000-0000-0000-000000000000/resourcegroups/rg/providers/microsoft.keyvault/vaults/my-key-vault/secrets/my-secret'\r\n" +
				"Assignment: (not found)\r\nDenyAssignmentId: null\r\nDecisionReason: 'DeniedWithNoValidRBAC' \r\nVault: my-key-vault;location=westeurope\r\n",
		},
		"access policy": {
			reason: "list alone does not allow get", method: get, target: "https://policy-vault.vault.azure.net/secrets/my-secret" + version, with: identity,
			want: refusal{403, "Forbidden", "AccessDenied"},
			text: "The user, group or application '" + caller + "' does not have secrets get permission on key vault 'policy-vault;location=westeurope'. For help resolving this issue, please see https://go.microsoft.com/fwlink/?linkid=2125287",
		},
		"no such secret": {
			reason: "never made", method: get, target: vaultURL + "/secrets/nothing" + version, with: identity,
			want: refusal{404, "SecretNotFound", ""},
			text: "A secret with (name/id) nothing was not found in this key vault. If you recently deleted this secret you may be able to recover it using the correct recovery command. For help resolving this issue, please see https://go.microsoft.com/fwlink/?linkid=2125182",
		},
		"no such version": {
			reason: "the name is there", method: get, target: vaultURL + "/secrets/my-secret/00000000000000000000000000000000" + version, with: identity,
			want: refusal{404, "SecretNotFound", ""}, text: "A secret with (name/id) my-secret/00000000000000000000000000000000 was not found",
		},
		"no such key":         {reason: "never made", method: get, target: vaultURL + "/keys/nothing" + version, with: identity, want: refusal{404, "KeyNotFound", ""}, text: "A key with (name/id) nothing was not found"},
		"no such certificate": {reason: "never made", method: get, target: vaultURL + "/certificates/nothing" + version, with: identity, want: refusal{404, "CertificateNotFound", ""}, text: "A certificate with (name/id) nothing was not found"},
		"not deleted":         {reason: "still there", method: get, target: vaultURL + "/deletedsecrets/my-secret" + version, with: operator, want: refusal{404, "SecretNotFound", ""}, text: "Deleted Secret not found: my-secret"},
		"disabled": {
			reason: "a 403 that is no matter of permission", method: get, target: vaultURL + "/secrets/off" + version, with: operator,
			want: refusal{403, "Forbidden", "SecretDisabled"}, text: "Operation get is not allowed on a disabled secret.",
		},
		"no api-version":      {reason: "required", method: get, target: vaultURL + "/secrets/my-secret", with: identity, want: refusal{400, "BadParameter", ""}, text: "api-version must be specified"},
		"unknown api-version": {reason: "a version of another service", method: get, target: vaultURL + "/secrets/my-secret?api-version=2099-01-01", with: identity, want: refusal{400, "BadParameter", ""}, text: "2099-01-01"},
		"bad name":            {reason: "underscores are not allowed", method: get, target: vaultURL + "/secrets/my_secret" + version, with: operator, want: refusal{400, "BadParameter", ""}, text: "The request URI contains an invalid name: my_secret"},
		"value too large": {
			reason: "25 KB and one byte", method: put, target: vaultURL + "/secrets/large" + version, with: operator,
			body: `{"value":"` + strings.Repeat("x", 25*1024+1) + `"}`, want: refusal{400, "BadParameter", ""}, text: "has invalid value",
		},
		"no value":          {reason: "a secret is one", method: put, target: vaultURL + "/secrets/large" + version, with: operator, body: `{}`, want: refusal{400, "BadParameter", ""}},
		"no JSON":           {reason: "not what the API takes", method: put, target: vaultURL + "/secrets/large" + version, with: operator, body: `canary`, want: refusal{400, "BadParameter", ""}},
		"too large a page":  {reason: "25 at most", method: get, target: vaultURL + "/secrets" + version + "&maxresults=26", with: operator, want: refusal{400, "BadParameter", ""}},
		"a token of no one": {reason: "tokens are opaque", method: get, target: vaultURL + "/secrets" + version + "&$skiptoken=x", with: operator, want: refusal{400, "BadParameter", ""}},
		"unknown operation": {reason: "backups are left out", method: post, target: vaultURL + "/secrets/my-secret/backup" + version, with: operator, want: refusal{404, "NotFound", ""}},
		"managed secret":    {reason: "it changes with its certificate only", method: put, target: vaultURL + "/secrets/my-certificate" + version, with: operator, body: `{"value":"x"}`, want: refusal{403, "Forbidden", ""}},
		"managed key":       {reason: "it goes with its certificate only", method: http.MethodDelete, target: vaultURL + "/keys/my-certificate" + version, with: operator, want: refusal{403, "Forbidden", ""}},
		"taken name":        {reason: "a certificate needs the secret of its name", method: post, target: vaultURL + "/certificates/my-secret/create" + version, with: operator, body: `{"policy":{"key_props":{"kty":"EC"}}}`, want: refusal{409, "Conflict", ""}},
		"certificate of a CA": {
			reason: "the emulator signs for nobody", method: post, target: vaultURL + "/certificates/new/create" + version, with: operator,
			body: `{"policy":{"issuer":{"name":"DigiCert"}}}`, want: refusal{400, "BadParameter", ""},
		},
		"certificate without key": {
			reason: "half of it is missing", method: post, target: vaultURL + "/certificates/new/import" + version, with: operator,
			body: `{"value":"-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----"}`, want: refusal{400, "BadParameter", ""},
		},
		"no PFX": {reason: "neither PEM nor base64", method: post, target: vaultURL + "/certificates/new/import" + version, with: operator, body: `{"value":"%"}`, want: refusal{400, "BadParameter", ""}},
		"never pending": {
			reason: "nothing was asked to be made", method: get, target: vaultURL + "/certificates/nothing/pending" + version, with: operator,
			want: refusal{404, "CertificateNotFound", ""},
		},
		"key size": {reason: "Azure has three", method: post, target: vaultURL + "/keys/new/create" + version, with: operator, body: `{"kty":"RSA","key_size":1024}`, want: refusal{400, "BadParameter", ""}, text: "2048, 3072 or 4096"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			r := f.call(tc.method, tc.target, tc.with, tc.body)
			got, message := refusalOf(t, r)
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s: -want +got\n%s%s", tc.reason, diff, r.body)
			}
			if !strings.Contains(message, tc.text) {
				t.Errorf("%s: the message is\n%q\nwithout\n%q", tc.reason, message, tc.text)
			}
			challenge := `Bearer authorization="https://login.microsoftonline.com/` + tenantID + `", resource="https://vault.azure.net"`
			if got := r.header.Get("WWW-Authenticate"); (r.status == 401) != (got == challenge) {
				t.Errorf("%s: WWW-Authenticate is %q", tc.reason, got)
			}
		})
	}
}

func TestExpiredToken(t *testing.T) {
	f := start(t)
	token := f.identity()
	target := vaultURL + "/secrets/my-secret" + version
	f.clock.Step(24*time.Hour - time.Second)
	if r := f.call(http.MethodGet, target, token, ""); r.status != http.StatusOK {
		t.Errorf("a second before its end: got %d %s", r.status, r.body)
	}
	f.clock.Step(time.Second)
	got, message := refusalOf(t, f.call(http.MethodGet, target, token, ""))
	if want := (refusal{401, "Unauthorized", ""}); got != want || message != "[TokenExpired] Error validating token: 'S2S12086'." {
		t.Errorf("at its end: got %v %q", got, message)
	}
}

func TestNetworkRefusals(t *testing.T) {
	f := start(t)
	identity := f.identity()
	for _, step := range []struct {
		network state.Network
		want    refusal
		text    string
	}{
		{
			state.Network{Firewall: "Deny"},
			refusal{403, "Forbidden", "ForbiddenByFirewall"},
			`^Client address is not authorized and caller is not a trusted service\.\r\nClient address: 127\.0\.0\.1\r\nCaller: appid=.*\r\nVault: my-key-vault;location=westeurope`,
		},
		{
			state.Network{PublicNetworkAccess: "Disabled"},
			refusal{403, "Forbidden", "ForbiddenByConnection"},
			`^Public network access is disabled and request is not from a trusted service nor via an approved private link\.\r\nCaller: appid=`,
		},
		{state.Network{PublicNetworkAccess: "Enabled", Firewall: "Allow"}, refusal{Status: 200}, ""},
	} {
		if err := f.State().SetNetwork("my-key-vault", step.network); err != nil {
			t.Fatal(err)
		}
		got, message := refusalOf(t, f.call(http.MethodGet, vaultURL+"/secrets/my-secret"+version, identity, ""))
		if got != step.want || !regexp.MustCompile(step.text).MatchString(message) {
			t.Errorf("%+v: got %v %q, want %v", step.network, got, message, step.want)
		}
	}
}

func TestRoles(t *testing.T) {
	f := start(t)
	identity := f.identity()
	const reader, secretsUser, certificateUser = "Key Vault Reader", "Key Vault Secrets User", "Key Vault Certificate User"
	for _, role := range []string{reader, secretsUser} {
		if err := f.State().RemoveRoleAssignment("my-key-vault", state.RoleAssignment{ClientID: identityID, Role: role}); err != nil {
			t.Fatal(err)
		}
	}
	paths := []string{"secrets", "secrets/my-secret", "secrets/my-secret/versions", "certificates", "certificates/my-certificate", "keys", "keys/my-key"}
	for name, tc := range map[string]struct {
		reason string
		give   state.RoleAssignment
		want   string // of each path: + for allowed
	}{
		"reader":           {"lists, certificates and keys, but no value", state.RoleAssignment{Role: reader}, "+-+++++"},
		"secrets user":     {"values and lists of secrets, nothing else", state.RoleAssignment{Role: secretsUser}, "+++----"},
		"certificate user": {"alone enough for all three", state.RoleAssignment{Role: certificateUser}, "+++++++"},
		"crypto user":      {"keys only", state.RoleAssignment{Role: "12338af0-0e69-4776-bea7-57ae8d297424"}, "-----++"},
		"secrets officer":  {"secrets only", state.RoleAssignment{Role: "Key Vault Secrets Officer"}, "+++----"},
		"one secret":       {"not the list, which needs the whole vault", state.RoleAssignment{Role: secretsUser, Scope: "secrets/my-secret"}, "-++----"},
		"administrator":    {"everything", state.RoleAssignment{Role: "Key Vault Administrator"}, "+++++++"},
	} {
		t.Run(name, func(t *testing.T) {
			tc.give.ClientID = identityID
			if err := f.State().AddRoleAssignment("my-key-vault", tc.give); err != nil {
				t.Fatal(err)
			}
			var got strings.Builder
			for _, path := range paths {
				mark := "-"
				switch r := f.call(http.MethodGet, vaultURL+"/"+path+version, identity, ""); r.status {
				case http.StatusOK:
					mark = "+"
				case http.StatusForbidden:
				default:
					t.Errorf("%s: got %d", path, r.status)
				}
				got.WriteString(mark)
			}
			if got.String() != tc.want {
				t.Errorf("%s: got %s, want %s of %v", tc.reason, got.String(), tc.want, paths)
			}
			if err := f.State().RemoveRoleAssignment("my-key-vault", tc.give); err != nil {
				t.Fatal(err)
			}
		})
	}
}

func TestAnswersCarryAzuresHeaders(t *testing.T) {
	f := start(t)
	r := f.call(http.MethodGet, vaultURL+"/secrets/my-secret"+version, f.identity(), "")
	for _, name := range []string{"x-ms-request-id", "x-ms-client-request-id", "x-ms-keyvault-region", "x-ms-keyvault-service-version", "x-ms-keyvault-network-info"} {
		if r.header.Get(name) == "" {
			t.Errorf("%s is missing", name)
		}
	}
	if got, want := r.header.Get("Date"), f.clock.Now().UTC().Format(http.TimeFormat); got != want {
		t.Errorf("Date is %s, want the services' time %s", got, want)
	}
}

func TestUnknownHostsGetNoAnswer(t *testing.T) {
	f := start(t)
	for _, host := range []string{"nothing.vault.azure.net", "vault.azure.net", "my-key-vault.vault.example", "example.com"} {
		if r, err := f.try(http.MethodGet, "https://"+host+"/secrets"+version, "", ""); err == nil {
			t.Errorf("%s: got %d, want no answer", host, r.status)
		}
	}
	// A host that is served, asked for another by the header.
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, vaultURL+"/secrets", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	request.Host = "nothing.vault.azure.net"
	if response, err := f.client.Do(request); err == nil {
		response.Body.Close()
		t.Errorf("a foreign Host header: got %s, want no answer", response.Status)
	}
}

func TestHostsMayCarryAPort(t *testing.T) {
	f := start(t)
	r := f.call(http.MethodGet, "https://MY-KEY-VAULT.vault.azure.net:8443/secrets"+version+"&maxresults=1", f.operator(), "")
	link, _ := r.json(t)["nextLink"].(string)
	if r.status != http.StatusOK || !strings.HasPrefix(strings.ToLower(link), "https://my-key-vault.vault.azure.net:8443/secrets?") {
		t.Errorf("got %d with the next link %q", r.status, link)
	}
}

func TestRequestLogAndCounters(t *testing.T) {
	f := start(t)
	identity := f.identity()
	f.call(http.MethodGet, vaultURL+"/secrets/my-secret"+version, identity, "")
	f.call(http.MethodGet, vaultURL+"/secrets/nothing"+version, identity, "")
	f.call(http.MethodGet, vaultURL+"/secrets"+version, identity, "")
	f.call(http.MethodGet, vaultURL+"/secrets/my-secret/versions"+version, identity, "")
	f.call(http.MethodGet, vaultURL+"/secrets/my-secret"+version, "", "")
	at := f.clock.Now()
	entry := func(operation, name string, status int, code, client string) wire.Entry {
		return wire.Entry{Time: at, Service: "vault", Vault: "my-key-vault", Operation: operation, Name: name, Status: status, Code: code, ClientID: client}
	}
	want := []wire.Entry{
		{Time: at, Service: "entra", Operation: "entra.token", Status: 200, ClientID: identityID},
		entry("secrets.get", "my-secret", 200, "", identityID),
		entry("secrets.get", "nothing", 404, "SecretNotFound", identityID),
		entry("secrets.list", "", 200, "", identityID),
		entry("secrets.versions", "my-secret", 200, "", identityID),
		entry("challenge", "my-secret", 401, "Unauthorized", ""),
	}
	if diff := cmp.Diff(want, f.Requests()); diff != "" {
		t.Errorf("requests: -want +got\n%s", diff)
	}
	counts := map[string]int{}
	for _, c := range f.Counters() {
		counts[fmt.Sprint(c.Service, " ", c.Vault, " ", c.Operation, " ", c.Status)] = c.Count
	}
	wantCounts := map[string]int{
		"entra  entra.token 200": 1, "vault my-key-vault challenge 401": 1, "vault my-key-vault secrets.get 200": 1,
		"vault my-key-vault secrets.get 404": 1, "vault my-key-vault secrets.list 200": 1, "vault my-key-vault secrets.versions 200": 1,
	}
	if diff := cmp.Diff(wantCounts, counts); diff != "" {
		t.Errorf("counters: -want +got\n%s", diff)
	}
	f.ResetCounters()
	if got := f.Counters(); len(got) != 0 {
		t.Errorf("after the reset: %v", got)
	}
}
