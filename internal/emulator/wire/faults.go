package wire

import (
	"slices"
	"strings"
	"sync"
	"time"
)

// faults is the behaviour at work: what is set, and what has come of it so far.
type faults struct {
	mu      sync.Mutex
	set     []Fault // Next counts down; one that is spent is removed
	limits  []Limit
	windows map[string][]time.Time // by vault: when the calls came that count now
	changed chan struct{}          // closed, and replaced, when the behaviour is set anew
}

func newFaults() *faults {
	return &faults{windows: map[string][]time.Time{}, changed: make(chan struct{})}
}

func (f *faults) replace(b Behaviour) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.set, f.limits = slices.Clone(b.Faults), slices.Clone(b.Limits)
	clear(f.windows)
	close(f.changed)
	f.changed = make(chan struct{})
}

func (f *faults) current() Behaviour {
	f.mu.Lock()
	defer f.mu.Unlock()
	return Behaviour{Faults: append([]Fault{}, f.set...), Limits: append([]Limit{}, f.limits...)}
}

// unreachable says whether connections to a service end in the handshake.
func (f *faults) unreachable(service, vault string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.ContainsFunc(f.set, func(fault Fault) bool {
		return fault.Kind == KindUnreachable && fault.concerns(service, vault)
	})
}

// next gives the delay and the fault that a call meets, the kind empty for none, and a channel that tells when the behaviour
// is set anew.
func (f *faults) next(call Call, urlPath string) (delay time.Duration, met Fault, changed <-chan struct{}) {
	f.mu.Lock()
	defer f.mu.Unlock()
	spent := func(fault Fault) bool { return fault.Next < 0 }
	for i := range f.set {
		fault := &f.set[i]
		if !fault.matches(call, urlPath) || (fault.Kind != KindLatency && met.Kind != "") {
			continue
		}
		if fault.Kind == KindLatency {
			delay += time.Duration(fault.LatencyMilliseconds) * time.Millisecond
		} else {
			met = *fault
		}
		if fault.Next == 1 {
			fault.Next = -1 // 0 would mean for ever
		} else if fault.Next > 1 {
			fault.Next--
		}
	}
	f.set = slices.DeleteFunc(f.set, spent)
	return delay, met, f.changed
}

// admit counts a call against its vault's limit. It gives the limit that refuses the call, or nil.
func (f *faults) admit(call Call, now time.Time) *Limit {
	if !call.Limited {
		return nil
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	limit := f.limit(call.Vault)
	since := now.Add(-time.Duration(limit.PerSeconds) * time.Second)
	calls := slices.DeleteFunc(f.windows[call.Vault], func(t time.Time) bool { return !t.After(since) })
	refused := len(calls) >= limit.Requests
	if !refused || !limit.IgnoreRefused {
		calls = append(calls, now)
	}
	f.windows[call.Vault] = calls
	if refused {
		return &limit
	}
	return nil
}

func (f *faults) limit(vault string) Limit {
	for _, limit := range f.limits {
		if limit.Vault == "" || strings.EqualFold(limit.Vault, vault) {
			return limit
		}
	}
	const requests, seconds = 4000, 10 // learn.microsoft.com, key-vault/general/service-limits: secrets GET, and lists
	return Limit{Requests: requests, PerSeconds: seconds}
}
