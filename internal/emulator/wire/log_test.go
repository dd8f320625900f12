package wire

import (
	"context"
	"crypto/x509"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestLogForgetsTheOldest(t *testing.T) {
	l := NewLog()
	for i := range logSize + 1 {
		l.add(Entry{Service: "vault", Operation: "secrets.get", Status: i})
	}
	entries := l.Entries()
	if len(entries) != logSize-logSize/10+1 || entries[len(entries)-1].Status != logSize {
		t.Errorf("it remembers %d, the last of them %d", len(entries), entries[len(entries)-1].Status)
	}
	if got := len(l.Counters()); got != logSize+1 {
		t.Errorf("it has counted %d, and must count what it forgets", got)
	}
}

func TestCountersAreSorted(t *testing.T) {
	l := NewLog()
	for _, e := range []Entry{
		{Service: "vault", Vault: "b", Operation: "x", Status: 200},
		{Service: "vault", Vault: "a", Operation: "y", Status: 200},
		{Service: "vault", Vault: "a", Operation: "x", Status: 404},
		{Service: "vault", Vault: "a", Operation: "x", Status: 200, Name: "one"},
		{Service: "vault", Vault: "a", Operation: "x", Status: 200, Name: "two"},
		{Service: "entra", Operation: "z", Status: 200},
	} {
		l.add(e)
	}
	want := []Counter{
		{Service: "entra", Operation: "z", Status: 200, Count: 1},
		{Service: "vault", Vault: "a", Operation: "x", Status: 200, Count: 2},
		{Service: "vault", Vault: "a", Operation: "x", Status: 404, Count: 1},
		{Service: "vault", Vault: "a", Operation: "y", Status: 200, Count: 1},
		{Service: "vault", Vault: "b", Operation: "x", Status: 200, Count: 1},
	}
	if diff := cmp.Diff(want, l.Counters()); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

func TestAwait(t *testing.T) {
	l := NewLog()
	is := func(status int) func(Entry) bool { return func(e Entry) bool { return e.Status == status } }
	found := make(chan Entry, 1)
	go func() {
		e, err := l.Await(t.Context(), is(2))
		if err == nil {
			found <- e
		}
	}()
	l.add(Entry{Status: 1})
	l.add(Entry{Status: 2, Name: "it"})
	if got := <-found; got.Name != "it" {
		t.Errorf("got %v", got)
	}
	if _, err := l.Await(t.Context(), is(1)); err != nil {
		t.Errorf("what is past: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := l.Await(ctx, is(3)); !errors.Is(err, context.Canceled) {
		t.Errorf("the context's end: %v", err)
	}
}

func TestLeaves(t *testing.T) {
	now := time.Now()
	ca, err := NewCA(now)
	if err != nil {
		t.Fatal(err)
	}
	for _, host := range []string{"my-vault.vault.azure.net", "localhost", "127.0.0.1", "::1"} {
		leaf, err := ca.Leaf(host)
		if err != nil {
			t.Fatal(err)
		}
		cert, err := x509.ParseCertificate(leaf.Certificate[0])
		if err != nil {
			t.Fatal(err)
		}
		if _, err := cert.Verify(x509.VerifyOptions{DNSName: host, Roots: ca.Pool(), CurrentTime: now}); err != nil {
			t.Errorf("%s: %v", host, err)
		}
		if again, err := ca.Leaf(host); err != nil || again != leaf {
			t.Errorf("%s: the second one is another: %v", host, err)
		}
	}
}
