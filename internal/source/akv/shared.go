package akv

import (
	"context"
	"sync"
	"time"

	"k8s.io/utils/clock"
)

// shareFor is how long an answer serves others who ask the same.
const shareFor = 30 * time.Second

// shared lets all who ask the same within half a minute have one answer: those who come while it is being read wait for it. What
// is held is dropped when it is too old to be given, and not kept at all beyond the budget of bytes.
type shared[K comparable, V any] struct {
	clock  clock.WithDelayedExecution
	size   func(V) int
	budget *budget

	mu     sync.Mutex
	held   map[K]*flight[V]
	purged bool // a purge is planned
}

// flight is one reading and what it gave.
type flight[V any] struct {
	began time.Time
	done  chan struct{}
	value V
	// void says that the reading came to nothing that could be told to others.
	void bool
	size int
}

func newShared[K comparable, V any](c clock.WithDelayedExecution, b *budget, size func(V) int) *shared[K, V] {
	return &shared[K, V]{clock: c, budget: b, size: size, held: map[K]*flight[V]{}}
}

// get gives what is held for the key, if its reading began at notBefore or later, or reads it. read returns false if what it
// gave is for its own caller only. ours says that this call did the reading.
func (s *shared[K, V]) get(ctx context.Context, key K, notBefore time.Time, read func() (V, bool),
) (found *flight[V], ours bool, err error) {
	for {
		f, first := s.join(key, notBefore)
		if first {
			s.lead(key, f, read)
			return f, true, nil
		}
		select {
		case <-f.done:
			if !f.void {
				return f, false, nil
			}
		case <-ctx.Done():
			return nil, false, ctx.Err()
		}
	}
}

// join finds a flight that is young enough, or begins one.
func (s *shared[K, V]) join(key K, notBefore time.Time) (f *flight[V], first bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if f, ok := s.young(key, notBefore); ok {
		return f, false
	}
	s.remove(key)
	f = &flight[V]{began: s.clock.Now(), done: make(chan struct{})}
	s.held[key] = f
	if !s.purged {
		s.purged = true
		s.clock.AfterFunc(shareFor+time.Second, s.purge)
	}
	return f, true
}

// lead does the reading and tells the others.
func (s *shared[K, V]) lead(key K, f *flight[V], read func() (V, bool)) {
	value, ok := read()
	s.mu.Lock()
	defer s.mu.Unlock()
	f.value, f.void = value, !ok
	mine := s.held[key] == f
	switch size := s.size(value); {
	case mine && ok && s.budget.take(size):
		f.size = size
	case mine:
		delete(s.held, key)
	}
	close(f.done)
}

// has says whether an answer is held, or being read, that began at notBefore or later.
func (s *shared[K, V]) has(key K, notBefore time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, ok := s.young(key, notBefore)
	return ok
}

func (s *shared[K, V]) young(key K, notBefore time.Time) (*flight[V], bool) {
	f, ok := s.held[key]
	return f, ok && !f.began.Before(notBefore) && s.clock.Now().Sub(f.began) <= shareFor
}

// purge drops what is too old, and comes back while anything is held.
func (s *shared[K, V]) purge() {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.clock.Now()
	for key, f := range s.held {
		if now.Sub(f.began) > shareFor {
			s.remove(key)
		}
	}
	if s.purged = len(s.held) > 0; s.purged {
		s.clock.AfterFunc(shareFor+time.Second, s.purge)
	}
}

func (s *shared[K, V]) remove(key K) {
	if f, ok := s.held[key]; ok {
		s.budget.give(f.size)
		delete(s.held, key)
	}
}

// drop drops all.
func (s *shared[K, V]) drop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for key := range s.held {
		s.remove(key)
	}
}

// budget bounds how many bytes of answers are held over all vaults.
type budget struct {
	mu   sync.Mutex
	left int
}

func (b *budget) take(n int) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if n > b.left {
		return false
	}
	b.left -= n
	return true
}

func (b *budget) give(n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.left += n
}
