package secretdata_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"

	"secretstore/internal/redact"
	"secretstore/internal/secretdata"
	"secretstore/internal/spcparams"
)

// TestPFXGolden compares, byte for byte, with what OpenSSL writes for the same keys and certificates.
func TestPFXGolden(t *testing.T) {
	t.Parallel()
	variants := map[string]struct {
		reason string
		kinds  []string
	}{
		"modern":     {"AES-256 and SHA-256, what tools and Key Vault write today.", kinds()},
		"legacy":     {"RC2 and triple DES with SHA-1, what Windows wrote for twenty years.", kinds()},
		"3des":       {"Triple DES for key and certificates.", kinds()},
		"sha512":     {"A MAC of SHA-512 and more iterations.", kinds()},
		"plain":      {"Neither encrypted nor authenticated.", kinds()},
		"nopassword": {"No password at all, which is encoded otherwise than an empty one.", []string{"rsa"}},
	}
	for variant, tc := range variants {
		for _, kind := range tc.kinds {
			t.Run(variant+"/"+kind, func(t *testing.T) {
				t.Parallel()
				pfx := file(t, kind, variant+".pfx.txt")
				chain, key := chainOf(t, kind), file(t, kind, "key.pem")
				want := map[string]string{
					"web": key + chain, "web/tls.crt": chain, "web.crt": chain, "web/tls.key": key, "web.key": key,
				}
				if diff := cmp.Diff(want, shown(render(web(), asPFX(pfx)))); diff != "" {
					t.Errorf("%s\n-want +got:\n%s", tc.reason, diff)
				}
				asIs := web()
				asIs.Format = spcparams.FormatPFX
				want["web"] = pfx
				if diff := cmp.Diff(want, shown(render(asIs, asPFX(pfx)))); diff != "" {
					t.Errorf("As PFX it is what the vault holds, and its parts are PEM.\n-want +got:\n%s", diff)
				}
				checkTLS(t, kind, render(web(), asPFX(pfx)), "web", "web")
				checkTLS(t, kind, render(asIs, asPFX(pfx)), "web", "web")
				checkTLS(t, kind, render(web(), asPFX(pfx)), "web/tls.crt", "web.key")
			})
		}
	}
}

// TestPEMGolden: what was uploaded as PEM stays as it is, and its parts are in order.
func TestPEMGolden(t *testing.T) {
	t.Parallel()
	for _, kind := range kinds() {
		for _, form := range []string{"key.pem", "traditional.pem"} {
			t.Run(kind+"/"+form, func(t *testing.T) {
				t.Parallel()
				key := file(t, kind, form)
				upload := "Bag Attributes\r\n  friendlyName: web\r\n" + file(t, kind, "root.pem") + "\n\n" + file(t, kind, "leaf.pem") +
					"-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n" +
					key + "# the end" + "\n" + file(t, kind, "intermediate.pem") + "trailing"
				chain := chainOf(t, kind)
				want := map[string]string{
					"web": upload, "web/tls.crt": chain, "web.crt": chain, "web/tls.key": key, "web.key": key,
				}
				files := render(web(), asPEM(upload))
				if diff := cmp.Diff(want, shown(files)); diff != "" {
					t.Errorf("-want +got:\n%s", diff)
				}
				checkTLS(t, kind, files, "web", "web")
				checkTLS(t, kind, files, "web.crt", "web/tls.key")
			})
		}
	}
}

// checkTLS builds a TLS Secret and compares it with the traditional forms that OpenSSL writes.
func checkTLS(t *testing.T, kind string, files secretdata.Files, crt, key string) {
	t.Helper()
	data, errs := secretdata.Build(corev1.SecretTypeTLS, []secretdata.Mapping{
		{SourcePath: crt, TargetKey: "tls.crt"}, {SourcePath: key, TargetKey: "tls.key"},
	}, files)
	want := map[string]string{"tls.crt": chainOf(t, kind), "tls.key": file(t, kind, "traditional.pem")}
	if diff := cmp.Diff(want, values(data)); diff != "" || len(errs) > 0 {
		t.Errorf("TLS of %s and %s: %v\n-want +got:\n%s", crt, key, errs, diff)
	}
}

