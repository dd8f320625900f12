package main

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/types"
	clocktesting "k8s.io/utils/clock/testing"

	"secretstore/api/secretsync/v1alpha1"
)

// waitingFor waits since noon for generation 2 of the SecretSyncs.
func waitingFor(p program, found ...v1alpha1.SecretSync) waiting {
	w := waiting{program: p, due: map[types.NamespacedName]int64{}, total: len(found), start: noon, progress: firstProgress}
	for _, sync := range found {
		w.due[types.NamespacedName{Namespace: sync.Namespace, Name: sync.Name}] = 2
	}
	return w
}

// at is a SecretSync whose latest check used a generation and gave a reason.
func at(name string, generation int64, reason string) v1alpha1.SecretSync {
	sync := named("shop", name, condition("Create", "True", reason, "what is wrong", noon))
	sync.Status.ObservedGeneration = generation
	return sync
}

func TestLook(t *testing.T) {
	t.Parallel()
	const good, bad = v1alpha1.ReasonUpdateNoValueChangeSucceeded, v1alpha1.ReasonProviderError
	for name, tc := range map[string]struct {
		reason string
		found  []v1alpha1.SecretSync
		due    string
		failed int
		out    string
	}{
		"Old":     {"the outcome of an earlier check is none", []v1alpha1.SecretSync{at("a", 1, bad), at("b", 1, good)}, "shop/a, shop/b", 0, ""},
		"One":     {"each is told when it ends", []v1alpha1.SecretSync{at("a", 2, good), at("b", 1, good)}, "shop/b", 0, "shop/a: " + good + "\n"},
		"Newer":   {"a later change was checked too", []v1alpha1.SecretSync{at("a", 3, good), at("b", 1, good)}, "shop/b", 0, "shop/a: " + good + "\n"},
		"Failed":  {"a failure is told in full", []v1alpha1.SecretSync{at("a", 2, bad), at("b", 2, good)}, "", 1, "shop/a: ProviderError for 0s\n  what is wrong\nshop/b: " + good + "\n"},
		"Deleted": {"one that is gone has no outcome", []v1alpha1.SecretSync{at("a", 1, good)}, "shop/a", 1, "shop/b: deleted meanwhile\n"},
		"Others":  {"those that were not forced are none of our business", []v1alpha1.SecretSync{at("a", 1, good), at("b", 1, good), at("c", 9, bad)}, "shop/a, shop/b", 0, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, out, errOut := streams()
			w := waitingFor(p, named("shop", "a"), named("shop", "b"))
			if err := errors.Join(w.look(tc.found), w.look(tc.found)); err != nil { // what was told is not told again
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.out, out.String()); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tc.reason, diff)
			}
			if w.names() != tc.due || w.failed != tc.failed {
				t.Errorf("%s: due %q, failed %d; want %q, %d", tc.reason, w.names(), w.failed, tc.due, tc.failed)
			}
			if errOut.Len() > 0 {
				t.Errorf("progress was told at once: %s", errOut)
			}
		})
	}
}

// TestProgress: who waits hears after 2 seconds, and then ever less often.
func TestProgress(t *testing.T) {
	t.Parallel()
	p, _, errOut := streams()
	clock := clocktesting.NewFakePassiveClock(noon)
	p.clock = clock
	found := []v1alpha1.SecretSync{at("a", 1, ""), at("b", 1, "")}
	w := waitingFor(p, found...)
	var told []string
	for second := range 60 {
		clock.SetTime(noon.Add(time.Duration(second) * time.Second))
		if err := w.look(found); err != nil {
			t.Fatal(err)
		}
		if errOut.Len() > 0 {
			told = append(told, fmt.Sprintf("%d: %s", second, errOut))
			errOut.Reset()
		}
	}
	const line = "waiting: 0 of 2 checks ended; not yet: shop/a, shop/b\n"
	want := []string{"2: " + line, "4: " + line, "8: " + line, "16: " + line, "32: " + line}
	if diff := cmp.Diff(want, told); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestNamesAreFew: of many that are waited for some are named, and the rest is counted.
func TestNamesAreFew(t *testing.T) {
	t.Parallel()
	p, _, _ := streams()
	for n, end := range map[int]string{1: "shop/sync-00", 5: "shop/sync-04", 6: "shop/sync-04 and 1 more", 40: "shop/sync-04 and 35 more"} {
		w := waitingFor(p, many("shop", n)...)
		if got := w.names(); !strings.HasPrefix(got, "shop/sync-00") || !strings.HasSuffix(got, end) {
			t.Errorf("%d: %q, want it to end in %q", n, got, end)
		}
	}
}
