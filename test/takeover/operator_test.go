package takeover_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
	"go.yaml.in/yaml/v3"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/utils/clock"

	"secretstore/internal/azure/arm"
	"secretstore/internal/emulator/state"
	"secretstore/test/cluster"
	"secretstore/test/connectproxy"
	"secretstore/test/migration/estate"
	"secretstore/test/rig"
)

// Where the cluster and its vaults are in Azure, and who takes it over.
const (
	subscription = "77777777-0000-0000-0000-000000000000"
	group        = "shop"
	clusterName  = "edge"
	extension    = "akvsecretsprovider"
	ownerID      = "0be00000-8888-4aaa-8bbb-000000000001"
	ownerSecret  = "canary-owner-secret"
	oldPrincipal = "01d00000-5555-4666-8777-0000000000bb"
)

// world is a cluster on the old way, connected by Arc, and the operator who takes it over by the program.
type world struct {
	*rig.Rig

	t       *testing.T
	proxy   *connectproxy.Proxy
	agents  *rig.Agents
	arm     *arm.Client
	objects []*unstructured.Unstructured
	state   string // the operator's folder
	env     []string
	program string
	// output is all that the program has said.
	output strings.Builder
}

// driverDir has what the extension installs.
const driverDir = "testdata/driver"

// newWorld starts a rig with the objects, all of which run, but those that cannot.
func newWorld(t *testing.T, objects []*unstructured.Unstructured, unwell ...string) *world {
	t.Helper()
	w := &world{t: t, objects: objects, state: filepath.Join(t.TempDir(), "state"), proxy: connectproxy.Start(t)}
	definitions, err := cluster.Manifests("test/migration/testdata/estate/cluster/crds/*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	w.Rig, err = rig.Start(t.Context(), rig.Options{
		Manifests: definitions, Nodes: nodesOf(objects), Seed: w.seed(), Programs: programs, Log: t.Output(),
		Driver: rig.DriverOptions{OwnersEvery: 500 * time.Millisecond, Identity: rig.Operator(tenant)},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.Stop(); err != nil {
			t.Error(err)
		}
	})
	w.proxy.SendTo(w.Stack.Address)
	driver, err := estate.Load(driverDir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := estate.Apply(t.Context(), w.Cluster.Config(), driver); err != nil {
		t.Fatal(err)
	}
	if err := w.Settle(t.Context(), objects, unwell...); err != nil {
		t.Fatal(err)
	}
	w.signIn()
	w.agents = w.StartAgents(t.Context(), w.hasExtension, driver)
	t.Cleanup(func() {
		if err := w.agents.Stop(); err != nil {
			t.Error(err)
		}
	})
	t.Logf("the old way runs %.1f s after the start", time.Since(began).Seconds())
	return w
}

// nodesOf are the nodes to make: none where manifests bring their own.
func nodesOf(objects []*unstructured.Unstructured) []string {
	if slices.ContainsFunc(objects, func(o *unstructured.Unstructured) bool { return o.GetKind() == "Node" }) {
		return []string{}
	}
	return nil
}

// seed writes what the emulator holds, and returns the file's path.
func (w *world) seed() string {
	w.t.Helper()
	seed, err := rig.Vaults(w.objects)
	if err != nil {
		w.t.Fatal(err)
	}
	seed.Applications = append(seed.Applications, state.Application{
		TenantID: tenant, ClientID: ownerID, Name: "owner", Kind: state.KindApplication, GraphAccess: state.GraphWrite,
		ClientSecrets: []state.ClientSecret{{Value: ownerSecret}},
	})
	for i := range seed.Vaults {
		if seed.Vaults[i].TenantID == tenant {
			seed.Vaults[i].SubscriptionID, seed.Vaults[i].ResourceGroup = subscription, group
		}
	}
	seed.Management = state.ManagementSeed{
		Subscriptions:   []state.Subscription{{ID: subscription, Name: "Shop", TenantID: tenant}},
		ResourceGroups:  []state.ResourceGroup{{SubscriptionID: subscription, Name: group}},
		RoleAssignments: []state.RoleAssignment{{ClientID: ownerID, Role: "Owner", Scope: "/subscriptions/" + subscription}},
		ConnectedClusters: []state.Cluster{{
			Name: clusterName, TenantID: tenant, SubscriptionID: subscription, ResourceGroup: group,
			OIDCIssuer: true, IssuerURL: "${SERVICE_ACCOUNT_ISSUER}",
			Extensions: []state.Extension{{
				Name: extension, Type: "microsoft.azurekeyvaultsecretsprovider", Version: "1.7.2", ReleaseNamespace: "kube-system",
				Settings: map[string]string{"secrets-store-csi-driver.syncSecret.enabled": "true"},
			}},
		}},
	}
	text, err := yaml.Marshal(seed)
	if err != nil {
		w.t.Fatal(err)
	}
	path := filepath.Join(w.t.TempDir(), "seed.yaml")
	if err := os.WriteFile(path, text, 0o600); err != nil {
		w.t.Fatal(err)
	}
	return path
}

