package akvsync

import (
	"cmp"
	"fmt"

	corev1 "k8s.io/api/core/v1"

	"secretstore/api/secretsync/v1alpha1"
	"secretstore/internal/secretdata"
	"secretstore/internal/spcparams"
)

// secret is one Secret that an AKVSync asks for.
type secret struct {
	// entry and shape say which entry of spec.objects asks for it.
	entry int
	shape string
	// name is that of the Secret and of the SecretSync.
	name                string
	kind                corev1.SecretType
	labels, annotations map[string]string
	items               []item
	// problem is why it is not made, or not as it should be; nil if nothing is in the way.
	problem *problem
}

// item is one key of a Secret, and the version of an object that goes there, 0 being the latest.
type item struct {
	key, object string
	version     int
}

// problem is why a Secret is not as its entry asks: a reason of API conditions, and the words for people.
type problem struct {
	reason, message string
}

// mistake is a problem that only an edit of the AKVSync can cure.
func mistake(format string, args ...any) *problem {
	return &problem{v1alpha1.ReasonUserInputValidationFailed, fmt.Sprintf(format, args...)}
}

// maxSecrets bounds what one AKVSync makes: its status, which has a line for each, has to fit into one object of the cluster.
const maxSecrets = 1000

// translate says what an AKVSync asks for: its Secrets, in the order of its entries, and the objects of the vault that those
// without a problem need. An entry with a mistake is one Secret with a problem, and takes nothing away from the others.
func translate(spec v1alpha1.AKVSyncSpec) ([]secret, needs) {
	var secrets []secret
	for i, entry := range spec.Objects {
		made := read(i, entry)
		if others := len(spec.Objects) - i - 1; len(secrets)+len(made)+others > maxSecrets {
			made = made[:1]
			made[0].problem = mistake("%s is too much: an AKVSync makes %d Secrets at most; lower versionHistory, or use more "+
				"than one AKVSync", place(i), maxSecrets)
		}
		secrets = append(secrets, made...)
	}
	refuseTwins(secrets)
	n := needs{}
	for i := range secrets {
		if secrets[i].problem == nil {
			secrets[i].problem = n.add(secrets[i])
		}
	}
	return secrets, n
}

// place names an entry for a message.
func place(entry int) string { return fmt.Sprintf("spec.objects[%d]", entry) }

// read is what one entry asks for: one Secret, or one for each version of a certificate.
func read(index int, e v1alpha1.AKVSyncEntry) []secret {
	s := secret{
		entry: index, shape: shape(e), name: cmp.Or(e.KubernetesSecretName, e.SecretInAKV, e.CertInAKV),
		kind:   corev1.SecretType(cmp.Or(e.KubernetesSecretType, string(corev1.SecretTypeOpaque))),
		labels: e.Labels, annotations: e.Annotations,
	}
	suffix := ""
	if versions(e) > 1 && s.shape == v1alpha1.ShapeCertificate && s.kind == corev1.SecretTypeTLS {
		suffix = versionSuffix(versions(e) - 1) // the longest
	}
	for _, check := range []func() *problem{
		func() *problem { return checkShape(index, e) },
		func() *problem { return checkNames(index, e) },
		func() *problem { return checkHistory(index, e) },
		func() *problem { return checkKind(s, e) },
		func() *problem { return checkSecretName(s, suffix) },
		func() *problem { s.items = items(s, e, 0); return checkItems(s) },
	} {
		if s.problem = check(); s.problem != nil {
			return []secret{s}
		}
	}
	if suffix == "" {
		return []secret{s}
	}
	made := make([]secret, versions(e))
	for v := range made {
		made[v] = s
		made[v].name += versionSuffix(v)
		made[v].items = items(s, e, v)
	}
	return made
}

func versions(e v1alpha1.AKVSyncEntry) int { return int(max(1, e.VersionHistory)) }

func versionSuffix(version int) string { return fmt.Sprintf("-v%d", version) }

