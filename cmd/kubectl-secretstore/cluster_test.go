package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/cli-runtime/pkg/genericiooptions"
	"k8s.io/client-go/transport"
	clocktesting "k8s.io/utils/clock/testing"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"secretstore/api/secretsync/v1alpha1"
)

// record notes the requests that a client sends, each as "METHOD path", with the namespace's name left out.
type record struct {
	namespace string
	mutex     sync.Mutex
	requests  []string
	// after, if set, is called after each request.
	after func()
}

// wrap makes a transport note what goes through it.
func (r *record) wrap(next http.RoundTripper) http.RoundTripper {
	return roundTripper(func(request *http.Request) (*http.Response, error) {
		response, err := next.RoundTrip(request)
		r.mutex.Lock()
		defer r.mutex.Unlock()
		path := strings.TrimPrefix(request.URL.Path, "/apis/secret-sync.x-k8s.io/v1alpha1/")
		r.requests = append(r.requests, request.Method+" "+strings.ReplaceAll(path, r.namespace, "NS"))
		if r.after != nil {
			r.after()
		}
		return response, err
	})
}

func (r *record) sorted() []string {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	return slices.Sorted(slices.Values(r.requests))
}

type roundTripper func(*http.Request) (*http.Response, error)

// RoundTrip implements http.RoundTripper.
func (f roundTripper) RoundTrip(request *http.Request) (*http.Response, error) { return f(request) }

// connected is a namespace with n SecretSyncs, and the operator's means to work on it.
func connected(t *testing.T, n int) (syncs, *record) {
	t.Helper()
	namespace := shared.Namespace(t)
	for _, sync := range many(namespace, n) {
		if err := admin(t).Create(t.Context(), &sync); err != nil {
			t.Fatal(err)
		}
	}
	config, err := shared.ServiceAccountConfig(t.Context(), "operators", "operator")
	if err != nil {
		t.Fatal(err)
	}
	requests := &record{namespace: namespace}
	config.WrapTransport = transport.Wrappers(config.WrapTransport, requests.wrap)
	c, err := newClient(config)
	if err != nil {
		t.Fatal(err)
	}
	return syncs{client: c, host: config.Host, namespace: namespace, page: pageSize}, requests
}

// streams are a program's, at noon.
func streams() (p program, out, errOut *bytes.Buffer) {
	io, _, out, errOut := genericiooptions.NewTestIOStreams()
	return program{
		IOStreams: io, clock: clocktesting.NewFakePassiveClock(noon), env: func(string) string { return "" }, chance: rand.Reader,
	}, out, errOut
}

// current is a SecretSync as it is now.
func current(t *testing.T, cluster syncs, name string) v1alpha1.SecretSync {
	t.Helper()
	var sync v1alpha1.SecretSync
	if err := admin(t).Get(t.Context(), client.ObjectKey{Namespace: cluster.namespace, Name: name}, &sync); err != nil {
		t.Fatal(err)
	}
	return sync
}

// TestListInPages reads more SecretSyncs than go on a page: each once, with as many requests as there are pages, and no others.
func TestListInPages(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		reason         string
		objects, pages int
	}{
		"None":  {"nothing is one empty page", 0, 1},
		"Part":  {"less than a page is one", 1, 1},
		"Full":  {"just a page is one", 2, 1},
		"Over":  {"one more object is one more page", 3, 2},
		"Pages": {"many pages are put together", 7, 4},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cluster, requests := connected(t, tc.objects)
			cluster.page = 2
			found, err := cluster.find(t.Context(), selection{})
			if err != nil {
				t.Fatal(err)
			}
			names := map[string]bool{}
			for _, sync := range found {
				names[sync.Name] = true
			}
			if len(found) != tc.objects || len(names) != tc.objects {
				t.Errorf("%s: %d objects with %d names, want %d", tc.reason, len(found), len(names), tc.objects)
			}
			if diff := cmp.Diff(slices.Repeat([]string{"GET namespaces/NS/secretsyncs"}, tc.pages), requests.sorted()); diff != "" {
				t.Errorf("%s: requests (-want +got):\n%s", tc.reason, diff)
			}
		})
	}
}

