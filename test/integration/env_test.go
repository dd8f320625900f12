package integration

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	spcv1 "sigs.k8s.io/secrets-store-csi-driver/apis/v1"

	"secretstore/api/secretsync/v1alpha1"
	"secretstore/test/cluster"
)

// patience is how long a condition may take to come true. What is waited for takes milliseconds; a busy machine takes longer.
const patience = 60 * time.Second

// env is one test's slot and the means to work in it.
type env struct {
	slot
	client client.Client
}

// newEnv takes a slot and makes its namespace and service account.
func newEnv(t *testing.T) env {
	t.Helper()
	return newEnvIn(t, shared.slots.take(t))
}

// newEnvIn is newEnv for a certain slot, which one test only may use.
func newEnvIn(t *testing.T, place slot) env {
	t.Helper()
	scheme := runtime.NewScheme()
	if err := errors.Join(corev1.AddToScheme(scheme), eventsv1.AddToScheme(scheme), v1alpha1.AddToScheme(scheme), spcv1.AddToScheme(scheme)); err != nil {
		t.Fatal(err)
	}
	c, err := client.New(shared.cluster.Config(), client.Options{Scheme: scheme})
	if err != nil {
		t.Fatal(err)
	}
	e := env{slot: place, client: c}
	e.create(t, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: e.Namespace()}})
	e.create(t, e.account())
	return e
}

func (e env) account() *corev1.ServiceAccount {
	return &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: e.Namespace(), Name: e.Account()}}
}

func (e env) create(t *testing.T, objects ...client.Object) {
	t.Helper()
	for _, object := range objects {
		if err := e.client.Create(t.Context(), object); err != nil {
			t.Fatal(err)
		}
	}
}

// class is a SecretProviderClass of the slot's vault with the given objects, each "type name" and more fields after that, such
// as "secret plain objectAlias=a".
func (e env) class(name string, objects ...string) *spcv1.SecretProviderClass {
	var list strings.Builder
	list.WriteString("array:\n")
	for _, object := range objects {
		fields := strings.Fields(object)
		fmt.Fprintf(&list, "  - |\n    objectType: %s\n    objectName: %s\n", fields[0], fields[1])
		for _, field := range fields[2:] {
			key, value, _ := strings.Cut(field, "=")
			fmt.Fprintf(&list, "    %s: %s\n", key, value)
		}
	}
	return &spcv1.SecretProviderClass{
		ObjectMeta: metav1.ObjectMeta{Namespace: e.Namespace(), Name: name},
		Spec: spcv1.SecretProviderClassSpec{Provider: "azure", Parameters: map[string]string{
			"clientID": e.ClientID(), "tenantID": tenantID, "keyvaultName": e.Vault(), "objects": list.String(),
		}},
	}
}

// sync is a SecretSync with the given mappings, each "sourcePath=targetKey".
func (e env) sync(name, class string, mappings ...string) *v1alpha1.SecretSync {
	s := &v1alpha1.SecretSync{
		ObjectMeta: metav1.ObjectMeta{Namespace: e.Namespace(), Name: name},
		Spec:       v1alpha1.SecretSyncSpec{SecretProviderClassName: class, ServiceAccountName: e.Account()},
	}
	for _, mapping := range mappings {
		path, key, _ := strings.Cut(mapping, "=")
		s.Spec.SecretObject.Data = append(s.Spec.SecretObject.Data, v1alpha1.SecretObjectData{SourcePath: path, TargetKey: key})
	}
	return s
}

// edit changes an object as it is now.
func edit[T client.Object](t *testing.T, e env, object T, change func(T)) {
	t.Helper()
	cluster.Eventually(t, patience, func() error {
		if err := e.client.Get(t.Context(), client.ObjectKeyFromObject(object), object); err != nil {
			return err
		}
		change(object)
		return e.client.Update(t.Context(), object)
	})
}

// force makes a check due at once.
func (e env) force(t *testing.T, s *v1alpha1.SecretSync) {
	t.Helper()
	edit(t, e, s, func(s *v1alpha1.SecretSync) { s.Spec.ForceSynchronization += "x" })
}

// await waits until a condition of the SecretSync has a reason at its present generation, and returns it as it is then.
func (e env) await(t *testing.T, s *v1alpha1.SecretSync, condition, reason string) metav1.Condition {
	t.Helper()
	var found *metav1.Condition
	cluster.Eventually(t, patience, func() error {
		if err := e.client.Get(t.Context(), client.ObjectKeyFromObject(s), s); err != nil {
			return err
		}
		if s.Status.ObservedGeneration != s.Generation {
			return fmt.Errorf("generation %d was not checked yet, %d was", s.Generation, s.Status.ObservedGeneration)
		}
		found = meta.FindStatusCondition(s.Status.Conditions, condition)
		if found == nil || found.Reason != reason {
			return fmt.Errorf("condition %s is %+v, want reason %s", condition, found, reason)
		}
		return nil
	})
	return *found
}

