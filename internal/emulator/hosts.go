package emulator

import (
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"

	"secretstore/internal/emulator/arm"
	"secretstore/internal/emulator/state"
	"secretstore/internal/emulator/wire"
)

// ServeHTTP answers by the name of the host that was asked for. What is not served gets no answer: the connection is closed.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	host := hostname(r.Host)
	service, _ := s.service(host)
	switch {
	case service != nil:
		s.gate.Serve(w, r, service) //nolint:contextcheck // the request has its context
	case isOwn(host):
		s.serveAdmin(w, r)
	default:
		panic(http.ErrAbortHandler)
	}
}

// service finds the service behind a host name, and the vault if it is one. This is the place for further hosts of Azure.
func (s *Server) service(host string) (wire.Service, *state.Vault) {
	if slices.ContainsFunc(s.state.AuthorityHosts, func(h string) bool { return strings.EqualFold(h, host) }) {
		return s.entra, nil
	}
	if strings.EqualFold(host, arm.Host) {
		return s.arm, nil
	}
	name, isVault := strings.CutSuffix(strings.ToLower(host), "."+strings.ToLower(s.state.VaultDNSSuffix))
	if v, ok := s.state.Vault(name); ok && isVault {
		return s.vaults[v], v
	}
	return nil, nil
}

// reachable tells why a TLS handshake for a host is to fail, or nil.
func (s *Server) reachable(host string) error {
	service, v := s.service(host)
	var kind, name string
	switch {
	case v != nil:
		kind, name = "vault", v.Name
	case service == s.entra:
		kind = "entra"
	case service == s.arm:
		kind = "arm"
	}
	switch {
	case service == nil && !isOwn(host):
		return fmt.Errorf("host %s is not served", host)
	case service != nil && s.gate.Unreachable(kind, name):
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
