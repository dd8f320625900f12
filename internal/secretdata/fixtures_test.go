package secretdata_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"secretstore/internal/redact"
	"secretstore/internal/secretdata"
	"secretstore/internal/spcparams"
)

// canary stands in values that no error may repeat.
const canary = "canary-7f3a"

// kinds are the folders of testdata: a chain with each kind of key.
func kinds() []string { return []string{"rsa", "ec256", "ec384", "ec521"} }

// file reads a file of testdata.
func file(t testing.TB, path ...string) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(append([]string{"testdata"}, path...)...))
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

// chainOf is leaf, intermediate and root of a kind.
func chainOf(t testing.TB, kind string) string {
	t.Helper()
	return file(t, kind, "leaf.pem") + file(t, kind, "intermediate.pem") + file(t, kind, "root.pem")
}

// web is the certificate of the tests, read with its key.
func web() spcparams.Object { return spcparams.Object{Name: "web", Type: spcparams.TypeSecret} }

// asPEM and asPFX are what the vault returns for the secret of a certificate.
func asPEM(value string) secretdata.Fetched {
	return secretdata.Fetched{Value: redact.FromString(value), ContentType: "application/x-pem-file", HasKey: true}
}

func asPFX(value string) secretdata.Fetched {
	return secretdata.Fetched{Value: redact.FromString(value), ContentType: "application/x-pkcs12", HasKey: true}
}

// render renders one object of which the vault returned these versions.
func render(o spcparams.Object, versions ...secretdata.Fetched) secretdata.Files {
	return secretdata.Render(o, secretdata.Result{Versions: versions})
}

// shown is what files hold, values and errors alike, as text that tests can compare.
func shown(files secretdata.Files) map[string]string {
	texts := map[string]string{}
	for path, f := range files {
		if f.Err != nil {
			texts[path] = "error: " + f.Err.Error()
			continue
		}
		texts[path] = string(f.Value.Reveal())
	}
	return texts
}

func values(data map[string]redact.Bytes) map[string]string {
	texts := map[string]string{}
	for key, value := range data {
		texts[key] = string(value.Reveal())
	}
	return texts
}

// kindOf is the kind of an error of the package, which it has to be.
func kindOf(t testing.TB, err error) secretdata.Kind {
	t.Helper()
	var e *secretdata.Error
	if !errors.As(err, &e) {
		t.Fatalf("%v is not an *Error but %T", err, err)
	}
	if e.Place == "" || e.Problem == "" || e.Cure == "" || strings.Contains(e.Error(), "\n") {
		t.Errorf("an error without a place, a problem, a cure or in more than one line: %#v", e)
	}
	return e.Kind
}

// An authority issues certificates for the tests.
type authority struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
}

// issue makes a certificate, self-signed if the issuer is nil. A change may alter it before it is signed.
func issue(t testing.TB, name string, issuer *authority, change func(*x509.Certificate)) *authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return certify(t, name, key, issuer, change)
}

// certify is issue for a key that there is.
func certify(t testing.TB, name string, key *ecdsa.PrivateKey, issuer *authority, change func(*x509.Certificate)) *authority {
	t.Helper()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, BasicConstraintsValid: true, IsCA: true,
		NotBefore: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), NotAfter: time.Date(2036, 1, 1, 0, 0, 0, 0, time.UTC),
	}
	if change != nil {
		change(template)
	}
	parent, signer := template, key
	if issuer != nil {
		parent, signer = issuer.certificate, issuer.key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, signer)
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return &authority{certificate: certificate, key: key}
}

func notCA(c *x509.Certificate) { c.IsCA = false }

// pemOf is certificates as PEM.
func pemOf(certificates ...*authority) string {
	var b strings.Builder
	for _, a := range certificates {
		b.Write(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.certificate.Raw}))
	}
	return b.String()
}

// keyPEM is a private key as PKCS#8.
func keyPEM(t testing.TB, key crypto.PrivateKey) string {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}

// names are the subjects of the certificates in a PEM, in order, in the words of a test.
func names(t testing.TB, value string) string {
	t.Helper()
	var list []string
	for block, rest := pem.Decode([]byte(value)); block != nil; block, rest = pem.Decode(rest) {
		certificate, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, certificate.Subject.CommonName)
	}
	return strings.Join(list, " ")
}

// permutations are all orders of up to 5 things.
func permutations[T any](things []T) [][]T {
	if len(things) <= 1 {
		return [][]T{slices.Clone(things)}
	}
	var all [][]T
	for i := range things {
		rest := slices.Delete(slices.Clone(things), i, i+1)
		for _, tail := range permutations(rest) {
			all = append(all, append([]T{things[i]}, tail...))
		}
	}
	return all
}

func base64Of(b []byte) string { return base64.StdEncoding.EncodeToString(b) }

// errAway is what a source of objects reports.
var errAway = errors.New("the vault does not answer")
