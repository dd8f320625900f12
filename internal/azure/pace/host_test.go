package pace_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"k8s.io/utils/clock"

	"secretstore/internal/azure/pace"
)

// server answers after 20 ms as its script says, and remembers when it was asked.
type server struct {
	mu     sync.Mutex
	asked  []time.Time
	answer func(n int) (status int, retryAfter int, err error) // of the n-th request
}

func (s *server) Do(request *http.Request) (*http.Response, error) {
	s.mu.Lock()
	n := len(s.asked)
	s.asked = append(s.asked, time.Now())
	s.mu.Unlock()
	timer := time.NewTimer(20 * time.Millisecond)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-request.Context().Done():
		return nil, request.Context().Err()
	}
	status, retryAfter, err := s.answer(n)
	if err != nil {
		return nil, err
	}
	response := &http.Response{StatusCode: status, Header: http.Header{}, Body: http.NoBody}
	if retryAfter > 0 {
		response.Header.Set("Retry-After", strconv.Itoa(retryAfter))
	}
	return response, nil
}

func newHost(rate float64, atOnce int, paused func(time.Time, pace.RefusedError)) *pace.Host {
	return pace.New(pace.Options{
		RequestsPerSecond: rate, AtOnce: atOnce, Clock: clock.RealClock{}, Chance: func() float64 { return 0 },
		RetryAfter: func(r *http.Response) time.Duration {
			seconds, _ := strconv.Atoi(r.Header.Get("Retry-After"))
			return time.Duration(seconds) * time.Second
		},
		Paused: paused,
	})
}

func quiet(time.Time, pace.RefusedError) {}

func ask(ctx context.Context, h pace.RoundTripper) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://host", http.NoBody)
	if err != nil {
		return err
	}
	response, err := h.Do(request)
	if err == nil {
		_ = response.Body.Close()
	}
	return err
}

func well(int) (int, int, error) { return http.StatusOK, 0, nil }

// TestBudget has many ask at once, in a bubble where time costs nothing.
//
//covers:field setting.vaultRequestsPerSecond
func TestBudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &server{answer: well}
		h := newHost(50, 8, quiet).Transport(s)
		if err := ask(t.Context(), h); err != nil {
			t.Fatal(err)
		}
		var group sync.WaitGroup
		for range 200 {
			group.Go(func() {
				if err := ask(t.Context(), h); err != nil {
					t.Error(err)
				}
			})
		}
		group.Wait()
		for i := range len(s.asked) - 51 {
			if within := s.asked[i+51].Sub(s.asked[i]); within < time.Second {
				t.Fatalf("52 requests within %v, with a budget of 50 a second", within)
			}
		}
		if took := s.asked[200].Sub(s.asked[1]); took > 4200*time.Millisecond {
			t.Errorf("200 requests took %v: the budget is not used", took)
		}
	})
}

// TestNothingIsAskedInAPause throttles while many wait for their turn.
func TestNothingIsAskedInAPause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var pauses []string
		s := &server{answer: func(n int) (int, int, error) {
			if n == 5 {
				return http.StatusTooManyRequests, 10, nil
			}
			return http.StatusOK, 0, nil
		}}
		h := newHost(100, 8, func(until time.Time, why pace.RefusedError) {
			pauses = append(pauses, fmt.Sprint(time.Until(until), why.Throttled, why.Status))
		}).Transport(s)
		if err := ask(t.Context(), h); err != nil {
			t.Fatal(err)
		}
		refused := make(chan *pace.RefusedError, 100)
		var group sync.WaitGroup
		for range 100 {
			group.Go(func() {
				var why *pace.RefusedError
				if err := ask(t.Context(), h); errors.As(err, &why) {
					refused <- why
				}
			})
		}
		group.Wait()
		close(refused)
		for why := range refused {
			if !why.Throttled || why.Status != http.StatusTooManyRequests || why.Wait <= 0 || why.Wait > 10*time.Second {
				t.Fatalf("a request in a pause: %+v", why)
			}
		}
		asked := len(s.asked)
		if asked > 10 {
			t.Errorf("%d requests left though the sixth was throttled", asked)
		}
		if !slices.Equal(pauses, []string{"10s true 429"}) {
			t.Errorf("told of pauses %q", pauses)
		}
		<-time.After(11 * time.Second)
		if err := ask(t.Context(), h); err != nil || len(s.asked) != asked+1 {
			t.Errorf("after the pause: %v, %d requests", err, len(s.asked)-asked)
		}
	})
}

func TestAwayIsFoundOutByOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		away := errors.New("away")
		s := &server{answer: func(int) (int, int, error) { return 0, 0, away }}
		host := newHost(100, 8, quiet)
		h := host.Transport(s)
		for range 10 {
			_ = ask(t.Context(), h)
		}
		var why *pace.RefusedError
		if err := ask(t.Context(), h); !errors.As(err, &why) || !errors.Is(err, away) || len(s.asked) != 1 {
			t.Errorf("%d requests to a host that is away, and then %v", len(s.asked), err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		<-time.After(2 * time.Second)
		go cancel()
		_ = ask(ctx, h) // given up by its caller: nothing is learnt
		s.answer = well
		if err := ask(t.Context(), h); err != nil {
			t.Errorf("after a probe that was given up: %v", err)
		}
	})
}

