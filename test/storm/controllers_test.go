//go:build long

package storm

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strconv"
	"testing"
	"time"

	"secretstore/test/cluster"
)

// startAll starts the controllers of all sites, with default settings but for where they serve and listen.
func (f *fleet) startAll(t *testing.T) {
	t.Helper()
	for _, s := range f.sites {
		var err error
		s.controller, err = f.stack.StartReplica(t.Context(), "--namespaces="+s.namespace, "--metricsBindAddress="+s.metrics)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = s.controller.Stop() }) // the latest; one that was killed before has ended
	}
}

// killAll ends all controllers without a word.
func (f *fleet) killAll(t *testing.T) {
	t.Helper()
	for _, s := range f.sites {
		if err := s.controller.Kill(); err != nil {
			t.Fatal(err)
		}
	}
}

// ended says which controllers have ended by themselves.
func (f *fleet) ended() error {
	var errs []error
	for _, s := range f.sites {
		errs = append(errs, s.controller.Ended())
	}
	return errors.Join(errs...)
}

// awaitLooked waits until every controller has taken each of its SecretSyncs from its queue once since it started.
func (f *fleet) awaitLooked(t *testing.T, patience time.Duration) {
	t.Helper()
	for _, s := range f.sites {
		cluster.Eventually(t, patience, func() error {
			looked, err := s.reconciled(t)
			if err == nil && looked < f.objects {
				err = fmt.Errorf("%d of %d SecretSyncs in %s were looked at", looked, f.objects, s.namespace)
			}
			return errors.Join(err, s.controller.Ended())
		})
	}
}

// reconciled is how often the site's controller has considered a SecretSync.
func (s *site) reconciled(t *testing.T) (int, error) {
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+s.metrics+"/metrics", nil)
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
	total := 0
	for _, found := range reconcileCounts().FindAllSubmatch(body, -1) {
		n, err := strconv.Atoi(string(found[1]))
		if err != nil {
			return 0, err
		}
		total += n
	}
	return total, nil
}

func reconcileCounts() *regexp.Regexp {
	return regexp.MustCompile(`(?m)^controller_runtime_reconcile_total\{controller="secretsync",.*\} (\d+)$`)
}
