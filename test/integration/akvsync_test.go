package integration

import (
	"crypto/tls"
	"errors"
	"fmt"
	"maps"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"secretstore/api/secretsync/v1alpha1"
	"secretstore/test/cluster"
)

// akvsync is an AKVSync of the slot's vault, its entries given as YAML.
func (e env) akvsync(t *testing.T, objects string) *v1alpha1.AKVSync {
	t.Helper()
	s := &v1alpha1.AKVSync{
		ObjectMeta: metav1.ObjectMeta{Namespace: e.Namespace(), Name: "all"},
		Spec: v1alpha1.AKVSyncSpec{
			KeyvaultName: e.Vault(), ClientID: e.ClientID(), TenantID: tenantID, ServiceAccountName: e.Account(),
			Objects: entries(t, objects),
		},
	}
	return s
}

func entries(t *testing.T, text string) []v1alpha1.AKVSyncEntry {
	t.Helper()
	var list []v1alpha1.AKVSyncEntry
	if err := yaml.UnmarshalStrict([]byte(text), &list); err != nil {
		t.Fatal(err)
	}
	return list
}

// ask replaces the entries of an AKVSync.
func (e env) ask(t *testing.T, s *v1alpha1.AKVSync, objects string) {
	t.Helper()
	list := entries(t, objects)
	edit(t, e, s, func(s *v1alpha1.AKVSync) { s.Spec.Objects = list })
}

// awaitAll waits until the AKVSync's rows are as wanted, each "NAME STATUS/REASON", and Ready has the reason.
func (e env) awaitAll(t *testing.T, s *v1alpha1.AKVSync, reason string, rows ...string) metav1.Condition {
	t.Helper()
	var ready *metav1.Condition
	cluster.Eventually(t, patience, func() error {
		if err := e.client.Get(t.Context(), client.ObjectKeyFromObject(s), s); err != nil {
			return err
		}
		var got []string
		for _, row := range s.Status.Objects {
			got = append(got, fmt.Sprintf("%s %s/%s", row.Name, row.Status, row.Reason))
		}
		ready = meta.FindStatusCondition(s.Status.Conditions, v1alpha1.ConditionReady)
		if diff := cmp.Diff(rows, got); diff != "" || s.Status.ObservedGeneration != s.Generation || ready == nil || ready.Reason != reason {
			return fmt.Errorf("generation %d of %d, Ready %+v, rows (-want +got):\n%s", s.Status.ObservedGeneration, s.Generation, ready, diff)
		}
		return nil
	})
	return *ready
}

// row is the message of one Secret's row.
func row(s *v1alpha1.AKVSync, name string) string {
	for _, row := range s.Status.Objects {
		if row.Name == name {
			return row.Message
		}
	}
	return ""
}

func contains(t *testing.T, text string, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if !strings.Contains(text, part) {
			t.Errorf("%q does not say %q", text, part)
		}
	}
}

