package vault

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"secretstore/internal/emulator/state"
)

// claims is what an access token says of its caller.
type claims struct {
	Audience  string           `json:"aud"`
	Issuer    string           `json:"iss"`
	NotBefore *jwt.NumericDate `json:"nbf"`
	Expiry    *jwt.NumericDate `json:"exp"`
	AppID     string           `json:"appid"`
	ObjectID  string           `json:"oid"`
}

// String is how Key Vault names a caller in its sentences.
func (c claims) String() string {
	return fmt.Sprintf("appid=%s;oid=%s;iss=%s", c.AppID, c.ObjectID, c.Issuer)
}

func (s *Service) unauthorized(format string, args ...any) *refusal {
	return &refusal{
		status: http.StatusUnauthorized, code: "Unauthorized", message: fmt.Sprintf(format, args...),
		authentication: fmt.Sprintf(`Bearer authorization="https://%s/%s", resource="%s"`,
			s.state.AuthorityHosts[0], s.vault.TenantID, s.audience()),
	}
}

func (s *Service) audience() string { return "https://" + s.state.VaultDNSSuffix }

// authenticate reads the caller from the request's token.
func (s *Service) authenticate(r *http.Request) (claims, *refusal) {
	token := bearer(r)
	if token == "" {
		return claims{}, s.unauthorized("AKV10000: Request is missing a Bearer or PoP token.")
	}
	parsed, err := jwt.ParseSigned(token, []jose.SignatureAlgorithm{jose.RS256})
	if err != nil { // the sentence is captured, the number is not
		return claims{}, s.unauthorized("[BearerReadAccessTokenFailed] Error validating token: 'S2S12005'.")
	}
	var caller claims
	if err := parsed.Claims(s.keys(), &caller); err != nil { // no capture
		return claims{}, s.unauthorized("[InvalidSignature] Error validating token: 'S2S12011'.")
	}
	issuer := "https://sts.windows.net/" + s.vault.TenantID + "/"
	now := s.clock.Now()
	switch {
	case strings.TrimSuffix(caller.Audience, "/") != s.audience():
		return claims{}, s.unauthorized("AKV10022: Invalid audience. Expected %s, found: %s.", s.audience(), caller.Audience)
	case caller.Issuer != issuer:
		return claims{}, s.unauthorized("AKV10032: Invalid issuer. Expected one of %s, found %s.", issuer, caller.Issuer)
	case caller.Expiry == nil || !now.Before(caller.Expiry.Time()):
		return claims{}, s.unauthorized("[TokenExpired] Error validating token: 'S2S12086'.")
	case caller.NotBefore != nil && now.Before(caller.NotBefore.Time().Add(-time.Minute)): // no capture
		return claims{}, s.unauthorized("[TokenNotYetValid] Error validating token: 'S2S12087'.")
	}
	return caller, nil
}

func bearer(r *http.Request) string {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return strings.TrimSpace(token)
}

// admit applies the vault's network rules. No client of the emulator is behind a private link, or trusted.
func (s *Service) admit(r *http.Request, caller claims) *refusal {
	network := s.vault.Network()
	switch {
	case network.PublicNetworkAccess == "Disabled":
		return forbidden("ForbiddenByConnection", "Public network access is disabled and request is not from a trusted service nor "+
			"via an approved private link.\r\nCaller: %s\r\nVault: %s", caller, s.place())
	case network.Firewall == "Deny":
		address, _, _ := strings.Cut(r.RemoteAddr, ":")
		return forbidden("ForbiddenByFirewall", "Client address is not authorized and caller is not a trusted service.\r\n"+
			"Client address: %s\r\nCaller: %s\r\nVault: %s", address, caller, s.place())
	}
	return nil
}

// place is how Key Vault names a vault in its sentences.
func (s *Service) place() string { return s.vault.Name + ";location=" + s.vault.Location }

// authorize lets a caller do what it is allowed to.
func (s *Service) authorize(caller claims, need state.Need) *refusal {
	if s.vault.Allows(caller.ObjectID, need) {
		return nil
	}
	if !s.vault.UsesRoles() {
		return forbidden("AccessDenied", "The user, group or application '%s' does not have %s %s permission on key vault '%s'. For "+
			"help resolving this issue, please see https://go.microsoft.com/fwlink/?linkid=2125287",
			caller, need.Kind, need.Permission, s.place())
	}
	resource := strings.ToLower(s.vault.ResourceID())
	if need.Name != "" {
		resource += "/" + string(need.Kind) + "/" + strings.ToLower(need.Name)
	}
	return forbidden("ForbiddenByRbac", "Caller is not authorized to perform action on resource.\r\nIf role assignments, deny "+
		"assignments or role definitions were changed recently, please observe propagation time.\r\nCaller: %s\r\n"+
		"Action: 'Microsoft.KeyVault/vaults/%s'\r\nResource: '%s'\r\nAssignment: (not found)\r\nDenyAssignmentId: null\r\n"+
		"DecisionReason: 'DeniedWithNoValidRBAC' \r\nVault: %s\r\n", caller, need.Action, resource, s.place())
}
