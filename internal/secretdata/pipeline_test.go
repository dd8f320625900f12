package secretdata_test

import (
	"encoding/pem"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"

	"secretstore/internal/redact"
	"secretstore/internal/secretdata"
	"secretstore/internal/spcparams"
)

// A vault holds, by type and name, the versions of objects, newest first.
type vault map[string][]secretdata.Fetched

// fetch answers as a source of objects does: as many versions as are asked for, from the pinned one on.
func (v vault) fetch(p spcparams.Params) map[int]secretdata.Result {
	results := map[int]secretdata.Result{}
	for i, o := range p.Objects {
		versions := v[string(o.Type)+"/"+o.Name]
		for len(versions) > 0 && o.Version != "" && versions[0].Version != o.Version {
			versions = versions[1:]
		}
		results[i] = secretdata.Result{Versions: versions[:min(len(versions), o.Versions())]}
	}
	return results
}

// versionsOf are plain secrets named v1, v2 and so on, the last one the newest.
func versionsOf(values ...string) []secretdata.Fetched {
	var versions []secretdata.Fetched
	for i, value := range slices.Backward(values) {
		versions = append(versions, secretdata.Fetched{Version: "v" + strconv.Itoa(i+1), Value: redact.FromString(value)})
	}
	return versions
}

// parse reads objects of a SecretProviderClass.
func parse(t testing.TB, objects string) spcparams.Params {
	t.Helper()
	p, err := spcparams.Parse(map[string]string{
		"clientID": "11111111-2222-3333-4444-555555555555", "tenantID": "contoso.example", "keyvaultName": "shop-vault",
		"objects": objects,
	})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestPipeline goes the whole way: the text of a manifest, what a vault holds, the data of the Secret.
func TestPipeline(t *testing.T) {
	t.Parallel()
	leafBlock, _ := pem.Decode([]byte(file(t, "rsa", "leaf.pem")))
	rsaWhole := file(t, "rsa", "key.pem") + chainOf(t, "rsa")
	shop := vault{
		"secret/my-secret":      versionsOf("hunter2"),
		"secret/token":          versionsOf("one", "two", "three"),
		"secret/binary":         versionsOf("AAEC\n"),
		"secret/registry":       versionsOf(`{"auths":{"r.example":{}}}`),
		"secret/ssh":            versionsOf("-----BEGIN OPENSSH PRIVATE KEY-----\n"),
		"cert/my-certificate":   {{CER: leafBlock.Bytes}},
		"key/signing":           {{Key: publicKey(t, "ec384")}, {Key: publicKey(t, "ec521")}},
		"secret/my-certificate": {asPFX(file(t, "rsa", "modern.pfx.txt")), asPEM(file(t, "ec256", "leaf.pem") + file(t, "ec256", "key.pem"))},
	}
	cases := map[string]struct {
		reason   string
		objects  string
		typ      corev1.SecretType
		mappings []secretdata.Mapping
		want     map[string]string
	}{
		"Guide": {
			reason: "The example of the migration guide.",
			objects: "array:\n  - |\n    objectName: my-secret\n    objectType: secret\n" +
				"  - |\n    objectName: my-certificate\n    objectType: cert\n",
			mappings: []secretdata.Mapping{{"my-secret", "my-secret-value"}, {"my-certificate", "my-certificate-value"}},
			want:     map[string]string{"my-secret-value": "hunter2", "my-certificate-value": file(t, "rsa", "leaf.pem")},
		},
		"History": {
			reason:   "The newest versions, counted from 0.",
			objects:  "array:\n  - |\n    objectName: token\n    objectType: secret\n    objectVersionHistory: 2\n",
			mappings: []secretdata.Mapping{{"token/0", "v0"}, {"token/1", "v1"}},
			want:     map[string]string{"v0": "three", "v1": "two"},
		},
		"HistoryOfPinned": {
			reason: "Counted from the pinned version where one is set.",
			objects: "array:\n  - |\n    objectName: token\n    objectType: secret\n    objectVersion: v2\n" +
				"    objectVersionHistory: 2\n    objectAlias: pinned/token\n",
			mappings: []secretdata.Mapping{{"pinned/token/0", "v0"}, {"pinned/token/1", "v1"}},
			want:     map[string]string{"v0": "two", "v1": "one"},
		},
		"Binary": {
			reason:   "A keystore that is stored as base64 arrives as bytes.",
			objects:  "array:\n  - |\n    objectName: binary\n    objectType: secret\n    objectEncoding: base64\n",
			mappings: []secretdata.Mapping{{"binary", "store.jks"}},
			want:     map[string]string{"store.jks": "\x00\x01\x02"},
		},
		"OneObjectTwoWays": {
			reason: "The same certificate as PEM, and as the PFX that the vault holds.",
			objects: "array:\n  - |\n    objectName: my-certificate\n    objectType: secret\n" +
				"  - |\n    objectName: my-certificate\n    objectType: secret\n    objectFormat: pfx\n    objectAlias: web.pfx\n",
			mappings: []secretdata.Mapping{{"my-certificate", "web.pem"}, {"web.pfx", "web.pfx"}},
			want:     map[string]string{"web.pem": rsaWhole, "web.pfx": file(t, "rsa", "modern.pfx.txt")},
		},
		"TLSOfTheCSIDriver": {
			reason:   "What the CSI driver's users write for an ingress: one object, both keys.",
			objects:  "array:\n  - |\n    objectName: my-certificate\n    objectType: secret\n",
			typ:      corev1.SecretTypeTLS,
			mappings: []secretdata.Mapping{{"my-certificate", "tls.key"}, {"my-certificate", "tls.crt"}},
			want:     map[string]string{"tls.crt": chainOf(t, "rsa"), "tls.key": file(t, "rsa", "traditional.pem")},
		},
		"TLSOfAnOlderVersion": {
			reason: "A version of a history, in Microsoft's spelling and in the Azure provider's.",
			objects: "array:\n  - |\n    objectName: my-certificate\n    objectType: secret\n    objectVersionHistory: 2\n" +
				"    objectAlias: web\n",
			typ:      corev1.SecretTypeTLS,
			mappings: []secretdata.Mapping{{"web/1/tls.crt", "tls.crt"}, {"web/1.key", "tls.key"}},
			want:     map[string]string{"tls.crt": file(t, "ec256", "leaf.pem"), "tls.key": file(t, "ec256", "traditional.pem")},
		},
		"PublicKeys": {
			reason:   "Public keys have a history too.",
			objects:  "array:\n  - |\n    objectName: signing\n    objectType: key\n    objectVersionHistory: 2\n",
			mappings: []secretdata.Mapping{{"signing/0", "current.pem"}, {"signing/1", "previous.pem"}},
			want:     map[string]string{"current.pem": file(t, "ec384", "public.pem"), "previous.pem": file(t, "ec521", "public.pem")},
		},
		"Registry": {
			reason:   "Credentials for a registry.",
			objects:  "array:\n  - |\n    objectName: registry\n    objectType: secret\n",
			typ:      corev1.SecretTypeDockerConfigJson,
			mappings: []secretdata.Mapping{{"registry", ".dockerconfigjson"}},
			want:     map[string]string{".dockerconfigjson": `{"auths":{"r.example":{}}}`},
		},
		"SSHAndBasic": {
			reason:   "A key for SSH, and another key beside it.",
			objects:  "array:\n  - |\n    objectName: ssh\n    objectType: secret\n  - |\n    objectName: my-secret\n    objectType: secret\n",
			typ:      corev1.SecretTypeSSHAuth,
			mappings: []secretdata.Mapping{{"ssh", "ssh-privatekey"}, {"my-secret", "known_hosts"}},
			want:     map[string]string{"ssh-privatekey": "-----BEGIN OPENSSH PRIVATE KEY-----\n", "known_hosts": "hunter2"},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := parse(t, tc.objects)
			if err := secretdata.Validate(tc.typ, tc.mappings); err != nil {
				t.Fatal(err)
			}
			data, errs := secretdata.Build(tc.typ, tc.mappings, secretdata.Collect(p, shop.fetch(p)))
			if diff := cmp.Diff(tc.want, values(data)); diff != "" || len(errs) > 0 {
				t.Errorf("%s\n%v\n-want +got:\n%s", tc.reason, errs, diff)
			}
			if err := secretdata.CheckData(tc.typ, data); err != nil {
				t.Errorf("%s\nrefused: %v", tc.reason, err)
			}
			if err := secretdata.CheckComplete(tc.typ, data); err != nil {
				t.Errorf("%s\nincomplete: %v", tc.reason, err)
			}
		})
	}
}

