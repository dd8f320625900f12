package kube_test

import (
	"slices"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

// checkToken checks what Entra would: subject, the one audience, and a life of ten minutes.
func checkToken(t *testing.T, token, subject, audience string) {
	t.Helper()
	parsed, err := jwt.ParseSigned(token, []jose.SignatureAlgorithm{jose.RS256})
	if err != nil {
		t.Fatal(err)
	}
	var claims jwt.Claims
	if err := parsed.UnsafeClaimsWithoutVerification(&claims); err != nil {
		t.Fatal(err)
	}
	if claims.Subject != subject || !slices.Equal(claims.Audience, []string{audience}) {
		t.Errorf("subject %q, audience %v", claims.Subject, claims.Audience)
	}
	if life := claims.Expiry.Time().Sub(claims.IssuedAt.Time()); life != 10*time.Minute {
		t.Errorf("the token lives %v", life)
	}
}