// shape is the entry's, or "" if it has none or more than one.
func shape(e v1alpha1.AKVSyncEntry) string {
	var shapes []string
	if e.SecretInAKV != "" {
		shapes = append(shapes, v1alpha1.ShapeSecret)
	}
	if e.CertInAKV != "" {
		shapes = append(shapes, v1alpha1.ShapeCertificate)
	}
	if len(e.Mapping) > 0 {
		shapes = append(shapes, v1alpha1.ShapeMapping)
	}
	if len(shapes) != 1 {
		return ""
	}
	return shapes[0]
}

// items are the keys of the entry's Secret; of a certificate's TLS Secret, those of one version.
func items(s secret, e v1alpha1.AKVSyncEntry, version int) []item {
	switch {
	case s.shape == v1alpha1.ShapeMapping:
		list := make([]item, 0, len(e.Mapping))
		for _, m := range e.Mapping {
			list = append(list, item{m.DataKey, cmp.Or(m.SecretInAKV, m.CertInAKV), int(m.Version)})
		}
		return list
	case s.kind == corev1.SecretTypeTLS:
		// Both name the certificate itself, and each takes its part.
		return []item{{corev1.TLSCertKey, e.CertInAKV, version}, {corev1.TLSPrivateKeyKey, e.CertInAKV, version}}
	case s.kind == corev1.SecretTypeOpaque:
		list := make([]item, versions(e))
		for v := range list {
			list[v] = item{fmt.Sprintf("v%d", v), cmp.Or(e.SecretInAKV, e.CertInAKV), v}
		}
		return list
	case s.kind == corev1.SecretTypeBasicAuth:
		return []item{{corev1.BasicAuthPasswordKey, e.SecretInAKV, 0}}
	}
	var list []item
	for _, key := range secretdata.RequiredKeys(s.kind) {
		list = append(list, item{key, e.SecretInAKV, 0})
	}
	return list
}

// checkShape: what an entry is, its one field of three says.
func checkShape(index int, e v1alpha1.AKVSyncEntry) *problem {
	switch shape(e) {
	case "":
		return mistake("%s must have exactly one of secretInAKV, certInAKV and mapping", place(index))
	case v1alpha1.ShapeMapping:
		if e.KubernetesSecretName == "" {
			return mistake("%s composes a Secret by mapping: set kubernetesSecretName", place(index))
		}
		for i, m := range e.Mapping {
			if (m.SecretInAKV == "") == (m.CertInAKV == "") {
				return mistake("%s.mapping[%d] must have exactly one of secretInAKV and certInAKV", place(index), i)
			}
		}
	}
	return nil
}

// checkHistory: how many versions there may be, and where.
func checkHistory(index int, e v1alpha1.AKVSyncEntry) *problem {
	if e.VersionHistory < 0 || e.VersionHistory > spcparams.MaxHistory {
		return mistake("%s.versionHistory must be from 1 to %d: each version is one request at every check", place(index),
			spcparams.MaxHistory)
	}
	if len(e.Mapping) > 0 && e.VersionHistory != 0 {
		return mistake("%s.versionHistory does not go with mapping: set the version of each item instead", place(index))
	}
	for i, m := range e.Mapping {
		if m.Version < 0 || m.Version >= spcparams.MaxHistory {
			return mistake("%s.mapping[%d].version must be from 0, the latest, to %d", place(index), i, spcparams.MaxHistory-1)
		}
	}
	return nil
}

// checkKind: which types of Secret can be made of what.
func checkKind(s secret, e v1alpha1.AKVSyncEntry) *problem {
	at := place(s.entry) + ".kubernetesSecretType"
	switch {
	case s.shape == v1alpha1.ShapeSecret && s.kind == corev1.SecretTypeTLS:
		return mistake("%s is kubernetes.io/tls, which is made of a certificate: use certInAKV, or mapping for a certificate "+
			"and a key that are kept apart", at)
	case s.shape == v1alpha1.ShapeSecret && s.kind != corev1.SecretTypeOpaque && versions(e) > 1:
		return mistake("%s is %s, whose keys are fixed: versionHistory above 1 is for Opaque; remove one of them", at, s.kind)
	case s.shape == v1alpha1.ShapeCertificate && s.kind != corev1.SecretTypeOpaque && s.kind != corev1.SecretTypeTLS:
		return mistake("%s is %s: a certificate makes a Secret of type kubernetes.io/tls or Opaque", at, s.kind)
	}
	return nil
}
