package wire

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"strings"
	"sync"
	"time"
)

// caLifetime is how long the authority's certificates are good: longer than any emulator runs.
const caLifetime = 10 * 365 * 24 * time.Hour

// CA is a certificate authority that lives in memory and issues server certificates for the names it is asked for.
type CA struct {
	key       *ecdsa.PrivateKey
	cert      *x509.Certificate
	notBefore time.Time

	mu     sync.Mutex
	serial int64
	leaves map[string]*tls.Certificate
}

// NewCA makes an authority whose certificates are good from an hour before now, for ten years.
func NewCA(now time.Time) (*CA, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("making the emulator's CA key: %w", err)
	}
	// The name carries the time, or a client that still trusts an earlier emulator's authority of the same name reports a
	// bad signature where "unknown authority" is the truth.
	template := &x509.Certificate{
		SerialNumber:          big.NewInt(1),
		Subject:               pkix.Name{CommonName: "secretstore emulator " + now.UTC().Format(time.RFC3339Nano)},
		NotBefore:             now.Add(-time.Hour),
		NotAfter:              now.Add(caLifetime),
		IsCA:                  true,
		BasicConstraintsValid: true,
		KeyUsage:              x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, fmt.Errorf("signing the emulator's CA certificate: %w", err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("reading back the emulator's CA certificate: %w", err)
	}
	return &CA{key: key, cert: cert, notBefore: template.NotBefore, serial: 1, leaves: map[string]*tls.Certificate{}}, nil
}

// PEM is the authority's certificate, for clients to trust.
func (c *CA) PEM() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.cert.Raw})
}

// Pool holds the authority's certificate and nothing else.
func (c *CA) Pool() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(c.cert)
	return pool
}

// Leaf gives the server certificate for a host name or an IP address, made at the first request for it.
func (c *CA) Leaf(host string) (*tls.Certificate, error) {
	host = strings.ToLower(host)
	c.mu.Lock()
	defer c.mu.Unlock()
	if leaf, ok := c.leaves[host]; ok {
		return leaf, nil
	}
	c.serial++
	template := &x509.Certificate{
		SerialNumber: big.NewInt(c.serial),
		Subject:      pkix.Name{CommonName: host},
		NotBefore:    c.notBefore,
		NotAfter:     c.cert.NotAfter,
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	if ip := net.ParseIP(host); ip != nil {
		template.IPAddresses = []net.IP{ip}
	} else {
		template.DNSNames = []string{host}
	}
	// The authority's key serves the leaves too: a second key would guard nothing more.
	der, err := x509.CreateCertificate(rand.Reader, template, c.cert, c.key.Public(), c.key)
	if err != nil {
		return nil, fmt.Errorf("issuing a certificate for %s: %w", host, err)
	}
	leaf := &tls.Certificate{Certificate: [][]byte{der, c.cert.Raw}, PrivateKey: c.key}
	c.leaves[host] = leaf
	return leaf, nil
}