// generated reads a SecretSync; nil if there is none.
func (e env) generated(t *testing.T, name string) *v1alpha1.SecretSync {
	t.Helper()
	s := &v1alpha1.SecretSync{}
	err := e.client.Get(t.Context(), client.ObjectKey{Namespace: e.Namespace(), Name: name}, s)
	if apierrors.IsNotFound(err) {
		return nil
	}
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// generatedClass reads the SecretProviderClass of an AKVSync.
func (e env) generatedClass(t *testing.T) *spcClass {
	t.Helper()
	class := &spcClass{}
	if err := e.client.Get(t.Context(), client.ObjectKey{Namespace: e.Namespace(), Name: "all"}, class); err != nil {
		t.Fatal(err)
	}
	return class
}

// awaitEventsOn waits until there are events on an object, and returns them.
func (e env) awaitEventsOn(t *testing.T, kind, name string, n int) []string {
	t.Helper()
	var events []string
	cluster.Eventually(t, patience, func() error {
		if events = e.eventsOn(t, kind, name); len(events) < n {
			return fmt.Errorf("%d events on %s %s, want %d: %q", len(events), kind, name, n, events)
		}
		return nil
	})
	return events
}

// gone waits until there is neither SecretSync nor Secret of a name.
func (e env) gone(t *testing.T, names ...string) {
	t.Helper()
	for _, name := range names {
		cluster.Eventually(t, patience, func() error {
			if e.generated(t, name) != nil || e.secret(t, name) != nil {
				return fmt.Errorf("%s is still there", name)
			}
			return nil
		})
	}
}

// TestAKVSyncShapes asks for a Secret of every shape, and looks at all that comes of it.
//
//covers:field AKVSync.spec.clientID AKVSync.spec.keyvaultName AKVSync.spec.tenantID AKVSync.spec.serviceAccountName
//covers:field AKVSync.spec.objects[].annotations AKVSync.spec.objects[].certInAKV
//covers:field AKVSync.spec.objects[].kubernetesSecretName AKVSync.spec.objects[].kubernetesSecretType
//covers:field AKVSync.spec.objects[].labels AKVSync.spec.objects[].secretInAKV AKVSync.spec.objects[].versionHistory
//covers:field AKVSync.spec.objects[].mapping[].certInAKV AKVSync.spec.objects[].mapping[].dataKey
//covers:field AKVSync.spec.objects[].mapping[].secretInAKV AKVSync.spec.objects[].mapping[].version AKVSync.status.synced
//covers:field AKVSync.status.observedGeneration AKVSync.status.conditions[].reason AKVSync.status.conditions[].message
//covers:field AKVSync.status.conditions[].type AKVSync.status.objects[].entry AKVSync.status.objects[].kind
//covers:field AKVSync.status.objects[].name AKVSync.status.objects[].status AKVSync.status.objects[].reason
//covers:field AKVSync.status.objects[].lastSuccessfulSyncTime
//covers:reason Synced
func TestAKVSyncShapes(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	s := e.akvsync(t, `
- secretInAKV: plain
- {secretInAKV: Versions, kubernetesSecretName: history, versionHistory: 2, labels: {team: shop}, annotations: {note: hello}}
- {secretInAKV: other, kubernetesSecretName: basic, kubernetesSecretType: kubernetes.io/basic-auth}
- certInAKV: pem
- {certInAKV: pfx, kubernetesSecretName: web, kubernetesSecretType: kubernetes.io/tls}
- {certInAKV: renewed, kubernetesSecretType: kubernetes.io/tls, versionHistory: 2}
- kubernetesSecretName: composed
  mapping:
    - {dataKey: old_one, secretInAKV: versions, version: 1}
    - {dataKey: plain.txt, secretInAKV: plain}
    - {dataKey: server.pem, certInAKV: pfx}
`)
	e.create(t, s)
	const ok = " True/Synced"
	ready := e.awaitAll(t, s, v1alpha1.ReasonSynced,
		"plain"+ok, "history"+ok, "basic"+ok, "pem"+ok, "web"+ok, "renewed-v0"+ok, "renewed-v1"+ok, "composed"+ok)
	contains(t, ready.Message, "8 of 8 Secrets hold what the vault holds")
	if s.Status.Synced != "8/8" || s.Status.Objects[5].Kind != "certInAKV" || s.Status.Objects[6].Entry != 5 || s.Status.Objects[0].LastSuccessfulSyncTime == nil {
		t.Errorf("status %+v", s.Status)
	}
	for name, want := range map[string]map[string]string{
		"plain": {"v0": canary + "-plain"}, "history": {"v0": canary + "-newest", "v1": canary + "-older"}, "basic": {"password": canary + "-other"},
	} {
		if diff := cmp.Diff(want, e.data(t, name)); diff != "" {
			t.Errorf("Secret %s (-want +got):\n%s", name, diff)
		}
	}
	composed := e.data(t, "composed")
	if composed["old_one"] != canary+"-older" || composed["plain.txt"] != canary+"-plain" || len(composed) != 3 {
		t.Errorf("the composed Secret has keys %v", slices.Collect(maps.Keys(composed)))
	}
	for _, pem := range []string{e.data(t, "pem")["v0"], composed["server.pem"]} {
		if _, err := tls.X509KeyPair([]byte(pem), []byte(pem)); err != nil {
			t.Errorf("a certificate with its key as one PEM: %v", err)
		}
	}
	serials := map[string]bool{}
	for _, name := range []string{"web", "renewed-v0", "renewed-v1"} {
		data := e.data(t, name)
		pair, err := tls.X509KeyPair([]byte(data["tls.crt"]), []byte(data["tls.key"]))
		if err != nil || len(data) != 2 || e.secret(t, name).Type != corev1.SecretTypeTLS {
			t.Fatalf("TLS Secret %s: %v, %d keys", name, err, len(data))
		}
		serials[parse(t, pair.Certificate[0]).SerialNumber.String()] = true
	}
	if len(serials) != 3 {
		t.Errorf("%d different certificates in 3 Secrets", len(serials))
	}
	e.checkGenerated(t, s)
	if diff := cmp.Diff([]string{"Normal/Synced: 8 of 8 Secrets hold what the vault holds"}, e.awaitEventsOn(t, "AKVSync", "all", 1)); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
}

// checkGenerated looks at what surrounds the Secrets of TestAKVSyncShapes.
func (e env) checkGenerated(t *testing.T, s *v1alpha1.AKVSync) {
	t.Helper()
	controller := true
	owners := []metav1.OwnerReference{{
		APIVersion: "secret-sync.x-k8s.io/v1alpha1", Kind: "AKVSync", Name: "all", UID: s.UID, Controller: &controller,
	}}
	sync, class := e.generated(t, "history"), e.generatedClass(t)
	for _, object := range []client.Object{sync, class} {
		if diff := cmp.Diff(owners, object.GetOwnerReferences()); diff != "" {
			t.Errorf("owner references (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff(map[string]string{"secret-sync.x-k8s.io/akvsync": "all"}, object.GetLabels()); diff != "" {
			t.Errorf("labels (-want +got):\n%s", diff)
		}
	}
	secret := e.secret(t, "history")
	if secret.Labels["team"] != "shop" || secret.Annotations["note"] != "hello" || secret.OwnerReferences[0].UID != sync.UID {
		t.Errorf("the Secret's metadata: %+v", secret.ObjectMeta)
	}
	contains(t, class.Spec.Parameters["objects"], "objectName: Versions", "objectAlias: versions", "objectVersionHistory: 2", "objectName: pfx")
	if n := strings.Count(class.Spec.Parameters["objects"], "objectName"); n != 6 {
		t.Errorf("the class has %d objects, want each once: 6", n)
	}
	kubectl, err := shared.cluster.Binary("kubectl")
	if err != nil {
		t.Fatal(err)
	}
	kubeconfig, err := shared.cluster.KubeconfigFile("admin-"+e.Namespace(), shared.cluster.Config())
	if err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), kubectl, "--kubeconfig", kubeconfig, "get", "secretstore", "-n", e.Namespace(), "-o", "wide").CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	contains(t, string(out), "akvsync.secret-sync.x-k8s.io/all", e.Vault(), "8/8", "8 of 8 Secrets hold", "secretsync.secret-sync.x-k8s.io/renewed-v1")
}

