package main

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"secretstore/api/secretsync/v1alpha1"
)

func TestReadSettings(t *testing.T) {
	t.Parallel()
	four := []kind{{shapeA, true}, {shapeA, false}, {shapeB, true}, {shapeB, false}}
	for name, tc := range map[string]struct {
		reason string
		env    map[string]string
		want   settings
		err    string
	}{
		"Nothing": {"the defaults", nil, settings{n: 500, runs: 3, kinds: four, interval: 60}, ""},
		"All": {
			"each is heard",
			map[string]string{"N": "20", "RUNS": "1", "SHAPES": "B", "INTERVAL": "7", "OUT": "f", "CHECK": "1"},
			settings{n: 20, runs: 1, kinds: four[2:], interval: 7, out: "f", check: true},
			"",
		},
		"Many":     {"rounds of many must not overlap", map[string]string{"N": "10000"}, settings{n: 10_000, runs: 3, kinds: four, interval: 840}, ""},
		"NoNumber": {"said by name", map[string]string{"N": "many", "RUNS": "0"}, settings{}, "N is \"many\": it must be a number from 1\nRUNS is \"0\""},
		"Uneven":   {"classes are full", map[string]string{"N": "25"}, settings{}, "N is 25: it must be a multiple of 10"},
		"Shape":    {"there are two", map[string]string{"SHAPES": "A,C"}, settings{}, `SHAPES has "C"`},
	} {
		got, err := readSettings(func(name string) string { return tc.env[name] })
		if tc.err != "" {
			if err == nil || !strings.Contains(err.Error(), tc.err) {
				t.Errorf("%s: %s: got %v, want %q in it", name, tc.reason, err, tc.err)
			}
			continue
		}
		if diff := cmp.Diff(tc.want, got, cmp.AllowUnexported(settings{}, kind{})); err != nil || diff != "" {
			t.Errorf("%s: %s: %v, -want +got\n%s", name, tc.reason, err, diff)
		}
	}
}

func TestReadScaleSettings(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		reason string
		env    map[string]string
		want   scaleSettings
		err    string
	}{
		"Nothing": {"the defaults", nil, scaleSettings{n: 10_000, namespaces: 100, vaults: 5, interval: 600, window: 600}, ""},
		"All": {
			"each is heard",
			map[string]string{"N": "60", "NAMESPACES": "6", "VAULTS": "3", "INTERVAL": "7", "WINDOW": "9"},
			scaleSettings{n: 60, namespaces: 6, vaults: 3, interval: 7, window: 9},
			"",
		},
		"Uneven": {"each namespace is like the others", map[string]string{"N": "1010"}, scaleSettings{}, "N must be a multiple of 10 times NAMESPACES"},
	} {
		got, err := readScaleSettings(func(name string) string { return tc.env[name] })
		if tc.err != "" {
			if err == nil || !strings.Contains(err.Error(), tc.err) {
				t.Errorf("%s: %s: got %v, want %q in it", name, tc.reason, err, tc.err)
			}
			continue
		}
		if diff := cmp.Diff(tc.want, got, cmp.AllowUnexported(scaleSettings{})); err != nil || diff != "" {
			t.Errorf("%s: %s: %v, -want +got\n%s", name, tc.reason, err, diff)
		}
	}
}

