package integration

import (
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"strings"
	"testing"

	"secretstore/api/secretsync/v1alpha1"
)

// TestKeysOfEveryKind has the vault make a key of each kind and curve; what arrives in the Secret is its public half, PKIX in PEM.
func TestKeysOfEveryKind(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	want := map[string]any{}
	var objects, mappings []string
	for _, kind := range []string{"RSA", "RSA-HSM", "EC P-256", "EC P-384", "EC P-521", "EC-HSM P-256", "EC-HSM P-384", "EC-HSM P-521"} {
		name := strings.ToLower(strings.ReplaceAll(kind, " ", "-"))
		kty, curve, _ := strings.Cut(kind, " ")
		key, err := shared.stack.CreateKey(t.Context(), e.Vault(), name, kty, curve, operator())
		if err != nil {
			t.Fatal(err)
		}
		want[name], objects, mappings = key, append(objects, "key "+name), append(mappings, name+"="+name)
	}
	s := e.sync("app", "vault", mappings...)
	e.create(t, e.class("vault", objects...), s)
	e.await(t, s, v1alpha1.ConditionUpdate, synced)

	got := e.data(t, "app")
	if len(got) != len(want) {
		t.Errorf("%d keys in the Secret, want %d", len(got), len(want))
	}
	for name, key := range want {
		if err := samePublicKey(got[name], key); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// samePublicKey says in what text differs from the key, as one block of PEM and nothing else.
func samePublicKey(text string, key any) error {
	block, rest := pem.Decode([]byte(text))
	if block == nil || block.Type != "PUBLIC KEY" || len(block.Headers) > 0 || len(rest) > 0 {
		return fmt.Errorf("it is not one PEM block of a public key:\n%s", text)
	}
	der, err := x509.MarshalPKIXPublicKey(key)
	if err != nil {
		return fmt.Errorf("encoding the vault's key: %w", err)
	}
	if string(block.Bytes) != string(der) {
		return fmt.Errorf("it is another key than the vault's:\n%s", text)
	}
	return nil
}
