package state_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/asn1"
	"encoding/base64"
	"encoding/pem"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"software.sslmate.com/src/go-pkcs12"

	"secretstore/internal/emulator/state"
)

// shop makes a vault with certificates, and gives the current version of each.
func shop(t *testing.T, certificates ...state.CertificateSeed) func(name string) state.Item {
	t.Helper()
	s, err := state.New(state.Seed{
		Tenants: []state.Tenant{{ID: "t1"}},
		Vaults:  []state.VaultSeed{{Name: "shop", Certificates: certificates}},
	}, func() time.Time { return time.Date(2026, 11, 24, 0, 0, 0, 999, time.UTC) }, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	vault, _ := s.Vault("SHOP")
	return func(name string) state.Item {
		t.Helper()
		item, err := vault.Get(state.Secrets, name, "")
		if err != nil {
			t.Fatal(err)
		}
		return item
	}
}

// subjects gives the order of a PEM: KEY for the private key, then the names in the certificates.
func subjects(t *testing.T, text string) (list []string) {
	t.Helper()
	for block, rest := pem.Decode([]byte(text)); block != nil; block, rest = pem.Decode(rest) {
		if block.Type != "CERTIFICATE" {
			list = append(list, "KEY")
			continue
		}
		cert, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, cert.Subject.CommonName)
	}
	return list
}

func TestSeededPEM(t *testing.T) {
	const root, one, two = "Emulator Root CA", "Emulator Intermediate CA 1", "Emulator Intermediate CA 2"
	seed := func(name string, chain state.Chain) state.CertificateSeed {
		return state.CertificateSeed{Name: name, Subject: "CN=leaf, O=Contoso", KeyType: "EC", ContentType: state.ContentTypePEM, Chain: chain}
	}
	get := shop(
		t, seed("self-signed", state.Chain{}), seed("intermediates", state.Chain{Intermediates: 2}),
		seed("whole", state.Chain{Intermediates: 2, Root: true}), seed("root-only", state.Chain{Root: true}),
		seed("shuffled", state.Chain{Intermediates: 2, Root: true, Order: state.OrderShuffled}),
	)
	for name, want := range map[string][]string{
		"self-signed":   {"KEY", "leaf"},
		"intermediates": {"KEY", "leaf", two, one},
		"whole":         {"KEY", "leaf", two, one, root},
		"root-only":     {"KEY", "leaf", root},
		"shuffled":      {"KEY", root, one, two, "leaf"},
	} {
		item := get(name)
		if diff := cmp.Diff(want, subjects(t, item.Value)); diff != "" || item.Certificate.Subject.CommonName != "leaf" {
			t.Errorf("%s: -want +got\n%s", name, diff)
		}
	}
}

func TestSeededChainsVerify(t *testing.T) {
	item := shop(t, state.CertificateSeed{
		Name: "c", DNSNames: []string{"c.example"}, KeyType: "EC", ContentType: state.ContentTypePEM, Chain: state.Chain{Intermediates: 2, Root: true},
	})("c")
	material, err := state.ParsePEM(item.Value, false)
	if err != nil {
		t.Fatal(err)
	}
	roots, intermediates := x509.NewCertPool(), x509.NewCertPool()
	last := len(material.Chain) - 1
	roots.AddCert(material.Chain[last])
	for _, cert := range material.Chain[1:last] {
		intermediates.AddCert(cert)
	}
	if _, err := material.Leaf.Verify(x509.VerifyOptions{
		DNSName: "c.example", Roots: roots, Intermediates: intermediates, CurrentTime: item.Created.AddDate(0, 6, 0),
	}); err != nil {
		t.Error(err)
	}
}

