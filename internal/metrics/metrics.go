// Package metrics counts what the controller does, for Prometheus.
//
// Labels take few values only: names of vaults that SecretProviderClasses name, kinds of objects, HTTP codes and reasons; never
// a message, an object's name or anything secret.
package metrics

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/utils/clock"
)

const namespace = "secretstore"

// Metrics are the controller's own; make them with [New]. Queue lengths, API requests and the like come from
// controller-runtime and client-go.
type Metrics struct {
	vaultRequests *prometheus.CounterVec
	entraRequests *prometheus.CounterVec
	tokens        *prometheus.CounterVec
	checks        *prometheus.CounterVec
	duration      prometheus.Histogram
	late          prometheus.Histogram
	saved         *prometheus.CounterVec
	pauses        *prometheus.CounterVec
	pausedUntil   *prometheus.GaugeVec
	freshness     *freshness
	leftAlone     prometheus.Gauge
}

// New makes the metrics and registers them. Ages are by the clock.
func New(registry prometheus.Registerer, clk clock.PassiveClock) (*Metrics, error) {
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: namespace, Name: name, Help: help}, labels)
	}
	m := &Metrics{
		freshness: newFreshness(clk),
		vaultRequests: counter("vault_requests_total",
			"Requests to Key Vault, by vault, kind of object and HTTP code (or \"none\" without an answer).", "vault", "kind", "code"),
		entraRequests: counter("entra_requests_total",
			"Requests to Entra, by HTTP code (or \"none\" without an answer).", "code"),
		tokens: counter("service_account_tokens_total",
			"Tokens of service accounts that were asked of the API server, by result: granted or refused.", "result"),
		checks: counter("checks_total",
			"Checks of SecretSyncs that have ended, by the reason that their condition gives.", "reason"),
		duration: prometheus.NewHistogram(prometheus.HistogramOpts{
			Namespace: namespace, Name: "check_duration_seconds",
			Help:    "How long a check took, from its beginning to the written Secret, in seconds.",
			Buckets: []float64{.01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60},
		}),
		late: prometheus.NewHistogram(prometheus.HistogramOpts{
			Namespace: namespace, Name: "check_due_lag_seconds",
			Help:    "How long after it was due a check began, in seconds.",
			Buckets: []float64{.1, .5, 1, 5, 10, 30, 60, 300, 900, 3600},
		}),
		saved: counter("vault_requests_saved_total",
			"Requests to Key Vault that need not be made, by vault and by what saved them: \"shared\" for an answer that another check "+
				"had got, \"sweep\" for a list that showed the object unchanged.", "vault", "by"),
		pauses: counter("vault_pauses_total",
			"Times that a vault (or Entra, for \"\") was left alone, by cause: \"throttled\" or \"unavailable\".", "vault", "cause"),
		pausedUntil: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Namespace: namespace, Name: "vault_paused_until_timestamp_seconds",
			Help: "Until when a vault (or Entra, for \"\") is left alone, in seconds since 1970; in the past where it is not any more.",
		}, []string{"vault"}),
		leftAlone: prometheus.NewGauge(prometheus.GaugeOpts{
			Namespace: namespace, Name: "secretsyncs_left_alone",
			Help: "SecretSyncs that are left alone because another controller looks after them.",
		}),
	}
	for _, collector := range []prometheus.Collector{
		m.vaultRequests, m.entraRequests, m.tokens, m.checks, m.duration, m.late, m.saved, m.pauses, m.pausedUntil,
		m.freshness.firstSync, m.freshness.oldest, m.leftAlone,
	} {
		if err := registry.Register(collector); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// Check counts a check that has ended.
func (m *Metrics) Check(reason string, took time.Duration) {
	m.checks.WithLabelValues(reason).Inc()
	m.duration.Observe(took.Seconds())
}

// Late notes how long after it was due a check began.
func (m *Metrics) Late(by time.Duration) { m.late.Observe(max(0, by).Seconds()) }

// Saved counts a request to a vault that need not be made.
func (m *Metrics) Saved(vault, by string) { m.saved.WithLabelValues(vault, by).Inc() }

// Paused notes that a vault, or Entra for "", is left alone until a time.
func (m *Metrics) Paused(vault string, until time.Time, throttled bool) {
	cause := "unavailable"
	if throttled {
		cause = "throttled"
	}
	m.pauses.WithLabelValues(vault, cause).Inc()
	m.pausedUntil.WithLabelValues(vault).Set(float64(until.Unix()))
}

// LeftAlone notes how many SecretSyncs are left alone now.
func (m *Metrics) LeftAlone(n int) { m.leftAlone.Set(float64(n)) }

// Token counts a request for a service account's token.
func (m *Metrics) Token(err error) {
	result := "granted"
	if err != nil {
		result = "refused"
	}
	m.tokens.WithLabelValues(result).Inc()
}

// Transport counts the requests that go through next. vaultSuffix is the DNS suffix of the cloud's vaults; every other host is
// Entra's.
func (m *Metrics) Transport(next http.RoundTripper, vaultSuffix string) http.RoundTripper {
	return transport{metrics: m, next: next, suffix: "." + vaultSuffix}
}

type transport struct {
	metrics *Metrics
	next    http.RoundTripper
	suffix  string
}

// RoundTrip implements http.RoundTripper.
func (t transport) RoundTrip(request *http.Request) (*http.Response, error) {
	response, err := t.next.RoundTrip(request)
	code := "none"
	if err == nil {
		code = strconv.Itoa(response.StatusCode)
	}
	if vault, isVault := strings.CutSuffix(request.URL.Host, t.suffix); isVault {
		t.metrics.vaultRequests.WithLabelValues(vault, kindOf(request.URL.Path), code).Inc()
	} else {
		t.metrics.entraRequests.WithLabelValues(code).Inc()
	}
	return response, err
}

// kindOf is what a path of Key Vault's asks for: secrets, keys or certificates, versions of one, or a list of all.
func kindOf(path string) string {
	parts := strings.Split(strings.Trim(path, "/"), "/")
	kind := parts[0]
	switch kind {
	case "secrets", "keys", "certificates":
	default:
		return "other"
	}
	switch {
	case len(parts) == 1:
		return kind + " list"
	case len(parts) > 2 && parts[2] == "versions":
		return kind + " versions"
	default:
		return kind
	}
}
