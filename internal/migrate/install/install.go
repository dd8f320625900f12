// Package install installs the chart that this program was built with, for those who do not want helm for it, and takes it away
// again. It does what the helm command of the plan's step does.
//
// Promises: definitions come first and are waited for; what is there already, made by Helm or by anybody else, is left as it is;
// doing it again changes nothing; and what is taken away is only what was made here, which the label app.kubernetes.io/managed-by
// tells, never a definition that has objects.
package install

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/go-logr/logr"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/rest"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"secretstore/internal/migrate/model"
)

const (
	// Manager is the field manager of what is made here, and its label app.kubernetes.io/managed-by.
	Manager   = "kubectl-secretstore"
	managedBy = "app.kubernetes.io/managed-by"
	// controller is the Deployment's name, and its label app.kubernetes.io/name.
	controller = "secretstore-controller"
)

// How long the API server may take to serve a new definition, or to let go what was deleted, and how often that is looked at.
const (
	patience  = time.Minute
	lookEvery = 200 * time.Millisecond
)

// A Chart installs the chart in a cluster.
type Chart struct {
	client    client.Client
	discovery discovery.DiscoveryInterface
	clock     clock.Clock
}

// New makes a Chart. It asks the cluster nothing.
func New(config *rest.Config, c clock.Clock) (*Chart, error) {
	kube, err := client.New(config, client.Options{Log: logr.New(log.NullLogSink{})}) // else it complains that it has no log
	if err != nil {
		return nil, fmt.Errorf("making a client of the cluster: %w", err)
	}
	d, err := discovery.NewDiscoveryClientForConfig(config)
	if err != nil {
		return nil, fmt.Errorf("making a client of the cluster: %w", err)
	}
	return &Chart{client: kube, discovery: d, clock: c}, nil
}

// Install carries out the step that installs the chart. did is false where nothing had to be done; another command than helm's
// is a *act.ByHandError.
func (c *Chart) Install(ctx context.Context, step model.Change) (did bool, err error) {
	release, err := parse(step.Command)
	if err != nil {
		return false, err
	}
	if there, err := c.others(ctx); err != nil || there {
		return false, err
	}
	if err := c.fit(&release); err != nil {
		return false, err
	}
	objects, err := release.Render(ctx)
	if err != nil {
		return false, err
	}
	for _, object := range objects {
		made, err := c.apply(ctx, object)
		if apierrors.IsForbidden(err) {
			err = fmt.Errorf("%w: have that allowed, and run again", err)
		}
		if err != nil {
			return did, fmt.Errorf("installing the chart: %s %s: %w", object.GetKind(), object.GetName(), err)
		}
		did = did || made
	}
	return did, nil
}

// others tells whether the controller is there and was installed by somebody else: by Helm, or from its manifests.
func (c *Chart) others(ctx context.Context) (bool, error) {
	var found metav1.PartialObjectMetadataList
	found.SetGroupVersionKind(schema.GroupVersionKind{Group: "apps", Version: "v1", Kind: "DeploymentList"})
	if err := c.client.List(ctx, &found, client.MatchingLabels{"app.kubernetes.io/name": controller}); err != nil {
		return false, fmt.Errorf("looking for the controller: %w", err)
	}
	for _, d := range found.Items {
		if d.Labels[managedBy] != Manager {
			return true, nil
		}
	}
	return false, nil
}

// fit fills in what the chart has to know of the cluster.
func (c *Chart) fit(r *Release) error {
	version, err := c.discovery.ServerVersion()
	if err != nil {
		return fmt.Errorf("asking the cluster for its version: %w", err)
	}
	r.Kubernetes = version.GitVersion
	const beta = "admissionregistration.k8s.io/v1beta1"
	list, err := c.discovery.ServerResourcesForGroupVersion(beta)
	switch {
	case apierrors.IsNotFound(err):
		return nil
	case err != nil:
		return fmt.Errorf("asking the cluster for %s: %w", beta, err)
	}
	for _, resource := range list.APIResources {
		r.APIs = append(r.APIs, beta+"/"+resource.Kind)
	}
	return nil
}

