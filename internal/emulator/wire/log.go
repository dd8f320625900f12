package wire

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"
)

// logSize is how many requests the log remembers; the oldest go first.
const logSize = 10_000

// Entry is one request in the log. It holds no value, token or body.
type Entry struct {
	Time      time.Time `json:"time"`
	Service   string    `json:"service"`
	Vault     string    `json:"vault,omitempty"`
	Operation string    `json:"operation"`
	Name      string    `json:"name,omitempty"`
	// Status is the HTTP status of the answer, 0 if there was none.
	Status int `json:"status"`
	// Code is the service's error code, such as "SecretNotFound" or "AADSTS700213"; empty if all went well.
	Code string `json:"code,omitempty"`
	// ClientID is the application that asked, where the request got as far as telling.
	ClientID string `json:"clientID,omitempty"`
	// Fault is the kind of the fault that the request met, if any.
	Fault string `json:"fault,omitempty"`
}

// Counter is how often one kind of request got one answer since the counters were reset.
type Counter struct {
	Service   string `json:"service"`
	Vault     string `json:"vault,omitempty"`
	Operation string `json:"operation"`
	Status    int    `json:"status"`
	Count     int    `json:"count"`
}

// Log remembers requests and counts them. It is safe for concurrent use; the zero value is not: see NewLog.
type Log struct {
	mu       sync.Mutex
	entries  []Entry
	counters map[Counter]int // the key's Count is 0
	changed  chan struct{}   // closed, and replaced, at each new entry
}

// NewLog makes an empty log.
func NewLog() *Log {
	return &Log{counters: map[Counter]int{}, changed: make(chan struct{})}
}

// Entries gives the last requests, the oldest first.
func (l *Log) Entries() []Entry {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.entries)
}

// Counters gives the counts, sorted by service, vault, operation and status.
func (l *Log) Counters() []Counter {
	l.mu.Lock()
	defer l.mu.Unlock()
	list := make([]Counter, 0, len(l.counters))
	for key, count := range l.counters {
		key.Count = count
		list = append(list, key)
	}
	slices.SortFunc(list, func(a, b Counter) int {
		return cmp.Or(cmp.Compare(a.Service, b.Service), cmp.Compare(a.Vault, b.Vault),
			cmp.Compare(a.Operation, b.Operation), cmp.Compare(a.Status, b.Status))
	})
	return list
}

// ResetCounters sets every count to nothing; the log of requests stays.
func (l *Log) ResetCounters() {
	l.mu.Lock()
	defer l.mu.Unlock()
	clear(l.counters)
}

// Await waits for a logged request, past or coming, that satisfies the condition. It ends with the context's error.
func (l *Log) Await(ctx context.Context, satisfies func(Entry) bool) (Entry, error) {
	for {
		l.mu.Lock()
		entries, changed := slices.Clone(l.entries), l.changed
		l.mu.Unlock()
		if i := slices.IndexFunc(entries, satisfies); i >= 0 {
			return entries[i], nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return Entry{}, ctx.Err()
		}
	}
}

func (l *Log) add(e Entry) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.entries) >= logSize {
		l.entries = slices.Delete(l.entries, 0, logSize/10) // a tenth at a time, or each request would move them all
	}
	l.entries = append(l.entries, e)
	l.counters[Counter{Service: e.Service, Vault: e.Vault, Operation: e.Operation, Status: e.Status}]++
	close(l.changed)
	l.changed = make(chan struct{})
}
