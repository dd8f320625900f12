package arm

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// Version of the API of managed identities.
const identities = "2023-01-31"

// roleIdentity permits what is done with managed identities.
const roleIdentity = "Managed Identity Contributor"

// Group is a resource group of a subscription.
type Group struct{ Subscription, Name string }

// ID is the ARM ID of something in the group: `Microsoft.X/types`, a name, and so on.
func (g Group) ID(rest ...string) string {
	id := "/subscriptions/" + g.Subscription + "/resourceGroups/" + g.Name
	if len(rest) > 0 {
		id += "/providers/" + strings.Join(rest, "/")
	}
	return id
}

// Identity is a user-assigned managed identity.
type Identity struct {
	ID, Name, Location string
	// ClientID is what tokens are asked for by; PrincipalID is what roles are given to.
	ClientID, PrincipalID, TenantID string
}

// ResourceGroup is that of the identity.
func (i Identity) ResourceGroup() string {
	words := strings.Split(i.ID, "/")
	at := slices.IndexFunc(words, func(w string) bool { return strings.EqualFold(w, "resourceGroups") })
	if at < 0 || at+1 == len(words) {
		return ""
	}
	return words[at+1]
}

type wireIdentity struct {
	ID         string `json:"id"`
	Name       string `json:"name"`
	Location   string `json:"location"`
	Properties struct {
		ClientID    string `json:"clientId"`
		PrincipalID string `json:"principalId"`
		TenantID    string `json:"tenantId"`
	} `json:"properties"`
}

func (w wireIdentity) identity() Identity {
	return Identity{w.ID, w.Name, w.Location, w.Properties.ClientID, w.Properties.PrincipalID, w.Properties.TenantID}
}

func identityCall(method, verb string, g Group, name string) call {
	return call{
		doing: verb + " the managed identity " + name, role: roleIdentity, method: method,
		path: g.ID("Microsoft.ManagedIdentity/userAssignedIdentities", name),
	}.at(identities)
}

// Identity reads a managed identity.
func (c *Client) Identity(ctx context.Context, g Group, name string) (Identity, error) {
	var w wireIdentity
	_, err := c.resources.send(ctx, identityCall(http.MethodGet, "reading", g, name), &w)
	return w.identity(), err
}

// MakeIdentity makes a managed identity where there is none of the name, and says whether it did. Where one is, its region does
// not matter.
func (c *Client) MakeIdentity(ctx context.Context, g Group, name, location string) (Identity, bool, error) {
	there, err := c.Identity(ctx, g, name)
	if !IsNotFound(err) || hasCode(err, "ResourceGroupNotFound", "SubscriptionNotFound") {
		return there, false, err
	}
	request := identityCall(http.MethodPut, "making", g, name)
	request.body = map[string]any{"location": location}
	var w wireIdentity
	_, err = c.resources.send(ctx, request, &w)
	return w.identity(), err == nil, err
}

// DeleteIdentity deletes a managed identity with its federated credentials, and says whether there was one.
func (c *Client) DeleteIdentity(ctx context.Context, g Group, name string) (bool, error) {
	return c.resources.remove(ctx, identityCall(http.MethodDelete, "deleting", g, name))
}

// IdentityByClient looks an identity of a subscription up by its client ID, and says whether there is one.
func (c *Client) IdentityByClient(ctx context.Context, subscription, client string) (Identity, bool, error) {
	all, err := list[wireIdentity](ctx, c.resources, call{
		doing: "looking for the managed identity with the client ID " + client, role: "Reader",
		path: "/subscriptions/" + subscription + "/providers/Microsoft.ManagedIdentity/userAssignedIdentities",
	}.at(identities))
	at := slices.IndexFunc(all, func(w wireIdentity) bool { return strings.EqualFold(w.Properties.ClientID, client) })
	if err != nil || at < 0 {
		return Identity{}, false, err
	}
	return all[at].identity(), true, nil
}

// FederatedCredential is a kind of token that an identity trusts.
type FederatedCredential struct {
	Name string
	// Issuer, Subject and Audiences are compared by Entra letter by letter.
	Issuer, Subject string
	Audiences       []string
}

// MaxFederatedCredentials is how many Azure allows on one identity.
const MaxFederatedCredentials = 20

type wireCredential struct {
	Name       string `json:"name,omitempty"`
	Properties struct {
		Issuer    string   `json:"issuer"`
		Subject   string   `json:"subject"`
		Audiences []string `json:"audiences"`
	} `json:"properties"`
}

