package akvsync

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation"

	"secretstore/api/secretsync/v1alpha1"
	"secretstore/internal/secretdata"
)

// checkNames: the vault has no object whose name holds anything but letters, digits and hyphens.
func checkNames(index int, e v1alpha1.AKVSyncEntry) *problem {
	wrong := func(at, name string) *problem {
		if name == "" || isObjectName(name) {
			return nil
		}
		return mistake("%s.%s %s is not the name of a Key Vault object; set it to the object's name in the vault: 1 to %d letters, "+
			"digits and hyphens", place(index), at, quote(name), maxObjectName)
	}
	if p := wrong(v1alpha1.ShapeSecret, e.SecretInAKV); p != nil {
		return p
	}
	if p := wrong(v1alpha1.ShapeCertificate, e.CertInAKV); p != nil {
		return p
	}
	for i, m := range e.Mapping {
		at := fmt.Sprintf("mapping[%d].", i)
		if p := wrong(at+v1alpha1.ShapeSecret, m.SecretInAKV); p != nil {
			return p
		}
		if p := wrong(at+v1alpha1.ShapeCertificate, m.CertInAKV); p != nil {
			return p
		}
	}
	return nil
}

// maxObjectName is Key Vault's limit.
const maxObjectName = 127

func isObjectName(name string) bool {
	return name != "" && len(name) <= maxObjectName && !strings.ContainsFunc(name, func(r rune) bool {
		return r != '-' && !isAlphanumeric(r)
	})
}

func isAlphanumeric(r rune) bool {
	return '0' <= r && r <= '9' || 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z'
}

// checkSecretName: Key Vault and Kubernetes do not allow the same names. suffix is the longest that follows the name.
func checkSecretName(s secret, suffix string) *problem {
	if len(validation.IsDNS1123Subdomain(s.name+suffix)) == 0 {
		return nil
	}
	at := place(s.entry)
	return mistake("%s: a Secret cannot be named %s: Kubernetes takes lower-case letters, digits, '-' and '.', with a letter or "+
		"digit at both ends, %d in all; set kubernetesSecretName of %s to a name such as %s", at, quote(s.name+suffix),
		validation.DNS1123SubdomainMaxLength, at, legalName(s.name, validation.DNS1123SubdomainMaxLength-len(suffix)))
}

// legalName is a name that Kubernetes takes and that looks as much as possible like the given one.
func legalName(name string, longest int) string {
	legal := strings.Map(func(r rune) rune {
		if r == '.' || isAlphanumeric(r) {
			return r
		}
		return '-'
	}, strings.ToLower(name))
	var labels []string
	for label := range strings.SplitSeq(legal, ".") { // each must begin and end with a letter or digit
		if label = strings.Trim(label, "-"); label != "" {
			labels = append(labels, label)
		}
	}
	legal = strings.Join(labels, ".")
	legal = strings.Trim(legal[:min(len(legal), longest)], "-.")
	if legal == "" {
		return "my-secret"
	}
	return legal
}

// checkItems: the keys must be legal, and those that the type demands.
func checkItems(s secret) *problem {
	mappings := make([]secretdata.Mapping, 0, len(s.items))
	for _, i := range s.items {
		mappings = append(mappings, secretdata.Mapping{SourcePath: i.object, TargetKey: i.key})
	}
	var wrong *secretdata.Error
	if !errors.As(secretdata.Validate(s.kind, mappings), &wrong) {
		return nil
	}
	// What the SecretSync calls data and targetKey is called otherwise here.
	at := strings.NewReplacer("data", "mapping", "targetKey", "dataKey", "type", "kubernetesSecretType").Replace(wrong.Place)
	return mistake("%s.%s %s; %s", place(s.entry), at, wrong.Problem, wrong.Cure)
}

// refuseTwins finds Secrets of one name: which of them is meant, nobody can say.
func refuseTwins(secrets []secret) {
	first := map[string]int{}
	for i := range secrets {
		j, taken := first[secrets[i].name]
		if !taken {
			first[secrets[i].name] = i
			continue
		}
		for _, pair := range [][2]*secret{{&secrets[i], &secrets[j]}, {&secrets[j], &secrets[i]}} {
			if pair[0].problem == nil {
				pair[0].problem = mistake("%s: %s asks for a Secret named %s too; set kubernetesSecretName of one of them to another name",
					place(pair[0].entry), place(pair[1].entry), quote(pair[0].name))
			}
		}
	}
}

// quote shows a name that a user wrote, with nothing in it that could break a line. The API bounds its length.
func quote(name string) string { return strconv.Quote(name) }
