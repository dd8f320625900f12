package arm

import (
	"context"
	"errors"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"secretstore/internal/emulator/state"
)

type credentialView struct {
	ID         string               `json:"id"`
	Name       string               `json:"name"`
	Type       string               `json:"type"`
	Properties credentialProperties `json:"properties"`
}

type credentialProperties struct {
	Issuer    string   `json:"issuer"`
	Subject   string   `json:"subject"`
	Audiences []string `json:"audiences"`
}

func viewCredential(identity state.Application, c state.FederatedCredential) credentialView {
	return credentialView{
		ID: identity.IdentityID() + "/federatedIdentityCredentials/" + c.Name, Name: c.Name,
		Type:       kindIdentities + "/federatedIdentityCredentials",
		Properties: credentialProperties{Issuer: c.Issuer, Subject: c.Subject, Audiences: c.Audiences},
	}
}

// parentIdentity finds the identity whose credentials are asked for.
func (s *Service) parentIdentity(r *request) (state.Application, *refusal) {
	identity, found := s.state.Identity(r.subscription, r.group, r.names[0])
	if !found {
		return identity, parentNotFound(r.names[0])
	}
	return identity, nil
}

func (s *Service) listCredentials(r *request) (answer, *refusal) {
	identity, refused := s.parentIdentity(r)
	if refused != nil {
		return answer{}, refused
	}
	var items []item
	for _, c := range identity.LiveCredentials() {
		view := viewCredential(identity, c)
		items = append(items, item{view.ID, view})
	}
	return s.page(r, items)
}

func (s *Service) getCredential(r *request) (answer, *refusal) {
	identity, refused := s.parentIdentity(r)
	if refused != nil {
		return answer{}, refused
	}
	c, found := credentialOf(identity, r.name())
	if !found { // no capture
		return answer{}, notFound("Federated Identity Credential '%s' under the Resource '%s' was not found.",
			r.name(), identity.IdentityID())
	}
	return ok(viewCredential(identity, c))
}

func credentialOf(identity state.Application, name string) (state.FederatedCredential, bool) {
	list := identity.LiveCredentials()
	i := slices.IndexFunc(list, func(c state.FederatedCredential) bool { return strings.EqualFold(c.Name, name) })
	if i < 0 {
		return state.FederatedCredential{}, false
	}
	return list[i], true
}

func (s *Service) putCredential(r *request) (answer, *refusal) {
	var body struct {
		Properties credentialProperties `json:"properties"`
	}
	if refused := r.decode(&body); refused != nil {
		return answer{}, refused
	}
	given := body.Properties
	if refused := checkCredential(r.name(), given); refused != nil {
		return answer{}, refused
	}
	identity, done, refused := s.write(r)
	if refused != nil {
		return answer{}, refused
	}
	defer done()
	credential := state.FederatedCredential{Name: r.name(), Issuer: given.Issuer, Subject: given.Subject, Audiences: given.Audiences}
	created, err := s.state.PutFederatedCredential(identity.ClientID, credential)
	switch {
	case errors.Is(err, state.ErrExists):
		return answer{}, badRequest("BadRequest", "Issuer and subject combination already exists for this Managed Identity.")
	case errors.Is(err, state.ErrTooMany): // the limit is documented; no capture
		return answer{}, badRequest("BadRequest", "The number of Federated Identity Credentials exceeds the limit of %d for the "+
			"managed identity '%s'.", state.MaxFederatedCredentials, identity.IdentityID())
	case err != nil: // the identity was deleted meanwhile
		return answer{}, parentNotFound(identity.Name)
	}
	return made(created, viewCredential(identity, credential))
}

// checkCredential refuses what the documentation says is refused (learn.microsoft.com,
// workload-identity-federation-considerations, errors); its codes are not captured.
func checkCredential(name string, given credentialProperties) *refusal {
	switch {
	case !regexp.MustCompile(`^[a-zA-Z0-9][a-zA-Z0-9-_]{2,119}$`).MatchString(name):
		return badRequest("BadRequest", "Federated Identity Credential name '%s' is invalid.", name)
	case given.Issuer == "" || given.Subject == "":
		return badRequest("BadRequest", "Federated Identity Credential from HTTP body has empty properties")
	case len(given.Audiences) != 1:
		return badRequest("BadRequest", "Federated identity credentials must have exactly one audience.")
	}
	return nil
}

func (s *Service) deleteCredential(r *request) (answer, *refusal) {
	identity, refused := s.parentIdentity(r)
	if refused != nil {
		return answer{}, refused
	}
	if _, found := credentialOf(identity, r.name()); !found {
		return answer{status: http.StatusNoContent}, nil
	}
	identity, done, refused := s.write(r)
	if refused != nil {
		return answer{}, refused
	}
	defer done()
	if err := s.state.DeleteFederatedCredential(identity.ClientID, r.name()); err != nil { // another request was faster
		return answer{status: http.StatusNoContent}, nil
	}
	return answer{status: http.StatusOK}, nil
}

// write begins to write a federated credential of an identity, which takes as long as the settings say, and refuses to while
// another is being written. What it gives ends the writing.
func (s *Service) write(r *request) (state.Application, func(), *refusal) {
	identity, refused := s.parentIdentity(r)
	if refused != nil {
		return identity, nil, refused
	}
	if !s.begin(identity.ClientID) {
		return identity, nil, conflict("ConcurrentFederatedIdentityCredentialsWritesForSingleManagedIdentity", "Too many Federated "+
			"Identity Credentials are written concurrently for the managed identity '%s'. Concurrent Federated Identity Credentials "+
			"writes under the same managed identity are not supported.", strings.ToLower(identity.IdentityID()))
	}
	s.wait(r.Context(), time.Duration(s.state.ManagementSettings().CredentialWriteMilliseconds)*time.Millisecond)
	return identity, func() { s.end(identity.ClientID) }, nil
}

func (s *Service) begin(clientID string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	busy := s.writing[clientID]
	s.writing[clientID] = true
	return !busy
}

func (s *Service) end(clientID string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.writing, clientID)
}

// wait lets time pass; a client that leaves cuts it short, and what it asked for is done all the same.
func (s *Service) wait(ctx context.Context, d time.Duration) {
	if d == 0 {
		return
	}
	timer := s.clock.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C():
	case <-ctx.Done():
	}
}
