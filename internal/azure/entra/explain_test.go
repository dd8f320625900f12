package entra

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"secretstore/internal/fault"
)

func answer(status int, body string, header ...string) *http.Response {
	r := &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(bytes.NewBufferString(body))}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	return r
}

func refused(code int) string {
	return fmt.Sprintf(`{"error":"invalid_client","error_description":"AADSTS%d: canary Trace ID: 1","error_codes":[%d]}`, code, code)
}

func TestExplainResponse(t *testing.T) {
	t.Parallel()
	subject := Subject{TenantID: "tenant-1", ClientID: "client-1", Namespace: "shop", ServiceAccount: "web"}
	for name, tc := range map[string]struct {
		reason   string
		response *http.Response
		kind     fault.Kind
		says     []string
		after    time.Duration
	}{
		"Tenant":      {"names the tenant and the field", answer(400, refused(90002)), fault.IdentityRejected, []string{"tenant-1", "tenantID"}, 0},
		"Client":      {"names the client and the usual slip", answer(400, refused(700016)), fault.IdentityRejected, []string{"client-1", "clientID", "not its object"}, 0},
		"None":        {"says what to create", answer(401, refused(70025)), fault.IdentityRejected, []string{"system:serviceaccount:shop:web", "api://aud"}, 0},
		"Issuer":      {"names the setting to compare", answer(401, refused(700211)), fault.IdentityRejected, []string{"service-account-issuer"}, 0},
		"Audience":    {"names the audience", answer(401, refused(700212)), fault.IdentityRejected, []string{"api://aud"}, 0},
		"Subject":     {"names the subject", answer(401, refused(700213)), fault.IdentityRejected, []string{"system:serviceaccount:shop:web"}, 0},
		"SubjectCase": {"says that case matters", answer(401, refused(7002138)), fault.IdentityRejected, []string{"case matters"}, 0},
		"OtherCase":   {"what to compare", answer(401, refused(7002137)), fault.IdentityRejected, []string{"letter by letter", "api://aud"}, 0},
		"Propagating": {"says that a new one takes minutes, and when to stop believing it", answer(400, refused(70021)), fault.IdentityRejected, []string{"propagating or missing", "10 minutes", "tried again by itself", "system:serviceaccount:shop:web"}, 0},
		"Echo":        {"a proxy that repeats the request has no code", answer(400, `{"error":"Bearer canary","trace_id":"Trace: canary","correlation_id":"a.canary"}`), fault.IdentityRejected, []string{"proxy"}, 0},
		"Expired":     {"points at the clock", answer(401, refused(700024)), fault.IdentityRejected, []string{"clock"}, 0},
		"Keys":        {"points at the published keys", answer(401, refused(7000272)), fault.IdentityRejected, []string{"jwks_uri"}, 0},
		"Discovery":   {"points at the issuer", answer(400, refused(90061)), fault.IdentityRejected, []string{"discovery document"}, 0},
		"Disabled":    {"says to enable it", answer(401, refused(7000112)), fault.IdentityRejected, []string{"enable it"}, 0},
		"Other":       {"gives the code and where to look it up", answer(400, refused(12345)), fault.IdentityRejected, []string{"AADSTS12345", "error?code=12345"}, 0},
		"NoJSON":      {"a proxy's page is not Entra", answer(403, "<html>"), fault.IdentityRejected, []string{"HTTP 403", "proxy"}, 0},
		"Throttled":   {"waits as long as asked", answer(429, "", "Retry-After", "7"), fault.Throttled, nil, 7 * time.Second},
		"Down":        {"is tried again", answer(503, "", "Retry-After", "3"), fault.Unreachable, []string{"503"}, 3 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := explainResponse(tc.response, subject, "api://aud")
			if got.Kind != tc.kind || got.RetryAfter != tc.after {
				t.Errorf("%s: kind %d, retry after %v", tc.reason, got.Kind, got.RetryAfter)
			}
			for _, text := range tc.says {
				if !strings.Contains(got.Message, text) {
					t.Errorf("%s: %q does not say %q", tc.reason, got.Message, text)
				}
			}
			if strings.Contains(got.Detail.Error(), "canary") {
				t.Errorf("the log repeats Entra's answer: %q", got.Detail)
			}
			if strings.Contains(got.Message, "canary") || strings.Contains(got.Message, "Trace") {
				t.Errorf("the message repeats Entra's sentence: %q", got.Message)
			}
		})
	}
}

