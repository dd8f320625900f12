package integration

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"secretstore/api/secretsync/v1alpha1"
	"secretstore/test/cluster"
)

func TestAKVSyncLeavesForeignObjectsAlone(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	const ok, bad = " True/Synced", " False/UserInputValidationFailed"
	class := e.class("all", "secret plain")
	s := e.akvsync(t, "[{secretInAKV: plain}, {secretInAKV: other}, {certInAKV: renewed, kubernetesSecretType: kubernetes.io/tls, versionHistory: 2}]")
	e.create(t, class, s)
	ready := e.awaitAll(t, s, v1alpha1.ReasonUserInputValidationFailed, "plain"+bad, "other"+bad, "renewed-v0"+bad, "renewed-v1"+bad)
	contains(t, ready.Message, "a SecretProviderClass all exists", "left alone", "kubectl delete secretproviderclass -n "+e.Namespace()+" all")
	e.awaitEventsOn(t, "AKVSync", "all", 1)

	// SecretSyncs that others made, and a Secret in the place of one version's.
	theirs := e.sync("plain", "all", "plain=k")
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: e.Namespace(), Name: "renewed-v1"}, Data: map[string][]byte{"k": []byte(canary)}}
	e.create(t, theirs, secret)
	if err := e.client.Delete(t.Context(), class); err != nil {
		t.Fatal(err)
	}
	e.awaitAll(t, s, v1alpha1.ReasonUserInputValidationFailed, "plain"+bad, "other"+ok, "renewed-v0"+ok, "renewed-v1 False/InvalidClusterSecretLabelError")
	contains(t, row(s, "plain"), "a SecretSync plain exists", "kubectl delete secretsync -n "+e.Namespace()+" plain", "set kubernetesSecretName of spec.objects[0]")
	contains(t, row(s, "renewed-v1"), "a Secret renewed-v1 exists", "left alone")
	if got := e.generated(t, "plain"); got.Spec.SecretObject.Data[0].TargetKey != "k" || len(got.OwnerReferences)+len(got.Labels) > 0 || s.Status.Synced != "2/4" {
		t.Errorf("%s synced, the foreign SecretSync is %+v", s.Status.Synced, got)
	}
	// Another AKVSync wants a Secret of the same name: the second does not get it, and is told who has it.
	second := e.akvsync(t, "[{secretInAKV: plain, kubernetesSecretName: other}]")
	second.Name = "second"
	e.create(t, second)
	e.awaitAll(t, second, v1alpha1.ReasonUserInputValidationFailed, "other"+bad)
	contains(t, row(second, "other"), "SecretSync other belongs to AKVSync all")

	// The cures that the messages name work without another edit.
	if err := errors.Join(e.client.Delete(t.Context(), theirs), e.client.Delete(t.Context(), secret)); err != nil {
		t.Fatal(err)
	}
	cluster.Eventually(t, patience, func() error {
		if own := e.generated(t, "plain"); own == nil || !metav1.IsControlledBy(own, s) {
			return errors.New("the name was not taken once it was free")
		}
		return nil
	})
	e.awaitAll(t, s, v1alpha1.ReasonSynced, "plain"+ok, "other"+ok, "renewed-v0"+ok, "renewed-v1"+ok)
	// What the first gives up, the second makes anew.
	given := e.generated(t, "other")
	edit(t, e, s, func(s *v1alpha1.AKVSync) { s.Spec.Objects = s.Spec.Objects[:1] })
	e.gone(t, "renewed-v0", "renewed-v1")
	e.awaitAll(t, second, v1alpha1.ReasonSynced, "other"+ok)
	if again := e.generated(t, "other"); again.UID == given.UID {
		t.Error("the SecretSync was taken over instead of made anew")
	}
}

