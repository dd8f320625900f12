package state

import (
	"time"

	"secretstore/internal/emulator/wire"
)

// Seed is what an emulator starts with: the content of a seed file, and what tests write as a literal.
type Seed struct {
	// AuthorityHosts are host names that answer as Entra besides login.microsoftonline.com and login.windows.net.
	AuthorityHosts []string `yaml:"authorityHosts"`
	// VaultDNSSuffix is what follows a vault's name in its host name; "vault.azure.net" by default.
	VaultDNSSuffix string `yaml:"vaultDNSSuffix"`
	// Tenants are the Entra directories.
	Tenants []Tenant `yaml:"tenants"`
	// Applications are the managed identities and app registrations of all tenants.
	Applications []Application `yaml:"applications"`
	// Vaults are the key vaults.
	Vaults []VaultSeed `yaml:"vaults"`
	// Management is what Azure Resource Manager knows besides.
	Management ManagementSeed `yaml:"management"`
	// Behaviour is how the services misbehave from the start.
	Behaviour wire.Behaviour `yaml:",inline"`
}

// Tenant is an Entra directory.
type Tenant struct {
	// ID is the directory's GUID.
	ID string `yaml:"id"`
	// Name is for people.
	Name string `yaml:"name"`
	// Domain, such as contoso.onmicrosoft.com, names the tenant in URLs as well as the ID does.
	Domain string `yaml:"domain"`
}

// Kinds of application.
const (
	KindManagedIdentity = "managedIdentity"
	KindApplication     = "application"
)

// Application is a client that Entra knows.
type Application struct {
	// TenantID may be left out if there is one tenant only.
	TenantID string `yaml:"tenantID"`
	// ClientID is what a client calls itself.
	ClientID string `yaml:"clientID"`
	// ObjectID is what permissions are given to; made up if empty. It is never the client ID.
	ObjectID string `yaml:"objectID"`
	// Name is for people; Entra puts it into some errors.
	Name string `yaml:"name"`
	// Kind is KindManagedIdentity (the default) or KindApplication.
	Kind string `yaml:"kind"`
	// TokenLifetimeSeconds is how long its access tokens last: by default 86,400 s for a managed identity and 3,600 s for an
	// application (learn.microsoft.com, workload identity federation).
	TokenLifetimeSeconds int `yaml:"tokenLifetimeSeconds"`
	// FederatedCredentials are the outside identities that may act as this one, 20 at most.
	FederatedCredentials []FederatedCredential `yaml:"federatedCredentials"`
	// ClientSecrets are passwords; only a KindApplication has any.
	ClientSecrets []ClientSecret `yaml:"clientSecrets"`
	// Disabled ends that it can sign in; tokens that it has stay good.
	Disabled bool `yaml:"disabled"`
	// RegistrationID is the ID of the application itself, beside ObjectID, which is its service principal's; made up if empty. Only
	// a KindApplication has one.
	RegistrationID string `yaml:"registrationID"`
	// GraphAccess is what it may do at Microsoft Graph: GraphRead or GraphWrite; nothing if empty.
	GraphAccess string `yaml:"graphAccess"`
	// ResourceGroup makes a managed identity with a name a resource of Azure Resource Manager; SubscriptionID and Location are
	// made up if empty.
	ResourceGroup  string            `yaml:"resourceGroup"`
	SubscriptionID string            `yaml:"subscriptionID"`
	Location       string            `yaml:"location"`
	Tags           map[string]string `yaml:"tags"`

	created time.Time
}

// FederatedCredential is an outside identity that may act as an application.
type FederatedCredential struct {
	Name string `json:"name" yaml:"name"`
	// Issuer, Subject and Audiences are compared with a token's claims letter by letter. One audience matches; without any,
	// it is api://AzureADTokenExchange.
	Issuer    string   `json:"issuer" yaml:"issuer"`
	Subject   string   `json:"subject" yaml:"subject"`
	Audiences []string `json:"audiences,omitempty" yaml:"audiences"`
	// PropagationSeconds is for how long after it is added Entra still answers 70021.
	PropagationSeconds int `json:"propagationSeconds,omitempty" yaml:"propagationSeconds"`

	effective time.Time
	ends      time.Time // when a deleted one is forgotten everywhere; zero for one that is not deleted
}

// Propagated says whether the credential has reached all of Entra at a time.
func (c FederatedCredential) Propagated(now time.Time) bool { return !now.Before(c.effective) }

func (c FederatedCredential) ended(now time.Time) bool {
	return !c.ends.IsZero() && !now.Before(c.ends)
}

// ClientSecret is a password of an application.
type ClientSecret struct {
	Value string `yaml:"value"`
	// Expires is when Entra begins to refuse it; zero for never.
	Expires time.Time `yaml:"expires"`
}

// Ways in which a vault decides who may do what.
const (
	AuthorizationRBAC           = "rbac"
	AuthorizationAccessPolicies = "accessPolicies"
)

// Ways to encode a PKCS#12 file.
const (
	PFXModern = "modern" // AES-256 and SHA-256
	PFXLegacy = "legacy" // RC2, 3DES and SHA-1
)

// VaultSeed is a key vault and what is in it.
type VaultSeed struct {
	// Name makes the vault's host name: 3 to 24 letters, digits and hyphens.
	Name string `yaml:"name"`
	// TenantID may be left out if there is one tenant only.
	TenantID string `yaml:"tenantID"`
	// Location, SubscriptionID and ResourceGroup appear in errors; made up if empty.
	Location       string `yaml:"location"`
	SubscriptionID string `yaml:"subscriptionID"`
	ResourceGroup  string `yaml:"resourceGroup"`
	// Authorization is AuthorizationRBAC (the default) or AuthorizationAccessPolicies.
	Authorization   string           `yaml:"authorization"`
	RoleAssignments []RoleAssignment `yaml:"roleAssignments"`
	AccessPolicies  []AccessPolicy   `yaml:"accessPolicies"`
	Network         Network          `yaml:",inline"`
	// PFXEncoding is how the vault writes PKCS#12: PFXModern (the default) or PFXLegacy.
	PFXEncoding string `yaml:"pfxEncoding"`

	Secrets      []SecretSeed      `yaml:"secrets"`
	Keys         []KeySeed         `yaml:"keys"`
	Certificates []CertificateSeed `yaml:"certificates"`
}