// TestPFXOfPEM: a certificate that the vault holds as PEM, asked for as PFX, becomes one, the same each time.
//
//covers:field SecretProviderClass.spec.parameters.objects[].objectFormat
func TestPFXOfPEM(t *testing.T) {
	t.Parallel()
	golden := map[string]string{}
	for _, kind := range kinds() {
		t.Run(kind, func(t *testing.T) {
			o := web()
			o.Format = spcparams.FormatPFX
			key := file(t, kind, "key.pem")
			var first string
			for _, upload := range []string{
				key + chainOf(t, kind),
				file(t, kind, "root.pem") + file(t, kind, "intermediate.pem") + key + file(t, kind, "leaf.pem"),
			} {
				pfx := string(render(o, asPEM(upload))["web"].Value.Reveal())
				if first == "" {
					first = pfx
				}
				if pfx != first {
					t.Error("another order of the same certificates gave another PFX: the Secret would change for nothing")
				}
				got := shown(render(web(), asPFX(pfx)))
				if diff := cmp.Diff(key+chainOf(t, kind), got["web"]); diff != "" {
					t.Errorf("read again it is another: -want +got:\n%s", diff)
				}
			}
			sum := sha256.Sum256([]byte(first))
			golden[kind] = hex.EncodeToString(sum[:8])
		})
	}
	want := map[string]string{
		"rsa": "ec8f443a5f98c843", "ec256": "7786378137619d0d", "ec384": "56fd20af57b12d3c", "ec521": "e2514eba59cb26e8",
	}
	if diff := cmp.Diff(want, golden); diff != "" {
		t.Errorf("A change of these bytes rewrites the Secrets of all users. -want +got:\n%s", diff)
	}
}

func TestPFXRefused(t *testing.T) {
	t.Parallel()
	const again = "; export it with its key, without a password, with AES-256 and SHA-256, and import it again"
	modern := file(t, "rsa", "modern.pfx.txt")
	cases := map[string]struct {
		reason string
		value  string
		want   string
	}{
		"Password": {
			reason: "Nobody here knows a password.",
			value:  file(t, "rsa", "password.pfx.txt"),
			want:   `secret "web" is a PFX with a password` + again,
		},
		"Costly": {
			reason: "Two million iterations would hold up everybody else.",
			value:  file(t, "rsa", "costly.pfx.txt"),
			want:   `secret "web" is a PFX with more than a million iterations; export it with fewer and import it again`,
		},
		"Keyless": {
			reason: "A PFX without a key is of a certificate whose key the vault keeps.",
			value:  file(t, "rsa", "keyless.pfx.txt"),
			want: `secret "web" is a PFX that is damaged or has no private key` + again +
				`; for a key that may not be exported use objectType cert`,
		},
		"Unsupported": {
			reason: "A MAC of SHA-384 is beyond the library.",
			value:  file(t, "rsa", "unsupported.pfx.txt"),
			want:   `secret "web" is a PFX with a layout or a cipher that is not supported` + again,
		},
		"CutOff": {
			reason: "Half a PFX is none.",
			value:  modern[:len(modern)/8*4],
			want: `secret "web" is a PFX that is damaged or has no private key` + again +
				`; for a key that may not be exported use objectType cert`,
		},
		"Text": {
			reason: "Text is none either, and is not repeated.",
			value:  canary,
			want:   `secret "web" is marked as a PFX and is not its base64 text; import the certificate again`,
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			files := render(web(), asPFX(tc.value))
			for path, got := range shown(files) {
				if got != "error: "+tc.want {
					t.Errorf("%s: %s\nwant %s\ngot  %s", path, tc.reason, tc.want, got)
				}
			}
			if kind := kindOf(t, files["web"].Err); kind != secretdata.KindValue {
				t.Errorf("the kind is %d", kind)
			}
			asIs := web()
			asIs.Format = spcparams.FormatPFX
			if got := render(asIs, asPFX(tc.value))["web"]; got.Err != nil || string(got.Value.Reveal()) != tc.value {
				t.Error("as PFX it is not what the vault holds any more")
			}
		})
	}
}

// TestKeyOutOfReach: where Key Vault keeps the key, the value is the certificate alone, and is given as far as it goes.
func TestKeyOutOfReach(t *testing.T) {
	t.Parallel()
	leaf := file(t, "rsa", "leaf.pem")
	block, _ := pem.Decode([]byte(leaf))
	const noKey = `error: secret "web" holds no private key; make the key exportable in the certificate's policy and issue a ` +
		`new version, or use objectType cert for the certificate alone`
	want := map[string]string{"web": leaf, "web/tls.crt": leaf, "web.crt": leaf, "web/tls.key": noKey, "web.key": noKey}
	for name, fetched := range map[string]secretdata.Fetched{
		"PEM": asPEM(leaf), "DER in the place of a PFX": asPFX(base64Of(block.Bytes)),
	} {
		files := render(web(), fetched)
		if diff := cmp.Diff(want, shown(files)); diff != "" {
			t.Errorf("%s: -want +got:\n%s", name, diff)
		}
		if kind := kindOf(t, files["web.key"].Err); kind != secretdata.KindAbsent {
			t.Errorf("%s: the kind is %d", name, kind)
		}
	}
	o := web()
	o.Format = spcparams.FormatPFX
	if got := shown(render(o, asPEM(leaf)))["web"]; got != noKey {
		t.Errorf("a PFX without a key: %s", got)
	}
}

