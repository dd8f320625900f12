package install

import (
	"context"
	"fmt"
	"slices"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"secretstore/api/secretsync/v1alpha1"
	"secretstore/internal/migrate/model"
)

// Remove takes away what Install made, and nothing else. A definition that has objects stays.
func (c *Chart) Remove(ctx context.Context, step model.Change) (did bool, err error) {
	if _, err := parse(step.Command); err != nil {
		return false, err
	}
	for _, kind := range kinds() {
		var found metav1.PartialObjectMetadataList
		found.SetGroupVersionKind(kind.GroupVersion().WithKind(kind.Kind + "List"))
		err := c.client.List(ctx, &found, client.MatchingLabels{managedBy: Manager})
		if meta.IsNoMatchError(err) || apierrors.IsNotFound(err) {
			continue // this cluster has no such kind
		}
		if err != nil {
			return did, fmt.Errorf("looking for what was installed: %w", err)
		}
		for _, object := range found.Items {
			object.SetGroupVersionKind(kind)
			deleted, err := c.remove(ctx, &object)
			if err != nil {
				return did, fmt.Errorf("removing %s %s: %w", kind.Kind, object.Name, err)
			}
			did = did || deleted
		}
	}
	return did, nil
}

// kinds are those of the chart, the pods first and the definitions last.
func kinds() []schema.GroupVersionKind {
	const rbac, admission = "rbac.authorization.k8s.io", "admissionregistration.k8s.io"
	return []schema.GroupVersionKind{
		{Group: "apps", Version: "v1", Kind: "Deployment"},
		{Group: "networking.k8s.io", Version: "v1", Kind: "NetworkPolicy"},
		{Group: admission, Version: "v1", Kind: "ValidatingAdmissionPolicyBinding"},
		{Group: admission, Version: "v1", Kind: "ValidatingAdmissionPolicy"},
		{Group: admission, Version: "v1beta1", Kind: "ValidatingAdmissionPolicyBinding"},
		{Group: admission, Version: "v1beta1", Kind: "ValidatingAdmissionPolicy"},
		{Group: rbac, Version: "v1", Kind: "ClusterRoleBinding"},
		{Group: rbac, Version: "v1", Kind: "ClusterRole"},
		{Group: rbac, Version: "v1", Kind: "RoleBinding"},
		{Group: rbac, Version: "v1", Kind: "Role"},
		{Version: "v1", Kind: "ConfigMap"},
		{Version: "v1", Kind: "Secret"},
		{Version: "v1", Kind: "ServiceAccount"},
		{Version: "v1", Kind: "Namespace"},
		{Group: "apiextensions.k8s.io", Version: "v1", Kind: "CustomResourceDefinition"},
	}
}

// remove deletes an object, unless it is a definition or a namespace that somebody uses, and tells whether it did. It deletes the
// very object that was looked at.
func (c *Chart) remove(ctx context.Context, object *metav1.PartialObjectMetadata) (bool, error) {
	if !object.DeletionTimestamp.IsZero() {
		return false, nil // it is going already
	}
	used := map[string]func(context.Context, string) (bool, error){
		"CustomResourceDefinition": c.usedDefinition, "Namespace": c.inhabited,
	}[object.Kind]
	if used != nil {
		if used, err := used(ctx, object.Name); err != nil || used {
			return false, err
		}
	}
	uid := object.GetUID()
	err := c.client.Delete(ctx, object, client.Preconditions{UID: &uid},
		client.PropagationPolicy(metav1.DeletePropagationBackground))
	return err == nil, client.IgnoreNotFound(err)
}

// usedDefinition tells whether a definition has objects, or had some until a moment ago: Secrets of SecretSyncs that are gone are
// collected by their owners' kind. Once its definition is gone, too, the garbage collector leaves them there for good.
func (c *Chart) usedDefinition(ctx context.Context, name string) (bool, error) {
	if used, err := c.used(ctx, name); err != nil || used || name != syncDefinition {
		return used, err
	}
	for began := c.clock.Now(); ; {
		owned, err := c.ownedSecrets(ctx)
		if err != nil || !owned || c.clock.Since(began) > patience {
			return owned, err
		}
		select {
		case <-ctx.Done():
			return false, context.Cause(ctx)
		case <-c.clock.After(lookEvery):
		}
	}
}

