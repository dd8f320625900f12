package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sync/errgroup"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/controller-runtime/pkg/client"
	spcv1 "sigs.k8s.io/secrets-store-csi-driver/apis/v1"

	"secretstore/api/secretsync/v1alpha1"
	"secretstore/internal/kube"
	"secretstore/test/cluster"
	"secretstore/test/narrator"
	"secretstore/test/stack"
)

// lab is what measuring takes: a control plane with the chart installed, and the emulator with all places.
type lab struct {
	show    *narrator.Narrator
	dir     string
	cluster *cluster.Cluster
	stack   *stack.Stack
	// admin may do everything.
	admin client.Client
	// server is the API server as the administrator asks it for its metrics, and for a watch as it comes.
	server rest.Interface
	// secrets and statuses write as the controller does, by its own rights: the floor's means.
	secrets  kubernetes.Interface
	statuses client.Client
}

// openLab builds and starts everything but the controller. close ends it, whatever came of the start.
func openLab(ctx context.Context, show *narrator.Narrator, places []place) (*lab, error) {
	dir, err := os.MkdirTemp("", "secretstore-bench-")
	if err != nil {
		return nil, fmt.Errorf("making a folder: %w", err)
	}
	l := &lab{show: show, dir: dir}
	for _, step := range []struct {
		name string
		run  func() error
	}{
		{"the controller and the emulator are built", func() error { return stack.Build(ctx, dir, false) }},
		{"etcd, kube-apiserver and kube-controller-manager run", func() error { return l.startCluster(ctx) }},
		{"the emulator runs", func() error { return l.startEmulator(ctx, places) }},
		{"the chart is installed", func() error { return l.install(ctx) }},
	} {
		if err := show.During(step.name, step.run); err != nil {
			return nil, errors.Join(err, l.close())
		}
	}
	return l, nil
}

// close stops everything and takes the folder away.
func (l *lab) close() error {
	var errs []error
	if l.stack != nil {
		errs = append(errs, l.stack.Stop())
	}
	if l.cluster != nil {
		errs = append(errs, l.cluster.Stop())
	}
	return errors.Join(append(errs, os.RemoveAll(l.dir))...)
}

func (l *lab) startCluster(ctx context.Context) error {
	crds, err := cluster.Manifests("charts/secretstore/crds/*.yaml")
	if err != nil {
		return err
	}
	l.cluster, err = cluster.Start(ctx, cluster.Options{Manifests: crds, Dir: filepath.Join(l.dir, "cluster")})
	return err
}

func (l *lab) startEmulator(ctx context.Context, places []place) error {
	text, err := seed(l.cluster.Issuer(), places)
	if err != nil {
		return err
	}
	file := filepath.Join(l.dir, "seed.yaml")
	if err := os.WriteFile(file, text, 0o600); err != nil {
		return fmt.Errorf("writing the seed: %w", err)
	}
	l.stack, err = stack.StartEmulator(ctx, stack.Options{Cluster: l.cluster, Programs: l.dir, Dir: l.dir, Seed: file})
	return err
}

// install installs the chart and makes the clients.
func (l *lab) install(ctx context.Context) error {
	if err := l.stack.Install(ctx); err != nil {
		return err
	}
	kinds := runtime.NewScheme()
	if err := errors.Join(corev1.AddToScheme(kinds), v1alpha1.AddToScheme(kinds), spcv1.AddToScheme(kinds)); err != nil {
		return fmt.Errorf("registering kinds: %w", err)
	}
	account, err := clientcmd.BuildConfigFromFlags("", l.stack.Kubeconfig)
	if err != nil {
		return fmt.Errorf("reading the controller's kubeconfig: %w", err)
	}
	if l.admin, err = client.New(unlimited(l.cluster.Config()), client.Options{Scheme: kinds}); err != nil {
		return fmt.Errorf("making the administrator's client: %w", err)
	}
	plain := unlimited(l.cluster.Config())
	plain.NegotiatedSerializer = serializer.NewCodecFactory(kinds).WithoutConversion()
	if l.server, err = rest.UnversionedRESTClientFor(plain); err != nil {
		return fmt.Errorf("making a client of the API server's metrics and watches: %w", err)
	}
	if l.secrets, err = kubernetes.NewForConfig(unlimited(account)); err != nil {
		return fmt.Errorf("making the floor's client of Secrets: %w", err)
	}
	l.statuses, err = client.New(unlimited(account), client.Options{Scheme: kinds, FieldOwner: kube.FieldManager})
	if err != nil {
		return fmt.Errorf("making the floor's client of statuses: %w", err)
	}
	return nil
}

// unlimited takes away the client's own throttle: what the server can do is what is measured.
func unlimited(config *rest.Config) *rest.Config {
	config.QPS = -1
	return config
}

// furnish makes a namespace with the place's account, classes and SecretSyncs, and returns the SecretSyncs.
func (l *lab) furnish(ctx context.Context, namespace string, p place) ([]*v1alpha1.SecretSync, error) {
	objects := []client.Object{
		&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace}},
		&corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: account}},
	}
	for i := range p.classes() {
		objects = append(objects, p.class(namespace, i))
	}
	for _, object := range objects {
		if err := l.admin.Create(ctx, object); err != nil {
			return nil, fmt.Errorf("creating %T %s: %w", object, object.GetName(), err)
		}
	}
	syncs := make([]*v1alpha1.SecretSync, p.syncs)
	err := each(ctx, p.syncs, func(ctx context.Context, i int) error {
		syncs[i] = p.sync(namespace, i)
		return l.admin.Create(ctx, syncs[i])
	})
	if err != nil {
		return nil, fmt.Errorf("creating SecretSyncs in %s: %w", namespace, err)
	}
	return syncs, nil
}

// furnishAll furnishes the namespaces of all places.
func (l *lab) furnishAll(ctx context.Context, places []place) error {
	for _, p := range places {
		if _, err := l.furnish(ctx, p.namespace(), p); err != nil {
			return err
		}
	}
	return nil
}

// each does something n times, by as many workers as the controller has.
func each(ctx context.Context, n int, do func(context.Context, int) error) error {
	group, inner := errgroup.WithContext(ctx)
	group.SetLimit(workers)
	for i := range n {
		if inner.Err() != nil {
			break
		}
		group.Go(func() error { return do(inner, i) })
	}
	return cmp.Or(group.Wait(), ctx.Err())
}
