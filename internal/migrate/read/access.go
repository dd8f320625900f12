package read

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	authorizationv1 "k8s.io/api/authorization/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"
)

// roleName is what the ClusterRole of a ForbiddenError is called.
const roleName = "secretstore-migrate-read"

// rule is one thing that an account has to be allowed.
type rule struct {
	verb, group, resource string
	// name limits the rule to one object of that name; empty is all.
	name string
}

// refusals are the rules that were missing, sorted.
type refusals []rule

// allow notes that something was refused, so that all that is missing can be told at once. It returns any other error; what
// is not there is none.
func (c *cluster) allow(err error, r rule) error {
	switch {
	case err == nil, apierrors.IsNotFound(err):
		return nil
	case apierrors.IsForbidden(err):
		c.refused = append(c.refused, r)
		return nil
	}
	return fmt.Errorf("%s %s: %w", r.verb, r.resource, err)
}

// judgeRefusals turns what was refused into an error. What has not been tried, since something else was refused before, is asked
// for, so that nobody has to come back for a second role.
func (c *cluster) judgeRefusals(ctx context.Context) error {
	if len(c.refused) == 0 {
		return nil
	}
	missing := c.refused
	for _, r := range c.needs() {
		for _, namespace := range c.namespaces(true) {
			if c.denied(ctx, r, namespace) {
				missing = append(missing, r)
			}
		}
	}
	slices.SortFunc(missing, func(a, b rule) int {
		return cmp.Or(cmp.Compare(a.group, b.group), cmp.Compare(a.resource, b.resource), cmp.Compare(a.name, b.name),
			cmp.Compare(a.verb, b.verb))
	})
	return &ForbiddenError{Namespaces: c.options.Namespaces, missing: slices.Compact(missing)}
}

// needs are the rules that any reading needs, of the kinds that the cluster serves.
func (c *cluster) needs() []rule {
	needs := []rule{{verb: "list", resource: "secrets"}, {verb: "get", resource: "secrets"}}
	for _, w := range c.workloads() {
		needs = append(needs, rule{verb: "list", group: w.group, resource: w.resource})
	}
	for _, o := range others() {
		if _, served := c.kinds.resource(o.group, o.resource); served {
			needs = append(needs, rule{verb: "list", group: o.group, resource: o.resource})
		}
	}
	return needs
}

// denied asks the API server whether a rule is missing. An account that may not even ask is told nothing.
func (c *cluster) denied(ctx context.Context, r rule, namespace string) bool {
	review, err := c.typed.AuthorizationV1().SelfSubjectAccessReviews().Create(ctx, &authorizationv1.SelfSubjectAccessReview{
		Spec: authorizationv1.SelfSubjectAccessReviewSpec{ResourceAttributes: &authorizationv1.ResourceAttributes{
			Namespace: namespace, Verb: r.verb, Group: r.group, Resource: r.resource, Name: r.name,
		}},
	}, metav1.CreateOptions{})
	return err == nil && !review.Status.Allowed
}

// ForbiddenError says what an account lacks to read a cluster.
type ForbiddenError struct {
	// Namespaces are those that were asked for; empty is all.
	Namespaces []string
	missing    refusals
}

// Error says what is missing as a ClusterRole to apply, and how to bind it.
func (e *ForbiddenError) Error() string {
	var binds strings.Builder
	for _, namespace := range e.Namespaces {
		fmt.Fprintf(&binds, "kubectl create rolebinding %s -n %s --clusterrole=%s --user=YOU\n", roleName, namespace, roleName)
	}
	if len(e.Namespaces) == 0 || e.missing.clusterWide() {
		fmt.Fprintf(&binds, "kubectl create clusterrolebinding %s --clusterrole=%s --user=YOU\n", roleName, roleName)
	}
	return fmt.Sprintf("reading the cluster: your account may not read %d of the things that a migration has to account for; "+
		"nothing was written. Have this role applied and bound to your account, and run again:\n\n%s\n%s",
		len(e.missing), e.ClusterRole(), &binds)
}

// clusterWide tells whether something that belongs to no namespace is among what is missing.
func (r refusals) clusterWide() bool {
	return slices.ContainsFunc(r, func(r rule) bool { return r.resource == "namespaces" || r.resource == "csidrivers" })
}

// ClusterRole is the manifest of a ClusterRole that holds exactly what is missing.
func (e *ForbiddenError) ClusterRole() string {
	role := rbacv1.ClusterRole{
		TypeMeta:   metav1.TypeMeta{APIVersion: rbacv1.SchemeGroupVersion.String(), Kind: "ClusterRole"},
		ObjectMeta: metav1.ObjectMeta{Name: roleName},
	}
	for _, r := range e.missing {
		last := len(role.Rules) - 1
		if last >= 0 && r.name == "" && same(role.Rules[last], r) {
			role.Rules[last].Verbs = append(role.Rules[last].Verbs, r.verb)
			continue
		}
		rule := rbacv1.PolicyRule{APIGroups: []string{r.group}, Resources: []string{r.resource}, Verbs: []string{r.verb}}
		if r.name != "" {
			rule.ResourceNames = []string{r.name}
		}
		role.Rules = append(role.Rules, rule)
	}
	manifest, err := yaml.Marshal(role)
	if err != nil {
		return "" // a role of strings can be marshalled
	}
	return string(manifest)
}

// same tells whether a rule of a role is about all objects of r's resource.
func same(p rbacv1.PolicyRule, r rule) bool {
	return p.APIGroups[0] == r.group && p.Resources[0] == r.resource && len(p.ResourceNames) == 0
}
