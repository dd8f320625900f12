package conformance_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"math/big"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/security/keyvault/azcertificates"
	"github.com/Azure/azure-sdk-for-go/sdk/security/keyvault/azkeys"
	"software.sslmate.com/src/go-pkcs12"
)

func tokenOptions() policy.TokenRequestOptions {
	return policy.TokenRequestOptions{Scopes: []string{"https://vault.azure.net/.default"}}
}

// pair makes a key and a self-signed certificate, as an operator would bring them.
func pair(t *testing.T) (*ecdsa.PrivateKey, *x509.Certificate) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(7), Subject: pkix.Name{CommonName: "brought.example"},
		NotBefore: time.Now().Add(-time.Hour).Truncate(time.Second), NotAfter: time.Now().AddDate(1, 0, 0).Truncate(time.Second),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return key, cert
}

func pemOf(t *testing.T, key *ecdsa.PrivateKey, cert *x509.Certificate) string {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})) +
		string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert.Raw}))
}

func TestImportedCertificatesComeBack(t *testing.T) {
	a := start(t)
	operator := a.operator(operatorID, password)
	certificates, secrets := a.certificates(operator), a.secrets(vaultURL, operator)
	key, cert := pair(t)
	encode := func(encoder *pkcs12.Encoder, password string) string {
		pfx, err := encoder.Encode(key, cert, nil, password)
		if err != nil {
			t.Fatal(err)
		}
		return base64.StdEncoding.EncodeToString(pfx)
	}
	const pemType, pfxType = "application/x-pem-file", "application/x-pkcs12"
	for name, tc := range map[string]struct {
		parameters azcertificates.ImportCertificateParameters
		want       string
	}{
		"pem": {azcertificates.ImportCertificateParameters{
			Base64EncodedCertificate: new(pemOf(t, key, cert)),
			CertificatePolicy:        &azcertificates.CertificatePolicy{SecretProperties: &azcertificates.SecretProperties{ContentType: new(pemType)}},
		}, pemType},
		"pfx":        {azcertificates.ImportCertificateParameters{Base64EncodedCertificate: new(encode(pkcs12.Modern2023, "pass")), Password: new("pass")}, pfxType},
		"legacy-pfx": {azcertificates.ImportCertificateParameters{Base64EncodedCertificate: new(encode(pkcs12.LegacyRC2, ""))}, pfxType},
	} {
		t.Run(name, func(t *testing.T) {
			imported, err := certificates.ImportCertificate(t.Context(), name, tc.parameters, nil)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(imported.CER, cert.Raw) || imported.SID.Version() != imported.ID.Version() || !imported.Attributes.Expires.Equal(cert.NotAfter) {
				t.Errorf("imported is %v until %v", *imported.ID, imported.Attributes.Expires)
			}
			secret, err := secrets.GetSecret(t.Context(), name, imported.SID.Version(), nil)
			if err != nil {
				t.Fatal(err)
			}
			if *secret.ContentType != tc.want || string(*secret.KID) != string(*imported.KID) || !*secret.Managed {
				t.Errorf("the secret is %s of %v", *secret.ContentType, secret.KID)
			}
			if tc.want == pemType {
				if *secret.Value != pemOf(t, key, cert) {
					t.Error("the PEM came back changed")
				}
				return
			}
			pfx, err := base64.StdEncoding.DecodeString(*secret.Value)
			if err != nil {
				t.Fatal(err)
			}
			gotKey, gotCert, err := pkcs12.Decode(pfx, "")
			if err != nil || !key.Equal(gotKey) || !gotCert.Equal(cert) {
				t.Errorf("the PFX without a password holds another pair: %v", err)
			}
		})
	}
}

