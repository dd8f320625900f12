package akvsync

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation"

	"secretstore/api/secretsync/v1alpha1"
	"secretstore/internal/secretdata"
	"secretstore/internal/spcparams"
)

// lines shows a translation: "NAME TYPE: KEY=PATH …" for each Secret, "NAME: problem" where it has one, then "- OBJECT" for each object.
func lines(spec v1alpha1.AKVSyncSpec) []string {
	secrets, n := translate(spec)
	var out []string
	for _, s := range secrets {
		if s.problem != nil {
			out = append(out, s.name+": problem")
			continue
		}
		line := fmt.Sprintf("%s %s:", s.name, s.kind)
		for _, i := range s.items {
			line += " " + i.key + "=" + n.path(i)
		}
		out = append(out, line)
	}
	for _, o := range n.objects() {
		out = append(out, strings.TrimSpace(fmt.Sprintf("- %s %s %s/%d", o.Type, o.Name, o.Alias, o.History)))
	}
	return out
}

func TestTranslate(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		reason  string
		entries []string
		want    []string
	}{
		"Secret": {
			"a secret is an Opaque Secret of its name, under v0",
			[]string{"secret db-password"},
			[]string{"db-password Opaque: v0=db-password", "- secret db-password /0"},
		},
		"Name": {
			"unless it is named",
			[]string{"secret db-password as=db.main"},
			[]string{"db.main Opaque: v0=db-password", "- secret db-password /0"},
		},
		"History": {
			"with its versions under v0 to vN",
			[]string{"secret token history=3"},
			[]string{"token Opaque: v0=token/0 v1=token/1 v2=token/2", "- secret token /3"},
		},
		"Typed": {
			"typed Secrets have the key that the API server demands",
			[]string{
				"secret a type=kubernetes.io/ssh-auth", "secret b type=kubernetes.io/basic-auth", "secret c type=kubernetes.io/dockercfg",
				"secret d type=kubernetes.io/dockerconfigjson",
			},
			[]string{
				"a kubernetes.io/ssh-auth: ssh-privatekey=a", "b kubernetes.io/basic-auth: password=b",
				"c kubernetes.io/dockercfg: .dockercfg=c", "d kubernetes.io/dockerconfigjson: .dockerconfigjson=d",
				"- secret a /0", "- secret b /0", "- secret c /0", "- secret d /0",
			},
		},
		"Certificate": {
			"a certificate is read as the secret that has its key too; in an Opaque Secret it is one PEM",
			[]string{"cert web", "cert api history=2"},
			[]string{"web Opaque: v0=web", "api Opaque: v0=api/0 v1=api/1", "- secret api /2", "- secret web /0"},
		},
		"TLS": {
			"a TLS Secret takes its two parts, each from the whole",
			[]string{"cert web type=kubernetes.io/tls"},
			[]string{"web kubernetes.io/tls: tls.crt=web tls.key=web", "- secret web /0"},
		},
		"TLSVersions": {
			"several versions are several TLS Secrets, since a TLS Secret has one pair",
			[]string{"cert web type=kubernetes.io/tls history=2", "cert web as=other type=kubernetes.io/tls history=1"},
			[]string{
				"web-v0 kubernetes.io/tls: tls.crt=web/0 tls.key=web/0", "web-v1 kubernetes.io/tls: tls.crt=web/1 tls.key=web/1",
				"other kubernetes.io/tls: tls.crt=web/0 tls.key=web/0", "- secret web /2",
			},
		},
		"Mapping": {
			"a composed Secret takes versions of what it names",
			[]string{"mapping user=db-user,password=db-password@1,pem=cert:web as=db"},
			[]string{
				"db Opaque: user=db-user password=db-password/1 pem=web",
				"- secret db-password /2", "- secret db-user /0", "- secret web /0",
			},
		},
		"TypedMapping": {
			"a composed Secret may have any type whose keys it gives",
			[]string{
				"mapping username=u,password=p as=a type=kubernetes.io/basic-auth",
				"mapping tls.crt=cert:c,tls.key=k as=b type=kubernetes.io/tls",
			},
			[]string{
				"a kubernetes.io/basic-auth: username=u password=p", "b kubernetes.io/tls: tls.crt=c tls.key=k",
				"- secret c /0", "- secret k /0", "- secret p /0", "- secret u /0",
			},
		},
		"Shared": {
			"an object has the longest history that anyone wants of it, and then a number in every path",
			[]string{"secret db", "mapping password=db@3 as=old", "secret db as=two history=2"},
			[]string{"db Opaque: v0=db/0", "old Opaque: password=db/3", "two Opaque: v0=db/0 v1=db/1", "- secret db /4"},
		},
		"Cases": {
			"Key Vault does not tell cases apart: it is one object, whatever it is called, with one path",
			[]string{"secret Db-Password as=a", "secret DB-password as=b", "cert db-password as=c history=2"},
			[]string{
				"a Opaque: v0=db-password/0", "b Opaque: v0=db-password/0", "c Opaque: v0=db-password/0 v1=db-password/1",
				"- secret DB-password db-password/2",
			},
		},
		"SecretAndCertificate": {
			"a secret and a certificate of one name have one value, the certificate's: they are one object and cannot collide",
			[]string{"secret web as=a", "cert web as=b type=kubernetes.io/tls"},
			[]string{"a Opaque: v0=web", "b kubernetes.io/tls: tls.crt=web tls.key=web", "- secret web /0"},
		},
		"MistakesAreAlone": {
			"an entry with a mistake takes nothing from the others, and nothing is fetched for it",
			[]string{"secret One", "secret two", "secret three history=9 type=kubernetes.io/ssh-auth"},
			[]string{"One: problem", "two Opaque: v0=two", "three: problem", "- secret two /0"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(tc.want, lines(asking(entries(tc.entries...)...).Spec)); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tc.reason, diff)
			}
		})
	}
}

