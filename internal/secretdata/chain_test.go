package secretdata_test

import (
	"bytes"
	"crypto/x509"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
)

// chain is the subjects of tls.crt for an upload.
func chain(t testing.TB, upload string) string {
	t.Helper()
	f := render(web(), asPEM(upload))["web/tls.crt"]
	if f.Err != nil {
		t.Fatal(f.Err)
	}
	return names(t, string(f.Value.Reveal()))
}

// unverifiable gives a certificate a signature algorithm that nobody knows.
func unverifiable(t testing.TB, a *authority) *authority {
	t.Helper()
	ecdsaWithSHA256 := []byte{0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2}
	unknown := []byte{0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 99}
	certificate, err := x509.ParseCertificate(bytes.ReplaceAll(a.certificate.Raw, ecdsaWithSHA256, unknown))
	if err != nil {
		t.Fatal(err)
	}
	return &authority{certificate: certificate, key: a.key}
}

// withoutKeyID makes its children forget who issued them but for the name.
func withoutKeyID(c *x509.Certificate) *x509.Certificate {
	copied := *c
	copied.SubjectKeyId = nil
	return &copied
}

// TestChainOrder: with the key of the leaf at hand, tls.crt is the same whatever the order in the vault.
func TestChainOrder(t *testing.T) {
	t.Parallel()
	root := issue(t, "root", nil, nil)
	middle := issue(t, "middle", root, nil)
	leaf := issue(t, "leaf", middle, notCA)
	old := certify(t, "old-leaf", leaf.key, middle, func(c *x509.Certificate) {
		c.IsCA, c.NotBefore = false, c.NotBefore.AddDate(-1, 0, 0)
	})
	other := issue(t, "other-root", nil, nil)
	crossRoot := certify(t, "root", root.key, other, nil)
	single := issue(t, "self", nil, notCA)

	newMiddle := certify(t, "middle", middle.key, root, func(c *x509.Certificate) { c.NotBefore = c.NotBefore.AddDate(1, 0, 0) })

	oddRoot := unverifiable(t, issue(t, "odd-root", nil, nil))
	oddMiddle := unverifiable(t, issue(t, "odd-middle", oddRoot, nil))
	oddLeaf := unverifiable(t, issue(t, "odd-leaf", oddMiddle, notCA))
	// Of the same name as odd-middle, and not it: only its key identifier tells.
	namesake := issue(t, "odd-middle", other, nil)
	// An authority without a key identifier is known by its name only.
	nameless := &authority{certificate: withoutKeyID(oddMiddle.certificate), key: oddMiddle.key}
	namedLeaf := unverifiable(t, issue(t, "named-leaf", nameless, notCA))

	ringA := issue(t, "a", nil, nil)
	ringB := issue(t, "b", ringA, nil)
	ringA = certify(t, "a", ringA.key, ringB, nil)

	cases := map[string]struct {
		reason string
		key    *authority
		certs  []*authority
		want   string
	}{
		"Whole":      {"Leaf, intermediate, root.", leaf, []*authority{root, middle, leaf}, "leaf middle root"},
		"NoRoot":     {"Most chains come without their root.", leaf, []*authority{middle, leaf}, "leaf middle"},
		"NoMiddle":   {"With a gap, the rest comes behind.", leaf, []*authority{root, leaf}, "leaf root"},
		"Alone":      {"One is a chain.", leaf, []*authority{leaf}, "leaf"},
		"SelfSigned": {"A certificate that issued itself ends its chain.", single, []*authority{single}, "self"},
		"Repeated":   {"The same twice is once.", leaf, []*authority{leaf, middle, leaf, root}, "leaf middle root"},
		"Unrelated":  {"What is not of the chain comes last.", leaf, []*authority{leaf, middle, root, other}, "leaf middle root other-root"},
		"CrossSigned": {
			reason: "The cross-signed root leads to the other root, so it comes before the self-signed one.",
			key:    leaf, certs: []*authority{leaf, middle, root, crossRoot, other}, want: "leaf middle root other-root root",
		},
		"Renewed": {
			reason: "Of two certificates of the same key the newer one leads.",
			key:    leaf, certs: []*authority{leaf, old, middle, root}, want: "leaf middle root old-leaf",
		},
		"KeyOfAnAuthority": {
			reason: "The key decides which one is the leaf.",
			key:    middle, certs: []*authority{middle, root}, want: "middle root",
		},
		"RenewedAuthority": {
			reason: "So it is with two certificates of the same authority.",
			key:    leaf, certs: []*authority{leaf, middle, newMiddle, root}, want: "leaf middle root middle",
		},
		"Unverifiable": {
			reason: "Where a signature cannot be verified, the key identifier stands in for it.",
			key:    oddLeaf, certs: []*authority{oddLeaf, oddMiddle, oddRoot, namesake},
			want: "odd-leaf odd-middle odd-root odd-middle",
		},
		"UnverifiableByName": {
			reason: "And where there is no identifier either, the name.",
			key:    namedLeaf, certs: []*authority{namedLeaf, oddMiddle, oddRoot}, want: "named-leaf odd-middle odd-root",
		},
		"Ring":          {"Certificates that issue each other end somewhere.", ringB, []*authority{ringA, ringB}, "b a"},
		"LeafAndItself": {"A chain does not come back.", leaf, []*authority{leaf, leaf, leaf}, "leaf"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			key := keyPEM(t, tc.key.key)
			for _, order := range permutations(tc.certs) {
				for _, upload := range []string{key + pemOf(order...), pemOf(order...) + key} {
					if got := chain(t, upload); got != tc.want {
						t.Fatalf("%s\n%s gave %s, want %s", tc.reason, names(t, pemOf(order...)), got, tc.want)
					}
				}
			}
		})
	}
}

