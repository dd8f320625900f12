package read

import (
	"context"
	"fmt"
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/rest"

	"secretstore/internal/migrate/model"
)

const (
	// requestTimeout bounds each request where the kubeconfig has no bound: an address that swallows packets is told from a
	// page that takes long.
	requestTimeout = 30 * time.Second
	// requestsPerSecond is how fast single objects are read. The API server's own priority and fairness bounds us too.
	requestsPerSecond = 200
)

// ClusterOptions say what is read of a cluster.
type ClusterOptions struct {
	// Digest replaces the values of Secrets. It must not be nil.
	Digest model.Digester
	// Namespaces limit what is read to these; empty is all.
	Namespaces []string
	// Selector limits workloads, and pods that nobody owns, by their labels; empty is all.
	Selector string
	// Progress, if not nil, is told after every page what was read and how many of it so far. The caller decides what to show:
	// nothing before two seconds have passed.
	Progress func(text string, done int)
}

// cluster reads one cluster. Its fields after kinds fill up as it goes.
type cluster struct {
	options  ClusterOptions
	typed    kubernetes.Interface
	dynamic  dynamic.Interface
	metadata metadata.Interface
	kinds    kinds

	refused  refusals
	snapshot model.Snapshot
	// synced are the Secrets that classes make or made, credentials those that volumes name, as `namespace/name`.
	synced, credentials map[string]bool
	// owners are the objects that own a pod that is kept; known maps the UID of an object to what owns it.
	owners map[types.UID]bool
	known  map[types.UID][]metav1.OwnerReference
	// climb are the pods whose chain of owners has to be known to its top.
	climb []pod
	// parts keep what objects have in common once.
	parts *sharer
}

// Cluster reads a live cluster, page by page. Of pods it keeps those that mount the driver, that use a Secret which a class
// makes, or that nothing owns; of those that something owns no more than these uses. Of the templates of other workloads it
// keeps what runs in them, by which companions of the driver are known. Objects lose managedFields (but for the
// names of managers that deploy: Helm, Argo CD, Flux) and status, but for that of Jobs and of mounted classes, and a pod's phase.
//
// If the account may not read something, everything else is tried all the same, and the error is a *ForbiddenError that
// holds all that is missing. A cluster that does not answer is an *UnreachableError.
func Cluster(ctx context.Context, config *rest.Config, o ClusterOptions) (model.Snapshot, error) {
	keep, err := newFilter(nil, o.Selector)
	if err != nil {
		return model.Snapshot{}, err
	}
	c, err := newCluster(config, o)
	if err != nil {
		return model.Snapshot{}, err
	}
	if err := c.read(ctx); err != nil {
		return model.Snapshot{}, unreachable(config.Host, err)
	}
	s := c.snapshot
	s.Objects = slices.DeleteFunc(s.Objects, func(object model.Object) bool { return !keep(object) })
	sortObjects(s.Objects)
	// A list that had to start again names objects twice.
	s.Objects = slices.CompactFunc(s.Objects, func(a, b model.Object) bool { return a.Ref == b.Ref })
	s.Findings = model.SortFindings(s.Findings)
	return s, nil
}

// newCluster makes the clients: protobuf where the API server speaks it, which costs a third of what JSON costs.
func newCluster(config *rest.Config, o ClusterOptions) (*cluster, error) {
	config = rest.CopyConfig(config)
	config.QPS, config.Burst = requestsPerSecond, requestsPerSecond
	config.WarningHandlerWithContext = rest.NoWarnings{}
	if config.Timeout == 0 {
		config.Timeout = requestTimeout
	}
	c := &cluster{
		options: o, synced: map[string]bool{}, credentials: map[string]bool{}, owners: map[types.UID]bool{},
		known: map[types.UID][]metav1.OwnerReference{}, parts: newSharer(),
	}
	c.snapshot.Input = model.Input{Server: config.Host, Namespaces: o.Namespaces, Selector: o.Selector}
	c.snapshot.ClientIDs = map[string]string{}
	var err error
	if c.dynamic, err = dynamic.NewForConfig(config); err != nil {
		return nil, fmt.Errorf("making a client: %w", err)
	}
	if c.metadata, err = metadata.NewForConfig(config); err != nil {
		return nil, fmt.Errorf("making a client: %w", err)
	}
	binary := rest.CopyConfig(config)
	binary.ContentType = runtime.ContentTypeProtobuf
	binary.AcceptContentTypes = runtime.ContentTypeProtobuf + "," + runtime.ContentTypeJSON
	if c.typed, err = kubernetes.NewForConfig(binary); err != nil {
		return nil, fmt.Errorf("making a client: %w", err)
	}
	return c, nil
}

// read takes the steps in order. What a step needs to know was read by those before it.
func (c *cluster) read(ctx context.Context) error {
	steps := []struct {
		name string
		run  func(context.Context) error
	}{
		{"what the cluster is", c.readServer},
		{"which kinds there are", c.discover},
		{"classes", c.readClasses},
		{"names of Secrets", c.readSecretNames},
		{"pods", c.readPods},
		{"workloads", c.readWorkloads},
		{"what else there is", c.readOthers},
		{"owners of pods", c.readOwners},
		{"templates of operators", c.readTemplates},
		{"Secrets", c.readSecrets},
	}
	for _, step := range steps {
		if err := step.run(ctx); err != nil {
			return fmt.Errorf("reading the cluster: %s: %w", step.name, err)
		}
	}
	return c.judgeRefusals(ctx)
}

// add keeps an object.
func (c *cluster) add(content map[string]any) model.Object {
	for name, field := range content {
		content[name], _ = c.parts.share(field)
	}
	o := model.Object{Ref: refOf(content), Content: content}
	c.snapshot.Objects = append(c.snapshot.Objects, o)
	return o
}

// namespaces are those to read one after the other; "" is all at once.
func (c *cluster) namespaces(namespaced bool) []string {
	if !namespaced || len(c.options.Namespaces) == 0 {
		return []string{metav1.NamespaceAll}
	}
	return c.options.Namespaces
}
