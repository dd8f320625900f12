package secretsync

import (
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"secretstore/api/secretsync/v1alpha1"
	"secretstore/internal/fault"
)

// TestStale: a check that asked nothing writes nothing, but only if there is nothing new to say and no Secret to look at.
func TestStale(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		reason string
		change func(*check, *fault.Error)
		want   bool
	}{
		"Told":    {"the status tells of the pause already", func(*check, *fault.Error) {}, true},
		"Sent":    {"what was asked just now is news", func(_ *check, f *fault.Error) { f.Unsent = false }, false},
		"Other":   {"so is another failure", func(_ *check, f *fault.Error) { f.Message = "throttled" }, false},
		"LookDue": {"a Secret that is to be looked at may be gone", func(c *check, _ *fault.Error) { c.lookDue = true }, false},
		"Edited":  {"an edit is to be answered", func(c *check, _ *fault.Error) { c.in.sync.Generation++ }, false},
		"Class":   {"one of the class too", func(c *check, _ *fault.Error) { c.in.inputs = "other" }, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := check{in: checkedAt(clockAt(20, 0))}
			c.in.sync.Status.Conditions = []metav1.Condition{{
				Type: v1alpha1.ConditionUpdate, Status: metav1.ConditionFalse, Reason: v1alpha1.ReasonProviderError, Message: "away",
			}}
			f := &fault.Error{Kind: fault.Unreachable, Message: "away", Unsent: true}
			tc.change(&c, f)
			if got := c.stale(f); got != tc.want {
				t.Errorf("%s: stale is %v", tc.reason, got)
			}
		})
	}
}
