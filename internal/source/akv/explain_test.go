package akv

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"

	"secretstore/internal/fault"
	"secretstore/internal/spcparams"
)

// answered makes the error that the Azure SDK makes of an answer.
func answered(status int, code, inner, retryAfter string) error {
	answer := httpAnswer(status, fmt.Sprintf(`{"error":{"code":%q,"message":"canary","innererror":{"code":%q}}}`, code, inner), "request-1")
	answer.Header.Set("Retry-After", retryAfter)
	return runtime.NewResponseError(answer)
}

// response is the same of any answer.
func response(status int, body, requestID string) error {
	return runtime.NewResponseError(httpAnswer(status, body, requestID))
}

func httpAnswer(status int, body, requestID string) *http.Response {
	return &http.Response{
		StatusCode: status,
		Header:     http.Header{"X-Ms-Request-Id": {requestID}},
		Body:       io.NopCloser(bytes.NewBufferString(body)),
		Request: &http.Request{
			Method: http.MethodGet, URL: &url.URL{Scheme: "https", Host: "shop.vault.azure.net"},
			Header: http.Header{"Authorization": {"Bearer eyJ-canary"}},
		},
	}
}

func TestExplain(t *testing.T) {
	t.Parallel()
	secret := operation{vault: "shop", object: spcparams.Object{Name: "db", Type: spcparams.TypeSecret}}
	certificate := operation{vault: "shop", object: spcparams.Object{Name: "web", Type: spcparams.TypeCert}, version: "v1"}
	history := operation{vault: "shop", object: spcparams.Object{Name: "db", Type: spcparams.TypeSecret, History: 3}, listing: true}
	for name, tc := range map[string]struct {
		reason string
		err    error
		op     operation
		kind   fault.Kind
		says   []string
		after  time.Duration
	}{
		"Missing":      {"names object and vault", answered(404, "SecretNotFound", "", ""), secret, fault.ObjectMissing, []string{"secret db in vault shop", "recover"}, 0},
		"NoVersion":    {"and the version", answered(404, "CertificateNotFound", "", ""), certificate, fault.ObjectMissing, []string{"cert web/v1"}, 0},
		"Role":         {"names the role to assign, and that it may be on its way", answered(403, "Forbidden", "ForbiddenByRbac", ""), secret, fault.PermissionMissing, []string{"Key Vault Secrets User", "propagating or missing", "10 minutes", "tried again by itself"}, 0},
		"CertRole":     {"which for certificates is another", answered(403, "Forbidden", "ForbiddenByRbac", ""), certificate, fault.PermissionMissing, []string{"Key Vault Reader"}, 0},
		"Policy":       {"a vault with access policies wants another cure", answered(403, "Forbidden", "AccessDenied", ""), secret, fault.PermissionMissing, []string{"Get on secrets by access policy"}, 0},
		"HistoryRole":  {"a history needs List", answered(403, "Forbidden", "AccessDenied", ""), history, fault.PermissionMissing, []string{"List", "objectVersionHistory"}, 0},
		"Either":       {"where it cannot be told, both", answered(403, "Forbidden", "", ""), secret, fault.PermissionMissing, []string{"Key Vault Secrets User", "Get on secrets by access policy", "propagating"}, 0},
		"Firewall":     {"a firewall is no permission", answered(403, "Forbidden", "ForbiddenByFirewall", ""), secret, fault.NetworkRefused, []string{"firewall of vault shop", "network rules"}, 0},
		"Private":      {"nor is a private endpoint", answered(403, "Forbidden", "ForbiddenByConnection", ""), secret, fault.NetworkRefused, []string{"public access", "private endpoint"}, 0},
		"Disabled":     {"a disabled secret is a 403 that is neither", answered(403, "Forbidden", "SecretDisabled", ""), secret, fault.ObjectDisabled, []string{"secret db", "enable"}, 0},
		"Token":        {"a refused token is about the identity", answered(401, "Unauthorized", "", ""), secret, fault.TokenRefused, []string{"tenantID"}, 0},
		"Throttled":    {"waits as long as asked", answered(429, "Throttled", "", "10"), secret, fault.Throttled, []string{"throttling"}, 10 * time.Second},
		"Down":         {"is tried again", answered(503, "", "", ""), secret, fault.Unreachable, []string{"HTTP 503"}, 0},
		"Odd":          {"another answer is given with its code", answered(400, "BadParameter", "", ""), secret, fault.ObjectUnusable, []string{"400", "BadParameter"}, 0},
		"RefusedError": {"no connection", &url.Error{Op: "Get", URL: "https://canary", Err: syscall.ECONNREFUSED}, secret, fault.Unreachable, []string{"vault shop", "refused", "keyvaultName"}, 0},
		"Garbage":      {"no Key Vault", errors.New("canary: invalid character"), secret, fault.Unreachable, []string{"not Key Vault's"}, 0},
		"Known":        {"a fault stays what it is", fault.New(fault.PolicyRefused, "refused"), secret, fault.PolicyRefused, []string{"refused"}, 0},
		"DisabledKey":  {"keys and certificates are disabled too", errDisabled, certificate, fault.ObjectDisabled, []string{"cert web/v1 in vault shop is disabled"}, 0},
		"Unusable":     {"what cannot be used is said", unusable{errors.New("curve P-1")}, secret, fault.ObjectUnusable, []string{"curve P-1"}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := explain(tc.err, tc.op)
			if got.Kind != tc.kind || got.RetryAfter != tc.after {
				t.Errorf("%s: kind %d, retry after %v: %s", tc.reason, got.Kind, got.RetryAfter, got)
			}
			for _, text := range tc.says {
				if !strings.Contains(got.Message, text) {
					t.Errorf("%s: %q does not say %q", tc.reason, got.Message, text)
				}
			}
			if strings.Contains(got.Message, "canary") {
				t.Errorf("the message repeats the vault's sentence: %q", got.Message)
			}
		})
	}
}