func TestEnter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &server{answer: well}
		host := newHost(1000, 2, quiet)
		var woken []int
		enter := func(n int) (func(), error) {
			return host.Enter(strconv.Itoa(n), func() { woken = append(woken, n) })
		}
		leave, err := enter(0)
		if err != nil {
			t.Fatal(err)
		}
		var busy *pace.RefusedError
		for n := range 4 {
			if _, err := enter(n + 1); !errors.As(err, &busy) || !busy.Busy {
				t.Fatalf("beside the first, of a host that has not answered yet: %v", err)
			}
		}
		if err := ask(t.Context(), host.Transport(s)); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(woken, []int{1}) {
			t.Fatalf("the answer makes room for one more, and wakes %v", woken)
		}
		second, err := enter(1)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := enter(5); !errors.As(err, &busy) {
			t.Fatalf("a third of two: %v", err)
		}
		leave()
		leave() // twice is once
		second()
		if !slices.Equal(woken, []int{1, 2, 3}) {
			t.Errorf("two that leave wake %v, in the order of their coming", woken)
		}
		if _, err := enter(2); err != nil {
			t.Error(err)
		}
	})
}

// TestComingTwiceCostsNobodyATurn has some come again while they wait, as SecretSyncs do to whose class or account something
// happens. All are served without a wait for anything but the host.
func TestComingTwiceCostsNobodyATurn(t *testing.T) {
	const callers, atOnce = 100, 4
	for name, tc := range map[string]struct {
		reason string
		first  int                           // how many come at first; the others come after the first turn
		again  func(turn int) (from, to int) // who comes by itself when one has left
	}{
		"Waiting": {"they keep their places in line", callers / 2, func(turn int) (int, int) {
			if turn == 0 {
				return 0, callers
			}
			return 0, 0
		}},
		"Served": {"they leave their places when their turn comes otherwise", callers, func(turn int) (int, int) {
			if turn < callers/2 {
				return callers - 1 - turn, callers - turn
			}
			return 0, 0
		}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				host := newHost(1000, atOnce, quiet)
				if err := ask(t.Context(), host.Transport(&server{answer: well})); err != nil {
					t.Fatal(err)
				}
				q := visitors{host: host, served: map[int]bool{}}
				q.come(0, tc.first)
				for turn := 0; len(q.leaves) > 0; turn++ {
					leave := q.leaves[0]
					q.leaves = q.leaves[1:]
					leave()
					q.come(tc.again(turn))
					q.comeWoken()
				}
				if len(q.served) != callers {
					t.Errorf("%s: %d of %d were served, and nobody is inside", tc.reason, len(q.served), callers)
				}
			})
		})
	}
}

// visitors come to a host, once in the end.
type visitors struct {
	host   *pace.Host
	served map[int]bool
	leaves []func() // of those inside
	woken  []int
}

// come lets those from a number on, up to another, come.
func (v *visitors) come(from, to int) {
	for n := from; n < to; n++ {
		if v.served[n] {
			continue
		}
		if leave, err := v.host.Enter(strconv.Itoa(n), func() { v.woken = append(v.woken, n) }); err == nil {
			v.served[n], v.leaves = true, append(v.leaves, leave)
		}
	}
}

func (v *visitors) comeWoken() {
	woken := v.woken
	v.woken = nil
	for _, n := range woken {
		v.come(n, n+1)
	}
}

// TestEnterInAPause: those who wait learn of it one after the other.
func TestEnterInAPause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &server{answer: func(int) (int, int, error) { return http.StatusServiceUnavailable, 0, nil }}
		host := newHost(1000, 2, quiet)
		leave, err := host.Enter("first", func() {})
		if err != nil {
			t.Fatal(err)
		}
		woken := 0
		for _, who := range []string{"a", "b", "c"} {
			_, _ = host.Enter(who, func() { woken++ })
		}
		if err := ask(t.Context(), host.Transport(s)); err != nil {
			t.Fatal(err)
		}
		leave()
		var why *pace.RefusedError
		for i := range 3 {
			if woken != i+1 {
				t.Fatalf("after %d were told, %d are woken", i, woken)
			}
			if _, err := host.Enter("first", func() {}); !errors.As(err, &why) || why.Status != http.StatusServiceUnavailable || why.Throttled {
				t.Fatalf("in a pause: %v", err)
			}
		}
	})
}

// TestWhoLearnsOfAPauseByItselfIsNotToldAgain: it is the next one's turn.
func TestWhoLearnsOfAPauseByItselfIsNotToldAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &server{answer: func(int) (int, int, error) { return http.StatusServiceUnavailable, 0, nil }}
		host := newHost(1000, 1, quiet)
		var woken []string
		enter := func(who string) (func(), error) { return host.Enter(who, func() { woken = append(woken, who) }) }
		if _, err := enter("first"); err != nil {
			t.Fatal(err)
		}
		for _, who := range []string{"a", "b"} {
			_, _ = enter(who)
		}
		if err := ask(t.Context(), host.Transport(s)); err != nil {
			t.Fatal(err)
		}
		if _, err := enter("a"); err == nil {
			t.Fatal("there is no pause")
		}
		if !slices.Equal(woken, []string{"b"}) {
			t.Errorf("%q are told", woken)
		}
	})
}
