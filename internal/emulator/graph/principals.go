package graph

import (
	"fmt"
	"net/http"
	"regexp"

	"secretstore/internal/emulator/state"
)

// context is the beginning of what Graph calls the shape of an answer.
const context = "https://graph.microsoft.com/v1.0/$metadata#"

type principalView struct {
	Context        string `json:"@odata.context,omitempty"`
	ID             string `json:"id"`
	AppID          string `json:"appId"`
	DisplayName    string `json:"displayName"`
	AccountEnabled bool   `json:"accountEnabled"`
	Type           string `json:"servicePrincipalType"`
}

func viewPrincipal(a state.Application) principalView {
	view := principalView{ID: a.ObjectID, AppID: a.ClientID, DisplayName: a.Name, AccountEnabled: !a.Disabled, Type: "Application"}
	if a.Kind == state.KindManagedIdentity {
		view.Type = "ManagedIdentity"
	}
	return view
}

type applicationView struct {
	Context     string `json:"@odata.context,omitempty"`
	ODataType   string `json:"@odata.type,omitempty"`
	ID          string `json:"id"`
	AppID       string `json:"appId"`
	DisplayName string `json:"displayName"`
}

func viewApplication(a state.Application) applicationView {
	return applicationView{ID: a.RegistrationID, AppID: a.ClientID, DisplayName: a.Name}
}

type listView struct {
	Context string `json:"@odata.context"`
	Value   []any  `json:"value"`
}

func noResource(id string) *refusal {
	return &refusal{http.StatusNotFound, "Request_ResourceNotFound", fmt.Sprintf(
		"Resource '%s' does not exist or one of its queried reference-property objects are not present.", id)}
}

// principal finds a service principal by its client ID or its object ID.
func (s *Service) principal(r *request) (state.Application, *refusal) {
	app, found := s.state.Principal(r.tenantID, r.id)
	if !found {
		return app, noResource(r.id)
	}
	return app, nil
}

func (s *Service) getPrincipal(r *request) (int, any, *refusal) {
	app, refused := s.principal(r)
	if refused != nil {
		return 0, nil, refused
	}
	view := viewPrincipal(app)
	view.Context = context + "servicePrincipals/$entity"
	return http.StatusOK, view, nil
}

// listPrincipals gives the one that a filter names by its client ID. Without a filter there is nothing to ask for here.
func (s *Service) listPrincipals(r *request) (int, any, *refusal) {
	named := regexp.MustCompile(`(?i)^\s*appId\s+eq\s+'([^']+)'\s*$`).FindStringSubmatch(r.URL.Query().Get("$filter"))
	if named == nil {
		return 0, nil, &refusal{http.StatusBadRequest, "Request_UnsupportedQuery", "Unsupported Query."}
	}
	list := listView{Context: context + "servicePrincipals", Value: []any{}}
	if app, found := s.state.Application(r.tenantID, named[1]); found {
		list.Value = append(list.Value, viewPrincipal(app))
	}
	return http.StatusOK, list, nil
}

func (s *Service) updatePrincipal(r *request) (int, any, *refusal) {
	var body struct {
		AccountEnabled *bool `json:"accountEnabled"`
	}
	if refused := r.decode(&body); refused != nil {
		return 0, nil, refused
	}
	app, refused := s.principal(r)
	if refused != nil {
		return 0, nil, refused
	}
	if body.AccountEnabled != nil {
		s.state.SetDisabled(app.ObjectID, !*body.AccountEnabled)
	}
	return http.StatusNoContent, nil, nil
}

// application finds an application's registration by its client ID or its own ID. Managed identities have none.
func (s *Service) application(r *request) (state.Application, *refusal) {
	app, found := s.state.Registration(r.tenantID, r.id)
	if !found {
		return app, noResource(r.id)
	}
	return app, nil
}

func (s *Service) getApplication(r *request) (int, any, *refusal) {
	app, refused := s.application(r)
	if refused != nil {
		return 0, nil, refused
	}
	view := viewApplication(app)
	view.Context = context + "applications/$entity"
	return http.StatusOK, view, nil
}

func (s *Service) deleteApplication(r *request) (int, any, *refusal) {
	app, refused := s.application(r)
	if refused != nil {
		return 0, nil, refused
	}
	s.state.DeleteRegistration(app.RegistrationID)
	return http.StatusNoContent, nil, nil
}

func (s *Service) listDeleted(r *request) (int, any, *refusal) {
	list := listView{Context: context + "applications", Value: []any{}}
	for _, app := range s.state.DeletedRegistrations(r.tenantID) {
		list.Value = append(list.Value, viewApplication(app))
	}
	return http.StatusOK, list, nil
}

func (s *Service) restore(r *request) (int, any, *refusal) {
	app, found := s.state.RestoreRegistration(r.tenantID, r.id)
	if !found {
		return 0, nil, noResource(r.id)
	}
	view := viewApplication(app)
	view.Context, view.ODataType = context+"directoryObjects/$entity", "#microsoft.graph.application"
	return http.StatusOK, view, nil
}