func TestAKVSyncRemovalAndDeletion(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	const ok = " True/Synced"
	s := e.akvsync(t, "[{secretInAKV: plain}, {secretInAKV: other}, {certInAKV: renewed, kubernetesSecretType: kubernetes.io/tls, versionHistory: 2}]")
	// What others made is not the AKVSync's to remove, whatever label it has.
	hand := e.sync("by-hand", "all", "plain=k")
	hand.Labels = map[string]string{"secret-sync.x-k8s.io/akvsync": "all"}
	e.create(t, s, hand)
	e.awaitAll(t, s, v1alpha1.ReasonSynced, "plain"+ok, "other"+ok, "renewed-v0"+ok, "renewed-v1"+ok)
	before := e.secret(t, "plain")

	e.ask(t, s, "[{secretInAKV: plain}, {certInAKV: renewed, kubernetesSecretType: kubernetes.io/tls, kubernetesSecretName: renewed-v0}]")
	e.awaitAll(t, s, v1alpha1.ReasonSynced, "plain"+ok, "renewed-v0"+ok)
	e.gone(t, "other", "renewed-v1")
	cluster.Eventually(t, patience, func() error {
		if objects := e.generatedClass(t).Spec.Parameters["objects"]; strings.Contains(objects, "other") || strings.Contains(objects, "History") {
			return fmt.Errorf("the class still has what nobody needs:\n%s", objects)
		}
		return nil
	})
	if diff := cmp.Diff(before, e.secret(t, "plain")); diff != "" {
		t.Errorf("another Secret was changed (-before +after):\n%s", diff)
	}
	e.await(t, hand, v1alpha1.ConditionUpdate, synced)

	if err := e.client.Delete(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	e.gone(t, "plain", "renewed-v0")
	cluster.Eventually(t, patience, func() error {
		err := e.client.Get(t.Context(), client.ObjectKey{Namespace: e.Namespace(), Name: "all"}, &spcClass{})
		if !apierrors.IsNotFound(err) {
			return fmt.Errorf("the class is still there: %w", err)
		}
		return nil
	})
	if e.generated(t, "by-hand") == nil || e.secret(t, "by-hand") == nil {
		t.Error("what was made by hand went too")
	}
}

// TestAKVSyncHistoryIsShared gives an object a history for the sake of one Secret: the paths of another change, its Secret does
// not, and at no moment does its SecretSync fail.
func TestAKVSyncHistoryIsShared(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	const ok = " True/Synced"
	s := e.akvsync(t, "[{secretInAKV: versions}]")
	e.create(t, s)
	e.awaitAll(t, s, v1alpha1.ReasonSynced, "versions"+ok)
	before := e.secret(t, "versions")
	for i, history := range []string{"versionHistory: 3", "versionHistory: 2", "versionHistory: 1"} {
		e.ask(t, s, "[{secretInAKV: versions}, {secretInAKV: versions, kubernetesSecretName: more, "+history+"}]")
		e.awaitAll(t, s, v1alpha1.ReasonSynced, "versions"+ok, "more"+ok)
		want := []string{"versions/0", "versions/0", "versions"}[i]
		if got := e.generated(t, "versions").Spec.SecretObject.Data; len(got) != 1 || got[0].SourcePath != want || got[0].TargetKey != "v0" {
			t.Errorf("%s: the other's data are %v, want path %s", history, got, want)
		}
		if got := len(e.generated(t, "more").Spec.SecretObject.Data); got != 3-i {
			t.Errorf("%s: %d keys", history, got)
		}
	}
	if diff := cmp.Diff(before.Data, e.secret(t, "versions").Data); diff != "" || before.UID != e.secret(t, "versions").UID {
		t.Errorf("the Secret was changed (-before +after):\n%s", diff)
	}
	for _, event := range append(e.events(t, "versions"), e.events(t, "more")...) {
		if strings.HasPrefix(event, corev1.EventTypeWarning) {
			t.Errorf("on the way a SecretSync failed: %s", event)
		}
	}
}

func TestAKVSyncPutsBackEditsByHand(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	const ok = " True/Synced"
	s := e.akvsync(t, "[{secretInAKV: plain}, {secretInAKV: other}]")
	e.create(t, s)
	e.awaitAll(t, s, v1alpha1.ReasonSynced, "plain"+ok, "other"+ok)
	class, sync := e.generatedClass(t), e.generated(t, "plain")

	edit(t, e, class, func(c *spcClass) {
		c.Spec.Parameters["keyvaultName"], c.Spec.Parameters["cloudName"] = "forbidden", "AzureChinaCloud"
		c.Labels = map[string]string{"theirs": "1"}
	})
	edit(t, e, sync, func(s *v1alpha1.SecretSync) {
		s.Spec.SecretObject.Data = append(s.Spec.SecretObject.Data, v1alpha1.SecretObjectData{SourcePath: "other", TargetKey: "mine"})
		s.Spec.ServiceAccountName, s.Spec.SecretSyncControllerName = "default", "another"
		s.Labels["theirs"] = "2"
		s.Spec.ForceSynchronization = "by hand"
	})
	cluster.Eventually(t, patience, func() error {
		class, sync := e.generatedClass(t), e.generated(t, "plain")
		_, added := class.Spec.Parameters["cloudName"]
		if class.Spec.Parameters["keyvaultName"] != e.Vault() || added || class.Labels["secret-sync.x-k8s.io/akvsync"] != "all" {
			return fmt.Errorf("the class is %+v", class)
		}
		if len(sync.Spec.SecretObject.Data) != 1 || sync.Spec.ServiceAccountName != e.Account() || sync.Spec.SecretSyncControllerName != "" {
			return fmt.Errorf("the SecretSync is %+v", sync.Spec)
		}
		if class.Labels["theirs"] != "1" || sync.Labels["theirs"] != "2" || sync.Spec.ForceSynchronization != "by hand" {
			return errors.New("what is anybody's to set was taken away")
		}
		return nil
	})
	if err := errors.Join(e.client.Delete(t.Context(), class), e.client.Delete(t.Context(), sync)); err != nil {
		t.Fatal(err)
	}
	cluster.Eventually(t, patience, func() error {
		if again := e.generated(t, "plain"); again == nil || again.UID == sync.UID || e.secret(t, "plain") == nil {
			return errors.New("the SecretSync was not made again, or its Secret")
		}
		return nil
	})
	e.awaitAll(t, s, v1alpha1.ReasonSynced, "plain"+ok, "other"+ok)
	if e.generatedClass(t).UID == class.UID {
		t.Error("the class is the old one")
	}
	// forceSynchronization of the AKVSync is that of all.
	edit(t, e, s, func(s *v1alpha1.AKVSync) { s.Spec.ForceSynchronization = "all" })
	e.set(t, "other", canary+"-new")
	edit(t, e, s, func(s *v1alpha1.AKVSync) { s.Spec.ForceSynchronization = "all again" })
	cluster.Eventually(t, patience, func() error {
		if e.secret(t, "other").Data["v0"] == nil || string(e.secret(t, "other").Data["v0"]) != canary+"-new" {
			return errors.New("the new value did not arrive")
		}
		return nil
	})
}