func TestSeededPFX(t *testing.T) {
	pbes2, rc2 := asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 5, 13}, asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 12, 1, 6}
	get := shop(
		t, state.CertificateSeed{Name: "modern", Chain: state.Chain{Intermediates: 1}},
		state.CertificateSeed{Name: "legacy", KeyType: "EC", PFXEncoding: state.PFXLegacy},
	)
	for name, tc := range map[string]struct {
		others int
		has    asn1.ObjectIdentifier
		lacks  asn1.ObjectIdentifier
	}{
		"modern": {1, pbes2, rc2},
		"legacy": {0, rc2, pbes2},
	} {
		item := get(name)
		der, err := base64.StdEncoding.DecodeString(item.Value)
		if err != nil {
			t.Fatal(err)
		}
		_, leaf, others, err := pkcs12.DecodeChain(der, "")
		if err != nil || len(others) != tc.others || !leaf.Equal(item.Certificate) || item.ContentType != state.ContentTypePFX {
			t.Errorf("%s: %d others, %v", name, len(others), err)
		}
		encoded := func(id asn1.ObjectIdentifier) []byte {
			der, err := asn1.Marshal(id)
			if err != nil {
				t.Fatal(err)
			}
			return der
		}
		if !bytes.Contains(der, encoded(tc.has)) || bytes.Contains(der, encoded(tc.lacks)) {
			t.Errorf("%s: it is encrypted in another way", name)
		}
	}
}

func TestGivenMaterialIsTaken(t *testing.T) {
	made := shop(
		t, state.CertificateSeed{Name: "pem", KeyType: "EC", ContentType: state.ContentTypePEM, Chain: state.Chain{Intermediates: 1, Order: state.OrderShuffled}},
		state.CertificateSeed{Name: "pfx", KeyType: "EC"},
	)
	pemText, pfxText := made("pem").Value, made("pfx").Value
	get := shop(
		t, state.CertificateSeed{Name: "pem", CertificateVersion: state.CertificateVersion{PEM: pemText}},
		state.CertificateSeed{Name: "pfx", CertificateVersion: state.CertificateVersion{PFX: pfxText}},
		state.CertificateSeed{Name: "both", Versions: []state.CertificateVersion{{PFX: pfxText}, {PEM: pemText}}},
	)
	for name, want := range map[string]string{"pem": pemText, "pfx": pfxText, "both": pemText} {
		if got := get(name); got.Value != want || got.Policy.Issuer != state.IssuerUnknown || !strings.HasPrefix(got.Policy.Subject, "CN=p") {
			t.Errorf("%s: the value is changed, or the policy is %+v", name, got.Policy)
		}
	}
}

func TestPrivateKeysAreReadHoweverTheyAreWritten(t *testing.T) {
	for _, keyType := range []string{"RSA", "EC"} {
		item := shop(t, state.CertificateSeed{Name: "c", KeyType: keyType, ContentType: state.ContentTypePEM})("c")
		made, err := state.ParsePEM(item.Value, false)
		if err != nil {
			t.Fatal(err)
		}
		block := &pem.Block{Type: "RSA PRIVATE KEY"}
		switch key := made.Key.(type) {
		case *rsa.PrivateKey:
			block.Bytes = x509.MarshalPKCS1PrivateKey(key)
		case *ecdsa.PrivateKey:
			block.Type = "EC PRIVATE KEY"
			block.Bytes, err = x509.MarshalECPrivateKey(key)
		}
		if err != nil {
			t.Fatal(err)
		}
		cert := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: made.Leaf.Raw})
		got, err := state.ParsePEM(string(cert)+string(pem.EncodeToMemory(block)), false)
		if err != nil || !got.Leaf.Equal(made.Leaf) {
			t.Errorf("%s: %v", block.Type, err)
		}
	}
	if _, err := state.ParsePEM("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n", false); err == nil {
		t.Error("a public key was taken for a private one")
	}
}

func TestVersionTimesAreWholeSeconds(t *testing.T) {
	item := shop(t, state.CertificateSeed{Name: "c", KeyType: "EC"})("c")
	want := time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC)
	if !item.Created.Equal(want) || !item.Updated.Equal(want) || !item.NotBefore.Equal(want) || !item.Expires.Equal(want.AddDate(1, 0, 0)) {
		t.Errorf("got %v, %v, %v, %v", item.Created, item.Updated, item.NotBefore, item.Expires)
	}
}
