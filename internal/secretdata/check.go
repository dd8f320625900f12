package secretdata

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"secretstore/internal/redact"
)

// CheckData judges data before they are written, so that a Secret never changes from one that works to one that does not:
// the size that Kubernetes allows, and for typed Secrets that a key pair is one, that a registry's configuration is JSON,
// that a private key is not empty. Of data that come from [Build] the size alone can be wrong. Keys that are absent are not
// missed, since they keep their value; see [CheckComplete]. The error joins an [*Error] of KindValue for each problem.
func CheckData(secretType corev1.SecretType, data map[string]redact.Bytes) error {
	errs := []error{checkSize(data)}
	for _, key := range slices.Sorted(maps.Keys(data)) {
		errs = append(errs, checkValue(secretType, key, data[key]))
	}
	if secretType == corev1.SecretTypeTLS {
		errs = append(errs, checkPair(data))
	}
	return errors.Join(errs...)
}

// CheckComplete says whether data hold every key that the API server demands of a new Secret of the type; if not, the error
// is an [*Error] of KindSpec.
func CheckComplete(secretType corev1.SecretType, data map[string]redact.Bytes) error {
	return checkRequired(secretType, func(key string) bool { _, ok := data[key]; return ok })
}

// checkValue judges one value of a typed Secret by itself.
func checkValue(secretType corev1.SecretType, key string, value redact.Bytes) error {
	switch {
	case secretType == corev1.SecretTypeDockercfg && key == corev1.DockerConfigKey,
		secretType == corev1.SecretTypeDockerConfigJson && key == corev1.DockerConfigJsonKey:
		return checkJSON(key, value)
	case secretType == corev1.SecretTypeSSHAuth && key == corev1.SSHAuthPrivateKey && len(bytes.TrimSpace(value.Reveal())) == 0:
		return keyError(key, "is empty", "store the private key in the vault")
	}
	return nil
}

func keyError(key, text, cure string) error {
	return &Error{Kind: KindValue, Place: "key " + strconv.Quote(key), Problem: text, Cure: cure}
}

// checkPair says whether tls.key belongs to the leaf of tls.crt, if both are there.
func checkPair(data map[string]redact.Bytes) error {
	crt, hasCrt := data[corev1.TLSCertKey]
	key, hasKey := data[corev1.TLSPrivateKeyKey]
	if !hasCrt || !hasKey {
		return nil
	}
	chain, err := readPEM(crt.Reveal())
	if err == nil && len(chain.chain) == 0 {
		err = noChain()
	}
	if err != nil {
		return err.at("key " + strconv.Quote(corev1.TLSCertKey))
	}
	private, err := readPEM(key.Reveal())
	if err == nil && private.key == nil {
		err = noKey()
	}
	if err != nil {
		return err.at("key " + strconv.Quote(corev1.TLSPrivateKeyKey))
	}
	if !belongs(private.key, chain.chain[0]) {
		return keyError(corev1.TLSPrivateKeyKey, "is not the private key of the certificate in tls.crt",
			"map both to the same object, or store the key that belongs to the certificate")
	}
	return nil
}

// checkJSON asks for a JSON object, as the API server does.
func checkJSON(key string, value redact.Bytes) error {
	var object map[string]any
	if json.Unmarshal(value.Reveal(), &object) == nil && object != nil {
		return nil
	}
	return keyError(key, "is not a JSON object",
		"store the registry configuration as JSON in the vault, and set objectEncoding: base64 if it is stored as base64")
}

// checkSize applies the API server's limit, which counts values and not keys.
func checkSize(data map[string]redact.Bytes) error {
	sum := 0
	for _, value := range data {
		sum += value.Len()
	}
	if sum <= corev1.MaxSecretSize {
		return nil
	}
	keys := slices.SortedFunc(maps.Keys(data), func(a, b string) int {
		return cmp.Or(cmp.Compare(data[b].Len(), data[a].Len()), strings.Compare(a, b))
	})
	const named = 3
	var largest []string
	for _, key := range keys[:min(named, len(keys))] {
		largest = append(largest, fmt.Sprintf("%s (%d)", strconv.Quote(key), data[key].Len()))
	}
	return &Error{Kind: KindValue, Place: "data", Problem: fmt.Sprintf(
		"hold %d bytes, more than the %d that Kubernetes allows in a Secret; the largest are %s",
		sum, corev1.MaxSecretSize, strings.Join(largest, ", ")), Cure: "spread the items over several SecretSyncs"}
}
