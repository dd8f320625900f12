package state

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
	"time"
)

// Default lifetimes of access tokens.
const (
	managedIdentityTokenSeconds = 24 * 60 * 60
	applicationTokenSeconds     = 60 * 60
)

// New makes the state that a seed describes. It tells everything that is wrong with the seed at once. Now is the services'
// clock; random gives the versions' and principals' IDs.
func New(seed Seed, now func() time.Time, random io.Reader) (*State, error) {
	s := &State{
		AuthorityHosts: append([]string{"login.microsoftonline.com", "login.windows.net"}, seed.AuthorityHosts...),
		VaultDNSSuffix: cmp.Or(seed.VaultDNSSuffix, "vault.azure.net"),
		now:            now, random: random, vaults: map[string]*Vault{}, assignments: &assignments{now: now},
	}
	b := builder{State: s}
	b.check("", seed.Behaviour.Validate())
	for i, tenant := range seed.Tenants {
		b.check(fmt.Sprintf("tenants[%d]", i), b.addTenant(tenant))
	}
	for i, app := range seed.Applications {
		b.check(fmt.Sprintf("applications[%d]", i), b.addApplication(app))
	}
	for i, vault := range seed.Vaults {
		b.addVault(fmt.Sprintf("vaults[%d]", i), vault)
	}
	b.addManagement(seed.Management)
	if err := errors.Join(b.errs...); err != nil {
		return nil, err
	}
	return s, nil
}

// builder fills a state that nobody else knows yet, so it takes no locks.
type builder struct {
	*State

	errs []error
}

func (b *builder) check(path string, err error) {
	if err != nil && path != "" {
		err = fmt.Errorf("%s: %w", path, err)
	}
	if err != nil {
		b.errs = append(b.errs, err)
	}
}

func (b *builder) addTenant(tenant Tenant) error {
	if tenant.ID == "" {
		return errors.New("it needs an id")
	}
	if _, taken := b.Tenant(tenant.ID); taken {
		return fmt.Errorf("id %s: another tenant has it", tenant.ID)
	}
	b.tenants = append(b.tenants, tenant)
	return nil
}

// tenantID gives the tenant's ID that was given, or that of the only tenant.
func (b *builder) tenantID(given string) (string, error) {
	if given == "" && len(b.tenants) == 1 {
		return b.tenants[0].ID, nil
	}
	tenant, ok := b.Tenant(given)
	if !ok {
		return "", fmt.Errorf("tenantID is %q: no tenant has it", given)
	}
	return tenant.ID, nil
}

func (b *builder) addApplication(app Application) error {
	var err error
	if app.TenantID, err = b.tenantID(app.TenantID); err != nil {
		return err
	}
	if app.Kind, err = oneOf("kind", app.Kind, KindManagedIdentity, KindApplication); err != nil {
		return err
	}
	app.ObjectID = cmp.Or(app.ObjectID, b.guid())
	lifetimes := map[string]int{KindManagedIdentity: managedIdentityTokenSeconds, KindApplication: applicationTokenSeconds}
	app.TokenLifetimeSeconds = cmp.Or(app.TokenLifetimeSeconds, lifetimes[app.Kind])
	if app.Kind == KindApplication {
		app.RegistrationID = cmp.Or(app.RegistrationID, b.guid())
	}
	if err := b.checkApplication(app); err != nil {
		return err
	}
	if app.ResourceGroup != "" {
		if err := b.place(&app); err != nil {
			return err
		}
	}
	credentials := app.FederatedCredentials
	app.FederatedCredentials = nil
	b.applications = append(b.applications, &app)
	for _, credential := range credentials {
		if err := b.SetFederatedCredential(app.ClientID, credential); err != nil {
			return err
		}
	}
	return nil
}

func (b *builder) checkApplication(app Application) error {
	taken := b.application(func(a *Application) bool {
		return strings.EqualFold(a.ClientID, app.ClientID) || strings.EqualFold(a.ObjectID, app.ObjectID)
	})
	switch {
	case app.ClientID == "" || strings.EqualFold(app.ClientID, app.ObjectID):
		return errors.New("it needs a clientID, which is another than its objectID")
	case taken != nil:
		return fmt.Errorf("clientID %s: another application has it, or its objectID", app.ClientID)
	case app.Kind == KindManagedIdentity && len(app.ClientSecrets) > 0:
		return errors.New("a managed identity has no clientSecrets: let its kind be application")
	case app.GraphAccess != "" && app.GraphAccess != GraphRead && app.GraphAccess != GraphWrite:
		return fmt.Errorf("graphAccess is %q: it must be read, write or empty", app.GraphAccess)
	case app.TokenLifetimeSeconds < 0:
		return errors.New("tokenLifetimeSeconds must not be negative")
	}
	return nil
}

