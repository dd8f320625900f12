package lifecycle

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/kubernetes"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"secretstore/api/secretsync/v1alpha1"
	"secretstore/test/cluster"
)

// Field managers of the public controller's Secrets: of today's, and of v0.0.1 to v0.0.4.
const (
	publicManager = "secrets-store-sync-controller"
	olderManager  = "v1-secrets-store-sync-controller"
)

// writesStatus does what another controller does of its own accord: it replaces the status by one that has its fields only.
func (e env) writesStatus(t *testing.T, s *v1alpha1.SecretSync) {
	t.Helper()
	cluster.Eventually(t, patience, func() error {
		if err := e.client.Get(t.Context(), client.ObjectKeyFromObject(s), s); err != nil {
			return err
		}
		now := metav1.Now().Rfc3339Copy()
		s.Status = v1alpha1.SecretSyncStatus{
			SyncHash: fmt.Sprintf("c0ffee%d", time.Now().UnixNano()), LastSuccessfulSyncTime: &now,
			Conditions: []metav1.Condition{
				{Type: "Create", Status: "True", Reason: "CreateSuccessful", Message: "theirs", LastTransitionTime: now},
				{Type: "Update", Status: "True", Reason: "SecretUpToDate", Message: "theirs", LastTransitionTime: now},
				{Type: "Unknown", Status: "Unknown", Reason: "Unknown", Message: "theirs", LastTransitionTime: now},
			},
		}
		return e.client.Status().Update(t.Context(), s, client.FieldOwner("neighbour"))
	})
}

// writesSecret applies the Secret of a SecretSync as another controller does, with a key besides those that are asked for.
func (e env) writesSecret(t *testing.T, s *v1alpha1.SecretSync, manager string, annotations map[string]any) {
	t.Helper()
	secret := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "v1", "kind": "Secret", "type": "Opaque",
		"data": map[string]any{"k": "dGhlaXJz", "old": "dGhlaXJz"},
		"metadata": map[string]any{
			"namespace": s.Namespace, "name": s.Name, "labels": map[string]any{v1alpha1.SecretLabel: ""}, "annotations": annotations,
			"ownerReferences": []any{map[string]any{
				"apiVersion": v1alpha1.GroupVersion().String(), "kind": "SecretSync", "name": s.Name, "uid": string(s.UID),
			}},
		},
	}}
	if err := e.client.Apply(t.Context(), client.ApplyConfigurationFromUnstructured(secret), client.FieldOwner(manager)); err != nil {
		t.Fatal(err)
	}
}

