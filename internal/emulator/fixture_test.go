package emulator_test

import (
	"bytes"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"k8s.io/utils/clock"
	testclock "k8s.io/utils/clock/testing"

	"secretstore/internal/emulator"
	"secretstore/internal/emulator/oidctest"
	"secretstore/internal/emulator/state"
)

// What the tests' Azure holds.
const (
	tenantID      = "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee"
	otherTenantID = "bbbbbbbb-bbbb-cccc-dddd-eeeeeeeeeeee"
	identityID    = "11111111-2222-3333-4444-555555555555"
	operatorID    = "99999999-8888-7777-6666-555555555555"
	nobodyID      = "22222222-2222-3333-4444-555555555555"
	strangerID    = "33333333-2222-3333-4444-555555555555"
	operatorsPass = "canary-client-secret"
	subject       = "system:serviceaccount:shop:shop"
	secretValue   = "canary-secret-value"

	vaultURL = "https://my-key-vault.vault.azure.net"
	tokenURL = "https://login.microsoftonline.com/" + tenantID + "/oauth2/v2.0/token"
)

// fixture is an emulator, an issuer whose tokens it takes, and a client.
type fixture struct {
	*emulator.Server

	tb     testing.TB
	issuer *oidctest.Issuer
	clock  *testclock.FakeClock
	client *http.Client
	logs   *logs
}

// logs is a writer for a logger of several goroutines.
type logs struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logs) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logs) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func seed(issuer string) state.Seed {
	no := false
	return state.Seed{
		Tenants: []state.Tenant{
			{ID: tenantID, Name: "Contoso", Domain: "contoso.onmicrosoft.com"},
			{ID: otherTenantID, Name: "Fabrikam"},
		},
		Applications: []state.Application{
			{
				TenantID: tenantID, ClientID: identityID, ObjectID: "11111111-aaaa-bbbb-cccc-555555555555", Name: "my-identity",
				FederatedCredentials: []state.FederatedCredential{{Name: "cluster", Issuer: issuer, Subject: subject}},
			},
			{
				TenantID: tenantID, ClientID: operatorID, Name: "operator", Kind: state.KindApplication,
				ClientSecrets: []state.ClientSecret{
					{Value: operatorsPass}, {Value: "canary-expired-secret", Expires: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)},
				},
			},
			{TenantID: tenantID, ClientID: nobodyID, Name: "nobody"},
			{
				TenantID: otherTenantID, ClientID: strangerID, Name: "stranger", Kind: state.KindApplication,
				ClientSecrets: []state.ClientSecret{{Value: operatorsPass}},
			},
		},
		Vaults: []state.VaultSeed{
			{
				Name: "my-key-vault", TenantID: tenantID, SubscriptionID: "77777777-0000-0000-0000-000000000000", ResourceGroup: "rg",
				RoleAssignments: []state.RoleAssignment{
					{ClientID: identityID, Role: "Key Vault Secrets User"},
					{ClientID: identityID, Role: "Key Vault Reader"},
					{ClientID: operatorID, Role: "Key Vault Administrator"},
				},
				Secrets: []state.SecretSeed{
					{Name: "my-secret", SecretVersion: state.SecretVersion{Value: secretValue, ContentType: "text/plain"}},
					{Name: "off", SecretVersion: state.SecretVersion{Value: "canary-off", VersionSeed: state.VersionSeed{Enabled: &no}}},
				},
				Keys: []state.KeySeed{{Name: "my-key", Type: "EC-HSM", Curve: "P-384"}},
				Certificates: []state.CertificateSeed{
					{Name: "my-certificate", KeyType: "EC", Chain: state.Chain{Intermediates: 1}},
				},
			},
			{
				Name: "policy-vault", TenantID: tenantID, Authorization: state.AuthorizationAccessPolicies,
				AccessPolicies: []state.AccessPolicy{{ClientID: identityID, Secrets: []string{"list"}}},
				Secrets:        []state.SecretSeed{{Name: "my-secret", SecretVersion: state.SecretVersion{Value: secretValue}}},
			},
		},
	}
}

