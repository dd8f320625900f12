package read

import (
	"bytes"
	"context"
	"slices"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/kubernetes/scheme"

	"secretstore/internal/migrate/model"
)

// readTemplates reads the resources of operators that have a pod template but, scaled to zero or never run, no pod by which
// they would be found. Kinds that by their schema can hold none are not listed; of the others it keeps the objects that name the
// driver, or a Secret that a class makes.
func (c *cluster) readTemplates(ctx context.Context) error {
	holds := map[schema.GroupVersion]bool{}
	for _, k := range c.kinds {
		gv := k.GroupVersion()
		if scheme.Scheme.IsVersionRegistered(gv) || c.isRead(k) {
			continue
		}
		held, asked := holds[gv]
		if !asked {
			var err error
			if held, err = c.mayHoldPods(ctx, gv); err != nil {
				return err
			}
			holds[gv] = held
		}
		if held {
			if err := c.readTemplatesOf(ctx, k); err != nil {
				return err
			}
		}
	}
	return nil
}

// isRead tells a kind that is read whole anyway.
func (c *cluster) isRead(k kind) bool {
	return slices.ContainsFunc(others(), func(o other) bool { return o.group == k.Group && o.resource == k.Resource })
}

// mayHoldPods tells by its schema whether a kind of a group and version may hold a pod template: if some field is called
// `containers`, or if there are fields that the schema does not name. Anyone who is logged in may read schemas.
func (c *cluster) mayHoldPods(ctx context.Context, gv schema.GroupVersion) (bool, error) {
	text, err := c.typed.Discovery().RESTClient().Get().AbsPath("/openapi/v3/apis", gv.Group, gv.Version).
		SetHeader("Accept", "application/json").Do(ctx).Raw()
	switch {
	case apierrors.IsNotFound(err), apierrors.IsForbidden(err):
		return true, nil // an aggregated API without a schema
	case err != nil:
		return false, err
	}
	return bytes.Contains(text, []byte(`"containers":`)) ||
		bytes.Contains(text, []byte(`"x-kubernetes-preserve-unknown-fields":true`)), nil
}

// readTemplatesOf reads the pages of a kind. That it may not be listed is said, and stops nothing: objects whose pods run are
// found by these.
func (c *cluster) readTemplatesOf(ctx context.Context, k kind) error {
	client := c.dynamic.Resource(k.GroupVersionResource)
	for _, namespace := range c.namespaces(k.namespaced) {
		fetch := func(ctx context.Context, namespace string, o metav1.ListOptions) (metav1.ListInterface, int, error) {
			page, err := client.Namespace(namespace).List(ctx, o)
			if err != nil {
				return nil, 0, err
			}
			for i := range page.Items {
				if _, known := c.known[page.Items[i].GetUID()]; !known && c.concerns(page.Items[i].GetNamespace(), page.Items[i].Object) {
					c.noteCredentials(c.addCustom(&page.Items[i]))
				}
			}
			return page, len(page.Items), nil
		}
		_, err := c.pagesOf(ctx, k.Resource, namespace, 0, metav1.ListOptions{LabelSelector: c.options.Selector}, fetch)
		switch {
		case apierrors.IsForbidden(err):
			c.find(model.KindNotListed, "%s (%s) may not be listed.", k.name, k.GroupVersion())
		case err != nil && !apierrors.IsNotFound(err) && !apierrors.IsMethodNotSupported(err):
			return err
		}
	}
	return nil
}

// concerns tells whether an object holds a pod template that names the driver, or a Secret that a class makes.
func (c *cluster) concerns(namespace string, content map[string]any) bool {
	found := false
	walkVolumes(content, func(map[string]any) { found = true })
	return found || holdsContainers(content) && c.namesSynced(namespace, content)
}

// holdsContainers tells whether there is a list of containers anywhere in value.
func holdsContainers(value any) bool {
	switch v := value.(type) {
	case []any:
		return slices.ContainsFunc(v, holdsContainers)
	case map[string]any:
		if _, ok := v["containers"].([]any); ok {
			return true
		}
		for _, field := range v {
			if holdsContainers(field) {
				return true
			}
		}
	}
	return false
}

// namesSynced tells whether any text in value is the name of a Secret that a class makes.
func (c *cluster) namesSynced(namespace string, value any) bool {
	switch v := value.(type) {
	case string:
		return c.synced[namespace+"/"+v]
	case []any:
		return slices.ContainsFunc(v, func(item any) bool { return c.namesSynced(namespace, item) })
	case map[string]any:
		for _, field := range v {
			if c.namesSynced(namespace, field) {
				return true
			}
		}
	}
	return false
}
