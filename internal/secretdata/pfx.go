package secretdata

import (
	"crypto/sha3"
	"crypto/x509"
	"encoding/asn1"
	"encoding/base64"
	"encoding/pem"
	"errors"

	"software.sslmate.com/src/go-pkcs12"

	"secretstore/internal/redact"
	"secretstore/internal/spcparams"
)

// maxIterations bounds the key derivation that a PFX may ask for. Tools use 2,000 to 600,000; each million costs about half
// a second, and one vault must not hold up the others.
const maxIterations = 1_000_000

// readPFX reads the base64 text of a PFX that has no password, with modern or with legacy ciphers.
func readPFX(value []byte) (bundle, *unfit) {
	der, err := base64.StdEncoding.DecodeString(trimmed(value))
	if err != nil {
		return bundle{}, &unfit{KindValue, "is marked as a PFX and is not its base64 text", "import the certificate again"}
	}
	return readDER(der)
}

// readDER reads a PFX, or a certificate alone, which is what stands for a PFX whose key may not be exported.
func readDER(der []byte) (bundle, *unfit) {
	if certificates, err := x509.ParseCertificates(der); err == nil && len(certificates) > 0 {
		return bundle{chain: order(certificates, nil)}, nil
	}
	if costly(der, 0) {
		return bundle{}, &unfit{
			KindValue, "is a PFX with more than a million iterations",
			"export it with fewer and import it again",
		}
	}
	found, certificate, others, err := pkcs12.DecodeChain(der, "")
	if err != nil {
		return bundle{}, unreadable(err)
	}
	key, ok := found.(privateKey)
	pkcs8, err := x509.MarshalPKCS8PrivateKey(found)
	if !ok || err != nil {
		return bundle{}, &unfit{KindValue, "is a PFX with a private key of an unknown kind", "use an RSA or EC key"}
	}
	chain := order(append([]*x509.Certificate{certificate}, others...), key)
	return bundle{chain: chain, key: key, block: &pem.Block{Type: blockPKCS8, Bytes: pkcs8}}, nil
}

// unreadable tells the causes apart without the library's words, which may repeat bytes of the value.
func unreadable(err error) *unfit {
	const again = "export it with its key, without a password, with AES-256 and SHA-256, and import it again"
	var unsupported pkcs12.NotImplementedError
	switch {
	case errors.Is(err, pkcs12.ErrIncorrectPassword), errors.Is(err, pkcs12.ErrDecryption):
		return &unfit{KindValue, "is a PFX with a password", again}
	case errors.As(err, &unsupported):
		return &unfit{KindValue, "is a PFX with a layout or a cipher that is not supported", again}
	}
	return &unfit{KindValue, "is a PFX that is damaged or has no private key", again + "; for a key that may not be exported " +
		"use objectType cert"}
}

// maxDepth is more than the nesting of any PFX.
const maxDepth = 16

// costly looks for a key derivation beyond maxIterations. In every structure of PKCS#12 and PKCS#5 that has a number of
// iterations, it is an INTEGER right behind the OCTET STRING of a salt. What is encrypted cannot be seen; the outermost
// layer, which must be decrypted first, can.
func costly(der []byte, depth int) bool {
	salted := false
	for len(der) > 0 && depth < maxDepth {
		var value asn1.RawValue
		rest, err := asn1.Unmarshal(der, &value)
		if err != nil {
			return false
		}
		if salted && is(value, asn1.TagInteger) && beyond(value.Bytes) {
			return true
		}
		salted = is(value, asn1.TagOctetString)
		if (value.IsCompound || salted) && costly(value.Bytes, depth+1) {
			return true
		}
		der = rest
	}
	return false
}

func is(value asn1.RawValue, tag int) bool {
	return value.Class == asn1.ClassUniversal && value.Tag == tag
}

// beyond compares a big-endian integer with maxIterations.
func beyond(integer []byte) bool {
	n := 0
	for _, b := range integer {
		if n = n<<8 | int(b); n > maxIterations {
			return true
		}
	}
	return false
}

// pfxFile is key and chain as the base64 text of a PFX, for a certificate that the vault holds as PEM.
func (b bundle) pfxFile(o spcparams.Object, err *unfit) File {
	switch {
	case err != nil:
	case len(b.chain) == 0:
		err = noChain()
	case b.key == nil:
		err = noKey()
	default:
		der, encodeErr := b.encodePFX()
		if encodeErr == nil {
			return File{Value: redact.New([]byte(base64.StdEncoding.EncodeToString(der)))}
		}
		err = &unfit{KindValue, "cannot be written as a PFX", "remove objectFormat to take it as PEM"}
	}
	return File{Err: err.of(o)}
}

// encodePFX writes the same PFX for the same key and chain each time, or the Secret would change at every check: salts and
// vectors come from the content. They protect nothing here, since the password is empty.
func (b bundle) encodePFX() ([]byte, error) {
	salts := sha3.NewSHAKE256()
	for _, der := range append([][]byte{b.block.Bytes}, raw(b.chain)...) {
		_, _ = salts.Write(der)
	}
	return pkcs12.Modern2023.WithRand(salts).Encode(b.key, b.chain[0], b.chain[1:], "")
}

func raw(certificates []*x509.Certificate) [][]byte {
	ders := make([][]byte, len(certificates))
	for i, certificate := range certificates {
		ders[i] = certificate.Raw
	}
	return ders
}
