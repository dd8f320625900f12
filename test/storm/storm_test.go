//go:build long

package storm

import (
	"fmt"
	"testing"
	"time"

	"secretstore/test/cluster"
)

// TestThrottledCreation makes 1,000 SecretSyncs under a controller that runs, while the vault answers 429 to everything.
// After each refusal nothing arrives before its time, though the vault would answer by then; all is synced afterwards, and a
// tenth more requests than there are values is the most that it may cost.
//
//covers:fault vault-throttles
func TestThrottledCreation(t *testing.T) {
	for name, tc := range map[string]struct {
		reason string
		// fault is how the vault throttles, until it has refused so many requests.
		fault    string
		refusals int
		// pauses are how long nothing may arrive after each refusal in a row; the last holds for all that follow.
		pauses []time.Duration
	}{
		"RetryAfter": {
			"the vault says how long it wants to be left alone",
			`"retryAfterSeconds":10`, 1,
			[]time.Duration{10 * time.Second},
		},
		"Without": {
			"it does not: the waits that Microsoft prescribes",
			`"retryAfterSeconds":0`, 4,
			[]time.Duration{time.Second, 2 * time.Second, 4 * time.Second, 8 * time.Second, 16 * time.Second},
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFleet(t, 1, 1000)
			began := f.begin(t, fmt.Sprintf(`{"kind":"status","service":"vault","status":429,%s}`, tc.fault), "")
			f.startAll(t)
			f.create(t)
			created := time.Since(began)
			cluster.Eventually(t, time.Minute, func() error {
				if _, refusals := f.counted(t); refusals < tc.refusals {
					return fmt.Errorf("%d requests are refused, want %d", refusals, tc.refusals)
				}
				return f.ended()
			})
			f.behave(t, "", "")
			f.awaitChecked(t, began, patience)
			vault, entra := f.arrived(t, began)
			t.Logf("%s: %d SecretSyncs, made within %v, all well after %v: %d requests to the vault, %d of them refused, %d to Entra",
				tc.reason, f.all(), created.Round(time.Second), time.Since(began).Round(time.Second), len(vault), count(vault, refused),
				len(entra))
			if most := f.all() * 11 / 10; len(vault) > most {
				t.Errorf("%d requests for %d values, want at most %d", len(vault), f.all(), most)
			}
			checkPauses(t, vault, tc.pauses)
		})
	}
}

// patience is how long 1,000 SecretSyncs may take to become well, on a busy machine: about 15 s for the vault's budget.
const patience = 3 * time.Minute

// checkPauses checks that nothing arrived too early after a refusal.
func checkPauses(t *testing.T, vault []request, pauses []time.Duration) {
	t.Helper()
	inARow := 0
	for i, r := range vault {
		if !refused(r) {
			inARow = 0
			continue
		}
		pause := pauses[min(inARow, len(pauses)-1)]
		inARow++
		if i+1 < len(vault) && vault[i+1].Time.Sub(r.Time) < pause {
			t.Errorf("request %d came %v after refusal %d in a row, want %v", i+1, vault[i+1].Time.Sub(r.Time), inARow, pause)
		}
	}
}

// The ten controllers' vault takes 200 reads in 10 s, a twentieth of Azure's limit, and each has 100 SecretSyncs: they stand
// for ten clusters of 2,000. All at once is too much for it: 10 x 100 reads at 10 x 100 a second, the default budgets, come
// within a second or as fast as two cores can, and five times as many as the vault takes in its 10 s. Spread over a tenth of
// the default interval, 360 s, they come at 1,000 / 360 s = 2.8 a second, 28 in 10 s.
const (
	controllers, objectsEach = 10, 100
	limit                    = `{"requests":200,"perSeconds":10}`
)

// TestTenControllersRestart kills ten controllers that share a vault, and starts them at the same moment, with default
// settings: once when nothing is due, and once after they were away for so long that everything is. That the vault's limit
// is one that such a moment can exceed is shown by the creation before it, which nothing spreads (jitterSeconds is for
// that).
//
//covers:fault fleet-restarted
func TestTenControllersRestart(t *testing.T) {
	f := newFleet(t, controllers, objectsEach)
	f.create(t)
	began := f.begin(t, "", limit)
	f.startAll(t)
	f.awaitChecked(t, began, patience)
	if asked, no := f.tell(t, "creation", began); no*100 < asked {
		t.Errorf("creation: %d of %d requests are refused, under 1 %%: this limit shows nothing", no, asked)
	}

	f.killAll(t)
	began = f.begin(t, "", limit)
	f.startAll(t)
	f.awaitLooked(t, patience)
	if vault, entra := f.arrived(t, began); len(vault)+len(entra) > 0 {
		t.Errorf("a restart with nothing due: %d requests to the vault and %d to Entra, want none", len(vault), len(entra))
	}

	f.killAll(t)
	f.age(t, 5*time.Hour)
	began = f.begin(t, "", limit)
	f.startAll(t)
	f.awaitChecked(t, began, spread+patience)
	asked, no := f.tell(t, "restart with all overdue", began)
	if no*100 >= asked {
		t.Errorf("%d of %d requests are refused, want under 1 %%", no, asked)
	}
	if most := f.all() * 11 / 10; asked > most {
		t.Errorf("%d requests for %d values, want at most %d", asked, f.all(), most)
	}
}

// spread is over which time overdue checks are spread: a tenth of the default interval.
const spread = 6 * time.Minute

// tell logs what has arrived at the vault since a time, and gives how many requests that was, and how many of them were refused.
func (f *fleet) tell(t *testing.T, what string, since time.Time) (asked, no int) {
	t.Helper()
	vault, entra := f.arrived(t, since)
	asked, no = len(vault), count(vault, refused)
	t.Logf("%s: all well after %v; %d requests to the vault, %d of them refused, %d in the busiest 10 s; %d to Entra",
		what, time.Since(since).Round(time.Second), asked, no, busiest(vault, 10*time.Second), len(entra))
	return asked, no
}