// TestAKVSyncTakesOverWhatItIsGiven gives a SecretSync to an AKVSync by an owner reference, as docs/spec/akvsync.md says: the
// Secret stays all the time.
func TestAKVSyncTakesOverWhatItIsGiven(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	const bad, ok = " False/UserInputValidationFailed", " True/Synced"
	sync := e.sync("plain", "old", "plain=password")
	s := e.akvsync(t, "[{kubernetesSecretName: plain, mapping: [{dataKey: password, secretInAKV: plain}]}]")
	e.create(t, e.class("old", "secret plain"), sync)
	e.await(t, sync, v1alpha1.ConditionUpdate, synced)
	before := e.secret(t, "plain")
	e.create(t, s)
	e.awaitAll(t, s, v1alpha1.ReasonUserInputValidationFailed, "plain"+bad)
	controller := true
	edit(t, e, sync, func(sync *v1alpha1.SecretSync) {
		sync.OwnerReferences = []metav1.OwnerReference{{
			APIVersion: "secret-sync.x-k8s.io/v1alpha1", Kind: "AKVSync", Name: "all", UID: s.UID, Controller: &controller,
		}}
	})
	e.awaitAll(t, s, v1alpha1.ReasonSynced, "plain"+ok)
	after := e.secret(t, "plain")
	if diff := cmp.Diff(before.Data, after.Data); diff != "" || before.UID != after.UID || e.generated(t, "plain").Spec.SecretProviderClassName != "all" {
		t.Errorf("the Secret was changed, or its SecretSync was not:\n%s", diff)
	}
}

func TestAKVSyncMistakesHoldUpNothing(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	const ok, bad = " True/Synced", " False/UserInputValidationFailed"
	s := e.akvsync(t, "[{secretInAKV: plain}, {secretInAKV: versions, kubernetesSecretName: old, versionHistory: 2}]")
	e.create(t, s)
	e.awaitAll(t, s, v1alpha1.ReasonSynced, "plain"+ok, "old"+ok)
	before := e.secret(t, "old")

	e.ask(t, s, `
- {secretInAKV: OTHER}
- {secretInAKV: plain, versionHistory: 1}
- {secretInAKV: other, kubernetesSecretName: twin}
- {certInAKV: pem, kubernetesSecretName: twin}
- {kubernetesSecretName: composed, mapping: [{dataKey: a/b, secretInAKV: plain}]}
- {secretInAKV: no_name, kubernetesSecretName: unnamed}
- {secretInAKV: other}
`)
	ready := e.awaitAll(t, s, v1alpha1.ReasonUserInputValidationFailed,
		"OTHER"+bad, "plain"+ok, "twin"+bad, "twin"+bad, "composed"+bad, "unnamed"+bad, "other"+ok)
	contains(t, ready.Message, "2 of 7 Secrets", "OTHER: spec.objects[0]", "(and 4 more", "until the mistakes are cured", "stay: old")
	contains(t, row(s, "OTHER"), `a Secret cannot be named "OTHER"`, "set kubernetesSecretName of spec.objects[0] to a name such as other")
	contains(t, row(s, "twin"), "spec.objects[2]: spec.objects[3] asks for a Secret named")
	contains(t, row(s, "composed"), `mapping[0].dataKey "a/b"`)
	contains(t, row(s, "unnamed"), `"no_name" is not the name of a Key Vault object`)
	if diff := cmp.Diff(before, e.secret(t, "old")); diff != "" {
		t.Errorf("a Secret went, or changed, while there was a mistake (-before +after):\n%s", diff)
	}
	e.force(t, e.generated(t, "old"))
	e.await(t, e.generated(t, "old"), v1alpha1.ConditionUpdate, synced) // the class still gives what it refers to

	e.ask(t, s, "[{secretInAKV: OTHER, kubernetesSecretName: other}, {secretInAKV: plain}]")
	e.awaitAll(t, s, v1alpha1.ReasonSynced, "other"+ok, "plain"+ok)
	e.gone(t, "old")
}

