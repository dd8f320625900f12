package main

import (
	"context"
	"fmt"
	"math/rand/v2"

	corev1 "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/tools/events"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	registry "sigs.k8s.io/controller-runtime/pkg/metrics"

	"secretstore/internal/azure/entra"
	"secretstore/internal/controller/akvsync"
	"secretstore/internal/controller/neighbour"
	"secretstore/internal/controller/outcome"
	"secretstore/internal/controller/secretsync"
	"secretstore/internal/kube"
	"secretstore/internal/metrics"
	"secretstore/internal/redact"
	"secretstore/internal/source"
	"secretstore/internal/source/akv"
)

// parts are what all controllers are made with.
type parts struct {
	ctrl.Manager

	opts   options
	events events.EventRecorder
}

func addSecretSync(ctx context.Context, mgr parts, clouds entra.Clouds, key redact.Bytes, client corev1.CoreV1Interface) error {
	opts := mgr.opts
	counts, err := metrics.New(registry.Registry, clock.RealClock{})
	if err != nil {
		return fmt.Errorf("registering metrics: %w", err)
	}
	vaults, err := akv.New(akv.Options{
		Clouds:            clouds,
		Token:             countedTokens(kube.NewTokens(client), counts),
		Observer:          counts,
		Clock:             clock.RealClock{},
		Chance:            rand.Float64,
		RequestsPerSecond: float64(opts.vaultRequestsPerSecond),
		AtOnce:            atOnce(opts.workers),
	})
	if err != nil {
		return err
	}
	secrets := kube.NewSecrets(client)
	var touched *secretsync.Touched
	if opts.watchSecrets {
		touched = secretsync.NewTouched()
		secrets.Seen = touched.Seen
	}
	reconciler := &secretsync.Reconciler{
		Client:        mgr.GetClient(),
		Live:          mgr.GetAPIReader(),
		Secrets:       secrets,
		Source:        vaults,
		Recorder:      mgr.events,
		Clock:         clock.RealClock{},
		Schedule:      outcome.Schedule{Interval: opts.rotationPollInterval, Jitter: opts.jitter},
		Memory:        &secretsync.Memory{},
		DriftInterval: opts.driftInterval,
		Looks:         &secretsync.Looks{},
		Touched:       touched,
		Partial:       opts.partialSync,
		DigestKey:     key,
		Ended:         counts.Check,
		Late:          counts.Late,
		Freshness:     counts,
		Neighbours:    guard(mgr, counts.LeftAlone),
	}
	return reconciler.SetupWithManager(ctx, mgr, mgr.opts.workers)
}

// atOnce is how many workers may wait for the same vault: a quarter is always left for the others.
func atOnce(workers int) int {
	const quarter = 4
	return max(1, workers-workers/quarter)
}

// guard keeps a reconciler from what another controller of its kind looks after.
func guard(mgr parts, count func(int)) *neighbour.Guard {
	return &neighbour.Guard{
		Rule:     neighbour.Rule{AdoptWrittenBefore: mgr.opts.adoptWrittenBefore},
		Reader:   mgr.GetClient(),
		Recorder: mgr.events,
		Clock:    clock.RealClock{},
		Count:    count,
	}
}

func countedTokens(tokens *kube.Tokens, counts *metrics.Metrics) akv.TokenFunc {
	return func(ctx context.Context, account source.ServiceAccount, audience string) (string, error) {
		token, err := tokens.Request(ctx, account, audience)
		counts.Token(err)
		return token, err
	}
}

func addAKVSync(ctx context.Context, mgr parts) error {
	reconciler := &akvsync.Reconciler{
		Client:     mgr.GetClient(),
		Recorder:   mgr.events,
		Clock:      clock.RealClock{},
		Neighbours: guard(mgr, func(int) {}), // its SecretSyncs are counted
	}
	return reconciler.SetupWithManager(ctx, mgr, mgr.opts.workers)
}