func credentialCall(method, verb string, g Group, identity, name string) call {
	return call{
		doing: verb + " the federated credential " + name + " of the managed identity " + identity, role: roleIdentity, method: method,
		path: g.ID("Microsoft.ManagedIdentity/userAssignedIdentities", identity, "federatedIdentityCredentials", name),
	}.at(identities)
}

// FederatedCredentials lists those of an identity.
func (c *Client) FederatedCredentials(ctx context.Context, g Group, identity string) ([]FederatedCredential, error) {
	all, err := list[wireCredential](ctx, c.resources, call{
		doing: "listing the federated credentials of the managed identity " + identity, role: roleIdentity,
		path: g.ID("Microsoft.ManagedIdentity/userAssignedIdentities", identity, "federatedIdentityCredentials"),
	}.at(identities))
	var found []FederatedCredential
	for _, w := range all {
		found = append(found, FederatedCredential{w.Name, w.Properties.Issuer, w.Properties.Subject, w.Properties.Audiences})
	}
	return found, err
}

// FederatedCredential reads one of an identity.
func (c *Client) FederatedCredential(ctx context.Context, g Group, identity, name string) (FederatedCredential, error) {
	var w wireCredential
	_, err := c.resources.send(ctx, credentialCall(http.MethodGet, "reading", g, identity, name), &w)
	return FederatedCredential{w.Name, w.Properties.Issuer, w.Properties.Subject, w.Properties.Audiences}, err
}

// MakeFederatedCredential has an identity trust tokens, unless it does already, under whichever name, and says whether it did
// anything. Of one identity credentials are written one at a time; while somebody else writes one, Azure answers 409, and it is
// tried again.
func (c *Client) MakeFederatedCredential(ctx context.Context, g Group, identity string, f FederatedCredential) (bool, error) {
	there, err := c.FederatedCredentials(ctx, g, identity)
	if err != nil {
		return false, err
	}
	request := credentialCall(http.MethodPut, "making", g, identity, f.Name)
	if done, err := f.among(there, request.path); done || err != nil {
		return false, err
	}
	if len(there) >= MaxFederatedCredentials {
		return false, &Error{
			Doing: request.doing, Place: request.path, Message: fmt.Sprintf("it has %d, and Azure allows no more", len(there)),
			Cure: "delete those that nobody needs, or use another identity",
		}
	}
	var w wireCredential
	w.Properties.Issuer, w.Properties.Subject, w.Properties.Audiences = f.Issuer, f.Subject, f.Audiences
	request.body = w
	return c.write(ctx, request)
}

// among tells whether one of several credentials is as wanted; one of the name that is not is an error.
func (f FederatedCredential) among(there []FederatedCredential, path string) (bool, error) {
	same := func(o FederatedCredential) bool {
		return o.Issuer == f.Issuer && o.Subject == f.Subject && slices.Equal(o.Audiences, f.Audiences)
	}
	if slices.ContainsFunc(there, same) {
		return true, nil
	}
	at := slices.IndexFunc(there, func(o FederatedCredential) bool { return strings.EqualFold(o.Name, f.Name) })
	if at < 0 {
		return false, nil
	}
	o := there[at]
	return false, &DiffersError{
		What: "the federated credential " + f.Name, Place: path,
		How: fmt.Sprintf("issuer %q instead of %q, subject %q instead of %q, audiences %q instead of %q", o.Issuer, f.Issuer,
			o.Subject, f.Subject, o.Audiences, f.Audiences),
		Cure: "if nothing else uses it, delete it and run again",
	}
}

// DeleteFederatedCredential ends a trust, and says whether there was one.
func (c *Client) DeleteFederatedCredential(ctx context.Context, g Group, identity, name string) (bool, error) {
	return c.write(ctx, credentialCall(http.MethodDelete, "deleting", g, identity, name))
}

// write sends what Azure refuses while another write to the same identity is under way.
func (c *Client) write(ctx context.Context, request call) (did bool, err error) {
	busy := func(err error) bool {
		return status(err) == http.StatusConflict && !hasCode(err, "ScopeLocked", "MissingSubscriptionRegistration") // which stay
	}
	err = c.repeat(ctx, busy, func() error {
		if request.method == http.MethodDelete {
			did, err = c.resources.remove(ctx, request)
			return err
		}
		_, err := c.resources.send(ctx, request, nil)
		did = err == nil
		return err
	})
	return did, err
}

// remove deletes, and says whether there was anything.
func (s *service) remove(ctx context.Context, request call) (bool, error) {
	code, err := s.send(ctx, request, nil)
	if IsNotFound(err) {
		return false, nil
	}
	return err == nil && code != http.StatusNoContent, err
}
