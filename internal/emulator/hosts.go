package emulator

import (
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"

	"secretstore/internal/emulator/arm"
	"secretstore/internal/emulator/graph"
	"secretstore/internal/emulator/wire"
)

// ServeHTTP answers by the name of the host that was asked for. What is not served gets no answer: the connection is closed.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	host := hostname(r.Host)
	served, ok := s.endpoint(host)
	switch {
	case ok:
		s.gate.Serve(w, r, served.service) //nolint:contextcheck // the request has its context
	case isOwn(host):
		s.serveAdmin(w, r)
	default:
		panic(http.ErrAbortHandler)
	}
}

// endpoint is the service behind a host name: what the log and the faults call it, and the vault's name if it is one.
type endpoint struct {
	service     wire.Service
	kind, vault string
}

// endpoint finds the service behind a host name. This is the place for further hosts of Azure.
func (s *Server) endpoint(host string) (endpoint, bool) {
	if slices.ContainsFunc(s.state.AuthorityHosts, func(h string) bool { return strings.EqualFold(h, host) }) {
		return endpoint{service: s.entra, kind: "entra"}, true
	}
	switch strings.ToLower(host) {
	case arm.Host:
		return endpoint{service: s.arm, kind: "arm"}, true
	case graph.Host:
		return endpoint{service: s.graph, kind: "graph"}, true
	}
	name, isVault := strings.CutSuffix(strings.ToLower(host), "."+strings.ToLower(s.state.VaultDNSSuffix))
	if v, ok := s.state.Vault(name); ok && isVault {
		return endpoint{service: s.vaults[v], kind: "vault", vault: v.Name}, true
	}
	return endpoint{}, false
}

// reachable tells why a TLS handshake for a host is to fail, or nil.
func (s *Server) reachable(host string) error {
	served, ok := s.endpoint(host)
	switch {
	case !ok && !isOwn(host):
		return fmt.Errorf("host %s is not served", host)
	case ok && s.gate.Unreachable(served.kind, served.vault):
		return fmt.Errorf("host %s is made unreachable", host)
	}
	return nil
}

// isOwn says whether a host is the emulator itself, where it is administered.
func isOwn(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || (ip != nil && ip.IsLoopback())
}

// hostname takes the port off a Host header.
func hostname(host string) string {
	if name, _, err := net.SplitHostPort(host); err == nil {
		return name
	}
	return strings.Trim(host, "[]")
}
