package lifecycle

import (
	"encoding/json"
	"testing"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"

	"secretstore/api/secretsync/v1alpha1"
	"secretstore/test/chart"
)

// TestAllOrNothing switches partial updates off: a Secret whose items cannot all be had is not made, and one that exists keeps
// all its values, those too that could be updated.
//
//covers:field setting.enablePartialSecretSync
func TestAllOrNothing(t *testing.T) {
	e := newEnv(t, "--enablePartialSecretSync=false", "--rotationPollIntervalInSeconds=1")
	s := e.sync(t, "app")
	e.await(t, s, v1alpha1.ConditionReady, v1alpha1.ReasonSynced)
	version := e.version(t, "app")
	const missing = `{"spec":{"parameters":{"objects":"array:\n  - |\n    objectName: my-secret\n    objectType: secret\n  - |\n    objectName: missing\n    objectType: secret\n"}}}`
	e.patch(t, "/apis/secrets-store.csi.x-k8s.io/v1/namespaces/"+e.namespace+"/secretproviderclasses/vault", missing)
	e.patch(t, "/apis/secret-sync.x-k8s.io/v1alpha1/namespaces/"+e.namespace+"/secretsyncs/app",
		`{"spec":{"secretObject":{"data":[{"sourcePath":"my-secret","targetKey":"renamed"},{"sourcePath":"missing","targetKey":"l"}]}}}`)
	e.await(t, s, v1alpha1.ConditionUpdate, v1alpha1.ReasonProviderError)
	if e.version(t, "app") != version {
		t.Error("part of the Secret was written")
	}
}

// TestAPIServerGivesNoTokens takes the right to request tokens away: no failure of the user's, so the status is Unknown, and what
// is missing is named; given back, all goes on by itself.
//
//covers:reason ControllerInternalError
func TestAPIServerGivesNoTokens(t *testing.T) {
	e := newEnv(t)
	client, err := kubernetes.NewForConfig(shared.Config())
	if err != nil {
		t.Fatal(err)
	}
	roles := client.RbacV1().ClusterRoles()
	role, err := roles.Get(t.Context(), chart.Account, metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	narrow := role.DeepCopy()
	for i, rule := range narrow.Rules {
		if len(rule.Resources) == 1 && rule.Resources[0] == "serviceaccounts/token" {
			narrow.Rules[i].Verbs = []string{"get"}
		}
	}
	if _, err := roles.Update(t.Context(), narrow, metav1.UpdateOptions{}); err != nil {
		t.Fatal(err)
	}
	s := e.sync(t, "app")
	e.await(t, s, v1alpha1.ConditionCreate, v1alpha1.ReasonControllerInternalError)
	if got := meta.FindStatusCondition(s.Status.Conditions, v1alpha1.ConditionCreate); got.Status != metav1.ConditionUnknown {
		t.Errorf("Create is %s", got.Status)
	}
	rules, err := json.Marshal(map[string]any{"rules": role.Rules})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := roles.Patch(t.Context(), role.Name, types.MergePatchType, rules, metav1.PatchOptions{}); err != nil {
		t.Fatal(err)
	}
	e.await(t, s, v1alpha1.ConditionReady, v1alpha1.ReasonSynced)
}

// patch merges a patch into the object at a path of the API server's.
func (e env) patch(t *testing.T, path, patch string) {
	t.Helper()
	client, err := kubernetes.NewForConfig(shared.Config())
	if err != nil {
		t.Fatal(err)
	}
	request := client.RESTClient().Patch(types.MergePatchType).AbsPath(path).Body([]byte(patch))
	if err := request.Do(t.Context()).Error(); err != nil {
		t.Fatal(err)
	}
}
