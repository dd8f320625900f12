package cluster_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"

	"secretstore/api/secretsync/v1alpha1"
	"secretstore/internal/migrate/act"
	"secretstore/internal/migrate/model"
	plane "secretstore/test/cluster"
)

// patience is how long a condition may take to come true. What is waited for takes milliseconds; a busy machine takes longer.
const patience = 60 * time.Second

// place is a namespace whose service account the emulator knows, with a class of its vault.
func place(t *testing.T, n int) *fixture {
	t.Helper()
	f := newFixtureIn(t, namespaceOf(n), shared.cluster.Config(), nil)
	f.apply(t, `{apiVersion: v1, kind: Namespace, metadata: {name: NAMESPACE}}`)
	f.apply(t, `{apiVersion: v1, kind: ServiceAccount, metadata: {namespace: NAMESPACE, name: secretstore}}`)
	f.class(t, n, "app-sse")
	return f
}

// class applies a class of the place's vault.
func (f *fixture) class(t *testing.T, n int, name string) {
	t.Helper()
	f.apply(t, fmt.Sprintf(`
apiVersion: secrets-store.csi.x-k8s.io/v1
kind: SecretProviderClass
metadata: {namespace: NAMESPACE, name: %s}
spec:
  provider: azure
  parameters:
    clientID: %s
    tenantID: %s
    keyvaultName: %s
    objects: |
      array:
      - |
        objectType: secret
        objectName: plain
      - |
        objectType: secret
        objectName: other
`, name, clientID(n), tenantID, vaultName(n)))
}

// makeSync is the step that makes a SecretSync of the class, with keys as "sourcePath=key".
func (f *fixture) makeSync(name string, keys ...string) model.Change {
	var data []any
	for _, entry := range keys {
		path, key, _ := strings.Cut(entry, "=")
		data = append(data, map[string]any{"sourcePath": path, "targetKey": key})
	}
	return model.Change{ID: "translate/create/secretsync", Verb: model.Create, Object: f.ref("SecretSync", name), Content: map[string]any{
		"apiVersion": "secret-sync.x-k8s.io/v1alpha1", "kind": "SecretSync",
		"metadata": map[string]any{"namespace": f.namespace, "name": name},
		"spec": map[string]any{
			"serviceAccountName": account, "secretProviderClassName": "app-sse",
			"secretObject": map[string]any{"type": "Opaque", "data": data, "labels": map[string]any{"team": "shop"}},
		},
	}}
}

// give is the step that hands a Secret over, as stage translate plans it and act resolves it.
func (f *fixture) give(t *testing.T, name string) model.Change {
	t.Helper()
	uid := any("00000000-0000-0000-0000-000000000000") // as nobody has it
	if sync := f.live(t, f.ref("SecretSync", name)); sync != nil {
		uid, _ = model.Path{"metadata", "uid"}.Get(sync)
	}
	labels := model.Path{"metadata", "labels"}
	return model.Change{ID: "translate/edit/secret", Verb: model.Edit, Object: f.ref("Secret", name), Edits: []model.FieldEdit{
		{Op: model.OpRemove, Path: labels.Of(model.ManagedLabel), Was: "true"},
		{Op: model.OpAdd, Path: labels.Of(v1alpha1.SecretLabel), Value: ""},
		{Op: model.OpAdd, Path: model.Path{"metadata", "ownerReferences"}, Value: []any{map[string]any{
			"apiVersion": "secret-sync.x-k8s.io/v1alpha1", "kind": "SecretSync", "name": name, "uid": uid,
			"controller": true,
		}}},
	}}
}

// driversSecret is a Secret as the CSI driver makes it of a volume of a ReplicaSet's pod; the owner exists.
func (f *fixture) driversSecret(t *testing.T, name string, data map[string]string) *corev1.Secret {
	t.Helper()
	owner, err := f.typed.CoreV1().ConfigMaps(f.namespace).Create(t.Context(),
		&corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{GenerateName: "owner-"}}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	secret := &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{
			Name: name, Labels: map[string]string{model.ManagedLabel: "true", "team": "shop"},
			OwnerReferences: []metav1.OwnerReference{{APIVersion: "v1", Kind: "ConfigMap", Name: owner.Name, UID: owner.UID}},
		},
		StringData: data,
	}
	secret, err = f.typed.CoreV1().Secrets(f.namespace).Create(t.Context(), secret, metav1.CreateOptions{FieldManager: "secrets-store-csi-driver"})
	if err != nil {
		t.Fatal(err)
	}
	return secret
}

// get reads a Secret.
func (f *fixture) get(t *testing.T, name string) *corev1.Secret {
	t.Helper()
	secret, err := f.typed.CoreV1().Secrets(f.namespace).Get(t.Context(), name, metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return secret
}

// witness sees every version of a Secret from one on.
type witness struct {
	mu       sync.Mutex
	versions []string
	wrong    []string
}

// witness begins to watch. Its end is the test's.
func (f *fixture) witness(t *testing.T, from *corev1.Secret) *witness {
	t.Helper()
	w := &witness{}
	ctx, cancel := context.WithCancel(t.Context())
	watcher, err := f.typed.CoreV1().Secrets(f.namespace).Watch(ctx, metav1.ListOptions{
		FieldSelector: "metadata.name=" + from.Name, ResourceVersion: from.ResourceVersion,
	})
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for event := range watcher.ResultChan() {
			w.see(event, from)
		}
	}()
	t.Cleanup(func() {
		cancel()
		watcher.Stop()
		<-ended
	})
	return w
}