// start starts an emulator whose clock begins with the real time, as tokens of the issuer are made by that, and stands still.
func start(tb testing.TB) *fixture {
	tb.Helper()
	issuer := oidctest.New(tb)
	f := &fixture{tb: tb, issuer: issuer, clock: testclock.NewFakeClock(time.Now()), logs: &logs{}}
	return f.with(emulator.Options{Seed: seed(issuer.URL), Clock: f.clock})
}

// startRealTime is start with the system's clock.
func startRealTime(tb testing.TB) *fixture {
	tb.Helper()
	issuer := oidctest.New(tb)
	f := &fixture{tb: tb, issuer: issuer, logs: &logs{}}
	return f.with(emulator.Options{Seed: seed(issuer.URL), Clock: clock.RealClock{}})
}

func (f *fixture) with(o emulator.Options) *fixture {
	f.tb.Helper()
	o.IssuerRoots = f.issuer.Roots()
	o.Log = slog.New(slog.NewTextHandler(f.logs, &slog.HandlerOptions{Level: slog.LevelDebug}))
	server, err := emulator.Start(f.tb.Context(), o)
	if err != nil {
		f.tb.Fatalf("starting the emulator: %v", err)
	}
	f.Server, f.client = server, server.HTTPClient()
	f.tb.Cleanup(func() {
		f.client.CloseIdleConnections()
		if err := server.Close(); err != nil {
			f.tb.Errorf("closing the emulator: %v", err)
		}
	})
	return f
}

// reply is an answer with its body read.
type reply struct {
	status int
	header http.Header
	body   string
}

// json reads the body.
func (r reply) json(tb testing.TB) map[string]any {
	tb.Helper()
	var members map[string]any
	if err := json.Unmarshal([]byte(r.body), &members); err != nil {
		tb.Fatalf("the body %q is not JSON: %v", r.body, err)
	}
	return members
}

// try makes a request and gives what comes of it.
func (f *fixture) try(method, target, token, body string) (reply, error) {
	request, err := http.NewRequestWithContext(f.tb.Context(), method, target, strings.NewReader(body))
	if err != nil {
		return reply{}, err
	}
	request.Header.Set("Content-Type", "application/json")
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	response, err := f.client.Do(request)
	if err != nil {
		return reply{}, err
	}
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	return reply{status: response.StatusCode, header: response.Header, body: string(content)}, err
}

// call is try that must be answered.
func (f *fixture) call(method, target, token, body string) reply {
	f.tb.Helper()
	r, err := f.try(method, target, token, body)
	if err != nil {
		f.tb.Fatalf("%s %s: %v", method, target, err)
	}
	return r
}

// ask posts a token request.
func (f *fixture) ask(target string, form url.Values) reply {
	f.tb.Helper()
	response, err := f.client.PostForm(target, form)
	if err != nil {
		f.tb.Fatalf("asking for a token: %v", err)
	}
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	if err != nil {
		f.tb.Fatalf("reading the token's answer: %v", err)
	}
	return reply{status: response.StatusCode, header: response.Header, body: string(content)}
}

func secretForm(clientID, secret string) url.Values {
	return url.Values{
		"grant_type": {"client_credentials"}, "client_id": {clientID}, "client_secret": {secret},
		"scope": {"https://vault.azure.net/.default"},
	}
}

func assertionForm(clientID, assertion string) url.Values {
	return url.Values{
		"grant_type": {"client_credentials"}, "client_id": {clientID}, "client_assertion": {assertion},
		"client_assertion_type": {"urn:ietf:params:oauth:client-assertion-type:jwt-bearer"},
		"scope":                 {"https://vault.azure.net/.default"},
	}
}

func (f *fixture) token(form url.Values) string {
	f.tb.Helper()
	r := f.ask(tokenURL, form)
	token, ok := r.json(f.tb)["access_token"].(string)
	if !ok {
		f.tb.Fatalf("no token: %d %s", r.status, r.body)
	}
	return token
}

func (f *fixture) operator() string {
	f.tb.Helper()
	return f.token(secretForm(operatorID, operatorsPass))
}

func (f *fixture) identity() string {
	f.tb.Helper()
	return f.token(assertionForm(identityID, f.issuer.Token(subject, nil)))
}
