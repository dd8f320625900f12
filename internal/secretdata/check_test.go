package secretdata_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"

	"secretstore/internal/redact"
	"secretstore/internal/secretdata"
)

// dataOf wraps texts.
func dataOf(texts map[string]string) map[string]redact.Bytes {
	data := map[string]redact.Bytes{}
	for key, text := range texts {
		data[key] = redact.FromString(text)
	}
	return data
}

func TestCheckData(t *testing.T) {
	t.Parallel()
	const (
		mib     = 1 << 20
		badJSON = " is not a JSON object; store the registry configuration as JSON in the vault, and set objectEncoding: base64 if it " +
			"is stored as base64"
		noPair = `key "tls.key" is not the private key of the certificate in tls.crt; map both to the same object, or store the key ` +
			`that belongs to the certificate`
	)
	chain, key := chainOf(t, "rsa"), file(t, "rsa", "traditional.pem")
	cases := map[string]struct {
		reason string
		typ    corev1.SecretType
		data   map[string]string
		want   []string
	}{
		"Nothing":  {reason: "No data are no problem."},
		"Anything": {reason: "Opaque is not looked into.", data: map[string]string{"tls.crt": "x", ".dockerconfigjson": "y"}},
		"Full":     {reason: "One MiB is allowed.", data: map[string]string{"a": strings.Repeat("x", mib-1), "b": "x"}},
		"TooLarge": {
			reason: "One byte more is not; the keys do not count, as in the API server.",
			data: map[string]string{
				"a": strings.Repeat("x", mib/2), "b": strings.Repeat("x", mib/4), "c": strings.Repeat("x", mib/4), "d": "x", "e": "",
			},
			want: []string{`data hold 1048577 bytes, more than the 1048576 that Kubernetes allows in a Secret; the largest are ` +
				`"a" (524288), "b" (262144), "c" (262144); spread the items over several SecretSyncs`},
		},
		"OneTooLarge": {
			reason: "Fewer keys than would be named.",
			data:   map[string]string{"a": strings.Repeat("x", mib+1)},
			want: []string{`data hold 1048577 bytes, more than the 1048576 that Kubernetes allows in a Secret; the largest are ` +
				`"a" (1048577); spread the items over several SecretSyncs`},
		},
		"Pair":     {reason: "Key and certificate of each other.", typ: corev1.SecretTypeTLS, data: map[string]string{"tls.crt": chain, "tls.key": key}},
		"HalfPair": {reason: "The other half keeps its value.", typ: corev1.SecretTypeTLS, data: map[string]string{"tls.crt": "x"}},
		"NoPair": {
			reason: "A key of another certificate would stop every server that loads it.",
			typ:    corev1.SecretTypeTLS, data: map[string]string{"tls.crt": chain, "tls.key": file(t, "ec256", "key.pem")},
			want: []string{noPair},
		},
		"WrongLeaf": {
			reason: "It is the first certificate that servers show.",
			typ:    corev1.SecretTypeTLS, data: map[string]string{"tls.crt": file(t, "rsa", "root.pem"), "tls.key": key},
			want: []string{noPair},
		},
		"BrokenCertificate": {
			reason: "No certificate, no pair.",
			typ:    corev1.SecretTypeTLS, data: map[string]string{"tls.crt": canary, "tls.key": key},
			want: []string{`key "tls.crt" holds no certificate; map a source path that has one, or import the certificate again`},
		},
		"UnreadableCertificate": {
			reason: "Nor with one that cannot be read.",
			typ:    corev1.SecretTypeTLS,
			data:   map[string]string{"tls.crt": strings.Replace(chain, "MII", "AAA", 1), "tls.key": key},
			want:   []string{`key "tls.crt" holds a certificate that cannot be read; import it again`},
		},
		"BrokenKey": {
			reason: "No key, no pair.",
			typ:    corev1.SecretTypeTLS, data: map[string]string{"tls.crt": chain, "tls.key": canary},
			want: []string{`key "tls.key" holds no private key; make the key exportable in the certificate's policy and issue a new ` +
				`version, or use objectType cert for the certificate alone`},
		},
		"UnreadableKey": {
			reason: "Nor with one that cannot be read.",
			typ:    corev1.SecretTypeTLS,
			data:   map[string]string{"tls.crt": chain, "tls.key": strings.Replace(key, "MII", "AAA", 1)},
			want:   []string{`key "tls.key" holds a private key that cannot be read; store it as PKCS#8, PKCS#1 or SEC 1`},
		},
		"Registry": {
			reason: "A JSON object.",
			typ:    corev1.SecretTypeDockerConfigJson, data: map[string]string{".dockerconfigjson": ` {"auths": {}}`},
		},
		"RegistryBase64": {
			reason: "The usual slip is to store it as base64; no character of it is repeated.",
			typ:    corev1.SecretTypeDockerConfigJson, data: map[string]string{".dockerconfigjson": "eyJhdXRocyI6e319"},
			want: []string{`key ".dockerconfigjson"` + badJSON},
		},
		"RegistryNull": {
			reason: "null is JSON and no object.",
			typ:    corev1.SecretTypeDockerConfigJson, data: map[string]string{".dockerconfigjson": "null"},
			want: []string{`key ".dockerconfigjson"` + badJSON},
		},
		"OldRegistry": {
			reason: "The older form is JSON too.",
			typ:    corev1.SecretTypeDockercfg, data: map[string]string{".dockercfg": "[]"},
			want: []string{`key ".dockercfg"` + badJSON},
		},
		"RegistryKept": {reason: "A key that keeps its value is not judged.", typ: corev1.SecretTypeDockercfg, data: map[string]string{"x": ""}},
		"SSH": {
			reason: "Kubernetes asks for no form of it, nor do we.",
			typ:    corev1.SecretTypeSSHAuth, data: map[string]string{"ssh-privatekey": "PuTTY-User-Key-File-3"},
		},
		"SSHEmpty": {
			reason: "But an empty one is none.",
			typ:    corev1.SecretTypeSSHAuth, data: map[string]string{"ssh-privatekey": " \n"},
			want: []string{`key "ssh-privatekey" is empty; store the private key in the vault`},
		},
		"Basic": {reason: "A password may be anything.", typ: corev1.SecretTypeBasicAuth, data: map[string]string{"password": ""}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := secretdata.CheckData(tc.typ, dataOf(tc.data))
			if diff := cmp.Diff(tc.want, lines(err)); diff != "" {
				t.Errorf("%s\n-want +got:\n%s", tc.reason, diff)
			}
			if err != nil && strings.Contains(err.Error(), canary) {
				t.Error("a value is in the message")
			}
		})
	}
}
