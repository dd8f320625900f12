package pace

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"k8s.io/utils/clock"
)

// Options say how a host is to be asked. All are required.
type Options struct {
	// RequestsPerSecond is the budget.
	RequestsPerSecond float64
	// AtOnce is how many callers may be inside at the same time.
	AtOnce int
	// Clock tells the time and waits.
	Clock clock.Clock
	// Chance gives a number from 0 up to 1, another one each time.
	Chance func() float64
	// RetryAfter reads how long an answer asks to be left alone; 0 if it does not say.
	RetryAfter func(*http.Response) time.Duration
	// Paused is told of each pause that begins.
	Paused func(until time.Time, why RefusedError)
}

// RefusedError is why a request was not sent. It is an error.
type RefusedError struct {
	// Busy: others are asked first; the caller is told when to come again, or tries again soon.
	Busy bool
	// Throttled: the host has had too many requests.
	Throttled bool
	// Status is the HTTP status that began the pause; 0 if there was no answer.
	Status int
	// Err is why there was no answer.
	Err error
	// Wait is how long the pause goes on.
	Wait time.Duration
}

// Error implements error.
func (r *RefusedError) Error() string {
	switch {
	case r.Busy:
		return "the host is being asked by others"
	case r.Status != 0:
		return fmt.Sprintf("the host answered HTTP %d and is left alone for a while", r.Status)
	default:
		return "the host did not answer and is left alone for a while"
	}
}

// Unwrap gives the error of the connection to errors.As.
func (r *RefusedError) Unwrap() error { return r.Err }

// Host is one host. Make it with [New]; it is safe for concurrent use.
type Host struct {
	options Options

	mu     sync.Mutex
	state  state
	inside int
	line   []*caller
	inLine map[string]*caller
}

// caller waits for its turn. One that came to its turn by itself, or was told, is not in inLine any more.
type caller struct {
	who  string
	wake func()
}

// New makes a Host of which nothing is known yet.
func New(o Options) *Host {
	return &Host{options: o, state: state{rate: o.RequestsPerSecond}, inLine: map[string]*caller{}}
}

// Enter asks to become one of the callers of the host. If it may, it must call leave in the end. If there are too many already,
// the error is a [*RefusedError] that is Busy, and wake is called once when it is worth asking again; it must not block. who
// names the caller: one that comes again meanwhile keeps the place that it has in line. While the host is paused the error says
// why.
func (h *Host) Enter(who string, wake func()) (leave func(), err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	now := h.options.Clock.Now()
	if now.Before(h.state.until) {
		delete(h.inLine, who)
		h.wake(1) // the others are to learn it too, one after the other
		_, refused := h.state.admit(now)
		return nil, refused
	}
	if h.inside >= h.room(now) {
		h.wait(who, wake)
		return nil, &RefusedError{Busy: true}
	}
	delete(h.inLine, who)
	h.inside++
	return sync.OnceFunc(h.leave), nil
}

// wait puts a caller into the line. To be in it twice would cost the others a turn: who has been served meanwhile does not come
// when it is told, and so does not leave, which is when the next one is told. The same is true of one that has nothing to ask any
// more; those behind it come by themselves in the end.
func (h *Host) wait(who string, wake func()) {
	if c, ok := h.inLine[who]; ok {
		c.wake = wake
		return
	}
	c := &caller{who, wake}
	h.line, h.inLine[who] = append(h.line, c), c
}

// Retry says that somebody has changed something since: an outage that began before may be over, and is looked at again at once.
// A pause that the host asked for stays.
func (h *Host) Retry(since time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.state.retry(h.options.Clock.Now(), since)
}

// room is how many may be inside: one alone while it is not known whether the host answers.
func (h *Host) room(now time.Time) int {
	if h.state.proven(now) {
		return h.options.AtOnce
	}
	return 1
}

func (h *Host) leave() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.inside--
	h.wake(1)
}

// wake tells the first of those who wait to ask again.
func (h *Host) wake(n int) {
	for n > 0 && len(h.line) > 0 {
		first := h.line[0]
		h.line[0], h.line = nil, h.line[1:]
		if h.inLine[first.who] != first {
			continue // it was here meanwhile
		}
		delete(h.inLine, first.who)
		first.wake()
		n--
	}
	if len(h.line) == 0 {
		h.line = nil
	}
}

// RoundTripper is what sends a request; *http.Client has the method too.
type RoundTripper interface {
	// Do sends the request and gives the answer, as of http.Client.
	Do(request *http.Request) (*http.Response, error)
}

// Transport sends requests through next when the host may be asked. Its errors, where it sends nothing, are [*RefusedError].
func (h *Host) Transport(next RoundTripper) RoundTripper { return transport{h, next} }

type transport struct {
	host *Host
	next RoundTripper
}

// Do implements policy.Transporter of the Azure SDK.
func (t transport) Do(request *http.Request) (*http.Response, error) {
	leave, err := t.host.admit(request.Context())
	if err != nil {
		return nil, err
	}
	response, err := t.next.Do(request)
	t.host.report(request.Context(), leave, response, err)
	return response, err
}

// admit waits until a request may leave. A pause that began meanwhile holds for it as well.
func (h *Host) admit(ctx context.Context) (admission, error) {
	h.mu.Lock()
	leave, refused := h.state.admit(h.options.Clock.Now())
	h.mu.Unlock()
	if refused != nil {
		return admission{}, refused
	}
	if leave.wait <= 0 {
		return leave, nil
	}
	timer := h.options.Clock.NewTimer(leave.wait)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return admission{}, ctx.Err()
	case <-timer.C():
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if leave.era == h.state.era {
		return leave, nil
	}
	again, refused := h.state.admit(h.options.Clock.Now())
	if refused != nil {
		return admission{}, refused
	}
	return admission{era: again.era}, nil // its turn has come already
}

// report notes what came of a request.
func (h *Host) report(ctx context.Context, leave admission, response *http.Response, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	now := h.options.Clock.Now()
	switch {
	case err != nil && errors.Is(ctx.Err(), context.Canceled):
		h.state.dropped(leave.era)
	case err != nil:
		h.failed(now, leave, RefusedError{Err: err}, 0)
	case throttles(response.StatusCode):
		why := RefusedError{Throttled: response.StatusCode == http.StatusTooManyRequests, Status: response.StatusCode}
		h.failed(now, leave, why, h.options.RetryAfter(response))
	case h.state.answered(now, leave.era):
		h.wake(h.options.AtOnce - h.inside)
	}
}

func (h *Host) failed(now time.Time, leave admission, why RefusedError, retryAfter time.Duration) {
	if h.state.failed(now, leave.era, why, retryAfter, h.options.Chance()) {
		h.options.Paused(h.state.until, why)
	}
}
