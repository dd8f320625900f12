package entra

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"strconv"
	"syscall"
	"time"
)

// RetryAfter is how long the answer asks to wait: its Retry-After header, in seconds or as a date; 0 without one.
// Source: RFC 9110, section 10.2.3.
func RetryAfter(response *http.Response) time.Duration {
	header := response.Header.Get("Retry-After")
	if seconds, err := strconv.Atoi(header); err == nil && seconds > 0 {
		return time.Duration(seconds) * time.Second
	}
	at, err := http.ParseTime(header)
	if err != nil {
		return 0
	}
	sent, err := http.ParseTime(response.Header.Get("Date"))
	if err != nil || at.Before(sent) {
		return 0
	}
	return at.Sub(sent)
}

// NetworkCause puts the cause of a failed connection into stable words, without addresses and ports that differ each time.
func NetworkCause(err error) string {
	var dns *net.DNSError
	var timeout net.Error
	switch {
	case errors.As(err, &dns) && dns.IsNotFound:
		return "its name " + dns.Name + " is not known to DNS"
	case errors.As(err, &dns):
		return "DNS did not answer for " + dns.Name
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return "no answer in time"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF),
		errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return "the connection was cut"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "the connection was refused"
	default:
		return certificateCause(err)
	}
}

func certificateCause(err error) string {
	var untrusted *tls.CertificateVerificationError
	var wrongHost x509.HostnameError
	switch {
	case errors.As(err, &wrongHost):
		return "its TLS certificate is for another name than " + wrongHost.Host
	case errors.As(err, &untrusted):
		return "its TLS certificate is not trusted here (is there a TLS-inspecting proxy in between?)"
	default:
		return "the connection failed"
	}
}