// TestPartialFailure: whatever part of a vault fails, the rest is built, and every item is accounted for.
func TestPartialFailure(t *testing.T) {
	t.Parallel()
	p := parse(t, "array:\n  - |\n    objectName: a\n    objectType: secret\n    objectVersionHistory: 3\n"+
		"  - |\n    objectName: b\n    objectType: secret\n  - |\n    objectName: c\n    objectType: cert\n")
	mappings := []secretdata.Mapping{{"a/0", "a0"}, {"a/1", "a1"}, {"a/2", "a2"}, {"b", "b"}, {"c", "c"}}
	r := rand.New(rand.NewPCG(93, 23))
	for range 500 {
		results := map[int]secretdata.Result{}
		want := map[string]string{}
		for i, keys := range [][]string{{"a0", "a1", "a2"}, {"b"}, {"c"}} {
			results[i] = someResult(r, keys, want)
		}
		data, errs := secretdata.Build("", mappings, secretdata.Collect(p, results))
		if diff := cmp.Diff(want, values(data)); diff != "" {
			t.Fatalf("-want +got:\n%s", diff)
		}
		if len(data)+len(errs) != len(mappings) {
			t.Fatalf("%d values and %d errors for %d items", len(data), len(errs), len(mappings))
		}
		for _, e := range errs {
			if strings.Contains(e.Error(), canary) {
				t.Fatalf("an error repeats a value: %v", e)
			}
		}
	}
}

