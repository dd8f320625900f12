package emulator_test

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"secretstore/internal/emulator/oidctest"
	"secretstore/internal/emulator/state"
)

// TestTokenRefusals has a case for every row of Entra's errors that is known.
func TestTokenRefusals(t *testing.T) {
	f := start(t)
	foreign := oidctest.New(t)
	good := func() string { return f.issuer.Token(subject, nil) }
	with := func(form url.Values, key, value string) url.Values {
		form.Set(key, value)
		if value == "" {
			form.Del(key)
		}
		return form
	}
	type want struct {
		Status int
		Error  string
		Code   int
	}
	cases := map[string]struct {
		reason string
		url    string
		form   url.Values
		want   want
		text   string
	}{
		"unknown tenant": {
			reason: "the token endpoint of a tenant that is not there",
			url:    strings.Replace(tokenURL, tenantID, "cccccccc-0000-0000-0000-000000000000", 1),
			form:   assertionForm(identityID, good()),
			want:   want{400, "invalid_request", 90002}, text: "Tenant 'cccccccc-0000-0000-0000-000000000000' not found.",
		},
		"unknown client": {
			reason: "a client ID that no application of the tenant has",
			form:   assertionForm("44444444-0000-0000-0000-000000000000", good()),
			want:   want{400, "unauthorized_client", 700016}, text: "was not found in the directory 'Contoso'.",
		},
		"object id as client id": {
			reason: "people mix them up, and Entra does not know it as a client",
			form:   assertionForm("11111111-aaaa-bbbb-cccc-555555555555", good()),
			want:   want{400, "unauthorized_client", 700016},
		},
		"client of another tenant": {
			reason: "applications are known in their own tenant only",
			form:   secretForm(strangerID, operatorsPass),
			want:   want{400, "unauthorized_client", 700016},
		},
		"no credential at all": {
			reason: "the application exists, but trusts nobody",
			form:   assertionForm(nobodyID, good()),
			want:   want{401, "invalid_client", 70025}, text: "The client '" + nobodyID + "'(nobody) has no configured federated identity credentials.",
		},
		"issuer": {
			reason: "no credential names this issuer",
			form:   assertionForm(identityID, foreign.Token(subject, nil)),
			want:   want{401, "invalid_client", 700211}, text: "presented assertion issuer '" + foreign.URL + "'.",
		},
		"issuer with a slash at the end": {
			reason: "issuers are compared letter by letter",
			form:   assertionForm(identityID, f.issuer.Token(subject, map[string]any{"iss": f.issuer.URL + "/"})),
			want:   want{401, "invalid_client", 700211},
		},
		"audience": {
			reason: "the token is for somebody else",
			form:   assertionForm(identityID, f.issuer.Token(subject, map[string]any{"aud": "https://kubernetes.default.svc"})),
			want:   want{401, "invalid_client", 700212}, text: "presented assertion audience 'https://kubernetes.default.svc'.",
		},
		"audience in other letter case": {
			reason: "audiences are compared letter by letter",
			form:   assertionForm(identityID, f.issuer.Token(subject, map[string]any{"aud": "api://azureadtokenexchange"})),
			want:   want{401, "invalid_client", 700212},
		},
		"subject": {
			reason: "another service account",
			form:   assertionForm(identityID, f.issuer.Token("system:serviceaccount:shop:default", nil)),
			want:   want{401, "invalid_client", 700213}, text: "presented assertion subject 'system:serviceaccount:shop:default'. Check your federated identity credential Subject, Audience and Issuer against the presented assertion.",
		},
		"subject in other letter case": {
			reason: "right but for letter case has a code of its own",
			form:   assertionForm(identityID, f.issuer.Token("system:serviceaccount:Shop:shop", nil)),
			want:   want{401, "invalid_client", 7002138}, text: "The subject matches with case-insensitive comparison, but not with case-sensitive comparison.",
		},
		"subject and audience": {
			reason: "of two faults the subject is told",
			form:   assertionForm(identityID, f.issuer.Token("system:serviceaccount:shop:default", map[string]any{"aud": "other"})),
			want:   want{401, "invalid_client", 700213},
		},
		"expired": {
			reason: "beyond what clocks may differ",
			form:   assertionForm(identityID, f.issuer.Token(subject, map[string]any{"exp": f.clock.Now().Add(-time.Hour).Unix()})),
			want:   want{401, "invalid_client", 700024}, text: "Client assertion is not within its valid time range. Current time: ",
		},
		"not yet valid": {
			reason: "a clock that is an hour ahead",
			form:   assertionForm(identityID, f.issuer.Token(subject, map[string]any{"nbf": f.clock.Now().Add(time.Hour).Unix()})),
			want:   want{401, "invalid_client", 700024},
		},
		"without expiry": {
			reason: "a token that never ends is none",
			form:   assertionForm(identityID, f.issuer.Token(subject, map[string]any{"exp": nil})),
			want:   want{401, "invalid_client", 700024},
		},
		"key that the issuer lacks": {
			reason: "the key was rotated away, or is another cluster's: the kid is not published",
			form: assertionForm(identityID, func() string {
				foreign.Rotate() // key-2: this issuer has a key-1 only
				return f.issuer.TokenBy(foreign.Key(), subject, nil)
			}()),
			want: want{401, "invalid_client", 7000272}, text: "The certificate with identifier key-2 used to sign the federated credential could not be found in the metadata of identity provider " + f.issuer.URL,
		},
		"signature": {
			reason: "a key of the right name, but another",
			form: assertionForm(identityID, func() string {
				forged := foreign.Key()
				forged.KeyID = f.issuer.Key().KeyID
				return f.issuer.TokenBy(forged, subject, nil)
			}()),
			want: want{401, "invalid_client", 700027}, text: "Client assertion contains an invalid signature.",
		},
		"no JWT": {
			reason: "something else in the place of the assertion",
			form:   assertionForm(identityID, "no.jwt"),
			want:   want{400, "invalid_request", 50027}, text: "JWT token is invalid or malformed.",
		},
		"wrong secret": {
			reason: "people send the secret's ID",
			form:   secretForm(operatorID, "wrong"),
			want:   want{401, "invalid_client", 7000215}, text: "for a secret added to app '" + operatorID + "'.",
		},
		"expired secret": {
			reason: "the value is right, its time is over",
			form:   secretForm(operatorID, "canary-expired-secret"),
			want:   want{401, "invalid_client", 7000222}, text: "are expired.",
		},
		"no proof": {
			reason: "neither secret nor assertion",
			form:   with(secretForm(operatorID, ""), "client_secret", ""),
			want:   want{401, "invalid_client", 7000216},
		},
		"no grant type": {
			reason: "required", form: with(secretForm(operatorID, operatorsPass), "grant_type", ""),
			want: want{400, "invalid_request", 900144}, text: "must contain the following parameter: 'grant_type'.",
		},
		"no scope": {
			reason: "required", form: with(secretForm(operatorID, operatorsPass), "scope", ""),
			want: want{400, "invalid_request", 900144}, text: "'scope'",
		},
		"no client": {
			reason: "required", form: with(secretForm(operatorID, operatorsPass), "client_id", ""),
			want: want{400, "invalid_request", 900144}, text: "'client_id'",
		},
		"no assertion type": {
			reason: "required with an assertion", form: with(assertionForm(identityID, good()), "client_assertion_type", ""),
			want: want{400, "invalid_request", 900144}, text: "'client_assertion_type'",
		},
		"grant type": {
			reason: "clients without a user have one way only",
			form:   with(secretForm(operatorID, operatorsPass), "grant_type", "password"),
			want:   want{400, "unsupported_grant_type", 70003}, text: "The app requested an unsupported grant type 'password'.",
		},
		"scope's form": {
			reason: "clients without a user ask for all that they were given",
			form:   with(secretForm(operatorID, operatorsPass), "scope", "https://vault.azure.net/user_impersonation"),
			want:   want{400, "invalid_scope", 1002012},
		},
		"unknown resource": {
			reason: "a resource that the tenant does not know",
			form:   with(secretForm(operatorID, operatorsPass), "scope", "https://example.com/.default"),
			want:   want{400, "invalid_resource", 500011}, text: "The resource principal named https://example.com was not found in the tenant named",
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			target := tc.url
			if target == "" {
				target = tokenURL
			}
			r := f.ask(target, tc.form)
			members := r.json(t)
			codes, _ := members["error_codes"].([]any)
			if len(codes) != 1 {
				t.Fatalf("%s: error_codes is %v", tc.reason, members["error_codes"])
			}
			got := want{r.status, fmt.Sprint(members["error"]), int(codes[0].(float64))}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s: -want +got\n%s", tc.reason, diff)
			}
			checkErrorMembers(t, members, tc.want.Code, tc.text)
		})
	}
}

