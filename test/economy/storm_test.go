package economy

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/clock"

	"secretstore/api/secretsync/v1alpha1"
	"secretstore/internal/azure/entra"
	"secretstore/internal/azure/pace"
	"secretstore/internal/controller/outcome"
	"secretstore/internal/fault"
)

// These tests run hours and days in bubbles where time costs nothing. What decides is the product's: the pace of a host and the
// schedule of checks; the vault is a counter with Key Vault's limit, and each SecretSync a goroutine that does what a
// reconciler does with the two.

// limited is a vault that answers 20 ms later, and at most 4,000 requests within 10 seconds, those that it refuses included.
type limited struct {
	mu      sync.Mutex
	asked   []time.Time
	refused int
	// away says that the vault does not answer now; forced that it throttles until a time.
	away       bool
	forced     time.Time
	retryAfter int
}

const (
	limit  = 4000
	within = 10 * time.Second
)

func (v *limited) Do(request *http.Request) (*http.Response, error) {
	timer := time.NewTimer(20 * time.Millisecond)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-request.Context().Done():
		return nil, request.Context().Err()
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	now := time.Now()
	v.asked = append(v.asked, now)
	if v.away {
		return nil, errors.New("away")
	}
	first, _ := slices.BinarySearchFunc(v.asked, now.Add(-within), func(t, since time.Time) int { return t.Compare(since) })
	response := &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: http.NoBody}
	if now.Before(v.forced) || len(v.asked)-first > limit {
		v.refused++
		response.StatusCode = http.StatusTooManyRequests
		if v.retryAfter > 0 {
			response.Header.Set("Retry-After", strconv.Itoa(v.retryAfter))
		}
	}
	return response, nil
}

// cluster is a controller as far as its vault is concerned.
type cluster struct {
	host     *pace.Host
	vault    pace.RoundTripper
	schedule outcome.Schedule
}

func newCluster(v *limited, schedule outcome.Schedule, random *rand.Rand) *cluster {
	var mu sync.Mutex
	host := pace.New(pace.Options{
		RequestsPerSecond: 100, AtOnce: 12, Clock: clock.RealClock{}, RetryAfter: entra.RetryAfter,
		Chance: func() float64 {
			mu.Lock()
			defer mu.Unlock()
			return random.Float64()
		},
		Paused: func(time.Time, pace.RefusedError) {},
	})
	return &cluster{host: host, vault: host.Transport(v), schedule: schedule}
}

// read asks for one object, and waits for its turn as a SecretSync in the queue does.
func (c *cluster) read(ctx context.Context, who string) *fault.Error {
	for {
		woken := make(chan struct{}, 1)
		leave, err := c.host.Enter(who, func() { woken <- struct{}{} })
		if err == nil {
			err = c.ask(ctx)
			leave()
		}
		var refused *pace.RefusedError
		switch {
		case err == nil:
			return nil
		case errors.As(err, &refused) && refused.Busy:
			select {
			case <-woken:
			case <-time.After(10 * time.Second):
			}
		case errors.As(err, &refused):
			return &fault.Error{Kind: fault.Throttled, RetryAfter: refused.Wait, Unsent: true}
		default:
			return fault.New(fault.Unreachable, "away")
		}
	}
}

func (c *cluster) ask(ctx context.Context) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://vault", http.NoBody)
	if err != nil {
		return err
	}
	response, err := c.vault.Do(request)
	if err != nil {
		return err
	}
	_ = response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("HTTP %d", response.StatusCode)
	}
	return nil
}

// keep checks an object until the context ends, and tells of each check: when it came, and how it went.
func (c *cluster) keep(ctx context.Context, uid string, status v1alpha1.SecretSyncStatus, told func(at time.Time, f *fault.Error)) {
	for ctx.Err() == nil {
		f := c.read(ctx, uid)
		now := time.Now()
		told(now, f)
		var wait time.Duration
		if f != nil && f.Unsent && len(status.Conditions) > 0 {
			wait = c.schedule.Again(uid, f.RetryAfter, now)
		} else {
			status, _ = outcome.Of(status, outcome.Result{Time: now, Secret: outcome.SecretComplete, Fault: f})
			wait = c.schedule.Next(status, uid, now).Sub(now)
			if retry, away := c.schedule.Outage(uid, f, now); away {
				wait = min(wait, retry)
			}
			if f != nil && f.RetryAfter > 0 {
				wait = max(wait, c.schedule.Again(uid, f.RetryAfter, now))
			}
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
		}
	}
}

