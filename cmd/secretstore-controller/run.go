package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"slices"

	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/klog/v2"
	ctrl "sigs.k8s.io/controller-runtime"
	spcv1 "sigs.k8s.io/secrets-store-csi-driver/apis/v1"

	"secretstore/api/secretsync/v1alpha1"
	"secretstore/internal/azure/entra"
	"secretstore/internal/redact"
)

// run is the controller until ctx ends. Here, and nowhere else, the adapters are chosen and put together.
func run(ctx context.Context, opts options, logTo io.Writer) error {
	setLogger(logTo, opts.logLevel)
	clouds, err := loadClouds(opts.cloudFiles)
	if err != nil {
		return err
	}
	key, err := syncHashKey(opts.syncHashKeyFile)
	if err != nil {
		return err
	}
	config, err := clusterConfig(opts)
	if err != nil {
		return err
	}
	client, err := kubernetes.NewForConfig(inProtobuf(config))
	if err != nil {
		return fmt.Errorf("making a client of the cluster: %w", err)
	}
	if err := checkKinds(client.Discovery()); err != nil {
		return err
	}
	if err := checkWatch(ctx, config, opts); err != nil {
		return err
	}
	if err := checkDefinitions(client.Discovery().OpenAPIV3()); err != nil {
		return err
	}
	mgr, synced, err := newManager(config, opts)
	if err != nil {
		return err
	}
	if err := addControllers(ctx, mgr, opts, clouds, key, client); err != nil {
		return err
	}
	return start(ctx, mgr, synced)
}

// start runs the manager until ctx ends. One that still waits for its caches does not end with ctx (controller-runtime,
// pkg/manager/runnable_group.go, at v0.25); it has begun nothing that must be waited for.
func start(ctx context.Context, mgr ctrl.Manager, synced *syncedCaches) error {
	ended := make(chan error, 1)
	go func() { ended <- mgr.Start(ctx) }()
	var err error
	select {
	case err = <-ended:
	case <-ctx.Done():
		if !synced.done.Load() {
			return nil
		}
		err = <-ended
	}
	if err != nil {
		return fmt.Errorf("running: %w", err)
	}
	return nil
}

func addControllers(ctx context.Context, mgr ctrl.Manager, opts options, clouds entra.Clouds, key redact.Bytes,
	client kubernetes.Interface,
) error {
	sender, err := eventSender(ctx, client.EventsV1(), mgr.GetScheme())
	if err != nil {
		return err
	}
	told := newPacedEvents(sender, mgr.GetScheme())
	if err := mgr.Add(told); err != nil {
		return fmt.Errorf("adding the events: %w", err)
	}
	all := parts{Manager: mgr, opts: opts, events: told}
	if err := addSecretSync(ctx, all, clouds, key, client.CoreV1()); err != nil {
		return err
	}
	return addAKVSync(ctx, all)
}

func loadClouds(files []string) (entra.Clouds, error) {
	own := make([]entra.Cloud, 0, len(files))
	for _, file := range files {
		cloud, err := entra.LoadCloud(file)
		if err != nil {
			return entra.Clouds{}, err
		}
		own = append(own, cloud)
	}
	return entra.NewClouds(own...), nil
}

func setLogger(to io.Writer, level slog.Level) {
	log := logr.FromSlogHandler(slog.NewJSONHandler(to, &slog.HandlerOptions{Level: level}))
	ctrl.SetLogger(log)
	klog.SetLogger(log)
}

// Requests a second to the API server, and how many may come at once. The server protects itself by priority and
// fairness; this only keeps one controller from being the reason.
const (
	apiQPS   = 500
	apiBurst = 1000
)

// inProtobuf is a way to the kinds of Kubernetes itself, whose answers take half the time to read in this encoding. Kinds that
// are defined by CRDs have none.
func inProtobuf(config *rest.Config) *rest.Config {
	config = rest.CopyConfig(config)
	config.ContentType = "application/vnd.kubernetes.protobuf"
	config.AcceptContentTypes = config.ContentType + ",application/json"
	return config
}

