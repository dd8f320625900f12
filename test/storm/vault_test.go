//go:build long

package storm

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"secretstore/api/secretsync/v1alpha1"
	"secretstore/test/cluster"
)

// latency is part of every behaviour of the vault: 20 ms, as in the benchmark.
const latency = `{"kind":"latency","latencyMilliseconds":20}`

// behave sets how Azure behaves besides its latency; both lists may be empty.
func (f *fleet) behave(t *testing.T, fault, limit string) {
	t.Helper()
	if fault != "" {
		fault = "," + fault
	}
	if err := f.stack.Behave(t.Context(), fmt.Sprintf(`{"faults":[%s%s],"limits":[%s]}`, latency, fault, limit)); err != nil {
		t.Fatal(err)
	}
}

// begin is the beginning of a phase: it sets the behaviour, with which the limit's count begins anew, and forgets what was
// counted.
func (f *fleet) begin(t *testing.T, fault, limit string) (now time.Time) {
	t.Helper()
	f.behave(t, fault, limit)
	if err := f.stack.Admin(t.Context(), http.MethodDelete, "/admin/counters", "", nil); err != nil {
		t.Fatal(err)
	}
	return time.Now()
}

// request is one that arrived at the emulator.
type request struct {
	Time      time.Time `json:"time"`
	Service   string    `json:"service"`
	Operation string    `json:"operation"`
	Status    int       `json:"status"`
}

// arrived lists what arrived since a time, in order: at the vault, and at Entra.
func (f *fleet) arrived(t *testing.T, since time.Time) (vault, entra []request) {
	t.Helper()
	var answer struct{ Requests []request }
	if err := f.stack.Admin(t.Context(), http.MethodGet, "/admin/requests", "", &answer); err != nil {
		t.Fatal(err)
	}
	slices.SortFunc(answer.Requests, func(a, b request) int { return a.Time.Compare(b.Time) })
	for _, r := range answer.Requests {
		switch {
		case r.Time.Before(since):
		case r.Service == "vault":
			vault = append(vault, r)
		default:
			entra = append(entra, r)
		}
	}
	return vault, entra
}

// count is how many of the requests satisfy a condition.
func count(requests []request, is func(request) bool) int {
	n := 0
	for _, r := range requests {
		if is(r) {
			n++
		}
	}
	return n
}

func refused(r request) bool { return r.Status == http.StatusTooManyRequests }

// busiest is how many of the requests came within the window in which most did.
func busiest(requests []request, window time.Duration) int {
	most, first := 0, 0
	for i, r := range requests {
		for r.Time.Sub(requests[first].Time) > window {
			first++
		}
		most = max(most, i-first+1)
	}
	return most
}

// counted gives how many requests of this phase the vault has answered, and how many refused.
func (f *fleet) counted(t *testing.T) (reads, refusals int) {
	t.Helper()
	var answer struct {
		Counters []struct {
			Operation     string
			Status, Count int
		}
	}
	if err := f.stack.Admin(t.Context(), http.MethodGet, "/admin/counters", "", &answer); err != nil {
		t.Fatal(err)
	}
	for _, c := range answer.Counters {
		switch {
		case c.Status == http.StatusTooManyRequests:
			refusals += c.Count
		case c.Operation == "secrets.get" && c.Status == http.StatusOK:
			reads += c.Count
		}
	}
	return reads, refusals
}

// awaitChecked waits until every SecretSync was checked since the phase began, and is well. It asks the API server only when
// the vault has given all values: lists of all are work that the controllers would have to share the machine with.
func (f *fleet) awaitChecked(t *testing.T, since time.Time, patience time.Duration) {
	t.Helper()
	cluster.Eventually(t, patience, func() error {
		if reads, refusals := f.counted(t); reads < f.all() {
			return errors.Join(fmt.Errorf("%d of %d values are read, %d requests are refused", reads, f.all(), refusals), f.ended())
		}
		for _, s := range f.sites {
			if err := f.checked(t, s, since); err != nil {
				return err
			}
		}
		return nil
	})
}

// checked says which SecretSync of a site was not checked since a time, or is not well.
func (f *fleet) checked(t *testing.T, s *site, since time.Time) error {
	var syncs v1alpha1.SecretSyncList
	if err := f.client.List(t.Context(), &syncs, client.InNamespace(s.namespace)); err != nil {
		return err
	}
	for _, item := range syncs.Items {
		status := item.Status
		well := meta.IsStatusConditionTrue(status.Conditions, v1alpha1.ConditionReady) &&
			meta.IsStatusConditionTrue(status.Conditions, v1alpha1.ConditionUpdate)
		if !well || status.LastCheckTime == nil || status.LastCheckTime.Time.Before(since.Truncate(time.Second)) {
			return fmt.Errorf("%s/%s: %+v", item.Namespace, item.Name, status)
		}
	}
	if len(syncs.Items) != f.objects {
		return fmt.Errorf("%d SecretSyncs in %s, want %d", len(syncs.Items), s.namespace, f.objects)
	}
	return nil
}