// place makes an identity a resource of its group.
func (b *builder) place(app *Application) error {
	app.SubscriptionID, app.Location = cmp.Or(app.SubscriptionID, defaultSubscription), cmp.Or(app.Location, defaultLocation)
	switch {
	case app.Kind != KindManagedIdentity || app.Name == "":
		return errors.New("only a managed identity with a name is in a resourceGroup")
	case b.identity(app.SubscriptionID, app.ResourceGroup, app.Name) != nil:
		return fmt.Errorf("name %s: another identity of the resource group has it", app.Name)
	}
	b.groups.add(app.SubscriptionID, app.TenantID, app.ResourceGroup, app.Location)
	return nil
}

func (b *builder) addVault(path string, seed VaultSeed) {
	tenant, errTenant := b.tenantID(seed.TenantID)
	authorization, errAuthorization := oneOf("authorization", seed.Authorization, AuthorizationRBAC, AuthorizationAccessPolicies)
	encoding, errEncoding := oneOf("pfxEncoding", seed.PFXEncoding, PFXModern, PFXLegacy)
	vault := &Vault{
		Name: seed.Name, TenantID: tenant, Location: cmp.Or(seed.Location, defaultLocation), PFXEncoding: encoding,
		SubscriptionID: cmp.Or(seed.SubscriptionID, defaultSubscription), ResourceGroup: cmp.Or(seed.ResourceGroup, defaultGroup),
		now: b.now, random: b.random, rbac: authorization == AuthorizationRBAC, assignments: b.assignments,
		network: Network{
			PublicNetworkAccess: cmp.Or(seed.Network.PublicNetworkAccess, "Enabled"),
			Firewall:            cmp.Or(seed.Network.Firewall, "Allow"),
		},
		objects: map[Kind]map[string]*object{}, deleted: map[Kind]map[string]*object{},
	}
	b.check(path, errors.Join(errTenant, errAuthorization, errEncoding, checkNetwork(seed.Network), b.checkVaultName(seed.Name)))
	b.vaults[strings.ToLower(seed.Name)] = vault
	b.groups.add(vault.SubscriptionID, vault.TenantID, vault.ResourceGroup, vault.Location)
	for i, assignment := range seed.RoleAssignments {
		complete, err := b.checkAssignment(vault, assignment)
		b.check(fmt.Sprintf("%s.roleAssignments[%d]", path, i), err)
		_, _, _ = b.assignments.add(complete) // given twice, it is given
	}
	for i, policy := range seed.AccessPolicies {
		var err error
		policy.ObjectID, err = b.principal(policy.ObjectID, policy.ClientID)
		b.check(fmt.Sprintf("%s.accessPolicies[%d]", path, i), err)
		vault.policies = append(vault.policies, policy)
	}
	b.addObjects(path, vault, seed)
}

func (b *builder) checkVaultName(name string) error {
	if !regexp.MustCompile(`^[A-Za-z0-9-]{3,24}$`).MatchString(name) {
		return fmt.Errorf("name is %q: it must be 3 to 24 letters, digits and hyphens", name)
	}
	if b.vaults[strings.ToLower(name)] != nil {
		return fmt.Errorf("name %q: another vault has it", name)
	}
	return nil
}

func (b *builder) addObjects(path string, vault *Vault, seed VaultSeed) {
	for i, secret := range seed.Secrets {
		b.check(fmt.Sprintf("%s.secrets[%d]", path, i), addSecret(vault, secret))
	}
	for i, key := range seed.Keys {
		b.check(fmt.Sprintf("%s.keys[%d]", path, i), addKey(vault, key))
	}
	for i, certificate := range seed.Certificates {
		b.check(fmt.Sprintf("%s.certificates[%d]", path, i), addCertificate(vault, certificate))
	}
}

// guid draws a random GUID.
func (b *builder) guid() string {
	id, err := b.newGUID()
	b.check("drawing an object ID", err)
	return id
}
