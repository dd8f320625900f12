package akvsync

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"secretstore/api/secretsync/v1alpha1"
	"secretstore/internal/spcparams"
)

// meaning is what the keys of a SecretSync's Secret get, as "VERSION of OBJECT"; "nothing" is a path that the class does not give.
func (w *world) meaning(name string) map[string]string {
	sync := w.syncs[name]
	if sync == nil {
		return nil
	}
	params, _ := spcparams.Parse(w.class.Spec.Parameters)
	out := map[string]string{}
	for _, d := range sync.Spec.SecretObject.Data {
		ref, err := params.Resolve(d.SourcePath)
		if err != nil {
			out[d.TargetKey] = "nothing"
			continue
		}
		out[d.TargetKey] = fmt.Sprintf("%d of %s", ref.Version, strings.ToLower(params.Objects[ref.Object].Name))
	}
	return out
}

// meanings are those of all SecretSyncs.
func (w *world) meanings() map[string]map[string]string {
	out := map[string]map[string]string{}
	for name := range w.syncs {
		out[name] = w.meaning(name)
	}
	return out
}

// asked is what the entries mean, without a cluster.
func asked(spec v1alpha1.AKVSyncSpec) map[string]map[string]string {
	out := map[string]map[string]string{}
	secrets, _ := translate(spec)
	for _, s := range secrets {
		out[s.name] = map[string]string{}
		for _, i := range s.items {
			out[s.name][i.key] = fmt.Sprintf("%d of %s", i.version, strings.ToLower(i.object))
		}
	}
	return out
}

// TestRandomEdits edits an AKVSync again and again, also while an earlier edit is still being carried out, and deletes and edits
// what it generated. After every step each SecretSync means what it meant before or what it is to mean, and never nothing; in
// the end there is exactly what is asked for.
func TestRandomEdits(t *testing.T) {
	t.Parallel()
	for seed := range uint64(30) {
		r := rand.New(rand.NewPCG(seed, 2))
		w := newWorld()
		for range 12 {
			editAtRandom(r, w)
			for range r.IntN(6) { // not always to the end
				walk(t, seed, w)
			}
		}
		w.settle(t)
		if diff := cmp.Diff(asked(w.sync.Spec), w.meanings()); diff != "" {
			t.Fatalf("seed %d: in the end (-asked +there):\n%s", seed, diff)
		}
		secrets, n := translate(w.sync.Spec)
		params := resolved(t, secrets, n)
		if diff := cmp.Diff(params.Parameters(), w.class.Spec.Parameters); diff != "" {
			t.Fatalf("seed %d: the class in the end (-want +got):\n%s", seed, diff)
		}
	}
}

// editAtRandom changes what is asked for, or deletes or edits a generated object as somebody might by hand.
func editAtRandom(r *rand.Rand, w *world) {
	switch r.IntN(6) {
	case 0:
		if names := slices.Sorted(maps.Keys(w.syncs)); len(names) > 0 {
			delete(w.syncs, names[r.IntN(len(names))])
		}
	case 1:
		if w.class != nil {
			w.class.Spec.SecretObjects = nil
			w.class.Labels = nil
		}
	default:
		before := map[string]string{}
		for name, sync := range w.syncs {
			before[name] = sync.Spec.SecretObject.Type
		}
		for { // one whose types are those of what is there: they cannot change
			w.sync.Spec.Objects = randomEntries(r)
			secrets, _ := translate(w.sync.Spec)
			same := true
			for _, s := range secrets {
				same = same && (before[s.name] == "" || before[s.name] == string(s.kind))
			}
			if same {
				return
			}
		}
	}
}

// walk takes one step and looks at what every SecretSync means afterwards.
func walk(t *testing.T, seed uint64, w *world) {
	t.Helper()
	before, goal := w.meanings(), asked(w.sync.Spec)
	w.step()
	for name, means := range w.meanings() {
		if !cmp.Equal(means, before[name]) && !cmp.Equal(means, goal[name]) {
			t.Fatalf("seed %d: SecretSync %s means %v; before it was %v, it is to be %v", seed, name, means, before[name], goal[name])
		}
		for key, value := range means {
			if value == "nothing" {
				t.Fatalf("seed %d: key %s of SecretSync %s refers to nothing", seed, key, name)
			}
		}
	}
}