// checkErrorMembers compares what all errors of Entra have.
func checkErrorMembers(t *testing.T, members map[string]any, code int, text string) {
	t.Helper()
	guid := `[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}`
	stamp := `\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ`
	for member, pattern := range map[string]string{
		"error_description": fmt.Sprintf(`(?s)^AADSTS%d: .*%s.*(\r\n| )Trace ID: %s(\r\n| )Correlation ID: %s(\r\n| )Timestamp: %s$`,
			code, regexp.QuoteMeta(text), guid, guid, stamp),
		"trace_id": "^" + guid + "$", "correlation_id": "^" + guid + "$", "timestamp": "^" + stamp + "$",
		"error_uri": fmt.Sprintf(`^https://login\.microsoftonline\.com/error\?code=%d$`, code),
	} {
		value, _ := members[member].(string)
		if !regexp.MustCompile(pattern).MatchString(value) {
			t.Errorf("%s is %q, which is not like %s", member, value, pattern)
		}
	}
}

func TestTokens(t *testing.T) {
	f := start(t)
	managed := f.ask(tokenURL, assertionForm(identityID, f.issuer.Token(subject, nil)))
	application := f.ask(tokenURL, secretForm(operatorID, operatorsPass))
	byDomain := f.ask(strings.Replace(tokenURL, tenantID, "contoso.onmicrosoft.com", 1), secretForm(operatorID, operatorsPass))
	alias := f.ask(strings.Replace(tokenURL, "login.microsoftonline.com", "login.windows.net", 1), secretForm(operatorID, operatorsPass))
	several := f.ask(tokenURL, assertionForm(identityID, f.issuer.Token(subject, map[string]any{"aud": []string{"other", oidctest.Audience}})))
	skewed := f.ask(tokenURL, assertionForm(identityID, f.issuer.Token(subject, map[string]any{"exp": f.clock.Now().Add(-4 * time.Minute).Unix()})))
	for name, tc := range map[string]struct {
		reply   reply
		seconds float64
	}{
		"a managed identity's token lasts a day":      {managed, 86400},
		"an application's token lasts an hour":        {application, 3600},
		"a tenant is found by its domain":             {byDomain, 3600},
		"the older host name leads to the same Entra": {alias, 3600},
		"one of several audiences is enough":          {several, 86400},
		"clocks may differ by less than five minutes": {skewed, 86400},
	} {
		members := tc.reply.json(t)
		if tc.reply.status != http.StatusOK || members["expires_in"] != tc.seconds || members["token_type"] != "Bearer" || members["ext_expires_in"] != tc.seconds {
			t.Errorf("%s: got %d %v", name, tc.reply.status, tc.reply.body)
		}
	}
}

