package main

import (
	"context"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/runtime"
	typedeventsv1 "k8s.io/client-go/kubernetes/typed/events/v1"
	"k8s.io/client-go/tools/events"
	"k8s.io/client-go/tools/reference"
	"k8s.io/client-go/util/flowcontrol"
	ctrl "sigs.k8s.io/controller-runtime"
)

const (
	// eventsPerSecond is how fast events are told when there are many: slower than Secrets are written, which they must not hold up.
	// The first eventsAtOnce of a moment do not wait. Those that wait are told together once in eventsPause, as a program that
	// is woken for each takes three times as long for it.
	eventsPerSecond, eventsAtOnce, eventsPause = 20, 20, time.Second
	// eventsHeld is for how many pauses what waits is held back at first while more and more comes: the API server is busy with
	// the Secrets and statuses that it tells of. What lasts longer is told of meanwhile.
	eventsHeld = 10
	// eventsWaiting is how many may wait to be told; each takes about half a kilobyte.
	eventsWaiting = 20000
)

// pacedEvents tells events one after the other, when many SecretSyncs are made at once some time after they happened. It is an
// events.EventRecorder, and a Runnable of the manager.
type pacedEvents struct {
	next   events.EventRecorder
	scheme *runtime.Scheme
	limit  flowcontrol.RateLimiter
	queue  chan func()
	// held counts the pauses since nothing waited.
	held int
}

var _ events.EventRecorder = (*pacedEvents)(nil)

func newPacedEvents(next events.EventRecorder, scheme *runtime.Scheme) *pacedEvents {
	return &pacedEvents{
		next: next, scheme: scheme, limit: flowcontrol.NewTokenBucketRateLimiter(eventsPerSecond, eventsAtOnce),
		queue: make(chan func(), eventsWaiting),
	}
}

// Eventf implements events.EventRecorder. Of the object it keeps what names it.
func (p *pacedEvents) Eventf(regarding, related runtime.Object, kind, reason, action, note string, args ...any) {
	if about, err := reference.GetReference(p.scheme, regarding); err == nil {
		regarding = about
	}
	select {
	case p.queue <- func() { p.next.Eventf(regarding, related, kind, reason, action, note, args...) }:
	default:
		ctrl.Log.Info("an event is not told, as too many wait", "reason", reason, "waiting", len(p.queue))
	}
}

// Start implements manager.Runnable: it tells what waits until the context ends.
func (p *pacedEvents) Start(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return p.leave(ctx, 0)
		case tell := <-p.queue:
			if p.await(ctx) != nil {
				return p.leave(ctx, 1)
			}
			tell()
		}
	}
}

// leave says how many events are not told: those that wait, and those that were taken.
func (p *pacedEvents) leave(ctx context.Context, taken int) error {
	if n := taken + len(p.queue); n > 0 {
		ctrl.LoggerFrom(ctx).Info("events are not told, as the controller ends", "waiting", n)
	}
	return nil
}

// await returns when one more may be told, or with an error if the context ends before.
func (p *pacedEvents) await(ctx context.Context) error {
	if len(p.queue) == 0 {
		p.held = 0
	}
	if p.limit.TryAccept() {
		return nil
	}
	for growing := true; growing; {
		before := len(p.queue)
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(eventsPause):
		}
		p.held++
		growing = len(p.queue) > before && p.held < eventsHeld
	}
	return p.limit.Wait(ctx)
}

// eventSender sends events by client until ctx ends. Unlike the manager's own, it can be given a client that speaks protobuf, and
// sends to nothing else.
func eventSender(ctx context.Context, client typedeventsv1.EventsV1Interface, scheme *runtime.Scheme,
) (events.EventRecorder, error) {
	broadcaster := events.NewBroadcaster(&events.EventSinkImpl{Interface: client})
	if err := broadcaster.StartRecordingToSinkWithContext(ctx); err != nil {
		return nil, fmt.Errorf("starting to send events: %w", err)
	}
	context.AfterFunc(ctx, broadcaster.Shutdown)
	return broadcaster.NewRecorder(scheme, "secretstore-controller"), nil
}
