//go:build long

package endurance

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"secretstore/test/cluster"
)

const (
	// syncCount is how many SecretSyncs there are, spread over the vaults.
	syncCount = 60
	// What "flat" allows between the second quarter of the time and the last: the collector's rhythm, and what faults that are
	// at work just then hold.
	memoryGrowth, memorySlack       = 1.15, 4 << 10 // KiB
	goroutineGrowth, goroutineSlack = 1.10, 20
)

// hour is a world in which everything fails now and then.
type hour struct {
	*world
	random  *rand.Rand
	metrics string
	samples []sample
	// faults and restarts count what has gone wrong.
	faults   map[string]int
	restarts int
}

// sample is what the controller holds at one moment.
type sample struct{ kibibytes, goroutines int }

// TestAnHourOfFaults has vaults and Entra fail in all ways that the emulator knows, several at a time, values change, and the API
// server restart. No Secret ever holds what the vault did not, the controller needs no more memory and goroutines with time, and
// in the end all is well by itself.
//
//covers:fault everything-for-an-hour api-server-restarted
func TestAnHourOfFaults(t *testing.T) {
	duration := setting(t, "ENDURANCE_DURATION", time.Hour, time.ParseDuration)
	metrics := freeAddress(t)
	h := &hour{
		world:  newWorld(t, "--rotationPollIntervalInSeconds=10", "--driftCheckIntervalInSeconds=5", "--metricsBindAddress="+metrics),
		random: chance(t), metrics: metrics, faults: map[string]int{},
	}
	for i := range syncCount {
		vault := vaults()[i%len(vaults())]
		h.sync(t, fmt.Sprintf("sync-%02d", i), vault, map[string]string{
			"a": fmt.Sprintf("s-%d", i%secretCount), "b": fmt.Sprintf("s-%d", (i+1)%secretCount),
		})
	}
	cluster.Eventually(t, patience, func() error { return h.settled(t) })
	restartEvery := min(duration/3, 10*time.Minute)
	begin := time.Now()
	for restarted := begin; time.Since(begin) < duration; {
		h.round(t)
		if time.Since(restarted) > restartEvery {
			h.restartAPIServer(t)
			restarted = time.Now()
		}
	}
	h.behave(t, "")
	lifted := time.Now()
	cluster.Eventually(t, patience, func() error { return h.settled(t) })
	t.Logf("%v: faults %v, %d restarts of the API server; all was well %v after the last fault", duration, h.faults, h.restarts,
		time.Since(lifted).Round(time.Second))
	h.checkFlat(t)
	if err := h.stack.Controller.Ended(); err != nil {
		t.Error(err)
	}
}

// freeAddress is a loopback address with a port that nobody uses at the moment.
func freeAddress(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().String()
}

// round changes some values while all is well, and lets some things fail for a while.
func (h *hour) round(t *testing.T) {
	t.Helper()
	h.behave(t, "")
	for range 1 + h.random.IntN(4) {
		h.set(t, vaults()[h.random.IntN(len(vaults()))], fmt.Sprintf("s-%d", h.random.IntN(secretCount)))
	}
	h.pass(t, time.Duration(h.random.IntN(4000))*time.Millisecond)
	list := make([]string, 0, 4)
	for range 1 + h.random.IntN(4) {
		list = append(list, h.fault())
	}
	h.behave(t, strings.Join(list, ","))
	h.pass(t, time.Duration(1000+h.random.IntN(12000))*time.Millisecond)
	secrets, err := h.secrets(t)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range h.wanted {
		if err := h.good(want, secrets[name]); err != nil {
			t.Fatalf("while %v: Secret %s: %v", list, name, err)
		}
	}
}

// kinds are the faults that there are, as the admin endpoint takes them but for the place.
func kinds() []string {
	return []string{
		`"kind":"latency","latencyMilliseconds":1500`, `"kind":"unreachable"`, `"kind":"refuse"`, `"kind":"hang"`, `"kind":"garbage"`,
		`"kind":"cut"`, `"kind":"status","status":500`, `"kind":"status","status":503,"retryAfterSeconds":2`, `"kind":"status","status":429`,
		`"kind":"status","status":429,"retryAfterSeconds":2`, `"kind":"status","status":401`, `"kind":"status","status":403`,
		`"kind":"status","status":404`,
	}
}