// someResult is an object of which versions are there, failed, or missing; what is there is noted in want.
func someResult(r *rand.Rand, keys []string, want map[string]string) secretdata.Result {
	var result secretdata.Result
	for _, key := range keys {
		switch r.IntN(4) {
		case 0: // this version and the older ones are missing, with a reason or without
			if r.IntN(2) == 0 {
				result.Err = errAway
			}
			return result
		case 1:
			result.Versions = append(result.Versions, secretdata.Fetched{Err: errAway})
			continue
		}
		value := canary + key
		want[key] = value
		if key == "c" {
			want[key] = string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: []byte(value)}))
		}
		result.Versions = append(result.Versions, secretdata.Fetched{Value: redact.FromString(value), CER: []byte(value)})
	}
	return result
}

// TestOrderInTheVaultDoesNotCount: a chain that is uploaded again in another order is no change of the Secret.
func TestOrderInTheVaultDoesNotCount(t *testing.T) {
	t.Parallel()
	p := parse(t, "array:\n  - |\n    objectName: web\n    objectType: secret\n")
	mappings := []secretdata.Mapping{{"web", "tls.crt"}, {"web", "tls.key"}}
	for _, kind := range []string{"rsa", "ec256"} {
		digests := map[string]bool{}
		pieces := []string{
			file(t, kind, "leaf.pem"), file(t, kind, "intermediate.pem"), file(t, kind, "root.pem"), file(t, kind, "key.pem"),
		}
		for _, order := range permutations(pieces) {
			results := map[int]secretdata.Result{0: {Versions: []secretdata.Fetched{asPEM(strings.Join(order, ""))}}}
			data, errs := secretdata.Build(corev1.SecretTypeTLS, mappings, secretdata.Collect(p, results))
			if len(errs) > 0 {
				t.Fatal(errs)
			}
			digests[secretdata.Digest(installationKey(), corev1.SecretTypeTLS, data)] = true
		}
		if len(digests) != 1 {
			t.Errorf("%s: %d digests for one chain and key", kind, len(digests))
		}
	}
}
