package cluster_test

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/utils/clock"

	"secretstore/internal/azure/entra"
	"secretstore/internal/migrate/act"
	"secretstore/internal/migrate/cluster"
	"secretstore/internal/migrate/model"
	plane "secretstore/test/cluster"
	"secretstore/test/stack"
)

// canary stands in every secret value, so that one that shows up where it must not can be found.
const canary = "canary-7c2d"

// suite is what all tests of this package share: one control plane, the emulator and the controller, under the chart's rights and
// policies.
type suite struct {
	cluster *plane.Cluster
	stack   *stack.Stack
	dir     string
}

// shared is made by TestMain.
var shared suite

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	flag.Parse()
	crds, err := plane.Manifests("charts/secretstore/crds/*.yaml",
		"test/migration/testdata/estate/cluster/crds/secretproviderclasspodstatuses.yaml")
	if err != nil {
		return failed(err)
	}
	if shared.dir, err = os.MkdirTemp("", "secretstore-act-"); err != nil {
		return failed(err)
	}
	defer func() { _ = os.RemoveAll(shared.dir) }()
	if err := stack.Build(context.Background(), shared.dir, false); err != nil {
		return failed(err)
	}
	return plane.Shared(runner{m}, plane.Options{Manifests: crds}, &shared.cluster)
}

// runner starts the programs once the cluster is there, around the tests.
type runner struct{ m *testing.M }

// Run implements the part of testing.M that Shared uses.
func (r runner) Run() int {
	ctx := context.Background()
	seed := filepath.Join(shared.dir, "seed.yaml")
	err := os.WriteFile(seed, seedOf(shared.cluster.Issuer()), 0o600)
	if err != nil {
		return failed(err)
	}
	shared.stack, err = stack.StartEmulator(ctx, stack.Options{
		Cluster: shared.cluster, Programs: shared.dir, Dir: shared.dir, Seed: seed,
		ControllerFlags: []string{"--driftCheckIntervalInSeconds=2"},
	})
	if err != nil {
		return failed(err)
	}
	if err := shared.stack.StartController(ctx); err != nil {
		return failed(err)
	}
	code := r.m.Run()
	if err := shared.stack.Stop(); err != nil {
		return failed(err)
	}
	return code
}

func failed(err error) int {
	fmt.Fprintln(os.Stderr, err)
	return 1
}

// Identities and vaults are one for each place, as tests run beside each other.
const (
	tenantID   = "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee"
	operatorID = "99999999-8888-7777-6666-555555555555"
	account    = "secretstore"
	places     = 9
)

func clientID(n int) string    { return fmt.Sprintf("11111111-0000-0000-0000-00000000000%d", n) }
func vaultName(n int) string   { return fmt.Sprintf("vault-%d", n) }
func namespaceOf(n int) string { return fmt.Sprintf("place-%d", n) }

func operator() stack.Operator {
	return stack.Operator{TenantID: tenantID, ClientID: operatorID, ClientSecret: canary + "-operator"}
}

// seedOf is the emulator's state.
func seedOf(issuer string) []byte {
	var apps, vaults strings.Builder
	for n := range places {
		fmt.Fprintf(&apps, "  - {clientID: %s, name: identity-%d, federatedCredentials: [{name: cluster, issuer: %q, "+
			"subject: 'system:serviceaccount:%s:%s'}]}\n", clientID(n), n, issuer, namespaceOf(n), account)
		fmt.Fprintf(&vaults, "  - name: %s\n    roleAssignments:\n      - {clientID: %s, role: Key Vault Administrator}\n"+
			"      - {clientID: %s, role: Key Vault Secrets User}\n    secrets:\n"+
			"      - {name: plain, value: %s-plain}\n      - {name: other, value: %s-other}\n",
			vaultName(n), operatorID, clientID(n), canary, canary)
	}
	return fmt.Appendf(nil, "tenants: [{id: %s, name: Contoso, domain: contoso.onmicrosoft.com}]\napplications:\n"+
		"  - {clientID: %s, name: operator, kind: application, clientSecrets: [{value: %s-operator}]}\n%svaults:\n%s",
		tenantID, operatorID, canary, &apps, &vaults)
}

