package vault

import (
	"crypto/rand"
	"encoding/json"

	"github.com/go-jose/go-jose/v4"

	"secretstore/internal/emulator/state"
)

// createKey makes a key, or a new version of it.
func (s *Service) createKey(r *request) (answer, *refusal) {
	var given struct {
		settings

		Type  string `json:"kty"`
		Size  int    `json:"key_size"`
		Curve string `json:"crv"`
	}
	if refused := r.decode(&given); refused != nil {
		return answer{}, refused
	}
	key, err := state.GenerateKey(rand.Reader, given.Type, given.Size, given.Curve)
	if err != nil {
		return answer{}, badParameter("%v", err) // no capture
	}
	return s.putKey(r, key, given.settings)
}

// importKey takes a key from outside, of which the emulator keeps the public half.
func (s *Service) importKey(r *request) (answer, *refusal) {
	var given struct {
		settings

		HSM bool            `json:"Hsm"`
		Key json.RawMessage `json:"key"`
	}
	if refused := r.decode(&given); refused != nil {
		return answer{}, refused
	}
	var key jose.JSONWebKey
	if err := key.UnmarshalJSON(given.Key); err != nil || !key.Valid() { // no capture
		return answer{}, badParameter("The key is not a valid JSON web key of type RSA or EC.")
	}
	return s.putKey(r, state.PublicKey(key.Public().Key, given.HSM), given.settings)
}

func (s *Service) putKey(r *request, key state.Key, given settings) (answer, *refusal) {
	version := state.Version{Enabled: true, Key: key}
	given.apply(&version)
	version.ContentType = ""
	item, err := s.vault.Put(state.Keys, r.name, version)
	if err != nil {
		return answer{}, explain(err, state.Keys, r.name, "")
	}
	return ok(s.bundle(state.Keys, item))
}