// secret reads a Secret; nil if there is none.
func (e env) secret(t *testing.T, name string) *corev1.Secret {
	t.Helper()
	secret := &corev1.Secret{}
	err := e.client.Get(t.Context(), client.ObjectKey{Namespace: e.Namespace(), Name: name}, secret)
	if apierrors.IsNotFound(err) {
		return nil
	}
	if err != nil {
		t.Fatal(err)
	}
	return secret
}

// data is a Secret's data as text.
func (e env) data(t *testing.T, name string) map[string]string {
	t.Helper()
	secret := e.secret(t, name)
	if secret == nil {
		t.Fatalf("there is no Secret %s", name)
	}
	out := map[string]string{}
	for key, value := range secret.Data {
		out[key] = string(value)
	}
	return out
}

// awaitSecret waits until a Secret labelled as TestEditsByHandAreTakenBack labels it holds exactly the wanted data.
func (e env) awaitSecret(t *testing.T, name, reason string, want map[string]string) {
	t.Helper()
	cluster.Eventually(t, patience, func() error {
		secret := e.secret(t, name)
		if secret == nil {
			return fmt.Errorf("%s: there is no Secret", reason)
		}
		got := map[string]string{}
		for key, value := range secret.Data {
			got[key] = string(value)
		}
		if !maps.Equal(got, want) || secret.Labels["team"] != "shop" {
			return fmt.Errorf("%s: keys %v, labels %v", reason, slices.Sorted(maps.Keys(got)), secret.Labels)
		}
		return nil
	})
}

// events are those on the SecretSync, as "Type/Reason: note".
func (e env) events(t *testing.T, name string) []string {
	t.Helper()
	return e.eventsOn(t, "SecretSync", name)
}

// eventsOn are those on an object of any kind.
func (e env) eventsOn(t *testing.T, kind, name string) []string {
	t.Helper()
	var list eventsv1.EventList
	if err := e.client.List(t.Context(), &list, client.InNamespace(e.Namespace())); err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, event := range list.Items {
		if event.Regarding.Kind == kind && event.Regarding.Name == name {
			for range max(1, count(event)) {
				out = append(out, event.Type+"/"+event.Reason+": "+event.Note)
			}
		}
	}
	return out
}

func count(event eventsv1.Event) int {
	if event.Series == nil {
		return 1
	}
	return int(event.Series.Count)
}

// awaitEvents waits until there are events on the SecretSync, and returns them.
func (e env) awaitEvents(t *testing.T, name string, n int) []string {
	t.Helper()
	var events []string
	cluster.Eventually(t, patience, func() error {
		events = e.events(t, name)
		if len(events) < n {
			return fmt.Errorf("%d events on %s, want %d: %q", len(events), name, n, events)
		}
		return nil
	})
	return events
}

// request is one entry of the emulator's log.
type request struct {
	Service   string `json:"service"`
	Vault     string `json:"vault"`
	Operation string `json:"operation"`
	Name      string `json:"name"`
	Status    int    `json:"status"`
	ClientID  string `json:"clientID"`
	Code      string `json:"code"`
}

// requestLog is what the emulator was asked so far, by whomever.
func requestLog(t *testing.T) []request {
	t.Helper()
	var all struct {
		Requests []request `json:"requests"`
	}
	if err := shared.stack.Admin(t.Context(), "GET", "/admin/requests", "", &all); err != nil {
		t.Fatal(err)
	}
	return all.Requests
}

// requests are the answered requests to the slot's vault so far, as "operation name", challenges left out.
func (e env) requests(t *testing.T) []string {
	t.Helper()
	var mine []string
	for _, r := range requestLog(t) {
		if r.Vault == e.Vault() && r.Status != 401 {
			mine = append(mine, r.Operation+" "+r.Name)
		}
	}
	return mine
}

// set gives a secret of the slot's vault a new value.
func (e env) set(t *testing.T, name, value string) {
	t.Helper()
	if err := shared.stack.Set(t.Context(), e.Vault(), name, value, operator()); err != nil {
		t.Fatal(err)
	}
}

// remove deletes a secret of the slot's vault.
func (e env) remove(t *testing.T, name string) {
	t.Helper()
	vault, err := shared.stack.Secrets(e.Vault(), operator())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := vault.DeleteSecret(t.Context(), name, nil); err != nil {
		t.Fatal(err)
	}
}

// spcClass is short for the kind of the CSI driver.
type spcClass = spcv1.SecretProviderClass

// rawMerge is a merge patch as it stands.
func rawMerge(patch []byte) client.Patch { return client.RawPatch(types.MergePatchType, patch) }