// restart stops the controller, lets something be done meanwhile, and starts it again with other settings.
func (e env) restart(t *testing.T, file, settings string, meanwhile func()) {
	t.Helper()
	if err := e.stack.Controller.Stop(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(settings), 0o600); err != nil {
		t.Fatal(err)
	}
	meanwhile()
	if err := e.stack.RestartController(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// saidLeft counts the events that tell that a SecretSync is left to another controller.
func (e env) saidLeft(t *testing.T, name string) int {
	t.Helper()
	var list corev1.EventList
	if err := e.client.List(t.Context(), &list, client.InNamespace(e.namespace)); err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, event := range list.Items {
		if event.InvolvedObject.Name == name && event.Reason == v1alpha1.ReasonLeftAlone {
			n++
			if event.Series != nil {
				n += int(event.Series.Count)
			}
			if !strings.Contains(event.Message, `"neighbour"`) || !strings.Contains(event.Message, "adoptWrittenBefore") {
				t.Errorf("the event says %q", event.Message)
			}
		}
	}
	return n
}

// awaitLeft waits until a SecretSync has been said to be left alone n times.
func (e env) awaitLeft(t *testing.T, name string, n int) {
	t.Helper()
	cluster.Eventually(t, patience, func() error {
		if got := e.saidLeft(t, name); got != n {
			return fmt.Errorf("%s was said to be left alone %d times, want %d", name, got, n)
		}
		return nil
	})
}

// untouched runs what gives the controller occasion to act, and says if the SecretSync's status or its Secret changed.
func (e env) untouched(t *testing.T, s *v1alpha1.SecretSync, occasion func()) {
	t.Helper()
	secret, before := e.version(t, s.Name), s.Status
	occasion()
	if e.version(t, s.Name) != secret {
		t.Errorf("the Secret %s was written", s.Name)
	}
	if err := e.client.Get(t.Context(), client.ObjectKeyFromObject(s), s); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(before, s.Status); diff != "" {
		t.Errorf("the status of %s was written (-before +after):\n%s", s.Name, diff)
	}
}

// TestNeighboursObjectsAreLeftAloneUntilTheyAreGiven has another controller at work first; then it is stopped and its objects are
// given to ours; then it comes back.
//
//covers:field setting.adoptWrittenBefore
//covers:reason LeftToAnotherController
func TestNeighboursObjectsAreLeftAloneUntilTheyAreGiven(t *testing.T) {
	for name, tc := range map[string]struct {
		manager     string
		annotations map[string]any
	}{
		"Public": {publicManager, nil},
		"Older":  {olderManager, map[string]any{v1alpha1.SecretLabel: ""}},
	} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "settings.yaml")
			if err := os.WriteFile(file, []byte("{}"), 0o600); err != nil {
				t.Fatal(err)
			}
			e := newEnv(t, "--config="+file)
			ours := e.sync(t, "ours") // beside the other's from first to last
			e.await(t, ours, v1alpha1.ConditionReady, v1alpha1.ReasonSynced)
			var app *v1alpha1.SecretSync
			e.restart(t, file, "{}", func() {
				app = e.sync(t, "app")
				e.writesStatus(t, app)
				e.writesSecret(t, app, tc.manager, tc.annotations)
			})
			e.awaitLeft(t, "app", 1)
			fresh := e.sync(t, "fresh") // the other takes new ones too, and ours lets it
			e.writesStatus(t, fresh)
			e.awaitLeft(t, "fresh", 1)
			e.untouched(t, app, func() {
				e.force(t, app)
				e.writesStatus(t, fresh)
				e.works(t, ours)
			})
			if e.saidLeft(t, "app") != 1 || e.saidLeft(t, "fresh") != 1 {
				t.Errorf("events: app %d, fresh %d, want one each", e.saidLeft(t, "app"), e.saidLeft(t, "fresh"))
			}
			if err := e.client.Get(t.Context(), client.ObjectKeyFromObject(fresh), &corev1.Secret{}); !apierrors.IsNotFound(err) {
				t.Errorf("the Secret of a new SecretSync of the other's: %v", err)
			}

			stopped := time.Now().Add(time.Second) // managed fields have whole seconds
			e.restart(t, file, "adoptWrittenBefore: "+stopped.UTC().Format(time.RFC3339), func() {})
			for _, s := range []*v1alpha1.SecretSync{app, fresh} {
				e.await(t, s, v1alpha1.ConditionReady, v1alpha1.ReasonSynced)
			}
			e.checkAdopted(t, app)

			cluster.Eventually(t, patience, func() error {
				if time.Now().Before(stopped.Add(time.Second)) {
					return errors.New("the moment of adoption is not past yet")
				}
				return nil
			})
			e.writesStatus(t, app)
			e.awaitLeft(t, "app", 2)
			e.untouched(t, app, func() {
				e.force(t, app)
				e.works(t, fresh)
			})
			// While it is there, new SecretSyncs wait for the other controller, those of the next test too.
			if err := e.client.Delete(t.Context(), app); err != nil {
				t.Fatal(err)
			}
		})
	}
}

