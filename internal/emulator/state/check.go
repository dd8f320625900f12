package state

import (
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"time"
)

// oneOf gives the value, or the first of those allowed if it is empty.
func oneOf(field, value string, allowed ...string) (string, error) {
	if value == "" {
		return allowed[0], nil
	}
	if !slices.Contains(allowed, value) {
		return value, fmt.Errorf("%s is %q: it must be one of %s", field, value, strings.Join(allowed, ", "))
	}
	return value, nil
}

// checkCredential completes a federated credential, which is added now.
func checkCredential(c FederatedCredential, now time.Time) (FederatedCredential, error) {
	if len(c.Audiences) == 0 {
		c.Audiences = []string{"api://AzureADTokenExchange"}
	}
	c.effective = now.Add(time.Duration(c.PropagationSeconds) * time.Second)
	switch {
	// learn.microsoft.com, azure/templates/microsoft.managedidentity/userassignedidentities/federatedidentitycredentials
	case !regexp.MustCompile(`^[a-zA-Z0-9][a-zA-Z0-9-_]{2,119}$`).MatchString(c.Name):
		return c, fmt.Errorf("federated credential %q: a name has 3 to 120 letters, digits, - and _, and begins "+
			"with a letter or digit", c.Name)
	case c.Issuer == "" || c.Subject == "":
		return c, fmt.Errorf("federated credential %q: it needs an issuer and a subject", c.Name)
	case c.PropagationSeconds < 0:
		return c, fmt.Errorf("federated credential %q: propagationSeconds must not be negative", c.Name)
	}
	return c, nil
}

// checkAssignment completes a role assignment on a vault or an object in it.
func (s *State) checkAssignment(v *Vault, a RoleAssignment) (Assignment, error) {
	kind, name, _ := strings.Cut(a.Scope, "/")
	if a.Scope != "" && (!slices.Contains(places(Certificates), Kind(kind)) || !ValidName(name)) {
		return Assignment{}, fmt.Errorf("scope is %q: it must be secrets/NAME, keys/NAME, certificates/NAME or empty", a.Scope)
	}
	a.Scope = strings.TrimSuffix(v.ResourceID()+"/"+a.Scope, "/")
	return s.complete(a)
}

// complete finds the principal and the role that a role assignment on a whole scope means, and gives it a name.
func (s *State) complete(a RoleAssignment) (Assignment, error) {
	principal, errPrincipal := s.principal(a.PrincipalID, a.ClientID)
	given, errRole := FindRole(a.Role)
	name, errName := s.newGUID()
	return Assignment{
		Name: name, Scope: a.Scope, PrincipalID: principal, PrincipalType: PrincipalServicePrincipal, Role: given, Created: s.now(),
	}, errors.Join(errPrincipal, errRole, errName)
}

// newGUID draws a random GUID.
func (s *State) newGUID() (string, error) {
	id := make([]byte, 16)
	if _, err := io.ReadFull(s.random, id); err != nil {
		return "", fmt.Errorf("drawing an ID: %w", err)
	}
	return fmt.Sprintf("%x-%x-%x-%x-%x", id[:4], id[4:6], id[6:8], id[8:10], id[10:]), nil
}

// principal gives the object ID that was given, or the one of the application with the client ID.
func (s *State) principal(objectID, clientID string) (string, error) {
	switch app := s.application(func(a *Application) bool { return strings.EqualFold(a.ClientID, clientID) }); {
	case (objectID == "") == (clientID == ""):
		return "", errors.New("either an object ID or a clientID must tell whom it is for")
	case objectID != "":
		return objectID, nil
	case app == nil:
		return "", fmt.Errorf("clientID is %q: no application has it", clientID)
	default:
		return app.ObjectID, nil
	}
}

func checkNetwork(n Network) error {
	_, errAccess := oneOf("publicNetworkAccess", n.PublicNetworkAccess, "Enabled", "Disabled")
	_, errFirewall := oneOf("firewall", n.Firewall, "Allow", "Deny")
	return errors.Join(errAccess, errFirewall)
}

// checkVersions completes the versions of a seeded object: the only one, given in place, or the list.
func checkVersions[T any](name string, inPlace T, listed []T, seeds func(*T) *VersionSeed) ([]T, error) {
	if !ValidName(name) {
		return nil, fmt.Errorf("name is %q: it must be 1 to 127 letters, digits and hyphens", name)
	}
	if len(listed) == 0 {
		listed = []T{inPlace}
	}
	var before time.Time
	var now bool // a version without a time is made when the emulator starts, after all that have one
	for i := range listed {
		seed := seeds(&listed[i])
		if seed.Version != "" && !regexp.MustCompile(`^[0-9a-f]{32}$`).MatchString(seed.Version) {
			return nil, fmt.Errorf("version is %q: it must be 32 hexadecimal digits in lower case", seed.Version)
		}
		if seed.Created.IsZero() {
			now = true
			continue
		}
		if now || seed.Created.Before(before) {
			return nil, errors.New("versions must be listed by their time of creation, the oldest first")
		}
		before = seed.Created
	}
	return listed, nil
}

// version makes what versions of all kinds have.
func (s VersionSeed) version() Version {
	return Version{
		ID: s.Version, Enabled: s.Enabled == nil || *s.Enabled, Tags: s.Tags,
		Created: whole(s.Created), Updated: whole(orTime(s.Updated, s.Created)),
		NotBefore: whole(s.NotBefore), Expires: whole(s.Expires),
	}
}

func whole(t time.Time) time.Time {
	if t.IsZero() {
		return t
	}
	return t.UTC().Truncate(time.Second)
}

func orTime(t, otherwise time.Time) time.Time {
	if t.IsZero() {
		return otherwise
	}
	return t
}
