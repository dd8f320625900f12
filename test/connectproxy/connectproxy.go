// Package connectproxy is an HTTP proxy that leads every connection to one address: with it, and with the emulator's
// certificate trusted, a client speaks to the emulator while it believes to speak to Azure, and nothing of it is replaced.
package connectproxy

import (
	"context"
	"errors"
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

	mu    sync.Mutex
	to    string
	hosts map[string]bool
}

// Start starts a proxy on loopback. It ends with the test.
func Start(t testing.TB) *Proxy {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &Proxy{address: listener.Addr().String(), hosts: map[string]bool{}}
	server := &http.Server{Handler: http.HandlerFunc(p.serve), ReadHeaderTimeout: time.Minute}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	t.Cleanup(func() {
		_ = server.Close() // what Serve returns tells how it went
		if err := <-served; !errors.Is(err, http.ErrServerClosed) {
			t.Errorf("the proxy ended with %v", err)
		}
	})
	return p
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
