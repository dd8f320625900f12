package arm

import (
	"net/http"

	"secretstore/internal/emulator/state"
)

const kindIdentities = "Microsoft.ManagedIdentity/userAssignedIdentities"

type identityView struct {
	resourceView

	Properties identityProperties `json:"properties"`
}

type identityProperties struct {
	TenantID    string `json:"tenantId"`
	PrincipalID string `json:"principalId"`
	ClientID    string `json:"clientId"`
}

func viewIdentity(a state.Application) identityView {
	return identityView{
		resourceView: resourceView{ID: a.IdentityID(), Name: a.Name, Type: kindIdentities, Location: a.Location, Tags: tags(a.Tags)},
		Properties:   identityProperties{TenantID: a.TenantID, PrincipalID: a.ObjectID, ClientID: a.ClientID},
	}
}

// tags are an object even if there are none.
func tags(given map[string]string) map[string]string {
	if given == nil {
		return map[string]string{}
	}
	return given
}

func (s *Service) getIdentity(r *request) (answer, *refusal) {
	identity, found := s.state.Identity(r.subscription, r.group, r.name())
	if !found {
		return answer{}, resourceNotFound(r.target)
	}
	return ok(viewIdentity(identity))
}

func (s *Service) listIdentities(r *request) (answer, *refusal) {
	var items []item
	for _, identity := range s.state.Identities() {
		if state.Covers(r.scope, identity.IdentityID()) {
			items = append(items, item{identity.IdentityID(), viewIdentity(identity)})
		}
	}
	return s.page(r, items)
}

func (s *Service) putIdentity(r *request) (answer, *refusal) {
	var body struct {
		Location string            `json:"location"`
		Tags     map[string]string `json:"tags"`
	}
	if refused := r.decode(&body); refused != nil {
		return answer{}, refused
	}
	if body.Location == "" {
		return answer{}, badRequest("LocationRequired", "The location property is required for this definition.")
	}
	group, _ := s.group(r.subscription, r.group)
	identity, created, err := s.state.PutIdentity(state.Application{
		TenantID: s.tenantOf(r.target), SubscriptionID: group.SubscriptionID, ResourceGroup: group.Name, Name: r.name(),
		Location: body.Location, Tags: body.Tags,
	})
	if err != nil {
		return answer{}, conflict("InvalidResourceLocation", "The resource '%s' already exists in location '%s' in resource group "+
			"'%s'. A resource with the same name cannot be created in location '%s'. Please select a new resource name.",
			identity.Name, identity.Location, identity.ResourceGroup, body.Location)
	}
	return made(created, viewIdentity(identity))
}

func (s *Service) deleteIdentity(r *request) (answer, *refusal) {
	if _, found := s.state.Identity(r.subscription, r.group, r.name()); !found {
		return answer{status: http.StatusNoContent}, nil
	}
	s.state.DeleteIdentity(r.subscription, r.group, r.name())
	return answer{status: http.StatusOK}, nil
}
