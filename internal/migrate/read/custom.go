package read

import (
	"context"
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"secretstore/internal/migrate/model"
)

const (
	classGroup = "secrets-store.csi.x-k8s.io"
	syncGroup  = "secret-sync.x-k8s.io"
)

// other is a resource that a cluster may or may not serve.
type other struct {
	group, resource string
	// selected says that the selector limits it.
	selected bool
}

// others are read wherever they are served: the driver's and ours, readers of Secrets, and well-known owners of pods.
func others() []other {
	return []other{
		{classGroup, "secretproviderclasses", false},
		{classGroup, "secretproviderclasspodstatuses", false},
		{syncGroup, "secretsyncs", false},
		{syncGroup, "akvsyncs", false},
		{"gateway.networking.k8s.io", "gateways", false},
		{"argoproj.io", "rollouts", true},
		{"serving.knative.dev", "services", true},
		{"keda.sh", "scaledjobs", true},
		{"apps.openshift.io", "deploymentconfigs", true},
	}
}

// readClasses reads the classes, and which Secrets they make.
func (c *cluster) readClasses(ctx context.Context) error {
	return c.readCustom(ctx, others()[0], func(o model.Object) {
		for _, made := range list(o.Content, "spec", "secretObjects") {
			if name := text(made, "secretName"); name != "" {
				c.synced[o.Namespace+"/"+name] = true
			}
		}
	})
}

// readOthers reads the other resources that are served.
func (c *cluster) readOthers(ctx context.Context) error {
	for _, o := range others()[1:] {
		if err := c.readCustom(ctx, o, c.noteCredentials); err != nil {
			return err
		}
	}
	c.judgeDefinitions()
	return nil
}

// judgeDefinitions tells of an installation of the driver of which one definition is missing. The class alone is no
// mistake where there is no driver: it is all that this project needs.
func (c *cluster) judgeDefinitions() {
	_, classes := c.kinds.resource(classGroup, "secretproviderclasses")
	_, statuses := c.kinds.resource(classGroup, "secretproviderclasspodstatuses")
	driver := false
	for _, o := range c.snapshot.Objects {
		driver = driver || o.Kind == "CSIDriver" && o.Name == model.Driver
	}
	switch {
	case statuses && !classes:
		c.find(model.HalfInstalled, "The cluster defines SecretProviderClassPodStatus and not SecretProviderClass.")
	case classes && !statuses && driver:
		c.find(model.HalfInstalled, "The cluster has the CSI driver %s and does not define SecretProviderClassPodStatus.", model.Driver)
	}
}

// readCustom reads the pages of a resource whose types this program does not know.
func (c *cluster) readCustom(ctx context.Context, r other, each func(model.Object)) error {
	kind, served := c.kinds.resource(r.group, r.resource)
	if !served {
		return nil
	}
	var o metav1.ListOptions
	if r.selected {
		o.LabelSelector = c.options.Selector
	}
	fetch := func(ctx context.Context, namespace string, o metav1.ListOptions) (metav1.ListInterface, int, error) {
		page, err := c.dynamic.Resource(kind.GroupVersionResource).Namespace(namespace).List(ctx, o)
		if err != nil {
			return nil, 0, err
		}
		for i := range page.Items {
			each(c.addCustom(&page.Items[i]))
		}
		return page, len(page.Items), nil
	}
	return c.pages(ctx, rule{group: r.group, resource: r.resource}, kind.namespaced, o, fetch)
}

// addCustom keeps an object of a type that this program does not know.
func (c *cluster) addCustom(o *unstructured.Unstructured) model.Object {
	if fields := deployers(o.GetManagedFields()); len(fields) > 0 {
		o.SetManagedFields(fields)
	} else {
		unstructured.RemoveNestedField(o.Object, "metadata", "managedFields")
	}
	trim(o.Object, o.GroupVersionKind().GroupKind())
	c.known[o.GetUID()] = o.GetOwnerReferences()
	return c.add(o.Object)
}

// readOwners follows the owners of each pod to the top, and reads those that are not known yet: resources of operators.
func (c *cluster) readOwners(ctx context.Context) error {
	for _, p := range c.climb {
		for owners := p.owners; len(owners) > 0; {
			owner := controllerOf(owners)
			next, known := c.known[owner.UID]
			if !known {
				var err error
				if next, err = c.readOwner(ctx, p.namespace, owner); err != nil {
					return err
				}
				c.known[owner.UID] = next
			}
			owners = next
		}
	}
	return nil
}

// controllerOf is the owner that controls, or the first one.
func controllerOf(owners []metav1.OwnerReference) metav1.OwnerReference {
	for _, owner := range owners {
		if owner.Controller != nil && *owner.Controller {
			return owner
		}
	}
	return owners[0]
}

// readOwner reads an owner, keeps it, and returns what owns it. One that is gone, or of a kind that is not served, or that is
// a node, is the top.
func (c *cluster) readOwner(ctx context.Context, namespace string, owner metav1.OwnerReference) ([]metav1.OwnerReference, error) {
	kind, served := c.kinds.named(owner.APIVersion, owner.Kind)
	if !served || owner.Kind == "Node" {
		return nil, nil
	}
	if !kind.namespaced {
		namespace = ""
	}
	object, err := c.dynamic.Resource(kind.GroupVersionResource).Namespace(namespace).Get(ctx, owner.Name, metav1.GetOptions{})
	if err := c.allow(err, rule{verb: "get", group: kind.Group, resource: kind.Resource}); err != nil {
		return nil, fmt.Errorf("%s %s/%s: %w", owner.Kind, namespace, owner.Name, err)
	}
	if err != nil || object.GetUID() != owner.UID {
		return nil, nil //nolint:nilerr // refused, which allow has noted, or gone meanwhile
	}
	c.noteCredentials(c.addCustom(object))
	return object.GetOwnerReferences(), nil
}