// fixture is a namespace and the means to work in it.
type fixture struct {
	*cluster.Cluster

	namespace string
	dynamic   dynamic.Interface
	typed     kubernetes.Interface
	options   cluster.Options

	mu    sync.Mutex
	told  []string
	saved map[string]map[string]any
}

// newFixture makes a namespace and a port onto the cluster for somebody who may do everything.
func newFixture(t *testing.T) *fixture {
	t.Helper()
	return newFixtureIn(t, shared.cluster.Namespace(t), shared.cluster.Config(), nil)
}

// newFixtureIn is a port for somebody else, with options of its own.
func newFixtureIn(t *testing.T, namespace string, config *rest.Config, change func(*cluster.Options)) *fixture {
	t.Helper()
	f := &fixture{namespace: namespace, saved: map[string]map[string]any{}}
	cloud, err := entra.LoadCloud(shared.stack.CloudFile)
	if err != nil {
		t.Fatal(err)
	}
	f.options = cluster.Options{
		Config: config, Clouds: entra.NewClouds(cloud), Clock: clock.RealClock{}, Chance: func() float64 { return 0 },
		Tell: func(text string) {
			f.mu.Lock()
			defer f.mu.Unlock()
			f.told = append(f.told, text)
		},
		Save: func(_ context.Context, name string, definition map[string]any) error {
			f.saved[name] = definition
			return nil
		},
	}
	if change != nil {
		change(&f.options)
	}
	if f.Cluster, err = cluster.New(f.options); err != nil {
		t.Fatal(err)
	}
	if f.dynamic, err = dynamic.NewForConfig(shared.cluster.Config()); err != nil {
		t.Fatal(err)
	}
	if f.typed, err = kubernetes.NewForConfig(shared.cluster.Config()); err != nil {
		t.Fatal(err)
	}
	return f
}

// apply applies manifests in the fixture's namespace, as another than the program.
func (f *fixture) apply(t *testing.T, manifest string) {
	t.Helper()
	text := strings.NewReplacer("NAMESPACE", f.namespace, "CANARY", canary).Replace(manifest)
	if err := shared.cluster.Apply(t.Context(), []byte(text)); err != nil {
		t.Fatal(err)
	}
}

// resources are where the kinds of these tests are served.
func resources() map[string]schema.GroupVersionResource {
	return map[string]schema.GroupVersionResource{
		"ConfigMap": {Version: "v1", Resource: "configmaps"}, "Secret": {Version: "v1", Resource: "secrets"},
		"ServiceAccount": {Version: "v1", Resource: "serviceaccounts"}, "Pod": {Version: "v1", Resource: "pods"},
		"Deployment":            {Group: "apps", Version: "v1", Resource: "deployments"},
		"StatefulSet":           {Group: "apps", Version: "v1", Resource: "statefulsets"},
		"DaemonSet":             {Group: "apps", Version: "v1", Resource: "daemonsets"},
		"ReplicaSet":            {Group: "apps", Version: "v1", Resource: "replicasets"},
		"ReplicationController": {Version: "v1", Resource: "replicationcontrollers"},
		"CronJob":               {Group: "batch", Version: "v1", Resource: "cronjobs"},
		"Job":                   {Group: "batch", Version: "v1", Resource: "jobs"},
		"SecretSync":            {Group: "secret-sync.x-k8s.io", Version: "v1alpha1", Resource: "secretsyncs"},
		"SecretProviderClass":   {Group: "secrets-store.csi.x-k8s.io", Version: "v1", Resource: "secretproviderclasses"},
	}
}

// ref names an object of the fixture's namespace.
func (f *fixture) ref(kind, name string) model.Ref {
	gvr := resources()[kind]
	return model.Ref{APIVersion: gvr.GroupVersion().String(), Kind: kind, Namespace: f.namespace, Name: name}
}

