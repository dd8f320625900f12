package cluster_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"secretstore/internal/migrate/cluster"
	"secretstore/internal/migrate/model"
	plane "secretstore/test/cluster"
)

// TestHold has operators meet: there is one Lease in the cluster, so that this test is not run beside itself.
func TestHold(t *testing.T) {
	first, second := newFixture(t), newFixture(t)
	for _, f := range []*fixture{first, second} {
		f.Hurry(3*time.Second, 300*time.Millisecond)
	}
	began := time.Now()
	held, release, err := first.Hold(t.Context(), "alice@laptop 4711")
	if err != nil {
		t.Fatal(err)
	}
	_, _, err = second.Hold(t.Context(), "bob@laptop 4712")
	other, ok := errors.AsType[*cluster.HeldError](err)
	if !ok || other.Who != "alice@laptop 4711" || other.Since.Before(began.Add(-time.Second)) || other.Since.After(time.Now()) {
		t.Errorf("two hold the Lease, or the other is not named: %v", err)
	}
	if held.Err() != nil {
		t.Errorf("the holder lost it: %v", context.Cause(held))
	}
	release()
	if held.Err() == nil {
		t.Error("the context outlives the Lease")
	}
	// Given up, another has it at once.
	began = time.Now()
	held, release, err = second.Hold(t.Context(), "bob@laptop 4712")
	if err != nil || time.Since(began) > time.Second {
		t.Fatalf("after %s: %v", time.Since(began), err)
	}
	// Taken away, its holder hears of it.
	leases := first.typed.CoordinationV1().Leases("kube-system")
	if err := leases.Delete(t.Context(), "secretstore-migration", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	plane.Eventually(t, patience, func() error {
		if held.Err() == nil {
			return errors.New("the context goes on")
		}
		return nil
	})
	if cause := fmt.Sprint(context.Cause(held)); !strings.Contains(cause, "was lost") {
		t.Errorf("why it ended: %s", cause)
	}
	release()
}

// A holder that died without a word is waited for, and no longer than its Lease lasts.
func TestHoldAfterDeath(t *testing.T) {
	f := newFixture(t)
	f.Hurry(2*time.Second, 300*time.Millisecond)
	_, release, err := f.Hold(t.Context(), "alice@laptop 4711")
	if err != nil {
		t.Fatal(err)
	}
	release()
	leases := f.typed.CoordinationV1().Leases("kube-system")
	lease, err := leases.Get(t.Context(), "secretstore-migration", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	lease.Spec.HolderIdentity = new("dead@host 1 abcd")
	if _, err := leases.Update(t.Context(), lease, metav1.UpdateOptions{}); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	_, release, err = f.Hold(t.Context(), "alice@laptop 4713")
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	if took := time.Since(began); took < 2*time.Second || took > 30*time.Second {
		t.Errorf("taken over after %s", took)
	}
}

// A holder that had the same folder is dead, and not waited for; one of another folder is.
func TestHoldAfterOwnDeath(t *testing.T) {
	folder := func(name string) *fixture {
		f := newFixtureIn(t, shared.cluster.Namespace(t), shared.cluster.Config(), func(o *cluster.Options) { o.Folder = name })
		f.Hurry(3*time.Second, 300*time.Millisecond)
		return f
	}
	dead, same, other := folder("f1"), folder("f1"), folder("f2")
	// The first goes on renewing, which shows that it is not looked for.
	if _, release, err := dead.Hold(t.Context(), "alice@laptop 1"); err != nil {
		t.Fatal(err)
	} else {
		defer release()
	}
	if _, _, err := other.Hold(t.Context(), "bob@laptop 2"); err == nil {
		t.Fatal("one of another folder has it")
	}
	began := time.Now()
	held, release, err := same.Hold(t.Context(), "alice@laptop 3")
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	if took := time.Since(began); took > time.Second || held.Err() != nil {
		t.Errorf("taken over after %s", took)
	}
}

func TestMint(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	token, err := f.Mint(t.Context(), model.Token{Namespace: f.namespace, Account: "default", Audience: "api://AzureADTokenExchange"})
	if err != nil || strings.Count(token, ".") != 2 {
		t.Fatalf("no token: %v", err)
	}
	if _, err := f.Mint(t.Context(), model.Token{Namespace: f.namespace, Account: "none", Audience: "x"}); err == nil ||
		!strings.Contains(err.Error(), "none") {
		t.Errorf("a token of nobody: %v", err)
	}
}
