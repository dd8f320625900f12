package secretsync

import (
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"
)

// looksPerSecond bounds how often, over all SecretSyncs together, Secrets are looked at between checks.
const looksPerSecond = 20

// Looks plans when each Secret is looked at between checks, to find what was edited or deleted by hand. However many there
// are, they are planned at most 20 a second: with more, the time between two looks at the same Secret stretches. It is safe
// for concurrent use; the zero value is ready.
type Looks struct {
	mu   sync.Mutex
	next map[types.NamespacedName]time.Time
	last time.Time // the latest time that was given to anyone
}

// Next is when a Secret is to be looked at. One that was not planned yet, as after a start, gets the next free time.
func (l *Looks) Next(name types.NamespacedName, now time.Time) time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	if at, ok := l.next[name]; ok {
		return at
	}
	return l.plan(name, now)
}

// Plan plans the next look at a Secret, not before the given time, and returns it.
func (l *Looks) Plan(name types.NamespacedName, earliest time.Time) time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.plan(name, earliest)
}

func (l *Looks) plan(name types.NamespacedName, earliest time.Time) time.Time {
	if free := l.last.Add(time.Second / looksPerSecond); free.After(earliest) {
		earliest = free
	}
	if l.next == nil {
		l.next = map[types.NamespacedName]time.Time{}
	}
	l.last, l.next[name] = earliest, earliest
	return earliest
}

// Forget drops the plan for a SecretSync that is gone.
func (l *Looks) Forget(name types.NamespacedName) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.next, name)
}