// TestAKVSyncRollsUp has one object of four disabled, then enabled, and then the vault's access taken away.
//
//covers:field AKVSync.spec.forceSynchronization AKVSync.spec.keyvaultName AKVSync.status.conditions[].status
//covers:field AKVSync.status.conditions[].reason AKVSync.status.synced
//covers:reason Stale
func TestAKVSyncRollsUp(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	const ok = " True/Synced"
	s := e.akvsync(t, "[{secretInAKV: plain}, {secretInAKV: 'off'}, {secretInAKV: other}, {certInAKV: missing}]")
	e.create(t, s)
	const failed = " False/ProviderError"
	ready := e.awaitAll(t, s, v1alpha1.ReasonProviderError, "plain"+ok, "off"+failed, "other"+ok, "missing"+failed)
	contains(t, ready.Message, "2 of 4 Secrets hold", "off: secret off", "disabled", "(and 1 more, see status.objects)")
	contains(t, row(s, "missing"), "missing")
	if ready.Status != metav1.ConditionFalse || s.Status.Synced != "2/4" {
		t.Errorf("Ready is %s, %s synced", ready.Status, s.Status.Synced)
	}
	warning := "Warning/ProviderError: "
	if events := e.awaitEventsOn(t, "AKVSync", "all", 1); !strings.HasPrefix(events[len(events)-1], warning) {
		t.Errorf("events %q", events)
	}
	e.set(t, "off", canary+"-on")
	e.set(t, "missing", canary+"-there")
	edit(t, e, s, func(s *v1alpha1.AKVSync) { s.Spec.ForceSynchronization = "1" })
	e.awaitAll(t, s, v1alpha1.ReasonSynced, "plain"+ok, "off"+ok, "other"+ok, "missing"+ok)
	// A vault that does not answer leaves the Secrets as they are: ready, but stale.
	edit(t, e, s, func(s *v1alpha1.AKVSync) { s.Spec.KeyvaultName = "no-such-vault" })
	const stale = " True/Stale"
	ready = e.awaitAll(t, s, v1alpha1.ReasonStale, "plain"+stale, "off"+stale, "other"+stale, "missing"+stale)
	if ready.Status != metav1.ConditionTrue || s.Status.Synced != "0/4" {
		t.Errorf("Ready is %s, %s synced", ready.Status, s.Status.Synced)
	}
}

//covers:field AKVSync.spec.objects[].kubernetesSecretType AKVSync.status.objects[].message
//covers:reason UserInputValidationFailed
func TestAKVSyncTypeCannotChange(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	const ok, bad = " True/Synced", " False/UserInputValidationFailed"
	s := e.akvsync(t, "[{certInAKV: pem}, {secretInAKV: plain}]")
	e.create(t, s)
	e.awaitAll(t, s, v1alpha1.ReasonSynced, "pem"+ok, "plain"+ok)
	before := e.secret(t, "pem")
	e.ask(t, s, "[{certInAKV: pem, kubernetesSecretType: kubernetes.io/tls}, {secretInAKV: plain}]")
	e.awaitAll(t, s, v1alpha1.ReasonUserInputValidationFailed, "pem"+bad, "plain"+ok)
	contains(t, row(s, "pem"), "spec.objects[0].kubernetesSecretType is kubernetes.io/tls", "was made with type Opaque", "kubectl delete secretsync -n "+e.Namespace()+" pem")
	if diff := cmp.Diff(before, e.secret(t, "pem")); diff != "" {
		t.Errorf("the Secret was changed (-before +after):\n%s", diff)
	}
	if err := e.client.Delete(t.Context(), e.generated(t, "pem")); err != nil {
		t.Fatal(err)
	}
	e.awaitAll(t, s, v1alpha1.ReasonSynced, "pem"+ok, "plain"+ok)
	if secret := e.secret(t, "pem"); secret.Type != corev1.SecretTypeTLS {
		t.Errorf("type %s", secret.Type)
	}
}

