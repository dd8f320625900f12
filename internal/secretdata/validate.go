package secretdata

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation"
)

// Types are the types of Secret that may be made, the default first. Never one for service-account tokens or bootstrap
// tokens: Kubernetes acts on those, so whoever could ask for one would gain rights of others.
func Types() []corev1.SecretType {
	return []corev1.SecretType{
		corev1.SecretTypeOpaque, corev1.SecretTypeTLS, corev1.SecretTypeSSHAuth, corev1.SecretTypeBasicAuth,
		corev1.SecretTypeDockercfg, corev1.SecretTypeDockerConfigJson,
	}
}

// RequiredKeys are the keys that the API server demands in a Secret of a type; of basic-auth's, one is enough.
func RequiredKeys(secretType corev1.SecretType) []string {
	switch secretType {
	case corev1.SecretTypeTLS:
		return []string{corev1.TLSCertKey, corev1.TLSPrivateKeyKey}
	case corev1.SecretTypeSSHAuth:
		return []string{corev1.SSHAuthPrivateKey}
	case corev1.SecretTypeBasicAuth:
		return []string{corev1.BasicAuthUsernameKey, corev1.BasicAuthPasswordKey}
	case corev1.SecretTypeDockercfg:
		return []string{corev1.DockerConfigKey}
	case corev1.SecretTypeDockerConfigJson:
		return []string{corev1.DockerConfigJsonKey}
	}
	return nil
}

// Validate judges what a Secret is asked to be, before anything is fetched. An empty type means Opaque. The error joins an
// [*Error] of KindSpec for each mistake, Place being a field below `spec.secretObject`.
func Validate(secretType corev1.SecretType, mappings []Mapping) error {
	errs := []error{checkType(secretType)}
	if len(mappings) == 0 {
		errs = append(errs, specError("data", "is empty", "list at least one sourcePath with its targetKey"))
	}
	first := map[string]int{}
	for i, m := range mappings {
		place := fmt.Sprintf("data[%d]", i)
		if m.SourcePath == "" {
			errs = append(errs, specError(place+".sourcePath", "is empty", "set it to a path that the SecretProviderClass gives"))
		}
		errs = append(errs, checkKey(place+".targetKey", m.TargetKey))
		if j, taken := first[m.TargetKey]; taken {
			errs = append(errs, specError(place+".targetKey", fmt.Sprintf("%s is that of data[%d] too", quote(m.TargetKey), j),
				"give each item a key of its own"))
			continue
		}
		first[m.TargetKey] = i
	}
	has := func(key string) bool { _, ok := first[key]; return ok }
	return errors.Join(append(errs, checkRequired(secretType, has))...)
}

func specError(place, text, cure string) error {
	return &Error{Kind: KindSpec, Place: place, Problem: text, Cure: cure}
}

func checkType(secretType corev1.SecretType) error {
	types := Types()
	if secretType == "" || slices.Contains(types, secretType) {
		return nil
	}
	names := make([]string, len(types))
	for i, t := range types {
		names[i] = string(t)
	}
	return specError("type", quote(string(secretType))+" is not a type that may be made",
		"set it to one of "+strings.Join(names, ", "))
}

// checkKey applies the API server's rule for keys of Secrets, which is that of ConfigMaps.
func checkKey(place, key string) error {
	if len(validation.IsConfigMapKey(key)) == 0 {
		return nil
	}
	return specError(place, quote(key)+" is not a key that a Secret may have",
		"use 1 to 253 letters, digits, '-', '_' and '.', not beginning with '..'")
}

// checkRequired says which key is missing that the API server demands.
func checkRequired(secretType corev1.SecretType, has func(string) bool) error {
	required := RequiredKeys(secretType)
	missing := slices.DeleteFunc(slices.Clone(required), has)
	conjunction := " and "
	if secretType == corev1.SecretTypeBasicAuth {
		conjunction = " or "
	}
	if len(missing) == 0 || secretType == corev1.SecretTypeBasicAuth && len(missing) < len(required) {
		return nil
	}
	return specError("data", "lacks the key "+strings.Join(missing, conjunction)+", which type "+string(secretType)+" must have",
		"map a source path to it, or use type Opaque")
}

// quote shows a text that a user wrote, bounded.
func quote(s string) string {
	const shown = 80
	if len(s) > shown {
		s = s[:shown] + "…"
	}
	return strconv.Quote(s)
}
