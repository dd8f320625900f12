package secretdata_test

import (
	"bytes"
	"encoding/base64"
	"maps"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"

	"secretstore/internal/redact"
	"secretstore/internal/secretdata"
	"secretstore/internal/spcparams"
)

// checkFiles states what holds of the files of one object whatever the vault returned.
func checkFiles(t *testing.T, o spcparams.Object, f secretdata.Fetched) secretdata.Files {
	t.Helper()
	files := render(o, f)
	if want, got := slices.Sorted(maps.Keys(o.Paths())), slices.Sorted(maps.Keys(files)); !slices.Equal(want, got) {
		t.Fatalf("the paths are %q, want %q", got, want)
	}
	again := render(o, f)
	for path, f := range files {
		if (f.Err == nil) != (again[path].Err == nil) || !f.Value.Equal(again[path].Value) {
			t.Fatalf("%q is another the second time", path)
		}
		if f.Err != nil {
			kindOf(t, f.Err)
			if strings.Contains(f.Err.Error(), canary) {
				t.Errorf("%q: the error repeats the value: %v", path, f.Err)
			}
		}
	}
	for _, path := range []string{"web/tls.crt", "web.crt"} {
		if value := files[path].Value.Reveal(); bytes.Contains(value, []byte("KEY-----")) {
			t.Fatalf("%q holds a key", path)
		}
	}
	for _, path := range []string{"web/tls.key", "web.key"} {
		if value := files[path].Value.Reveal(); bytes.Contains(value, []byte("CERTIFICATE-----")) {
			t.Fatalf("%q holds a certificate", path)
		}
	}
	return files
}

// checkSettled: parts that are put together again come out as they are.
func checkSettled(t *testing.T, files secretdata.Files) {
	t.Helper()
	chain := files["web/tls.crt"]
	if chain.Err != nil {
		return
	}
	whole := slices.Concat(chain.Value.Reveal(), files["web/tls.key"].Value.Reveal())
	again := render(web(), asPEM(string(whole)))["web/tls.crt"]
	if again.Err != nil || !again.Value.Equal(chain.Value) {
		t.Errorf("in order it is another: %v\n%s\n%s", again.Err, chain.Value.Reveal(), again.Value.Reveal())
	}
}

func FuzzRenderPEM(f *testing.F) {
	for _, kind := range kinds() {
		f.Add([]byte(file(f, kind, "key.pem")+chainOf(f, kind)), false)
		f.Add([]byte(file(f, kind, "root.pem")+file(f, kind, "traditional.pem")+file(f, kind, "leaf.pem")), true)
	}
	f.Add([]byte(file(f, "rsa", "encrypted.pem")+file(f, "ec256", "leaf.pem")), false)
	ring := issue(f, "a", nil, nil)
	other := issue(f, "b", ring, nil)
	f.Add([]byte(pemOf(certify(f, "a", ring.key, other, nil), other)), true)
	f.Add([]byte("-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n"), false)
	f.Fuzz(func(t *testing.T, value []byte, asPFXToo bool) {
		value = append(value, canary...)
		files := checkFiles(t, web(), asPEM(string(value)))
		if !bytes.Equal(files["web"].Value.Reveal(), value) {
			t.Error("an upload of PEM is not given byte for byte")
		}
		checkSettled(t, files)
		if asPFXToo {
			o := web()
			o.Format = spcparams.FormatPFX
			made := checkFiles(t, o, asPEM(string(value)))["web"]
			if made.Err != nil {
				return
			}
			read := render(web(), asPFX(string(made.Value.Reveal())))["web/tls.crt"]
			if read.Err != nil || !read.Value.Equal(files["web/tls.crt"].Value) {
				t.Errorf("the PFX made of it has another chain: %v", read.Err)
			}
		}
	})
}