func TestTranslateRefuses(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 250)
	two := entry("secret a")
	two.CertInAKV = "a"
	both := entry("mapping k=a as=s")
	both.Mapping[0].CertInAKV = "a"
	for name, tc := range map[string]struct {
		reason  string
		entries []v1alpha1.AKVSyncEntry
		// says are what the messages of the Secrets must hold, in their order; "" is for none.
		says []string
	}{
		"NoShape":       {"an entry must be something", []v1alpha1.AKVSyncEntry{{KubernetesSecretName: "a"}}, []string{"spec.objects[0] must have exactly one of secretInAKV, certInAKV and mapping"}},
		"TwoShapes":     {"and one thing only", []v1alpha1.AKVSyncEntry{two}, []string{"exactly one of"}},
		"NamelessMap":   {"a composed Secret has no name of its own", entries("mapping k=a"), []string{"set kubernetesSecretName"}},
		"MapItem":       {"an item is one object", []v1alpha1.AKVSyncEntry{both}, []string{"spec.objects[0].mapping[0] must have exactly one of secretInAKV and certInAKV"}},
		"MapHistory":    {"a composed Secret has versions, not a history", entries("mapping k=a as=s history=2"), []string{"set the version of each item"}},
		"MapVersion":    {"within bounds", entries("mapping k=a@500 as=s"), []string{"spec.objects[0].mapping[0].version must be from 0, the latest, to 499"}},
		"History":       {"every version costs a request", entries("secret a history=501"), []string{"spec.objects[0].versionHistory must be from 1 to 500"}},
		"TypedHistory":  {"a typed Secret has no key for a second version", entries("secret a type=kubernetes.io/ssh-auth history=2"), []string{"kubernetesSecretType is kubernetes.io/ssh-auth, whose keys are fixed"}},
		"TLSOfSecret":   {"a secret is no key pair", entries("secret a type=kubernetes.io/tls"), []string{"use certInAKV"}},
		"TypedCert":     {"a certificate is nothing but a key pair", entries("cert a type=kubernetes.io/basic-auth"), []string{"kubernetes.io/tls or Opaque"}},
		"Type":          {"types on which Kubernetes acts are not made", entries("secret a type=bootstrap.kubernetes.io/token"), []string{`spec.objects[0].kubernetesSecretType "bootstrap.kubernetes.io/token" is not a type that may be made`}},
		"Key":           {"what no Secret may have is said with its place", entries("mapping a/b=a as=s"), []string{`spec.objects[0].mapping[0].dataKey "a/b" is not a key`}},
		"KeyTwice":      {"each key has one value", entries("mapping k=a,k=b as=s"), []string{"spec.objects[0].mapping[1].dataKey"}},
		"KeyMissing":    {"a type's keys must be there", entries("mapping tls.crt=cert:a as=s type=kubernetes.io/tls"), []string{"spec.objects[0].mapping lacks the key tls.key"}},
		"ObjectName":    {"Key Vault's own rule for names", entries("secret a_b as=s"), []string{`spec.objects[0].secretInAKV "a_b" is not the name of a Key Vault object`}},
		"CertName":      {"for certificates too", entries("cert a.b as=s"), []string{`spec.objects[0].certInAKV "a.b"`}},
		"MapName":       {"and in compositions", entries("mapping k=ok,l=a_b as=s", "mapping k=cert:a_b as=r"), []string{`mapping[1].secretInAKV "a_b"`, `spec.objects[1].mapping[0].certInAKV "a_b"`}},
		"UpperCase":     {"Key Vault allows names that Kubernetes does not: which, and what to call the Secret", entries("secret ok", "secret DB-Password"), []string{"", `spec.objects[1]: a Secret cannot be named "DB-Password": Kubernetes takes lower-case letters`}},
		"Suggestion":    {"the suggestion is legal", entries("secret DB-Password"), []string{"set kubernetesSecretName of spec.objects[0] to a name such as db-password"}},
		"Hyphen":        {"a name may not end in a hyphen", entries("secret db-"), []string{"such as db"}},
		"ExplicitName":  {"an explicit name is judged alike", entries("secret a as=My_Secret"), []string{"such as my-secret"}},
		"LongVersioned": {"the number of the version must fit in too", entries("cert a type=kubernetes.io/tls history=11 as=" + long), []string{"such as " + strings.Repeat("x", 249)}},
		"Twins":         {"two Secrets of one name: each says which the other is", entries("secret a as=x", "cert b as=x", "secret c"), []string{`spec.objects[0]: spec.objects[1] asks for a Secret named "x" too`, `spec.objects[1]: spec.objects[0] asks`, ""}},
		"Triplets":      {"three of them too", entries("secret x", "cert b as=x", "cert c as=x"), []string{"spec.objects[1] asks", "spec.objects[0] asks", "spec.objects[0] asks"}},
		"VersionTwin":   {"only the version that collides is refused", entries("cert web type=kubernetes.io/tls history=2", "secret a as=web-v1"), []string{"", `spec.objects[1] asks for a Secret named "web-v1" too`, `spec.objects[0] asks`}},
		"TooMany":       {"a status must fit into one object", entries("cert a type=kubernetes.io/tls history=500", "cert b type=kubernetes.io/tls history=500", "secret c"), append(make([]string, 500), "an AKVSync makes 1000 Secrets at most", "")},
		"TooManyAsked": {
			"and the class asks no more of a vault than it answers in ten seconds", entries(
				"secret a history=500", "secret b history=500", "secret c history=500", "secret d history=500", "secret e history=500",
				"secret f history=500", "secret g history=500", "secret h history=499", "secret i history=2", "secret j", "secret a as=k"),
			[]string{"", "", "", "", "", "", "", "", "spec.objects[8] is too much", "", ""},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			secrets, n := translate(asking(tc.entries...).Spec)
			if len(secrets) != len(tc.says) {
				t.Fatalf("%d Secrets, want %d", len(secrets), len(tc.says))
			}
			for i, s := range secrets {
				switch {
				case s.problem == nil && tc.says[i] != "":
					t.Errorf("%s: Secret %d has no problem, want %q", tc.reason, i, tc.says[i])
				case s.problem != nil && (tc.says[i] == "" || !strings.Contains(s.problem.message, tc.says[i])):
					t.Errorf("%s: Secret %d: %q does not say %q", tc.reason, i, s.problem.message, tc.says[i])
				case s.problem != nil && s.problem.reason != v1alpha1.ReasonUserInputValidationFailed:
					t.Errorf("%s: Secret %d has reason %s", tc.reason, i, s.problem.reason)
				}
			}
			if len(n) > 0 {
				resolved(t, secrets, n)
			}
		})
	}
}

