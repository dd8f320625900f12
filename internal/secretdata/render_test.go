package secretdata_test

import (
	"crypto"
	"encoding/pem"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"secretstore/internal/redact"
	"secretstore/internal/secretdata"
	"secretstore/internal/spcparams"
)

// plain is a secret of the vault that belongs to no certificate.
func plain(value string) secretdata.Fetched {
	return secretdata.Fetched{Value: redact.FromString(value)}
}

//covers:field SecretProviderClass.spec.parameters.objects[].objectEncoding
func TestRenderSecret(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		reason   string
		encoding spcparams.Encoding
		fetched  secretdata.Fetched
		want     string
	}{
		"AsItIs": {
			reason:  "A value is given byte for byte, line breaks and all.",
			fetched: plain(" hunter2\r\n"), want: " hunter2\r\n",
		},
		"Empty": {
			reason: "An empty value is a value.",
		},
		"UTF8": {
			reason:   "utf-8 says the same as nothing.",
			encoding: spcparams.EncodingUTF8, fetched: plain("pässword"), want: "pässword",
		},
		"Base64": {
			reason:   "The value is what was encoded.",
			encoding: spcparams.EncodingBase64, fetched: plain("aHVudGVyMg=="), want: "hunter2",
		},
		"Base64InLines": {
			reason:   "Tools break base64 into lines and end it with one.",
			encoding: spcparams.EncodingBase64, fetched: plain(" aHVu\r\ndGVyMg==\n"), want: "hunter2",
		},
		"Base64OfBinary": {
			reason:   "What was encoded need not be text.",
			encoding: spcparams.EncodingBase64, fetched: plain("/wD+"), want: "\xff\x00\xfe",
		},
		"Hex": {
			reason:   "Hexadecimal digits of either case.",
			encoding: spcparams.EncodingHex, fetched: plain("68756E746572320a\n"), want: "hunter2\n",
		},
		"NotBase64": {
			reason:   "The error names the object and the cure, and nothing of the value.",
			encoding: spcparams.EncodingBase64, fetched: plain(canary),
			want: `error: secret "db" has a value that is not base64; remove objectEncoding to take it as it is, or store it in ` +
				`that encoding`,
		},
		"NotHex": {
			reason:   "The library's error would quote a character of the value.",
			encoding: spcparams.EncodingHex, fetched: plain("6" + canary),
			want: `error: secret "db" has a value that is not hex; remove objectEncoding to take it as it is, or store it in that ` +
				`encoding`,
		},
		"ContentTypeOfACertificate": {
			reason:  "Anybody may write a content type; only the kid makes it a certificate's.",
			fetched: secretdata.Fetched{Value: redact.FromString("x"), ContentType: "application/x-pkcs12"}, want: "x",
		},
		"OtherContentType": {
			reason:  "Should Key Vault learn a third type, its value is still given.",
			fetched: secretdata.Fetched{Value: redact.FromString("x"), ContentType: "application/jose", HasKey: true}, want: "x",
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := spcparams.Object{Name: "db", Type: spcparams.TypeSecret, Encoding: tc.encoding}
			const noPart = `error: secret "db" is not the secret of a certificate, so it has no tls.crt and no tls.key; map "db" ` +
				`itself; in a Secret of type kubernetes.io/tls each key takes its part of it`
			want := map[string]string{
				"db": tc.want, "db/tls.crt": noPart, "db/tls.key": noPart, "db.crt": noPart, "db.key": noPart,
			}
			if diff := cmp.Diff(want, shown(render(o, tc.fetched))); diff != "" {
				t.Errorf("%s\n-want +got:\n%s", tc.reason, diff)
			}
		})
	}
}

