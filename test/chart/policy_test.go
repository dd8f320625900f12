package chart_test

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	admissionv1 "k8s.io/api/admissionregistration/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"secretstore/internal/kube"
	"secretstore/test/chart"
	"secretstore/test/cluster"
)

// attempt is a request that the controller must not make, sent as a dry run, so that it can be tried again and again.
type attempt struct {
	name string
	// rule is which of the policy's rules refuses it, counted from 0.
	rule int
	try  func() error
}

// policies are the installed ones by name.
func policies(t *testing.T, r room) map[string]admissionv1.ValidatingAdmissionPolicy {
	t.Helper()
	var list admissionv1.ValidatingAdmissionPolicyList
	if err := r.admin.List(t.Context(), &list); err != nil {
		t.Fatal(err)
	}
	found := map[string]admissionv1.ValidatingAdmissionPolicy{}
	for _, policy := range list.Items {
		if strings.HasPrefix(policy.Name, "secretstore-") {
			found[policy.Name] = policy
		}
	}
	return found
}

func attempts(t *testing.T, r room) map[string][]attempt {
	t.Helper()
	return map[string][]attempt{
		kube.OwnershipPolicy:            ownershipAttempts(t, r),
		"secretstore-secret-types":      typeAttempts(t, r),
		"secretstore-token-requests":    tokenAttempts(t, r),
		"secretstore-generated-objects": generatedAttempts(t, r),
	}
}

// refused says why a policy did not refuse an attempt by the rule that is meant to; nil if it did. It must be the API server's
// "invalid" (422), by which the controller tells policies from missing rights.
func refused(policy admissionv1.ValidatingAdmissionPolicy, a attempt) error {
	err := a.try()
	if !apierrors.IsInvalid(err) || !strings.Contains(err.Error(), "ValidatingAdmissionPolicy '"+policy.Name+"'") ||
		!strings.Contains(err.Error(), policy.Spec.Validations[a.rule].Message) {
		return fmt.Errorf("%s: got %w, want a refusal by rule %d of %s", a.name, errOrNone(err), a.rule, policy.Name)
	}
	return nil
}

func errOrNone(err error) error {
	if err == nil {
		return errors.New("no error")
	}
	return err
}

// TestEachPolicyIsNeeded shows that each policy refuses what it is there for, by the rule that is there for it; that without this
// one rule something of that passes; and that without the policy all of it passes, so that nothing else refuses it.
func TestEachPolicyIsNeeded(t *testing.T) {
	r := newRoom(t)
	r.loosen(t)
	installed, tried := policies(t, r), attempts(t, r)
	if diff := cmp.Diff(slices.Sorted(maps.Keys(installed)), slices.Sorted(maps.Keys(tried))); diff != "" {
		t.Fatalf("policies installed and tested (-installed +tested):\n%s", diff)
	}
	for _, name := range slices.Sorted(maps.Keys(installed)) {
		policy, bad := installed[name], tried[name]
		t.Run(name, func(t *testing.T) {
			mustRefuse(t, policy, bad)
			for rule := range policy.Spec.Validations {
				withoutRule(t, r, policy, rule, bad)
			}
			mustRefuse(t, policy, bad)
			withoutPolicy(t, r, policy, bad)
			mustRefuse(t, policy, bad)
		})
	}
}

// loosen gives the controller what OwnerReferencesPermissionEnforcement asks for, so that this plugin, which many clusters lack,
// refuses nothing before the policies do.
func (r room) loosen(t *testing.T) {
	t.Helper()
	r.create(t, &rbacv1.Role{ObjectMeta: metav1.ObjectMeta{Name: "loose"}, Rules: []rbacv1.PolicyRule{
		{APIGroups: []string{""}, Resources: []string{"secrets"}, Verbs: []string{"delete"}},
		{APIGroups: []string{"secret-sync.x-k8s.io"}, Resources: []string{"secretsyncs/finalizers"}, Verbs: []string{"update"}},
	}}, &rbacv1.RoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: "loose"},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: "loose"},
		Subjects:   []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Namespace: chart.Namespace, Name: chart.Account}},
	})
}

