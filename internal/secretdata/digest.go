package secretdata

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"hash"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"secretstore/internal/redact"
)

// Digest is an HMAC-SHA-256 over the type and the data of a Secret, as "hmac-sha256:", 8 hexadecimal digits that name the key,
// ":" and 64 hexadecimal digits. It changes exactly when they do, and tells nothing of them to whoever lacks the key: a bare
// hash of a short value could be guessed. The key should be 32 random bytes; an empty type counts as Opaque.
func Digest(key redact.Bytes, secretType corev1.SecretType, data map[string]redact.Bytes) string {
	if secretType == "" {
		secretType = corev1.SecretTypeOpaque
	}
	mac := hmac.New(sha256.New, key.Reveal())
	add(mac, []byte(secretType))
	for _, name := range slices.Sorted(maps.Keys(data)) {
		add(mac, []byte(name))
		add(mac, data[name].Reveal())
	}
	return prefix(key) + hex.EncodeToString(mac.Sum(nil))
}

// Comparable says whether a digest was made under the key: only then does another digest mean other data.
func Comparable(key redact.Bytes, digest string) bool { return strings.HasPrefix(digest, prefix(key)) }

// algorithm is what every digest begins with.
const algorithm = "hmac-sha256:"

// IsDigest says whether a text is a digest that [Digest] made, under whatever key.
func IsDigest(text string) bool { return strings.HasPrefix(text, algorithm) }

// prefix names the algorithm and the key. The key's name is a digest under the key itself, of a text that no Secret gives.
func prefix(key redact.Bytes) string {
	mac := hmac.New(sha256.New, key.Reveal())
	_, _ = mac.Write([]byte("name of the key"))
	const shown = 4
	return algorithm + hex.EncodeToString(mac.Sum(nil)[:shown]) + ":"
}

// add writes a field with its length before it, so that no two different inputs run together into one.
func add(mac hash.Hash, field []byte) {
	_, _ = mac.Write(binary.BigEndian.AppendUint64(nil, uint64(len(field))))
	_, _ = mac.Write(field)
}