// see notes a version, and what is wrong with it.
func (w *witness) see(event watch.Event, from *corev1.Secret) {
	w.mu.Lock()
	defer w.mu.Unlock()
	secret, ok := event.Object.(*corev1.Secret)
	switch {
	case !ok || event.Type != watch.Modified:
		w.wrong = append(w.wrong, string(event.Type))
	case secret.UID != from.UID || secret.DeletionTimestamp != nil:
		w.wrong = append(w.wrong, "another Secret, or one that is being deleted")
	default:
		w.versions = append(w.versions, secret.ResourceVersion)
		if !maps.EqualFunc(secret.Data, from.Data, slices.Equal) {
			w.wrong = append(w.wrong, "version "+secret.ResourceVersion+" holds other data")
		}
	}
}

// saw waits until a version was seen, and tells what was wrong until then.
func (w *witness) saw(t *testing.T, version string) {
	t.Helper()
	plane.Eventually(t, patience, func() error {
		w.mu.Lock()
		defer w.mu.Unlock()
		if !slices.Contains(w.versions, version) {
			return fmt.Errorf("version %s was not seen yet; %q were", version, w.versions)
		}
		return nil
	})
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, wrong := range w.wrong {
		t.Errorf("seen while it was handed over: %s", wrong)
	}
}

// reason waits until a condition of a SecretSync has one of the reasons.
func (f *fixture) reason(t *testing.T, name, kind string, reasons ...string) {
	t.Helper()
	plane.Eventually(t, patience, func() error {
		conditions, _ := f.at(t, f.ref("SecretSync", name), "status", "conditions").([]any)
		for _, one := range conditions {
			c, _ := one.(map[string]any)
			if reason, _ := c["reason"].(string); c["type"] == kind && slices.Contains(reasons, reason) {
				return nil
			}
		}
		return fmt.Errorf("no condition %s with %q in %v", kind, reasons, conditions)
	})
}

// fieldsOf are the managers of a Secret's keys and labels, as "manager operation field".
func fieldsOf(t *testing.T, secret *corev1.Secret) []string {
	t.Helper()
	var found []string
	for _, entry := range secret.ManagedFields {
		var fields map[string]any
		if err := json.Unmarshal(entry.FieldsV1.GetRawBytes(), &fields); err != nil {
			t.Fatal(err)
		}
		for _, path := range []model.Path{{"f:data"}, {"f:metadata", "f:labels"}} {
			names, _ := path.Get(fields)
			group, _ := names.(map[string]any)
			for name := range group {
				found = append(found, entry.Manager+" "+string(entry.Operation)+" "+name)
			}
		}
	}
	slices.Sort(found)
	return found
}

// TestHandOver hands a Secret over with the controller at work, and a witness of every version of it.
func TestHandOver(t *testing.T) {
	t.Parallel()
	f := place(t, 1)
	was := f.driversSecret(t, "app", map[string]string{"a": canary + "-plain", "b": canary + "-other"})
	w := f.witness(t, was)
	f.make(t, f.makeSync("app", "plain=a", "other=b"))
	f.reason(t, "app", v1alpha1.ConditionCreate, v1alpha1.ReasonInvalidLabel) // the controller has refused it
	f.make(t, f.give(t, "app"))
	// What the SecretSync says is of before, and mends itself: the gate under Guide must not give up.
	gate := model.Change{Verb: model.Check, Gate: &model.Gate{Kind: model.GateSynced, Objects: []model.Ref{f.ref("SecretSync", "app")}}}
	if closed, is := errors.AsType[*act.ClosedError](f.Check(t.Context(), gate)); is && !closed.Wait {
		t.Errorf("the gate does not wait: %v", closed)
	}
	given := f.get(t, "app")
	want := []string{
		"kubectl-secretstore Update f:secrets-store.sync.x-k8s.io", "secrets-store-sync-controller Apply f:a",
		"secrets-store-sync-controller Apply f:b", "secrets-store-sync-controller Apply f:team",
	}
	if diff := cmp.Diff(want, fieldsOf(t, given)); diff != "" {
		t.Errorf("who manages what (-want +got):\n%s", diff)
	}
	f.reason(t, "app", v1alpha1.ConditionUpdate, v1alpha1.ReasonUpdateNoValueChangeSucceeded, v1alpha1.ReasonUpdateValueChangeSucceeded)
	w.saw(t, given.ResourceVersion)
	if owners := f.get(t, "app").OwnerReferences; len(owners) != 1 || owners[0].Kind != "SecretSync" {
		t.Errorf("owners are %v", owners)
	}
	f.controls(t, 1)
}

