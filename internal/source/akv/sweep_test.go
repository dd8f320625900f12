package akv

import (
	"fmt"
	"testing"
	"time"

	"secretstore/internal/source"
)

func TestUnchanged(t *testing.T) {
	t.Parallel()
	seen := source.Stamp{Versions: state{created: 10, updated: 20}.String(), Updated: 20, Read: 30}
	for name, tc := range map[string]struct {
		reason string
		entry  entry
		seen   source.Stamp
		want   bool
	}{
		"Same":      {"as it was seen", entry{name: "DB", state: state{10, 20}, enabled: true}, seen, true},
		"Updated":   {"changed since", entry{name: "db", state: state{10, 21}, enabled: true}, seen, false},
		"Version":   {"another version", entry{name: "db", state: state{11, 20}, enabled: true}, seen, false},
		"Disabled":  {"switched off", entry{name: "db", state: state{10, 20}}, seen, false},
		"Gone":      {"not listed", entry{name: "other", state: state{10, 20}, enabled: true}, seen, false},
		"InDoubt":   {"read within the seconds of its change", entry{name: "db", state: state{10, 20}, enabled: true}, source.Stamp{Versions: seen.Versions, Updated: 20, Read: 22}, false},
		"JustAfter": {"read after them", entry{name: "db", state: state{10, 20}, enabled: true}, source.Stamp{Versions: seen.Versions, Updated: 20, Read: 23}, true},
		"NoStamp":   {"never read", entry{name: "db", enabled: true}, source.Stamp{}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := (listing{byName: byName([]entry{tc.entry})}).unchanged("db", tc.seen); got != tc.want {
				t.Errorf("%s: unchanged is %v", tc.reason, got)
			}
		})
	}
}

func TestWorthwhile(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	for name, tc := range map[string]struct {
		reason  string
		due     int // within half a minute
		later   int // after that
		pages   int
		refused time.Duration // ago; 0 for never
		want    int
	}{
		"One":          {"one object is read", 1, 0, 0, 0, 0},
		"Two":          {"two are worth a page", 2, 0, 0, 0, 1},
		"Many":         {"a hundred are worth 50 pages, if there are not more", 100, 0, 50, 0, 50},
		"TooLong":      {"but not 51", 100, 0, 51, 0, 0},
		"Later":        {"what is due later is another list's", 1, 100, 0, 0, 0},
		"RefusedError": {"who may not list does not ask again", 100, 0, 0, time.Hour, 0},
		"Yesterday":    {"until a day has passed", 100, 0, 0, 25 * time.Hour, 50},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSweep()
			for i := range tc.due {
				s.expect(fmt.Sprint("Due-", i), now.Add(30*time.Second))
			}
			for i := range tc.later {
				s.expect(fmt.Sprint("later-", i), now.Add(31*time.Second))
			}
			s.expect("forgotten", now.Add(-25*time.Hour))
			s.listed(tc.pages)
			if tc.refused > 0 {
				s.refuse(now.Add(-tc.refused))
			}
			if got := s.worthwhile(now); got != tc.want {
				t.Errorf("%s: %d pages", tc.reason, got)
			}
			s.edited(now)
			if got := s.worthwhile(now); tc.refused > 0 && got == 0 {
				t.Errorf("%s: after an edit %d pages", tc.reason, got)
			}
		})
	}
}

// TestAListThatIsTooLongIsGivenUpSeldom has more and more objects become due together, as they do in the first interval
// after many were made, and a list that is longer than any of them is worth.
func TestAListThatIsTooLongIsGivenUpSeldom(t *testing.T) {
	t.Parallel()
	const most = 200
	now := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	s, vain := newSweep(), 0
	for i := range most {
		s.expect(fmt.Sprint("due-", i), now)
		if pages := s.worthwhile(now); pages > 0 {
			vain += pages
			s.listed(longer(pages))
		}
	}
	if vain > most {
		t.Errorf("%d pages were read in vain for %d objects: looking for what is cheaper costs more than reading each", vain, most)
	}
}