func TestFederatedCredentialsChange(t *testing.T) {
	f := start(t)
	other := "system:serviceaccount:shop:other"
	code := func() any {
		members := f.ask(tokenURL, assertionForm(identityID, f.issuer.Token(other, nil))).json(t)
		if codes, ok := members["error_codes"].([]any); ok {
			return codes[0]
		}
		return "token"
	}
	steps := []struct {
		reason string
		act    func() error
		want   any
	}{
		{"nothing matches yet", func() error { return nil }, float64(700213)},
		{"a new credential propagates", func() error {
			return f.State().SetFederatedCredential(identityID, state.FederatedCredential{
				Name: "other", Issuer: f.issuer.URL, Subject: other, PropagationSeconds: 60,
			})
		}, float64(70021)},
		{"and then has arrived", func() error { f.clock.Step(time.Minute); return nil }, "token"},
		{"a revoked one is gone at once", func() error {
			return f.State().RemoveFederatedCredential(identityID, "other")
		}, float64(700213)},
	}
	for _, step := range steps {
		if err := step.act(); err != nil {
			t.Fatalf("%s: %v", step.reason, err)
		}
		if got := code(); got != step.want {
			t.Errorf("%s: got %v, want %v", step.reason, got, step.want)
		}
	}
}

func TestIssuersKeys(t *testing.T) {
	f := start(t)
	code := func(token string) float64 {
		members := f.ask(tokenURL, assertionForm(identityID, token)).json(t)
		if codes, ok := members["error_codes"].([]any); ok {
			return codes[0].(float64)
		}
		return 0
	}
	before := f.issuer.Token(subject, nil)
	if got := code(before); got != 0 {
		t.Fatalf("the first token is refused with %v", got)
	}
	if got := code(before); got != 0 || f.issuer.Fetches() != 1 {
		t.Errorf("known keys: got code %v after %d fetches, want none after 1", got, f.issuer.Fetches())
	}
	f.issuer.Rotate()
	if got := code(f.issuer.Token(subject, nil)); got != 0 || f.issuer.Fetches() != 2 {
		t.Errorf("an unknown key has the keys fetched again: got code %v after %d fetches, want none after 2", got, f.issuer.Fetches())
	}
	if got := code(before); got != 7000272 {
		t.Errorf("the key that was rotated away: got code %v, want 7000272", got)
	}
	f.clock.Step(6 * time.Minute)
	f.issuer.Claim("https://another.example")
	if got := code(f.issuer.Token(subject, nil)); got != 90061 {
		t.Errorf("a discovery document of another issuer: got code %v, want 90061", got)
	}
	f.issuer.Claim(f.issuer.URL)
	f.issuer.Close()
	if got := code(f.issuer.Token(subject, nil)); got != 90061 {
		t.Errorf("an issuer that is away: got code %v, want 90061", got)
	}
}

