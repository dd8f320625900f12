package arm

import (
	"context"
	"net/http"
	"strings"
)

// roleGraph permits to change applications and their principals.
const roleGraph = "Cloud Application Administrator (of Entra)"

// Principal is a service principal of the tenant.
type Principal struct {
	// ObjectID is what roles are given to; AppID the client ID.
	ObjectID string `json:"id"`
	AppID    string `json:"appId"`
	Name     string `json:"displayName"`
	// Enabled says that it may sign in.
	Enabled bool `json:"accountEnabled"`
}

func notThere(what, client string) *Error {
	return &Error{
		Doing: "looking for the " + what + " with the client ID " + client, Place: "the login's tenant", Status: http.StatusNotFound,
		Service: "Microsoft Graph", Message: "there is none", Cure: "check the client ID, and that the login is of its tenant",
	}
}

// Principal finds a service principal by its client ID.
func (c *Client) Principal(ctx context.Context, client string) (Principal, error) {
	found, err := list[Principal](ctx, c.graph, call{
		doing: "looking for the service principal with the client ID " + client, role: "Directory Readers (of Entra)",
		path: "/v1.0/servicePrincipals",
	}.at("", "$filter", "appId eq '"+quoted(client)+"'", "$select", "id,appId,displayName,accountEnabled"))
	if err != nil {
		return Principal{}, err
	}
	if len(found) == 0 {
		return Principal{}, notThere("service principal", client)
	}
	return found[0], nil
}

// Enable lets a service principal sign in, or forbids it, and says whether that was otherwise before.
func (c *Client) Enable(ctx context.Context, client string, enabled bool) (bool, error) {
	p, err := c.Principal(ctx, client)
	if err != nil || p.Enabled == enabled {
		return false, err
	}
	verb := "disabling"
	if enabled {
		verb = "enabling"
	}
	_, err = c.graph.send(ctx, call{
		doing: verb + " the service principal " + client, role: roleGraph, method: http.MethodPatch,
		path: "/v1.0/servicePrincipals/" + p.ObjectID, body: map[string]any{"accountEnabled": enabled},
	}, nil)
	return err == nil, err
}

// DeleteApp deletes an app registration by its client ID and returns its object ID, by which it can be restored for 30 days;
// empty where there is none.
func (c *Client) DeleteApp(ctx context.Context, client string) (string, error) {
	if strings.ContainsAny(client, "/'()") {
		return "", notThere("app registration", client)
	}
	var app struct{ ID string }
	_, err := c.graph.send(ctx, call{
		doing: "looking for the app registration " + client, role: "Directory Readers (of Entra)", method: http.MethodGet,
		path: "/v1.0/applications(appId='" + client + "')",
	}.at("", "$select", "id"), &app)
	if IsNotFound(err) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	_, err = c.graph.remove(ctx, call{
		doing: "deleting the app registration " + client, role: roleGraph, method: http.MethodDelete,
		path: "/v1.0/applications/" + app.ID,
	})
	return app.ID, err
}

// RestoreApp brings a deleted app registration back by its object ID.
func (c *Client) RestoreApp(ctx context.Context, object string) error {
	_, err := c.graph.send(ctx, call{
		doing: "restoring the app registration with the object ID " + object, role: roleGraph, method: http.MethodPost,
		path: "/v1.0/directory/deletedItems/" + strings.Trim(object, "/") + "/restore",
	}, nil)
	return err
}
