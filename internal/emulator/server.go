package emulator

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"k8s.io/utils/clock"

	"secretstore/internal/emulator/arm"
	"secretstore/internal/emulator/entra"
	"secretstore/internal/emulator/graph"
	"secretstore/internal/emulator/state"
	"secretstore/internal/emulator/vault"
	"secretstore/internal/emulator/wire"
)

// Options is how to start. The zero value starts an empty Azure on a free port.
type Options struct {
	// Listen is the address to listen on, which must be loopback; "127.0.0.1:0", a free port, by default.
	Listen string
	// Seed is what Azure holds at the start.
	Seed state.Seed
	// IssuerRoots are trusted when Entra fetches an OpenID issuer's keys; nil means the system's.
	IssuerRoots *x509.CertPool
	// Clock is the services' time: of tokens, versions, limits and delays. The system's by default.
	Clock clock.Clock
	// Log is told of each request at the level debug, never with a value; nothing is logged by default.
	Log *slog.Logger
}

// Server is a running emulator. Its methods are safe for concurrent use.
type Server struct {
	state  *state.State
	entra  *entra.Service
	arm    *arm.Service
	graph  *graph.Service
	vaults map[*state.Vault]*vault.Service
	gate   *wire.Gate
	ca     *wire.CA
	http   *http.Server
	addr   string
	stop   context.CancelFunc
	served chan error
}

// Start starts an emulator that runs until Close, or until the context ends. It tells what is wrong with the seed, or why it
// cannot listen.
func Start(ctx context.Context, o Options) (*Server, error) {
	if o.Listen == "" {
		o.Listen = "127.0.0.1:0"
	}
	if o.Clock == nil {
		o.Clock = clock.RealClock{}
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if err := checkLoopback(o.Listen); err != nil {
		return nil, err
	}
	s, err := newServer(o)
	if err != nil {
		return nil, err
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", o.Listen)
	if err != nil {
		return nil, fmt.Errorf("listening on %s: %w", o.Listen, err)
	}
	s.serve(ctx, listener, o.Log)
	return s, nil
}

// checkLoopback refuses every address that others can reach.
func checkLoopback(address string) error {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return fmt.Errorf("the address to listen on is %q: it must be HOST:PORT", address)
	}
	if ip := net.ParseIP(host); host == "localhost" || (ip != nil && ip.IsLoopback()) {
		return nil
	}
	return fmt.Errorf("the address to listen on is %q, which is not loopback: the emulator gives whoever reaches it tokens, "+
		"secrets and certificates for Microsoft's host names, so it serves this machine only; use 127.0.0.1:PORT", address)
}

func newServer(o Options) (*Server, error) {
	st, err := state.New(o.Seed, o.Clock.Now, rand.Reader)
	if err != nil {
		return nil, err
	}
	login, err := entra.New(entra.Options{State: st, IssuerRoots: o.IssuerRoots, Clock: o.Clock, Log: o.Log})
	if err != nil {
		return nil, err
	}
	ca, err := wire.NewCA(time.Now()) // clients check certificates by the real time, whatever the services' time is
	if err != nil {
		return nil, err
	}
	s := &Server{
		state: st, entra: login,
		arm:    arm.New(arm.Options{State: st, Keys: login.Keys, Clock: o.Clock}),
		graph:  graph.New(graph.Options{State: st, Keys: login.Keys, Clock: o.Clock}),
		vaults: map[*state.Vault]*vault.Service{}, gate: wire.NewGate(o.Clock, o.Log), ca: ca, served: make(chan error, 1),
	}
	for _, v := range st.Vaults() {
		s.vaults[v] = vault.New(vault.Options{State: st, Vault: v, Keys: login.Keys, Clock: o.Clock})
	}
	return s, s.gate.SetBehaviour(o.Seed.Behaviour)
}

func (s *Server) serve(ctx context.Context, listener net.Listener, log *slog.Logger) {
	ctx, s.stop = context.WithCancel(ctx)
	s.addr = listener.Addr().String()
	s.http = &http.Server{
		Handler:           s,
		TLSConfig:         wire.TLSConfig(s.ca, s.reachable),
		ReadHeaderTimeout: 10 * time.Second,
		BaseContext:       func(net.Listener) context.Context { return ctx },
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelDebug),
		// HTTP/1.1 only: a fault that cuts a connection must not leave it to other requests.
		TLSNextProto: map[string]func(*http.Server, *tls.Conn, http.Handler){},
	}
	context.AfterFunc(ctx, func() { _ = s.http.Close() }) // there is nobody to tell
	go func() { s.served <- s.http.ServeTLS(listener, "", "") }()
}

// Close ends the emulator and every connection, and waits for its end.
func (s *Server) Close() error {
	s.stop()
	err := <-s.served
	s.served <- err // for the next Close
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}

// Addr is the address that it listens on, host:port.
func (s *Server) Addr() string { return s.addr }

// CAPEM is the certificate that clients must trust, in PEM.
func (s *Server) CAPEM() []byte { return s.ca.PEM() }

// HTTPClient makes a client that reaches the emulator under every host name, and trusts nothing else.
func (s *Server) HTTPClient() *http.Client {
	return &http.Client{Transport: &http.Transport{
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, network, s.addr)
		},
		TLSClientConfig: &tls.Config{RootCAs: s.ca.Pool(), MinVersion: tls.VersionTLS12},
	}}
}

// State is what the services remember, to look at and to change beneath them.
func (s *Server) State() *state.State { return s.state }

// SetBehaviour replaces all faults and limits, and ends what hangs; the zero Behaviour makes all well again.
func (s *Server) SetBehaviour(b wire.Behaviour) error { return s.gate.SetBehaviour(b) }

// Behaviour gives the faults and limits as they are now.
func (s *Server) Behaviour() wire.Behaviour { return s.gate.Behaviour() }

// Requests gives the last requests to the services, the oldest first.
func (s *Server) Requests() []wire.Entry { return s.gate.Log.Entries() }

// Counters counts the requests by service, vault, operation and status.
func (s *Server) Counters() []wire.Counter { return s.gate.Log.Counters() }

// ResetCounters sets every count to nothing.
func (s *Server) ResetCounters() { s.gate.Log.ResetCounters() }

// AwaitRequest waits for a request, past or coming, that satisfies the condition. It ends with the context's error.
func (s *Server) AwaitRequest(ctx context.Context, satisfies func(wire.Entry) bool) (wire.Entry, error) {
	return s.gate.Log.Await(ctx, satisfies)
}
