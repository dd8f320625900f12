package economy

import (
	"maps"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"secretstore/internal/emulator/state"
	"secretstore/internal/fault"
	"secretstore/internal/source"
	"secretstore/internal/source/akv"
)

// fetchAll asks for one object each, all at the same time and again while it is not their turn, as workers do. It returns the stamps.
func fetchAll(t *testing.T, from source.Source, vault string, objects []int, change func(i int, r *source.Request)) [][]source.Stamp {
	t.Helper()
	stamps := make([][]source.Stamp, len(objects))
	var group sync.WaitGroup
	for i, object := range objects {
		group.Go(func() {
			for {
				woken := make(chan struct{})
				req := request(vault, secret(object))
				req.Who, req.Wake = strconv.Itoa(i), func() { close(woken) }
				if change != nil {
					change(i, &req)
				}
				answer := from.Fetch(t.Context(), req)[0]
				if f := fault.Of(answer.Err); f != nil && f.Kind == fault.Deferred {
					select {
					case <-woken:
					case <-time.After(f.RetryAfter):
					case <-t.Context().Done():
						return
					}
					continue
				}
				if answer.Err != nil || len(answer.Versions) == 1 && answer.Versions[0].Err != nil {
					t.Errorf("object %d: %s", object, tell(answer))
				}
				stamps[i] = []source.Stamp{answer.Stamp}
				return
			}
		})
	}
	group.Wait()
	return stamps
}

func upTo(n int, of func(int) int) []int {
	list := make([]int, n)
	for i := range list {
		list[i] = of(i)
	}
	return list
}

func same(i int) int { return i }

// TestRequestsOfManyChecks counts what 500 checks cost, at their first and when nothing has changed.
func TestRequestsOfManyChecks(t *testing.T) {
	t.Parallel()
	const n = 500
	for name, tc := range map[string]struct {
		reason        string
		vault         string
		objects       []int
		create, check map[string]int
	}{
		"SharedMayList": {
			"10 objects for 500 cost 10 reads, and again, after half as many pages that show that the list is long",
			mayList, upTo(n, func(i int) int { return i % 10 }),
			map[string]int{"secrets.get": 10, "challenge": 1, "entra.token": 1},
			map[string]int{"secrets.get": 10, "secrets.list": 5},
		},
		"EachMayList": {
			"500 objects cost 500 reads, and then 21 pages", mayList, upTo(n, same),
			map[string]int{"secrets.get": n, "challenge": 1, "entra.token": 1},
			map[string]int{"secrets.list": 21},
		},
		"EachMayGet": {
			"without the right to list they are read again, after one request that finds out", mayGet, upTo(n, same),
			map[string]int{"secrets.get": n, "challenge": 1, "entra.token": 1},
			map[string]int{"secrets.get": n, "secrets.list": 1},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := start(t, n)
			s := a.source(a.clock, &observer{})
			a.ResetCounters()
			stamps := fetchAll(t, s, tc.vault, tc.objects, nil)
			if diff := cmp.Diff(tc.create, a.asked(tc.vault)); diff != "" {
				t.Errorf("%s: the first checks (-want +got):\n%s", tc.reason, diff)
			}
			expect(s, tc.vault, tc.objects, a.clock.Now().Add(time.Hour))
			a.clock.step(time.Hour)
			again := func(i int, r *source.Request) { r.Seen, r.NotBefore = stamps[i], a.clock.Now() }
			fetchAll(t, s, tc.vault, tc.objects, again)
			if diff := cmp.Diff(tc.check, a.asked(tc.vault)); diff != "" {
				t.Errorf("%s: when nothing has changed (-want +got):\n%s", tc.reason, diff)
			}
		})
	}
}

func expect(s source.Source, vault string, objects []int, at time.Time) {
	for _, i := range objects {
		s.Expect(request(vault, secret(i)), at)
	}
}

// TestSweepReadsWhatChangedOnly changes 3 of 100.
func TestSweepReadsWhatChangedOnly(t *testing.T) {
	t.Parallel()
	const n = 100
	a := start(t, n)
	s := a.source(a.clock, &observer{})
	objects := upTo(n, same)
	stamps := fetchAll(t, s, mayList, objects, nil)
	expect(s, mayList, objects, a.clock.Now().Add(time.Hour))
	a.clock.step(time.Hour)
	for _, i := range []int{3, 50, 99} {
		if _, err := a.vault(mayList).Put(state.Secrets, name(i), state.Version{Enabled: true, Value: "new"}); err != nil {
			t.Fatal(err)
		}
	}
	a.ResetCounters()
	fetchAll(t, s, mayList, objects, func(i int, r *source.Request) { r.Seen, r.NotBefore = stamps[i], a.clock.Now() })
	if diff := cmp.Diff(map[string]int{"secrets.list": 5, "secrets.get": 3}, a.asked(mayList)); diff != "" {
		t.Errorf("requests (-want +got):\n%s", diff)
	}
}

// TestWhatAListShowsChangedIsReadAfterIt: what another check has read before is not taken for it.
func TestWhatAListShowsChangedIsReadAfterIt(t *testing.T) {
	t.Parallel()
	a := start(t, 4)
	s := a.source(a.clock, &observer{})
	objects := upTo(4, same)
	stamps := fetchAll(t, s, mayList, objects, nil)
	a.clock.step(time.Hour)
	began := a.clock.Now()
	fetchAll(t, s, mayList, []int{0}, func(_ int, r *source.Request) { r.NotBefore = began })
	a.clock.step(5 * time.Second)
	if _, err := a.vault(mayList).Put(state.Secrets, name(0), state.Version{Enabled: true, Value: "new"}); err != nil {
		t.Fatal(err)
	}
	expect(s, mayList, objects, a.clock.Now())
	req := request(mayList, secret(0))
	req.Seen, req.NotBefore = stamps[0], began
	answer := s.Fetch(t.Context(), req)[0]
	if answer.Unchanged || string(answer.Versions[0].Value.Reveal()) != "new" {
		t.Errorf("told %q, unchanged %v", tell(answer), answer.Unchanged)
	}
}

