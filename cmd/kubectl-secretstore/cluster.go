package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/go-logr/logr"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"secretstore/api/secretsync/v1alpha1"
)

// fieldManager is who is said to have changed a SecretSync.
const fieldManager = "kubectl-secretstore"

// pageSize is how many SecretSyncs are asked for at once, as kubectl does.
const pageSize = 500

// syncs reads and forces the SecretSyncs of a cluster.
type syncs struct {
	client client.Client
	// host is where the cluster is, for messages.
	host string
	// namespace is the one that names are looked up in.
	namespace string
	// page is how many objects are listed at once.
	page int64
}

// addClusterFlags adds kubectl's flags that say which cluster, and as whom. All work; help shows the three in daily use.
func addClusterFlags(cmd *cobra.Command) *genericclioptions.ConfigFlags {
	flags := genericclioptions.NewConfigFlags(true)
	flags.CacheDir = nil // nothing is discovered, so nothing is cached
	set := pflag.NewFlagSet("", pflag.ContinueOnError)
	flags.AddFlags(set)
	set.VisitAll(func(flag *pflag.Flag) {
		flag.Hidden = !slices.Contains([]string{"context", "kubeconfig", "namespace"}, flag.Name)
	})
	cmd.Flags().AddFlagSet(set)
	return flags
}

// connect makes the means to work on the cluster that the flags name. It asks the cluster nothing.
func connect(flags *genericclioptions.ConfigFlags, warnings io.Writer) (syncs, error) {
	config, err := restConfig(flags, warnings)
	if err != nil {
		return syncs{}, err
	}
	namespace, _, err := flags.ToRawKubeConfigLoader().Namespace()
	if err != nil {
		return syncs{}, fmt.Errorf("reading which namespace to use: %w", err)
	}
	c, err := newClient(config)
	if err != nil {
		return syncs{}, fmt.Errorf("making a client of the cluster: %w", err)
	}
	return syncs{client: c, host: config.Host, namespace: namespace, page: pageSize}, nil
}

// restConfig says how the cluster that the flags name is reached.
func restConfig(flags *genericclioptions.ConfigFlags, warnings io.Writer) (*rest.Config, error) {
	config, err := flags.ToRESTConfig()
	if err != nil {
		return nil, fmt.Errorf("reading which cluster to use: %w", err)
	}
	if raw, err := flags.ToRawKubeConfigLoader().RawConfig(); err == nil && isNoCluster(raw, config) {
		return nil, errors.New("no cluster is configured: name a file by --kubeconfig or KUBECONFIG, or put it where kubectl " +
			"looks (~/.kube/config)")
	}
	config.QPS = -1 // no limit: requests come one after the other, and a server that is asked too much says so
	config.UserAgent = fieldManager
	config.WarningHandler = rest.NewWarningWriter(warnings, rest.WarningWriterOptions{Deduplicate: true})
	return config, nil
}

// isNoCluster tells whether the address is only the one that clients fall back on.
func isNoCluster(raw clientcmdapi.Config, config *rest.Config) bool {
	fallback := clientcmd.ClusterDefaults.Server
	return len(raw.Clusters) == 0 && config.Host == fallback
}

// newClient makes a client that knows where SecretSyncs are without asking the cluster.
func newClient(config *rest.Config) (client.Client, error) {
	scheme := runtime.NewScheme()
	if err := v1alpha1.AddToScheme(scheme); err != nil {
		return nil, err
	}
	mapper := meta.NewDefaultRESTMapper([]schema.GroupVersion{v1alpha1.GroupVersion()})
	mapper.Add(v1alpha1.GroupVersion().WithKind("SecretSync"), meta.RESTScopeNamespace)
	// Without a log of its own the client complains on standard error that it has none.
	return client.New(config, client.Options{
		Scheme: scheme, Mapper: mapper, FieldOwner: fieldManager, Log: logr.New(log.NullLogSink{}),
	})
}

// find reads those that are selected. Names that do not exist are an error beside those that do.
func (s syncs) find(ctx context.Context, sel selection) ([]v1alpha1.SecretSync, error) {
	if len(sel.names) == 0 {
		return s.list(ctx, sel)
	}
	found := make([]v1alpha1.SecretSync, 0, len(sel.names))
	var missing []error
	for _, name := range sel.names {
		var sync v1alpha1.SecretSync
		err := s.client.Get(ctx, types.NamespacedName{Namespace: s.namespace, Name: name}, &sync)
		switch {
		case err == nil:
			found = append(found, sync)
		case isMissingObject(err):
			missing = append(missing, s.missing(name))
		default:
			return nil, s.explain("get", s.namespace, err)
		}
	}
	return found, errors.Join(missing...)
}

// list reads all that are selected, in pages.
func (s syncs) list(ctx context.Context, sel selection) ([]v1alpha1.SecretSync, error) {
	namespace := s.namespace
	if sel.allNamespaces {
		namespace = metav1.NamespaceAll
	}
	found := []v1alpha1.SecretSync{}
	options := client.ListOptions{
		Namespace: namespace, Limit: s.page, Raw: &metav1.ListOptions{LabelSelector: sel.selector},
	}
	for {
		var page v1alpha1.SecretSyncList
		if err := s.client.List(ctx, &page, &options); err != nil {
			return nil, s.explain("list", namespace, err)
		}
		found = append(found, page.Items...)
		if options.Continue = page.Continue; options.Continue == "" {
			return found, nil
		}
	}
}

// force makes a check due at once, by a new value of spec.forceSynchronization, and returns the SecretSync as it is then.
func (s syncs) force(ctx context.Context, key types.NamespacedName, value string) (v1alpha1.SecretSync, error) {
	sync := v1alpha1.SecretSync{ObjectMeta: metav1.ObjectMeta{Namespace: key.Namespace, Name: key.Name}}
	patch := fmt.Appendf(nil, `{"spec":{"forceSynchronization":%q}}`, value)
	if err := s.client.Patch(ctx, &sync, client.RawPatch(types.MergePatchType, patch)); err != nil {
		if isMissingObject(err) {
			return sync, missingError{s.missing(key.Name)}
		}
		return sync, s.explain("patch", key.Namespace, err)
	}
	return sync, nil
}

// isMissingObject tells an object that does not exist from a kind that the cluster does not know: only for the latter the
// answer is not one of the API's.
func isMissingObject(err error) bool {
	return apierrors.IsNotFound(err) && !apierrors.HasStatusCause(err, metav1.CauseTypeUnexpectedServerResponse)
}
