package secretdata_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"testing"

	"secretstore/internal/secretdata"
)

// publicKey reads the public half that OpenSSL wrote.
func publicKey(t testing.TB, kind string) crypto.PublicKey {
	t.Helper()
	block, _ := pem.Decode([]byte(file(t, kind, "public.pem")))
	key, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// as is publicKey for a test that knows the kind.
func as[K any](t testing.TB, kind string) K {
	t.Helper()
	key, ok := publicKey(t, kind).(K)
	if !ok {
		t.Fatalf("%s is of another kind", kind)
	}
	return key
}

// point is the coordinates of an EC key.
func point(t testing.TB, kind string) (x, y []byte) {
	t.Helper()
	uncompressed, err := as[*ecdsa.PublicKey](t, kind).Bytes()
	if err != nil {
		t.Fatal(err)
	}
	half := len(uncompressed) / 2
	return uncompressed[1 : 1+half], uncompressed[1+half:]
}

func TestJWK(t *testing.T) {
	t.Parallel()
	key := as[*rsa.PublicKey](t, "rsa")
	for _, kty := range []string{"RSA", "RSA-HSM"} {
		got, err := secretdata.JWK{Type: kty, N: key.N.Bytes(), E: []byte{1, 0, 1}}.PublicKey()
		if err != nil || !key.Equal(got) {
			t.Errorf("%s: %v", kty, err)
		}
	}
	for kind, curve := range map[string]string{"ec256": "P-256", "ec384": "P-384", "ec521": "P-521"} {
		x, y := point(t, kind)
		want := as[*ecdsa.PublicKey](t, kind)
		for _, kty := range []string{"EC", "EC-HSM"} {
			for pad := range 2 {
				k := secretdata.JWK{Type: kty, Curve: curve, X: append(make([]byte, pad), x...), Y: bytes.TrimLeft(y, "\x00")}
				got, err := k.PublicKey()
				if err != nil || !want.Equal(got) {
					t.Errorf("%s %s: leading zeros, too many or too few, change nothing: %v", kty, curve, err)
				}
			}
		}
	}
}

func TestJWKRefused(t *testing.T) {
	t.Parallel()
	const (
		badRSA = "key has an RSA modulus or exponent that no key has; create it again"
		badEC  = "key is a point that is not on its curve; create it again"
		badKty = "key is of a kind that has no public half or is not supported; use RSA, RSA-HSM, EC or EC-HSM"
	)
	n := as[*rsa.PublicKey](t, "rsa").N
	x, y := point(t, "ec256")
	big1 := big.NewInt(1)
	cases := map[string]struct {
		reason string
		jwk    secretdata.JWK
		want   string
	}{
		"Nothing":      {"A key without a kind.", secretdata.JWK{}, badKty},
		"Symmetric":    {"A symmetric key has no public half.", secretdata.JWK{Type: "oct-HSM"}, badKty},
		"NoModulus":    {"No number, no key.", secretdata.JWK{Type: "RSA", E: []byte{3}}, badRSA},
		"NoExponent":   {"Nor without an exponent.", secretdata.JWK{Type: "RSA", N: n.Bytes()}, badRSA},
		"SmallModulus": {"A number of 3 bytes is no modulus.", secretdata.JWK{Type: "RSA", N: []byte{1, 0, 1}, E: []byte{3}}, badRSA},
		"EvenModulus": {
			reason: "The product of two odd primes is odd.",
			jwk:    secretdata.JWK{Type: "RSA", N: new(big.Int).Add(n, big1).Bytes(), E: []byte{3}}, want: badRSA,
		},
		"ExponentOne":  {"With 1 nothing is encrypted.", secretdata.JWK{Type: "RSA", N: n.Bytes(), E: []byte{1}}, badRSA},
		"EvenExponent": {"An even one cannot be inverted.", secretdata.JWK{Type: "RSA", N: n.Bytes(), E: []byte{4}}, badRSA},
		"HugeExponent": {
			reason: "One that does not fit would come out as another, as in the Azure provider.",
			jwk:    secretdata.JWK{Type: "RSA", N: n.Bytes(), E: []byte{1, 0, 0, 0, 0, 0, 0, 0, 3}}, want: badRSA,
		},
		"Curve": {
			reason: "Key Vault has a fourth curve; PKIX in Go has not.",
			jwk:    secretdata.JWK{Type: "EC", Curve: "P-256K", X: x, Y: y},
			want:   "key is on a curve that is not supported; use P-256, P-384 or P-521",
		},
		"OffTheCurve": {"A point elsewhere is no key.", secretdata.JWK{Type: "EC", Curve: "P-256", X: y, Y: x}, badEC},
		"Infinity":    {"Nor is the point at infinity.", secretdata.JWK{Type: "EC", Curve: "P-256"}, badEC},
		"TooLong": {
			reason: "Nor is one of a larger curve.",
			jwk:    secretdata.JWK{Type: "EC", Curve: "P-256", X: append([]byte{1}, x...), Y: y}, want: badEC,
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := tc.jwk.PublicKey()
			if err == nil || err.Error() != tc.want || got != nil {
				t.Errorf("%s\nwant %s\ngot  %v %v", tc.reason, tc.want, got, err)
			}
			if kind := kindOf(t, err); kind != secretdata.KindValue {
				t.Errorf("the kind is %d", kind)
			}
		})
	}
}

// FuzzJWK: whatever a vault returns, it is refused, or it is a key that PKIX holds and gives back.
func FuzzJWK(f *testing.F) {
	f.Add("RSA", "", as[*rsa.PublicKey](f, "rsa").N.Bytes(), []byte{1, 0, 1})
	for kind, curve := range map[string]string{"ec256": "P-256", "ec384": "P-384", "ec521": "P-521"} {
		x, y := point(f, kind)
		f.Add("EC-HSM", curve, x, y)
	}
	f.Fuzz(func(t *testing.T, kty, curve string, a, b []byte) {
		key, err := secretdata.JWK{Type: kty, Curve: curve, N: a, E: b, X: a, Y: b}.PublicKey()
		if err != nil {
			kindOf(t, err)
			return
		}
		der, err := x509.MarshalPKIXPublicKey(key)
		if err != nil {
			t.Fatal(err)
		}
		again, err := x509.ParsePKIXPublicKey(der)
		if public, ok := key.(interface{ Equal(crypto.PublicKey) bool }); err != nil || !ok || !public.Equal(again) {
			t.Errorf("%v: %v", key, err)
		}
	})
}