// TestAKVSyncRefusedByTheAPIServer makes the mistakes that the definition knows: each is said at once, in words.
//
//covers:field AKVSync.spec.clientID AKVSync.spec.keyvaultName AKVSync.spec.tenantID AKVSync.spec.serviceAccountName
//covers:field AKVSync.spec.objects[].kubernetesSecretType AKVSync.spec.objects[].versionHistory
//covers:field AKVSync.spec.objects[].mapping[].version
func TestAKVSyncRefusedByTheAPIServer(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	for name, tc := range map[string]struct {
		reason  string
		objects string
		edit    func(map[string]any)
		says    string
	}{
		"NoShape":     {"an entry is something", "[{kubernetesSecretName: a}]", nil, "exactly one of secretInAKV, certInAKV and mapping"},
		"TwoShapes":   {"and one thing only", "[{secretInAKV: a, certInAKV: a}]", nil, "exactly one of secretInAKV, certInAKV and mapping"},
		"NoEntry":     {"there is an entry", "[]", nil, "spec.objects"},
		"NamelessMap": {"a composed Secret has a name", "[{mapping: [{dataKey: k, secretInAKV: a}]}]", nil, "needs kubernetesSecretName"},
		"MapHistory":  {"and no history", "[{kubernetesSecretName: a, versionHistory: 2, mapping: [{dataKey: k, secretInAKV: a}]}]", nil, "set the version of each item instead"},
		"MapItem":     {"its items are one object each", "[{kubernetesSecretName: a, mapping: [{dataKey: k, secretInAKV: a, certInAKV: a}]}]", nil, "exactly one of secretInAKV and certInAKV"},
		"MapKeyTwice": {"for one key each", "[{kubernetesSecretName: a, mapping: [{dataKey: k, secretInAKV: a}, {dataKey: k, secretInAKV: b}]}]", nil, "Duplicate value"},
		"MapVersion":  {"of a version that there may be", "[{kubernetesSecretName: a, mapping: [{dataKey: k, secretInAKV: a, version: 500}]}]", nil, "less than or equal to 499"},
		"TLS":         {"a secret is no pair", "[{secretInAKV: a, kubernetesSecretType: kubernetes.io/tls}]", nil, "use certInAKV"},
		"CertType":    {"a certificate is nothing else", "[{certInAKV: a, kubernetesSecretType: kubernetes.io/ssh-auth}]", nil, "kubernetes.io/tls or Opaque"},
		"TypeHistory": {"other types have one key", "[{secretInAKV: a, versionHistory: 2, kubernetesSecretType: kubernetes.io/ssh-auth}]", nil, "other types have one fixed key"},
		"History":     {"history is bounded", "[{secretInAKV: a, versionHistory: 501}]", nil, "less than or equal to 500"},
		"Type":        {"so are types", "[{secretInAKV: a, kubernetesSecretType: kubernetes.io/service-account-token}]", nil, "supported values"},
		"Vault":       {"a vault is named by its name", "[{secretInAKV: a}]", func(s map[string]any) { s["keyvaultName"] = "https://my.vault.azure.net" }, "the vault's name alone"},
		"Client":      {"an identity by its client ID", "[{secretInAKV: a}]", func(s map[string]any) { s["clientID"] = "my-identity" }, "the client ID (a GUID)"},
		"Tenant":      {"a tenant by ID or domain", "[{secretInAKV: a}]", func(s map[string]any) { s["tenantID"] = "contoso" }, "the ID (a GUID) or a domain"},
		"Account":     {"and a service account", "[{secretInAKV: a}]", func(s map[string]any) { delete(s, "serviceAccountName") }, "serviceAccountName"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var objects []any
			if err := yaml.Unmarshal([]byte(tc.objects), &objects); err != nil {
				t.Fatal(err)
			}
			spec := map[string]any{
				"keyvaultName": e.Vault(), "clientID": e.ClientID(), "tenantID": "contoso.onmicrosoft.com", "serviceAccountName": "web", "objects": objects,
			}
			if tc.edit != nil {
				tc.edit(spec)
			}
			s := &unstructured.Unstructured{Object: map[string]any{"spec": spec}}
			s.SetGroupVersionKind(v1alpha1.GroupVersion().WithKind("AKVSync"))
			s.SetNamespace(e.Namespace())
			s.SetName(strings.ToLower(name))
			err := e.client.Create(t.Context(), s)
			if !apierrors.IsInvalid(err) || !strings.Contains(err.Error(), tc.says) {
				t.Errorf("%s: %v does not say %q", tc.reason, err, tc.says)
			}
		})
	}
}

