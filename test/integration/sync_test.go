package integration

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"

	"secretstore/api/secretsync/v1alpha1"
	"secretstore/test/cluster"
)

const synced = v1alpha1.ReasonUpdateNoValueChangeSucceeded

//covers:field SecretSync.spec.secretObject.annotations SecretSync.spec.secretObject.labels
//covers:field SecretSync.spec.secretObject.data[].sourcePath SecretSync.spec.secretObject.data[].targetKey
//covers:field SecretSync.status.conditions[].message SecretSync.status.conditions[].observedGeneration
//covers:field SecretSync.status.conditions[].reason SecretSync.status.conditions[].status
//covers:field SecretSync.status.conditions[].type SecretSync.status.lastSuccessfulSyncTime SecretSync.status.lastCheckTime
//covers:field SecretSync.status.syncHash SecretProviderClass.spec.parameters.clientID
//covers:field SecretProviderClass.spec.parameters.keyvaultName SecretProviderClass.spec.parameters.objects
//covers:field SecretProviderClass.spec.parameters.objects[].objectAlias
//covers:field SecretProviderClass.spec.parameters.objects[].objectName
//covers:field SecretProviderClass.spec.parameters.objects[].objectType
//covers:reason CreateSucceeded UpdateNoValueChangeSucceeded Synced
func TestOpaque(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	s := e.sync("app", "vault", "plain=password", "pem=certificate", "signing=key", "alias/other=a_b.c")
	s.Spec.SecretObject.Labels = map[string]string{"team": "shop"}
	s.Spec.SecretObject.Annotations = map[string]string{"note": "n"}
	e.create(t, e.class("vault", "secret plain", "cert pem", "key signing", "secret other objectAlias=alias/other"), s)
	e.await(t, s, v1alpha1.ConditionUpdate, synced)

	got := map[string]string{}
	for _, c := range s.Status.Conditions {
		got[c.Type] = string(c.Status) + "/" + c.Reason
		if c.ObservedGeneration != s.Generation || c.LastTransitionTime.IsZero() || c.Message == "" {
			t.Errorf("condition %+v", c)
		}
	}
	want := map[string]string{"Create": "True/CreateSucceeded", "Update": "True/UpdateNoValueChangeSucceeded", "Ready": "True/Synced"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("conditions (-want +got):\n%s", diff)
	}
	if s.Status.LastSuccessfulSyncTime == nil || s.Status.LastCheckTime == nil || !strings.HasPrefix(s.Status.SyncHash, "hmac-sha256:") {
		t.Errorf("status %+v", s.Status)
	}
	secret := e.secret(t, "app")
	controller := true
	owners := []metav1.OwnerReference{{
		APIVersion: "secret-sync.x-k8s.io/v1alpha1", Kind: "SecretSync", Name: "app", UID: s.UID, Controller: &controller,
	}}
	if diff := cmp.Diff(owners, secret.OwnerReferences); diff != "" {
		t.Errorf("owner references (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[string]string{"team": "shop", "secrets-store.sync.x-k8s.io": ""}, secret.Labels); diff != "" {
		t.Errorf("labels (-want +got):\n%s", diff)
	}
	data := e.data(t, "app")
	if secret.Type != corev1.SecretTypeOpaque || secret.Annotations["note"] != "n" || len(data) != 4 {
		t.Errorf("type %s, annotations %v, %d keys", secret.Type, secret.Annotations, len(data))
	}
	if data["password"] != canary+"-plain" || data["a_b.c"] != canary+"-other" {
		t.Error("the secrets' values are not the vault's")
	}
	if block, rest := pem.Decode([]byte(data["certificate"])); block == nil || block.Type != "CERTIFICATE" || len(rest) > 0 {
		t.Errorf("the certificate is not one PEM block")
	}
	if block, _ := pem.Decode([]byte(data["key"])); block == nil || block.Type != "PUBLIC KEY" {
		t.Errorf("the key is not a public key")
	}
	if diff := cmp.Diff([]string{"Normal/CreateSucceeded: the Secret was created"}, e.awaitEvents(t, "app", 1)); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
}

//covers:field SecretSync.spec.secretObject.type
func TestTLS(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	e.create(t, e.class("vault", "secret pfx", "secret pem"))
	for _, name := range []string{"pfx", "pem"} {
		s := e.sync(name, "vault", name+"=tls.crt", name+"=tls.key")
		s.Spec.SecretObject.Type = string(corev1.SecretTypeTLS)
		e.create(t, s)
		e.await(t, s, v1alpha1.ConditionUpdate, synced)
		data := e.data(t, name)
		pair, err := tls.X509KeyPair([]byte(data["tls.crt"]), []byte(data["tls.key"]))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if strings.Contains(data["tls.crt"], "PRIVATE KEY") || !strings.HasPrefix(data["tls.key"], "-----BEGIN EC PRIVATE KEY-----") {
			t.Errorf("%s: tls.crt holds a key, or tls.key is not in the form that consumers hold", name)
		}
		for i, der := range pair.Certificate[1:] {
			issued, issuer := parse(t, pair.Certificate[i]), parse(t, der)
			if err := issued.CheckSignatureFrom(issuer); err != nil {
				t.Errorf("%s: certificate %d was not issued by the next one: %v", name, i, err)
			}
		}
	}
	if n := strings.Count(e.data(t, "pfx")["tls.crt"], "BEGIN CERTIFICATE"); n != 3 {
		t.Errorf("the chain of leaf, intermediate and root has %d certificates", n)
	}
}

func parse(t *testing.T, der []byte) *x509.Certificate {
	t.Helper()
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return certificate
}

//covers:field SecretProviderClass.spec.parameters.objects[].objectVersionHistory
func TestHistory(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	s := e.sync("app", "vault", "versions/0=v0", "versions/1=v1")
	e.create(t, e.class("vault", "secret versions objectVersionHistory=2"), s)
	e.await(t, s, v1alpha1.ConditionUpdate, synced)
	want := map[string]string{"v0": canary + "-newest", "v1": canary + "-older"}
	if diff := cmp.Diff(want, e.data(t, "app")); diff != "" {
		t.Errorf("data (-want +got):\n%s", diff)
	}
}

func TestOnlyMappedObjectsAreFetched(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	s := e.sync("app", "vault", "plain=a", "plain=b")
	e.create(t, e.class("vault", "secret plain", "secret other", "cert pem", "secret off"), s)
	e.await(t, s, v1alpha1.ConditionUpdate, synced)
	if diff := cmp.Diff([]string{"secrets.get plain"}, e.requests(t)); diff != "" {
		t.Errorf("requests (-want +got):\n%s", diff)
	}
}

//covers:field SecretSync.spec.forceSynchronization SecretSync.spec.secretObject.data[].targetKey SecretSync.status.syncHash
//covers:reason UpdateNoValueChangeSucceeded UpdateValueChangeOrForceUpdateSucceeded
func TestRotation(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	s := e.sync("app", "vault", "plain=k")
	e.create(t, e.class("vault", "secret plain"), s)
	e.await(t, s, v1alpha1.ConditionUpdate, synced)
	before, hash := e.secret(t, "app").ResourceVersion, s.Status.SyncHash

	e.force(t, s)
	e.await(t, s, v1alpha1.ConditionUpdate, synced)
	if after := e.secret(t, "app").ResourceVersion; after != before || s.Status.SyncHash != hash {
		t.Errorf("a check that found nothing new wrote the Secret")
	}
	e.set(t, "plain", canary+"-new")
	e.force(t, s)
	e.await(t, s, v1alpha1.ConditionUpdate, v1alpha1.ReasonUpdateValueChangeSucceeded)
	if got := e.data(t, "app")["k"]; got != canary+"-new" || s.Status.SyncHash == hash {
		t.Error("the new value did not arrive, or syncHash did not move")
	}
	// A key that is no longer mapped goes.
	edit(t, e, s, func(s *v1alpha1.SecretSync) { s.Spec.SecretObject.Data[0].TargetKey = "renamed" })
	e.await(t, s, v1alpha1.ConditionUpdate, v1alpha1.ReasonUpdateValueChangeSucceeded)
	if diff := cmp.Diff(map[string]string{"renamed": canary + "-new"}, e.data(t, "app")); diff != "" {
		t.Errorf("data (-want +got):\n%s", diff)
	}
}

//covers:field SecretSync.spec.secretProviderClassName SecretSync.spec.serviceAccountName SecretSync.status.observedInputs
//covers:reason ControllerSpcError Stale
func TestWhatACheckReadsIsWatched(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	s := e.sync("app", "vault", "plain=k")
	e.create(t, s)
	e.await(t, s, v1alpha1.ConditionCreate, v1alpha1.ReasonControllerSpcError)
	class := e.class("vault", "secret plain")
	e.create(t, class)
	e.await(t, s, v1alpha1.ConditionUpdate, synced)

	edit(t, e, class, func(c *spcClass) { c.Spec.Parameters["keyvaultName"] = "no" })
	e.await(t, s, v1alpha1.ConditionUpdate, v1alpha1.ReasonControllerSpcError)
	edit(t, e, class, func(c *spcClass) { c.Spec.Parameters["keyvaultName"] = e.Vault() })
	e.await(t, s, v1alpha1.ConditionUpdate, synced)

	if err := e.client.Delete(t.Context(), e.account()); err != nil {
		t.Fatal(err)
	}
	e.await(t, s, v1alpha1.ConditionUpdate, v1alpha1.ReasonUserInputValidationFailed)
	e.await(t, s, v1alpha1.ConditionReady, v1alpha1.ReasonStale)
	e.create(t, e.account())
	e.await(t, s, v1alpha1.ConditionUpdate, synced)
}

// TestEditsByHandAreTakenBack edits and deletes the Secret, and touches nothing else: the looks between checks find it.
//
//covers:field SecretSync.spec.secretObject.labels setting.driftCheckIntervalInSeconds
//covers:fault secret-deleted secret-edited
func TestEditsByHandAreTakenBack(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	s := e.sync("app", "vault", "plain=k")
	s.Spec.SecretObject.Labels = map[string]string{"team": "shop"}
	e.create(t, e.class("vault", "secret plain"), s)
	e.await(t, s, v1alpha1.ConditionUpdate, synced)
	asked := len(e.requests(t))

	for _, tc := range []struct {
		reason string
		change func(*corev1.Secret)
		want   map[string]string
	}{
		{"a value that was edited comes back, and what others add stays", func(c *corev1.Secret) {
			c.Data["k"], c.Data["theirs"] = []byte("edited"), []byte("kept")
		}, map[string]string{"k": canary + "-plain", "theirs": "kept"}},
		{
			"so does a key that was removed", func(c *corev1.Secret) { delete(c.Data, "k") },
			map[string]string{"k": canary + "-plain", "theirs": "kept"},
		},
		{
			"and a label", func(c *corev1.Secret) { c.Labels["team"] = "edited" },
			map[string]string{"k": canary + "-plain", "theirs": "kept"},
		},
	} {
		edit(t, e, e.secret(t, "app"), tc.change)
		e.awaitSecret(t, "app", tc.reason, tc.want)
	}
	if err := e.client.Delete(t.Context(), e.secret(t, "app")); err != nil {
		t.Fatal(err)
	}
	e.awaitSecret(t, "app", "a Secret that was deleted is made anew", map[string]string{"k": canary + "-plain"})
	e.await(t, s, v1alpha1.ConditionUpdate, v1alpha1.ReasonUpdateValueChangeSucceeded)
	if n := len(e.requests(t)) - asked; n != 4 {
		t.Errorf("the vault was asked %d times for 4 repairs", n)
	}
}

func TestDeletingTheSecretSyncDeletesItsSecret(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	s := e.sync("app", "vault", "plain=k")
	e.create(t, e.class("vault", "secret plain"), s)
	e.await(t, s, v1alpha1.ConditionUpdate, synced)
	if err := e.client.Delete(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	cluster.Eventually(t, patience, func() error {
		if e.secret(t, "app") != nil {
			return fmt.Errorf("the Secret is still there")
		}
		return nil
	})
}

//covers:field SecretSync.spec.secretSyncControllerName
func TestAnotherControllersObjectsAreLeftAlone(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	theirs, ours := e.sync("theirs", "vault", "plain=k"), e.sync("ours", "vault", "plain=k")
	theirs.Spec.SecretSyncControllerName = "another"
	e.create(t, e.class("vault", "secret plain"), theirs, ours)
	e.await(t, ours, v1alpha1.ConditionUpdate, synced)
	edit(t, e, ours, func(s *v1alpha1.SecretSync) { s.Spec.ForceSynchronization = "1" })
	e.await(t, ours, v1alpha1.ConditionUpdate, synced)
	if e.secret(t, "theirs") != nil {
		t.Error("a Secret was made for another controller's SecretSync")
	}
}

//covers:field SecretSync.spec.secretObject.type
func TestTheTypeIsImmutable(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	s := e.sync("app", "vault", "plain=k")
	e.create(t, s)
	s.Spec.SecretObject.Type = string(corev1.SecretTypeTLS)
	err := e.client.Update(t.Context(), s)
	if !apierrors.IsInvalid(err) && !apierrors.IsConflict(err) {
		t.Fatalf("changing the type: %v", err)
	}
	patch := []byte(`{"spec":{"secretObject":{"type":"kubernetes.io/tls"}}}`)
	if err := e.client.Patch(t.Context(), s, rawMerge(patch)); !apierrors.IsInvalid(err) || !strings.Contains(err.Error(), "cannot be changed") {
		t.Errorf("changing the type: %v", err)
	}
}

// TestTheControllerReadsNoSecrets asks the API server as the controller.
func TestTheControllerReadsNoSecrets(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	s := e.sync("app", "vault", "plain=k")
	e.create(t, e.class("vault", "secret plain"), s)
	e.await(t, s, v1alpha1.ConditionUpdate, synced)
	config, err := clientcmd.BuildConfigFromFlags("", shared.stack.Kubeconfig)
	if err != nil {
		t.Fatal(err)
	}
	controller, err := kubernetes.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	secrets := controller.CoreV1().Secrets(e.Namespace())
	_, get := secrets.Get(t.Context(), "app", metav1.GetOptions{})
	_, list := secrets.List(t.Context(), metav1.ListOptions{})
	_, watch := secrets.Watch(t.Context(), metav1.ListOptions{})
	remove := secrets.Delete(t.Context(), "app", metav1.DeleteOptions{})
	_, update := secrets.Update(t.Context(), e.secret(t, "app"), metav1.UpdateOptions{})
	_, pods := controller.CoreV1().Pods(e.Namespace()).List(t.Context(), metav1.ListOptions{})
	_, configMap := controller.CoreV1().ConfigMaps(e.Namespace()).Patch(t.Context(), "kube-root-ca.crt", types.MergePatchType, []byte("{}"), metav1.PatchOptions{})
	for verb, err := range map[string]error{
		"get": get, "list": list, "watch": watch, "delete": remove, "update": update, "list pods": pods, "patch configmaps": configMap,
	} {
		if !apierrors.IsForbidden(err) {
			t.Errorf("the controller may %s: %v", verb, err)
		}
	}
}

// TestWhatHasNoEffectIsSaid has the old provider's flags and a misspelt field in a class that works.
//
//covers:field SecretProviderClass.spec.parameters.useVMManagedIdentity
//covers:reason SecretProviderClassWarning
func TestWhatHasNoEffectIsSaid(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	class, s := e.class("vault", "secret plain objectVerison=x"), e.sync("app", "vault", "plain=k")
	class.Spec.Parameters["usePodIdentity"], class.Spec.Parameters["useVMManagedIdentity"] = "false", "true"
	class.Spec.Parameters["keyVaultName"] = "misspelt"
	e.create(t, class, s)
	e.await(t, s, v1alpha1.ConditionUpdate, synced)
	e.force(t, s)
	e.await(t, s, v1alpha1.ConditionUpdate, synced)
	var warnings []string
	for _, event := range e.awaitEvents(t, "app", 2) {
		if strings.HasPrefix(event, "Warning/") {
			warnings = append(warnings, event)
		}
	}
	if len(warnings) != 1 {
		t.Fatalf("warnings %q", warnings)
	}
	for _, text := range []string{"SecretProviderClassWarning", "vault", "useVMManagedIdentity", "objectVerison", "keyVaultName"} {
		if !strings.Contains(warnings[0], text) {
			t.Errorf("%q does not say %q", warnings[0], text)
		}
	}
	if strings.Contains(warnings[0], "usePodIdentity") {
		t.Errorf("a flag that asks for nothing is told: %q", warnings[0])
	}
}
