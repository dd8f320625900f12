package akvsync

import (
	"fmt"
	"math/rand/v2"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"secretstore/api/secretsync/v1alpha1"
)

const (
	namespace = "shop"
	vault     = "shop-vault"
	clientID  = "11111111-2222-3333-4444-555555555555"
	tenantID  = "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee"
)

// asking is an AKVSync with the given entries.
func asking(entries ...v1alpha1.AKVSyncEntry) *v1alpha1.AKVSync {
	return &v1alpha1.AKVSync{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "all", UID: "uid-1", Generation: 1},
		Spec: v1alpha1.AKVSyncSpec{
			KeyvaultName: vault, ClientID: clientID, TenantID: tenantID, ServiceAccountName: "web", Objects: entries,
		},
	}
}

// entry is one entry in short: "secret NAME", "cert NAME" or "mapping KEY=NAME@VERSION,…", then "as=SECRET", "type=TYPE",
// "history=N" as wanted.
func entry(text string) v1alpha1.AKVSyncEntry {
	words := strings.Fields(text)
	e := v1alpha1.AKVSyncEntry{KubernetesSecretType: string(corev1.SecretTypeOpaque)}
	switch words[0] {
	case "secret":
		e.SecretInAKV = words[1]
	case "cert":
		e.CertInAKV = words[1]
	case "mapping":
		for m := range strings.SplitSeq(words[1], ",") {
			e.Mapping = append(e.Mapping, mapped(m))
		}
	}
	for _, word := range words[2:] {
		name, value, _ := strings.Cut(word, "=")
		switch name {
		case "as":
			e.KubernetesSecretName = value
		case "type":
			e.KubernetesSecretType = value
		case "history":
			must(fmt.Sscan(value, &e.VersionHistory))
		}
	}
	return e
}

// mapped is "KEY=NAME@VERSION", where "cert:NAME" is a certificate.
func mapped(text string) v1alpha1.AKVSyncItem {
	key, object, _ := strings.Cut(text, "=")
	object, version, counted := strings.Cut(object, "@")
	m := v1alpha1.AKVSyncItem{DataKey: key, SecretInAKV: object}
	if name, isCert := strings.CutPrefix(object, "cert:"); isCert {
		m.SecretInAKV, m.CertInAKV = "", name
	}
	if counted {
		must(fmt.Sscan(version, &m.Version))
	}
	return m
}

func must(_ int, err error) {
	if err != nil {
		panic(err)
	}
}

func entries(texts ...string) []v1alpha1.AKVSyncEntry {
	list := make([]v1alpha1.AKVSyncEntry, 0, len(texts))
	for _, text := range texts {
		list = append(list, entry(text))
	}
	return list
}

// randomEntry is an entry without a mistake that makes a Secret named after number, out of few objects, so that entries share
// them in all spellings.
func randomEntry(r *rand.Rand, number int) v1alpha1.AKVSyncEntry {
	object := func() string { return []string{"alpha", "Alpha", "beta", "BETA", "gamma", "web", "web-1"}[r.IntN(7)] }
	history := func() int { return 1 + r.IntN(4) }
	as := fmt.Sprintf("as=s%d", number)
	switch r.IntN(8) {
	case 0, 1:
		return entry(fmt.Sprintf("secret %s %s history=%d", object(), as, history()))
	case 2:
		return entry(fmt.Sprintf("cert %s %s history=%d", object(), as, history()))
	case 3:
		return entry(fmt.Sprintf("cert %s %s history=%d type=kubernetes.io/tls", object(), as, history()))
	case 4:
		types := []string{"ssh-auth", "basic-auth", "dockercfg", "dockerconfigjson"}
		return entry(fmt.Sprintf("secret %s %s type=kubernetes.io/%s", object(), as, types[r.IntN(len(types))]))
	case 5:
		return entry(fmt.Sprintf("mapping tls.crt=cert:%s,tls.key=%s@%d,a_b.C=%s %s type=kubernetes.io/tls", object(), object(),
			history()-1, object(), as))
	default:
		return entry(fmt.Sprintf("mapping one=%s@%d,two=cert:%s@%d %s", object(), history()-1, object(), history()-1, as))
	}
}

// randomEntries are some of those, each with another Secret.
func randomEntries(r *rand.Rand) []v1alpha1.AKVSyncEntry {
	list := make([]v1alpha1.AKVSyncEntry, 1+r.IntN(6))
	for i := range list {
		list[i] = randomEntry(r, i)
	}
	return list
}
