package emulator_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"secretstore/internal/emulator/wire"
)

func TestAdmin(t *testing.T) {
	f := start(t)
	own := "https://" + f.Addr()
	credential := "/admin/applications/" + nobodyID + "/federatedCredentials/cluster"
	operatorsRole := `{"clientID":"` + operatorID + `","role":"Key Vault Reader"}`
	steps := []struct {
		reason             string
		method, path, body string
		status             int
		contains           string
	}{
		{"alive", http.MethodGet, "/healthz", "", 200, `"ok"`},
		{"nothing was asked", http.MethodGet, "/admin/requests", "", 200, `{"requests":[]}`},
		{"nothing was counted", http.MethodGet, "/admin/counters", "", 200, `{"counters":[]}`},
		{"no faults", http.MethodGet, "/admin/faults", "", 200, `{"faults":[],"limits":[]}`},
		{"a fault", http.MethodPut, "/admin/faults", `{"faults":[{"kind":"refuse","vault":"my-key-vault","next":2}],"limits":[{"requests":5,"perSeconds":1}]}`, 204, ""},
		{"is there", http.MethodGet, "/admin/faults", "", 200, `{"faults":[{"kind":"refuse","vault":"my-key-vault","next":2}],"limits":[{"requests":5,"perSeconds":1}]}`},
		{"an unknown kind says which there are", http.MethodPut, "/admin/faults", `{"faults":[{"kind":"explode"}]}`, 400, "faults[0]: kind is \\\"explode\\\": it must be one of latency, unreachable, refuse, hang, status, garbage, cut"},
		{"an unknown field", http.MethodPut, "/admin/faults", `{"fault":[]}`, 400, "unknown field"},
		{"no JSON", http.MethodPut, "/admin/faults", `x`, 400, "reading the request"},
		{"a wrong one changed nothing", http.MethodGet, "/admin/faults", "", 200, `"refuse"`},
		{"all well", http.MethodPut, "/admin/faults", `{}`, 204, ""},
		{"a credential", http.MethodPost, credential, `{"issuer":"https://x","subject":"y"}`, 204, ""},
		{"without a subject", http.MethodPost, credential, `{"issuer":"https://x"}`, 400, "it needs an issuer and a subject"},
		{"of nobody", http.MethodPost, strings.Replace(credential, nobodyID, "x", 1), `{"issuer":"https://x","subject":"y"}`, 404, "application x: unknown"},
		{"revoked", http.MethodDelete, credential, "", 204, ""},
		{"revoked again", http.MethodDelete, credential, "", 404, "unknown"},
		{"of nobody either", http.MethodDelete, strings.Replace(credential, nobodyID, "x", 1), "", 404, "unknown"},
		{"a role", http.MethodPost, "/admin/vaults/My-Key-Vault/roleAssignments", operatorsRole, 204, ""},
		{"a role that is none", http.MethodPost, "/admin/vaults/my-key-vault/roleAssignments", `{"clientID":"` + operatorID + `","role":"Emperor"}`, 400, "it must be one of Key Vault Reader"},
		{"for no one", http.MethodPost, "/admin/vaults/my-key-vault/roleAssignments", `{"clientID":"x","role":"Key Vault Reader"}`, 400, "no application has it"},
		{"at no vault", http.MethodPost, "/admin/vaults/nothing/roleAssignments", operatorsRole, 404, "vault nothing: unknown"},
		{"taken away", http.MethodDelete, "/admin/vaults/my-key-vault/roleAssignments", operatorsRole, 204, ""},
		{"taken away again", http.MethodDelete, "/admin/vaults/my-key-vault/roleAssignments", operatorsRole, 404, "unknown"},
		{"a firewall", http.MethodPut, "/admin/vaults/my-key-vault/network", `{"firewall":"Deny"}`, 204, ""},
		{"a half open one", http.MethodPut, "/admin/vaults/my-key-vault/network", `{"firewall":"Half"}`, 400, "it must be one of Allow, Deny"},
		{"of no vault", http.MethodPut, "/admin/vaults/nothing/network", `{}`, 404, "unknown"},
		{"counters back to nothing", http.MethodDelete, "/admin/counters", "", 204, ""},
		{"no such path", http.MethodGet, "/admin", "", 404, ""},
	}
	for _, step := range steps {
		r := f.call(step.method, own+step.path, "", step.body)
		if r.status != step.status || !strings.Contains(r.body, step.contains) {
			t.Errorf("%s: got %d %s, want %d with %s", step.reason, r.status, r.body, step.status, step.contains)
		}
	}
	if r := f.call(http.MethodGet, strings.Replace(own, "127.0.0.1", "localhost", 1)+"/healthz", "", ""); r.status != 200 {
		t.Errorf("by the name localhost: got %d", r.status)
	}
}

func TestAdminIsNotLoggedAsARequest(t *testing.T) {
	f := start(t)
	f.call(http.MethodGet, "https://"+f.Addr()+"/healthz", "", "")
	if diff := cmp.Diff([]wire.Entry(nil), f.Requests()); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

// TestNothingLeaks plants canaries wherever values go in, and looks for them wherever the emulator tells about itself.
func TestNothingLeaks(t *testing.T) {
	f := start(t)
	operator := f.operator()
	assertion := f.issuer.Token(subject, nil)
	f.ask(tokenURL, assertionForm(identityID, assertion))
	f.ask(tokenURL, assertionForm(nobodyID, assertion))
	f.ask(tokenURL, secretForm(operatorID, "canary-wrong-secret"))
	f.must(200, http.MethodGet, "secrets/my-secret", operator, "")
	f.must(403, http.MethodGet, "secrets/off", operator, "")
	f.must(200, http.MethodPut, "secrets/new", operator, `{"value":"canary-new-value"}`)
	errorsTold := []string{
		f.call(http.MethodPut, vaultURL+"/secrets/new"+version, operator, `{"value":canary-broken}`).body,
		f.call(http.MethodPut, vaultURL+"/secrets/new"+version, operator, `{"value":"canary-`+strings.Repeat("x", 26000)+`"}`).body,
		f.call(http.MethodPost, vaultURL+"/certificates/new2/import"+version, operator, `{"value":"canary","pwd":"canary-password"}`).body,
		f.call(http.MethodPut, vaultURL+"/keys/new3"+version, operator, `{"key":{"kty":"RSA","d":"canary-key"}}`).body,
	}
	own := "https://" + f.Addr()
	told := map[string]string{
		"the log of requests": f.call(http.MethodGet, own+"/admin/requests", "", "").body,
		"the counters":        f.call(http.MethodGet, own+"/admin/counters", "", "").body,
		"the logs":            f.logs.String(),
		"the errors":          strings.Join(errorsTold, "\n"),
		"the server":          fmt.Sprintf("%+v", f.Requests()),
	}
	for where, text := range told {
		for _, planted := range []string{"canary", assertion, operator} {
			if strings.Contains(text, planted) {
				t.Errorf("%s hold %.20q", where, planted)
			}
		}
	}
	if told["the logs"] == "" || !strings.Contains(told["the log of requests"], "secrets.set") {
		t.Error("there was nothing to look at")
	}
}