func TestCertificatesAreCreatedListedAndDeleted(t *testing.T) {
	a := start(t)
	client, ctx := a.certificates(a.operator(operatorID, password)), t.Context()
	started, err := client.CreateCertificate(ctx, "made", azcertificates.CreateCertificateParameters{
		CertificatePolicy: &azcertificates.CertificatePolicy{
			IssuerParameters:          &azcertificates.IssuerParameters{Name: new("Self")},
			KeyProperties:             &azcertificates.KeyProperties{KeyType: new(azcertificates.KeyTypeEC), Curve: new(azcertificates.CurveNameP256)},
			X509CertificateProperties: &azcertificates.X509CertificateProperties{Subject: new("CN=made.example")},
		},
	}, nil)
	if err != nil || *started.Status != "inProgress" {
		t.Fatalf("create: %v", err)
	}
	if operation, err := client.GetCertificateOperation(ctx, "made", nil); err != nil || *operation.Status != "completed" {
		t.Fatalf("pending: %v", err)
	}
	made, err := client.GetCertificate(ctx, "made", "", nil)
	if err != nil || *made.Policy.X509CertificateProperties.Subject != "CN=made.example" {
		t.Fatalf("made: %v", err)
	}
	if cert, err := x509.ParseCertificate(made.CER); err != nil || cert.Subject.CommonName != "made.example" {
		t.Errorf("the certificate: %v", err)
	}
	var names []string
	for pager := client.NewListCertificatePropertiesPager(nil); pager.More(); {
		page, err := pager.NextPage(ctx)
		if err != nil {
			t.Fatal(err)
		}
		for _, item := range page.Value {
			names = append(names, item.ID.Name())
		}
	}
	if strings.Join(names, " ") != "made seeded-certificate" {
		t.Errorf("listed are %v", names)
	}
	if _, err := client.UpdateCertificate(ctx, "made", made.ID.Version(), azcertificates.UpdateCertificateParameters{
		CertificateAttributes: &azcertificates.CertificateAttributes{Enabled: new(false)},
	}, nil); err != nil {
		t.Error(err)
	}
	if _, err := client.DeleteCertificate(ctx, "made", nil); err != nil {
		t.Error(err)
	}
	_, err = client.GetCertificate(ctx, "made", "", nil)
	wantError(t, err, http.StatusNotFound, "CertificateNotFound", "")
	if _, err := client.RecoverDeletedCertificate(ctx, "made", nil); err != nil {
		t.Error(err)
	}
}

func TestKeys(t *testing.T) {
	a := start(t)
	client, ctx := a.keys(a.operator(operatorID, password)), t.Context()
	seeded, err := client.GetKey(ctx, "seeded-key", "", nil)
	if err != nil || *seeded.Key.Kty != azkeys.KeyTypeECHSM || len(seeded.Key.X) != 32 {
		t.Fatalf("the seeded key: %v", err)
	}
	created, err := client.CreateKey(ctx, "created", azkeys.CreateKeyParameters{Kty: new(azkeys.KeyTypeRSA), KeySize: new(int32(2048))}, nil)
	if err != nil || len(created.Key.N) != 256 || !bytes.Equal(created.Key.E, []byte{1, 0, 1}) {
		t.Fatalf("the created key: %v", err)
	}
	certs, err := client.GetKey(ctx, "seeded-certificate", "", nil)
	if err != nil || !*certs.Managed {
		t.Errorf("the certificate's key: %v", err)
	}
	names := map[string]bool{}
	for pager := client.NewListKeyPropertiesPager(nil); pager.More(); {
		page, err := pager.NextPage(ctx)
		if err != nil {
			t.Fatal(err)
		}
		for _, item := range page.Value {
			names[item.KID.Name()] = true
		}
	}
	if len(names) != 3 || !names["created"] {
		t.Errorf("listed are %v", names)
	}
	if _, err := client.DeleteKey(ctx, "created", nil); err != nil {
		t.Error(err)
	}
	_, err = client.GetKey(ctx, "created", "", nil)
	wantError(t, err, http.StatusNotFound, "KeyNotFound", "")
}
