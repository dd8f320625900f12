package translate_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"secretstore/internal/migrate/model"
	"secretstore/internal/migrate/stage/translate"
)

// The example of Microsoft's guide, before and after.
const (
	guideBefore = `
apiVersion: secrets-store.csi.x-k8s.io/v1
kind: SecretProviderClass
metadata:
  name: my-akv-provider
  namespace: ${KUBERNETES_NAMESPACE}
spec:
  provider: azure
  parameters:
    usePodIdentity: "false"
    keyvaultName: my-key-vault
    objects: |
      array:
        - |
          objectName: my-secret
          objectType: secret
        - |
          objectName: my-certificate
          objectType: cert
    tenantID: "${AZURE_TENANT_ID}"
`
	guideAfter = `
apiVersion: secrets-store.csi.x-k8s.io/v1
kind: SecretProviderClass
metadata:
  name: my-akv-provider
  namespace: ${KUBERNETES_NAMESPACE}
spec:
  provider: azure
  parameters:
    clientID: "${USER_ASSIGNED_CLIENT_ID}"
    keyvaultName: my-key-vault
    objects: |
      array:
        - |
          objectName: my-secret
          objectType: secret
        - |
          objectName: my-certificate
          objectType: cert
    tenantID: "${AZURE_TENANT_ID}"
`
	// The keys are the file names. The guide's own text maps my-secret to my-secret-value and my-certificate to
	// my-certificate-value, and so renames the files that the application reads, against its promise that application code
	// does not change.
	guideSync = `
apiVersion: secret-sync.x-k8s.io/v1alpha1
kind: SecretSync
metadata:
  name: my-akv-provider-files
  namespace: ${KUBERNETES_NAMESPACE}
spec:
  serviceAccountName: ${SERVICE_ACCOUNT_NAME}
  secretProviderClassName: my-akv-provider
  secretObject:
    type: Opaque
    data:
      - sourcePath: my-certificate
        targetKey: my-certificate
      - sourcePath: my-secret
        targetKey: my-secret
`
)

// guideIdentities are the variables of the guide.
func guideIdentities() model.Identities {
	return model.Identities{
		Identities: []model.Identity{{Key: "1", ClientID: "${USER_ASSIGNED_CLIENT_ID}", Tenant: "${AZURE_TENANT_ID}"}},
		Accounts: []model.Account{{
			Namespace: "${KUBERNETES_NAMESPACE}", Name: "${SERVICE_ACCOUNT_NAME}", Identity: "1", Classes: []string{"my-akv-provider"},
		}},
	}
}

func TestGuideExample(t *testing.T) {
	s := mounted(t, guideBefore)
	plan, translations := translate.Plan(s, guideIdentities(), model.Options{Strategy: model.Guide})
	if len(plan.Changes) != 3 {
		t.Fatalf("got %d steps, want the class, the SecretSync and the gate: %+v", len(plan.Changes), plan.Changes)
	}
	after := apply(t, s.Classes[0].Object.Content, plan.Changes[0].Edits)
	if diff := cmp.Diff(manifest(t, guideAfter), after); diff != "" {
		t.Errorf("the class after the edit (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(manifest(t, guideSync), plan.Changes[1].Content); diff != "" {
		t.Errorf("the SecretSync (-want +got):\n%s", diff)
	}
	if got := plan.Changes[2].Verb; got != model.Check {
		t.Errorf("the last step is %s, want a check", got)
	}
	want := []model.Translation{{
		Class: s.Classes[0].Object.Ref, NewClass: "my-akv-provider", Ready: true, Files: []model.File{
			{Name: "my-certificate", Secret: "my-akv-provider-files", Key: "my-certificate"},
			{Name: "my-secret", Secret: "my-akv-provider-files", Key: "my-secret"},
		},
	}}
	if diff := cmp.Diff(want, translations); diff != "" {
		t.Errorf("the translation (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]model.Code{"M406"}, codes(plan.Findings)); diff != "" {
		t.Errorf("findings (-want +got):\n%s", diff)
	}
}

func TestZeroDowntimeLeavesTheClassAlone(t *testing.T) {
	s := mounted(t, guideBefore)
	plan, translations := translate.Plan(s, guideIdentities(), model.Options{})
	want := manifest(t, guideAfter)
	want["metadata"].(map[string]any)["name"] = "my-akv-provider-sse"
	if diff := cmp.Diff(want, plan.Changes[0].Content); diff != "" {
		t.Errorf("the twin (-want +got):\n%s", diff)
	}
	for _, c := range plan.Changes {
		if c.Object == s.Classes[0].Object.Ref {
			t.Errorf("a step changes the old class: %+v", c)
		}
	}
	if !translations[0].Ready || translations[0].NewClass != "my-akv-provider-sse" {
		t.Errorf("got %+v", translations[0])
	}
}