// RoleAssignment gives a principal a built-in role on a vault or on one object of it.
type RoleAssignment struct {
	// PrincipalID is the object ID of an application; ClientID names the same application for convenience.
	PrincipalID string `json:"principalID,omitempty" yaml:"principalID"`
	ClientID    string `json:"clientID,omitempty" yaml:"clientID"`
	// Role is the name or the ID of a built-in role.
	Role string `json:"role" yaml:"role"`
	// Scope is an object such as "secrets/db-password"; empty for the whole vault.
	Scope string `json:"scope,omitempty" yaml:"scope"`
}

// AccessPolicy is the older way to give permissions, on the whole vault only.
type AccessPolicy struct {
	// ObjectID is that of an application; ClientID names the same application for convenience.
	ObjectID string `yaml:"objectID"`
	ClientID string `yaml:"clientID"`
	// Secrets, Keys and Certificates are permissions: get, list, set, import, create, update, delete, recover, purge.
	Secrets      []string `yaml:"secrets"`
	Keys         []string `yaml:"keys"`
	Certificates []string `yaml:"certificates"`
}

// Network is whom a vault listens to. The emulator's clients are never trusted services or behind a private link.
type Network struct {
	// PublicNetworkAccess is "Enabled" (the default) or "Disabled".
	PublicNetworkAccess string `json:"publicNetworkAccess,omitempty" yaml:"publicNetworkAccess"`
	// Firewall is "Allow" (the default) or "Deny".
	Firewall string `json:"firewall,omitempty" yaml:"firewall"`
}

// VersionSeed is what versions of all kinds of object have.
type VersionSeed struct {
	// Version is 32 hexadecimal digits; made up if empty.
	Version string `yaml:"version"`
	// Enabled is true by default.
	Enabled *bool `yaml:"enabled"`
	// Created is when the emulator started, by default; Updated is Created by default. Azure knows whole seconds only.
	Created   time.Time         `yaml:"created"`
	Updated   time.Time         `yaml:"updated"`
	NotBefore time.Time         `yaml:"notBefore"`
	Expires   time.Time         `yaml:"expires"`
	Tags      map[string]string `yaml:"tags"`
}

// SecretVersion is one version of a secret.
type SecretVersion struct {
	VersionSeed `yaml:",inline"`
	Value       string `yaml:"value"`
	ContentType string `yaml:"contentType"`
}

// SecretSeed is a secret: with one version, given in place, or with Versions, the oldest first.
type SecretSeed struct {
	Name          string `yaml:"name"`
	SecretVersion `yaml:",inline"`
	Versions      []SecretVersion `yaml:"versions"`
}

// KeySeed is a key with one version, which is generated.
type KeySeed struct {
	Name        string `yaml:"name"`
	VersionSeed `yaml:",inline"`
	// Type is RSA, RSA-HSM, EC or EC-HSM; RSA by default.
	Type string `yaml:"kty"`
	// Size is that of an RSA key in bits, 2048 by default.
	Size int `yaml:"size"`
	// Curve is that of an EC key: P-256 (the default), P-384 or P-521.
	Curve string `yaml:"curve"`
}

// CertificateVersion is one version of a certificate.
type CertificateVersion struct {
	VersionSeed `yaml:",inline"`
	// PEM is a private key and its certificates to take instead of generating them.
	PEM string `yaml:"pem"`
	// PFX is the same as PKCS#12 without a password, in base64; the secret then holds it unchanged.
	PFX string `yaml:"pfx"`
}

// CertificateSeed is a certificate: with one version, given in place, or with Versions, the oldest first.
type CertificateSeed struct {
	Name               string `yaml:"name"`
	CertificateVersion `yaml:",inline"`
	// Subject is the distinguished name, "CN=<name>" by default.
	Subject  string   `yaml:"subject"`
	DNSNames []string `yaml:"dnsNames"`
	// KeyType is RSA (the default) or EC; KeySize and Curve are as those of a key.
	KeyType string `yaml:"keyType"`
	KeySize int    `yaml:"keySize"`
	Curve   string `yaml:"curve"`
	// ContentType is that of the secret: application/x-pkcs12 (the default) or application/x-pem-file.
	ContentType string `yaml:"contentType"`
	Chain       Chain  `yaml:"chain"`
	// PFXEncoding is PFXModern or PFXLegacy; by default as the vault's.
	PFXEncoding string `yaml:"pfxEncoding"`
	// ValidityMonths is how long it is good from its creation, 12 by default.
	ValidityMonths int                  `yaml:"validityMonths"`
	Versions       []CertificateVersion `yaml:"versions"`
}

// Orders of the certificates in a chain.
const (
	OrderLeafFirst = "leafFirst"
	OrderShuffled  = "shuffled" // the root, where there is one, first and the leaf last
)

// Chain is what comes with a generated certificate. Without intermediates and root it is self-signed.
type Chain struct {
	Intermediates int `yaml:"intermediates"`
	// Root puts the root into the chain; it exists, outside of it, as soon as there are intermediates.
	Root bool `yaml:"root"`
	// Order is OrderLeafFirst (the default) or OrderShuffled.
	Order string `yaml:"order"`
}