// echo is what some proxies send instead of an answer: the request, headers and all.
const echo = "GET /secrets/db HTTP/1.1\nAuthorization: Bearer eyJ-canary.eyJ-canary.canary"

func TestNothingOfAnAnswerButItsCodesIsKept(t *testing.T) {
	t.Parallel()
	op := operation{vault: "shop", object: spcparams.Object{Name: "db", Type: spcparams.TypeSecret}}
	unreadable := json.Unmarshal([]byte(`{"Value":424242}`), &struct{ Value string }{})
	for name, tc := range map[string]struct {
		reason string
		err    error
		keeps  string
	}{
		"Codes":    {"what support asks for is in the log", answered(403, "Forbidden", "ForbiddenByRbac", ""), `HTTP 403, code "Forbidden", inner code "ForbiddenByRbac", request ID "request-1"`},
		"Page":     {"a proxy's page is not", response(403, "<pre>"+echo+"</pre>", "request-1"), `HTTP 403, code "", inner code "", request ID "request-1"`},
		"Codeless": {"nor a token where a code should be", response(400, fmt.Sprintf(`{"error":{"code":%q,"innererror":{"code":%q}}}`, echo, echo), echo), "HTTP 400"},
		"Long":     {"nor one that is a single word", response(400, `{"error":{"code":"`+strings.Repeat("canary", 9)+`"}}`, ""), "HTTP 400"},
		"Down":     {"whatever the status", response(502, echo, ""), "HTTP 502"},
		"Garbage":  {"an error that quotes what it could not read keeps its type", fmt.Errorf("unmarshalling: %w", unreadable), "fmt.wrapError"},
		"Lacking":  {"one of ours says nothing of it", errIncomplete, errIncomplete.Error()},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := explain(tc.err, op)
			shown := got.Message + "\n" + got.Detail.Error()
			if strings.Contains(shown, "canary") || strings.Contains(shown, "Bearer") || strings.Contains(shown, "424242") {
				t.Errorf("%s: %s", tc.reason, shown)
			}
			if !strings.Contains(got.Detail.Error(), tc.keeps) {
				t.Errorf("%s: the detail is %q, want %q", tc.reason, got.Detail, tc.keeps)
			}
		})
	}
}