// TestRequests is all that the program asks of a cluster: nothing is discovered, and no Secret is read.
func TestRequests(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		reason string
		run    func(context.Context, syncs, program) error
		want   []string
	}{
		"Status": {"one list", status{}.Run, []string{"GET namespaces/NS/secretsyncs"}},
		"Named": {
			"a look at each that is named", status{selection: selection{names: []string{"sync-00", "sync-01"}}}.Run,
			[]string{"GET namespaces/NS/secretsyncs/sync-00", "GET namespaces/NS/secretsyncs/sync-01"},
		},
		"Force": {
			"a patch of each that is named, which tells whether it exists", force{selection: selection{names: []string{"sync-00"}}}.Run,
			[]string{"PATCH namespaces/NS/secretsyncs/sync-00"},
		},
		"ForceAll": {
			"a list and a patch of each", force{all: true}.Run,
			[]string{"GET namespaces/NS/secretsyncs", "PATCH namespaces/NS/secretsyncs/sync-00", "PATCH namespaces/NS/secretsyncs/sync-01"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cluster, requests := connected(t, 2)
			p, _, _ := streams()
			if err := tc.run(t.Context(), cluster, p); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, requests.sorted()); diff != "" {
				t.Errorf("%s: requests (-want +got):\n%s", tc.reason, diff)
			}
		})
	}
}

// TestForceChangesOneField: the time, under our name, and nothing else of the spec.
func TestForceChangesOneField(t *testing.T) {
	t.Parallel()
	cluster, _ := connected(t, 1)
	before := current(t, cluster, "sync-00")
	p, out, _ := streams()
	p.clock = clocktesting.NewFakePassiveClock(noon.Add(123456789 * time.Nanosecond).In(time.FixedZone("CET", 3600)))
	if err := (force{selection: selection{names: []string{"sync-00"}}}).Run(t.Context(), cluster, p); err != nil {
		t.Fatal(err)
	}
	after := current(t, cluster, "sync-00")
	want := before.DeepCopy().Spec
	want.ForceSynchronization = "2026-11-01T12:00:00.123456789Z"
	if diff := cmp.Diff(want, after.Spec); diff != "" {
		t.Errorf("the spec (-want +got):\n%s", diff)
	}
	var managers []string
	for _, entry := range after.ManagedFields {
		if strings.Contains(entry.FieldsV1.GetRawString(), "forceSynchronization") {
			managers = append(managers, entry.Manager)
		}
	}
	if diff := cmp.Diff([]string{"kubectl-secretstore"}, managers); diff != "" {
		t.Errorf("managers of the field (-want +got):\n%s", diff)
	}
	if want := cluster.namespace + "/sync-00: to be checked now\n"; out.String() != want {
		t.Errorf("output %q, want %q", out, want)
	}
}

// TestForceAnew: each time is a new value, so that each time a check is due.
func TestForceAnew(t *testing.T) {
	t.Parallel()
	cluster, _ := connected(t, 1)
	generations := map[int64]bool{}
	p, _, _ := streams()
	for i := range 3 {
		p.clock = clocktesting.NewFakePassiveClock(noon.Add(time.Duration(i)))
		if err := (force{all: true}).Run(t.Context(), cluster, p); err != nil {
			t.Fatal(err)
		}
		generations[current(t, cluster, "sync-00").Generation] = true
	}
	if len(generations) != 3 {
		t.Errorf("three times forced gave the generations %v", generations)
	}
}

// TestForceGoesOn: one that does not exist keeps none of the others, and makes the program fail.
func TestForceGoesOn(t *testing.T) {
	t.Parallel()
	cluster, _ := connected(t, 2)
	p, out, _ := streams()
	err := force{selection: selection{names: []string{"no-1", "no-2", "sync-00", "sync-01"}}}.Run(t.Context(), cluster, p)
	if got := strings.Count(fmt.Sprint(err), "there is no SecretSync no-"); got != 2 {
		t.Errorf("%d are said to be missing, want 2: %v", got, err)
	}
	if got := strings.Count(out.String(), "to be checked now"); got != 2 {
		t.Errorf("%d were forced, want 2: %s", got, out)
	}
}

// TestInterrupted: Ctrl-C ends the wait, and says that it ends only the wait.
func TestInterrupted(t *testing.T) {
	t.Parallel()
	cluster, requests := connected(t, 1)
	ctx, interrupt := context.WithCancel(t.Context())
	const patched, looked = 1, 2
	requests.after = func() {
		if len(requests.requests) == patched+looked {
			interrupt()
		}
	}
	p, _, _ := streams()
	err := force{selection: selection{names: []string{"sync-00"}}, timeout: time.Hour}.Run(ctx, cluster, p)
	if err == nil || err.Error() != "interrupted; the checks go on" {
		t.Errorf("got %v", err)
	}
	if err := (status{}).Run(ctx, cluster, p); err == nil || err.Error() != "interrupted" {
		t.Errorf("status, interrupted: %v", err)
	}
}
