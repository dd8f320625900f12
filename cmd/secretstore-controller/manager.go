package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync/atomic"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/rest"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/healthz"
	"sigs.k8s.io/controller-runtime/pkg/metrics/server"
	spcv1 "sigs.k8s.io/secrets-store-csi-driver/apis/v1"

	"secretstore/api/secretsync/v1alpha1"
	"secretstore/internal/controller/neighbour"
	"secretstore/internal/controller/secretsync"
)

func newManager(config *rest.Config, opts options) (ctrl.Manager, *syncedCaches, error) {
	scheme := runtime.NewScheme()
	if err := errors.Join(v1alpha1.AddToScheme(scheme), spcv1.AddToScheme(scheme)); err != nil {
		return nil, nil, fmt.Errorf("registering kinds: %w", err)
	}
	cached, err := cacheOptions(opts)
	if err != nil {
		return nil, nil, err
	}
	mgr, err := ctrl.NewManager(config, ctrl.Options{
		Scheme:                        scheme,
		Metrics:                       server.Options{BindAddress: opts.metricsAddress},
		HealthProbeBindAddress:        opts.healthAddress,
		Cache:                         cached,
		MapperProvider:                knownKinds,
		LeaderElection:                opts.leaderElection,
		LeaderElectionID:              "secretstore-controller",
		LeaderElectionNamespace:       opts.leaderElectionNamespace,
		LeaderElectionReleaseOnCancel: true, // nothing is done after the manager ends
	})
	if err != nil {
		return nil, nil, fmt.Errorf("making the manager: %w", err)
	}
	synced := &syncedCaches{}
	err = errors.Join(mgr.AddHealthzCheck("ping", healthz.Ping), mgr.AddReadyzCheck("caches", synced.check), mgr.Add(synced))
	if err != nil {
		return nil, nil, fmt.Errorf("adding the health checks: %w", err)
	}
	return mgr, synced, nil
}

// knownKinds maps the kinds that the controller works with to their resources. Whether the cluster has them was asked before, by
// checkKinds. The usual mapper asks the cluster for all that it serves, and searches through that whenever a cache is read.
func knownKinds(*rest.Config, *http.Client) (meta.RESTMapper, error) {
	mapper := meta.NewDefaultRESTMapper(nil)
	for _, kind := range []schema.GroupVersionKind{
		v1alpha1.GroupVersion().WithKind("SecretSync"),
		v1alpha1.GroupVersion().WithKind("AKVSync"),
		spcv1.SchemeGroupVersion.WithKind("SecretProviderClass"),
		corev1.SchemeGroupVersion.WithKind("ServiceAccount"),
		corev1.SchemeGroupVersion.WithKind("Secret"),
	} {
		for _, name := range []string{kind.Kind, kind.Kind + "List"} { // caches of several namespaces look both up
			mapper.Add(kind.GroupVersion().WithKind(name), meta.RESTScopeNamespace)
		}
	}
	return mapper, nil
}

// syncedCaches is what readiness means: all that the controller watches has been read once, so that it can work, or take over
// at once from the replica that does.
type syncedCaches struct{ done atomic.Bool }

// Start implements manager.Runnable. The manager calls it when the caches are synced.
func (s *syncedCaches) Start(context.Context) error {
	s.done.Store(true)
	return nil
}

// NeedLeaderElection implements manager.LeaderElectionRunnable: replicas that wait are ready too.
func (*syncedCaches) NeedLeaderElection() bool { return false }

func (s *syncedCaches) check(*http.Request) error {
	if s.done.Load() {
		return nil
	}
	return errors.New("not all that is watched has been read yet; if this stays, the log says what cannot be read")
}

// cacheOptions is what the caches hold: of all objects no managed fields but who wrote the status, of Secrets nothing, or where
// they are watched, their names.
func cacheOptions(opts options) (cache.Options, error) {
	held := cache.Options{
		DefaultTransform:  neighbour.Transform,
		DefaultNamespaces: cacheNamespaces(opts.namespaces),
	}
	if !opts.watchSecrets {
		return held, nil
	}
	secrets, err := secretsync.WatchedSecrets()
	if err != nil {
		return cache.Options{}, fmt.Errorf("selecting the Secrets to watch: %w", err)
	}
	held.ByObject = secrets
	return held, nil
}

// cacheNamespaces is what to watch; nil means all namespaces.
func cacheNamespaces(names []string) map[string]cache.Config {
	if len(names) == 0 {
		return nil
	}
	namespaces := map[string]cache.Config{}
	for _, name := range names {
		namespaces[name] = cache.Config{}
	}
	return namespaces
}
