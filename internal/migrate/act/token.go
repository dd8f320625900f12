package act

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"secretstore/internal/migrate/model"
)

// longestToken is the longest that a token may be valid for Entra to take it.
const longestToken = 24 * time.Hour

// claims are what is looked at in a token.
type claims struct {
	Issuer   string   `json:"iss"`
	Audience audience `json:"aud"`
	Subject  string   `json:"sub"`
	Expires  int64    `json:"exp"`
	Issued   int64    `json:"iat"`
}

// audience is one text, or a list.
type audience []string

// UnmarshalJSON takes both.
func (a *audience) UnmarshalJSON(content []byte) error {
	var one string
	if json.Unmarshal(content, &one) == nil {
		*a = audience{one}
		return nil
	}
	return json.Unmarshal(content, (*[]string)(a))
}

// CheckToken looks whether a token is as Entra wants it: of the gate's issuer to the last character, for one audience and the
// service account, signed by RS256, valid for no longer than 24 hours. The error is a *ClosedError that names what differs, and
// holds nothing of the token's own.
func CheckToken(token string, gate model.Gate, of model.Token) error {
	var header struct {
		Algorithm string `json:"alg"`
	}
	var c claims
	parts := strings.Split(token, ".")
	if len(parts) != 3 || decode(parts[0], &header) != nil || decode(parts[1], &c) != nil {
		return &ClosedError{Lacking: []string{"the token of the API server is no signed JSON web token"}}
	}
	subject := "system:serviceaccount:" + of.Namespace + ":" + of.Account
	var lacking []string
	differs := func(wrong bool, format string, args ...any) {
		if wrong {
			lacking = append(lacking, fmt.Sprintf(format, args...))
		}
	}
	differs(header.Algorithm != "RS256", "the token is signed by %q; Entra takes RS256 alone: the API server's "+
		"service-account-signing-key-file has to be an RSA key", header.Algorithm)
	differs(c.Issuer != gate.Issuer, "the token's issuer is %q, and Entra is told %q: they have to be the same to the last "+
		"character; set service-account-issuer of the API server", c.Issuer, gate.Issuer)
	differs(len(c.Audience) != 1 || c.Audience[0] != of.Audience, "the token is for %q instead of %q alone", []string(c.Audience),
		of.Audience)
	differs(c.Subject != subject, "the token is of %q instead of %q", c.Subject, subject)
	lifetime := time.Duration(c.Expires-c.Issued) * time.Second
	differs(lifetime > longestToken, "the token is valid for %s; Entra takes 24 hours at most: set "+
		"service-account-max-token-expiration=24h of the API server", lifetime)
	differs(c.Expires <= c.Issued, "the token does not say how long it is valid")
	if len(lacking) > 0 {
		return &ClosedError{Lacking: lacking}
	}
	return nil
}

// decode reads a part of a token.
func decode(part string, into any) error {
	content, err := base64.RawURLEncoding.DecodeString(part)
	if err != nil {
		return err
	}
	return json.Unmarshal(content, into)
}
