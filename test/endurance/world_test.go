//go:build long

package endurance

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"text/template"
	"time"

	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	spcv1 "sigs.k8s.io/secrets-store-csi-driver/apis/v1"

	"secretstore/api/secretsync/v1alpha1"
	"secretstore/test/stack"
)

const (
	tenantID, clientID = "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee", "11111111-2222-3333-4444-555555555555"
	account            = "web"
	// editedByHand is the value that edits by hand give.
	editedByHand = "edited by hand"
	// secretCount is how many secrets each vault has: "s-0", "s-1" and so on.
	secretCount = 6
	// patience is how long all may take to be as it should, on a busy machine.
	patience = 3 * time.Minute
)

func operator() stack.Operator {
	return stack.Operator{TenantID: tenantID, ClientID: "99999999-8888-7777-6666-555555555555", ClientSecret: "operators-client-secret"}
}

// vaults are the names of the vaults; each has a class of its name.
func vaults() []string { return []string{"vault-a", "vault-b", "vault-c"} }

// world is a namespace, vaults and programs, and what should be in it.
type world struct {
	stack     *stack.Stack
	client    client.WithWatch
	namespace string
	// held lists all values that a secret ever held, the latest last, by "vault/secret".
	held map[string][]string
	// wanted are the SecretSyncs that are to be there, by name.
	wanted map[string]*wanted
}

// wanted is one SecretSync.
type wanted struct {
	vault string
	// mapping says which secret of the vault goes under which key.
	mapping map[string]string
	// former are those that it mapped before, by which a check that is under way may still write.
	former []string
	uid    types.UID
	// edited are the keys that were edited by hand. One that is no longer mapped before it is put right is somebody else's, and
	// stays.
	edited map[string]bool
	// changes counts what should have come to it since it was created: each may give an event.
	changes int
}

const seedText = `
tenants: [{id: {{.Tenant}}, name: Contoso, domain: contoso.onmicrosoft.com}]
applications:
  - name: cluster
    clientID: {{.Client}}
    tokenLifetimeSeconds: 400
    federatedCredentials: [{name: cluster, issuer: "{{.Issuer}}", subject: "system:serviceaccount:{{.Namespace}}:{{.Account}}"}]
  - {clientID: {{.Operator.ClientID}}, name: operator, kind: application, clientSecrets: [{value: {{.Operator.ClientSecret}}}]}
vaults:
{{- range $vault := .Vaults}}
  - name: {{$vault}}
    roleAssignments:
      - {clientID: {{$.Operator.ClientID}}, role: Key Vault Administrator}
      - {clientID: {{$.Client}}, role: Key Vault Secrets User}
    secrets:
    {{- range $i := $.Secrets}}
      - {name: s-{{$i}}, value: {{$vault}}-s-{{$i}}-0}
    {{- end}}
{{- end}}
`

// newWorld starts the programs around an empty namespace.
func newWorld(t *testing.T, flags ...string) *world {
	t.Helper()
	scheme := runtime.NewScheme()
	if err := errors.Join(corev1.AddToScheme(scheme), eventsv1.AddToScheme(scheme), v1alpha1.AddToScheme(scheme), spcv1.AddToScheme(scheme)); err != nil {
		t.Fatal(err)
	}
	c, err := client.NewWithWatch(shared.Config(), client.Options{Scheme: scheme})
	if err != nil {
		t.Fatal(err)
	}
	w := &world{client: c, namespace: shared.Namespace(t), held: map[string][]string{}, wanted: map[string]*wanted{}}
	for _, vault := range vaults() {
		for i := range secretCount {
			w.held[fmt.Sprintf("%s/s-%d", vault, i)] = []string{fmt.Sprintf("%s-s-%d-0", vault, i)}
		}
	}
	w.start(t, flags)
	w.create(t, &corev1.ServiceAccount{ObjectMeta: w.meta(account)})
	for _, vault := range vaults() {
		w.create(t, w.class(vault))
	}
	return w
}

