package takeover_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"secretstore/test/cluster"
	"secretstore/test/rig"
)

const patience = 60 * time.Second

func eventually(t *testing.T, is func() bool) {
	t.Helper()
	cluster.Eventually(t, patience, func() error {
		if !is() {
			return fmt.Errorf("not yet")
		}
		return nil
	})
}

// record records until the test ends.
func record(t *testing.T) *rig.Recorder {
	t.Helper()
	recorder, err := shared.Record(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(recorder.Stop)
	return recorder
}

// expectViolations fails unless the violations that name a namespace are those wanted, in order: each a part of what is said.
func expectViolations(t *testing.T, recorder *rig.Recorder, namespace string, wanted ...string) {
	t.Helper()
	violations, err := recorder.Violations(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var found []rig.Violation
	for _, v := range violations {
		if strings.Contains(v.What, " "+namespace) {
			found = append(found, v)
		}
	}
	for i, v := range found {
		if i >= len(wanted) {
			t.Errorf("unexpected violation: %s", v)
		} else if !strings.Contains(v.What, wanted[i]) {
			t.Errorf("violation %s, want %q", v, wanted[i])
		}
	}
	if len(found) < len(wanted) {
		t.Errorf("%d violations, want %q; seen was:\n%s", len(found), wanted, strings.Join(recorder.Timeline(), "\n"))
	}
}
