package main

import (
	"bytes"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/go-logr/logr"
	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"secretstore/test/narrator"
)

// TestBench measures a small trial of each shape, and a small steady state, from end to end. They share what takes long to start.
func TestBench(t *testing.T) {
	t.Parallel()
	log.SetLogger(logr.Discard())
	trials := settings{n: 40, runs: 1, kinds: []kind{{shapeA, true}, {shapeB, false}}, interval: 6}
	scale := scaleSettings{n: 40, namespaces: 4, vaults: 2, interval: 3, window: 4}
	said := &bytes.Buffer{}
	l, err := openLab(t.Context(), narrator.Plain(said), slices.Concat(trials.places(), scale.places()))
	if err != nil {
		t.Fatalf("%v; it said:\n%s", err, said)
	}
	t.Cleanup(func() {
		if err := l.close(); err != nil {
			t.Error(err)
		}
		if t.Failed() {
			t.Logf("it said:\n%s", said)
		}
		if strings.Contains(said.String(), value(1)) {
			t.Error("it shows a value")
		}
	})
	// The steady state comes first: its controller serves all namespaces, and those of the trials serve their own.
	t.Run("Scale", func(t *testing.T) { testScale(t, l, scale) })
	t.Run("Trials", func(t *testing.T) { testTrials(t, l, trials) })
}

func testTrials(t *testing.T, l *lab, s settings) {
	s.out = filepath.Join(t.TempDir(), "figures.json")
	entries, err := measure(t.Context(), l, s)
	if err != nil {
		t.Fatal(err)
	}
	if want, got := phases(), namesOf(entries); !slices.Equal(want, got) {
		t.Fatalf("there are the entries %q, want %q", got, want)
	}
	for _, e := range entries {
		checkEntry(t, e)
	}
	var said bytes.Buffer
	if err := conclude(narrator.Plain(&said), s, entries); err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{"RATIO", "AT MOST", "  ok\n", "bounds are missed"} {
		if !strings.Contains(said.String(), text) {
			t.Errorf("it does not say %q:\n%s", text, said.String())
		}
	}
	checkJSON(t, s.out)
}

func phases() []string {
	return []string{"A create yes", "A check yes", "B create no", "B check no"}
}

func namesOf(entries []entry) []string {
	var names []string
	for _, e := range entries {
		names = append(names, e.Shape+" "+e.Phase+" "+yesNo(e.Sweep))
	}
	return names
}

// checkEntry looks for figures that cannot be: those that are counted must be those of the controller's work.
func checkEntry(t *testing.T, e entry) {
	t.Helper()
	writes, tokens := e.N, 0 // a status for each
	if e.Phase == phaseCreate {
		writes, tokens = 2*e.N, 1 // and a Secret
		if e.VaultReads != e.objects {
			t.Errorf("%d objects, and %d reads", e.objects, e.VaultReads)
		}
	}
	if e.APIServerWrites < writes || e.APIServerWrites > writes+spare {
		t.Errorf("%d writes, want %d", e.APIServerWrites, writes)
	}
	if e.TokenRequests != tokens {
		t.Errorf("%d tokens, want %d", e.TokenRequests, tokens)
	}
	if e.VaultRequests < e.VaultReads+e.VaultLists {
		t.Errorf("%d requests to the vault, with %d reads and %d lists among them", e.VaultRequests, e.VaultReads, e.VaultLists)
	}
	if e.WallS <= 0 || e.FloorS < 2*latency/1000.0 {
		t.Errorf("it took %v s, the floor %v s with two answers after %d ms", e.WallS, e.FloorS, latency)
	}
	if e.CPUMsPerObject <= 0 || e.PeakAnonMiB < 5 || e.PeakAnonMiB > 500 {
		t.Errorf("%v ms of CPU an object and %v MiB cannot be", e.CPUMsPerObject, e.PeakAnonMiB)
	}
	if t.Failed() {
		t.Logf("in %+v", e)
	}
}

// checkJSON compares the members of each entry with those that are promised.
func checkJSON(t *testing.T, path string) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var list []map[string]any
	if err := json.Unmarshal(text, &list); err != nil {
		t.Fatal(err)
	}
	if len(list) != len(phases()) {
		t.Errorf("%d entries in the file", len(list))
	}
	want := []string{
		"apiserver_writes", "cpu_ms_per_object", "floor_s", "n", "peak_anon_mib", "phase", "shape", "sweep", "token_requests",
		"vault_lists", "vault_reads", "vault_requests", "wall_s",
	}
	for _, one := range list {
		if diff := cmp.Diff(want, slices.Sorted(maps.Keys(one))); diff != "" {
			t.Errorf("members: -want +got\n%s", diff)
		}
	}
}

func testScale(t *testing.T, l *lab, s scaleSettings) {
	found, err := measureScale(t.Context(), l, s)
	if err != nil {
		t.Fatal(err)
	}
	if found.asked.writes < s.n || found.asked.writes > 3*s.n {
		t.Errorf("%d writes in %v, when %d statuses were due every %d s", found.asked.writes, found.took, s.n, s.interval)
	}
	if found.synced <= 0 || found.asked.events > s.n || found.asked.tokens > s.namespaces {
		t.Errorf("these are not its own: %+v", found)
	}
	if found.cpu <= 0 || found.peak < 5 || found.took.Seconds() < float64(s.window) {
		t.Errorf("figures that cannot be: %+v", found)
	}
	text := found.markdown()
	if !strings.HasPrefix(text, "| 40 SecretSyncs in 4 namespaces, 2 vaults, checked every 3 s |  |\n|---|---|\n") {
		t.Errorf("it is no table:\n%s", text)
	}
	t.Log(text)
}

// TestConcludeFailsOnlyIfAsked misses a bound.
func TestConcludeFailsOnlyIfAsked(t *testing.T) {
	t.Parallel()
	missing := []entry{{Shape: shapeA, N: 10, Phase: phaseCheck, Sweep: true, PeakAnonMiB: 1000, FloorS: 1}}
	for _, check := range []bool{false, true} {
		var said bytes.Buffer
		err := conclude(narrator.Plain(&said), settings{runs: 1, check: check}, missing)
		if (err != nil) != check {
			t.Errorf("with check %v it gives %v", check, err)
		}
	}
}