// syncDefinition defines SecretSyncs.
const syncDefinition = "secretsyncs.secret-sync.x-k8s.io"

// ownedSecrets tells whether there are Secrets that belong to SecretSyncs.
func (c *Chart) ownedSecrets(ctx context.Context) (bool, error) {
	var secrets metav1.PartialObjectMetadataList
	secrets.SetGroupVersionKind(schema.GroupVersionKind{Version: "v1", Kind: "SecretList"})
	if err := c.client.List(ctx, &secrets, client.HasLabels{v1alpha1.SecretLabel}); err != nil {
		return false, fmt.Errorf("looking for Secrets of SecretSyncs: %w", err)
	}
	return slices.ContainsFunc(secrets.Items, func(s metav1.PartialObjectMetadata) bool {
		return slices.ContainsFunc(s.OwnerReferences, func(o metav1.OwnerReference) bool { return o.Kind == "SecretSync" })
	}), nil
}

// used tells whether a definition has objects.
func (c *Chart) used(ctx context.Context, name string) (bool, error) {
	definition := &unstructured.Unstructured{}
	definition.SetGroupVersionKind(kinds()[len(kinds())-1])
	if err := c.client.Get(ctx, client.ObjectKey{Name: name}, definition); err != nil {
		return false, client.IgnoreNotFound(err)
	}
	group, _, _ := unstructured.NestedString(definition.Object, "spec", "group")
	kind, _, _ := unstructured.NestedString(definition.Object, "spec", "names", "kind")
	versions, _, _ := unstructured.NestedSlice(definition.Object, "spec", "versions")
	for _, entry := range versions {
		version, _ := entry.(map[string]any)
		if version["served"] != true {
			continue
		}
		text, _ := version["name"].(string)
		var objects metav1.PartialObjectMetadataList
		objects.SetGroupVersionKind(schema.GroupVersionKind{Group: group, Version: text, Kind: kind + "List"})
		if err := c.client.List(ctx, &objects, client.Limit(1)); err != nil {
			return false, fmt.Errorf("looking for objects of %s: %w", name, err)
		}
		return len(objects.Items) > 0, nil
	}
	return false, nil
}

// inhabited tells whether somebody has put anything of the usual kinds into a namespace, besides what every namespace has.
func (c *Chart) inhabited(ctx context.Context, namespace string) (bool, error) {
	for _, kind := range []schema.GroupVersionKind{
		{Version: "v1", Kind: "ConfigMapList"},
		{Version: "v1", Kind: "SecretList"},
		{Version: "v1", Kind: "ServiceAccountList"},
		{Version: "v1", Kind: "ServiceList"},
		{Version: "v1", Kind: "PersistentVolumeClaimList"},
		{Group: "apps", Version: "v1", Kind: "DeploymentList"},
		{Group: "apps", Version: "v1", Kind: "StatefulSetList"},
		{Group: "apps", Version: "v1", Kind: "DaemonSetList"},
		{Group: "batch", Version: "v1", Kind: "JobList"},
		{Group: "batch", Version: "v1", Kind: "CronJobList"},
	} {
		var objects metav1.PartialObjectMetadataList
		objects.SetGroupVersionKind(kind)
		if err := c.client.List(ctx, &objects, client.InNamespace(namespace)); err != nil {
			return false, fmt.Errorf("looking into the namespace %s: %w", namespace, err)
		}
		for _, object := range objects.Items {
			usual := object.Name == "kube-root-ca.crt" || object.Name == "default" && kind.Kind == "ServiceAccountList"
			if !usual && object.Labels[managedBy] != Manager {
				return true, nil
			}
		}
	}
	return false, nil
}
