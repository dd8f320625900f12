package cluster

import (
	"context"
	"fmt"
	"slices"
	"strings"

	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"secretstore/internal/migrate/model"
)

// tellAccess tells who may read the Secrets of namespaces by RBAC, as far as the account may see it. It always opens.
func (c *Cluster) tellAccess(ctx context.Context, gate model.Gate) (lack, error) {
	for _, ref := range gate.Objects {
		text, err := c.readers(ctx, ref.Name)
		switch {
		case apierrors.IsForbidden(err):
			c.options.Tell(fmt.Sprintf("Who may read the Secrets of namespace %s cannot be told: your account may not list %s.",
				ref.Name, rbacv1.GroupName))
		case err != nil:
			return lack{}, explain(err, "list", schema.GroupResource{Group: rbacv1.GroupName, Resource: "rolebindings"}, ref)
		default:
			c.options.Tell(text)
		}
	}
	return lack{}, nil
}

// readers writes out who may read the Secrets of a namespace, by which binding.
func (c *Cluster) readers(ctx context.Context, namespace string) (string, error) {
	var lines []string
	add := func(binding string, role rbacv1.RoleRef, subjects []rbacv1.Subject) error {
		rules, err := c.rules(ctx, namespace, role)
		if err != nil || !slices.ContainsFunc(rules, readsSecrets) {
			return err
		}
		for _, s := range subjects {
			name := strings.TrimPrefix(s.Namespace+"/"+s.Name, "/")
			lines = append(lines, fmt.Sprintf("  %s %s, by %s (%s %s)", s.Kind, name, binding, role.Kind, role.Name))
		}
		return nil
	}
	bindings, err := c.typed.RbacV1().RoleBindings(namespace).List(ctx, metav1.ListOptions{})
	if err != nil {
		return "", err
	}
	for _, b := range bindings.Items {
		if err := add("RoleBinding "+b.Name, b.RoleRef, b.Subjects); err != nil {
			return "", err
		}
	}
	all, err := c.typed.RbacV1().ClusterRoleBindings().List(ctx, metav1.ListOptions{})
	if err != nil {
		return "", err
	}
	for _, b := range all.Items {
		if err := add("ClusterRoleBinding "+b.Name, b.RoleRef, b.Subjects); err != nil {
			return "", err
		}
	}
	slices.Sort(lines)
	return fmt.Sprintf("The Secrets of namespace %s may be read by:\n%s\n", namespace, strings.Join(lines, "\n")), nil
}

// rules are those of a role; none of one that is not there.
func (c *Cluster) rules(ctx context.Context, namespace string, role rbacv1.RoleRef) ([]rbacv1.PolicyRule, error) {
	if role.Kind == "Role" {
		r, err := c.typed.RbacV1().Roles(namespace).Get(ctx, role.Name, metav1.GetOptions{})
		if apierrors.IsNotFound(err) {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		return r.Rules, nil
	}
	r, err := c.typed.RbacV1().ClusterRoles().Get(ctx, role.Name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return r.Rules, nil
}

// readsSecrets tells a rule by which Secrets can be read, if only some of them.
func readsSecrets(rule rbacv1.PolicyRule) bool {
	has := func(list []string, names ...string) bool {
		return slices.ContainsFunc(list, func(entry string) bool { return entry == "*" || slices.Contains(names, entry) })
	}
	return has(rule.APIGroups, "") && has(rule.Resources, "secrets") && has(rule.Verbs, "get", "list", "watch")
}
