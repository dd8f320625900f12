package arm

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

// claims is what an access token says of its caller.
type claims struct {
	Audience  string           `json:"aud"`
	Issuer    string           `json:"iss"`
	NotBefore *jwt.NumericDate `json:"nbf"`
	Expiry    *jwt.NumericDate `json:"exp"`
	AppID     string           `json:"appid"`
	ObjectID  string           `json:"oid"`
	TenantID  string           `json:"tid"`
}

// audiences are the names under which tokens are asked for; clients of the old service management still use its name.
func audiences() []string {
	return []string{
		"https://management.core.windows.net/", "https://management.core.windows.net",
		"https://management.azure.com/", "https://management.azure.com",
	}
}

// authenticate reads the caller from the request's token.
func (s *Service) authenticate(r *http.Request, t target) (claims, *refusal) {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") || token == "" {
		return claims{}, s.unauthorized(t, "AuthenticationFailed", "Authentication failed. The 'Authorization' header is missing.")
	}
	parsed, err := jwt.ParseSigned(strings.TrimSpace(token), []jose.SignatureAlgorithm{jose.RS256})
	var caller claims
	if err != nil || parsed.Claims(s.keys(), &caller) != nil {
		return claims{}, s.unauthorized(t, "InvalidAuthenticationToken", "The access token is invalid.")
	}
	now := s.clock.Now()
	switch {
	case !slices.Contains(audiences(), caller.Audience):
		return claims{}, s.unauthorized(t, "InvalidAuthenticationTokenAudience", "The access token has been obtained for wrong "+
			"audience or resource '%s'. It should exactly match with one of the allowed audiences '%s'.",
			caller.Audience, strings.Join(audiences(), "','"))
	case caller.Expiry == nil || !now.Before(caller.Expiry.Time()):
		const layout = "1/2/2006 3:04:05 PM"
		return claims{}, s.unauthorized(t, "ExpiredAuthenticationToken", "The access token expiry UTC time '%s' is earlier than "+
			"current UTC time '%s'.", caller.Expiry.Time().UTC().Format(layout), now.UTC().Format(layout))
	case t.subscription != "" && !strings.EqualFold(caller.TenantID, s.tenantOf(t)):
		return claims{}, s.unauthorized(t, "InvalidAuthenticationTokenTenant", "The access token is from the wrong issuer '%s'. It "+
			"must match the tenant 'https://sts.windows.net/%s/' associated with this subscription. Please use the "+
			"authority (URL) 'https://login.windows.net/%s' to get the token.", caller.Issuer, s.tenantOf(t), s.tenantOf(t))
	}
	return caller, nil
}

// unauthorized is a 401 that tells where a token is to be had, of the subscription's tenant where there is one.
func (s *Service) unauthorized(t target, code, format string, args ...any) *refusal {
	refused := refuse(http.StatusUnauthorized, code, format, args...)
	tenant := s.tenantOf(t)
	if tenant == "" {
		tenant = "common"
	}
	refused.authentication = fmt.Sprintf(`Bearer authorization_uri="https://login.windows.net/%s", error="invalid_token", `+
		`error_description="%s"`, tenant, strings.ReplaceAll(refused.message, `"`, "'"))
	return refused
}

// tenantOf is the tenant of a target's subscription; empty without one.
func (s *Service) tenantOf(t target) string {
	subscription, _ := s.state.Subscription(t.subscription)
	return subscription.TenantID
}

// authorize lets a caller do what its roles permit. Lists that are made up of what the caller may read need no right of their
// own.
func (s *Service) authorize(caller claims, k kind, method string, t target) *refusal {
	if t.list && slices.Contains([]string{kindSubscriptions, kindGroups, kindResources}, k.name) {
		return nil
	}
	act := map[string]string{http.MethodGet: "read", http.MethodPut: "write", http.MethodDelete: "delete"}[method]
	action := k.name + "/" + act
	if s.state.MayManage(caller.ObjectID, t.over, action) {
		return nil
	}
	return refuse(http.StatusForbidden, "AuthorizationFailed", "The client '%s' with object id '%s' does not have authorization to "+
		"perform action '%s' over scope '%s' or the scope is invalid. If access was recently granted, please refresh your "+
		"credentials.", caller.AppID, caller.ObjectID, action, t.over)
}
