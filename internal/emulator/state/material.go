package state

import (
	"bytes"
	"cmp"
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"software.sslmate.com/src/go-pkcs12"
)

// Content types of a certificate's secret.
const (
	ContentTypePFX = "application/x-pkcs12"
	ContentTypePEM = "application/x-pem-file"
)

// Issuers in a certificate's policy.
const (
	IssuerSelf    = "Self"
	IssuerUnknown = "Unknown"
)

// Material is a private key and its certificates.
type Material struct {
	Key crypto.Signer
	// Leaf is the certificate of the key; Chain is every certificate with the leaf, in the order in which PEM shows them.
	Leaf  *x509.Certificate
	Chain []*x509.Certificate
}

// ParsePEM reads a private key and its certificates. The leaf is put first, unless the order is to be preserved.
func ParsePEM(text string, preserveOrder bool) (Material, error) {
	var m Material
	for block, rest := pem.Decode([]byte(text)); block != nil; block, rest = pem.Decode(rest) {
		if block.Type == "CERTIFICATE" {
			cert, err := x509.ParseCertificate(block.Bytes)
			if err != nil {
				return Material{}, fmt.Errorf("reading a certificate: %w", err)
			}
			m.Chain = append(m.Chain, cert)
			continue
		}
		key, err := parseKey(block)
		if err != nil {
			return Material{}, err
		}
		m.Key = key
	}
	return m.sorted(preserveOrder)
}

// ParsePFX reads a private key and its certificates from PKCS#12.
func ParsePFX(der []byte, password string) (Material, error) {
	key, leaf, others, err := pkcs12.DecodeChain(der, password)
	if err != nil {
		return Material{}, fmt.Errorf("reading PKCS#12: %w", err)
	}
	signer, ok := key.(crypto.Signer)
	if !ok {
		return Material{}, fmt.Errorf("a key of type %T is none that certificates have", key)
	}
	return Material{Key: signer, Chain: append([]*x509.Certificate{leaf}, others...)}.sorted(false)
}

// parseKey reads any of the three ways to write a private key.
func parseKey(block *pem.Block) (crypto.Signer, error) {
	if key, err := x509.ParsePKCS8PrivateKey(block.Bytes); err == nil {
		if signer, ok := key.(crypto.Signer); ok {
			return signer, nil
		}
	}
	if key, err := x509.ParsePKCS1PrivateKey(block.Bytes); err == nil {
		return key, nil
	}
	if key, err := x509.ParseECPrivateKey(block.Bytes); err == nil {
		return key, nil
	}
	return nil, fmt.Errorf("a PEM block of type %q is neither a certificate nor a private key", block.Type)
}

// sorted finds the leaf, which is the certificate of the private key.
func (m Material) sorted(preserveOrder bool) (Material, error) {
	if m.Key == nil {
		return Material{}, errors.New("there is no private key")
	}
	i := slices.IndexFunc(m.Chain, func(c *x509.Certificate) bool {
		public, ok := c.PublicKey.(interface{ Equal(crypto.PublicKey) bool })
		return ok && public.Equal(m.Key.Public())
	})
	if i < 0 {
		return Material{}, errors.New("there is no certificate of the private key")
	}
	m.Leaf = m.Chain[i]
	if !preserveOrder {
		m.Chain = append([]*x509.Certificate{m.Leaf}, slices.Delete(slices.Clone(m.Chain), i, i+1)...)
	}
	return m, nil
}

// Version is the version of a certificate, with its key and its secret, that is made of the material. What the policy leaves
// empty is taken from the certificate.
func (m Material) Version(policy Policy, pfxEncoding string) (Version, error) {
	var err error
	if policy.ContentType, err = oneOf("contentType", policy.ContentType, ContentTypePFX, ContentTypePEM); err != nil {
		return Version{}, err
	}
	value, err := m.encode(policy.ContentType, pfxEncoding)
	if err != nil {
		return Version{}, err
	}
	policy.Subject = cmp.Or(policy.Subject, m.Leaf.Subject.String())
	policy.DNSNames = m.Leaf.DNSNames
	policy.KeyType, policy.KeySize, policy.Curve = "EC", 0, ""
	switch public := m.Key.Public().(type) {
	case *rsa.PublicKey:
		policy.KeyType, policy.KeySize = "RSA", public.N.BitLen()
	case *ecdsa.PublicKey:
		policy.Curve = public.Curve.Params().Name
		policy.KeySize = public.Curve.Params().BitSize
	}
	const hoursPerMonth = 730
	policy.ValidityMonths = cmp.Or(policy.ValidityMonths, int(m.Leaf.NotAfter.Sub(m.Leaf.NotBefore)/(hoursPerMonth*time.Hour)))
	return Version{
		Enabled: true, NotBefore: m.Leaf.NotBefore, Expires: m.Leaf.NotAfter, Value: value, ContentType: policy.ContentType,
		Key: PublicKey(m.Key.Public(), false), Certificate: m.Leaf, Policy: policy,
	}, nil
}

// encode writes the secret's value: PEM with the private key first, or PKCS#12 without a password in base64.
func (m Material) encode(contentType, pfxEncoding string) (string, error) {
	if contentType == ContentTypePFX {
		others := slices.DeleteFunc(slices.Clone(m.Chain), func(c *x509.Certificate) bool { return c.Equal(m.Leaf) })
		encoder := pkcs12.Modern2023
		if pfxEncoding == PFXLegacy {
			encoder = pkcs12.LegacyRC2
		}
		der, err := encoder.Encode(m.Key, m.Leaf, others, "")
		return base64.StdEncoding.EncodeToString(der), err
	}
	key, err := x509.MarshalPKCS8PrivateKey(m.Key)
	if err != nil {
		return "", fmt.Errorf("writing the private key: %w", err)
	}
	var text bytes.Buffer
	blocks := []*pem.Block{{Type: "PRIVATE KEY", Bytes: key}}
	for _, cert := range m.Chain {
		blocks = append(blocks, &pem.Block{Type: "CERTIFICATE", Bytes: cert.Raw})
	}
	for _, block := range blocks {
		text.Write(pem.EncodeToMemory(block))
	}
	return strings.TrimSuffix(text.String(), "\n") + "\n", nil
}
