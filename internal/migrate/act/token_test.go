package act_test

import (
	"errors"
	"strings"
	"testing"

	"secretstore/internal/migrate/act"
	"secretstore/internal/migrate/model"
)

// TestCheckToken: each claim that Entra compares, and no word of the token itself in an error.
func TestCheckToken(t *testing.T) {
	t.Parallel()
	const rs256 = `{"alg":"RS256","kid":"canary"}`
	for name, c := range map[string]struct {
		header, payload, lacking string
	}{
		"good":              {rs256, `{"iss":"https://issuer.example/","aud":["aud"],"sub":"system:serviceaccount:shop:sa","iat":100,"exp":86500}`, ""},
		"one audience":      {rs256, `{"iss":"https://issuer.example/","aud":"aud","sub":"system:serviceaccount:shop:sa","iat":100,"exp":700}`, ""},
		"no slash":          {rs256, `{"iss":"https://issuer.example","aud":"aud","sub":"system:serviceaccount:shop:sa","iat":1,"exp":2}`, "to the last character"},
		"another audience":  {rs256, `{"iss":"https://issuer.example/","aud":["api"],"sub":"system:serviceaccount:shop:sa","iat":1,"exp":2}`, `"aud" alone`},
		"two audiences":     {rs256, `{"iss":"https://issuer.example/","aud":["aud","api"],"sub":"system:serviceaccount:shop:sa","iat":1,"exp":2}`, `"aud" alone`},
		"another subject":   {rs256, `{"iss":"https://issuer.example/","aud":["aud"],"sub":"system:serviceaccount:shop:other","iat":1,"exp":2}`, `"system:serviceaccount:shop:sa"`},
		"another algorithm": {`{"alg":"ES256"}`, `{"iss":"https://issuer.example/","aud":["aud"],"sub":"system:serviceaccount:shop:sa","iat":1,"exp":2}`, "RS256"},
		"too long":          {rs256, `{"iss":"https://issuer.example/","aud":["aud"],"sub":"system:serviceaccount:shop:sa","iat":0,"exp":86401}`, "24h"},
		"no times":          {rs256, `{"iss":"https://issuer.example/","aud":["aud"],"sub":"system:serviceaccount:shop:sa"}`, "how long"},
		"no claims":         {rs256, `canary`, "no signed"},
		"no header":         {`canary`, `{}`, "no signed"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := act.CheckToken(token(c.header, c.payload), model.Gate{Issuer: issuer}, model.Token{Namespace: "shop", Account: "sa", Audience: "aud"})
			closed := (*act.ClosedError)(nil)
			switch {
			case c.lacking == "" && err == nil:
			case c.lacking == "" || !errors.As(err, &closed) || closed.Wait || len(closed.Lacking) != 1:
				t.Error(err)
			case !strings.Contains(err.Error(), c.lacking) || strings.Contains(err.Error(), "canary"):
				t.Error(err)
			}
		})
	}
	for _, broken := range []string{"", "a.b", "canary.canary.canary"} {
		if err := act.CheckToken(broken, model.Gate{}, model.Token{}); err == nil || strings.Contains(err.Error(), "canary") {
			t.Errorf("%q: %v", broken, err)
		}
	}
}

// TestGatesOfTokens: one is looked at here, the other by Entra, with a token that is minted anew for each look.
func TestGatesOfTokens(t *testing.T) {
	t.Parallel()
	s := newShop()
	check := gate(model.GateToken)
	check.Token, check.Gate.Issuer = &model.Token{Namespace: "shop", Account: "sa", Audience: "aud"}, "${ISSUER}"
	exchange := gate(model.GateExchange)
	exchange.ID, exchange.Token = "exchange", check.Token
	s.runner.Options.Variables["ISSUER"] = issuer
	if summary, err := s.run(t, check, exchange); err != nil || summary.Passed != 2 {
		t.Errorf("%+v, %v", summary, err)
	}
	s.runner.Options.Variables["ISSUER"] = "https://other.example"
	if _, err := s.run(t, check); !errors.Is(err, act.ErrStopped) || !strings.Contains(err.Error(), "https://other.example") {
		t.Error(err)
	}
	s.azure.propagating = 3
	minted := s.world.minted
	if _, err := s.run(t, exchange); err != nil || s.world.minted-minted != 4 {
		t.Errorf("%d tokens, %v", s.world.minted-minted, err)
	}
	s.runner.Azure = nil
	if _, err := s.run(t, exchange); !errors.Is(err, act.ErrStopped) {
		t.Error(err)
	}
	exchange.ByHand = model.LeftToOthers
	if summary, err := s.run(t, exchange); err != nil || len(summary.Left) != 1 {
		t.Errorf("%+v, %v", summary, err)
	}
}
