package akv

import (
	"strings"
	"sync"
	"time"

	"secretstore/internal/source"
)

const (
	// doubt is how long before it was read an object must have changed last for its state to be trusted, in seconds: Key Vault
	// knows whole seconds only, so that a second change within the same one leaves no trace.
	doubt = 2
	// refusedFor is how long an identity that may not list is not tried again. Who edits something may try at once.
	refusedFor = 24 * time.Hour
)

// sweep decides when listing all objects of a kind is cheaper than reading those that are asked for.
type sweep struct {
	mu      sync.Mutex
	due     map[string]time.Time // by name: when it is asked for next
	pages   int                  // of the latest list, or more than that; 0 if it is not known
	refused time.Time            // when listing was refused; zero if it was not
}

func newSweep() *sweep { return &sweep{due: map[string]time.Time{}} }

// expect notes when an object is asked for next.
func (s *sweep) expect(name string, at time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.due[strings.ToLower(name)] = at
}

// worthwhile gives how many pages a list may have to be worth its requests now: half of the objects that are due as long as it
// serves. It gives 0 if it is known not to be.
func (s *sweep) worthwhile(now time.Time) (pages int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.refused.IsZero() && now.Sub(s.refused) < refusedFor {
		return 0
	}
	due := 0
	for name, at := range s.due {
		switch {
		case now.Sub(at) > refusedFor: // nobody asks for it any more
			delete(s.due, name)
		case at.Sub(now) <= shareFor:
			due++
		}
	}
	const half = 2
	if due/half < s.pages {
		return 0
	}
	return due / half
}

// longer is how long a list counts as that was given up after so many pages: twice as long. Otherwise each further object
// that is due would have one page more of it read in vain, until as many pages were wasted as the square of the objects.
func longer(pages int) int { return 2 * pages }

// listed notes how many pages a list had, or counts as having.
func (s *sweep) listed(pages int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pages = pages
}

// refuse notes that the identity may not list.
func (s *sweep) refuse(now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refused = now
}

// edited notes when somebody changed what is asked for: listing may be worth trying again.
func (s *sweep) edited(at time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if at.After(s.refused) {
		s.refused = time.Time{}
	}
}

// unchanged says whether a list shows an object as it was when it was read.
func (l listing) unchanged(name string, seen source.Stamp) bool {
	e, listed := l.byName[strings.ToLower(name)]
	return listed && e.enabled && e.String() == seen.Versions && settled(seen, e.updated)
}

// settled says whether what was last changed at updated had been read long enough afterwards to have been read as it is.
func settled(seen source.Stamp, updated int64) bool {
	return seen.Read > 0 && updated < seen.Read-doubt
}