// TestNeighboursAKVSyncsAreLeftAloneUntilTheyAreGiven has an AKVSync whose status another controller wrote.
func TestNeighboursAKVSyncsAreLeftAloneUntilTheyAreGiven(t *testing.T) {
	file := filepath.Join(t.TempDir(), "settings.yaml")
	if err := os.WriteFile(file, []byte("{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	e := newEnv(t, "--config="+file)
	ours := e.sync(t, "ours")
	e.await(t, ours, v1alpha1.ConditionReady, v1alpha1.ReasonSynced)
	all := &v1alpha1.AKVSync{Spec: v1alpha1.AKVSyncSpec{
		KeyvaultName: "my-key-vault", ClientID: "11111111-2222-3333-4444-555555555555", TenantID: "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee",
		ServiceAccountName: account, Objects: []v1alpha1.AKVSyncEntry{{SecretInAKV: "my-secret"}},
	}}
	all.Namespace, all.Name = e.namespace, "all"
	generated := &v1alpha1.SecretSync{}
	generated.Namespace, generated.Name = e.namespace, "my-secret"
	e.restart(t, file, "{}", func() {
		if err := e.client.Create(t.Context(), all); err != nil {
			t.Fatal(err)
		}
		all.Status.Conditions = []metav1.Condition{{Type: "Ready", Status: "True", Reason: "Theirs", LastTransitionTime: metav1.Now()}}
		if err := e.client.Status().Update(t.Context(), all, client.FieldOwner("neighbour")); err != nil {
			t.Fatal(err)
		}
	})
	e.awaitLeft(t, "all", 1)
	e.works(t, ours)
	if err := e.client.Get(t.Context(), client.ObjectKeyFromObject(generated), generated); !apierrors.IsNotFound(err) {
		t.Errorf("a SecretSync was generated, or: %v", err)
	}
	version := all.ResourceVersion
	if err := e.client.Get(t.Context(), client.ObjectKeyFromObject(all), all); err != nil || all.ResourceVersion != version {
		t.Errorf("the AKVSync was written: %+v, %v", all.Status, err)
	}

	e.restart(t, file, "adoptWrittenBefore: "+time.Now().Add(time.Second).UTC().Format(time.RFC3339), func() {})
	cluster.Eventually(t, patience, func() error { return e.client.Get(t.Context(), client.ObjectKeyFromObject(generated), generated) })
	e.await(t, generated, v1alpha1.ConditionReady, v1alpha1.ReasonSynced)
	cluster.Eventually(t, patience, func() error {
		if err := e.client.Get(t.Context(), client.ObjectKeyFromObject(all), all); err != nil {
			return err
		}
		if all.Status.Synced != "1/1" {
			return fmt.Errorf("status %+v", all.Status)
		}
		return nil
	})
}

// checkAdopted looks at a Secret that another controller made and ours has taken over.
func (e env) checkAdopted(t *testing.T, s *v1alpha1.SecretSync) {
	t.Helper()
	secret := &corev1.Secret{}
	if err := e.client.Get(t.Context(), client.ObjectKeyFromObject(s), secret); err != nil {
		t.Fatal(err)
	}
	if keys := slices.Sorted(maps.Keys(secret.Data)); !slices.Equal(keys, []string{"k"}) || string(secret.Data["k"]) != "the value of my-secret" {
		t.Errorf("the Secret has the keys %v", keys)
	}
	if len(secret.OwnerReferences) != 1 || secret.OwnerReferences[0].UID != s.UID || secret.OwnerReferences[0].Controller != nil {
		t.Errorf("owner references %+v", secret.OwnerReferences)
	}
	if len(secret.Annotations) > 0 {
		t.Errorf("annotations %v", secret.Annotations)
	}
	for _, entry := range secret.ManagedFields {
		var fields struct {
			Data map[string]any `json:"f:data"`
		}
		if err := json.Unmarshal(entry.FieldsV1.GetRawBytes(), &fields); err != nil {
			t.Fatal(err)
		}
		if len(fields.Data) > 0 && entry.Manager != publicManager {
			t.Errorf("data is managed by %s (%s) too", entry.Manager, entry.Operation)
		}
	}
	types := []string{}
	for _, condition := range s.Status.Conditions {
		types = append(types, condition.Type)
	}
	if !strings.HasPrefix(s.Status.SyncHash, "hmac-sha256:") || !slices.Equal(types, []string{"Create", "Update", "Ready"}) {
		t.Errorf("status %+v", s.Status)
	}
}

// force changes what makes a check due at once.
func (e env) force(t *testing.T, s *v1alpha1.SecretSync) {
	t.Helper()
	cluster.Eventually(t, patience, func() error {
		if err := e.client.Get(t.Context(), client.ObjectKeyFromObject(s), s); err != nil {
			return err
		}
		s.Spec.ForceSynchronization += "x"
		return e.client.Update(t.Context(), s)
	})
}

// works has the controller check a SecretSync of its own, twice, so that it has come by all that was changed before.
func (e env) works(t *testing.T, s *v1alpha1.SecretSync) {
	t.Helper()
	for range 2 {
		e.force(t, s)
		cluster.Eventually(t, patience, func() error {
			if err := e.client.Get(t.Context(), client.ObjectKeyFromObject(s), s); err != nil {
				return err
			}
			if s.Status.ObservedGeneration != s.Generation {
				return fmt.Errorf("generation %d was not checked yet, %d was", s.Generation, s.Status.ObservedGeneration)
			}
			return nil
		})
	}
}

// TestDefinitionsOfAnotherControllerAreRefused starts the controller where the definition of SecretSync is one that knows
// nothing of its fields, as when another controller brought it.
func TestDefinitionsOfAnotherControllerAreRefused(t *testing.T) {
	e := newEnv(t)
	if err := e.stack.Controller.Stop(); err != nil {
		t.Fatal(err)
	}
	ours, err := cluster.Manifests("charts/secretstore/crds/secret-sync.x-k8s.io_secretsyncs.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var theirs unstructured.Unstructured
	if err := yaml.Unmarshal(ours[0], &theirs.Object); err != nil {
		t.Fatal(err)
	}
	versions, _, _ := unstructured.NestedSlice(theirs.Object, "spec", "versions")
	unstructured.RemoveNestedField(versions[0].(map[string]any), "schema", "openAPIV3Schema", "properties", "status", "properties", "lastCheckTime")
	if err := unstructured.SetNestedSlice(theirs.Object, versions, "spec", "versions"); err != nil {
		t.Fatal(err)
	}
	text, err := yaml.Marshal(theirs.Object)
	if err != nil {
		t.Fatal(err)
	}
	defer e.define(t, ours[0], true)
	e.define(t, text, false)
	if err := e.stack.RestartController(t.Context()); err != nil {
		t.Fatal(err)
	}
	cluster.Eventually(t, patience, func() error {
		err := e.stack.Controller.Ended()
		switch {
		case err == nil:
			return errors.New("the controller runs")
		case !strings.Contains(err.Error(), "SecretSync is another controller's"):
			return err
		}
		return nil
	})
}

// define applies the definition of SecretSync and waits until the API server describes it, with or without the field.
func (e env) define(t *testing.T, definition []byte, whole bool) {
	t.Helper()
	if err := shared.Apply(t.Context(), definition); err != nil {
		t.Fatal(err)
	}
	clients, err := kubernetes.NewForConfig(shared.Config())
	if err != nil {
		t.Fatal(err)
	}
	cluster.Eventually(t, patience, func() error {
		described, err := describes(clients.Discovery(), "lastCheckTime")
		if err == nil && described != whole {
			err = fmt.Errorf("the field is described: %v, want %v", described, whole)
		}
		return err
	})
}

// describes says whether the API server describes a field of our kinds.
func describes(client discovery.OpenAPIV3SchemaInterface, field string) (bool, error) {
	paths, err := client.OpenAPIV3().Paths()
	if err != nil {
		return false, err
	}
	path, served := paths["apis/"+v1alpha1.GroupVersion().String()]
	if !served {
		return false, errors.New("our kinds are not described")
	}
	text, err := path.Schema("application/json")
	return strings.Contains(string(text), `"`+field+`"`), err
}
