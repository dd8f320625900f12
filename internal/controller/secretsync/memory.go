package secretsync

import (
	"slices"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"secretstore/internal/source"
)

// Memory is what the controller remembers of SecretSyncs from one check to the next, besides what their statuses say. All of it
// may be lost: then a value is read that was known to be unchanged, or an edit is seen to a little earlier. It is safe for
// concurrent use; the zero value is ready.
type Memory struct {
	mu sync.Mutex
	of map[types.NamespacedName]remembered
}

type remembered struct {
	// news is when the latest news came that has not been seen to: the SecretSync, its class or its account was made or edited.
	news time.Time
	// confirm is when a check is due in any case, after an answer that was perhaps too old or in an outage, that takes no answer
	// from before confirmed; zero for none.
	confirm, confirmed time.Time
	// inputs is what the check used that stamps come from.
	inputs string
	stamps []source.Stamp
}

func (r remembered) empty() bool {
	return r.news.IsZero() && r.confirm.IsZero() && len(r.stamps) == 0
}

// recall gives what is remembered of a SecretSync.
func (m *Memory) recall(name types.NamespacedName) remembered {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.of[name]
}

func (m *Memory) change(name types.NamespacedName, change func(*remembered)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	one := m.of[name]
	change(&one)
	if one.empty() {
		delete(m.of, name)
		return
	}
	if m.of == nil {
		m.of = map[types.NamespacedName]remembered{}
	}
	m.of[name] = one
}

// note remembers that there is news of a SecretSync.
func (m *Memory) note(name types.NamespacedName, now time.Time) {
	m.change(name, func(r *remembered) { r.news = now })
}

// checked remembers what a check that began at a time has shown. What came after it stays.
func (m *Memory) checked(name types.NamespacedName, began time.Time, shown remembered) {
	m.change(name, func(r *remembered) {
		if r.news.After(began) {
			shown.news = r.news
		}
		*r = shown
	})
}

// forget drops what is remembered of a SecretSync that is gone.
func (m *Memory) forget(name types.NamespacedName) {
	m.change(name, func(r *remembered) { *r = remembered{} })
}

// confirmAfter is how long after a check that took an answer from before the news it is done once more. An answer serves all who
// ask within half a minute; somebody who sets a value and then makes a SecretSync of it is to get that value all the same.
const confirmAfter = 30 * time.Second

// learn turns the answers of a successful check into what is to be remembered of it.
func (o occasion) learn(in input, answers []source.Answer, now time.Time) remembered {
	shown := remembered{inputs: in.inputs}
	oldest := now
	for _, answer := range answers {
		shown.stamps = append(shown.stamps, answer.Stamp)
		if answer.Read.Before(oldest) {
			oldest = answer.Read
		}
	}
	if !slices.ContainsFunc(shown.stamps, func(s source.Stamp) bool { return s != source.Stamp{} }) {
		shown.stamps = nil
	}
	if oldest.Before(o.news) {
		shown.confirm, shown.confirmed = now.Add(confirmAfter), o.news
	}
	return shown
}

// seen are the stamps to ask with: those of the latest check, if it used the same and went well.
func (r remembered) seen(in input) []source.Stamp {
	if r.inputs != in.inputs || !healthy(in.sync.Status) {
		return nil
	}
	return r.stamps
}
