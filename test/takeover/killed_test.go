package takeover_test

import (
	"bytes"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// journalLines is how many entries the journal has.
func (w *world) journalLines() int {
	content, _ := os.ReadFile(filepath.Join(w.state, "journal.jsonl")) // there may be none yet
	return bytes.Count(content, []byte{'\n'})
}

// killed goes on with a run, and kills it a moment after it has written some more entries. It says whether the run had ended before.
func (w *world) killed(entries int, moment time.Duration, args ...string) (ended bool) {
	w.t.Helper()
	from := w.journalLines()
	a := w.begin(nil, args...)
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for w.journalLines() < from+entries {
		select {
		case err := <-a.exited:
			a.exited <- err
			return true
		case <-tick.C:
		}
	}
	select {
	case err := <-a.exited:
		a.exited <- err
		return true
	case <-time.After(moment):
	}
	a.kill()
	return false
}

// killedOften kills a run of everything at random moments, at most some times and each after some entries, and then lets it come
// to its end.
func (w *world) killedOften(kills, entries int) ended {
	w.t.Helper()
	seed := uint64(time.Now().UnixNano())
	chance := rand.New(rand.NewPCG(seed, 0))
	w.t.Logf("seed %d", seed)
	n := 0
	for n < kills && !w.killed(chance.IntN(2*entries), time.Duration(chance.IntN(150))*time.Millisecond, applyAll()...) {
		n++
		w.t.Logf("killed for the %d. time, with %d entries in the journal", n, w.journalLines())
	}
	if n < kills {
		w.t.Errorf("it came to its end after %d kills", n)
	}
	return w.migrate(applyAll()...)
}

// Killed three times at random moments and gone on with, a takeover ends as one that nobody kills: TestKilled, which takes longer,
// compares the two.
func TestKilledThrice(t *testing.T) {
	w := newWorld(t, partOfTheShop(t, "shop-orders"))
	recorder, gives, planned := w.record(), w.oldWay(), w.migrate("plan")
	w.answer(map[string]string{"M202/etcd": "accept"})
	began := time.Now()
	// Three times nine entries and what is written in the moments after them are less than the journal has in the end, even where
	// the machine is fast.
	done := w.killedOften(3, 5)
	t.Logf("took %.1f s and %d entries", time.Since(began).Seconds(), w.journalLines())
	done.expect(t, 0)
	w.expectAccounts(planned, done)
	w.expectContents(gives)
	w.expectNothingOld()
	w.expectNoValueShown()
	expectNone(t, recorder)
}
