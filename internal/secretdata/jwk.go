package secretdata

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"math/big"

	"secretstore/internal/redact"
	"secretstore/internal/spcparams"
)

// JWK is the public half of a key as Key Vault returns it (a JSON Web Key, RFC 7517), its members decoded.
type JWK struct {
	// Type is `kty`: RSA, RSA-HSM, EC or EC-HSM.
	Type string
	// Curve is `crv`: P-256, P-384 or P-521.
	Curve string
	// N and E are the modulus and the exponent of an RSA key, big-endian.
	N, E []byte
	// X and Y are the coordinates of an EC key, big-endian.
	X, Y []byte
}

// PublicKey is the key, checked: an RSA exponent that is odd and fits, a point that lies on its curve. Else an [*Error] of
// KindValue whose Place is `key`.
func (k JWK) PublicKey() (crypto.PublicKey, error) {
	switch k.Type {
	case "RSA", "RSA-HSM":
		return k.rsa()
	case "EC", "EC-HSM":
		return k.ec()
	}
	return nil, jwkError("is of a kind that has no public half or is not supported", "use RSA, RSA-HSM, EC or EC-HSM")
}

func (k JWK) rsa() (crypto.PublicKey, error) {
	n, e := new(big.Int).SetBytes(k.N), new(big.Int).SetBytes(k.E)
	if n.BitLen() < 1024 || n.Bit(0) == 0 || e.BitLen() > 31 || e.BitLen() < 2 || e.Bit(0) == 0 {
		return nil, jwkError("has an RSA modulus or exponent that no key has", "create it again")
	}
	return &rsa.PublicKey{N: n, E: int(e.Int64())}, nil
}

func (k JWK) ec() (crypto.PublicKey, error) {
	var curve elliptic.Curve
	switch k.Curve {
	case "P-256":
		curve = elliptic.P256()
	case "P-384":
		curve = elliptic.P384()
	case "P-521":
		curve = elliptic.P521()
	default:
		return nil, jwkError("is on a curve that is not supported", "use P-256, P-384 or P-521")
	}
	size := (curve.Params().BitSize + 7) / 8
	x, y := new(big.Int).SetBytes(k.X), new(big.Int).SetBytes(k.Y)
	if x.BitLen() > 8*size || y.BitLen() > 8*size {
		return nil, notOnCurve()
	}
	point := make([]byte, 1+2*size)
	point[0] = 4 // an uncompressed point, SEC 1 section 2.3.3
	x.FillBytes(point[1 : 1+size])
	y.FillBytes(point[1+size:])
	key, err := ecdsa.ParseUncompressedPublicKey(curve, point)
	if err != nil {
		return nil, notOnCurve()
	}
	return key, nil
}

func notOnCurve() error { return jwkError("is a point that is not on its curve", "create it again") }

func jwkError(text, cure string) error {
	return &Error{Kind: KindValue, Place: "key", Problem: text, Cure: cure}
}

// publicKeyFile is a public key as PEM (PKIX).
func publicKeyFile(o spcparams.Object, key crypto.PublicKey) File {
	der, err := x509.MarshalPKIXPublicKey(key)
	if err != nil {
		return File{Err: problem(KindValue, o, "has no public key of a supported kind", "use an RSA or EC key")}
	}
	return File{Value: redact.New(encodePEM(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))}
}