//covers:field AKVSync.spec.secretSyncControllerName
func TestAKVSyncOfAnotherController(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	s, ours := e.akvsync(t, "[{secretInAKV: plain}]"), e.akvsync(t, "[{secretInAKV: other}]")
	s.Spec.SecretSyncControllerName, ours.Name = "another", "ours"
	e.create(t, s, ours)
	e.awaitAll(t, ours, v1alpha1.ReasonSynced, "other True/Synced")
	if err := e.client.Get(t.Context(), client.ObjectKeyFromObject(s), s); err != nil || e.generated(t, "plain") != nil || len(s.Status.Conditions) > 0 {
		t.Errorf("another controller's AKVSync was served: %v, %+v", err, s.Status)
	}
}

// TestAKVSyncExample applies examples/akvsync.yaml, with the slot's names in place of the example's.
func TestAKVSyncExample(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	root, err := cluster.Root()
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(root, "examples", "akvsync.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	manifest := strings.NewReplacer(
		"${KUBERNETES_NAMESPACE}", e.Namespace(), "${USER_ASSIGNED_CLIENT_ID}", e.ClientID(), "${AZURE_TENANT_ID}", tenantID,
		"${SERVICE_ACCOUNT_NAME}", e.Account(), "my-key-vault", e.Vault(), "InAKV: my-secret", "InAKV: plain", "InAKV: my-certificate", "InAKV: pfx",
	).Replace(string(text))
	if err := shared.cluster.Apply(t.Context(), []byte(manifest)); err != nil {
		t.Fatal(err)
	}
	s := &v1alpha1.AKVSync{ObjectMeta: metav1.ObjectMeta{Namespace: e.Namespace(), Name: "my-app"}}
	const ok = " True/Synced"
	e.awaitAll(t, s, v1alpha1.ReasonSynced, "plain"+ok, "my-app-tls"+ok, "my-app-config"+ok)
}

// TestAKVSyncRights asks the API server as the controller: on what it generates it has no right that it does not use.
func TestAKVSyncRights(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	s := e.akvsync(t, "[{secretInAKV: plain}]")
	e.create(t, s)
	e.awaitAll(t, s, v1alpha1.ReasonSynced, "plain True/Synced")
	config, err := clientcmd.BuildConfigFromFlags("", shared.stack.Kubeconfig)
	if err != nil {
		t.Fatal(err)
	}
	controller, err := client.New(config, client.Options{Scheme: e.client.Scheme()})
	if err != nil {
		t.Fatal(err)
	}
	class, sync := e.generatedClass(t), e.generated(t, "plain")
	nothing := rawMerge([]byte("{}"))
	for what, err := range map[string]error{
		"delete SecretProviderClasses": controller.Delete(t.Context(), class, client.DryRunAll),
		"update SecretProviderClasses": controller.Update(t.Context(), class, client.DryRunAll),
		"update SecretSyncs":           controller.Update(t.Context(), sync, client.DryRunAll),
		"create AKVSyncs":              controller.Create(t.Context(), e.akvsync(t, "[{secretInAKV: plain}]"), client.DryRunAll),
		"patch AKVSyncs":               controller.Patch(t.Context(), s.DeepCopy(), nothing, client.DryRunAll),
		"delete AKVSyncs":              controller.Delete(t.Context(), s, client.DryRunAll),
	} {
		if !apierrors.IsForbidden(err) {
			t.Errorf("the controller may %s: %v", what, err)
		}
	}
}
