package integration

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"secretstore/api/secretsync/v1alpha1"
)

// badInput is one thing that a user gets wrong.
type badInput struct {
	reason string
	// spoil makes the mistake in an otherwise good pair. It returns false if the class is not to be there at all.
	spoil func(class *spcClass, s *v1alpha1.SecretSync) bool
	// want is the reason on Create, says what the message must hold.
	want string
	says []string
}

func parameter(name, value string) func(*spcClass, *v1alpha1.SecretSync) bool {
	return func(class *spcClass, _ *v1alpha1.SecretSync) bool {
		class.Spec.Parameters[name] = value
		return true
	}
}

func spec(change func(*v1alpha1.SecretSyncSpec)) func(*spcClass, *v1alpha1.SecretSync) bool {
	return func(_ *spcClass, s *v1alpha1.SecretSync) bool {
		change(&s.Spec)
		return true
	}
}

func badInputs() map[string]badInput {
	const provider, class, input = v1alpha1.ReasonProviderError, v1alpha1.ReasonControllerSpcError, v1alpha1.ReasonUserInputValidationFailed
	objects := func(text string) func(*spcClass, *v1alpha1.SecretSync) bool { return parameter("objects", text) }
	object := func(fields string) func(*spcClass, *v1alpha1.SecretSync) bool {
		return objects("array:\n  - |\n    " + strings.ReplaceAll(fields, " ", "\n    ") + "\n    objectAlias: plain\n")
	}
	return map[string]badInput{
		"unknown-tenant":   {"the tenant is named", parameter("tenantID", "00000000-0000-0000-0000-000000000000"), provider, []string{"00000000-0000-0000-0000-000000000000", "tenantID"}},
		"unknown-client":   {"the client is named", parameter("clientID", "00000000-0000-0000-0000-000000000001"), provider, []string{"00000000-0000-0000-0000-000000000001", "clientID"}},
		"unfederated":      {"what to create is said", parameter("clientID", "11111111-0000-0000-0000-0000000000ff"), provider, []string{"AADSTS70025", "no federated credential", "system:serviceaccount:slot-"}},
		"unknown-vault":    {"the vault is named", parameter("keyvaultName", "no-such-vault"), provider, []string{"no-such-vault", "keyvaultName"}},
		"unknown-secret":   {"the object is named", object("objectName:·missing objectType:·secret"), provider, []string{"secret missing in vault", "create or recover"}},
		"unknown-cert":     {"and its type", object("objectName:·missing objectType:·cert"), provider, []string{"cert missing in vault"}},
		"unknown-version":  {"and its version", object("objectName:·plain objectType:·secret objectVersion:·00000000000000000000000000000000"), provider, []string{"plain/00000000000000000000000000000000"}},
		"disabled":         {"a disabled one is said to be", object("objectName:·off objectType:·secret"), provider, []string{"secret off", "disabled", "enable"}},
		"forbidden":        {"the role to assign is named", parameter("keyvaultName", "forbidden"), provider, []string{"may not read", "Key Vault Secrets User"}},
		"no-class":         {"the class is named", func(*spcClass, *v1alpha1.SecretSync) bool { return false }, class, []string{"class-no-class", "does not exist"}},
		"unknown-cloud":    {"the clouds are listed", parameter("cloudName", "AzureGermanCloud"), class, []string{"cloudName", "AzureGermanCloud", "AzureUSGovernmentCloud"}},
		"no-client-id":     {"the parameter is named", parameter("clientID", ""), class, []string{"clientID", "client ID of the user-assigned managed identity"}},
		"malformed":        {"the place is named", objects("array: [ {"), class, []string{"objects"}},
		"malformed-object": {"and within it", object("objectName:·a objectType:·secrte"), class, []string{"objects[0].objectType", "secrte"}},
		"other-provider": {"the provider that is served is named", func(c *spcClass, _ *v1alpha1.SecretSync) bool {
			c.Spec.Provider = "vault"
			return true
		}, class, []string{`"vault"`, `"azure"`}},
		"source-path": {"what the class gives is listed, and the nearest", spec(func(s *v1alpha1.SecretSyncSpec) {
			s.SecretObject.Data[0].SourcePath = "plian"
		}), input, []string{`"plian"`, `did you mean "plain"`, "it gives"}},
		"target-key": {"the key and what is legal", spec(func(s *v1alpha1.SecretSyncSpec) {
			s.SecretObject.Data[0].TargetKey = "a/b"
		}), input, []string{`"a/b"`, "letters, digits"}},
		"type": {"the types are listed", spec(func(s *v1alpha1.SecretSyncSpec) {
			s.SecretObject.Type = "kubernetes.io/service-account-token"
		}), input, []string{"service-account-token", "Opaque"}},
		"tls-without-key": {"the key that the type must have", spec(func(s *v1alpha1.SecretSyncSpec) {
			s.SecretObject.Type = "kubernetes.io/tls"
		}), input, []string{"tls.crt", "tls.key"}},
		"no-account": {"the service account is named", spec(func(s *v1alpha1.SecretSyncSpec) {
			s.ServiceAccountName = "nobody"
		}), input, []string{"nobody", "serviceAccountName"}},
		"label": {"the reserved label is named", spec(func(s *v1alpha1.SecretSyncSpec) {
			s.SecretObject.Labels = map[string]string{"secrets-store.sync.x-k8s.io/x": ""}
		}), v1alpha1.ReasonInvalidLabel, []string{"secrets-store.sync.x-k8s.io/x"}},
		"annotation": {"the reserved annotation is named", spec(func(s *v1alpha1.SecretSyncSpec) {
			s.SecretObject.Annotations = map[string]string{"secrets-store.sync.x-k8s.io": ""}
		}), v1alpha1.ReasonInvalidAnnotation, []string{"secrets-store.sync.x-k8s.io"}},
	}
}

