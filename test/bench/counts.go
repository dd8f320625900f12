package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// counts are numbers of requests so far.
type counts struct {
	// vault counts all requests to vaults, of which reads asked for a value and lists for names or versions.
	vault, reads, lists int
	// tokens counts exchanges of a token by Entra, entra what else it was asked.
	tokens, entra int
	server
}

// server counts requests to the API server.
type server struct {
	// writes are those to Secrets and to statuses of SecretSyncs, events those to events.
	writes, events int
	// looks are dry runs on Secrets, which write nothing.
	looks int
}

// minus is what was added since earlier.
func (c counts) minus(earlier counts) counts {
	return counts{
		vault: c.vault - earlier.vault, reads: c.reads - earlier.reads, lists: c.lists - earlier.lists,
		tokens: c.tokens - earlier.tokens, entra: c.entra - earlier.entra,
		server: server{
			writes: c.writes - earlier.writes, events: c.events - earlier.events, looks: c.looks - earlier.looks,
		},
	}
}

// counts asks the emulator and the API server.
func (l *lab) counts(ctx context.Context) (counts, error) {
	var answer struct {
		Counters []counter `json:"counters"`
	}
	if err := l.stack.Admin(ctx, http.MethodGet, "/admin/counters", "", &answer); err != nil {
		return counts{}, err
	}
	metrics, err := l.server.Get().AbsPath("/metrics").DoRaw(ctx)
	if err != nil {
		return counts{}, fmt.Errorf("reading the API server's metrics: %w", err)
	}
	all := sum(answer.Counters)
	all.server, err = serverCounts(string(metrics))
	return all, err
}

// settled counts again until nothing is added: an API server counts a request only after it has told the watchers what it did,
// and events are sent later than what they tell.
func (l *lab) settled(ctx context.Context, earlier counts) (counts, error) {
	const most = 20
	tick := time.NewTicker(settleEvery)
	defer tick.Stop()
	for range most {
		select {
		case <-ctx.Done():
			return counts{}, ctx.Err()
		case <-tick.C:
		}
		now, err := l.counts(ctx)
		if err != nil || now == earlier {
			return now, err
		}
		earlier = now
	}
	return earlier, nil
}

// settleEvery is long beside the time from an answer of the API server to its count.
const settleEvery = 100 * time.Millisecond

// counter is how often the emulator was asked one thing with one outcome.
type counter struct {
	Service   string `json:"service"`
	Operation string `json:"operation"`
	Count     int    `json:"count"`
}

func sum(counters []counter) counts {
	var c counts
	for _, one := range counters {
		switch {
		case one.Operation == "entra.token":
			c.tokens += one.Count
		case one.Service == "entra":
			c.entra += one.Count
		default:
			c.vault += one.Count
		}
		switch one.Operation {
		case "secrets.get":
			c.reads += one.Count
		case "secrets.list", "secrets.versions":
			c.lists += one.Count
		}
	}
	return c
}

// serverCounts adds up the API server's own count of requests, in Prometheus' text format. Requests count whatever was answered.
func serverCounts(metrics string) (server, error) {
	const metric = "apiserver_request_total{"
	var s server
	seen := false
	for line := range strings.Lines(metrics) {
		if !strings.HasPrefix(line, metric) {
			continue
		}
		seen = true
		verbs := []string{"POST", "PUT", "PATCH", "DELETE", "APPLY"}
		if !slices.Contains(verbs, label(line, "verb")) {
			continue
		}
		number, err := strconv.ParseFloat(strings.TrimSpace(line[strings.LastIndexByte(line, '}')+1:]), 64)
		if err != nil {
			return server{}, fmt.Errorf("reading the API server's metrics: %w", err)
		}
		count, dry := int(number), label(line, "dry_run") != ""
		switch resource := label(line, "resource") + "/" + label(line, "subresource"); {
		case resource == "secrets/" && dry:
			s.looks += count
		case dry:
		case resource == "secrets/", resource == "secretsyncs/status":
			s.writes += count
		case resource == "events/":
			s.events += count
		}
	}
	if !seen {
		return server{}, errors.New("the API server's metrics lack apiserver_request_total: its version is one that this does not know")
	}
	return s, nil
}

// label is the value of a label in a line of metrics; empty if it has none. None of those that are asked for holds a quote.
func label(line, name string) string {
	for _, before := range []string{"{", ","} {
		if _, after, found := strings.Cut(line, before+name+`="`); found {
			text, _, _ := strings.Cut(after, `"`)
			return text
		}
	}
	return ""
}