// resolved checks that every Secret without a problem is one that may be made, of what the class gives, and returns the class.
func resolved(t *testing.T, secrets []secret, n needs) spcparams.Params {
	t.Helper()
	sync := asking()
	written := spcparams.Params{VaultName: vault, ClientID: clientID, TenantID: tenantID, Objects: n.objects()}
	params, err := spcparams.Parse(written.Parameters())
	if err != nil || len(params.Warnings) > 0 {
		t.Fatalf("the class cannot be read: %v, %v", err, params.Warnings)
	}
	for _, s := range secrets {
		if s.problem != nil {
			continue
		}
		if wrong := validation.IsDNS1123Subdomain(s.name); len(wrong) > 0 {
			t.Errorf("the name %s: %v", s.name, wrong)
		}
		spec := syncSpec(sync, s, n)
		var mappings []secretdata.Mapping
		for i, d := range spec.SecretObject.Data {
			mappings = append(mappings, secretdata.Mapping{SourcePath: d.SourcePath, TargetKey: d.TargetKey})
			ref, err := params.Resolve(d.SourcePath)
			if err != nil {
				t.Errorf("Secret %s: %v", s.name, err)
				continue
			}
			want := s.items[i]
			if object := params.Objects[ref.Object]; !strings.EqualFold(object.Name, want.object) || ref.Version != want.version {
				t.Errorf("Secret %s: path %s gives version %d of %s, want %d of %s", s.name, d.SourcePath, ref.Version, object.Name, want.version, want.object)
			}
		}
		if err := secretdata.Validate(corev1.SecretType(spec.SecretObject.Type), mappings); err != nil {
			t.Errorf("Secret %s: %v", s.name, err)
		}
	}
	return params
}

