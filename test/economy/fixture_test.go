// Package economy tests how much is asked of a vault, and that asking less misses nothing: the source of Key Vault against the
// emulator, over real HTTP, with clocks of the test's.
package economy

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"k8s.io/utils/clock"

	"secretstore/internal/azure/entra"
	"secretstore/internal/emulator"
	"secretstore/internal/emulator/oidctest"
	"secretstore/internal/emulator/state"
	"secretstore/internal/source"
	"secretstore/internal/source/akv"
	"secretstore/internal/spcparams"
)

const (
	tenantID = "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee"
	clientID = "11111111-2222-3333-4444-555555555555"
	subject  = "system:serviceaccount:shop:web"
	// Each vault has the same in it; the name says what the identity may do there.
	mayList, mayGet = "may-list", "may-get"
)

// steps is a clock that the test moves; its timers are real.
type steps struct {
	clock.RealClock

	mu  sync.Mutex
	now time.Time
}

func (s *steps) Now() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.now
}

func (s *steps) Since(t time.Time) time.Duration { return s.Now().Sub(t) }

func (s *steps) step(by time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now = s.now.Add(by)
}

// azure is an emulator whose vaults have secrets s-0 to s-(n-1), each with a value of its own.
type azure struct {
	*emulator.Server

	t      *testing.T
	issuer *oidctest.Issuer
	cloud  entra.Cloud
	clock  *steps
}

func start(t *testing.T, secrets int) *azure {
	t.Helper()
	issuer := oidctest.New(t)
	var seeds []state.SecretSeed
	for i := range secrets {
		seeds = append(seeds, state.SecretSeed{Name: name(i), SecretVersion: state.SecretVersion{Value: fmt.Sprint("value ", i)}})
	}
	a := &azure{t: t, issuer: issuer, clock: &steps{now: time.Now()}}
	var err error
	a.Server, err = emulator.Start(t.Context(), emulator.Options{
		IssuerRoots: issuer.Roots(), Clock: a.clock,
		Seed: state.Seed{
			Tenants: []state.Tenant{{ID: tenantID, Name: "Contoso"}},
			Applications: []state.Application{{
				ClientID: clientID, FederatedCredentials: []state.FederatedCredential{{Name: "cluster", Issuer: issuer.URL, Subject: subject}},
			}},
			Vaults: []state.VaultSeed{
				{
					Name: mayList, Secrets: seeds,
					RoleAssignments: []state.RoleAssignment{{ClientID: clientID, Role: "Key Vault Certificate User"}},
					Certificates:    []state.CertificateSeed{{Name: "web", KeyType: "EC"}},
				},
				{
					Name: mayGet, Secrets: seeds, Authorization: state.AuthorizationAccessPolicies,
					AccessPolicies: []state.AccessPolicy{{ClientID: clientID, Secrets: []string{"get"}}},
				},
			},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := a.Close(); err != nil {
			t.Error(err)
		}
	})
	a.clock.step(time.Minute) // or all that was seeded would have been made within the second in which it is read
	dir := t.TempDir()
	file := filepath.Join(dir, "emulator.yaml")
	definition := fmt.Sprintf("caFile: ca.crt\ndialAddress: %s\n", a.Addr())
	for path, text := range map[string][]byte{file: []byte(definition), filepath.Join(dir, "ca.crt"): a.CAPEM()} {
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if a.cloud, err = entra.LoadCloud(file); err != nil {
		t.Fatal(err)
	}
	return a
}

func name(i int) string { return fmt.Sprint("s-", i) }

// vault is what is in a vault, to be changed beneath it.
func (a *azure) vault(name string) *state.Vault {
	a.t.Helper()
	v, ok := a.State().Vault(name)
	if !ok {
		a.t.Fatalf("there is no vault %s", name)
	}
	return v
}

// observer counts what was saved.
type observer struct {
	mu    sync.Mutex
	saved map[string]int
}

func (*observer) Transport(next http.RoundTripper, _ string) http.RoundTripper { return next }
func (*observer) Paused(string, time.Time, bool)                               {}

func (o *observer) Saved(_, by string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.saved == nil {
		o.saved = map[string]int{}
	}
	o.saved[by]++
}

// source makes a source with the given clock, as a controller has one.
func (a *azure) source(c clock.WithDelayedExecution, o akv.Observer) *akv.Source {
	a.t.Helper()
	const plenty = 1_000_000 // requests a second: nothing waits here
	s, err := akv.New(akv.Options{
		Clouds: entra.NewClouds(a.cloud),
		Token: func(context.Context, source.ServiceAccount, string) (string, error) {
			now := a.clock.Now()
			return a.issuer.Token(subject, map[string]any{
				"iat": now.Unix(), "nbf": now.Unix(), "exp": now.Add(10 * time.Minute).Unix(),
			}), nil
		},
		Observer: o, Clock: c, Chance: func() float64 { return 0 }, RequestsPerSecond: plenty, AtOnce: 8,
	})
	if err != nil {
		a.t.Fatal(err)
	}
	return s
}

// request asks for objects of a vault.
func request(vault string, objects ...spcparams.Object) source.Request {
	return source.Request{
		Identity: source.Identity{
			TenantID: tenantID, ClientID: clientID, Account: source.ServiceAccount{Namespace: "shop", Name: "web", UID: "u"},
		},
		Vault: vault, Objects: objects, Wake: func() {},
	}
}

func secret(i int) spcparams.Object {
	return spcparams.Object{Name: name(i), Type: spcparams.TypeSecret}
}

// asked counts the requests to a vault since the last count, by operation; those that were answered by a challenge are "challenge".
func (a *azure) asked(vault string) map[string]int {
	counts := map[string]int{}
	for _, c := range a.Counters() {
		switch {
		case c.Vault == vault && c.Status == http.StatusUnauthorized:
			counts["challenge"] += c.Count
		case c.Vault == vault, c.Operation == "entra.token":
			counts[c.Operation] += c.Count
		}
	}
	a.ResetCounters()
	return counts
}