// signIn prepares the operator's environment, and a client with the operator's login.
func (w *world) signIn() {
	w.t.Helper()
	kubeconfig, err := w.Cluster.KubeconfigFile("operator", w.Cluster.Config())
	if err != nil {
		w.t.Fatal(err)
	}
	w.program = program(w.t)
	w.env = []string{
		"KUBECONFIG=" + kubeconfig, "NO_PROXY=127.0.0.1,localhost", "USER=operator",
		"HTTPS_PROXY=http://" + w.proxy.Address(), "HTTP_PROXY=http://" + w.proxy.Address(), "SSL_CERT_FILE=" + w.Stack.CAFile,
		"SSL_CERT_DIR=" + w.t.TempDir(), "AZURE_TENANT_ID=" + tenant, "AZURE_CLIENT_ID=" + ownerID, "AZURE_CLIENT_SECRET=" + ownerSecret,
		"SUBSCRIPTION=" + subscription, "RESOURCE_GROUP=" + group, "CLUSTER_NAME=" + clusterName, "LOCATION=westeurope",
		"USER_ASSIGNED_IDENTITY_NAME=shop-secrets",
	}
	transport := w.Stack.HTTPClient()
	credential, err := azidentity.NewClientSecretCredential(tenant, ownerID, ownerSecret, &azidentity.ClientSecretCredentialOptions{
		ClientOptions: policy.ClientOptions{Transport: transport}, DisableInstanceDiscovery: true,
	})
	if err != nil {
		w.t.Fatal(err)
	}
	w.arm, err = arm.New(credential, arm.Options{ClientOptions: policy.ClientOptions{Transport: transport}, Clock: clock.RealClock{}})
	if err != nil {
		w.t.Fatal(err)
	}
}

// place is where the cluster is in Azure.
func place() arm.Group { return arm.Group{Subscription: subscription, Name: group} }

// hasExtension says whether the old extension is there.
func (w *world) hasExtension(ctx context.Context) (bool, error) {
	extensions, err := w.arm.Extensions(ctx, place(), clusterName)
	if err != nil {
		return false, fmt.Errorf("listing extensions: %w", err)
	}
	return slices.ContainsFunc(extensions, func(e arm.Extension) bool { return e.Name == extension }), nil
}

// program is the built program.
func program(t *testing.T) string {
	t.Helper()
	path := filepath.Join(programs, "kubectl-secretstore")
	if _, err := os.Stat(path); err == nil {
		return path
	}
	cmd := exec.CommandContext(t.Context(), "go", "build", "-trimpath", "-o", path, "../../cmd/kubectl-secretstore")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("building the program: %v\n%s", err, out)
	}
	return path
}

// answer writes plan.yaml.
func (w *world) answer(answers map[string]string) {
	w.t.Helper()
	var b strings.Builder
	b.WriteString("version: 1\ndecisions:\n")
	for _, id := range slices.Sorted(maps.Keys(answers)) {
		fmt.Fprintf(&b, "  - {id: %q, answer: %q, decided: true}\n", id, answers[id])
	}
	err := errors.Join(os.MkdirAll(w.state, 0o700), os.WriteFile(filepath.Join(w.state, "plan.yaml"), []byte(b.String()), 0o600))
	if err != nil {
		w.t.Fatal(err)
	}
}

// ended is how the program ended: its summary, if it got so far, all that it said, and its exit code.
type ended struct {
	Made   int            `json:"made"`
	Left   []leftStep     `json:"left"`
	Found  int            `json:"found"`
	Fates  map[string]int `json:"fates"`
	Counts struct {
		Total, Translated, NeedsDecision, Blocked, NotInUse int
	} `json:"counts"`
	said string
	code int
}

// leftStep is a step that the program left to somebody.
type leftStep struct {
	ID  string `json:"id"`
	Why string `json:"why"`
}

// migrate runs the program, and returns how it ended.
func (w *world) migrate(args ...string) ended {
	w.t.Helper()
	args = slices.Concat([]string{"migrate"}, args, []string{"-o", "json", "--state", w.state})
	cmd := exec.CommandContext(w.t.Context(), w.program, args...)
	cmd.Env = w.env
	var out, said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, io.MultiWriter(&said, w.t.Output())
	began := time.Now()
	err := cmd.Run()
	w.output.Write(slices.Concat(out.Bytes(), said.Bytes()))
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
		w.t.Fatal(err)
	}
	e := w.ended(out.String(), said.String(), cmd.ProcessState.ExitCode())
	w.t.Logf("%s took %.1f s, exit code %d", strings.Join(args[:2], " "), time.Since(began).Seconds(), e.code)
	return e
}

// ended is how the program ended, by what it said.
func (w *world) ended(out, said string, code int) ended {
	w.t.Helper()
	e := ended{said: said, code: code}
	if out != "" {
		if err := json.Unmarshal([]byte(out), &e); err != nil {
			w.t.Fatalf("%v: %s", err, out)
		}
	}
	return e
}

// rightsOf are the roles that a principal has on the vaults.
func (w *world) rightsOf(client string) []string {
	w.t.Helper()
	principal, err := w.arm.Principal(w.t.Context(), client)
	if err != nil {
		w.t.Fatal(err)
	}
	ids, err := w.arm.VaultIDs(w.t.Context(), subscription, vaultNames(w.objects)...)
	if err != nil {
		w.t.Fatal(err)
	}
	var rights []string
	for name, id := range ids {
		assignments, err := w.arm.RoleAssignments(w.t.Context(), id, principal.ObjectID)
		if err != nil {
			w.t.Fatal(err)
		}
		for _, a := range assignments {
			rights = append(rights, name+": "+a.Role)
		}
	}
	slices.Sort(rights)
	return rights
}

// vaultNames are the vaults that classes name.
func vaultNames(objects []*unstructured.Unstructured) []string {
	var names []string
	for _, o := range objects {
		if name, _, _ := unstructured.NestedString(o.Object, "spec", "parameters", "keyvaultName"); name != "" {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}
