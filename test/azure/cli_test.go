package azure

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"secretstore/internal/emulator/state"
	"secretstore/internal/migrate/model"
	"secretstore/test/cluster"
	"secretstore/test/connectproxy"
)

// TestCommandAsksAzure: the program itself, with the login of a service principal in the environment, by Azure's own names: through
// a proxy and with the authorities that the environment names.
func TestCommandAsksAzure(t *testing.T) {
	t.Parallel()
	program := build(t)
	w := start(t, state.ManagementSettings{})
	proxy := connectproxy.Start(t)
	proxy.SendTo(w.Addr())
	dir := t.TempDir()
	for name, content := range map[string][]byte{"ca.pem": w.CAPEM(), "deploy/all.yaml": []byte(manifests())} {
		if err := errors.Join(os.MkdirAll(filepath.Join(dir, "deploy"), 0o700), os.WriteFile(filepath.Join(dir, name), content, 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	login := []string{
		"HTTPS_PROXY=http://" + proxy.Address(), "HTTP_PROXY=http://" + proxy.Address(), "SSL_CERT_FILE=" + filepath.Join(dir, "ca.pem"),
		"AZURE_TENANT_ID=" + tenantID, "AZURE_CLIENT_ID=" + readerID, "AZURE_CLIENT_SECRET=" + password,
	}
	where := []string{"--subscription", subscriptionID, "--resource-group", "rg", "--cluster-name", "edge"}
	for name, tc := range map[string]struct {
		reason   string
		env      []string
		says     []model.Code
		azure    bool
		mentions string
	}{
		"Login":       {"Azure is read", login, nil, true, ""},
		"WrongSecret": {"Entra's code is said, and no secret", append(slices.Clone(login), "AZURE_CLIENT_SECRET=canary-wrong"), []model.Code{model.AzureNoLogin}, false, "AADSTS7000215"},
		"Nobody":      {"nobody is signed in, and no machine's identity is waited for", login[:3], []model.Code{model.AzureNoLogin}, false, "az login"},
	} {
		t.Run(name, func(t *testing.T) {
			folder := filepath.Join(dir, name)
			cmd := exec.CommandContext(t.Context(), program, append([]string{
				"migrate", "inventory", "--from", filepath.Join(dir, "deploy"), "--state", folder, "-o", "json",
			}, where...)...)
			cmd.Env = tc.env // and no PATH, where somebody may have az
			var out, errOut bytes.Buffer
			cmd.Stdout, cmd.Stderr = &out, &errOut
			_ = cmd.Run() // what is left to decide makes it fail
			var report model.Report
			if err := json.Unmarshal(out.Bytes(), &report); err != nil {
				t.Fatalf("%v; it said %s", err, errOut.String())
			}
			var said []model.Code
			for _, f := range report.Findings {
				if f.Code >= model.AzureNotAsked && f.Code <= model.AzureUnread {
					said = append(said, f.Code)
				}
			}
			if !slices.Equal(said, tc.says) || !strings.Contains(out.String(), tc.mentions) {
				t.Errorf("%s: it said %v: %s", tc.reason, said, out.String())
			}
			if shown := out.String() + errOut.String(); strings.Contains(shown, "canary") || strings.Contains(shown, "eyJ") {
				t.Errorf("%s: a secret was shown: %s", tc.reason, shown)
			}
			saved, err := os.ReadFile(filepath.Join(folder, "akv-spe-extension-config.json"))
			if (err == nil) != tc.azure || tc.azure && !strings.Contains(string(saved), `"secrets-store-csi-driver.syncSecret.enabled": "true"`) {
				t.Errorf("%s: the extension's settings were saved as %s, %v", tc.reason, saved, err)
			}
		})
	}
	if proxy.Connected("169.254.169.254:80") || !proxy.Connected("management.azure.com:443") {
		t.Error("it did not ask whom it should, or somebody else")
	}
}

// build builds the program.
func build(t *testing.T) string {
	t.Helper()
	root, err := cluster.Root()
	if err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(t.TempDir(), "kubectl-secretstore")
	cmd := exec.CommandContext(t.Context(), "go", "build", "-trimpath", "-o", program, "./cmd/kubectl-secretstore")
	cmd.Dir, cmd.Env = root, append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("building the program: %v\n%s", err, out)
	}
	return program
}
