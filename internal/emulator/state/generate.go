package state

import (
	"cmp"
	"crypto"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"io"
	"math/big"
	"slices"
	"strings"
	"time"
)

// link is a certificate and the key that signs with it.
type link struct {
	cert *x509.Certificate
	key  crypto.Signer
}

// Generate makes a key and a certificate after a policy, from a time on, with the chain that is asked for. Without
// intermediates and root the certificate is self-signed.
func Generate(random io.Reader, policy Policy, chain Chain, from time.Time) (Material, error) {
	subject, err := parseSubject(policy.Subject)
	if err != nil {
		return Material{}, err
	}
	order, err := oneOf("chain.order", chain.Order, OrderLeafFirst, OrderShuffled)
	if err != nil {
		return Material{}, err
	}
	key, err := newSigner(random, policy.KeyType, policy.KeySize, policy.Curve)
	if err != nil {
		return Material{}, err
	}
	issuers, err := newIssuers(random, chain, from)
	if err != nil {
		return Material{}, err
	}
	template := &x509.Certificate{
		Subject: subject, DNSNames: policy.DNSNames, NotBefore: from, NotAfter: from.AddDate(0, cmp.Or(policy.ValidityMonths, 12), 0),
		KeyUsage:    x509.KeyUsageDigitalSignature | x509.KeyUsageKeyEncipherment,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	leaf, err := sign(random, template, key, issuers)
	if err != nil {
		return Material{}, err
	}
	if !chain.Root && len(issuers) > 0 {
		issuers = issuers[1:]
	}
	certs := []*x509.Certificate{leaf}
	for _, issuer := range slices.Backward(issuers) {
		certs = append(certs, issuer.cert)
	}
	if order == OrderShuffled {
		slices.Reverse(certs)
	}
	return Material{Key: key, Leaf: leaf, Chain: certs}, nil
}

// newIssuers makes the root and the intermediates, in this order. They have EC keys, which are quick to make.
func newIssuers(random io.Reader, chain Chain, from time.Time) ([]link, error) {
	if chain.Intermediates == 0 && !chain.Root {
		return nil, nil
	}
	var issuers []link
	for i := range chain.Intermediates + 1 {
		name := "Emulator Root CA"
		if i > 0 {
			name = fmt.Sprintf("Emulator Intermediate CA %d", i)
		}
		key, err := newSigner(random, "EC", 0, "")
		if err != nil {
			return nil, err
		}
		const years = 10
		template := &x509.Certificate{
			Subject: pkix.Name{CommonName: name}, NotBefore: from, NotAfter: from.AddDate(years, 0, 0),
			IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
		}
		cert, err := sign(random, template, key, issuers)
		if err != nil {
			return nil, err
		}
		issuers = append(issuers, link{cert, key})
	}
	return issuers, nil
}

// sign has the last issuer sign a certificate for the key, or the key itself if there is no issuer.
func sign(random io.Reader, template *x509.Certificate, key crypto.Signer, issuers []link) (*x509.Certificate, error) {
	serial := make([]byte, 16)
	if _, err := io.ReadFull(random, serial); err != nil {
		return nil, fmt.Errorf("drawing a serial number: %w", err)
	}
	serial[0] &= 0x7f // X.509 wants it positive
	template.SerialNumber = new(big.Int).SetBytes(serial)
	issuer := link{template, key}
	if len(issuers) > 0 {
		issuer = issuers[len(issuers)-1]
	}
	der, err := x509.CreateCertificate(random, template, issuer.cert, key.Public(), issuer.key)
	if err != nil {
		return nil, fmt.Errorf("signing a certificate: %w", err)
	}
	return x509.ParseCertificate(der)
}

// parseSubject reads a distinguished name such as "CN=www.contoso.com, O=Contoso". The names have no commas in them.
func parseSubject(text string) (pkix.Name, error) {
	var name pkix.Name
	for part := range strings.SplitSeq(text, ",") {
		attribute, value, ok := strings.Cut(strings.TrimSpace(part), "=")
		switch strings.ToUpper(attribute) {
		case "CN":
			name.CommonName = value
		case "O":
			name.Organization = append(name.Organization, value)
		case "OU":
			name.OrganizationalUnit = append(name.OrganizationalUnit, value)
		case "L":
			name.Locality = append(name.Locality, value)
		case "C":
			name.Country = append(name.Country, value)
		default:
			ok = false
		}
		if !ok {
			return pkix.Name{}, fmt.Errorf("subject is %q: it must be made of CN=, O=, OU=, L= and C=, with commas between them", text)
		}
	}
	return name, nil
}
