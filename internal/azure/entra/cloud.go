package entra

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"sigs.k8s.io/yaml"
)

// Cloud is one Azure: where its Entra and its vaults are, and how to reach them. [PublicCloud] is the usual one; others
// (a sovereign cloud, a private one, a stand-in for tests) are read from a file by [LoadCloud].
type Cloud struct {
	// Name is for messages.
	Name string `json:"name"`
	// Authority is the URL of Entra's token service, such as https://login.microsoftonline.com.
	Authority string `json:"authority"`
	// VaultDNSSuffix follows a vault's name, such as vault.azure.net.
	VaultDNSSuffix string `json:"vaultDNSSuffix"`
	// TokenAudience is the audience of the service account tokens that Entra accepts, such as api://AzureADTokenExchange.
	TokenAudience string `json:"tokenAudience"`
	// CAFile holds the certificates (PEM) that this cloud's servers are trusted by, in place of the system's. Optional;
	// a relative path is relative to the file that the cloud was read from.
	CAFile string `json:"caFile,omitempty"`
	// DialAddress, host:port, is connected to in place of every host of this cloud; names are still verified. Optional.
	DialAddress string `json:"dialAddress,omitempty"`
}

// PublicCloud is Azure's public cloud: the names are those of Microsoft's documentation.
func PublicCloud() Cloud {
	return Cloud{ //nolint:gosec // G101 takes the audience's name for a credential
		Name:           "AzurePublicCloud",
		Authority:      "https://login.microsoftonline.com",
		VaultDNSSuffix: "vault.azure.net",
		TokenAudience:  "api://AzureADTokenExchange",
	}
}

// LoadCloud reads a cloud from a YAML file with the fields of [Cloud]; those that it leaves out are the public cloud's.
func LoadCloud(file string) (Cloud, error) {
	text, err := os.ReadFile(filepath.Clean(file))
	if err != nil {
		return Cloud{}, fmt.Errorf("reading the cloud definition: %w", err)
	}
	cloud := PublicCloud()
	cloud.Name = strings.TrimSuffix(filepath.Base(file), filepath.Ext(file))
	if err := yaml.UnmarshalStrict(text, &cloud); err != nil {
		return Cloud{}, fmt.Errorf("reading the cloud definition %s: %w (it has name, authority, vaultDNSSuffix, "+
			"tokenAudience, caFile and dialAddress)", file, err)
	}
	if cloud.CAFile != "" && !filepath.IsAbs(cloud.CAFile) {
		cloud.CAFile = filepath.Join(filepath.Dir(file), cloud.CAFile)
	}
	if err := cloud.validate(); err != nil {
		return Cloud{}, fmt.Errorf("the cloud definition %s: %w", file, err)
	}
	return cloud, nil
}

func (c Cloud) validate() error {
	var problems []error
	authority, err := url.Parse(c.Authority)
	if err != nil || authority.Scheme != "https" || authority.Host == "" || strings.Trim(authority.Path, "/") != "" {
		problems = append(problems, fmt.Errorf("authority: %q is not an https URL without a path, such as %s",
			c.Authority, PublicCloud().Authority))
	}
	if !regexp.MustCompile(`^[a-z0-9]([-a-z0-9.]*[a-z0-9])?(:[0-9]+)?$`).MatchString(c.VaultDNSSuffix) {
		problems = append(problems, fmt.Errorf("vaultDNSSuffix: %q is not a domain such as %s",
			c.VaultDNSSuffix, PublicCloud().VaultDNSSuffix))
	}
	if c.TokenAudience == "" {
		problems = append(problems, fmt.Errorf("tokenAudience: is empty; the usual one is %s", PublicCloud().TokenAudience))
	}
	if c.DialAddress != "" {
		if _, _, err := net.SplitHostPort(c.DialAddress); err != nil {
			problems = append(problems, fmt.Errorf("dialAddress: %q is not host:port", c.DialAddress))
		}
	}
	return errors.Join(problems...)
}

// VaultURL is the base URL of a vault.
func (c Cloud) VaultURL(vault string) string { return "https://" + vault + "." + c.VaultDNSSuffix }

// Timeouts of one connection. A vault answers within a second or two; what takes longer than these is not an answer.
const (
	dialTimeout           = 10 * time.Second
	tlsTimeout            = 10 * time.Second
	responseHeaderTimeout = 20 * time.Second
	idleTimeout           = 90 * time.Second
	connectionsPerHost    = 16
)

// HTTPClient returns the client through which this cloud is spoken to. Without CAFile the system's certificates are
// trusted, and those that SSL_CERT_FILE and SSL_CERT_DIR name; proxies are taken from the environment.
func (c Cloud) HTTPClient() (*http.Client, error) {
	tlsConfig := &tls.Config{MinVersion: tls.VersionTLS12}
	if c.CAFile != "" {
		pem, err := os.ReadFile(c.CAFile)
		if err != nil {
			return nil, fmt.Errorf("reading the certificates of cloud %s: %w", c.Name, err)
		}
		tlsConfig.RootCAs = x509.NewCertPool()
		if !tlsConfig.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("cloud %s: caFile %s holds no PEM certificate", c.Name, c.CAFile)
		}
	}
	dialer := &net.Dialer{Timeout: dialTimeout, KeepAlive: idleTimeout / 3}
	transport := &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		DialContext:           dialer.DialContext,
		TLSClientConfig:       tlsConfig,
		TLSHandshakeTimeout:   tlsTimeout,
		ResponseHeaderTimeout: responseHeaderTimeout,
		IdleConnTimeout:       idleTimeout,
		MaxConnsPerHost:       connectionsPerHost,
		MaxIdleConnsPerHost:   connectionsPerHost,
		ForceAttemptHTTP2:     true,
	}
	if c.DialAddress != "" {
		transport.Proxy = nil
		transport.DialContext = func(ctx context.Context, network, _ string) (net.Conn, error) {
			return dialer.DialContext(ctx, network, c.DialAddress)
		}
	}
	return &http.Client{Transport: transport, CheckRedirect: refuseRedirect}, nil
}

// refuseRedirect keeps tokens at the host that they are meant for: neither Entra nor Key Vault redirects.
func refuseRedirect(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
