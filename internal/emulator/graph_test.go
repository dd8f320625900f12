package emulator_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"secretstore/internal/emulator"
	"secretstore/internal/emulator/oidctest"
	"secretstore/internal/emulator/state"
)

const (
	graphURL   = "https://graph.microsoft.com/v1.0"
	graphScope = "https://graph.microsoft.com/.default"
	auditorID  = "66666666-2222-3333-4444-555555555555" // may read at Graph
	oldID      = "55555555-2222-3333-4444-555555555555" // an old principal, to be revoked
)

func startGraph(t *testing.T) *fixture {
	t.Helper()
	issuer := oidctest.New(t)
	o := emulator.Options{Seed: seed(issuer.URL)}
	application := func(clientID, access string) state.Application {
		return state.Application{
			TenantID: tenantID, ClientID: clientID, ObjectID: strings.Replace(clientID, "2222-3333", "0000-0000", 1), Name: "app",
			Kind: state.KindApplication, ClientSecrets: []state.ClientSecret{{Value: operatorsPass}}, GraphAccess: access,
		}
	}
	o.Seed.Applications[1].GraphAccess = state.GraphWrite
	o.Seed.Applications = append(o.Seed.Applications, application(auditorID, state.GraphRead), application(oldID, ""))
	return (&fixture{tb: t, issuer: issuer, logs: &logs{}}).with(o)
}

func TestADisabledPrincipalCannotSignIn(t *testing.T) {
	f := startGraph(t)
	operator := f.armToken(operatorID, graphScope)
	one := graphURL + "/servicePrincipals(appId='" + oldID + "')"
	signIn := func(want float64) {
		t.Helper()
		members := f.ask(tokenURL, secretForm(oldID, operatorsPass)).json(t)
		codes, _ := members["error_codes"].([]any)
		if (want == 0) != (members["access_token"] != nil) || (want != 0 && (len(codes) != 1 || codes[0] != want)) {
			t.Errorf("got %v, want AADSTS%v", members["error_description"], want)
		}
	}
	signIn(0)
	principal := f.call(http.MethodGet, one, operator, "").json(t)
	if principal["appId"] != oldID || principal["id"] != "55555555-0000-0000-4444-555555555555" || principal["accountEnabled"] != true {
		t.Errorf("got %v", principal)
	}
	if r := f.call(http.MethodPatch, one, operator, `{"accountEnabled":false}`); r.status != 204 {
		t.Errorf("disabling: got %d %s", r.status, r.body)
	}
	signIn(7000112)
	byFilter := f.call(http.MethodGet, graphURL+"/servicePrincipals?$filter="+url.QueryEscape("appId eq '"+oldID+"'"), operator, "")
	if !strings.Contains(byFilter.body, `"accountEnabled":false`) {
		t.Errorf("by filter: got %d %s", byFilter.status, byFilter.body)
	}
	if r := f.call(http.MethodPatch, graphURL+"/servicePrincipals/55555555-0000-0000-4444-555555555555", operator, `{"accountEnabled":true}`); r.status != 204 {
		t.Errorf("enabling: got %d %s", r.status, r.body)
	}
	signIn(0)
}

func TestADeletedApplicationIsRestored(t *testing.T) {
	f := startGraph(t)
	operator := f.armToken(operatorID, graphScope)
	one := graphURL + "/applications(appId='" + oldID + "')"
	id, _ := f.call(http.MethodGet, one, operator, "").json(t)["id"].(string)
	if id == "" || id == "55555555-0000-0000-4444-555555555555" {
		t.Fatalf("the application's ID is %q, which must be another than its principal's", id)
	}
	if r := f.call(http.MethodDelete, one, operator, ""); r.status != 204 {
		t.Errorf("deleting: got %d %s", r.status, r.body)
	}
	if r := f.ask(tokenURL, secretForm(oldID, operatorsPass)); !strings.Contains(r.body, "AADSTS700016") {
		t.Errorf("once deleted: got %s", r.body)
	}
	if r := f.call(http.MethodGet, graphURL+"/directory/deletedItems/microsoft.graph.application", operator, ""); !strings.Contains(r.body, id) {
		t.Errorf("the deleted ones: got %s", r.body)
	}
	if r := f.call(http.MethodPost, graphURL+"/directory/deletedItems/"+id+"/restore", operator, ""); r.status != 200 || r.json(t)["appId"] != oldID {
		t.Errorf("restoring: got %d %s", r.status, r.body)
	}
	f.token(secretForm(oldID, operatorsPass))
	if r := f.call(http.MethodPost, graphURL+"/directory/deletedItems/"+id+"/restore", operator, ""); r.status != 404 {
		t.Errorf("restoring again: got %d %s", r.status, r.body)
	}
}

func TestGraphRefuses(t *testing.T) {
	f := startGraph(t)
	one := "/servicePrincipals(appId='" + oldID + "')"
	operator := f.armToken(operatorID, graphScope)
	for name, tc := range map[string]struct {
		reason, method, path, token, body string
		status                            int
		code                              string
	}{
		"no token":         {"it says where one is had", http.MethodGet, one, "", "", 401, "InvalidAuthenticationToken"},
		"no such token":    {"it is none", http.MethodGet, one, "x", "", 401, "InvalidAuthenticationToken"},
		"audience":         {"it is for vaults", http.MethodGet, one, f.operator(), "", 401, "InvalidAuthenticationToken"},
		"no rights":        {"it may nothing", http.MethodGet, one, f.armToken(oldID, graphScope), "", 403, "Authorization_RequestDenied"},
		"may only read":    {"it may not write", http.MethodPatch, one, f.armToken(auditorID, graphScope), `{"accountEnabled":false}`, 403, "Authorization_RequestDenied"},
		"no principal":     {"Entra knows none", http.MethodGet, "/servicePrincipals(appId='x')", operator, "", 404, "Request_ResourceNotFound"},
		"no application":   {"an identity has no registration", http.MethodDelete, "/applications(appId='" + identityID + "')", operator, "", 404, "Request_ResourceNotFound"},
		"another tenant's": {"it is not in this one", http.MethodGet, "/servicePrincipals(appId='" + strangerID + "')", operator, "", 404, "Request_ResourceNotFound"},
		"no JSON":          {"it cannot be read", http.MethodPatch, one, operator, "x", 400, "BadRequest"},
		"no filter":        {"all are too many", http.MethodGet, "/servicePrincipals", operator, "", 400, "Request_UnsupportedQuery"},
		"no such path":     {"it is none", http.MethodGet, "/groups", operator, "", 400, "BadRequest"},
	} {
		t.Run(name, func(t *testing.T) {
			r := f.call(tc.method, graphURL+tc.path, tc.token, tc.body)
			failure, _ := r.json(t)["error"].(map[string]any)
			if r.status != tc.status || failure["code"] != tc.code {
				t.Errorf("%s: got %d %s, want %d %s", tc.reason, r.status, r.body, tc.status, tc.code)
			}
			if tc.status == 401 && !strings.HasPrefix(r.header.Get("WWW-Authenticate"), "Bearer ") {
				t.Errorf("%s: got no challenge", tc.reason)
			}
		})
	}
	if r := f.call(http.MethodGet, graphURL+one, f.armToken(auditorID, graphScope), ""); r.status != 200 {
		t.Errorf("who may read: got %d %s", r.status, r.body)
	}
}