// TestPlacesMapWhatTheirShapeSays counts how often each secret of a vault is mapped.
func TestPlacesMapWhatTheirShapeSays(t *testing.T) {
	t.Parallel()
	scale := scaleSettings{n: 120, namespaces: 4, vaults: 2}
	for name, tc := range map[string]struct {
		reason                string
		places                []place
		vaults, classes, each int
	}{
		"A":     {"one class of 10 for all", []place{newPlace(3, 40, kind{shapeA, true})}, 1, 1, 4},
		"B":     {"each object once, in classes of 10", []place{newPlace(3, 40, kind{shapeB, false})}, 1, 4, 1},
		"Scale": {"each secret of each vault once", scale.places(), 2, 12, 1},
	} {
		mapped, secrets, classes := map[string]int{}, map[string]int{}, 0
		for _, p := range tc.places {
			secrets[p.vault.name] = p.vault.secrets
			classes += p.classes()
			for i := range p.syncs {
				s := p.sync("n", i)
				path := s.Spec.SecretObject.Data[0].SourcePath
				mapped[p.vault.name+path]++
				number := p.object(i) / objectsPerClass
				if class := p.class("n", number); class.Name != s.Spec.SecretProviderClassName || !strings.Contains(class.Spec.Parameters["objects"], path) {
					t.Errorf("%s: SecretSync %s maps %s, which its class does not have", name, s.Name, path)
				}
			}
		}
		total := 0
		for _, count := range secrets {
			total += count
		}
		if len(secrets) != tc.vaults || classes != tc.classes || len(mapped) != total {
			t.Errorf("%s: %s: %d vaults with %d secrets, %d of them mapped, %d classes", name, tc.reason, len(secrets), total, len(mapped), classes)
		}
		for path, count := range mapped {
			if count != tc.each {
				t.Errorf("%s: %s: %s is mapped %d times", name, tc.reason, path, count)
			}
		}
	}
}

func TestValuesAre64Bytes(t *testing.T) {
	t.Parallel()
	if len(value(0)) != 64 || len(value(9999)) != 64 || value(1) == value(2) {
		t.Errorf("values: %q, %q", value(1), value(2))
	}
}

func TestServerCounts(t *testing.T) {
	t.Parallel()
	line := func(verb, resource, subresource, dry string, count any) string {
		return fmt.Sprintf("apiserver_request_total{code=\"200\",component=\"apiserver\",dry_run=%q,group=\"\",resource=%q,scope=\"resource\",subresource=%q,verb=%q,version=\"v1\"} %v\n",
			dry, resource, subresource, verb, count)
	}
	for name, tc := range map[string]struct {
		reason  string
		metrics string
		want    server
	}{
		"Secrets":   {"made and changed", line("APPLY", "secrets", "", "", 3) + line("POST", "secrets", "", "", 4), server{writes: 7}},
		"Statuses":  {"of SecretSyncs", line("PATCH", "secretsyncs", "status", "", 5) + line("PUT", "secretsyncs", "status", "", 1), server{writes: 6}},
		"Large":     {"as Prometheus writes a million", line("DELETE", "secrets", "", "", "1.5e+06"), server{writes: 1_500_000}},
		"DryRuns":   {"write nothing", line("PATCH", "secrets", "", "All", 8), server{looks: 8}},
		"DryStatus": {"neither does it", line("PATCH", "secretsyncs", "status", "All", 8), server{}},
		"Events":    {"apart", line("POST", "events", "", "", 9), server{events: 9}},
		"Reads":     {"are no writes", line("GET", "secrets", "", "", 1) + line("WATCH", "secretsyncs", "", "", 1) + line("LIST", "events", "", "", 1), server{}},
		"Others":    {"are not the controller's work", line("POST", "secretsyncs", "", "", 1) + line("PATCH", "akvsyncs", "status", "", 1), server{}},
		"OtherName": {"is another metric", line("GET", "x", "", "", 1) + "apiserver_request_total_of_another{verb=\"POST\",resource=\"secrets\"} 1\n", server{}},
	} {
		got, err := serverCounts(tc.metrics)
		if err != nil || got != tc.want {
			t.Errorf("%s: %s: got %+v, %v, want %+v", name, tc.reason, got, err, tc.want)
		}
	}
	if _, err := serverCounts("another_metric 1\n"); err == nil {
		t.Error("metrics without the one that is counted are not an error, and would count as nothing written")
	}
}

