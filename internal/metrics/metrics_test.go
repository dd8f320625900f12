package metrics_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"k8s.io/utils/clock"

	"secretstore/internal/metrics"
)

// answers gives every request the same answer.
type answers struct {
	status int
	err    error
}

func (a answers) RoundTrip(*http.Request) (*http.Response, error) {
	if a.err != nil {
		return nil, a.err
	}
	return &http.Response{StatusCode: a.status, Body: io.NopCloser(strings.NewReader(""))}, nil
}

func newMetrics(t *testing.T) (*metrics.Metrics, func() string) {
	t.Helper()
	return metricsAt(t, clock.RealClock{})
}

func metricsAt(t *testing.T, clk clock.PassiveClock) (*metrics.Metrics, func() string) {
	t.Helper()
	registry := prometheus.NewRegistry()
	m, err := metrics.New(registry, clk)
	if err != nil {
		t.Fatal(err)
	}
	return m, func() string {
		recorder := httptest.NewRecorder()
		promhttp.HandlerFor(registry, promhttp.HandlerOpts{}).ServeHTTP(recorder, httptest.NewRequest(http.MethodGet, "/", http.NoBody))
		return recorder.Body.String()
	}
}

func TestTransport(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		reason string
		url    string
		answer answers
		want   string
	}{
		"Secret":      {"a secret by its kind, never its name", "https://shop.vault.azure.net/secrets/db/123?api-version=7.6", answers{status: 200}, `secretstore_vault_requests_total{code="200",kind="secrets",vault="shop"} 1`},
		"Versions":    {"lists of versions apart", "https://shop.vault.azure.net/keys/k/versions", answers{status: 429}, `secretstore_vault_requests_total{code="429",kind="keys versions",vault="shop"} 1`},
		"List":        {"lists of all apart", "https://shop.vault.azure.net/secrets?api-version=7.6", answers{status: 200}, `{code="200",kind="secrets list",vault="shop"} 1`},
		"Certificate": {"certificates", "https://shop.vault.azure.net/certificates/c/", answers{status: 403}, `{code="403",kind="certificates",vault="shop"} 1`},
		"Unknown":     {"paths that nobody expects do not make labels", "https://shop.vault.azure.net/canary/x", answers{status: 404}, `{code="404",kind="other",vault="shop"} 1`},
		"NoAnswer":    {"no answer is counted too", "https://shop.vault.azure.net/secrets/db", answers{err: errors.New("canary")}, `{code="none",kind="secrets",vault="shop"} 1`},
		"Entra":       {"other hosts are Entra's", "https://login.microsoftonline.com/t/oauth2/v2.0/token", answers{status: 401}, `secretstore_entra_requests_total{code="401"} 1`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m, shown := newMetrics(t)
			request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, tc.url, http.NoBody)
			if err != nil {
				t.Fatal(err)
			}
			response, err := m.Transport(tc.answer, "vault.azure.net").RoundTrip(request)
			if !errors.Is(err, tc.answer.err) {
				t.Errorf("the error became %v", err)
			}
			if err == nil {
				_ = response.Body.Close()
			}
			if text := shown(); !strings.Contains(text, tc.want) || strings.Contains(text, "canary") || strings.Contains(text, `"db`) {
				t.Errorf("%s: want %s in\n%s", tc.reason, tc.want, text)
			}
		})
	}
}

func TestCounts(t *testing.T) {
	t.Parallel()
	m, shown := newMetrics(t)
	m.Token(nil)
	m.Token(errors.New("canary"))
	m.Check("Synced", 30*time.Millisecond)
	m.Check("Synced", 3*time.Second)
	m.Late(-time.Second)
	m.Late(20 * time.Second)
	m.Saved("shop", "sweep")
	m.Paused("shop", time.Unix(1800000000, 0), true)
	m.Paused("", time.Unix(1800000001, 0), false)
	m.LeftAlone(5)
	m.LeftAlone(2)
	text := shown()
	for _, want := range []string{
		`secretstore_service_account_tokens_total{result="granted"} 1`, `secretstore_service_account_tokens_total{result="refused"} 1`,
		`secretstore_checks_total{reason="Synced"} 2`, `secretstore_check_duration_seconds_bucket{le="0.05"} 1`,
		`secretstore_check_duration_seconds_count 2`,
		`secretstore_check_due_lag_seconds_bucket{le="0.1"} 1`, `secretstore_check_due_lag_seconds_bucket{le="30"} 2`,
		`secretstore_vault_requests_saved_total{by="sweep",vault="shop"} 1`,
		`secretstore_vault_pauses_total{cause="throttled",vault="shop"} 1`, `secretstore_vault_pauses_total{cause="unavailable",vault=""} 1`,
		`secretstore_vault_paused_until_timestamp_seconds{vault="shop"} 1.8e+09`,
		`secretstore_secretsyncs_left_alone 2`,
	} {
		if !strings.Contains(text, want) {
			t.Errorf("want %s in\n%s", want, text)
		}
	}
	if strings.Contains(text, "canary") {
		t.Error("an error's text became a label")
	}
	if _, err := metrics.New(prometheus.NewRegistry(), clock.RealClock{}); err != nil {
		t.Errorf("a second set in another registry: %v", err)
	}
}
