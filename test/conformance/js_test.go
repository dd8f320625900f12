//go:build node

package conformance_test

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"secretstore/test/connectproxy"
)

// TestJavaScriptSDK runs js/*.test.mjs, the second opinion on the emulator. It is tagged "node", so that "make test" needs
// nothing but Go; "make test-node", "make test-long" and CI run it.
func TestJavaScriptSDK(t *testing.T) {
	for _, program := range []string{"node", "npm"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Fatalf("%s is needed, and not on the PATH: install Node.js 20 or newer (https://nodejs.org/en/download, or "+
				"apt-get install nodejs npm)", program)
		}
	}
	install(t)
	a := start(t)
	proxy := connectproxy.Start(t)
	proxy.SendTo(a.Addr())
	ca := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, a.CAPEM(), 0o600); err != nil {
		t.Fatal(err)
	}
	node := exec.CommandContext(t.Context(), "node", "--test")
	node.Dir = "js"
	node.Env = append(os.Environ(),
		"HTTPS_PROXY=http://"+proxy.Address(), "https_proxy=http://"+proxy.Address(), "NO_PROXY=", "no_proxy=", "NODE_EXTRA_CA_CERTS="+ca,
		"TENANT_ID="+tenantID, "IDENTITY_ID="+identityID, "OPERATOR_ID="+operatorID, "OPERATOR_PASSWORD="+password,
		"VAULT_URL="+vaultURL, "SUBSCRIPTION_ID="+subscriptionID,
		"ASSERTION="+a.issuer.Token(subject, nil), "ASSERTION_ISSUER="+a.issuer.URL, "ASSERTION_SUBJECT="+subject,
		"FOREIGN_ASSERTION="+a.issuer.Token("system:serviceaccount:shop:other", nil),
	)
	if output, err := node.CombinedOutput(); err != nil {
		t.Errorf("node --test: %v\n%s", err, output)
	}
}

// install has npm fetch what the lock file names, unless it has done so.
func install(t *testing.T) {
	t.Helper()
	lock, err := os.ReadFile("js/package-lock.json")
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(lock)
	const stamp = "js/node_modules/.installed"
	if done, err := os.ReadFile(stamp); err == nil && string(done) == hex.EncodeToString(sum[:]) {
		return
	}
	npm := exec.CommandContext(t.Context(), "npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts")
	npm.Dir = "js"
	if output, err := npm.CombinedOutput(); err != nil {
		t.Fatalf("npm ci: %v\n%s", err, output)
	}
	if err := os.WriteFile(stamp, []byte(hex.EncodeToString(sum[:])), 0o600); err != nil {
		t.Fatal(err)
	}
}
