package akv

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// TestGate makes calls that take a second each, in a bubble where time costs nothing.
func TestGate(t *testing.T) {
	const callers = 8
	refused := errors.New("refused")
	for name, tc := range map[string]struct {
		reason  string
		fails   int // how many of the first calls fail
		reasons int // after how many calls there is no reason to make one any more
		took    time.Duration
		called  int
	}{
		"Open":    {"the first call is alone, then all go on at once", 0, callers, 2 * time.Second, callers},
		"Failing": {"each that fails leaves the turn to one other", 2, callers, 4 * time.Second, callers},
		"Refused": {"those who waited ask whether there is still a reason", callers, 1, time.Second, 1},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g, began := newGate(), time.Now()
				var mu sync.Mutex
				called := 0
				call := func() error {
					mu.Lock()
					called++
					n := called
					mu.Unlock()
					<-time.After(time.Second)
					if n <= tc.fails {
						return refused
					}
					return nil
				}
				reason := func() error {
					mu.Lock()
					defer mu.Unlock()
					if called >= tc.reasons {
						return refused
					}
					return nil
				}
				var group sync.WaitGroup
				for range callers {
					group.Go(func() { _ = g.do(t.Context(), reason, call) })
				}
				group.Wait()
				if took := time.Since(began); took != tc.took || called != tc.called {
					t.Errorf("%s: %d calls in %v, want %d in %v", tc.reason, called, took, tc.called, tc.took)
				}
			})
		})
	}
}

func TestGateLetsGoOfThoseWhoGiveUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, none := newGate(), func() error { return nil }
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			_ = g.do(t.Context(), none, func() error { <-time.After(time.Minute); return nil })
		}()
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := g.do(ctx, none, none); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("a call whose context ends before its turn: %v", err)
		}
		<-ended
	})
}
