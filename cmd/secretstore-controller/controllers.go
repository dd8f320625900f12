package main

import (
	"context"
	"fmt"

	corev1 "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	registry "sigs.k8s.io/controller-runtime/pkg/metrics"

	"secretstore/internal/azure/entra"
	"secretstore/internal/controller/akvsync"
	"secretstore/internal/controller/secretsync"
	"secretstore/internal/kube"
	"secretstore/internal/metrics"
	"secretstore/internal/redact"
	"secretstore/internal/source"
	"secretstore/internal/source/akv"
)

func addSecretSync(ctx context.Context, mgr ctrl.Manager, opts options, clouds entra.Clouds, key redact.Bytes,
	client corev1.CoreV1Interface,
) error {
	counts, err := metrics.New(registry.Registry, clock.RealClock{})
	if err != nil {
		return fmt.Errorf("registering metrics: %w", err)
	}
	vaults, err := akv.New(clouds, countedTokens(kube.NewTokens(client), counts), counts.Transport)
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
		Recorder:      mgr.GetEventRecorder("secretstore-controller"),
		Clock:         clock.RealClock{},
		Interval:      opts.rotationPollInterval,
		DriftInterval: opts.driftInterval,
		Looks:         &secretsync.Looks{},
		Touched:       touched,
		Partial:       opts.partialSync,
		DigestKey:     key,
		Ended:         counts.Check,
		Freshness:     counts,
	}
	return reconciler.SetupWithManager(ctx, mgr, opts.workers)
}

func countedTokens(tokens *kube.Tokens, counts *metrics.Metrics) akv.TokenFunc {
	return func(ctx context.Context, account source.ServiceAccount, audience string) (string, error) {
		token, err := tokens.Request(ctx, account, audience)
		counts.Token(err)
		return token, err
	}
}

func addAKVSync(ctx context.Context, mgr ctrl.Manager, opts options) error {
	reconciler := &akvsync.Reconciler{
		Client:   mgr.GetClient(),
		Recorder: mgr.GetEventRecorder("secretstore-controller"),
		Clock:    clock.RealClock{},
	}
	return reconciler.SetupWithManager(ctx, mgr, opts.workers)
}
