//go:build long

package storm

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"text/template"
	"time"

	"golang.org/x/sync/errgroup"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	spcv1 "sigs.k8s.io/secrets-store-csi-driver/apis/v1"

	"secretstore/api/secretsync/v1alpha1"
	"secretstore/internal/kube"
	"secretstore/test/stack"
)

const (
	tenantID, vault, account = "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee", "storm", "web"
	// objectsPerClass is how many objects a SecretProviderClass has.
	objectsPerClass = 10
	// writers is how many objects of the API server are written at the same time.
	writers = 8
)

// fleet is clusters that share one vault. Each is played by a namespace with an identity of its own, and a controller that
// serves it alone.
type fleet struct {
	stack  *stack.Stack
	client client.Client
	sites  []*site
	// objects is how many SecretSyncs each site has. Each maps a secret of its own, so that no request can be shared.
	objects int
}

// site is one of the clusters.
type site struct {
	number              int
	namespace, clientID string
	metrics             string
	controller          *stack.Process
}

// all is how many SecretSyncs the fleet has.
func (f *fleet) all() int { return len(f.sites) * f.objects }

func (s *site) secret(i int) string { return fmt.Sprintf("s-%d-%d", s.number, i) }

// secrets are the names of the secrets that a fleet needs.
func (f *fleet) secrets() []string {
	var names []string
	for _, s := range f.sites {
		for i := range f.objects {
			names = append(names, s.secret(i))
		}
	}
	return names
}

const seedText = `
tenants: [{id: {{.Tenant}}, name: Contoso, domain: contoso.onmicrosoft.com}]
applications:
{{- range .Sites}}
  - clientID: {{.ClientID}}
    name: {{.Namespace}}
    federatedCredentials: [{name: cluster, issuer: "{{$.Issuer}}", subject: "system:serviceaccount:{{.Namespace}}:{{$.Account}}"}]
{{- end}}
vaults:
  - name: {{.Vault}}
    roleAssignments:
{{- range .Sites}}
      - {clientID: {{.ClientID}}, role: Key Vault Secrets User}
{{- end}}
    secrets:
{{- range .Secrets}}
      - {name: {{.}}, value: "value of {{.}}"}
{{- end}}
`

// newFleet starts the emulator with a vault of all secrets, and makes what sites need but for their SecretSyncs and controllers.
func newFleet(t *testing.T, sites, objects int) *fleet {
	t.Helper()
	scheme := runtime.NewScheme()
	if err := errors.Join(corev1.AddToScheme(scheme), v1alpha1.AddToScheme(scheme), spcv1.AddToScheme(scheme)); err != nil {
		t.Fatal(err)
	}
	config := shared.Config()
	config.QPS = -1
	c, err := client.New(config, client.Options{Scheme: scheme})
	if err != nil {
		t.Fatal(err)
	}
	f := &fleet{client: c, objects: objects}
	for i := range sites {
		s := &site{number: i, namespace: shared.Namespace(t), clientID: fmt.Sprintf("11111111-0000-0000-0000-%012d", i)}
		if s.metrics, err = stack.FreeAddress(t.Context()); err != nil {
			t.Fatal(err)
		}
		f.sites = append(f.sites, s)
	}
	f.start(t)
	for _, s := range f.sites {
		f.furnish(t, s)
	}
	return f
}