func TestForeignIssuersAreNotFetched(t *testing.T) {
	f := start(t)
	foreign := oidctest.New(t)
	f.ask(tokenURL, assertionForm(identityID, foreign.Token(subject, nil)))
	if got := foreign.Fetches(); got != 0 {
		t.Errorf("an issuer that no credential names was asked %d times", got)
	}
}

func TestDiscovery(t *testing.T) {
	f := start(t)
	base := "https://login.microsoftonline.com/"
	for name, tc := range map[string]struct {
		reason string
		url    string
		status int
		member string
		want   any
	}{
		"by id":     {"the usual way", base + tenantID + "/v2.0/.well-known/openid-configuration", 200, "token_endpoint", tokenURL},
		"by domain": {"it gives the ID", base + "contoso.onmicrosoft.com/v2.0/.well-known/openid-configuration", 200, "issuer", base + tenantID + "/v2.0"},
		"alias": {
			"it calls itself by its first name", "https://login.windows.net/" + tenantID + "/v2.0/.well-known/openid-configuration",
			200, "issuer", base + tenantID + "/v2.0",
		},
		"unknown tenant": {"clients ask this before they ask for a token", base + "nobody.example/v2.0/.well-known/openid-configuration", 400, "error", "invalid_tenant"},
		"instance": {
			"clients check whether a host is Entra's",
			base + "common/discovery/instance?api-version=1.1&authorization_endpoint=" + url.QueryEscape(base+tenantID+"/oauth2/v2.0/authorize"),
			200, "tenant_discovery_endpoint", base + tenantID + "/v2.0/.well-known/openid-configuration",
		},
		"instance of nothing": {"a parameter is missing", base + "common/discovery/instance", 400, "error", "invalid_request"},
	} {
		t.Run(name, func(t *testing.T) {
			r := f.call(http.MethodGet, tc.url, "", "")
			if got := r.json(t)[tc.member]; r.status != tc.status || got != tc.want {
				t.Errorf("%s: got %d with %s %v, want %d with %v", tc.reason, r.status, tc.member, got, tc.status, tc.want)
			}
		})
	}
	if keys, ok := f.call(http.MethodGet, base+tenantID+"/discovery/v2.0/keys", "", "").json(t)["keys"].([]any); !ok || len(keys) != 1 {
		t.Errorf("the signing keys: got %v, want one", keys)
	}
	if r := f.call(http.MethodGet, base+"elsewhere", "", ""); r.status != http.StatusNotFound {
		t.Errorf("an unknown path: got %d, want 404", r.status)
	}
}
