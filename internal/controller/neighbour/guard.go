package neighbour

import (
	"context"
	"fmt"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/events"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"secretstore/api/secretsync/v1alpha1"
)

// newcomerWait is how long an object without a status is left to another controller that is at work. The others write a status
// within seconds. It ends, so that one status, which a tenant may be able to write, does not hold up all others for good.
const newcomerWait = time.Minute

// Guard keeps one reconciler from what is another controller's. Its fields must be set; it is safe for concurrent use.
type Guard struct {
	Rule
	// Reader reads from a cache with the index that [Rule.AddIndex] makes.
	Reader client.Reader
	// Recorder sends events.
	Recorder events.EventRecorder
	// Clock tells the time.
	Clock clock.PassiveClock
	// Count is told how many objects are left alone whenever that changes.
	Count func(int)

	mu   sync.Mutex
	left map[types.NamespacedName]struct{}
}

// Leave says whether an object is to be left alone, and says so to people the first time. again, if not 0, is how long until
// it may be ours.
func (g *Guard) Leave(ctx context.Context, object client.Object, f Finding) (leave bool, again time.Duration, err error) {
	name := client.ObjectKeyFromObject(object)
	switch f.Whose {
	case Ours:
		g.Forget(name)
		return false, 0, nil
	case Nobodys:
		g.Forget(name)
		again, err := g.wait(ctx, object)
		return again > 0, again, err
	case Anothers:
		if g.note(name) {
			g.Recorder.Eventf(object, nil, corev1.EventTypeWarning, v1alpha1.ReasonLeftAlone, "Sync", "%s", g.message(f))
			ctrl.LoggerFrom(ctx).Info("left alone: another controller looks after it", "manager", f.Manager, "wrote", f.Time)
		}
	}
	return true, 0, nil
}

// wait is how long a new object is left to another controller that is at work; 0 if there is none.
func (g *Guard) wait(ctx context.Context, object client.Object) (time.Duration, error) {
	rest := object.GetCreationTimestamp().Add(newcomerWait).Sub(g.Clock.Now())
	if rest <= 0 {
		return 0, nil
	}
	var others v1alpha1.SecretSyncList
	if err := g.Reader.List(ctx, &others, client.MatchingFields{IndexName: anothers}, client.Limit(1)); err != nil {
		return 0, fmt.Errorf("looking for SecretSyncs of another controller: %w", err)
	}
	if len(others.Items) == 0 {
		return 0, nil
	}
	return rest, nil
}

// note remembers an object that is left alone, and says whether that is new.
func (g *Guard) note(name types.NamespacedName) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if _, known := g.left[name]; known {
		return false
	}
	if g.left == nil {
		g.left = map[types.NamespacedName]struct{}{}
	}
	g.left[name] = struct{}{}
	g.Count(len(g.left))
	return true
}

// Forget drops what is remembered of an object that is gone or ours.
func (g *Guard) Forget(name types.NamespacedName) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if _, known := g.left[name]; known {
		delete(g.left, name)
		g.Count(len(g.left))
	}
}