// TestChainOrderWithoutKey: where the vault keeps the key, the leaf is known by what it is.
func TestChainOrderWithoutKey(t *testing.T) {
	t.Parallel()
	root := issue(t, "root", nil, nil)
	middle := issue(t, "middle", root, nil)
	leaf := issue(t, "leaf", middle, notCA)
	for _, order := range permutations([]*authority{root, middle, leaf}) {
		if got := chain(t, pemOf(order...)); got != "leaf middle root" {
			t.Errorf("%s gave %s", names(t, pemOf(order...)), got)
		}
	}
	other := issue(t, "other", nil, nil)
	if got := chain(t, pemOf(other, root)); got != "other root" {
		t.Errorf("roots that have nothing to do with each other stay in their order, not %s", got)
	}
}

// TestChainProperty: any chain, cut anywhere, comes out the same however it is shuffled, key included.
func TestChainProperty(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(26, 53))
	for range 60 {
		length := 1 + r.IntN(6)
		chained := []*authority{issue(t, "n0", nil, nil)}
		for i := 1; i < length; i++ {
			change := func(c *x509.Certificate) {
				c.IsCA = i < length-1
				c.NotBefore = c.NotBefore.Add(time.Duration(r.IntN(1000)) * time.Hour)
			}
			// Every authority has the same name as another now and then, so that names alone do not lead.
			chained = append(chained, issue(t, "n"+string(rune('0'+r.IntN(4)+1)), chained[i-1], change))
		}
		leaf := chained[length-1]
		expected := slices.Clone(chained)
		slices.Reverse(expected)
		want := pemOf(expected...)
		for range 10 {
			parts := []string{keyPEM(t, leaf.key)}
			for _, a := range chained {
				parts = append(parts, pemOf(a))
			}
			r.Shuffle(len(parts), func(i, j int) { parts[i], parts[j] = parts[j], parts[i] })
			got := string(render(web(), asPEM(strings.Join(parts, "")))["web/tls.crt"].Value.Reveal())
			if got != want {
				t.Fatalf("%s gave %s, want %s", names(t, strings.Join(parts, "")), names(t, got), names(t, want))
			}
		}
	}
}