func TestRetryAfter(t *testing.T) {
	t.Parallel()
	const sent = "Sun, 01 Nov 2026 12:00:00 GMT"
	for name, tc := range map[string]struct {
		header, date string
		want         time.Duration
	}{
		"None":        {"", sent, 0},
		"Seconds":     {"10", sent, 10 * time.Second},
		"Negative":    {"-1", sent, 0},
		"Garbage":     {"soon", sent, 0},
		"Date":        {"Sun, 01 Nov 2026 12:00:30 GMT", sent, 30 * time.Second},
		"PastDate":    {"Sun, 01 Nov 2026 11:00:00 GMT", sent, 0},
		"DateAlone":   {"Sun, 01 Nov 2026 12:00:30 GMT", "", 0},
		"ZeroSeconds": {"0", sent, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := RetryAfter(answer(429, "", "Retry-After", tc.header, "Date", tc.date)); got != tc.want {
				t.Errorf("RetryAfter(%q) = %v, want %v", tc.header, got, tc.want)
			}
		})
	}
}

func TestNetworkCause(t *testing.T) {
	t.Parallel()
	wrap := func(err error) error { return &url.Error{Op: "Get", URL: "https://v/?canary", Err: err} }
	for name, tc := range map[string]struct {
		err  error
		want string
	}{
		"UnknownName":  {wrap(&net.DNSError{Name: "v.vault.azure.net", IsNotFound: true}), "v.vault.azure.net is not known to DNS"},
		"DNSDown":      {wrap(&net.DNSError{Name: "v.vault.azure.net", IsTimeout: true}), "DNS did not answer"},
		"Deadline":     {wrap(context.DeadlineExceeded), "no answer in time"},
		"Cut":          {wrap(io.ErrUnexpectedEOF), "was cut"},
		"Reset":        {wrap(&net.OpError{Op: "read", Err: syscall.ECONNRESET}), "was cut"},
		"RefusedError": {wrap(&net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}), "was refused"},
		"Untrusted":    {wrap(&tls.CertificateVerificationError{Err: errors.New("canary")}), "not trusted"},
		"Other":        {wrap(errors.New("canary")), "the connection failed"},
		"Nil":          {nil, "the connection failed"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := NetworkCause(tc.err); !strings.Contains(got, tc.want) || strings.Contains(got, "canary") {
				t.Errorf("NetworkCause = %q, want %q", got, tc.want)
			}
		})
	}
}

// cutAnswers has the token in an answer that breaks off, as a cut connection or a bad proxy would leave it.
type cutAnswers struct{}

// RoundTrip implements http.RoundTripper.
func (cutAnswers) RoundTrip(r *http.Request) (*http.Response, error) {
	body := `{"token_type":"Bearer","expires_in":3600,"access_token":"canary`
	if strings.HasSuffix(r.URL.Path, "openid-configuration") {
		body = `{"token_endpoint":"https://login.microsoftonline.com/t/oauth2/v2.0/token",` +
			`"authorization_endpoint":"https://login.microsoftonline.com/t/oauth2/v2.0/authorize","issuer":"https://login.microsoftonline.com/t/v2.0"}`
	}
	response := answer(http.StatusOK, body, "Content-Type", "application/json")
	response.Request = r
	return response, nil
}

func TestATokenInABrokenAnswerStaysOutOfErrors(t *testing.T) {
	t.Parallel()
	subject := Subject{TenantID: "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee", ClientID: "client-1", Namespace: "shop", ServiceAccount: "web"}
	credential, err := NewCredential(PublicCloud(), &http.Client{Transport: cutAnswers{}}, subject,
		func(context.Context, string) (string, error) { return "assertion-canary", nil })
	if err != nil {
		t.Fatal(err)
	}
	_, err = credential.GetToken(t.Context(), policy.TokenRequestOptions{Scopes: []string{"https://vault.azure.net/.default"}})
	f := fault.Of(err)
	if f == nil || f.Kind != fault.Unreachable {
		t.Fatalf("a broken answer is %v", err)
	}
	if shown := fmt.Sprint(f.Message, f.Detail); strings.Contains(shown, "canary") {
		t.Errorf("the error shows a token: %s", shown)
	}
}