func TestSumOfTheEmulatorsCounters(t *testing.T) {
	t.Parallel()
	got := sum([]counter{
		{"entra", "entra.token", 1},
		{"entra", "entra.discovery", 2},
		{"vault", "challenge", 4},
		{"vault", "secrets.get", 8},
		{"vault", "secrets.list", 16},
		{"vault", "secrets.versions", 32},
		{"vault", "secrets.get", 64},
	})
	want := counts{vault: 124, reads: 72, lists: 48, tokens: 1, entra: 2}
	if got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	full := counts{vault: 1, reads: 2, lists: 3, tokens: 4, entra: 5, server: server{writes: 6, events: 7, looks: 8}}
	if rest := full.minus(full); rest != (counts{}) {
		t.Errorf("nothing was added, and %+v was found", rest)
	}
}

func TestCPUTime(t *testing.T) {
	t.Parallel()
	const stat = "4711 (a (b) c) S 1 2 3 4 5 6 7 8 9 10 123 45 13 14 15"
	if got, err := cpuTime(stat); err != nil || got != 1680*time.Millisecond {
		t.Errorf("got %v, %v", got, err)
	}
	if got, err := cpuTime("4711 (a) S 1 2"); err == nil {
		t.Errorf("a line too short gives %v", got)
	}
}

func TestMedians(t *testing.T) {
	t.Parallel()
	run := func(f int) entry {
		return entry{
			Shape: shapeA, N: 10, Phase: phaseCheck, Sweep: true, WallS: float64(f), FloorS: float64(f), VaultRequests: f, VaultReads: f, VaultLists: f,
			TokenRequests: f, APIServerWrites: f, CPUMsPerObject: float64(f), PeakAnonMiB: float64(f), objects: 10, events: f, entra: f,
		}
	}
	for name, tc := range map[string]struct {
		reason string
		runs   []entry
		want   entry
	}{
		"One":   {"is the median", []entry{run(7)}, run(7)},
		"Two":   {"the worse", []entry{run(7), run(3)}, run(7)},
		"Three": {"the middle, of each figure alone", []entry{run(9), run(1), run(5)}, run(5)},
	} {
		if got := medians(tc.runs); got != tc.want {
			t.Errorf("%s: %s: got %+v", name, tc.reason, got)
		}
	}
}

func TestFloor(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		reason   string
		writes   time.Duration
		requests int
		want     float64
	}{
		"Writes": {"the API server is the slower", 3 * time.Second, 400, 3.04},
		"Reads":  {"the vault's budget is", 3 * time.Second, 1600, 4.04},
	} {
		if got := round(floor(tc.writes, tc.requests, 40*time.Millisecond)); got != tc.want {
			t.Errorf("%s: %s: got %v", name, tc.reason, got)
		}
	}
}