// live reads an object, nil for none.
func (f *fixture) live(t *testing.T, ref model.Ref) map[string]any {
	t.Helper()
	object, err := f.dynamic.Resource(resources()[ref.Kind]).Namespace(ref.Namespace).Get(t.Context(), ref.Name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return nil
	}
	if err != nil {
		t.Fatal(err)
	}
	return object.Object
}

// at is what stands at a path of a live object.
func (f *fixture) at(t *testing.T, ref model.Ref, path ...any) any {
	t.Helper()
	value, _ := model.Path(path).Get(f.live(t, ref))
	return value
}

// look looks at a step and wants a standing.
func (f *fixture) look(t *testing.T, c model.Change, want act.Standing) act.Sight {
	t.Helper()
	seen, err := f.Look(t.Context(), c)
	if err != nil {
		t.Fatalf("Look: %v", err)
	}
	if seen.Standing != want {
		t.Fatalf("%s %s is %s (%s), want %s", c.Verb, c.Object, seen.Standing, seen.Why, want)
	}
	if strings.Contains(seen.Why, canary) {
		t.Errorf("a value is in the reason: %s", seen.Why)
	}
	return seen
}

// make looks at a step, lets the API server judge it, makes it, and looks again: it must be done.
func (f *fixture) make(t *testing.T, c model.Change) act.Entry {
	t.Helper()
	seen := f.look(t, c, act.Open)
	if _, err := f.Apply(t.Context(), c, seen, true); err != nil {
		t.Fatalf("Apply, dry: %v", err)
	}
	f.look(t, c, act.Open)
	made, err := f.Apply(t.Context(), c, seen, false)
	if err != nil {
		t.Fatalf("Apply: %v", err)
	}
	if done := f.look(t, c, act.Done); c.Verb != model.Delete && (done.UID != made.UID || made.UID == "") {
		t.Errorf("made has UID %q, what is there %q", made.UID, done.UID)
	}
	return act.Entry{What: act.Made, Change: c, Before: seen.Before, UID: made.UID}
}

// revert takes a step back twice: the second time nothing is left to do.
func (f *fixture) revert(t *testing.T, e act.Entry) {
	t.Helper()
	for range 2 {
		if err := f.Revert(t.Context(), e); err != nil {
			t.Fatalf("Revert: %v", err)
		}
	}
}

// status writes an object's status, as its controller would.
func (f *fixture) status(t *testing.T, ref model.Ref, status string) {
	t.Helper()
	_, err := f.dynamic.Resource(resources()[ref.Kind]).Namespace(ref.Namespace).Patch(t.Context(), ref.Name, types.MergePatchType,
		[]byte(`{"status":`+status+`}`), metav1.PatchOptions{FieldManager: "kube-controller-manager"}, "status")
	if err != nil {
		t.Fatal(err)
	}
}

// patch is somebody else's JSON patch.
func (f *fixture) patch(t *testing.T, ref model.Ref, patch string) {
	t.Helper()
	_, err := f.dynamic.Resource(resources()[ref.Kind]).Namespace(ref.Namespace).Patch(t.Context(), ref.Name, types.JSONPatchType,
		[]byte(patch), metav1.PatchOptions{FieldManager: "kubectl-edit"})
	if err != nil {
		t.Fatal(err)
	}
}

// deleteNow deletes without a grace period.
func deleteNow() metav1.DeleteOptions { return metav1.DeleteOptions{GracePeriodSeconds: new(int64(0))} }

// nowhere is a cloud at an address where nobody listens.
func nowhere(t *testing.T) entra.Clouds {
	t.Helper()
	file := filepath.Join(t.TempDir(), "cloud.yaml")
	address, err := stack.FreeAddress(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	text := fmt.Sprintf("name: nowhere\ncaFile: %s\ndialAddress: %s\n", shared.stack.CAFile, address)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cloud, err := entra.LoadCloud(file)
	if err != nil {
		t.Fatal(err)
	}
	return entra.NewClouds(cloud)
}
