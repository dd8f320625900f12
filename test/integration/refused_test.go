package integration

import (
	"fmt"
	"strings"
	"testing"

	admissionv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"secretstore/api/secretsync/v1alpha1"
	"secretstore/test/cluster"
)

// TestQuotaRefuses has a quota of the namespace refuse the Secret: it is said, and over when the quota is.
//
//covers:reason UnknownError
func TestQuotaRefuses(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	none := corev1.ResourceList{corev1.ResourceSecrets: resource.MustParse("0")}
	quota := &corev1.ResourceQuota{
		ObjectMeta: metav1.ObjectMeta{Namespace: e.Namespace(), Name: "none"}, Spec: corev1.ResourceQuotaSpec{Hard: none},
	}
	e.create(t, quota)
	// What a controller of the cluster's would write.
	quota.Status = corev1.ResourceQuotaStatus{Hard: none, Used: none}
	if err := e.client.Status().Update(t.Context(), quota); err != nil {
		t.Fatal(err)
	}
	e.create(t, e.class("vault", "secret plain"))
	s := e.sync("app", "vault", "plain=k")
	cluster.Eventually(t, patience, func() error { // the quota is not known everywhere at once
		probe := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: e.Namespace(), GenerateName: "probe-"}}
		if err := e.client.Create(t.Context(), probe); err == nil {
			return fmt.Errorf("the quota refuses nothing yet")
		}
		return nil
	})
	e.create(t, s)
	got := e.await(t, s, v1alpha1.ConditionCreate, v1alpha1.ReasonUnknownError)
	if got.Status != metav1.ConditionFalse || !strings.Contains(got.Message, "a quota refuses") {
		t.Errorf("Create is %s: %q", got.Status, got.Message)
	}
	if err := e.client.Delete(t.Context(), quota); err != nil {
		t.Fatal(err)
	}
	e.await(t, s, v1alpha1.ConditionUpdate, synced)
}

// TestForeignPolicyRefuses has an admission policy of the cluster's operator refuse the Secret: the condition names it.
//
//covers:reason ValidatingAdmissionPolicyCheckFailed
func TestForeignPolicyRefuses(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	client, err := kubernetes.NewForConfig(shared.cluster.Config())
	if err != nil {
		t.Fatal(err)
	}
	policies, bindings := client.AdmissionregistrationV1().ValidatingAdmissionPolicies(), client.AdmissionregistrationV1().ValidatingAdmissionPolicyBindings()
	name := "operators-own-" + e.Namespace()
	fail := admissionv1.Fail
	policy := &admissionv1.ValidatingAdmissionPolicy{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec: admissionv1.ValidatingAdmissionPolicySpec{
			FailurePolicy: &fail,
			MatchConstraints: &admissionv1.MatchResources{
				NamespaceSelector: &metav1.LabelSelector{MatchLabels: map[string]string{corev1.LabelMetadataName: e.Namespace()}},
				ResourceRules: []admissionv1.NamedRuleWithOperations{{RuleWithOperations: admissionv1.RuleWithOperations{
					Operations: []admissionv1.OperationType{admissionv1.Create},
					Rule:       admissionv1.Rule{APIGroups: []string{""}, APIVersions: []string{"v1"}, Resources: []string{"secrets"}},
				}}},
			},
			Validations: []admissionv1.Validation{{Expression: "has(object.metadata.labels) && 'team' in object.metadata.labels"}},
		},
	}
	binding := &admissionv1.ValidatingAdmissionPolicyBinding{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: admissionv1.ValidatingAdmissionPolicyBindingSpec{
		PolicyName: name, ValidationActions: []admissionv1.ValidationAction{admissionv1.Deny},
	}}
	if _, err := policies.Create(t.Context(), policy, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	if _, err := bindings.Create(t.Context(), binding, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	cluster.Eventually(t, patience, func() error { // policies take a moment to bind
		probe := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: e.Namespace(), GenerateName: "probe-"}}
		if err := e.client.Create(t.Context(), probe); err == nil {
			return fmt.Errorf("the policy refuses nothing yet")
		}
		return nil
	})
	s := e.sync("app", "vault", "plain=k")
	e.create(t, e.class("vault", "secret plain"), s)
	got := e.await(t, s, v1alpha1.ConditionCreate, v1alpha1.ReasonPolicyCheckFailed)
	if got.Status != metav1.ConditionFalse || !strings.Contains(got.Message, name) {
		t.Errorf("Create is %s: %q does not name the policy", got.Status, got.Message)
	}
	edit(t, e, s, func(s *v1alpha1.SecretSync) { s.Spec.SecretObject.Labels = map[string]string{"team": "shop"} })
	e.await(t, s, v1alpha1.ConditionUpdate, synced)
	if err := bindings.Delete(t.Context(), name, metav1.DeleteOptions{}); err != nil {
		t.Error(err)
	}
	if err := policies.Delete(t.Context(), name, metav1.DeleteOptions{}); err != nil {
		t.Error(err)
	}
}