func TestRenderCertificateEncoding(t *testing.T) {
	t.Parallel()
	pfx := file(t, "rsa", "modern.pfx.txt")
	o := spcparams.Object{Name: "web", Type: spcparams.TypeSecret, Format: spcparams.FormatPFX, Encoding: spcparams.EncodingBase64}
	got := string(render(o, asPFX(pfx))["web"].Value.Reveal())
	if base64Of([]byte(got)) != pfx {
		t.Error("pfx with base64 is not the binary PFX, as it is with the Azure provider")
	}
	o.Format = spcparams.FormatPEM
	const want = `error: secret "web" has a value that is not base64; remove objectEncoding to take it as it is, or store it in that ` +
		`encoding`
	if got := shown(render(o, asPFX(pfx)))["web"]; got != want {
		t.Errorf("PEM is not base64, as in the Azure provider: %s", got)
	}
}

func TestContentTypeIsReadLoosely(t *testing.T) {
	t.Parallel()
	f := asPEM(file(t, "rsa", "key.pem") + chainOf(t, "rsa"))
	f.ContentType = " Application/X-PEM-File; charset=utf-8"
	if got := shown(render(web(), f))["web/tls.key"]; got != file(t, "rsa", "key.pem") {
		t.Errorf("got %s", got)
	}
}

func TestRenderCert(t *testing.T) {
	t.Parallel()
	leaf := file(t, "rsa", "leaf.pem")
	block, _ := pem.Decode([]byte(leaf))
	o := spcparams.Object{Name: "web", Type: spcparams.TypeCert}
	want := map[string]string{"web": leaf, "web/tls.crt": leaf}
	if diff := cmp.Diff(want, shown(render(o, secretdata.Fetched{CER: block.Bytes}))); diff != "" {
		t.Errorf("The certificate alone, PEM.\n-want +got:\n%s", diff)
	}
	const pending = `error: cert "web" came without its certificate; look at it in the vault: it may still be pending`
	want = map[string]string{"web": pending, "web/tls.crt": pending}
	if diff := cmp.Diff(want, shown(render(o, secretdata.Fetched{}))); diff != "" {
		t.Errorf("A certificate that is still being issued has none.\n-want +got:\n%s", diff)
	}
}

func TestRenderKey(t *testing.T) {
	t.Parallel()
	o := spcparams.Object{Name: "sign", Type: spcparams.TypeKey}
	for _, kind := range kinds() {
		want := map[string]string{"sign": file(t, kind, "public.pem")}
		if diff := cmp.Diff(want, shown(render(o, secretdata.Fetched{Key: publicKey(t, kind)}))); diff != "" {
			t.Errorf("%s: what OpenSSL writes for the public half.\n-want +got:\n%s", kind, diff)
		}
	}
	const unknown = `error: key "sign" has no public key of a supported kind; use an RSA or EC key`
	for _, key := range []crypto.PublicKey{nil, "x"} {
		if got := shown(render(o, secretdata.Fetched{Key: key}))["sign"]; got != unknown {
			t.Errorf("the key %v: %s", key, got)
		}
	}
}

func TestRenderHistory(t *testing.T) {
	t.Parallel()
	unread := errors.New("reading version 2: 403")
	unlisted := errors.New("listing versions: 403")
	noVersion := func(n string) string {
		return `error: key "sign" has ` + n + ` in the vault, disabled ones not counted; lower objectVersionHistory, or map fewer versions`
	}
	cases := map[string]struct {
		reason  string
		history int
		result  secretdata.Result
		want    map[string]string
	}{
		"Exactly": {
			reason:  "A history of 2 gives 2, though the source may know more.",
			history: 2,
			result:  secretdata.Result{Versions: []secretdata.Fetched{{Key: publicKey(t, "rsa")}, {Key: publicKey(t, "ec256")}, {}}},
			want:    map[string]string{"sign/0": file(t, "rsa", "public.pem"), "sign/1": file(t, "ec256", "public.pem")},
		},
		"Fewer": {
			reason:  "Where the vault has fewer, the others are absent and say so.",
			history: 3,
			result:  secretdata.Result{Versions: []secretdata.Fetched{{Key: publicKey(t, "rsa")}}},
			want: map[string]string{
				"sign/0": file(t, "rsa", "public.pem"),
				"sign/1": noVersion("only 1 of the 3 versions asked for"), "sign/2": noVersion("only 1 of the 3 versions asked for"),
			},
		},
		"OneFailed": {
			reason:  "A version that could not be read spoils no other.",
			history: 2,
			result:  secretdata.Result{Versions: []secretdata.Fetched{{Err: unread}, {Key: publicKey(t, "rsa")}}},
			want:    map[string]string{"sign/0": "error: " + unread.Error(), "sign/1": file(t, "rsa", "public.pem")},
		},
		"AllFailed": {
			reason:  "The reason of the whole object is that of each version that is missing.",
			history: 2,
			result:  secretdata.Result{Err: unlisted},
			want:    map[string]string{"sign/0": "error: " + unlisted.Error(), "sign/1": "error: " + unlisted.Error()},
		},
		"None": {
			reason: "An object without an enabled version.",
			want: map[string]string{
				"sign": `error: key "sign" has no enabled version in the vault; enable or create one`,
			},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := spcparams.Object{Name: "sign", Type: spcparams.TypeKey, History: tc.history}
			if diff := cmp.Diff(tc.want, shown(secretdata.Render(o, tc.result))); diff != "" {
				t.Errorf("%s\n-want +got:\n%s", tc.reason, diff)
			}
		})
	}
}