// TestPEMRefused: the whole of a PEM is given even where its parts cannot be told.
func TestPEMRefused(t *testing.T) {
	t.Parallel()
	block := func(kind, body string) string {
		return fmt.Sprintf("-----BEGIN %s-----\n%s\n-----END %s-----\n", kind, base64Of([]byte(body)), kind)
	}
	leaf := file(t, "ec256", "leaf.pem")
	cases := map[string]struct {
		reason string
		value  string
		want   string
	}{
		"Text": {
			reason: "No block, no certificate.",
			value:  canary,
			want:   "holds no certificate; map a source path that has one, or import the certificate again",
		},
		"KeyAlone": {
			reason: "A key is no certificate.",
			value:  file(t, "ec256", "key.pem"),
			want:   "holds no certificate; map a source path that has one, or import the certificate again",
		},
		"BrokenCertificate": {
			reason: "What is marked as a certificate has to be one.",
			value:  leaf + block("CERTIFICATE", canary),
			want:   "holds a certificate that cannot be read; import it again",
		},
		"BrokenKey": {
			reason: "So has a key.",
			value:  leaf + block("PRIVATE KEY", canary),
			want:   "holds a private key that cannot be read; store it as PKCS#8, PKCS#1 or SEC 1",
		},
		"EncryptedKey": {
			reason: "A key with a password is of no use without.",
			value:  leaf + file(t, "rsa", "encrypted.pem"),
			want:   "holds an encrypted private key; store the key without a password",
		},
		"OldEncryptedKey": {
			reason: "Nor is one in the older form of it.",
			value: leaf + "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,00\n\n" +
				base64Of([]byte(canary)) + "\n-----END RSA PRIVATE KEY-----\n",
			want: "holds an encrypted private key; store the key without a password",
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := shown(render(web(), asPEM(tc.value)))
			want := `error: secret "web" ` + tc.want
			if diff := cmp.Diff(map[string]string{
				"web": tc.value, "web/tls.crt": want, "web.crt": want, "web/tls.key": want, "web.key": want,
			}, got); diff != "" {
				t.Errorf("%s\n-want +got:\n%s", tc.reason, diff)
			}
			o := web()
			o.Format = spcparams.FormatPFX
			if got := shown(render(o, asPEM(tc.value)))["web"]; got != want {
				t.Errorf("as PFX: %s", got)
			}
		})
	}
}

// TestKeyLabels: the type of a PEM block is not always true, and the key is the one of the leaf.
func TestKeyLabels(t *testing.T) {
	t.Parallel()
	key := strings.ReplaceAll(file(t, "ec256", "key.pem"), "PRIVATE KEY", "RSA PRIVATE KEY")
	upload := file(t, "rsa", "key.pem") + chainOf(t, "ec256") + key
	files := render(web(), asPEM(upload))
	if got := shown(files)["web/tls.key"]; got != key {
		t.Errorf("the key is not the one of the certificate but %q", got)
	}
	checkTLS(t, "ec256", files, "web", "web")
	stranger := file(t, "ec384", "key.pem")
	if got := shown(render(web(), asPEM(stranger+chainOf(t, "ec256"))))["web/tls.key"]; got != stranger {
		t.Errorf("a key that belongs to no certificate is given as it is, not %q", got)
	}
}

// TestTLSFromPlainSecret: whoever keeps PEM, or a PFX, in a secret without a certificate object has worked with it so far.
func TestTLSFromPlainSecret(t *testing.T) {
	t.Parallel()
	pfx := file(t, "rsa", "modern.pfx.txt")
	binary := web()
	binary.Encoding = spcparams.EncodingBase64
	for name, files := range map[string]secretdata.Files{
		"PEM":        render(web(), secretdata.Fetched{Value: redact.FromString(file(t, "rsa", "key.pem") + chainOf(t, "rsa"))}),
		"PFX":        render(web(), secretdata.Fetched{Value: redact.FromString(pfx), ContentType: "application/x-pkcs12"}),
		"binary PFX": render(binary, secretdata.Fetched{Value: redact.FromString(pfx)}),
	} {
		t.Run(name, func(t *testing.T) { checkTLS(t, "rsa", files, "web", "web") })
	}
}
