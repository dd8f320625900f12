package main

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-logr/logr"
	"github.com/go-logr/logr/funcr"
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
	synctest.Test(t, func(t *testing.T) {
		const n = eventsAtOnce + 5
		_, told, end := pacing(t, n)
		began := time.Now()
		for i := range n {
			if got, want := <-told.Events, fmt.Sprintf("Normal Reason event %d", i); got != want {
				t.Fatalf("told %q, want %q", got, want)
			}
			if took := time.Since(began); (i < eventsAtOnce && took != 0) || (i >= eventsAtOnce && took != eventsPause) {
				t.Errorf("event %d was told after %v", i, took)
			}
		}
		end()
	})
}

// TestEventsWaitWhileMoreCome makes SecretSyncs without a pause for a while: after the first events none is told before that is
// over, but what goes on for longer than ten seconds is told of meanwhile, and all are told in the end.
func TestEventsWaitWhileMoreCome(t *testing.T) {
	t.Parallel()
	const every = 10 * time.Millisecond // five times what is told
	for name, tc := range map[string]struct {
		reason string
		lasts  time.Duration
		within int // how many are told while more come
	}{
		"Short":  {"the rest waits until it is over", 5 * time.Second, eventsAtOnce},
		"Long":   {"after ten seconds some are told each second", 20 * time.Second, eventsAtOnce + 10*eventsPerSecond},
		"Outage": {"however long it lasts", 100 * time.Second, eventsAtOnce + 90*eventsPerSecond},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				p, told, end := pacing(t, 0)
				// more lets more come, and says how many are told meanwhile.
				more := func(lasts time.Duration) int {
					before := len(told.Events)
					for range int(lasts / every) {
						p.Eventf(&v1alpha1.SecretSync{}, nil, "Normal", "Reason", "Sync", "note")
						<-time.After(every)
					}
					return len(told.Events) - before
				}
				// A second more or less: whether the last ones are told at the end is not what counts.
				if got := more(tc.lasts); got < tc.within-eventsPerSecond || got > tc.within+eventsPerSecond {
					t.Errorf("%s: %d events were told while more came, want %d", tc.reason, got, tc.within)
				}
				<-time.After(10 * time.Minute)
				if got, all := len(told.Events), int(tc.lasts/every); got != all {
					t.Errorf("%d of %d events were told in the end", got, all)
				}
				if got := more(5 * time.Second); got > eventsAtOnce+eventsPerSecond {
					t.Errorf("after a rest, %d events were told while more came", got)
				}
				end()
			})
		})
	}
}

// TestEventsThatAreNotToldAreCounted ends the controller while some wait, one of which is next.
func TestEventsThatAreNotToldAreCounted(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var said []string
		log := funcr.New(func(_, args string) { said = append(said, args) }, funcr.Options{})
		const waiting = 5
		p := newPacedEvents(events.NewFakeRecorder(eventsAtOnce), runtime.NewScheme())
		for range eventsAtOnce + waiting {
			p.Eventf(&v1alpha1.SecretSync{}, nil, "Normal", "Reason", "Sync", "note")
		}
		ctx, cancel := context.WithTimeout(logr.NewContext(t.Context(), log), eventsPause/2)
		defer cancel()
		if err := p.Start(ctx); err != nil {
			t.Error(err)
		}
		if len(said) != 1 || !strings.Contains(said[0], fmt.Sprintf(`"waiting"=%d`, waiting)) {
			t.Errorf("%d events are not told, and the log says %q", waiting, said)
		}
	})
}

// pacing begins to tell the first n events, and returns what ends it.
func pacing(t *testing.T, n int) (p *pacedEvents, told *events.FakeRecorder, end func()) {
	t.Helper()
	scheme := runtime.NewScheme()
	if err := v1alpha1.AddToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	told = events.NewFakeRecorder(eventsWaiting)
	p = newPacedEvents(told, scheme)
	for i := range n {
		p.Eventf(&v1alpha1.SecretSync{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "app", UID: "u"}}, nil,
			"Normal", "Reason", "Sync", "event %d", i)
	}
	if len(told.Events) != 0 {
		t.Error("an event was told before the manager started")
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- p.Start(ctx) }()
	return p, told, func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
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