// start starts the emulator and installs the chart.
func (f *fleet) start(t *testing.T) {
	t.Helper()
	type identity struct{ Namespace, ClientID string }
	identities := make([]identity, 0, len(f.sites))
	for _, s := range f.sites {
		identities = append(identities, identity{s.namespace, s.clientID})
	}
	var seed bytes.Buffer
	if err := template.Must(template.New("seed").Parse(seedText)).Execute(&seed, map[string]any{
		"Tenant": tenantID, "Issuer": shared.Issuer(), "Account": account, "Vault": vault, "Sites": identities, "Secrets": f.secrets(),
	}); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	key := make([]byte, 32)
	_, _ = rand.Read(key)
	seedFile, keyFile := filepath.Join(dir, "seed.yaml"), filepath.Join(dir, "key")
	err := errors.Join(os.WriteFile(seedFile, seed.Bytes(), 0o600), os.WriteFile(keyFile, key, 0o600),
		stack.Build(t.Context(), dir, false))
	if err != nil {
		t.Fatal(err)
	}
	f.stack, err = stack.StartEmulator(t.Context(), stack.Options{
		Cluster: shared, Programs: dir, Dir: dir, Seed: seedFile, ControllerFlags: []string{"--syncHashKeyFile=" + keyFile},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := f.stack.Stop(); err != nil {
			t.Error(err)
		}
	})
	if err := f.stack.Install(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// furnish makes a site's service account and classes.
func (f *fleet) furnish(t *testing.T, s *site) {
	t.Helper()
	objects := []client.Object{&corev1.ServiceAccount{ObjectMeta: s.meta(account)}}
	for first := 0; first < f.objects; first += objectsPerClass {
		var array strings.Builder
		array.WriteString("array:\n")
		for i := first; i < min(first+objectsPerClass, f.objects); i++ {
			fmt.Fprintf(&array, "  - |\n    objectType: secret\n    objectName: %s\n", s.secret(i))
		}
		objects = append(objects, &spcv1.SecretProviderClass{
			ObjectMeta: s.meta(class(first)),
			Spec: spcv1.SecretProviderClassSpec{Provider: "azure", Parameters: map[string]string{
				"clientID": s.clientID, "tenantID": tenantID, "keyvaultName": vault, "objects": array.String(),
			}},
		})
	}
	for _, object := range objects {
		if err := f.client.Create(t.Context(), object); err != nil {
			t.Fatal(err)
		}
	}
}

func (s *site) meta(name string) metav1.ObjectMeta {
	return metav1.ObjectMeta{Namespace: s.namespace, Name: name}
}

// class is the name of the class that has an object.
func class(object int) string { return fmt.Sprint("class-", object/objectsPerClass) }

// create makes all SecretSyncs.
func (f *fleet) create(t *testing.T) {
	t.Helper()
	f.each(t, func(ctx context.Context, s *site, i int) error {
		return f.client.Create(ctx, &v1alpha1.SecretSync{
			ObjectMeta: s.meta(fmt.Sprint("sync-", i)),
			Spec: v1alpha1.SecretSyncSpec{
				SecretProviderClassName: class(i), ServiceAccountName: account,
				SecretObject: v1alpha1.SecretObject{Data: []v1alpha1.SecretObjectData{{SourcePath: s.secret(i), TargetKey: "value"}}},
			},
		})
	})
}

// age makes all statuses say that the latest check was so long ago, in the name of the controller: it would take a status
// that somebody else wrote for a neighbour's.
func (f *fleet) age(t *testing.T, by time.Duration) {
	t.Helper()
	patch := fmt.Appendf(nil, `{"status":{"lastCheckTime":%q}}`, time.Now().Add(-by).UTC().Format(time.RFC3339))
	f.each(t, func(ctx context.Context, s *site, i int) error {
		object := &v1alpha1.SecretSync{ObjectMeta: s.meta(fmt.Sprint("sync-", i))}
		return f.client.Status().Patch(ctx, object, client.RawPatch(types.MergePatchType, patch), client.FieldOwner(kube.FieldManager))
	})
}

// each does something to each SecretSync, one of each site in turn, several at the same time.
func (f *fleet) each(t *testing.T, do func(ctx context.Context, s *site, i int) error) {
	t.Helper()
	group, ctx := errgroup.WithContext(t.Context())
	group.SetLimit(writers)
	for i := range f.objects {
		for _, s := range f.sites {
			group.Go(func() error { return do(ctx, s, i) })
		}
	}
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
}