// controls shows that the Secret is the controller's: it brings a new value, and takes away a key that is asked for no more.
func (f *fixture) controls(t *testing.T, n int) {
	t.Helper()
	if err := shared.stack.Set(t.Context(), vaultName(n), "plain", canary+"-new", operator()); err != nil {
		t.Fatal(err)
	}
	f.patch(t, f.ref("SecretSync", "app"), `[{"op":"remove","path":"/spec/secretObject/data/1"}]`)
	plane.Eventually(t, patience, func() error {
		data := f.get(t, "app").Data
		if len(data) != 1 || string(data["a"]) != canary+"-new" {
			return fmt.Errorf("keys are %v", slices.Sorted(maps.Keys(data)))
		}
		return nil
	})
}

// TestHandOverTakenBack takes a hand-over back, with the controller at work and a witness: the Secret stays, with its bytes.
func TestHandOverTakenBack(t *testing.T) {
	t.Parallel()
	f := place(t, 2)
	was := f.driversSecret(t, "app", map[string]string{"a": canary + "-plain", "b": canary + "-other"})
	w := f.witness(t, was)
	made := f.make(t, f.makeSync("app", "plain=a", "other=b"))
	given := throughJournal(t, f.make(t, f.give(t, "app")))
	f.reason(t, "app", v1alpha1.ConditionUpdate, v1alpha1.ReasonUpdateNoValueChangeSucceeded, v1alpha1.ReasonUpdateValueChangeSucceeded)
	f.revert(t, given)
	f.revert(t, made)
	if f.live(t, made.Change.Object) != nil {
		t.Error("the SecretSync is still there")
	}
	is := f.get(t, "app")
	w.saw(t, is.ResourceVersion)
	if diff := cmp.Diff(was.Labels, is.Labels); diff != "" {
		t.Errorf("labels (-before +taken back):\n%s", diff)
	}
	if diff := cmp.Diff(was.OwnerReferences, is.OwnerReferences); diff != "" {
		t.Errorf("owners (-before +taken back):\n%s", diff)
	}
	f.look(t, f.give(t, "app"), act.Open)
	// Owners that are gone meanwhile do not come back, for the garbage collector would take the Secret.
	made = f.make(t, f.makeSync("app", "plain=a", "other=b"))
	given = f.make(t, f.give(t, "app"))
	owner := was.OwnerReferences[0].Name
	if err := f.typed.CoreV1().ConfigMaps(f.namespace).Delete(t.Context(), owner, metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	f.revert(t, given)
	f.revert(t, made)
	is = f.get(t, "app")
	w.saw(t, is.ResourceVersion)
	if len(is.OwnerReferences) > 0 {
		t.Errorf("owners that are gone came back: %v", is.OwnerReferences)
	}
}

// A SecretSync that is taken back before its Secret is does not take that along; one that made its Secret does.
func TestSyncTakenBack(t *testing.T) {
	t.Parallel()
	f := place(t, 3)
	was := f.driversSecret(t, "app", map[string]string{"a": canary + "-plain"})
	given := f.make(t, f.makeSync("app", "plain=a"))
	f.make(t, f.give(t, "app"))
	made := f.make(t, f.makeSync("files", "plain=a"))
	f.reason(t, "files", v1alpha1.ConditionUpdate, v1alpha1.ReasonUpdateNoValueChangeSucceeded, v1alpha1.ReasonUpdateValueChangeSucceeded)
	f.revert(t, given)
	f.revert(t, made)
	plane.Eventually(t, patience, func() error {
		if f.live(t, f.ref("Secret", "files")) != nil {
			return fmt.Errorf("the Secret that the SecretSync made is still there")
		}
		return nil
	})
	if got := f.get(t, "app"); got.UID != was.UID || got.DeletionTimestamp != nil {
		t.Error("the driver's Secret went along")
	}
}

func TestHandOverForeign(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.look(t, f.give(t, "app"), act.Gone)
	f.driversSecret(t, "app", map[string]string{"a": canary})
	seen := f.look(t, f.give(t, "app"), act.Open)
	if _, err := f.Apply(t.Context(), f.give(t, "app"), seen, true); err != nil {
		t.Errorf("dry, before there is a SecretSync: %v", err)
	}
	if _, err := f.Apply(t.Context(), f.give(t, "app"), seen, false); err == nil || strings.Contains(err.Error(), canary) {
		t.Errorf("given to nobody: %v", err)
	}
	f.make(t, f.makeSync("app", "plain=a"))
	f.patch(t, f.ref("Secret", "app"), `[{"op":"add","path":"/metadata/labels/x","value":"y"}]`)
	_, err := f.Apply(t.Context(), f.give(t, "app"), seen, false)
	if fmt.Sprint(err) != (&act.ConflictError{Object: f.ref("Secret", "app")}).Error() {
		t.Errorf("given though somebody changed it meanwhile: %v", err)
	}
	f.patch(t, f.ref("Secret", "app"), `[{"op":"replace","path":"/metadata/labels","value":{"x":"y"}}]`)
	f.look(t, f.give(t, "app"), act.Foreign)
}