func FuzzRenderPFX(f *testing.F) {
	for _, name := range []string{
		"modern", "legacy", "3des", "plain", "sha512", "nopassword", "password", "costly", "keyless", "unsupported",
	} {
		der, err := base64.StdEncoding.DecodeString(file(f, "rsa", name+".pfx.txt"))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(der)
	}
	for _, kind := range []string{"ec256", "ec384", "ec521"} {
		der, err := base64.StdEncoding.DecodeString(file(f, kind, "plain.pfx.txt"))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(der)
	}
	f.Fuzz(func(t *testing.T, der []byte) {
		value := base64.StdEncoding.EncodeToString(der)
		checkSettled(t, checkFiles(t, web(), asPFX(value)))
		checkFiles(t, web(), asPFX(value+canary))
	})
}

func FuzzRenderSecret(f *testing.F) {
	f.Add([]byte("aHVudGVyMg=="), "base64", "", true)
	f.Add([]byte("6 8"), "hex", "application/x-pkcs12", false)
	f.Add([]byte(""), "", "application/x-pem-file", true)
	f.Fuzz(func(t *testing.T, value []byte, encoding, contentType string, hasKey bool) {
		o := web()
		o.Encoding = spcparams.Encoding(encoding)
		checkFiles(t, o, secretdata.Fetched{
			Value: redact.New(append(value, canary...)), ContentType: contentType, HasKey: hasKey,
		})
	})
}

// FuzzBuild: every item has either a value or a reason; a TLS Secret has a pair that fits or none; and what is judged good
// is not refused afterwards.
func FuzzBuild(f *testing.F) {
	pfx, key := file(f, "rsa", "modern.pfx.txt"), file(f, "rsa", "key.pem")
	f.Add(uint8(1), []byte(key+chainOf(f, "rsa")), []byte("x"), "a", "b", "c")
	f.Add(uint8(1), []byte(chainOf(f, "rsa")), []byte(key), "b", "a", "a")
	f.Add(uint8(1), []byte(pfx), []byte(`{"auths":{}}`), "a", "a", "a")
	f.Add(uint8(5), []byte(`{"auths":{}}`), []byte{}, "a", "b", "b")
	f.Add(uint8(0), []byte{}, []byte{0x30, 0x80}, "", "b", "a")
	f.Fuzz(func(t *testing.T, typ uint8, a, b []byte, first, second, third string) {
		secretType := secretdata.Types()[int(typ)%len(secretdata.Types())]
		required := append(secretdata.RequiredKeys(secretType), "x", "y", "z")
		mappings := []secretdata.Mapping{{first, required[0]}, {second, required[1]}, {third, required[2]}}
		if err := secretdata.Validate(secretType, mappings); err != nil && first != "" && second != "" && third != "" {
			t.Fatalf("all keys are there and legal: %v", err)
		}
		data, errs := secretdata.Build(secretType, mappings, secretdata.Files{
			"a": {Value: redact.New(append(slices.Clone(a), canary...))}, "b": {Value: redact.New(b)},
		})
		if len(data)+len(errs) != len(mappings) {
			t.Fatalf("%d values and %d errors for %d items", len(data), len(errs), len(mappings))
		}
		for _, e := range errs {
			kindOf(t, e)
			if _, both := data[e.TargetKey]; both || strings.Contains(e.Error(), canary) {
				t.Errorf("an item has a value and an error, or an error repeats the value: %v", e)
			}
		}
		if err := secretdata.CheckData(secretType, data); err != nil {
			t.Errorf("what was built is refused: %v", err)
		}
		if secretType == corev1.SecretTypeTLS {
			checkPairs(t, data)
		}
	})
}

func checkPairs(t *testing.T, data map[string]redact.Bytes) {
	t.Helper()
	crt, hasCrt := data["tls.crt"]
	key, hasKey := data["tls.key"]
	if hasCrt != hasKey {
		t.Fatal("half a pair is there")
	}
	if bytes.Contains(crt.Reveal(), []byte("KEY-----")) || bytes.Contains(key.Reveal(), []byte("CERTIFICATE-----")) {
		t.Fatal("one half holds the other")
	}
}
