package main

import (
	"context"
	"fmt"
	"regexp"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"secretstore/api/secretsync/v1alpha1"
	"secretstore/internal/controller/outcome"
	"secretstore/internal/fault"
)

// given makes SecretSyncs with statuses. AGO(5m) in the text is the time five minutes ago; what the spec leaves out is filled in.
func given(ctx context.Context, c client.Client, namespace, text string) error {
	text, err := replaceAges(text, time.Now())
	if err != nil {
		return err
	}
	for document := range strings.SplitSeq(text, "\n---\n") {
		var sync v1alpha1.SecretSync
		if err := yaml.UnmarshalStrict([]byte(document), &sync); err != nil {
			return err
		}
		status := sync.Status
		sync.Namespace = namespace
		complete(&sync.Spec)
		if err := c.Create(ctx, &sync); err != nil {
			return err
		}
		sync.Status = status
		if err := c.Status().Update(ctx, &sync); err != nil {
			return err
		}
	}
	return nil
}

// complete fills in what must be there.
func complete(spec *v1alpha1.SecretSyncSpec) {
	if spec.SecretProviderClassName == "" {
		spec.SecretProviderClassName, spec.ServiceAccountName = "vault", "web"
	}
	spec.SecretObject.Data = []v1alpha1.SecretObjectData{{SourcePath: "a", TargetKey: "b"}}
}

func replaceAges(text string, now time.Time) (string, error) {
	var failed error
	text = regexp.MustCompile(`AGO\(\w+\)`).ReplaceAllStringFunc(text, func(match string) string {
		age, err := time.ParseDuration(match[len("AGO(") : len(match)-1])
		if err != nil {
			failed = err
		}
		return now.Add(-age).UTC().Format(time.RFC3339)
	})
	return text, failed
}

// standIn does of a controller what forcing needs: it checks SecretSyncs whose spec was changed, with the outcome that their
// annotation "test/outcome" tells, so long after it first saw them as "test/after" tells. The statuses are the real ones.
type standIn struct {
	client    client.Client
	namespace string
	done      chan struct{}
}

func (s standIn) run(ctx context.Context) {
	defer close(s.done)
	ticker := time.NewTicker(50 * time.Millisecond)
	defer ticker.Stop()
	seen := map[string]time.Time{}
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		var list v1alpha1.SecretSyncList
		if err := s.client.List(ctx, &list, client.InNamespace(s.namespace)); err != nil {
			continue // the next round tries again
		}
		for _, sync := range list.Items {
			if sync.Status.ObservedGeneration == sync.Generation {
				continue
			}
			if _, known := seen[sync.Name]; !known {
				seen[sync.Name] = time.Now()
			}
			if after, _ := time.ParseDuration(sync.Annotations["test/after"]); time.Since(seen[sync.Name]) >= after {
				s.check(ctx, sync)
			}
		}
	}
}

func (s standIn) check(ctx context.Context, sync v1alpha1.SecretSync) {
	if sync.Annotations["test/outcome"] == "deleted" {
		_ = s.client.Delete(ctx, &sync)
		return
	}
	sync.Status, _ = outcome.Of(sync.Status, resultOf(sync, time.Now()))
	_ = s.client.Status().Update(ctx, &sync) // on a conflict the next round tries again
}

func resultOf(sync v1alpha1.SecretSync, now time.Time) outcome.Result {
	r := outcome.Result{Time: now, Generation: sync.Generation, Secret: outcome.SecretComplete}
	switch sync.Annotations["test/outcome"] {
	case "fail":
		r.Fault = fault.New(fault.PermissionMissing, "the identity may not read: assign Key Vault Secrets User")
	case "partial":
		r.Fault = fault.New(fault.Partial, "1 of 2 items could not be updated: no such secret")
		r.Items = []outcome.Item{
			{SourcePath: "a", TargetKey: "user", State: outcome.ItemUpdated},
			{SourcePath: "b", TargetKey: "password", State: outcome.ItemKept, Error: "no such secret"},
		}
	}
	return r
}

// condition makes a condition that has lasted for so long.
func condition(kind string, status metav1.ConditionStatus, reason, message string, since time.Time) metav1.Condition {
	return metav1.Condition{Type: kind, Status: status, Reason: reason, Message: message, LastTransitionTime: metav1.NewTime(since)}
}

// named is a SecretSync with a status.
func named(namespace, name string, conditions ...metav1.Condition) v1alpha1.SecretSync {
	sync := v1alpha1.SecretSync{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}}
	sync.Spec.SecretProviderClassName, sync.Spec.ServiceAccountName = "vault", "web"
	sync.Status.Conditions = conditions
	return sync
}

// many makes n SecretSyncs.
func many(namespace string, n int) []v1alpha1.SecretSync {
	syncs := make([]v1alpha1.SecretSync, 0, n)
	for i := range n {
		sync := named(namespace, fmt.Sprintf("sync-%02d", i))
		complete(&sync.Spec)
		syncs = append(syncs, sync)
	}
	return syncs
}