// TestBadInput makes every mistake in turn: each has its reason and its cure in the condition and in one event, and no Secret.
//
//covers:field SecretSync.spec.secretObject.annotations SecretSync.spec.secretObject.labels SecretSync.spec.secretObject.type
//covers:field SecretSync.spec.secretObject.data[].sourcePath SecretSync.spec.secretObject.data[].targetKey
//covers:field SecretSync.spec.secretProviderClassName SecretSync.spec.serviceAccountName
//covers:field SecretSync.status.conditions[].message SecretProviderClass.spec.parameters.clientID
//covers:field SecretProviderClass.spec.parameters.cloudName SecretProviderClass.spec.parameters.keyvaultName
//covers:field SecretProviderClass.spec.parameters.objects SecretProviderClass.spec.parameters.tenantID
//covers:field SecretProviderClass.spec.parameters.objects[].objectName
//covers:field SecretProviderClass.spec.parameters.objects[].objectType
//covers:field SecretProviderClass.spec.parameters.objects[].objectVersion
//covers:reason ProviderError ControllerSpcError UserInputValidationFailed InvalidClusterSecretLabelError
//covers:reason InvalidClusterSecretAnnotationError
//covers:fault wrong-tenant wrong-client no-credential role-taken object-disabled
func TestBadInput(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	for name, tc := range badInputs() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			class := e.class("class-"+name, "secret plain")
			s := e.sync(name, class.Name, "plain=k")
			if there := tc.spoil(class, s); there {
				class.Spec.Parameters["objects"] = strings.ReplaceAll(class.Spec.Parameters["objects"], "·", " ")
				e.create(t, class)
			}
			e.create(t, s)
			got := e.await(t, s, v1alpha1.ConditionCreate, tc.want)
			for _, text := range tc.says {
				if !strings.Contains(got.Message, text) {
					t.Errorf("%s: %q does not say %q", tc.reason, got.Message, text)
				}
			}
			if got.Status != metav1.ConditionFalse {
				t.Errorf("Create is %s", got.Status)
			}
			if ready := e.await(t, s, v1alpha1.ConditionReady, tc.want); ready.Status != metav1.ConditionFalse {
				t.Errorf("Ready is %s", ready.Status)
			}
			want := []string{fmt.Sprintf("Warning/%s: %s", tc.want, got.Message)}
			e.awaitEvents(t, name, 1)
			// The same failure again is no news.
			e.force(t, s)
			e.await(t, s, v1alpha1.ConditionCreate, tc.want)
			if diff := cmp.Diff(want, e.awaitEvents(t, name, 1)); diff != "" {
				t.Errorf("events (-want +got):\n%s", diff)
			}
			if e.secret(t, name) != nil {
				t.Error("a Secret was made")
			}
		})
	}
}

// TestMistakesHarmNoSecret makes a good Secret first, and spoils its SecretSync afterwards.
func TestMistakesHarmNoSecret(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	class := e.class("vault", "secret plain", "secret off")
	s := e.sync("app", "vault", "plain=k")
	e.create(t, class, s)
	e.await(t, s, v1alpha1.ConditionUpdate, synced)
	before := e.secret(t, "app")
	edit(t, e, s, func(s *v1alpha1.SecretSync) { s.Spec.SecretObject.Data[0].SourcePath = "off" })
	e.await(t, s, v1alpha1.ConditionUpdate, v1alpha1.ReasonProviderError)
	edit(t, e, class, func(c *spcClass) { delete(c.Spec.Parameters, "objects") })
	e.await(t, s, v1alpha1.ConditionUpdate, v1alpha1.ReasonControllerSpcError)
	if ready := e.await(t, s, v1alpha1.ConditionReady, v1alpha1.ReasonStale); ready.Status != metav1.ConditionTrue {
		t.Errorf("Ready is %s though the Secret holds its key", ready.Status)
	}
	if diff := cmp.Diff(before, e.secret(t, "app")); diff != "" {
		t.Errorf("the Secret was changed (-before +after):\n%s", diff)
	}
}

//covers:reason InvalidClusterSecretLabelError
//covers:fault secret-foreign
func TestForeignSecret(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	foreign := &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: e.Namespace(), Name: "app"},
		Data:       map[string][]byte{"k": []byte(canary + "-theirs")},
	}
	s := e.sync("app", "vault", "plain=k")
	e.create(t, foreign, e.class("vault", "secret plain"), s)
	before := e.secret(t, "app")
	got := e.await(t, s, v1alpha1.ConditionCreate, v1alpha1.ReasonInvalidLabel)
	for _, text := range []string{"Secret app exists", "left alone", "kubectl delete secret -n " + e.Namespace() + " app"} {
		if !strings.Contains(got.Message, text) {
			t.Errorf("%q does not say %q", got.Message, text)
		}
	}
	if diff := cmp.Diff([]string{"Warning/" + v1alpha1.ReasonInvalidLabel + ": " + got.Message}, e.awaitEvents(t, "app", 1)); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(before, e.secret(t, "app")); diff != "" {
		t.Errorf("the foreign Secret was changed (-before +after):\n%s", diff)
	}
	// The first check learns that the Secret is another's when it makes it; those after it look before they ask.
	e.force(t, s)
	e.await(t, s, v1alpha1.ConditionCreate, v1alpha1.ReasonInvalidLabel)
	if asked := e.requests(t); len(asked) > 1 {
		t.Errorf("the vault was asked again for a Secret that cannot be written: %v", asked)
	}
	// The cure that the message names works, without another edit.
	if err := e.client.Delete(t.Context(), foreign); err != nil {
		t.Fatal(err)
	}
	e.await(t, s, v1alpha1.ConditionUpdate, synced)
}
