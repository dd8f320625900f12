package entra

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"secretstore/internal/emulator/state"
)

// assertionClaims is what a federated assertion must have; anything else in it is ignored.
type assertionClaims struct {
	Issuer    string           `json:"iss"`
	Subject   string           `json:"sub"`
	Audience  jwt.Audience     `json:"aud"`
	Expiry    *jwt.NumericDate `json:"exp"`
	NotBefore *jwt.NumericDate `json:"nbf"`
}

// checkAssertion compares an assertion with the federated credentials of an application. Credentials that still propagate
// count for nothing, but a client that only they would let in is told so.
func (s *Service) checkAssertion(ctx context.Context, app state.Application, assertion string) *refusal {
	token, err := jwt.ParseSigned(assertion, []jose.SignatureAlgorithm{jose.RS256})
	var claims assertionClaims
	if err != nil || token.UnsafeClaimsWithoutVerification(&claims) != nil {
		return invalidRequest(50027, "JWT token is invalid or malformed.")
	}
	if len(app.FederatedCredentials) == 0 {
		return invalidClient(70025, "The client '%s'(%s) has no configured federated identity credentials.", app.ClientID, app.Name)
	}
	now := s.clock.Now()
	credentials := slices.DeleteFunc(slices.Clone(app.FederatedCredentials), func(c state.FederatedCredential) bool {
		return !c.Propagated(now)
	})
	if propagates(app.FederatedCredentials, credentials, claims) {
		return propagating(claims)
	}
	credentials = keep(credentials, func(c state.FederatedCredential) bool { return c.Issuer == claims.Issuer })
	if len(credentials) == 0 {
		return noMatch(700211, "issuer", claims.Issuer, "")
	}
	if refused := s.checkSignature(ctx, token, claims); refused != nil {
		return refused
	}
	if refused := checkMatch(credentials, claims); refused != nil {
		return refused
	}
	return checkTime(claims, now)
}

func matches(c state.FederatedCredential, claims assertionClaims) bool {
	return c.Issuer == claims.Issuer && c.Subject == claims.Subject && hasAudience(c, claims)
}

func hasAudience(c state.FederatedCredential, claims assertionClaims) bool {
	return slices.ContainsFunc(c.Audiences, claims.Audience.Contains)
}

func keep(list []state.FederatedCredential, is func(state.FederatedCredential) bool) []state.FederatedCredential {
	return slices.DeleteFunc(slices.Clone(list), func(c state.FederatedCredential) bool { return !is(c) })
}

// propagates says whether a credential matches, but none that has propagated.
func propagates(all, propagated []state.FederatedCredential, claims assertionClaims) bool {
	match := func(c state.FederatedCredential) bool { return matches(c, claims) }
	return slices.ContainsFunc(all, match) && !slices.ContainsFunc(propagated, match)
}

func propagating(claims assertionClaims) *refusal {
	refused := invalidRequest(70021, "No matching federated identity record found for presented assertion. Assertion Issuer: '%s'. "+
		"Assertion Subject: '%s'. Assertion Audience: '%s'. "+
		"https://learn.microsoft.com/entra/workload-id/workload-identity-federation",
		claims.Issuer, claims.Subject, strings.Join(claims.Audience, ","))
	refused.lines = false // captured with blanks
	return refused
}

// checkSignature verifies with the issuer's key; the issuer is one that the application's credentials name.
func (s *Service) checkSignature(ctx context.Context, token *jwt.JSONWebToken, claims assertionClaims) *refusal {
	id := token.Headers[0].KeyID
	key, published, err := s.issuers.key(ctx, claims.Issuer, id)
	switch {
	case err != nil:
		s.log.Warn("fetching the keys of an issuer", "issuer", claims.Issuer, "error", err)
		return invalidRequest(90061, "Request to External OIDC endpoint failed.")
	case !published:
		return invalidClient(7000272, "The certificate with identifier %s used to sign the federated credential could not be found "+
			"in the metadata of identity provider %s. Please validate that your Identity Provider's metadata exposes the key used "+
			"to sign the incoming token.", id, claims.Issuer)
	case token.Claims(key.Key) != nil:
		return invalidClient(700027, "Client assertion contains an invalid signature. [Reason - The key was found, but use of the "+
			"key to verify the signature failed., Thumbprint of key used by client: '%s']", id)
	}
	return nil
}

// checkMatch compares subject and audience with the credentials of the right issuer.
func checkMatch(credentials []state.FederatedCredential, claims assertionClaims) *refusal {
	right := keep(credentials, func(c state.FederatedCredential) bool { return c.Subject == claims.Subject })
	if len(right) == 0 {
		if slices.ContainsFunc(credentials, func(c state.FederatedCredential) bool {
			return strings.EqualFold(c.Subject, claims.Subject)
		}) {
			return noMatch(7002138, "subject", claims.Subject, "The subject matches with case-insensitive comparison, but not with "+
				"case-sensitive comparison. ")
		}
		return noMatch(700213, "subject", claims.Subject, "")
	}
	if !slices.ContainsFunc(right, func(c state.FederatedCredential) bool { return hasAudience(c, claims) }) {
		return noMatch(700212, "audience", strings.Join(claims.Audience, ","), "")
	}
	return nil
}

// checkTime allows clocks to differ by five minutes, the usual leeway of Microsoft's libraries.
func checkTime(claims assertionClaims, now time.Time) *refusal {
	const leeway = 5 * time.Minute
	from, to := claims.NotBefore.Time(), claims.Expiry.Time()
	if claims.Expiry != nil && now.Before(to.Add(leeway)) && (claims.NotBefore == nil || !now.Before(from.Add(-leeway))) {
		return nil
	}
	const layout = "2006-01-02T15:04:05.0000000Z"
	return invalidClient(700024, "Client assertion is not within its valid time range. Current time: %s, assertion valid from %s, "+
		"expiry time of assertion %s. Review the documentation at "+
		"https://learn.microsoft.com/entra/identity-platform/certificate-credentials .",
		now.UTC().Format(layout), from.UTC().Format(layout), to.UTC().Format(layout))
}
