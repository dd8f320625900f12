package wire

import (
	"context"
	"crypto/tls"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"time"

	"k8s.io/utils/clock"
)

// Gate is what every request to a service passes.
type Gate struct {
	// Log remembers what has passed.
	Log *Log

	faults *faults
	clock  clock.Clock
	logger *slog.Logger
}

// NewGate makes a gate at which nothing happens to requests but the documented rate limit.
func NewGate(c clock.Clock, logger *slog.Logger) *Gate {
	return &Gate{Log: NewLog(), faults: newFaults(), clock: c, logger: logger}
}

// SetBehaviour replaces all faults and limits, and ends what hangs. It changes nothing if the behaviour is invalid.
func (g *Gate) SetBehaviour(b Behaviour) error {
	if err := b.Validate(); err != nil {
		return err
	}
	g.faults.replace(b)
	return nil
}

// Behaviour gives the faults and limits as they are now, the counts of faults with Next reduced.
func (g *Gate) Behaviour() Behaviour { return g.faults.current() }

// Unreachable says whether connections to a service, for the vault service to one vault, are to end in the TLS handshake.
func (g *Gate) Unreachable(service, vault string) bool { return g.faults.unreachable(service, vault) }

// Serve answers one request by a service, or as the behaviour says.
func (g *Gate) Serve(w http.ResponseWriter, r *http.Request, s Service) {
	arrived := g.clock.Now()
	w.Header().Set("Date", arrived.UTC().Format(http.TimeFormat)) // the services' time, which a test may have set
	call := s.Describe(r)
	r = withCall(r, &call)
	delay, fault, changed := g.faults.next(call, r.URL.Path)
	answer := &answer{ResponseWriter: w}
	record := func() { g.record(arrived, call, answer.status, fault.Kind) }

	if !g.wait(r.Context(), delay) {
		record()
		panic(http.ErrAbortHandler)
	}
	switch fault.Kind {
	case KindRefuse, KindUnreachable:
		record()
		panic(http.ErrAbortHandler) // closes the connection: the server speaks HTTP/1.1 only
	case KindHang:
		record() // now, or a test could not tell that a request hangs
		hang(r, changed)
		panic(http.ErrAbortHandler)
	case KindStatus:
		refuseWith(answer, r, s, fault)
	case KindGarbage:
		answer.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(answer, `{"value": [{"id": "https:`)
	case KindCut:
		answer.buffer = true
		g.pass(answer, r, s, call)
	default:
		g.pass(answer, r, s, call)
	}
	record()
	if answer.buffer {
		answer.sendHalf()
		panic(http.ErrAbortHandler)
	}
}

// pass lets the service answer, unless the vault's limit is reached.
func (g *Gate) pass(w http.ResponseWriter, r *http.Request, s Service, call Call) {
	limit := g.faults.admit(call, g.clock.Now())
	if limit == nil {
		s.ServeHTTP(w, r)
		return
	}
	retryAfter(w, limit.RetryAfterSeconds)
	s.Refuse(w, r, http.StatusTooManyRequests)
}

func (g *Gate) record(arrived time.Time, call Call, status int, fault string) {
	g.Log.add(Entry{
		Time: arrived, Service: call.Service, Vault: call.Vault, Operation: call.Operation, Name: call.Name,
		Status: status, Code: call.Code, ClientID: call.ClientID, Fault: fault,
	})
	g.logger.Debug("request", "service", call.Service, "vault", call.Vault, "operation", call.Operation,
		"name", call.Name, "client", call.ClientID, "status", status, "code", call.Code, "fault", fault)
}

// wait lets the delay pass; false if the client left before.
func (g *Gate) wait(ctx context.Context, delay time.Duration) bool {
	if delay == 0 {
		return true
	}
	timer := g.clock.NewTimer(delay)
	defer timer.Stop()
	select {
	case <-timer.C():
		return true
	case <-ctx.Done():
		return false
	}
}

func hang(r *http.Request, changed <-chan struct{}) {
	_, _ = io.Copy(io.Discard, r.Body) // only once the body is read does the server notice that the client leaves
	select {
	case <-r.Context().Done():
	case <-changed:
	}
}

func refuseWith(w http.ResponseWriter, r *http.Request, s Service, fault Fault) {
	retryAfter(w, fault.RetryAfterSeconds)
	if fault.Body == "" {
		s.Refuse(w, r, fault.Status)
		return
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(fault.Status)
	_, _ = io.WriteString(w, fault.Body)
}

func retryAfter(w http.ResponseWriter, seconds int) {
	if seconds > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(seconds))
	}
}

// TLSConfig serves the authority's certificates for the hosts that are served, to clients that may reach them.
func TLSConfig(ca *CA, serves func(host string) error) *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS12,
		NextProtos: []string{"http/1.1"},
		GetCertificate: func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
			host := hello.ServerName
			if host == "" { // clients that dial an IP address name none
				host = "127.0.0.1"
			}
			if err := serves(host); err != nil {
				return nil, err
			}
			return ca.Leaf(host)
		},
	}
}