func TestRenderCertificateHistory(t *testing.T) {
	t.Parallel()
	o := spcparams.Object{Name: "web", Type: spcparams.TypeSecret, Alias: "a/b", History: 2}
	newest, older := file(t, "rsa", "key.pem")+chainOf(t, "rsa"), file(t, "ec256", "key.pem")+chainOf(t, "ec256")
	want := map[string]string{
		"a/b/0": newest, "a/b/0/tls.crt": chainOf(t, "rsa"), "a/b/0.crt": chainOf(t, "rsa"),
		"a/b/0/tls.key": file(t, "rsa", "key.pem"), "a/b/0.key": file(t, "rsa", "key.pem"),
		"a/b/1": older, "a/b/1/tls.crt": chainOf(t, "ec256"), "a/b/1.crt": chainOf(t, "ec256"),
		"a/b/1/tls.key": file(t, "ec256", "key.pem"), "a/b/1.key": file(t, "ec256", "key.pem"),
	}
	if diff := cmp.Diff(want, shown(render(o, asPFX(file(t, "rsa", "modern.pfx.txt")), asPEM(older)))); diff != "" {
		t.Errorf("Each version has its parts, whatever the vault holds it as.\n-want +got:\n%s", diff)
	}
}

func TestCollect(t *testing.T) {
	t.Parallel()
	p := spcparams.Params{Objects: []spcparams.Object{
		{Name: "web", Type: spcparams.TypeSecret},
		{Name: "extra", Type: spcparams.TypeSecret, Alias: "web.crt"},
		{Name: "unasked", Type: spcparams.TypeSecret},
		{Name: "other", Type: spcparams.TypeSecret, Alias: "web/tls"},
	}}
	failed := errors.New("vault away")
	files := shown(secretdata.Collect(p, map[int]secretdata.Result{
		0: {Versions: []secretdata.Fetched{asPEM(file(t, "rsa", "key.pem") + chainOf(t, "rsa"))}},
		1: {Versions: []secretdata.Fetched{plain("mine")}},
		3: {Err: failed},
	}))
	for path, want := range map[string]string{
		"web.crt":         "mine",                     // the name of an object, not a part of another
		"web/tls.crt":     chainOf(t, "rsa"),          // the newer spelling, not the older one of web/tls
		"web.key":         file(t, "rsa", "key.pem"),  // nobody else's
		"web/tls":         "error: " + failed.Error(), // a failed object fails its own paths
		"web/tls/tls.crt": "error: " + failed.Error(), // all of them
	} {
		if diff := cmp.Diff(want, files[path]); diff != "" {
			t.Errorf("%s: -want +got:\n%s", path, diff)
		}
	}
	if _, there := files["unasked"]; there {
		t.Error("an object that was not asked for has a file")
	}
	if len(files) != 3*5-3 { // three paths of the fifteen are two objects'
		t.Errorf("%d files", len(files))
	}
}