// clusterConfig says how to reach the cluster: by the kubeconfig, or as the pod's service account.
func clusterConfig(opts options) (*rest.Config, error) {
	config, err := clientcmd.BuildConfigFromFlags("", opts.kubeconfig)
	if opts.kubeconfig == "" {
		config, err = rest.InClusterConfig()
		if errors.Is(err, rest.ErrNotInCluster) {
			return nil, errors.New("this does not run in a cluster: name one with --kubeconfig")
		}
	}
	if err != nil {
		return nil, fmt.Errorf("reading how to reach the cluster: %w", err)
	}
	config.QPS, config.Burst = apiQPS, apiBurst
	config.UserAgent = "secretstore-controller"
	return config, nil
}

// checkKinds says which CRD is missing before anything waits for it.
func checkKinds(client discovery.DiscoveryInterface) error {
	for _, kind := range []schema.GroupVersionKind{
		v1alpha1.GroupVersion().WithKind("SecretSync"),
		v1alpha1.GroupVersion().WithKind("AKVSync"),
		spcv1.SchemeGroupVersion.WithKind("SecretProviderClass"),
	} {
		groupVersion := kind.GroupVersion().String()
		list, err := client.ServerResourcesForGroupVersion(groupVersion)
		if err != nil && !apierrors.IsNotFound(err) {
			return fmt.Errorf("asking the cluster for the kind %s: %w", kind.Kind, err)
		}
		if err != nil || !slices.ContainsFunc(list.APIResources, func(r metav1.APIResource) bool { return r.Kind == kind.Kind }) {
			return fmt.Errorf("the cluster does not know the kind %s (%s): install its CRD, which the chart carries in "+
				"charts/secretstore/crds", kind.Kind, groupVersion)
		}
	}
	return nil
}

// checkWatch says that the right to watch Secrets is missing before anything waits for it. It reads the names of one Secret at
// most, and no values.
func checkWatch(ctx context.Context, config *rest.Config, opts options) error {
	if !opts.watchSecrets {
		return nil
	}
	client, err := metadata.NewForConfig(config)
	if err != nil {
		return fmt.Errorf("making a client of the cluster: %w", err)
	}
	namespaces := opts.namespaces
	if len(namespaces) == 0 {
		namespaces = []string{metav1.NamespaceAll}
	}
	for _, namespace := range namespaces {
		_, err := client.Resource(corev1.SchemeGroupVersion.WithResource("secrets")).Namespace(namespace).
			List(ctx, metav1.ListOptions{LabelSelector: v1alpha1.SecretLabel, Limit: 1})
		if apierrors.IsForbidden(err) {
			return fmt.Errorf("driftDetection is %s, but the rights to list and watch Secrets are missing: install the chart with "+
				"driftDetection=%[1]s, which grants them, or set it to %[2]s (%[3]w)", detectByWatch, detectByLook, err)
		}
		if err != nil {
			return fmt.Errorf("asking the cluster for the names of Secrets: %w", err)
		}
	}
	return nil
}

// leastKey is the least length of the installation's key: the strength of the digest.
const leastKey = 32

// syncHashKey reads the installation's key, or makes one for this run.
func syncHashKey(file string) (redact.Bytes, error) {
	if file == "" {
		key := make([]byte, leastKey)
		_, _ = rand.Read(key) // never fails: crypto/rand ends the program instead
		return redact.New(key), nil
	}
	key, err := os.ReadFile(file)
	if err != nil {
		return redact.Bytes{}, fmt.Errorf("reading the key for status.syncHash: %w", err)
	}
	if len(key) < leastKey {
		return redact.Bytes{}, fmt.Errorf("the key for status.syncHash in %s has %d bytes: it must have %d or more, from a "+
			"source of random bytes", file, len(key), leastKey)
	}
	return redact.New(key), nil
}