// TestRandomTranslations translates AKVSyncs without mistakes: all of them must work, and their order must not matter.
func TestRandomTranslations(t *testing.T) {
	t.Parallel()
	for seed := range uint64(400) {
		r := rand.New(rand.NewPCG(seed, 1))
		list := randomEntries(r)
		secrets, n := translate(asking(list...).Spec)
		for _, s := range secrets {
			if s.problem != nil {
				t.Fatalf("seed %d: %s: %s", seed, s.name, s.problem.message)
			}
		}
		params := resolved(t, secrets, n)
		longest := map[string]int{}
		for _, s := range secrets {
			for _, i := range s.items {
				base := strings.ToLower(i.object)
				longest[base] = max(longest[base], i.version+1)
			}
		}
		for _, o := range params.Objects {
			if o.Versions() != longest[strings.ToLower(o.Name)] {
				t.Errorf("seed %d: %s has %d versions, the longest that is wanted is %d", seed, o.Name, o.Versions(), longest[strings.ToLower(o.Name)])
			}
		}
		shuffled := slices.Clone(list)
		r.Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
		_, again := translate(asking(shuffled...).Spec)
		if diff := cmp.Diff(n.objects(), again.objects()); diff != "" {
			t.Errorf("seed %d: the order of entries changes the class:\n%s", seed, diff)
		}
		if t.Failed() {
			t.FailNow()
		}
	}
}

func TestLegalName(t *testing.T) {
	t.Parallel()
	for given, want := range map[string]string{
		"DB-Password": "db-password", "a_b": "a-b", "-a-": "a", "---": "my-secret", "": "my-secret", "A..B": "a.b", "a-.-b": "a.b", ".": "my-secret",
		"ÄÖÜ": "my-secret", "x ü": "x", strings.Repeat("a", 250) + "-.bcdefg": strings.Repeat("a", 250) + ".bc",
	} {
		if got := legalName(given, 253); got != want {
			t.Errorf("legalName(%q) is %q, want %q", given, got, want)
		}
	}
	r := rand.New(rand.NewPCG(1, 1))
	for range 5000 {
		name := make([]byte, r.IntN(300))
		for i := range name {
			name[i] = "ab-._Z9/é"[r.IntN(10)]
		}
		longest := 240 + r.IntN(14)
		if got := legalName(string(name), longest); len(got) > longest || len(validation.IsDNS1123Subdomain(got)) > 0 {
			t.Fatalf("legalName(%q, %d) is %q", name, longest, got)
		}
	}
}
