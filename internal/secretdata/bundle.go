package secretdata

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"strings"

	"secretstore/internal/redact"
	"secretstore/internal/spcparams"
)

// Types of PEM blocks.
const (
	blockCertificate = "CERTIFICATE"
	blockPKCS8       = "PRIVATE KEY"
	blockPKCS1       = "RSA PRIVATE KEY"
	blockSEC1        = "EC PRIVATE KEY"
)

// A privateKey is what every private key of the standard library is.
type privateKey interface{ Public() crypto.PublicKey }

// A bundle is certificates, a private key, or both.
type bundle struct {
	chain []*x509.Certificate // leaf first
	key   privateKey          // nil if there is none
	block *pem.Block          // the key as it was found
}

// read finds certificates and keys in a value of any form: PEM, a PFX, a PFX as base64 text, a DER certificate.
func read(value []byte) (bundle, *unfit) {
	if block, _ := pem.Decode(value); block != nil {
		return readPEM(value)
	}
	if b, err := readDER(value); err == nil {
		return b, nil
	}
	if _, err := base64.StdEncoding.DecodeString(trimmed(value)); err == nil {
		return readPFX(value)
	}
	return bundle{}, &unfit{KindValue, "holds neither PEM nor a PFX", "store a certificate or key there as PEM or PFX"}
}

// readPEM reads every block, whatever their order and whatever stands between them.
func readPEM(value []byte) (bundle, *unfit) {
	var certificates []*x509.Certificate
	var keys []bundle
	for block, rest := pem.Decode(value); block != nil; block, rest = pem.Decode(rest) {
		switch {
		case block.Type == blockCertificate:
			certificate, err := x509.ParseCertificate(block.Bytes)
			if err != nil {
				return bundle{}, &unfit{KindValue, "holds a certificate that cannot be read", "import it again"}
			}
			certificates = append(certificates, certificate)
		case strings.HasSuffix(block.Type, blockPKCS8):
			key, err := parseKey(block)
			if err != nil {
				return bundle{}, err
			}
			keys = append(keys, bundle{key: key, block: &pem.Block{Type: block.Type, Bytes: block.Bytes}})
		}
	}
	b := pickKey(keys, certificates)
	b.chain = order(certificates, b.key)
	return b, nil
}

// pickKey is the key that a certificate has, else the first.
func pickKey(keys []bundle, certificates []*x509.Certificate) bundle {
	for _, b := range keys {
		for _, certificate := range certificates {
			if belongs(b.key, certificate) {
				return b
			}
		}
	}
	if len(keys) > 0 {
		return keys[0]
	}
	return bundle{}
}

// parseKey tries every form, since the type of a block is not always true.
func parseKey(block *pem.Block) (privateKey, *unfit) {
	if strings.HasPrefix(block.Type, "ENCRYPTED") || block.Headers["DEK-Info"] != "" {
		return nil, &unfit{KindValue, "holds an encrypted private key", "store the key without a password"}
	}
	if key, err := x509.ParsePKCS8PrivateKey(block.Bytes); err == nil {
		if key, ok := key.(privateKey); ok {
			return key, nil
		}
	}
	if key, err := x509.ParsePKCS1PrivateKey(block.Bytes); err == nil {
		return key, nil
	}
	if key, err := x509.ParseECPrivateKey(block.Bytes); err == nil {
		return key, nil
	}
	return nil, &unfit{KindValue, "holds a private key that cannot be read", "store it as PKCS#8, PKCS#1 or SEC 1"}
}

// belongs says whether a certificate is of the key's public half.
func belongs(key privateKey, certificate *x509.Certificate) bool {
	public, ok := certificate.PublicKey.(interface{ Equal(crypto.PublicKey) bool })
	return ok && key != nil && public.Equal(key.Public())
}

func certificateBlock(der []byte) *pem.Block { return &pem.Block{Type: blockCertificate, Bytes: der} }

// chainPEM is every certificate, leaf first.
func (b bundle) chainPEM() []byte {
	blocks := make([]*pem.Block, len(b.chain))
	for i, certificate := range b.chain {
		blocks[i] = certificateBlock(certificate.Raw)
	}
	return encodePEM(blocks...)
}

// traditionalKeyPEM is the key as consumers of Secrets of type kubernetes.io/tls hold it: RSA as PKCS#1, EC as SEC 1.
func (b bundle) traditionalKeyPEM() ([]byte, error) {
	switch key := b.key.(type) {
	case *rsa.PrivateKey:
		return encodePEM(&pem.Block{Type: blockPKCS1, Bytes: x509.MarshalPKCS1PrivateKey(key)}), nil
	case *ecdsa.PrivateKey:
		der, err := x509.MarshalECPrivateKey(key)
		return encodePEM(&pem.Block{Type: blockSEC1, Bytes: der}), err
	default: // the others have no form but PKCS#8
		der, err := x509.MarshalPKCS8PrivateKey(key)
		return encodePEM(&pem.Block{Type: blockPKCS8, Bytes: der}), err
	}
}

func noChain() *unfit {
	return &unfit{KindValue, "holds no certificate", "map a source path that has one, or import the certificate again"}
}

func noKey() *unfit {
	return &unfit{KindAbsent, "holds no private key", "make the key exportable in the certificate's policy and " +
		"issue a new version, or use objectType cert for the certificate alone"}
}

// parts gives tls.crt and tls.key; the whole is the caller's. A certificate without a key is one whose key Key Vault keeps.
func (b bundle) parts(o spcparams.Object, err *unfit) parts {
	if err == nil && len(b.chain) == 0 {
		err = noChain()
	}
	if err != nil {
		return absent(err.of(o))
	}
	p := absent(noKey().of(o))
	p[spcparams.PartChain] = File{Value: redact.New(b.chainPEM())}
	if b.key != nil {
		p[spcparams.PartKey] = File{Value: redact.New(encodePEM(b.block))}
	}
	return p
}

// wholeFile is key and chain as one PEM.
func (b bundle) wholeFile(o spcparams.Object, err *unfit) File {
	if err != nil {
		return File{Err: err.of(o)}
	}
	var whole bytes.Buffer
	if b.key != nil {
		whole.Write(encodePEM(b.block))
	}
	whole.Write(b.chainPEM())
	return File{Value: redact.New(whole.Bytes())}
}