// apply makes or updates an object, and tells whether that changed anything. Definitions, the namespace and the key of hashes are
// left as they are if they are there: another definition may be the driver's, and another key would make every hash another one.
func (c *Chart) apply(ctx context.Context, object *unstructured.Unstructured) (bool, error) {
	before := &unstructured.Unstructured{}
	before.SetGroupVersionKind(object.GroupVersionKind())
	err := c.client.Get(ctx, client.ObjectKeyFromObject(object), before)
	if err == nil && before.GetDeletionTimestamp() != nil {
		err = c.gone(ctx, object)
		before = &unstructured.Unstructured{}
	}
	if err != nil && !apierrors.IsNotFound(err) {
		return false, err
	}
	kind := object.GetKind()
	if err == nil && (kind == "CustomResourceDefinition" || kind == "Namespace" || kind == "Secret") {
		return false, c.established(ctx, object)
	}
	configuration := client.ApplyConfigurationFromUnstructured(object)
	if err := c.client.Apply(ctx, configuration, client.FieldOwner(Manager)); err != nil {
		return false, err
	}
	after := &unstructured.Unstructured{}
	after.SetGroupVersionKind(object.GroupVersionKind())
	if err := c.client.Get(ctx, client.ObjectKeyFromObject(object), after); err != nil {
		return true, err
	}
	return !equality.Semantic.DeepEqual(essence(before), essence(after)), c.established(ctx, object)
}

// essence is what of an object somebody asked for. Admission policies get another resourceVersion by each apply, since the API
// server completes their matchConstraints only after that has written them.
func essence(object *unstructured.Unstructured) map[string]any {
	content := object.DeepCopy()
	content.SetResourceVersion("")
	content.SetManagedFields(nil)
	delete(content.Object, "status")
	return content.Object
}

// errSlow says that the API server does not serve a definition.
var errSlow = errors.New("the API server does not serve it within a minute: kubectl describe it, and run again")

// established waits until the API server serves a definition. Other kinds need no wait.
func (c *Chart) established(ctx context.Context, object *unstructured.Unstructured) error {
	if object.GetKind() != "CustomResourceDefinition" {
		return nil
	}
	return c.await(ctx, object, isEstablished, errSlow)
}

// errGoing says that something that was deleted is not gone.
var errGoing = errors.New("it is being deleted, and not gone within a minute: kubectl describe it, and run again when it is gone")

// gone waits until an object that is being deleted is not there any more, which is the error that it gives then: after a way back
// the namespace takes some seconds to go.
func (c *Chart) gone(ctx context.Context, object *unstructured.Unstructured) error {
	return c.await(ctx, object, func(*unstructured.Unstructured) bool { return false }, errGoing)
}

// await looks at an object until it is as wanted, or gone, or too much time has passed.
func (c *Chart) await(
	ctx context.Context, object *unstructured.Unstructured, is func(*unstructured.Unstructured) bool, late error,
) error {
	for began := c.clock.Now(); ; {
		now := &unstructured.Unstructured{}
		now.SetGroupVersionKind(object.GroupVersionKind())
		if err := c.client.Get(ctx, client.ObjectKeyFromObject(object), now); err != nil {
			return err
		}
		if is(now) {
			return nil
		}
		if c.clock.Since(began) > patience {
			return late
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-c.clock.After(lookEvery):
		}
	}
}

// isEstablished reads a definition's condition.
func isEstablished(definition *unstructured.Unstructured) bool {
	conditions, _, _ := unstructured.NestedSlice(definition.Object, "status", "conditions") // of another shape there are none
	for _, entry := range conditions {
		condition, _ := entry.(map[string]any)
		if condition["type"] == "Established" && condition["status"] == "True" {
			return true
		}
	}
	return false
}
