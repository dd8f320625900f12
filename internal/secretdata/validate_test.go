package secretdata_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"

	"secretstore/internal/redact"
	"secretstore/internal/secretdata"
)

// lines are the messages of a joined error.
func lines(err error) []string {
	if err == nil {
		return nil
	}
	return strings.Split(err.Error(), "\n")
}

// to maps one source path to each of the keys.
func to(keys ...string) []secretdata.Mapping {
	var mappings []secretdata.Mapping
	for _, key := range keys {
		mappings = append(mappings, secretdata.Mapping{SourcePath: "x", TargetKey: key})
	}
	return mappings
}

func TestValidate(t *testing.T) {
	t.Parallel()
	const (
		badType = " is not a type that may be made; set it to one of Opaque, kubernetes.io/tls, kubernetes.io/ssh-auth, " +
			"kubernetes.io/basic-auth, kubernetes.io/dockercfg, kubernetes.io/dockerconfigjson"
		badKey = " is not a key that a Secret may have; use 1 to 253 letters, digits, '-', '_' and '.', not beginning with '..'"
		cure   = " must have; map a source path to it, or use type Opaque"
	)
	cases := map[string]struct {
		reason   string
		typ      corev1.SecretType
		mappings []secretdata.Mapping
		want     []string
	}{
		"Default":    {reason: "No type is Opaque, and Opaque demands nothing.", mappings: to("a")},
		"Opaque":     {reason: "So is Opaque.", typ: corev1.SecretTypeOpaque, mappings: to("a_b", "a.b", "A-0", "ConnectionStrings__Default", ".env")},
		"LongestKey": {reason: "Keys have 253 characters at most.", mappings: to(strings.Repeat("k", 253))},
		"TLS":        {reason: "TLS with both.", typ: corev1.SecretTypeTLS, mappings: to("tls.key", "tls.crt", "ca.crt")},
		"SSH":        {reason: "SSH with its key.", typ: corev1.SecretTypeSSHAuth, mappings: to("ssh-privatekey")},
		"BasicName":  {reason: "One of the two is enough.", typ: corev1.SecretTypeBasicAuth, mappings: to("username")},
		"BasicPass":  {reason: "Whichever it is.", typ: corev1.SecretTypeBasicAuth, mappings: to("password")},
		"Dockercfg":  {reason: "The older form of a registry's.", typ: corev1.SecretTypeDockercfg, mappings: to(".dockercfg")},
		"DockerJSON": {reason: "The newer one.", typ: corev1.SecretTypeDockerConfigJson, mappings: to(".dockerconfigjson")},
		"Nothing": {
			reason: "A Secret of nothing is a mistake.",
			want:   []string{"data is empty; list at least one sourcePath with its targetKey"},
		},
		"ServiceAccountToken": {
			reason:   "Kubernetes would fill it with a token of any account that its annotation names.",
			typ:      corev1.SecretTypeServiceAccountToken,
			mappings: to("a"),
			want:     []string{`type "kubernetes.io/service-account-token"` + badType},
		},
		"BootstrapToken": {
			reason:   "Kubernetes would let nodes in by it.",
			typ:      corev1.SecretTypeBootstrapToken,
			mappings: to("a"),
			want:     []string{`type "bootstrap.kubernetes.io/token"` + badType},
		},
		"TypeInCapitals": {
			reason:   "Types are exact.",
			typ:      "opaque",
			mappings: to("a"),
			want:     []string{`type "opaque"` + badType},
		},
		"Keys": {
			reason:   "Everything that the API server would refuse, at once.",
			mappings: to("", "a b", "a/b", ".", "..", "..data", "ü", "a\nb", strings.Repeat("k", 254)),
			want: []string{
				`data[0].targetKey ""` + badKey, `data[1].targetKey "a b"` + badKey, `data[2].targetKey "a/b"` + badKey,
				`data[3].targetKey "."` + badKey, `data[4].targetKey ".."` + badKey, `data[5].targetKey "..data"` + badKey,
				`data[6].targetKey "ü"` + badKey, `data[7].targetKey "a\nb"` + badKey,
				`data[8].targetKey "` + strings.Repeat("k", 80) + `…"` + badKey,
			},
		},
		"SameKey": {
			reason:   "Two sources for one key: which is it?",
			mappings: to("a", "b", "a"),
			want:     []string{`data[2].targetKey "a" is that of data[0] too; give each item a key of its own`},
		},
		"NoSource": {
			reason:   "A key needs a source.",
			mappings: []secretdata.Mapping{{TargetKey: "a"}},
			want:     []string{`data[0].sourcePath is empty; set it to a path that the SecretProviderClass gives`},
		},
		"TLSHalf": {
			reason: "The API server refuses half a pair.",
			typ:    corev1.SecretTypeTLS, mappings: to("tls.crt"),
			want: []string{"data lacks the key tls.key, which type kubernetes.io/tls" + cure},
		},
		"TLSOther": {
			reason: "And none at all.",
			typ:    corev1.SecretTypeTLS, mappings: to("cert"),
			want: []string{"data lacks the key tls.crt and tls.key, which type kubernetes.io/tls" + cure},
		},
		"BasicNeither": {
			reason: "Neither of the two is too few.",
			typ:    corev1.SecretTypeBasicAuth, mappings: to("token"),
			want: []string{"data lacks the key username or password, which type kubernetes.io/basic-auth" + cure},
		},
		"SSHOther": {
			reason: "The key has one name.",
			typ:    corev1.SecretTypeSSHAuth, mappings: to("id_rsa"),
			want: []string{"data lacks the key ssh-privatekey, which type kubernetes.io/ssh-auth" + cure},
		},
		"DockerOther": {
			reason: "So has a registry's configuration.",
			typ:    corev1.SecretTypeDockerConfigJson, mappings: to(".dockercfg"),
			want: []string{"data lacks the key .dockerconfigjson, which type kubernetes.io/dockerconfigjson" + cure},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := secretdata.Validate(tc.typ, tc.mappings)
			if diff := cmp.Diff(tc.want, lines(err)); diff != "" {
				t.Errorf("%s\n-want +got:\n%s", tc.reason, diff)
			}
			if err != nil && kindOf(t, err) != secretdata.KindSpec {
				t.Errorf("the kind is %d", kindOf(t, err))
			}
		})
	}
}

func TestCheckComplete(t *testing.T) {
	t.Parallel()
	for _, typ := range append(secretdata.Types(), "") {
		data := map[string]redact.Bytes{}
		required := secretdata.RequiredKeys(typ)
		if err := secretdata.CheckComplete(typ, data); (err == nil) != (len(required) == 0) {
			t.Errorf("%s without data: %v", typ, err)
		}
		for _, key := range required {
			data[key] = redact.Bytes{}
		}
		if err := secretdata.CheckComplete(typ, data); err != nil {
			t.Errorf("%s with all that it must have: %v", typ, err)
		}
	}
	if slices.Contains(secretdata.Types(), corev1.SecretTypeServiceAccountToken) {
		t.Error("tokens of service accounts may be made")
	}
}