// start starts the emulator and the controller.
func (w *world) start(t *testing.T, flags []string) {
	t.Helper()
	dir := t.TempDir()
	var seed bytes.Buffer
	if err := template.Must(template.New("seed").Parse(seedText)).Execute(&seed, map[string]any{
		"Tenant": tenantID, "Client": clientID, "Operator": operator(), "Issuer": shared.Issuer(), "Namespace": w.namespace,
		"Account": account, "Vaults": vaults(), "Secrets": [secretCount]int{0, 1, 2, 3, 4, 5},
	}); err != nil {
		t.Fatal(err)
	}
	key := make([]byte, 32)
	_, _ = rand.Read(key)
	keyFile, seedFile := filepath.Join(dir, "key"), filepath.Join(dir, "seed.yaml")
	err := errors.Join(os.WriteFile(seedFile, seed.Bytes(), 0o600), os.WriteFile(keyFile, key, 0o600),
		stack.Build(t.Context(), dir, false))
	if err != nil {
		t.Fatal(err)
	}
	w.stack, err = stack.StartEmulator(t.Context(), stack.Options{
		Cluster: shared, Programs: dir, Dir: dir, Seed: seedFile, ControllerFlags: append(flags, "--syncHashKeyFile="+keyFile),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.stack.Stop(); err != nil {
			t.Error(err)
		}
	})
	if err := w.stack.StartController(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func (w *world) meta(name string) metav1.ObjectMeta {
	return metav1.ObjectMeta{Namespace: w.namespace, Name: name}
}

func (w *world) class(vault string) *spcv1.SecretProviderClass {
	objects := "array:\n"
	for i := range secretCount {
		objects += fmt.Sprintf("  - |\n    objectType: secret\n    objectName: s-%d\n", i)
	}
	return &spcv1.SecretProviderClass{ObjectMeta: w.meta(vault), Spec: spcv1.SecretProviderClassSpec{
		Provider: "azure",
		Parameters: map[string]string{
			"clientID": clientID, "tenantID": tenantID, "keyvaultName": vault, "objects": objects,
		},
	}}
}

func (w *world) create(t *testing.T, object client.Object) {
	t.Helper()
	if err := w.client.Create(t.Context(), object); err != nil {
		t.Fatal(err)
	}
}

// sync makes a SecretSync of a vault with the mapping, key to secret, and wants its Secret from then on.
func (w *world) sync(t *testing.T, name, vault string, mapping map[string]string) {
	t.Helper()
	s := &v1alpha1.SecretSync{ObjectMeta: w.meta(name), Spec: v1alpha1.SecretSyncSpec{
		SecretProviderClassName: vault, ServiceAccountName: account, SecretObject: v1alpha1.SecretObject{Data: entries(mapping)},
	}}
	w.create(t, s)
	w.wanted[name] = &wanted{vault: vault, mapping: mapping, uid: s.UID, edited: map[string]bool{}}
}

// entries is a mapping as a SecretSync has it.
func entries(mapping map[string]string) []v1alpha1.SecretObjectData {
	data := make([]v1alpha1.SecretObjectData, 0, len(mapping))
	for key, secret := range mapping {
		data = append(data, v1alpha1.SecretObjectData{SourcePath: secret, TargetKey: key})
	}
	return data
}

// set gives a vault's secret a value that it never had.
func (w *world) set(t *testing.T, vault, secret string) {
	t.Helper()
	path := vault + "/" + secret
	value := fmt.Sprintf("%s-%s-%d", vault, secret, len(w.held[path]))
	w.held[path] = append(w.held[path], value)
	if err := w.stack.Set(t.Context(), vault, secret, value, operator()); err != nil {
		t.Fatal(err)
	}
	for _, want := range w.wanted {
		for _, mapped := range slices.AppendSeq(slices.Clone(want.former), maps.Values(want.mapping)) {
			if want.vault == vault && mapped == secret {
				want.changes++
			}
		}
	}
}

// secrets are the namespace's Secrets, by name.
func (w *world) secrets(t *testing.T) (map[string]corev1.Secret, error) {
	var list corev1.SecretList
	if err := w.client.List(t.Context(), &list, client.InNamespace(w.namespace)); err != nil {
		return nil, err
	}
	secrets := map[string]corev1.Secret{}
	for _, secret := range list.Items {
		secrets[secret.Name] = secret
	}
	return secrets, nil
}

// settled says what is not as it should be: each SecretSync healthy, its Secret with exactly the vault's values, no other Secret.
func (w *world) settled(t *testing.T) error {
	secrets, err := w.secrets(t)
	if err != nil {
		return err
	}
	var syncs v1alpha1.SecretSyncList
	if err := w.client.List(t.Context(), &syncs, client.InNamespace(w.namespace)); err != nil {
		return err
	}
	for i := range syncs.Items {
		s := &syncs.Items[i]
		if want := w.wanted[s.Name]; want != nil {
			if err := errors.Join(healthy(s), w.right(want, secrets[s.Name])); err != nil {
				return fmt.Errorf("%s: %w", s.Name, err)
			}
		}
	}
	for name, secret := range secrets {
		if _, ours := secret.Labels[v1alpha1.SecretLabel]; ours && w.wanted[name] == nil {
			return fmt.Errorf("secret %s is still there", name)
		}
	}
	return nil
}

func healthy(s *v1alpha1.SecretSync) error {
	if s.Status.ObservedGeneration != s.Generation {
		return errors.New("it was not checked yet")
	}
	for _, c := range s.Status.Conditions {
		if c.Status != metav1.ConditionTrue || c.Reason == v1alpha1.ReasonStale {
			return fmt.Errorf("condition %s is %s/%s: %s", c.Type, c.Status, c.Reason, c.Message)
		}
	}
	return nil
}

// right says what is wrong with a Secret, which must hold the latest values.
func (w *world) right(want *wanted, secret corev1.Secret) error {
	if len(secret.OwnerReferences) != 1 || secret.OwnerReferences[0].UID != want.uid {
		return fmt.Errorf("its Secret has the owners %v, want %s", secret.OwnerReferences, want.uid)
	}
	for key, value := range secret.Data {
		if _, mapped := want.mapping[key]; !mapped && (!want.edited[key] || string(value) != editedByHand) {
			return fmt.Errorf("key %s is still there", key)
		}
	}
	for key, mapped := range want.mapping {
		values := w.held[want.vault+"/"+mapped]
		if latest := values[len(values)-1]; string(secret.Data[key]) != latest {
			return fmt.Errorf("key %s holds %q, want %q", key, secret.Data[key], latest)
		}
	}
	return nil
}

// good says what is wrong with a Secret, which must hold, for each key, a value that the vault once had.
func (w *world) good(want *wanted, secret corev1.Secret) error {
	for key, mapped := range want.mapping {
		if !slices.Contains(w.held[want.vault+"/"+mapped], string(secret.Data[key])) {
			return fmt.Errorf("key %s holds %q, which the vault never had", key, secret.Data[key])
		}
	}
	return nil
}