// TestBounds holds entries that keep every bound exactly, and each figure in turn beyond it.
func TestBounds(t *testing.T) {
	t.Parallel()
	createB := entry{
		Shape: shapeB, N: 500, Phase: phaseCreate, WallS: 3, FloorS: 2, VaultRequests: 503, VaultReads: 500, TokenRequests: 1,
		APIServerWrites: 1020, CPUMsPerObject: 3, PeakAnonMiB: 60, objects: 500,
	}
	createA := createB
	createA.Shape, createA.VaultRequests, createA.VaultReads, createA.objects = shapeA, 13, 10, 10
	createB.Sweep = true // values are read one by one all the same
	swept := entry{Shape: shapeB, N: 1000, Phase: phaseCheck, Sweep: true, VaultRequests: 43, CPUMsPerObject: 2, PeakAnonMiB: 60, objects: 1000, WallS: 9}
	read := swept
	read.Sweep, read.VaultRequests = false, 1003
	many := read
	many.N, many.PeakAnonMiB = 10_000, 200
	for name, tc := range map[string]struct {
		entry  entry
		change func(*entry)
		missed []string
	}{
		"CreateA":           {createA, func(*entry) {}, nil},
		"CreateB":           {createB, func(*entry) {}, nil},
		"CheckBySweep":      {swept, func(*entry) {}, nil},
		"CheckByReads":      {read, func(*entry) {}, nil},
		"Many":              {many, func(*entry) {}, nil},
		"Reads":             {createA, func(e *entry) { e.VaultReads++ }, []string{"vault reads"}},
		"Challenges":        {createB, func(e *entry) { e.VaultRequests++ }, []string{"vault requests"}},
		"Tokens":            {createB, func(e *entry) { e.TokenRequests++ }, []string{"token exchanges"}},
		"Time":              {createB, func(e *entry) { e.WallS += 0.1 }, []string{"wall s (1.5 × floor)"}},
		"Writes":            {createB, func(e *entry) { e.APIServerWrites++ }, []string{"API server writes"}},
		"CPUOfACreate":      {createB, func(e *entry) { e.CPUMsPerObject += 0.1 }, []string{"CPU ms per object"}},
		"CPUOfACheck":       {swept, func(e *entry) { e.CPUMsPerObject += 0.1 }, []string{"CPU ms per object"}},
		"Lists":             {swept, func(e *entry) { e.VaultRequests++ }, []string{"vault requests"}},
		"ReadsWithoutLists": {read, func(e *entry) { e.VaultRequests++ }, []string{"vault requests"}},
		"Memory":            {swept, func(e *entry) { e.PeakAnonMiB++ }, []string{"anonymous MiB"}},
		"MemoryOfMany":      {many, func(e *entry) { e.PeakAnonMiB++ }, []string{"anonymous MiB"}},
	} {
		e := tc.entry
		tc.change(&e)
		var missed []string
		for _, b := range bounds(e) {
			if !b.kept() {
				missed = append(missed, b.what)
			}
		}
		if !slices.Equal(missed, tc.missed) {
			t.Errorf("%s: missed are %q, want %q", name, missed, tc.missed)
		}
		if _, count := verdicts([]entry{e, e}); count != 2*len(tc.missed) {
			t.Errorf("%s: %d are counted as missed in two entries", name, count)
		}
	}
}

// TestFollow puts events down that came a second apart.
func TestFollow(t *testing.T) {
	t.Parallel()
	begun := time.Now()
	event := func(kind, name, reason string) string {
		return fmt.Sprintf(`{"type":%q,"object":{"metadata":{"namespace":"n","name":%q},"status":{"conditions":[
			{"type":"Update","reason":%q}]}}}`, kind, name, reason)
	}
	const good, bad = v1alpha1.ReasonUpdateNoValueChangeSucceeded, v1alpha1.ReasonControllerSpcError
	for name, tc := range map[string]struct {
		reason      string
		texts       []string
		first, last int // which event it was
		err         string
	}{
		"Both":   {"from the first to the last", []string{event("MODIFIED", "a", good), event("MODIFIED", "b", good)}, 0, 1, ""},
		"Again":  {"one that is done already moves nothing", []string{event("MODIFIED", "b", good), event("ADDED", "a", good), event("MODIFIED", "b", good)}, 0, 1, ""},
		"Undone": {"one that is no longer as wanted is waited for", []string{event("ADDED", "a", good), event("MODIFIED", "a", bad), event("ADDED", "b", good), event("MODIFIED", "a", good)}, 0, 3, ""},
		"Error":  {"what the API server says is told", []string{`{"type":"ERROR","object":{"message":"too old"}}`}, 0, 0, "too old"},
		"Broken": {"and what is no event", []string{"nonsense"}, 0, 0, "nonsense"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				arrivals := make(chan arrival, len(tc.texts))
				at := func(i int) time.Time { return begun.Add(time.Duration(i) * time.Second) }
				for i, text := range tc.texts {
					arrivals <- arrival{at: at(i), text: []byte(text)}
				}
				f := &follower{arrivals: arrivals, latest: map[client.ObjectKey]*v1alpha1.SecretSync{}}
				first, last, err := f.await(t.Context(), 2, func() error { return nil }, unchanged)
				if tc.err != "" {
					if err == nil || !strings.Contains(err.Error(), tc.err) {
						t.Errorf("%s: %v", tc.reason, err)
					}
					return
				}
				if err != nil || !first.Equal(at(tc.first)) || !last.Equal(at(tc.last)) {
					t.Errorf("%s: from %v to %v, %v", tc.reason, first.Sub(begun), last.Sub(begun), err)
				}
			})
		})
	}
}
