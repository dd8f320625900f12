package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"secretstore/api/secretsync/v1alpha1"
)

// follower knows SecretSyncs as they were last, by one watch. Nobody else reads it.
type follower struct {
	events watch.Interface
	latest map[client.ObjectKey]*v1alpha1.SecretSync
}

// follow begins to watch the SecretSyncs of a namespace, of all if it is empty. Those that exist come first.
func (l *lab) follow(ctx context.Context, namespace string) (*follower, error) {
	events, err := l.admin.Watch(ctx, &v1alpha1.SecretSyncList{}, client.InNamespace(namespace))
	if err != nil {
		return nil, fmt.Errorf("watching SecretSyncs: %w", err)
	}
	return &follower{events: events, latest: map[client.ObjectKey]*v1alpha1.SecretSync{}}, nil
}

// aliveEvery is how often the wait looks whether there is still somebody to wait for.
const aliveEvery = time.Second

// await reads events until n SecretSyncs are as wanted, and says when the first and the last of them came to be so. It gives
// up when ctx ends or alive says why it must.
func (f *follower) await(ctx context.Context, n int, alive func() error, wanted func(*v1alpha1.SecretSync) bool,
) (first, last time.Time, err error) {
	done := map[client.ObjectKey]bool{}
	tick := time.NewTicker(aliveEvery)
	defer tick.Stop()
	for len(done) < n {
		select {
		case event, open := <-f.events.ResultChan():
			sync, ok := event.Object.(*v1alpha1.SecretSync)
			if !open || !ok {
				return first, last, fmt.Errorf("the watch of SecretSyncs ended with %d of %d done: %v", len(done), n, event.Object)
			}
			key := client.ObjectKeyFromObject(sync)
			f.latest[key] = sync
			if !wanted(sync) {
				delete(done, key)
				continue
			}
			done[key], last = true, time.Now()
			if first.IsZero() {
				first = last
			}
		case <-tick.C:
			if err := alive(); err != nil {
				return first, last, err
			}
		case <-ctx.Done():
			return first, last, fmt.Errorf("%d of %d SecretSyncs are done: %w; %w", len(done), n, ctx.Err(), f.laggard(done))
		}
	}
	return first, last, nil
}

// laggard says what is the matter with one that is not done.
func (f *follower) laggard(done map[client.ObjectKey]bool) error {
	for key, sync := range f.latest {
		if !done[key] {
			return fmt.Errorf("%s has the conditions %+v", key, sync.Status.Conditions)
		}
	}
	return errors.New("the others were not seen")
}

// statuses copies the statuses as they are now, by name.
func (f *follower) statuses() map[string]v1alpha1.SecretSyncStatus {
	all := map[string]v1alpha1.SecretSyncStatus{}
	for key, sync := range f.latest {
		all[key.Name] = *sync.Status.DeepCopy()
	}
	return all
}

// created says whether the Secret was made, and the status tells so in full.
func created(s *v1alpha1.SecretSync) bool {
	return reason(s, v1alpha1.ConditionCreate) == v1alpha1.ReasonCreateSucceeded && unchanged(s)
}

// unchanged says whether the latest check found nothing to change.
func unchanged(s *v1alpha1.SecretSync) bool {
	return reason(s, v1alpha1.ConditionUpdate) == v1alpha1.ReasonUpdateNoValueChangeSucceeded
}

// checkedSince says whether a good check has followed that of an earlier status.
func checkedSince(earlier map[string]v1alpha1.SecretSyncStatus) func(*v1alpha1.SecretSync) bool {
	return func(s *v1alpha1.SecretSync) bool {
		return unchanged(s) && s.Status.LastCheckTime != nil && earlier[s.Name].LastCheckTime.Before(s.Status.LastCheckTime)
	}
}

func reason(s *v1alpha1.SecretSync, condition string) string {
	found := meta.FindStatusCondition(s.Status.Conditions, condition)
	if found == nil {
		return ""
	}
	return found.Reason
}
