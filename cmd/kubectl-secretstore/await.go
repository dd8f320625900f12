package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/wait"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"secretstore/api/secretsync/v1alpha1"
)

// pollInterval is how often the cluster is asked how far the checks are. It is asked for all of them at once.
const pollInterval = 500 * time.Millisecond

// firstProgress is after how long a user who waits is told what for, and each time after twice as long.
const firstProgress = 2 * time.Second

// await waits until each check has ended, and says what came of it.
func (f force) await(ctx context.Context, cluster syncs, p program, forced []v1alpha1.SecretSync) error {
	due := make(map[types.NamespacedName]int64, len(forced))
	for _, sync := range forced {
		due[client.ObjectKeyFromObject(&sync)] = sync.Generation
	}
	w := waiting{program: p, due: due, total: len(due), start: p.clock.Now(), progress: firstProgress}
	limited, cancel := context.WithTimeout(ctx, f.timeout)
	defer cancel()
	err := wait.PollUntilContextCancel(limited, pollInterval, true, func(ctx context.Context) (bool, error) {
		found, err := cluster.find(ctx, f.selection)
		if err != nil && found == nil {
			return false, err
		}
		err = w.look(found)
		return len(w.due) == 0, err
	})
	switch {
	case ctx.Err() != nil:
		return errors.New("interrupted; the checks go on")
	case expired(limited) && len(w.due) > 0:
		return fmt.Errorf("%d of %s did not end within %s: %s: see that the controller runs, or wait longer by --timeout",
			len(w.due), plural(w.total, "check"), f.timeout, w.names())
	case err != nil:
		return err
	case w.failed > 0:
		return fmt.Errorf("%d of %s failed", w.failed, plural(w.total, "check"))
	default:
		return nil
	}
}

// expired tells whether the time is up. A request that a deadline ends may fail just before the context says so.
func expired(ctx context.Context) bool {
	deadline, limited := ctx.Deadline()
	return limited && time.Until(deadline) <= 0
}

// waiting is how far the checks are.
type waiting struct {
	program

	// due maps those whose check has not ended yet to the generation that it must have used.
	due           map[types.NamespacedName]int64
	total, failed int
	start         time.Time
	// progress is after how long the user is told next.
	progress time.Duration
}

// look takes those whose check has ended off the list and tells of them; then of the others, when it is time to.
func (w *waiting) look(found []v1alpha1.SecretSync) error {
	var news strings.Builder
	seen := map[types.NamespacedName]bool{}
	for _, sync := range found {
		key := client.ObjectKeyFromObject(&sync)
		seen[key] = true
		if generation, due := w.due[key]; due && sync.Status.ObservedGeneration >= generation {
			delete(w.due, key)
			news.WriteString(w.outcome(entryOf(sync)))
		}
	}
	for _, key := range w.sorted() {
		if !seen[key] {
			delete(w.due, key)
			w.failed++
			fmt.Fprintf(&news, "%s: deleted meanwhile\n", key)
		}
	}
	if elapsed := w.clock.Since(w.start); elapsed >= w.progress && len(w.due) > 0 {
		w.progress = 2 * elapsed
		w.note(fmt.Sprintf("waiting: %d of %s ended; not yet: %s", w.total-len(w.due), plural(w.total, "check"), w.names()))
	}
	return w.print(news.String())
}

// outcome says what came of a check.
func (w *waiting) outcome(e entry) string {
	if e.Health == healthy {
		return fmt.Sprintf("%s/%s: %s\n", e.Namespace, e.Name, e.Reason)
	}
	w.failed++
	return textView{now: w.clock.Now(), namespaces: true}.trouble(e)
}

// names lists some of those whose check has not ended.
func (w *waiting) names() string {
	const most = 5
	keys := w.sorted()
	names := make([]string, 0, most)
	for _, key := range keys[:min(most, len(keys))] {
		names = append(names, key.String())
	}
	text := strings.Join(names, ", ")
	if more := len(keys) - most; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}

func (w *waiting) sorted() []types.NamespacedName {
	keys := make([]types.NamespacedName, 0, len(w.due))
	for key := range w.due {
		keys = append(keys, key)
	}
	slices.SortFunc(keys, func(a, b types.NamespacedName) int { return strings.Compare(a.String(), b.String()) })
	return keys
}
