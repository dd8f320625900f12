package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"secretstore/api/secretsync/v1alpha1"
)

// follower knows SecretSyncs as they were last, by one watch. Nobody else reads it. The watch's events are put down as they come,
// and are only understood when none has come for a while: that takes as long as half of the controller's work, on the processors
// that it works on.
type follower struct {
	arrivals <-chan arrival
	// unread are the events that are not understood yet, in their order.
	unread []arrival
	latest map[client.ObjectKey]*v1alpha1.SecretSync
	// done are those that are as wanted; first and last say when the first and the last of them came to be so.
	done        map[client.ObjectKey]bool
	first, last time.Time
}

// arrival is an event of a watch as it came, or why no more comes.
type arrival struct {
	at   time.Time
	text []byte
	err  error
}

// follow begins to watch the SecretSyncs of a namespace, of all if it is empty. Those that exist come first.
func (l *lab) follow(ctx context.Context, namespace string) (*follower, error) {
	path := []string{"apis", v1alpha1.GroupVersion().Group, v1alpha1.GroupVersion().Version}
	if namespace != "" {
		path = append(path, "namespaces", namespace)
	}
	stream, err := l.server.Get().AbsPath(append(path, "secretsyncs")...).Param("watch", "true").Stream(ctx)
	if err != nil {
		return nil, fmt.Errorf("watching SecretSyncs: %w", err)
	}
	// There is room for what comes while nobody waits, between two phases.
	arrivals := make(chan arrival, arrivalsWaiting)
	go putDown(ctx, stream, arrivals)
	return &follower{arrivals: arrivals, latest: map[client.ObjectKey]*v1alpha1.SecretSync{}}, nil
}

// putDown reads a watch, an event in each line, until it ends or ctx does.
func putDown(ctx context.Context, stream io.ReadCloser, arrivals chan<- arrival) {
	defer func() { _ = stream.Close() }()
	lines := bufio.NewReader(stream)
	for {
		text, err := lines.ReadBytes('\n')
		select {
		case arrivals <- arrival{at: time.Now(), text: text, err: err}:
		case <-ctx.Done():
			return
		}
		if err != nil {
			return
		}
	}
}

const (
	// arrivalsWaiting is more than come while others are understood.
	arrivalsWaiting = 1 << 16
	// stillFor is for how long no event must have come before those that came are understood.
	stillFor = 300 * time.Millisecond
	// unreadFor is how long an event waits at most for that.
	unreadFor = 10 * time.Second
)

// await reads events until n SecretSyncs are as wanted, and says when the first and the last of them came to be so. It gives
// up when ctx ends or alive says why it must.
func (f *follower) await(ctx context.Context, n int, alive func() error, wanted func(*v1alpha1.SecretSync) bool,
) (first, last time.Time, err error) {
	f.done, f.first = map[client.ObjectKey]bool{}, time.Time{}
	tick := time.NewTicker(stillFor)
	defer tick.Stop()
	for still := false; len(f.done) < n; {
		select {
		case came := <-f.arrivals:
			f.unread, still = append(f.unread, came), false
		case <-tick.C:
			if still || (len(f.unread) > 0 && time.Since(f.unread[0].at) > unreadFor) {
				err = f.understand(wanted)
			}
			if err = errors.Join(err, alive()); err != nil {
				return f.first, f.last, err
			}
			still = true
		case <-ctx.Done():
			err := errors.Join(ctx.Err(), f.understand(wanted), f.laggard())
			return f.first, f.last, fmt.Errorf("%d of %d SecretSyncs are done: %w", len(f.done), n, err)
		}
	}
	return f.first, f.last, nil
}

// understand reads the events that were put down.
func (f *follower) understand(wanted func(*v1alpha1.SecretSync) bool) error {
	for _, came := range f.unread {
		if came.err != nil {
			return fmt.Errorf("the watch of SecretSyncs ended: %w", came.err)
		}
		var event struct {
			Type   watch.EventType     `json:"type"`
			Object v1alpha1.SecretSync `json:"object"`
		}
		if err := json.Unmarshal(came.text, &event); err != nil || event.Type == watch.Error {
			return fmt.Errorf("the watch of SecretSyncs says %s", came.text)
		}
		sync := &event.Object
		key := client.ObjectKeyFromObject(sync)
		f.latest[key] = sync
		if !wanted(sync) {
			delete(f.done, key)
			continue
		}
		if f.done[key] {
			continue
		}
		f.done[key], f.last = true, came.at
		if f.first.IsZero() {
			f.first = came.at
		}
	}
	f.unread = nil
	return nil
}

// laggard says what is the matter with one that is not done.
func (f *follower) laggard() error {
	for key, sync := range f.latest {
		if !f.done[key] {
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
