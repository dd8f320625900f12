package state_test

import (
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"secretstore/internal/emulator/state"
)

func newVault(t *testing.T) *state.Vault {
	t.Helper()
	s, err := state.New(state.Seed{
		Tenants: []state.Tenant{{ID: "t1"}},
		Vaults: []state.VaultSeed{{
			Name: "shop", Certificates: []state.CertificateSeed{{Name: "cert", KeyType: "EC"}},
			Secrets: []state.SecretSeed{{Name: "Secret"}}, Keys: []state.KeySeed{{Name: "key", Type: "EC"}},
		}},
	}, time.Now, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	vault, ok := s.Vault("shop")
	if !ok || len(s.Vaults()) != 1 {
		t.Fatal("the vault is not there")
	}
	return vault
}

func TestObjectsRefuse(t *testing.T) {
	nothing := func(*state.Version) {}
	for name, tc := range map[string]struct {
		reason string
		do     func(*state.Vault) error
		want   error
	}{
		"unknown":         {"never made", func(v *state.Vault) error { _, err := v.Get(state.Secrets, "x", ""); return err }, state.ErrNotFound},
		"another kind":    {"a key is no secret", func(v *state.Vault) error { _, err := v.Get(state.Secrets, "key", ""); return err }, state.ErrNotFound},
		"unknown version": {"never made", func(v *state.Vault) error { _, err := v.Get(state.Secrets, "secret", "1"); return err }, state.ErrNotFound},
		"versions":        {"of nothing", func(v *state.Vault) error { _, err := v.Versions(state.Keys, "x"); return err }, state.ErrNotFound},
		"update":          {"of nothing", func(v *state.Vault) error { _, err := v.Update(state.Keys, "x", "", nothing); return err }, state.ErrNotFound},
		"recover":         {"what is there", func(v *state.Vault) error { _, err := v.Recover(state.Secrets, "secret"); return err }, state.ErrNotFound},
		"purge":           {"what is there", func(v *state.Vault) error { return v.Purge(state.Secrets, "secret") }, state.ErrNotFound},
		"deleted get":     {"what is there", func(v *state.Vault) error { _, err := v.GetDeleted(state.Secrets, "secret"); return err }, state.ErrNotFound},
		"managed put":     {"through its certificate", func(v *state.Vault) error { _, err := v.Put(state.Keys, "cert", state.Version{}); return err }, state.ErrManaged},
		"managed update":  {"through its certificate", func(v *state.Vault) error { _, err := v.Update(state.Secrets, "cert", "", nothing); return err }, state.ErrManaged},
		"managed delete":  {"through its certificate", func(v *state.Vault) error { _, err := v.Delete(state.Secrets, "cert"); return err }, state.ErrManaged},
		"taken":           {"by a secret", func(v *state.Vault) error { _, err := v.Put(state.Certificates, "SECRET", state.Version{}); return err }, state.ErrTaken},
		"taken by a key":  {"a certificate has a key", func(v *state.Vault) error { _, err := v.Put(state.Certificates, "key", state.Version{}); return err }, state.ErrTaken},
		"deleted put": {"it can be recovered", func(v *state.Vault) error {
			_, _ = v.Delete(state.Secrets, "secret")
			_, err := v.Put(state.Secrets, "Secret", state.Version{})
			return err
		}, state.ErrDeleted},
		"deleted managed": {"its certificate can", func(v *state.Vault) error {
			_, _ = v.Delete(state.Certificates, "cert")
			_, err := v.Put(state.Secrets, "cert", state.Version{})
			return err
		}, state.ErrDeleted},
		"recover a managed": {"its certificate must be", func(v *state.Vault) error {
			_, _ = v.Delete(state.Certificates, "cert")
			_, err := v.Recover(state.Keys, "cert")
			return err
		}, state.ErrManaged},
	} {
		t.Run(name, func(t *testing.T) {
			if err := tc.do(newVault(t)); !errors.Is(err, tc.want) {
				t.Errorf("%s: got %v, want %v", tc.reason, err, tc.want)
			}
		})
	}
}

func TestCertificateAppearsThreeTimes(t *testing.T) {
	vault := newVault(t)
	count := func(list func(state.Kind) []state.Item) string {
		return fmt.Sprint(len(list(state.Secrets)), len(list(state.Keys)), len(list(state.Certificates)))
	}
	if got := count(vault.List); got != "2 2 1" {
		t.Errorf("there are %s", got)
	}
	if _, err := vault.Delete(state.Certificates, "CERT"); err != nil {
		t.Fatal(err)
	}
	if got := count(vault.List) + ", deleted " + count(vault.ListDeleted); got != "1 1 0, deleted 1 1 1" {
		t.Errorf("after its deletion there are %s", got)
	}
	if err := vault.Purge(state.Certificates, "cert"); err != nil {
		t.Fatal(err)
	}
	if got := count(vault.ListDeleted); got != "0 0 0" {
		t.Errorf("after the purge there are %s", got)
	}
}

func TestVaultIsSafeForConcurrentUse(t *testing.T) {
	vault := newVault(t)
	var all sync.WaitGroup
	for worker := range 8 {
		all.Go(func() {
			for i := range 50 {
				name := fmt.Sprintf("s%d", (worker+i)%10)
				_, _ = vault.Put(state.Secrets, name, state.Version{Enabled: true, Value: "v"})
				_, _ = vault.Get(state.Secrets, name, "")
				_, _ = vault.Versions(state.Secrets, name)
				_ = vault.List(state.Secrets)
				_, _ = vault.Update(state.Secrets, name, "", func(v *state.Version) { v.Enabled = false })
				_, _ = vault.Delete(state.Secrets, name)
				_, _ = vault.Recover(state.Secrets, name)
			}
		})
	}
	all.Wait()
	if got := len(vault.List(state.Secrets)); got < 2 || got > 12 {
		t.Errorf("there are %d secrets", got)
	}
}

func TestValidName(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]bool{
		"a": true, "0": true, "-": true, "Db-Password-2": true, strings.Repeat("z", 127): true,
		"": false, strings.Repeat("z", 128): false, "a_b": false, "a.b": false, "a/b": false, "a b": false, "ä": false, "a\n": false,
	} {
		if got := state.ValidName(name); got != want {
			t.Errorf("%q: %t", name, got)
		}
	}
}
