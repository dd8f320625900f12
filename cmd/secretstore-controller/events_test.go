package main

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/tools/events"
	"k8s.io/client-go/util/flowcontrol"

	"secretstore/api/secretsync/v1alpha1"
)

// TestEventsAreToldInTheirOrder sends more than may be told at once: nobody waits for that, and all are told, the rest later and
// together.
func TestEventsAreToldInTheirOrder(t *testing.T) {
	t.Parallel()
	scheme := runtime.NewScheme()
	if err := v1alpha1.AddToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	const n = eventsAtOnce + 5
	told := events.NewFakeRecorder(n)
	p := newPacedEvents(told, scheme)
	sync := &v1alpha1.SecretSync{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "app", UID: "u"}}
	for i := range n {
		p.Eventf(sync, nil, "Normal", "Reason", "Sync", "event %d", i)
	}
	if len(told.Events) != 0 {
		t.Error("an event was told before the manager started")
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	began := time.Now()
	go func() { ended <- p.Start(ctx) }()
	for i := range n {
		if got, want := <-told.Events, fmt.Sprintf("Normal Reason event %d", i); got != want {
			t.Fatalf("told %q, want %q", got, want)
		}
		if took := time.Since(began); i == eventsAtOnce && took < eventsPause {
			t.Errorf("one of those that have to wait was told after %v", took)
		}
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// TestEventsWaitWhileMoreCome makes SecretSyncs without a pause for a while: after the first events none is told before that is
// over, but never longer than ten seconds, and all are told in the end.
func TestEventsWaitWhileMoreCome(t *testing.T) {
	t.Parallel()
	const every = 100 * time.Millisecond
	for name, tc := range map[string]struct {
		reason string
		lasts  time.Duration
		within int // how many are told while more come
	}{
		"Short": {"the rest waits until it is over", 4 * time.Second, eventsAtOnce},
		"Long":  {"what lasts is told of meanwhile", 15 * time.Second, 2 * eventsAtOnce},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				all := eventsAtOnce + int(tc.lasts/every)
				told := events.NewFakeRecorder(2 * all)
				p := newPacedEvents(told, runtime.NewScheme())
				ctx, cancel := context.WithCancel(t.Context())
				ended := make(chan error)
				go func() { ended <- p.Start(ctx) }()
				for i := range all {
					p.Eventf(&v1alpha1.SecretSync{}, nil, "Normal", "Reason", "Sync", "event %d", i)
					if i >= eventsAtOnce {
						<-time.After(every)
					}
				}
				if got := len(told.Events); got > tc.within || got < tc.within-1 {
					t.Errorf("%s: %d events were told while more came, want %d", tc.reason, got, tc.within)
				}
				<-time.After(time.Minute)
				if got := len(told.Events); got != all {
					t.Errorf("%d of %d events were told in the end", got, all)
				}
				cancel()
				if err := <-ended; err != nil {
					t.Error(err)
				}
			})
		})
	}
}

// TestTooManyEventsHoldNobodyUp fills the queue, with nobody to tell.
func TestTooManyEventsHoldNobodyUp(t *testing.T) {
	t.Parallel()
	p := &pacedEvents{
		next: events.NewFakeRecorder(0), scheme: runtime.NewScheme(), limit: flowcontrol.NewFakeAlwaysRateLimiter(), queue: make(chan func(), 2),
	}
	for range 3 {
		p.Eventf(&v1alpha1.SecretSync{}, nil, "Normal", "Reason", "Sync", "note")
	}
	if len(p.queue) != 2 {
		t.Errorf("%d events wait in a queue for two", len(p.queue))
	}
}
