package cluster

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
)

// parentVariable asks the programs of tools/controlplane to end when the process of this ID does.
const parentVariable = "CONTROLPLANE_PARENT"

// startPlane starts etcd and kube-apiserver and makes the clients of the administrator.
func (c *Cluster) startPlane(context.Context) error {
	if err := os.Setenv(parentVariable, strconv.Itoa(os.Getpid())); err != nil {
		return fmt.Errorf("asking children to end with this process: %w", err)
	}
	plane, err := c.newPlane()
	if err != nil {
		return err
	}
	c.plane = plane
	if err := plane.Start(); err != nil {
		return errors.Join(err, c.logTail("etcd"), c.logTail("kube-apiserver"))
	}
	// The limits are far above what tests ask, so that no test measures the client's own throttle.
	limits := &rest.Config{QPS: 1000, Burst: 2000}
	admin, err := plane.AddUser(envtest.User{Name: "admin", Groups: []string{"system:masters"}}, limits)
	if err != nil {
		return fmt.Errorf("making the administrator: %w", err)
	}
	c.config = admin.Config()
	c.config.Host = trimSlash(c.config.Host)
	c.config.WarningHandler = rest.NewWarningWriter(c.log, rest.WarningWriterOptions{Deduplicate: true})
	c.client, err = newClient(c.Config())
	return err
}

// newPlane describes etcd and kube-apiserver. envtest chooses their ports and makes their keys.
func (c *Cluster) newPlane() (*envtest.ControlPlane, error) {
	etcd := &envtest.Etcd{StartTimeout: startTimeout, DataDir: filepath.Join(c.dir, "etcd")}
	server := &envtest.APIServer{StartTimeout: startTimeout, CertDir: filepath.Join(c.dir, "kube-apiserver")}
	var err error
	if etcd.Path, err = findBinary("etcd"); err != nil {
		return nil, err
	}
	if server.Path, err = findBinary("kube-apiserver"); err != nil {
		return nil, err
	}
	etcdLog, err := c.openLog("etcd")
	if err != nil {
		return nil, err
	}
	serverLog, err := c.openLog("kube-apiserver")
	if err != nil {
		return nil, err
	}
	etcd.Out, etcd.Err = etcdLog, etcdLog
	server.Out, server.Err = serverLog, serverLog
	for _, dir := range []string{etcd.DataDir, server.CertDir} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return nil, fmt.Errorf("making a folder: %w", err)
		}
	}
	signingKey, err := c.makeSigningKey()
	if err != nil {
		return nil, err
	}
	configure(server, signingKey)
	return &envtest.ControlPlane{Etcd: etcd, APIServer: server}, nil
}

// configure sets the flags in which this API server differs from envtest's.
func configure(server *envtest.APIServer, signingKey string) {
	url := func(path string) late {
		return func() string { return trimSlash(server.SecureServing.URL("https", path).String()) }
	}
	server.Configure().
		SetRaw("service-account-issuer", url("")).
		SetRaw("service-account-jwks-uri", url("/openid/v1/jwks")).
		Set("service-account-signing-key-file", signingKey).
		Set("service-account-key-file", signingKey).
		// envtest turns the ServiceAccount plugin off because nothing makes accounts there; here a controller does.
		Disable("disable-admission-plugins").
		Set("enable-admission-plugins", "OwnerReferencesPermissionEnforcement").
		// Without these the server wants a network interface besides loopback, to publish its address to pods.
		Set("advertise-address", "127.0.0.1").
		Set("endpoint-reconciler-type", "none").
		// With clients watching, an orderly end takes 20 s and more; this mode waits for them no longer than 2 s.
		Set("shutdown-send-retry-after", "true")
}

// makeSigningKey writes the key that signs service-account tokens. envtest's own is an elliptic one; Entra's documentation
// promises to take tokens signed by RS256 only, which is what clusters use.
func (c *Cluster) makeSigningKey() (string, error) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return "", fmt.Errorf("making the key of service accounts: %w", err)
	}
	block := &pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)}
	path := filepath.Join(c.dir, "service-account.key")
	if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
		return "", fmt.Errorf("writing the key of service accounts: %w", err)
	}
	return path, nil
}

// late is the value of a flag that holds the port, which is chosen after the flags are described.
type late func() string

// Get returns the value, now that it can be known.
func (l late) Get([]string) []string { return []string{l()} }

// Append keeps the flag as it is: it takes one value.
func (l late) Append(...string) envtest.Arg { return l }

// StopAPIServer ends kube-apiserver; the other processes stay. Clients see refused connections until StartAPIServer.
func (c *Cluster) StopAPIServer() error {
	if err := c.plane.APIServer.Stop(); err != nil {
		return fmt.Errorf("stopping kube-apiserver: %w", err)
	}
	return nil
}

// StartAPIServer starts kube-apiserver again, on the same port with the same keys and data.
func (c *Cluster) StartAPIServer() error {
	if err := c.plane.APIServer.Start(); err != nil {
		return errors.Join(fmt.Errorf("starting kube-apiserver: %w", err), c.logTail("kube-apiserver"))
	}
	return nil
}
