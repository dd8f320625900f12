package secretdata_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"

	"secretstore/internal/redact"
	"secretstore/internal/secretdata"
)

// failures are the items without a value and why, as users read it.
func failures(errs []secretdata.ItemError) []string {
	var list []string
	for _, e := range errs {
		list = append(list, e.Error())
	}
	return list
}

func TestBuild(t *testing.T) {
	t.Parallel()
	away := errors.New("the vault does not answer")
	value := func(s string) secretdata.File { return secretdata.File{Value: redact.FromString(s)} }
	files := secretdata.Files{
		"db":      value("hunter2"),
		"away":    {Err: away},
		"web":     value(file(t, "ec256", "key.pem") + chainOf(t, "ec256")),
		"web.crt": value(chainOf(t, "ec256")),
		"web.key": value(file(t, "ec256", "key.pem")),
		"rsa.key": value(file(t, "rsa", "key.pem")),
		"ca":      value(file(t, "rsa", "root.pem")),
	}
	const half = "its other half could not be had, and half a key pair is not written; see the other item"
	traditional := file(t, "ec256", "traditional.pem")
	cases := map[string]struct {
		reason   string
		typ      corev1.SecretType
		mappings []secretdata.Mapping
		want     map[string]string
		errs     []string
	}{
		"Plain": {
			reason:   "One path may go to two keys.",
			mappings: []secretdata.Mapping{{"db", "password"}, {"db", "PGPASSWORD"}},
			want:     map[string]string{"password": "hunter2", "PGPASSWORD": "hunter2"},
		},
		"OneFails": {
			reason:   "What could be had is there, and what could not says why.",
			typ:      corev1.SecretTypeOpaque,
			mappings: []secretdata.Mapping{{"away", "a"}, {"db", "b"}, {"nobody", "c"}},
			want:     map[string]string{"b": "hunter2"},
			errs: []string{
				`source path "away" to key "a": the vault does not answer`,
				`source path "nobody" to key "c": source path "nobody" is given by no object that was fetched; map a source path ` +
					`that the SecretProviderClass gives`,
			},
		},
		"OpaqueKeepsForm": {
			reason:   "Only in Secrets of type kubernetes.io/tls is anything taken apart or written anew.",
			typ:      corev1.SecretTypeOpaque,
			mappings: []secretdata.Mapping{{"web", "tls.crt"}, {"web.key", "tls.key"}},
			want:     map[string]string{"tls.crt": file(t, "ec256", "key.pem") + chainOf(t, "ec256"), "tls.key": file(t, "ec256", "key.pem")},
		},
		"TLSCombined": {
			reason:   "Each key takes its part of the same source, and tls.crt never a key.",
			typ:      corev1.SecretTypeTLS,
			mappings: []secretdata.Mapping{{"web", "tls.crt"}, {"web", "tls.key"}},
			want:     map[string]string{"tls.crt": chainOf(t, "ec256"), "tls.key": traditional},
		},
		"TLSMore": {
			reason:   "A Secret for TLS may hold more, such as ca.crt.",
			typ:      corev1.SecretTypeTLS,
			mappings: []secretdata.Mapping{{"web.crt", "tls.crt"}, {"web.key", "tls.key"}, {"ca", "ca.crt"}, {"db", "x"}},
			want: map[string]string{
				"tls.crt": chainOf(t, "ec256"), "tls.key": traditional, "ca.crt": file(t, "rsa", "root.pem"), "x": "hunter2",
			},
		},
		"TLSCombinedElsewhere": {
			reason:   "A third key for the combined source would carry the private key where nobody expects it.",
			typ:      corev1.SecretTypeTLS,
			mappings: []secretdata.Mapping{{"web", "tls.crt"}, {"web", "tls.key"}, {"web", "ca.crt"}},
			want:     map[string]string{"tls.crt": chainOf(t, "ec256"), "tls.key": traditional},
			errs: []string{`source path "web" to key "ca.crt": source path "web" holds certificate and private key in one; map it ` +
				`to tls.crt and tls.key only; for the certificate alone map its /tls.crt`},
		},
		"TLSHalfAway": {
			reason:   "One half of a pair is not written without the other, which may be another version's.",
			typ:      corev1.SecretTypeTLS,
			mappings: []secretdata.Mapping{{"web", "tls.crt"}, {"away", "tls.key"}, {"db", "x"}},
			want:     map[string]string{"x": "hunter2"},
			errs: []string{
				`source path "web" to key "tls.crt": ` + half,
				`source path "away" to key "tls.key": the vault does not answer`,
			},
		},
		"TLSOtherHalfAway": {
			reason:   "Whichever half it is.",
			typ:      corev1.SecretTypeTLS,
			mappings: []secretdata.Mapping{{"away", "tls.crt"}, {"web", "tls.key"}},
			want:     map[string]string{},
			errs: []string{
				`source path "away" to key "tls.crt": the vault does not answer`,
				`source path "web" to key "tls.key": ` + half,
			},
		},
		"TLSMismatch": {
			reason:   "A key that belongs to another certificate is not written.",
			typ:      corev1.SecretTypeTLS,
			mappings: []secretdata.Mapping{{"web", "tls.crt"}, {"rsa.key", "tls.key"}},
			want:     map[string]string{},
			errs: []string{
				`source path "web" to key "tls.crt": key "tls.key" is not the private key of the certificate in tls.crt; map both to ` +
					`the same object, or store the key that belongs to the certificate`,
				`source path "rsa.key" to key "tls.key": key "tls.key" is not the private key of the certificate in tls.crt; map ` +
					`both to the same object, or store the key that belongs to the certificate`,
			},
		},
		"TLSNoCertificate": {
			reason:   "A key is no certificate.",
			typ:      corev1.SecretTypeTLS,
			mappings: []secretdata.Mapping{{"web.key", "tls.crt"}, {"web.crt", "tls.key"}},
			want:     map[string]string{},
			errs: []string{
				`source path "web.key" to key "tls.crt": source path "web.key" holds no certificate; map a source path that has one, or ` +
					`import the certificate again`,
				`source path "web.crt" to key "tls.key": source path "web.crt" holds no private key; make the key exportable in the ` +
					`certificate's policy and issue a new version, or use objectType cert for the certificate alone`,
			},
		},
		"TLSText": {
			reason:   "A password is neither.",
			typ:      corev1.SecretTypeTLS,
			mappings: []secretdata.Mapping{{"db", "tls.crt"}, {"db", "tls.key"}},
			want:     map[string]string{},
			errs: []string{
				`source path "db" to key "tls.crt": source path "db" holds neither PEM nor a PFX; store a certificate or key there as PEM ` +
					`or PFX`,
				`source path "db" to key "tls.key": source path "db" holds neither PEM nor a PFX; store a certificate or key there as PEM ` +
					`or PFX`,
			},
		},
		"RegistryNotJSON": {
			reason:   "A value that the type does not allow is the error of its item and spoils no other.",
			typ:      corev1.SecretTypeDockerConfigJson,
			mappings: []secretdata.Mapping{{"db", ".dockerconfigjson"}, {"db", "x"}},
			want:     map[string]string{"x": "hunter2"},
			errs: []string{`source path "db" to key ".dockerconfigjson": key ".dockerconfigjson" is not a JSON object; store the ` +
				`registry configuration as JSON in the vault, and set objectEncoding: base64 if it is stored as base64`},
		},
		"SameKeyTwice": {
			reason:   "Of two items for one key, which is refused before, neither is written if one fails.",
			mappings: []secretdata.Mapping{{"db", "a"}, {"away", "a"}},
			want:     map[string]string{},
			errs: []string{
				`source path "db" to key "a": the vault does not answer`, `source path "away" to key "a": the vault does not answer`,
			},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			data, errs := secretdata.Build(tc.typ, tc.mappings, files)
			if diff := cmp.Diff(tc.want, values(data)); diff != "" {
				t.Errorf("%s\n-want +got:\n%s", tc.reason, diff)
			}
			if diff := cmp.Diff(tc.errs, failures(errs)); diff != "" {
				t.Errorf("%s\nerrors: -want +got:\n%s", tc.reason, diff)
			}
		})
	}
}

func TestItemErrorUnwraps(t *testing.T) {
	t.Parallel()
	away := errors.New("away")
	_, errs := secretdata.Build("", []secretdata.Mapping{{"a", "b"}}, secretdata.Files{"a": {Err: away}})
	if len(errs) != 1 || !errors.Is(errs[0], away) {
		t.Errorf("what the source of the objects reported is not found in %v", errs)
	}
}

// TestTLSKinds: an unknown kind of key has one form only.
func TestTLSKinds(t *testing.T) {
	t.Parallel()
	const ed25519 = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n-----END PRIVATE KEY-----\n"
	files := secretdata.Files{"k": {Value: redact.FromString(ed25519)}}
	_, errs := secretdata.Build(corev1.SecretTypeTLS, []secretdata.Mapping{{"k", "tls.key"}}, files)
	if len(errs) != 1 || kindOf(t, errs[0]) != secretdata.KindAbsent {
		t.Errorf("an Ed25519 key is read, and fails only for want of its certificate: %v", failures(errs))
	}
}