func mustRefuse(t *testing.T, policy admissionv1.ValidatingAdmissionPolicy, bad []attempt) {
	t.Helper()
	for _, a := range bad {
		cluster.Eventually(t, patience, func() error { return refused(policy, a) })
	}
}

// withoutRule makes one rule always true and waits until an attempt that it refuses passes.
func withoutRule(t *testing.T, r room, policy admissionv1.ValidatingAdmissionPolicy, rule int, bad []attempt) {
	t.Helper()
	weak := policy.DeepCopy()
	weak.Spec.Validations[rule].Expression = "true"
	setPolicy(t, r, weak)
	defer setPolicy(t, r, &policy)
	cluster.Eventually(t, patience, func() error {
		errs := []error{fmt.Errorf("no attempt passes without rule %d, so that it is not needed", rule)}
		for _, a := range bad {
			if a.rule != rule {
				continue
			}
			err := a.try()
			if err == nil {
				return nil
			}
			errs = append(errs, err)
		}
		return errors.Join(errs...)
	})
}

func setPolicy(t *testing.T, r room, policy *admissionv1.ValidatingAdmissionPolicy) {
	t.Helper()
	cluster.Eventually(t, patience, func() error { // the cluster writes what it found wrong with a policy meanwhile
		live := &admissionv1.ValidatingAdmissionPolicy{}
		if err := r.admin.Get(t.Context(), client.ObjectKeyFromObject(policy), live); err != nil {
			return err
		}
		live.Spec = policy.Spec
		return r.admin.Update(t.Context(), live)
	})
}

// withoutPolicy takes the binding away, waits until all attempts pass, and puts it back.
func withoutPolicy(t *testing.T, r room, policy admissionv1.ValidatingAdmissionPolicy, bad []attempt) {
	t.Helper()
	binding := &admissionv1.ValidatingAdmissionPolicyBinding{
		ObjectMeta: metav1.ObjectMeta{Name: policy.Name},
		Spec: admissionv1.ValidatingAdmissionPolicyBindingSpec{
			PolicyName: policy.Name, ValidationActions: []admissionv1.ValidationAction{admissionv1.Deny},
		},
	}
	if err := r.admin.Delete(t.Context(), binding); err != nil {
		t.Fatal(err)
	}
	for _, a := range bad {
		cluster.Eventually(t, patience, func() error {
			if err := a.try(); err != nil {
				return fmt.Errorf("%s is refused by something else: %w", a.name, err)
			}
			return nil
		})
	}
	binding.ResourceVersion, binding.UID = "", ""
	if err := r.admin.Create(t.Context(), binding); err != nil {
		t.Fatal(err)
	}
}

// TestPoliciesBindTheControllerOnly shows that others do as they please: the policies are no rules for tenants.
func TestPoliciesBindTheControllerOnly(t *testing.T) {
	r := newRoom(t)
	r.controller = r.admin
	for name, all := range attempts(t, r) {
		for _, a := range all {
			if err := a.try(); err != nil {
				t.Errorf("%s: %s, by the administrator: %v", name, a.name, err)
			}
		}
	}
}

// TestPoliciesFitTheKinds reads what the cluster found when it checked the expressions against the kinds that they look at.
func TestPoliciesFitTheKinds(t *testing.T) {
	r := newRoom(t)
	for name := range policies(t, r) {
		cluster.Eventually(t, patience, func() error {
			policy := policies(t, r)[name]
			if policy.Status.ObservedGeneration != policy.Generation || policy.Status.TypeChecking == nil {
				return fmt.Errorf("%s was not checked yet", name)
			}
			if warnings := policy.Status.TypeChecking.ExpressionWarnings; len(warnings) > 0 {
				t.Fatalf("%s: %+v", name, warnings)
			}
			return nil
		})
	}
}
