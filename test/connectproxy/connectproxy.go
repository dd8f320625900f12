// Package connectproxy is an HTTP proxy that leads every connection to one address: with it, and with the emulator's
// certificate trusted, a client speaks to the emulator while it believes to speak to Azure, and nothing of it is replaced.
package connectproxy

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"
)

// Proxy is a running proxy.
type Proxy struct {
	address string
	server  *http.Server
	served  chan error // how it ended

	mu    sync.Mutex
	to    string
	hosts map[string]bool
}

// Start starts a proxy on loopback. It ends with the test.
func Start(t testing.TB) *Proxy {
	t.Helper()
	p, err := Listen(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
	return p
}

// Listen starts a proxy on loopback, which goes on until it is closed.
func Listen(ctx context.Context) (*Proxy, error) {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("starting a proxy: %w", err)
	}
	p := &Proxy{address: listener.Addr().String(), hosts: map[string]bool{}, served: make(chan error, 1)}
	p.server = &http.Server{Handler: http.HandlerFunc(p.serve), ReadHeaderTimeout: time.Minute}
	go func() { p.served <- p.server.Serve(listener) }()
	return p, nil
}

// Close ends it, once. Connections that were made already go on.
func (p *Proxy) Close() error {
	_ = p.server.Close() // what Serve returned tells how it went
	if err := <-p.served; !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("the proxy ended: %w", err)
	}
	return nil
}

// Address is where the proxy listens, host:port.
func (p *Proxy) Address() string { return p.address }

// SendTo says where connections lead from now on.
func (p *Proxy) SendTo(address string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.to = address
}

// Connected says whether a client has asked for the host (host:port).
func (p *Proxy) Connected(host string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.hosts[host]
}

// serve answers the method CONNECT.
func (p *Proxy) serve(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	p.hosts[r.Host] = true
	to := p.to
	p.mu.Unlock()
	far, err := (&net.Dialer{}).DialContext(context.WithoutCancel(r.Context()), "tcp", to)
	if err != nil || r.Method != http.MethodConnect {
		w.WriteHeader(http.StatusBadGateway)
		return
	}
	near, early, err := http.NewResponseController(w).Hijack()
	if err != nil {
		_ = far.Close()
		return
	}
	defer func() { _, _ = near.Close(), far.Close() }()
	if _, err := io.WriteString(near, "HTTP/1.1 200 Connection established\r\n\r\n"); err != nil {
		return // the client has left
	}
	ended := make(chan struct{}, 2)
	join := func(to io.Writer, from io.Reader) {
		_, _ = io.Copy(to, from) // either side may end at any time
		ended <- struct{}{}
	}
	go join(near, far)
	go join(far, early) // what the client has sent already, and then the rest
	<-ended
}
