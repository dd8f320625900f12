package economy

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"secretstore/internal/emulator/state"
	"secretstore/internal/fault"
	"secretstore/internal/source"
	"secretstore/internal/source/akv"
	"secretstore/internal/spcparams"
)

// asker is a SecretSync as far as the source is concerned: it asks for objects, and keeps what it was told of each.
type asker struct {
	request source.Request
	held    []string
}

// check asks as a controller does, with the stamps of the latest check, but for answers of now, so that they can be compared.
func (s *asker) check(t *testing.T, from source.Source, now time.Time) (unchanged int) {
	t.Helper()
	s.request.NotBefore = now
	stamps := make([]source.Stamp, len(s.request.Objects))
	for i, answer := range from.Fetch(t.Context(), s.request) {
		if answer.Unchanged {
			unchanged++
			stamps[i] = s.request.Seen[i]
			continue
		}
		s.held[i] = tell(answer)
		stamps[i] = answer.Stamp
	}
	s.request.Seen = stamps
	from.Expect(s.request, now.Add(time.Second))
	return unchanged
}

// tell puts an answer into words.
func tell(answer source.Answer) string {
	if answer.Err != nil {
		return fmt.Sprint("fails: ", fault.Of(answer.Err).Kind)
	}
	var texts []string
	for _, version := range answer.Versions {
		if version.Err != nil {
			texts = append(texts, fmt.Sprint("fails: ", fault.Of(version.Err).Kind))
		} else {
			texts = append(texts, fmt.Sprintf("%s=%s%x", version.Version, version.Value.Reveal(), version.CER))
		}
	}
	// Which of two versions of the same second is the later one nobody can tell but while one of them is the current one.
	slices.Sort(texts)
	return strings.Join(texts, " ")
}

// TestSweepMissesNothing edits a vault at random, several times within a second and hours apart, with the clocks of vault and controller far
// apart. After each round one that asks with all that is known is told the same as one that reads everything.
func TestSweepMissesNothing(t *testing.T) {
	t.Parallel()
	for _, skew := range []time.Duration{0, 3 * time.Hour, -47 * time.Minute} {
		t.Run(skew.String(), func(t *testing.T) {
			t.Parallel()
			seed := rand.Uint64()
			t.Logf("seed %d", seed)
			runModel(t, skew, rand.New(rand.NewPCG(seed, 0)))
		})
	}
}

const (
	modelSecrets = 12
	rounds       = 150
)

func runModel(t *testing.T, skew time.Duration, random *rand.Rand) {
	t.Helper()
	a := start(t, modelSecrets)
	controller := &steps{now: a.clock.Now().Add(skew)}
	saved := &observer{}
	sweeping, plain := a.source(controller, saved), a.source(controller, &observer{})
	syncs := modelSyncs()
	unchanged := 0
	for round := range rounds {
		editAtRandom(t, a, random)
		// Most rounds follow within the second, some after minutes: only then what is known is old enough to be trusted. None
		// follows in the same instant: an answer read then is one of now, though something was changed since.
		step := time.Duration(1+random.IntN(1200)) * time.Millisecond
		if random.IntN(3) == 0 {
			step = 40 * time.Second
		}
		a.clock.step(step)
		controller.step(step)
		if random.IntN(2) == 0 {
			editAtRandom(t, a, random)
		}
		for i, s := range syncs {
			if random.IntN(2) == 0 {
				continue // not due
			}
			unchanged += s.check(t, sweeping, controller.Now())
			everything := s.request
			everything.Seen = nil
			for j, answer := range plain.Fetch(t.Context(), everything) {
				if got := s.held[j]; got != tell(answer) {
					t.Fatalf("round %d, sync %d, object %+v: told %q, the vault has %q", round, i, s.request.Objects[j], got, tell(answer))
				}
			}
		}
	}
	if unchanged < rounds || saved.saved[akv.SavedBySweep] < rounds {
		t.Errorf("%d rounds found %d objects unchanged, %v by lists: the test proves little", rounds, unchanged, saved.saved)
	}
}

// modelSyncs ask for every secret at least once, some in several ways: alone, together, by version, with a history, as certificates.
func modelSyncs() []*asker {
	history := func(i, n int) spcparams.Object {
		o := secret(i)
		o.History = n
		return o
	}
	groups := [][]spcparams.Object{
		{secret(0)},
		{secret(1), secret(2), secret(3)},
		{secret(3), secret(4), history(1, 2)},
		{history(5, 3), history(0, 4)},
		{secret(6), secret(7), secret(8), secret(9), secret(10), secret(11)},
		{{Name: "web", Type: spcparams.TypeSecret}, {Name: "web", Type: spcparams.TypeCert}},
	}
	syncs := make([]*asker, 0, len(groups))
	for _, objects := range groups {
		syncs = append(syncs, &asker{request: request(mayList, objects...), held: make([]string, len(objects))})
	}
	return syncs
}

// editAtRandom changes something in the vault, or nothing.
func editAtRandom(t *testing.T, a *azure, random *rand.Rand) {
	t.Helper()
	vault, secret := a.vault(mayList), name(random.IntN(modelSecrets))
	edits := map[int]func(){
		0: func() { // a new value
			_, _ = vault.Put(state.Secrets, secret, state.Version{Enabled: true, Value: fmt.Sprint("value ", random.Uint32())})
		},
		1: func() { // two within the same second
			for range 2 {
				_, _ = vault.Put(state.Secrets, secret, state.Version{Enabled: true, Value: fmt.Sprint("value ", random.Uint32())})
			}
		},
		2: func() {
			_, _ = vault.Update(state.Secrets, secret, "", func(v *state.Version) { v.Enabled = !v.Enabled })
		},
		3: func() { // an older version is switched on or off
			versions, err := vault.Versions(state.Secrets, secret)
			if err == nil {
				id := versions[random.IntN(len(versions))].ID
				_, _ = vault.Update(state.Secrets, secret, id, func(v *state.Version) { v.Enabled = !v.Enabled })
			}
		},
		4: func() { _, _ = vault.Delete(state.Secrets, secret) },
		5: func() { _, _ = vault.Recover(state.Secrets, secret) },
		6: func() { // gone for good, and made anew under the same name
			if _, err := vault.Delete(state.Secrets, secret); err == nil {
				_ = vault.Purge(state.Secrets, secret)
				_, _ = vault.Put(state.Secrets, secret, state.Version{Enabled: true, Value: fmt.Sprint("value ", random.Uint32())})
			}
		},
		7: func() { // gone for good, and an older state restored from a backup, with the times that it had
			item, err := vault.Delete(state.Secrets, secret)
			if err == nil {
				_ = vault.Purge(state.Secrets, secret)
				_, _ = vault.Put(state.Secrets, secret, state.Version{
					Enabled: true, Value: fmt.Sprint("value ", random.Uint32()), Created: item.Created.Add(-time.Hour), Updated: item.Updated.Add(-time.Hour),
				})
			}
		},
	}
	if edit, ok := edits[random.IntN(len(edits)+4)]; ok { // sometimes nothing
		edit()
	}
}
