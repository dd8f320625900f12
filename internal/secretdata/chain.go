package secretdata

import (
	"bytes"
	"crypto/x509"
	"errors"
	"slices"
)

// order sorts certificates as TLS wants them: the leaf, then the issuer of each, then what is not of that chain, in the
// order in which it was found. It drops repeated ones, and ends even where certificates issue each other in a ring.
func order(certificates []*x509.Certificate, key privateKey) []*x509.Certificate {
	rest := unique(certificates)
	if len(rest) == 0 {
		return nil
	}
	var chain []*x509.Certificate
	for i := leaf(rest, key); i >= 0; i = issuer(rest, chain[len(chain)-1]) {
		chain = append(chain, rest[i])
		rest = slices.Delete(rest, i, i+1)
	}
	return append(chain, rest...)
}

func unique(certificates []*x509.Certificate) []*x509.Certificate {
	var kept []*x509.Certificate
	for _, certificate := range certificates {
		if !slices.ContainsFunc(kept, certificate.Equal) {
			kept = append(kept, certificate)
		}
	}
	return kept
}

// leaf is the index of the certificate of the key; where there is none, or more than one, that which issued no other and is
// no authority; the first of those.
func leaf(certificates []*x509.Certificate, key privateKey) int {
	best, most := 0, -1
	for i, certificate := range certificates {
		likeness := 0
		if belongs(key, certificate) {
			likeness += 4
		}
		if !issuedAny(certificate, certificates) {
			likeness += 2
		}
		if !certificate.IsCA {
			likeness++
		}
		if likeness > most || likeness == most && key != nil && newer(certificate, certificates[best]) {
			best, most = i, likeness
		}
	}
	return best
}

// newer decides between certificates of the same key, so that the answer does not depend on their order.
func newer(a, b *x509.Certificate) bool {
	if c := a.NotBefore.Compare(b.NotBefore); c != 0 {
		return c > 0
	}
	return bytes.Compare(a.Raw, b.Raw) > 0
}

func issuedAny(certificate *x509.Certificate, others []*x509.Certificate) bool {
	return slices.ContainsFunc(others, func(other *x509.Certificate) bool {
		return !other.Equal(certificate) && trust(other, certificate) > 0
	})
}

// issuer is the index of the certificate that issued child, -1 if it is not there or is child itself.
func issuer(candidates []*x509.Certificate, child *x509.Certificate) int {
	if trust(child, child) > 0 {
		return -1
	}
	best, most := -1, 0
	for i, candidate := range candidates {
		t := trust(child, candidate)
		if t > most || t == most && t > 0 && preferred(candidate, candidates[best]) {
			best, most = i, t
		}
	}
	return best
}

// preferred decides between certificates of the same issuer, whatever their order. The cross-signed one goes first: its
// chain is the longer one, for clients that do not know the root yet.
func preferred(a, b *x509.Certificate) bool {
	if selfA, selfB := trust(a, a) > 0, trust(b, b) > 0; selfA != selfB {
		return selfB
	}
	return newer(a, b)
}

// trust says how sure it is that parent issued child: 0 no, 1 by name, 2 by key identifier too, 3 by signature.
func trust(child, parent *x509.Certificate) int {
	if !bytes.Equal(child.RawIssuer, parent.RawSubject) {
		return 0
	}
	err := parent.CheckSignature(child.SignatureAlgorithm, child.RawTBSCertificate, child.Signature)
	switch {
	case err == nil:
		return 3
	case !unjudged(err):
		return 0
	case len(child.AuthorityKeyId) == 0 || len(parent.SubjectKeyId) == 0:
		return 1
	case bytes.Equal(child.AuthorityKeyId, parent.SubjectKeyId):
		return 2
	}
	return 0
}

// unjudged says that the library does not verify signatures of this kind (with MD5 or DSA, say), so they prove nothing.
func unjudged(err error) bool {
	var insecure x509.InsecureAlgorithmError
	return errors.As(err, &insecure) || errors.Is(err, x509.ErrUnsupportedAlgorithm)
}