// fault draws a fault and where it is: Entra, all vaults, one vault, or everywhere.
func (h *hour) fault() string {
	places := []string{`,"service":"entra"`, `,"service":"vault"`, ``}
	for _, vault := range vaults() {
		places = append(places, fmt.Sprintf(`,"service":"vault","vault":%q`, vault))
	}
	kind := kinds()[h.random.IntN(len(kinds()))]
	h.faults[strings.NewReplacer(`"kind":`, "", `"`, "").Replace(kind)]++
	return "{" + kind + places[h.random.IntN(len(places))] + "}"
}

// behave sets the faults; the vaults' limits are low now and then too.
func (h *hour) behave(t *testing.T, faults string) {
	t.Helper()
	limits := ""
	if faults != "" && h.random.IntN(3) == 0 {
		h.faults["limit"]++
		limits = `{"requests":3,"perSeconds":5,"retryAfterSeconds":1}`
	}
	if err := h.stack.Behave(t.Context(), fmt.Sprintf(`{"faults":[%s],"limits":[%s]}`, faults, limits)); err != nil {
		t.Fatal(err)
	}
}

// pass lets time pass and takes a sample each second.
func (h *hour) pass(t *testing.T, d time.Duration) {
	t.Helper()
	for ; d > 0; d -= time.Second {
		pause(t, min(d, time.Second))
		kibibytes, err := anonymous(h.stack.Controller.PID())
		if err != nil {
			t.Fatal(err)
		}
		goroutines, err := h.goroutines(t)
		if err != nil {
			t.Fatal(err)
		}
		h.samples = append(h.samples, sample{kibibytes, goroutines})
	}
}

func (h *hour) restartAPIServer(t *testing.T) {
	t.Helper()
	h.restarts++
	if err := shared.StopAPIServer(); err != nil {
		t.Fatal(err)
	}
	h.pass(t, time.Duration(h.random.IntN(5000))*time.Millisecond)
	if err := shared.StartAPIServer(); err != nil {
		t.Fatal(err)
	}
}

// anonymous is the resident memory of a process that no file stands behind, in KiB.
func anonymous(pid int) (int, error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	found := regexp.MustCompile(`(?m)^RssAnon:\s+(\d+) kB$`).FindSubmatch(status)
	if found == nil {
		return 0, errors.New("the process's status does not give its RssAnon")
	}
	return strconv.Atoi(string(found[1]))
}

// goroutines asks the controller's metrics.
func (h *hour) goroutines(t *testing.T) (int, error) {
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+h.metrics+"/metrics", nil)
	if err != nil {
		return 0, err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return 0, err
	}
	found := regexp.MustCompile(`(?m)^go_goroutines (\d+)$`).FindSubmatch(body)
	if found == nil {
		return 0, errors.New("the metrics do not give go_goroutines")
	}
	return strconv.Atoi(string(found[1]))
}

// checkFlat compares the second quarter of the time, when all caches are warm, with the last.
func (h *hour) checkFlat(t *testing.T) {
	t.Helper()
	quarter := len(h.samples) / 4
	if quarter == 0 {
		t.Fatalf("only %d samples were taken: ENDURANCE_DURATION is too short", len(h.samples))
	}
	second, last := h.samples[quarter:2*quarter], h.samples[3*quarter:]
	for what, tc := range map[string]struct {
		of            func(sample) int
		growth, slack float64
	}{
		"KiB of anonymous memory": {func(s sample) int { return s.kibibytes }, memoryGrowth, memorySlack},
		"goroutines":              {func(s sample) int { return s.goroutines }, goroutineGrowth, goroutineSlack},
	} {
		before, after := median(second, tc.of), median(last, tc.of)
		t.Logf("%s: median %d in the second quarter, %d in the last; by eighths: %v", what, before, after, h.eighths(tc.of))
		if most := float64(before)*tc.growth + tc.slack; float64(after) > most {
			t.Errorf("%s: %d in the second quarter and %d in the last, want at most %.0f", what, before, after, most)
		}
	}
}

// eighths are the medians of eight parts of the time, which show whether a growth ends.
func (h *hour) eighths(of func(sample) int) []int {
	const parts = 8
	var medians []int
	for part := range slices.Chunk(h.samples, (len(h.samples)+parts-1)/parts) {
		medians = append(medians, median(part, of))
	}
	return medians
}

func median(samples []sample, of func(sample) int) int {
	values := make([]int, 0, len(samples))
	for _, s := range samples {
		values = append(values, of(s))
	}
	slices.Sort(values)
	return values[len(values)/2]
}
