package secretdata_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	corev1 "k8s.io/api/core/v1"

	"secretstore/internal/redact"
	"secretstore/internal/secretdata"
)

func installationKey() redact.Bytes {
	key := make([]byte, 32)
	for i := range key {
		key[i] = byte(i)
	}
	return redact.New(key)
}

// TestDigestGolden compares with what Python's hmac gives for the same encoding: a change of it would make every Secret of
// every user look changed.
func TestDigestGolden(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		reason string
		typ    corev1.SecretType
		data   map[string]string
		want   string
	}{
		"Empty": {
			reason: "No data have a digest too.",
			want:   "hmac-sha256:24dd9ddb:fd97bcfc26ca9791ec24c7f201c7ca560af41076fe534b10105f2c8027679645",
		},
		"Opaque": {
			reason: "No type is Opaque.",
			data:   map[string]string{"username": "admin", "password": "hunter2"},
			want:   "hmac-sha256:24dd9ddb:43bfcc4f5d6dd6705c5db9f2d52dd965e550b0efccce64c3cc30f56ecf37efc4",
		},
		"Typed": {
			reason: "The type counts.",
			typ:    corev1.SecretTypeBasicAuth,
			data:   map[string]string{"username": "admin", "password": "hunter2"},
			want:   "hmac-sha256:24dd9ddb:898176477ebdde4c8b1d27ea5f1d79bf289c086e2f206839d7b3223de3bbe1d4",
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := secretdata.Digest(installationKey(), tc.typ, dataOf(tc.data)); got != tc.want {
				t.Errorf("%s\nwant %s\ngot  %s", tc.reason, tc.want, got)
			}
		})
	}
	explicit := secretdata.Digest(installationKey(), corev1.SecretTypeOpaque, nil)
	if explicit != secretdata.Digest(installationKey(), "", nil) {
		t.Error("Opaque and no type differ")
	}
	if explicit == secretdata.Digest(redact.FromString("another"), "", nil) {
		t.Error("the key does not count")
	}
}

func TestComparable(t *testing.T) {
	t.Parallel()
	mine, other := installationKey(), redact.FromString("another")
	digest := secretdata.Digest(mine, "", nil)
	if !secretdata.Comparable(mine, digest) || secretdata.Comparable(other, digest) || secretdata.Comparable(mine, "") {
		t.Error("digests of another key count as comparable, or those of the same key do not")
	}
	if !secretdata.IsDigest(digest) || !secretdata.IsDigest(secretdata.Digest(other, "", nil)) || secretdata.IsDigest("c0ffee") {
		t.Error("our digests are not told from another controller's")
	}
}

// TestDigestTellsApart: data that differ anywhere, also in where one value ends and the next key begins, differ in it.
//
//covers:field SecretSync.status.syncHash
func TestDigestTellsApart(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(58, 97))
	seen := map[string]string{}
	for range 5000 {
		data := map[string]string{}
		for range r.IntN(4) {
			data[pickText(r)] = pickText(r)
		}
		text := fmt.Sprintf("%q", data) // fmt sorts the keys of maps
		digest := secretdata.Digest(installationKey(), "", dataOf(data))
		if other, taken := seen[digest]; taken && other != text {
			t.Fatalf("%s and %s have the same digest", text, other)
		}
		seen[digest] = text
	}
}

// pickText gives texts that run into each other easily.
func pickText(r *rand.Rand) string {
	texts := []string{"", "a", "aa", "aaa", "b", "ab", "\x00", "\x00\x00\x00\x00\x00\x00\x00\x01", "a\x00"}
	return texts[r.IntN(len(texts))]
}
