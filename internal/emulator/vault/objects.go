package vault

import (
	"errors"
	"net/http"
	"time"

	"secretstore/internal/emulator/state"
)

// get gives an object's version, a secret with its value.
func (s *Service) get(r *request) (answer, *refusal) {
	item, err := s.vault.Get(r.kind, r.name, r.version)
	switch {
	case err != nil:
		return answer{}, explain(err, r.kind, r.name, r.version)
	case r.kind == state.Secrets && !item.Enabled:
		return answer{}, forbidden("SecretDisabled", "Operation get is not allowed on a disabled secret.")
	}
	view := s.bundle(r.kind, item)
	if r.kind == state.Secrets {
		view.Value = &item.Value
	}
	return ok(view)
}

func (s *Service) list(r *request) (answer, *refusal) {
	return s.page(r, s.vault.List(r.kind), false)
}

func (s *Service) listDeleted(r *request) (answer, *refusal) {
	return s.page(r, s.vault.ListDeleted(r.kind), false)
}

func (s *Service) versions(r *request) (answer, *refusal) {
	items, err := s.vault.Versions(r.kind, r.name)
	if err != nil && !errors.Is(err, state.ErrNotFound) {
		return answer{}, explain(err, r.kind, r.name, "")
	}
	return s.page(r, items, true) // of an object that is not there, an empty list
}

func (s *Service) getDeleted(r *request) (answer, *refusal) {
	item, err := s.vault.GetDeleted(r.kind, r.name)
	if err != nil {
		return answer{}, deletedNotFound(r.kind, r.name)
	}
	return ok(s.bundle(r.kind, item))
}

func (s *Service) delete(r *request) (answer, *refusal) {
	item, err := s.vault.Delete(r.kind, r.name)
	if err != nil {
		return answer{}, explain(err, r.kind, r.name, "")
	}
	return ok(s.bundle(r.kind, item))
}

func (s *Service) recover(r *request) (answer, *refusal) {
	item, err := s.vault.Recover(r.kind, r.name)
	switch {
	case errors.Is(err, state.ErrNotFound):
		return answer{}, deletedNotFound(r.kind, r.name)
	case err != nil:
		return answer{}, explain(err, r.kind, r.name, "")
	}
	return ok(s.bundle(r.kind, item))
}

func (s *Service) purge(r *request) (answer, *refusal) {
	switch err := s.vault.Purge(r.kind, r.name); {
	case errors.Is(err, state.ErrNotFound):
		return answer{}, deletedNotFound(r.kind, r.name)
	case err != nil:
		return answer{}, explain(err, r.kind, r.name, "")
	}
	return answer{status: http.StatusNoContent}, nil
}

// settings is what callers may say about a version of any kind.
type settings struct {
	Attributes struct {
		Enabled   *bool  `json:"enabled"`
		NotBefore *int64 `json:"nbf"`
		Expires   *int64 `json:"exp"`
	} `json:"attributes"`
	Tags        map[string]string `json:"tags"`
	ContentType *string           `json:"contentType"`
}

// apply changes what the settings name and leaves the rest.
func (g settings) apply(v *state.Version) {
	if g.Attributes.Enabled != nil {
		v.Enabled = *g.Attributes.Enabled
	}
	if g.Attributes.NotBefore != nil {
		v.NotBefore = time.Unix(*g.Attributes.NotBefore, 0).UTC()
	}
	if g.Attributes.Expires != nil {
		v.Expires = time.Unix(*g.Attributes.Expires, 0).UTC()
	}
	if g.Tags != nil {
		v.Tags = g.Tags
	}
	if g.ContentType != nil {
		v.ContentType = *g.ContentType
	}
}

// update changes a version's attributes, never its value.
func (s *Service) update(r *request) (answer, *refusal) {
	var given settings
	if refused := r.decode(&given); refused != nil {
		return answer{}, refused
	}
	if r.kind != state.Secrets {
		given.ContentType = nil
	}
	item, err := s.vault.Update(r.kind, r.name, r.version, given.apply)
	if err != nil {
		return answer{}, explain(err, r.kind, r.name, r.version)
	}
	return ok(s.bundle(r.kind, item))
}

// setSecret adds a version to a secret, or makes it.
func (s *Service) setSecret(r *request) (answer, *refusal) {
	var given struct {
		settings

		Value *string `json:"value"`
	}
	if refused := r.decode(&given); refused != nil {
		return answer{}, refused
	}
	switch {
	case given.Value == nil: // no capture
		return answer{}, badParameter("Property value is required.")
	case len(*given.Value) > state.MaxValueBytes: // captured without the name of the property: azure-sdk-for-node#2198
		return answer{}, badParameter("Property  has invalid value\r\n")
	}
	version := state.Version{Enabled: true, Value: *given.Value}
	given.apply(&version)
	item, err := s.vault.Put(r.kind, r.name, version)
	if err != nil {
		return answer{}, explain(err, r.kind, r.name, "")
	}
	view := s.bundle(r.kind, item)
	view.Value = given.Value
	return ok(view)
}