// TestListingIsTriedAgain: a refusal is remembered for a day, or until somebody edits something.
func TestListingIsTriedAgain(t *testing.T) {
	t.Parallel()
	const n = 60
	a := start(t, n)
	s := a.source(a.clock, &observer{})
	objects := upTo(n, same)
	stamps := fetchAll(t, s, mayGet, objects, nil)
	for _, tc := range []struct {
		reason string
		after  time.Duration
		edited bool
		lists  int
	}{
		{"the first time it is found out", time.Hour, false, 1},
		{"and then remembered", time.Hour, false, 0},
		{"until somebody edits something", time.Hour, true, 1},
		{"then remembered again", 22 * time.Hour, false, 0},
		{"for a day", 3 * time.Hour, false, 1},
	} {
		expect(s, mayGet, objects, a.clock.Now().Add(tc.after))
		a.clock.step(tc.after)
		a.ResetCounters()
		fetchAll(t, s, mayGet, objects, func(i int, r *source.Request) {
			r.Seen, r.NotBefore = stamps[i], a.clock.Now()
			if tc.edited {
				r.Edited = a.clock.Now()
			}
		})
		if got := a.asked(mayGet); got["secrets.list"] != tc.lists || got["secrets.get"] != n {
			t.Errorf("%s: %v, want %d lists", tc.reason, got, tc.lists)
		}
	}
}

// TestAnswersAreSharedForHalfAMinute and never with another identity.
func TestAnswersAreSharedForHalfAMinute(t *testing.T) {
	t.Parallel()
	a := start(t, 1)
	saved := &observer{}
	s := a.source(a.clock, saved)
	fetchAll(t, s, mayGet, []int{0}, nil)
	a.ResetCounters()
	for _, tc := range []struct {
		reason    string
		step      time.Duration
		notBefore func() time.Time
		reads     int
		other     bool
	}{
		{"what has just been read serves others", 20 * time.Second, func() time.Time { return time.Time{} }, 0, false},
		{"but not those who ask for what is newer", 0, a.clock.Now, 1, false},
		{"who then share that", 0, func() time.Time { return time.Time{} }, 0, false},
		{"for half a minute", 31 * time.Second, func() time.Time { return time.Time{} }, 1, false},
		{"another service account gets nothing of it", 0, func() time.Time { return time.Time{} }, 1, true},
	} {
		a.clock.step(tc.step)
		fetchAll(t, s, mayGet, []int{0}, func(_ int, r *source.Request) {
			r.NotBefore = tc.notBefore()
			if tc.other {
				r.Identity.Account.UID = "another"
			}
		})
		if got := a.asked(mayGet)["secrets.get"]; got != tc.reads {
			t.Errorf("%s: %d reads, want %d", tc.reason, got, tc.reads)
		}
	}
	if diff := cmp.Diff(map[string]int{akv.SavedByOthers: 2}, saved.saved); diff != "" {
		t.Errorf("saved (-want +got):\n%s", diff)
	}
}

// TestRefusedIdentityAsksOnce: 100 checks of an identity that Entra refuses cost a few exchanges, not 100.
func TestRefusedIdentityAsksOnce(t *testing.T) {
	t.Parallel()
	a := start(t, 1)
	s := a.source(a.clock, &observer{})
	if err := a.State().RemoveFederatedCredential(clientID, "cluster"); err != nil {
		t.Fatal(err)
	}
	a.ResetCounters()
	var group sync.WaitGroup
	for i := range 100 {
		group.Go(func() {
			req := request(mayGet, secret(0))
			req.Objects[0].Version = fmtVersion(i) // other questions of the same identity
			for f := deferredFault(); f.Kind == fault.Deferred; {
				f = fault.Of(firstErr(s.Fetch(t.Context(), req)[0]))
				if f == nil || (f.Kind != fault.Deferred && f.Kind != fault.IdentityRejected) {
					t.Errorf("a refused identity is answered %v", f)
					return
				}
			}
		})
	}
	group.Wait()
	if got := a.asked(mayGet)["entra.token"]; got != 1 {
		t.Errorf("%d exchanges, want 1", got)
	}
}

// TestTokenIsReplaced: a token that the vault does not take any more costs no failed check.
func TestTokenIsReplaced(t *testing.T) {
	t.Parallel()
	a := start(t, 2)
	s := a.source(a.clock, &observer{})
	fetchAll(t, s, mayGet, []int{0}, nil)
	a.clock.step(25 * time.Hour) // by the vault's clock the token has expired; the client, by the real time, thinks it good
	a.ResetCounters()
	fetchAll(t, s, mayGet, []int{1}, func(_ int, r *source.Request) { r.NotBefore = a.clock.Now() })
	got := a.asked(mayGet)
	maps.DeleteFunc(got, func(operation string, _ int) bool { return operation == "challenge" })
	if got["entra.token"] != 1 || got["secrets.get"] != 1 {
		t.Errorf("requests %v, want one exchange and one read", got)
	}
}

func fmtVersion(i int) string {
	const digits = "0123456789abcdef"
	return "0000000000000000000000000000000" + string(digits[i%16])
}

func deferredFault() *fault.Error { return fault.New(fault.Deferred, "not yet") }

func firstErr(a source.Answer) error {
	if a.Err != nil || len(a.Versions) == 0 {
		return a.Err
	}
	return a.Versions[0].Err
}
