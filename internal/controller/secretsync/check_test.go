package secretsync

import (
	"context"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"secretstore/api/secretsync/v1alpha1"
	"secretstore/internal/fault"
	"secretstore/internal/source"
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

// asked is a Source that notes what it is asked.
type asked struct {
	source.Source

	requests []source.Request
}

func (a *asked) Fetch(_ context.Context, r source.Request) []source.Answer {
	a.requests = append(a.requests, r)
	return nil
}

// TestFetchSaysWhoAsks: a vault tells those who wait that it is their turn, each by its name.
func TestFetchSaysWhoAsks(t *testing.T) {
	t.Parallel()
	vault := &asked{}
	r := &Reconciler{Source: vault}
	queue := workqueue.NewTypedRateLimitingQueue(workqueue.DefaultTypedControllerRateLimiter[reconcile.Request]())
	defer queue.ShutDown()
	r.queue.Store(&queue)
	for _, name := range []string{"a", "b"} {
		sync := &v1alpha1.SecretSync{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: name}}
		c := check{Reconciler: r, in: input{sync: sync}}
		if err := c.fetch(t.Context(), nil); err != nil {
			t.Fatal(err)
		}
	}
	for i, want := range []string{"shop/a", "shop/b"} {
		if got := vault.requests[i].Who; got != want {
			t.Errorf("%q asks, want %q", got, want)
		}
		vault.requests[i].Wake()
		if got, _ := queue.Get(); got.String() != want {
			t.Errorf("%s is woken, want %s", got, want)
		}
	}
}