// TestThrottledCreation makes 1,000 objects while the vault throttles: nothing is asked before the time that it names, and all is read
// with hardly a request more than there are objects.
func TestThrottledCreation(t *testing.T) {
	for name, retryAfter := range map[string]int{"RetryAfter": 10, "Without": 0} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				const n = 1000
				began := time.Now()
				v := &limited{forced: began.Add(10 * time.Second), retryAfter: retryAfter}
				c := newCluster(v, outcome.Schedule{Interval: time.Hour}, rand.New(rand.NewPCG(1, 2)))
				ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
				defer cancel()
				var good sync.Map
				var group sync.WaitGroup
				for i := range n {
					group.Go(func() {
						c.keep(ctx, fmt.Sprint("uid-", i), v1alpha1.SecretSyncStatus{}, func(_ time.Time, f *fault.Error) {
							if f == nil {
								good.Store(i, true)
							}
						})
					})
				}
				group.Wait()
				synced := 0
				good.Range(func(any, any) bool { synced++; return true })
				if asked := len(v.asked); synced != n || asked > n*11/10 {
					t.Errorf("%d of %d are synced, after %d requests", synced, n, asked)
				}
				if retryAfter > 0 && v.refused > 1 {
					t.Errorf("%d requests were made before the vault was ready", v.refused)
				}
			})
		})
	}
}

// TestTenClustersRestart has ten controllers with 1,000 objects each on one vault. They were away for long, so that all is due when
// they start, in the same second.
func TestTenClustersRestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const clusters, objects = 10, 1000
		began := time.Now()
		long := metav1.NewTime(began.Add(-5 * time.Hour))
		status := v1alpha1.SecretSyncStatus{LastCheckTime: &long}
		v := &limited{}
		ctx, cancel := context.WithTimeout(t.Context(), 15*time.Minute)
		defer cancel()
		var group sync.WaitGroup
		for k := range clusters {
			c := newCluster(v, outcome.Schedule{Interval: time.Hour, Since: began}, rand.New(rand.NewPCG(uint64(k), 0)))
			for i := range objects {
				uid := fmt.Sprintf("uid-%d-%d", k, i)
				group.Go(func() {
					select {
					case <-time.After(c.schedule.Next(status, uid, began).Sub(began)):
						c.keep(ctx, uid, status, func(time.Time, *fault.Error) {})
					case <-ctx.Done():
					}
				})
			}
		}
		group.Wait()
		if asked := len(v.asked); asked < clusters*objects || v.refused*100 > asked {
			t.Errorf("%d requests, %d of them refused: want under 1 %%", asked, v.refused)
		}
	})
}

// TestADay has 500 objects, three outages and an hour of throttling in a day. The budget is never exceeded, and each object is
// asked for within interval, jitter and outage.
func TestADay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const n = 500
		v := &limited{}
		began := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), 24*time.Hour)
		defer cancel()
		schedule := outcome.Schedule{Interval: time.Hour, Jitter: 5 * time.Minute, Since: began}
		c := newCluster(v, schedule, rand.New(rand.NewPCG(7, 7)))
		outages := map[time.Duration]time.Duration{3 * time.Hour: time.Minute, 8 * time.Hour: 2 * time.Hour, 20 * time.Hour: 20 * time.Minute}
		var group sync.WaitGroup
		for at, lasts := range outages {
			group.Go(func() {
				<-time.After(at)
				v.set(func() { v.away = true })
				<-time.After(lasts)
				v.set(func() { v.away = false })
			})
		}
		group.Go(func() {
			<-time.After(15 * time.Hour)
			v.set(func() { v.forced = time.Now().Add(time.Hour) })
		})
		const longest = 2 * time.Hour
		for i := range n {
			group.Go(func() {
				last := began
				c.keep(ctx, fmt.Sprint("uid-", i), v1alpha1.SecretSyncStatus{}, func(at time.Time, f *fault.Error) {
					if f != nil {
						return
					}
					// After an outage all come back within the longest pause and its scatter.
					if gap := at.Sub(last); gap > schedule.Interval+2*schedule.Jitter+longest+2*time.Minute {
						t.Errorf("object %d was read %v after the last time", i, gap)
					}
					last = at
				})
				if since := began.Add(24 * time.Hour).Sub(last); since > schedule.Interval+2*schedule.Jitter {
					t.Errorf("object %d was last read %v before the end of the day", i, since)
				}
			})
		}
		group.Wait()
		for i := range len(v.asked) - 101 {
			if in := v.asked[i+101].Sub(v.asked[i]); in < time.Second {
				t.Fatalf("102 requests within %v, with a budget of 100 a second", in)
			}
		}
		t.Logf("%d requests in a day for %d objects, %d refused", len(v.asked), n, v.refused)
	})
}

func (v *limited) set(change func()) {
	v.mu.Lock()
	defer v.mu.Unlock()
	change()
}
