package entra

import (
	"crypto/subtle"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4/jwt"

	"secretstore/internal/emulator/state"
	"secretstore/internal/emulator/wire"
)

const assertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

// Claims is what an access token says, of version 1 as Key Vault gets it.
type Claims struct {
	Audience  string           `json:"aud"`
	Issuer    string           `json:"iss"`
	IssuedAt  *jwt.NumericDate `json:"iat"`
	NotBefore *jwt.NumericDate `json:"nbf"`
	Expiry    *jwt.NumericDate `json:"exp"`
	AppID     string           `json:"appid"`
	// AppIDACR is how the client proved who it is: "1" by a secret, "2" by an assertion.
	AppIDACR string `json:"appidacr"`
	IDP      string `json:"idp"`
	ObjectID string `json:"oid"`
	Subject  string `json:"sub"`
	TenantID string `json:"tid"`
	UTI      string `json:"uti"`
	Version  string `json:"ver"`
}

// maxForm is the size of a token request at most.
const maxForm = 256 << 10

func (s *Service) serveToken(w http.ResponseWriter, r *http.Request, tenantName string) {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		s.refuse(w, r, missingParameter("grant_type"))
		return
	}
	wire.CallOf(r).ClientID = r.PostFormValue("client_id")
	tenant, ok := s.state.Tenant(tenantName)
	if !ok {
		s.refuse(w, r, unknownTenant("invalid_request", tenantName))
		return
	}
	app, resource, refused := s.checkRequest(r, tenant)
	if refused != nil {
		s.refuse(w, r, refused)
		return
	}
	token, err := s.token(app, resource, r.PostFormValue("client_assertion") != "")
	if err != nil {
		s.log.Error("signing a token", "error", err)
		s.Refuse(w, r, http.StatusInternalServerError)
		return
	}
	w.Header().Set("Cache-Control", "no-store, no-cache")
	w.Header().Set("x-ms-request-id", wire.GUID())
	wire.WriteJSON(w, http.StatusOK, map[string]any{
		"token_type": "Bearer", "expires_in": app.TokenLifetimeSeconds, "ext_expires_in": app.TokenLifetimeSeconds,
		"access_token": token,
	})
}

// checkRequest finds out who asks for a token and for which resource, or why there is none.
func (s *Service) checkRequest(r *http.Request, tenant state.Tenant) (state.Application, string, *refusal) {
	for _, parameter := range []string{"grant_type", "client_id", "scope"} {
		if r.PostFormValue(parameter) == "" {
			return state.Application{}, "", missingParameter(parameter)
		}
	}
	if grant := r.PostFormValue("grant_type"); grant != "client_credentials" {
		return state.Application{}, "", unsupportedGrant(grant)
	}
	app, ok := s.state.Application(tenant.ID, r.PostFormValue("client_id"))
	if !ok {
		directory := tenant.Name
		if directory == "" {
			directory = tenant.ID
		}
		return state.Application{}, "", unknownClient(r.PostFormValue("client_id"), directory)
	}
	if app.Disabled {
		return state.Application{}, "", disabledClient(app.ClientID, app.Name)
	}
	resource, refused := resourceOf(r.PostFormValue("scope"))
	if refused == nil {
		refused = s.checkProof(r, app)
	}
	if refused == nil && !s.knows(resource) {
		refused = unknownResource(resource, tenant.ID)
	}
	return app, resource, refused
}

// knows says whether tokens are issued for a resource: a vault's, Graph's, or Azure Resource Manager's by its name of today or of
// old.
// They are written without a slash at the end, or with one, yet Entra knows both ways.
func (s *Service) knows(resource string) bool {
	return slices.Contains([]string{
		"https://" + s.state.VaultDNSSuffix, "https://management.azure.com", "https://management.core.windows.net",
		"https://graph.microsoft.com",
	}, strings.TrimSuffix(resource, "/"))
}

// resourceOf gives the only resource that is asked for. MSAL for JavaScript sends the OpenID scopes along, which mean nothing
// without a user.
func resourceOf(scope string) (string, *refusal) {
	asked := slices.DeleteFunc(strings.Fields(scope), func(s string) bool {
		return slices.Contains([]string{"openid", "profile", "offline_access"}, s)
	})
	if len(asked) != 1 || !strings.HasSuffix(asked[0], "/.default") {
		return "", badScope(scope)
	}
	return strings.TrimSuffix(asked[0], "/.default"), nil
}

// checkProof lets in who has a valid assertion or secret.
func (s *Service) checkProof(r *http.Request, app state.Application) *refusal {
	assertion, secret := r.PostFormValue("client_assertion"), r.PostFormValue("client_secret")
	switch {
	case assertion != "" && r.PostFormValue("client_assertion_type") != assertionType:
		return missingParameter("client_assertion_type")
	case assertion != "":
		return s.checkAssertion(r.Context(), app, assertion)
	case secret != "":
		return s.checkSecret(app, secret)
	default:
		return noProof()
	}
}

func (s *Service) checkSecret(app state.Application, secret string) *refusal {
	i := slices.IndexFunc(app.ClientSecrets, func(c state.ClientSecret) bool {
		return subtle.ConstantTimeCompare([]byte(c.Value), []byte(secret)) == 1
	})
	switch {
	case i < 0:
		return wrongSecret(app.ClientID)
	case !app.ClientSecrets[i].Expires.IsZero() && !s.clock.Now().Before(app.ClientSecrets[i].Expires):
		return expiredSecret(app.ClientID)
	}
	return nil
}

func (s *Service) token(app state.Application, resource string, byAssertion bool) (string, error) {
	now := s.clock.Now()
	issuer := "https://sts.windows.net/" + app.TenantID + "/"
	proof := "1"
	if byAssertion {
		proof = "2"
	}
	return jwt.Signed(s.signer).Claims(Claims{
		Audience: resource, Issuer: issuer, IssuedAt: jwt.NewNumericDate(now), NotBefore: jwt.NewNumericDate(now),
		Expiry: jwt.NewNumericDate(now.Add(lifetime(app))), AppID: app.ClientID, AppIDACR: proof, IDP: issuer,
		ObjectID: app.ObjectID, Subject: app.ObjectID, TenantID: app.TenantID, UTI: randomHex(), Version: "1.0",
	}).Serialize()
}

func lifetime(app state.Application) time.Duration {
	return time.Duration(app.TokenLifetimeSeconds) * time.Second
}
