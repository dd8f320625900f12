package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"secretstore/internal/emulator"
)

func TestParse(t *testing.T) {
	for name, tc := range map[string]struct {
		reason string
		args   []string
		want   options
		err    []string
	}{
		"least": {
			"two files",
			[]string{"--seed", "s", "--ca-file", "c"},
			options{listen: "127.0.0.1:0", seedFile: "s", caFile: "c"},
			nil,
		},
		"all": {
			"every flag",
			[]string{"--listen=[::1]:8443", "--seed=s", "--ca-file=c", "--address-file=a", "--issuer-ca=x", "--issuer-ca=y", "--log-level=debug"},
			options{listen: "[::1]:8443", seedFile: "s", caFile: "c", addressFile: "a", issuerCAs: []string{"x", "y"}, logLevel: slog.LevelDebug},
			nil,
		},
		"nothing":  {"what is missing is said at once", nil, options{}, []string{"--seed is required", "--ca-file is required"}},
		"argument": {"there are none", []string{"serve"}, options{}, []string{`unexpected argument "serve"`}},
		"level":    {"four of them", []string{"--log-level=loud"}, options{}, []string{`--log-level is "loud": it must be debug, info, warn or error`}},
		"flag":     {"no such one", []string{"--port=1"}, options{}, []string{"unknown flag: --port"}},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := parse(tc.args, io.Discard)
			for _, want := range tc.err {
				if err == nil || !strings.Contains(err.Error(), want) {
					t.Errorf("%s: got %v, want %q in it", tc.reason, err, want)
				}
			}
			if tc.err == nil && (err != nil || !cmp.Equal(tc.want, got, cmp.AllowUnexported(options{}))) {
				t.Errorf("%s: got %+v, %v", tc.reason, got, err)
			}
		})
	}
}

// example finds a file of the repository's examples.
const example = "../../examples/emulator.yaml"

func variables(name string) (string, bool) {
	value, ok := map[string]string{
		"SERVICE_ACCOUNT_ISSUER": "https://issuer.example", "KUBERNETES_NAMESPACE": "shop", "SERVICE_ACCOUNT_NAME": "shop",
	}[name]
	return value, ok
}

func TestRun(t *testing.T) {
	dir := t.TempDir()
	opts := options{
		listen: "127.0.0.1:0", seedFile: example, caFile: filepath.Join(dir, "ca.pem"), addressFile: filepath.Join(dir, "address"),
	}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	lines, out := io.Pipe()
	done := make(chan error, 1)
	go func() { done <- run(ctx, opts, variables, out, io.Discard) }()

	line := make([]byte, 200)
	n, err := lines.Read(line)
	if err != nil {
		t.Fatal(err)
	}
	address, err := os.ReadFile(opts.addressFile)
	if err != nil {
		t.Fatal(err)
	}
	host := strings.TrimSpace(string(address))
	if want := "emulator: listening on https://" + host + ", CA in " + opts.caFile + "\n"; string(line[:n]) != want {
		t.Errorf("the first line is %q, want %q", line[:n], want)
	}
	ca, err := os.ReadFile(opts.caFile)
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(opts.caFile); err != nil || info.Mode().Perm() != 0o644 {
		t.Errorf("the CA file is %v, %v", info.Mode(), err)
	}
	if status := get(t, ca, host, "https://my-key-vault.vault.azure.net/secrets"); status != http.StatusUnauthorized {
		t.Errorf("the vault answers %d, want its challenge", status)
	}
	stop()
	if err := <-done; err != nil {
		t.Errorf("ending: %v", err)
	}
}

func get(t *testing.T, ca []byte, address, url string) int {
	t.Helper()
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(ca)
	transport := &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: roots},
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return (&net.Dialer{Timeout: time.Minute}).DialContext(ctx, network, address)
		},
	}
	defer transport.CloseIdleConnections()
	response, err := (&http.Client{Transport: transport}).Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	return response.StatusCode
}

func TestRunFails(t *testing.T) {
	dir := t.TempDir()
	write := func(name, content string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	empty, ca := write("empty.yaml", "{}"), filepath.Join(dir, "ca.pem")
	for name, tc := range map[string]struct {
		reason string
		opts   options
		want   string
	}{
		"no seed":        {"the file is not there", options{seedFile: filepath.Join(dir, "none")}, "reading the seed"},
		"bad seed":       {"the line is told", options{seedFile: write("bad.yaml", "\nvault: []")}, "bad.yaml:2: vault: there is no such field"},
		"unset variable": {"its name is told", options{seedFile: write("unset.yaml", "vaultDNSSuffix: ${NOWHERE}")}, "unset.yaml:1: the environment variable NOWHERE is not set"},
		"not loopback":   {"and why that matters", options{seedFile: empty, listen: "0.0.0.0:0"}, "which is not loopback: the emulator gives whoever reaches it tokens"},
		"no issuer CA":   {"the file is not there", options{seedFile: empty, issuerCAs: []string{filepath.Join(dir, "none")}}, "reading the issuers' authorities"},
		"bad issuer CA":  {"something else", options{seedFile: empty, issuerCAs: []string{empty}}, "there is no certificate in it"},
		"CA file":        {"a folder that is not there", options{seedFile: empty, caFile: filepath.Join(dir, "none", "ca.pem")}, "writing " + filepath.Join(dir, "none", "ca.pem")},
		"address file":   {"a folder that is not there", options{seedFile: empty, caFile: ca, addressFile: filepath.Join(dir, "none", "a")}, "writing " + filepath.Join(dir, "none", "a")},
	} {
		t.Run(name, func(t *testing.T) {
			if tc.opts.listen == "" {
				tc.opts.listen = "127.0.0.1:0"
			}
			err := run(t.Context(), tc.opts, variables, io.Discard, &bytes.Buffer{})
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("%s: got %v, want %q in it", tc.reason, err, tc.want)
			}
		})
	}
}

func TestIssuerAuthoritiesAddToTheSystems(t *testing.T) {
	server, err := emulator.Start(t.Context(), emulator.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	file := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(file, server.CAPEM(), 0o600); err != nil {
		t.Fatal(err)
	}
	if roots, err := issuerRoots([]string{file}); roots == nil || err != nil {
		t.Errorf("got %v, %v", roots, err)
	}
	if roots, err := issuerRoots(nil); roots != nil || err != nil {
		t.Errorf("without files: got %v, %v; want the system's", roots, err)
	}
}
