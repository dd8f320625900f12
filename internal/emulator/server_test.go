package emulator_test

import (
	"context"
	"crypto/x509"
	"net"
	"net/http"
	"strings"
	"testing"

	"secretstore/internal/emulator"
	"secretstore/internal/emulator/state"
	"secretstore/internal/emulator/wire"
)

func TestStartRefuses(t *testing.T) {
	taken, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	for name, tc := range map[string]struct {
		reason  string
		options emulator.Options
		want    string
	}{
		"all addresses": {"others would get Microsoft's names from it", emulator.Options{Listen: "0.0.0.0:0"}, "is not loopback: the emulator gives whoever reaches it"},
		"no host":       {"which means all addresses", emulator.Options{Listen: ":8443"}, "is not loopback"},
		"another host":  {"a name may lead anywhere", emulator.Options{Listen: "example.com:443"}, "is not loopback"},
		"no port":       {"an address has one", emulator.Options{Listen: "127.0.0.1"}, "it must be HOST:PORT"},
		"taken":         {"somebody listens there", emulator.Options{Listen: taken.Addr().String()}, "listening on " + taken.Addr().String()},
		"bad seed":      {"the seed says so", emulator.Options{Seed: state.Seed{Vaults: []state.VaultSeed{{Name: "x"}}}}, "vaults[0]"},
		"bad behaviour": {"the seed says so", emulator.Options{Seed: state.Seed{Behaviour: wire.Behaviour{Faults: []wire.Fault{{Kind: "x"}}}}}, "faults[0]"},
	} {
		t.Run(name, func(t *testing.T) {
			server, err := emulator.Start(t.Context(), tc.options)
			if err == nil {
				_ = server.Close()
			}
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("%s: got %v, want %q in it", tc.reason, err, tc.want)
			}
		})
	}
}

func TestServerEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	server, err := emulator.Start(ctx, emulator.Options{})
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	if err := server.Close(); err != nil {
		t.Errorf("closing: %v", err)
	}
	if err := server.Close(); err != nil {
		t.Errorf("closing again: %v", err)
	}
	if _, err := server.HTTPClient().Get("https://localhost/healthz"); err == nil {
		t.Error("it still answers")
	}
}

func TestCloseEndsWhatHangs(t *testing.T) {
	server, err := emulator.Start(t.Context(), emulator.Options{Seed: state.Seed{
		Behaviour: wire.Behaviour{Faults: []wire.Fault{{Kind: wire.KindHang}}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() {
		_, err := server.HTTPClient().Get("https://login.microsoftonline.com/x/discovery/v2.0/keys")
		done <- err
	}()
	if _, err := server.AwaitRequest(t.Context(), func(e wire.Entry) bool { return e.Operation == "entra.keys" }); err != nil {
		t.Fatal(err)
	}
	if err := server.Close(); err != nil {
		t.Errorf("closing: %v", err)
	}
	if err := <-done; err == nil {
		t.Error("what hung was answered")
	}
}

func TestCAPEMIsWhatClientsTrust(t *testing.T) {
	f := start(t)
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(f.CAPEM()) {
		t.Fatal("there is no certificate in it")
	}
	transport, ok := f.HTTPClient().Transport.(*http.Transport)
	if !ok || !transport.TLSClientConfig.RootCAs.Equal(roots) {
		t.Error("the emulator's own client trusts another")
	}
}

func TestAuthorityAndSuffixAreSettable(t *testing.T) {
	f := start(t)
	custom := seed(f.issuer.URL)
	custom.AuthorityHosts, custom.VaultDNSSuffix = []string{"login.emulator.test"}, "vault.emulator.test"
	own := (&fixture{tb: t, issuer: f.issuer, logs: &logs{}}).with(emulator.Options{Seed: custom})
	form := secretForm(operatorID, operatorsPass)
	form.Set("scope", "https://vault.emulator.test/.default")
	token, _ := own.ask("https://login.emulator.test/"+tenantID+"/oauth2/v2.0/token", form).json(t)["access_token"].(string)
	r := own.call(http.MethodGet, "https://my-key-vault.vault.emulator.test/secrets/my-secret"+version, token, "")
	if id, _ := r.json(t)["id"].(string); r.status != 200 || !strings.HasPrefix(id, "https://my-key-vault.vault.emulator.test/") {
		t.Errorf("got %d %s", r.status, r.body)
	}
	if r, err := own.try(http.MethodGet, vaultURL+"/secrets", "", ""); err == nil {
		t.Errorf("the public suffix still answers: %d", r.status)
	}
}
