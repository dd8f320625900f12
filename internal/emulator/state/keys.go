package state

import (
	"cmp"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"fmt"
	"io"
	"strings"
)

// GenerateKey makes a key pair and gives its public half. Type, size and curve are as in KeySeed, and may be empty.
func GenerateKey(random io.Reader, keyType string, size int, curve string) (Key, error) {
	signer, err := newSigner(random, keyType, size, curve)
	if err != nil {
		return Key{}, err
	}
	return PublicKey(signer.Public(), strings.HasSuffix(keyType, "-HSM")), nil
}

// PublicKey is the key of a vault for a public key; hsm is whether it says that hardware protects it.
func PublicKey(public crypto.PublicKey, hsm bool) Key {
	key := Key{Type: "EC", Public: public, Operations: []string{"sign", "verify"}}
	if _, isRSA := public.(*rsa.PublicKey); isRSA {
		key.Type, key.Operations = "RSA", []string{"encrypt", "decrypt", "sign", "verify", "wrapKey", "unwrapKey"}
	}
	if hsm {
		key.Type += "-HSM"
	}
	return key
}

func newSigner(random io.Reader, keyType string, size int, curve string) (crypto.Signer, error) {
	kind, err := oneOf("key type", keyType, "RSA", "RSA-HSM", "EC", "EC-HSM")
	if err != nil {
		return nil, err
	}
	if strings.HasPrefix(kind, "RSA") {
		bits := cmp.Or(size, 2048)
		if bits != 2048 && bits != 3072 && bits != 4096 {
			return nil, fmt.Errorf("key size is %d: it must be 2048, 3072 or 4096", bits)
		}
		return rsa.GenerateKey(random, bits)
	}
	curves := map[string]elliptic.Curve{"P-256": elliptic.P256(), "P-384": elliptic.P384(), "P-521": elliptic.P521()}
	chosen := curves[cmp.Or(curve, "P-256")]
	if chosen == nil {
		return nil, fmt.Errorf("curve is %q: it must be P-256, P-384 or P-521", curve)
	}
	return ecdsa.GenerateKey(chosen, random)
}
