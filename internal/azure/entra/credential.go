package entra

import (
	"context"
	"net/http"
	"regexp"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"

	"secretstore/internal/fault"
)

// Credential is one federated identity. It implements azcore.TokenCredential; make it with [NewCredential].
type Credential struct {
	inner    *azidentity.ClientAssertionCredential
	subject  Subject
	audience string
	scope    string
}

// Subject is what an exchange is about; Entra's refusals are explained with it.
type Subject struct {
	// TenantID and ClientID are as the SecretProviderClass says.
	TenantID, ClientID string
	// Namespace and ServiceAccount name the service account whose token is presented.
	Namespace, ServiceAccount string
}

// AssertionFunc returns a fresh token of the subject's service account, for the given audience. Its errors should be
// faults; they come back from GetToken as they are.
type AssertionFunc func(ctx context.Context, audience string) (string, error)

// Transport sends requests: an *http.Client does.
type Transport interface {
	// Do sends the request and gives the answer, as of http.Client.
	Do(request *http.Request) (*http.Response, error)
}

// NewCredential makes the credential of one subject. client comes from [Cloud.HTTPClient], perhaps wrapped; assertion is asked
// whenever a new access token is needed.
func NewCredential(c Cloud, client Transport, subject Subject, assertion AssertionFunc) (*Credential, error) {
	getAssertion := func(ctx context.Context) (string, error) {
		token, err := assertion(ctx, c.TokenAudience)
		if err != nil {
			note(ctx, err)
		}
		return token, err
	}
	options := c.ClientOptions(client)
	options.Transport = notingTransport{client}
	inner, err := azidentity.NewClientAssertionCredential(subject.TenantID, subject.ClientID, getAssertion,
		&azidentity.ClientAssertionCredentialOptions{
			ClientOptions: options,
			// It would ask the public cloud whether the authority is one of Azure's. Ours is Azure's own by its documentation,
			// or the operator's; a request less for each identity.
			DisableInstanceDiscovery: true,
		})
	if err != nil {
		return nil, &fault.Error{
			Kind:    fault.ClassInvalid,
			Message: "spec.parameters.tenantID or clientID is not one that Entra could know; both are UUIDs",
			Detail:  err,
		}
	}
	return &Credential{
		inner: inner, subject: subject, audience: c.TokenAudience, scope: "https://" + c.VaultDNSSuffix + "/.default",
	}, nil
}

// ClientOptions are the options for every Azure SDK client of this cloud: its own transport, and no retries, since
// retrying has one owner only, the controller.
func (c Cloud) ClientOptions(client Transport) azcore.ClientOptions {
	return azcore.ClientOptions{
		Cloud:     cloud.Configuration{ActiveDirectoryAuthorityHost: c.Authority},
		Transport: client,
		Retry:     policy.RetryOptions{MaxRetries: -1},
		Telemetry: policy.TelemetryOptions{ApplicationID: "secretstore"},
	}
}

// GetToken implements azcore.TokenCredential. Its errors are faults.
func (c *Credential) GetToken(ctx context.Context, options policy.TokenRequestOptions) (azcore.AccessToken, error) {
	if err := c.checkTenant(options.TenantID); err != nil {
		return azcore.AccessToken{}, err
	}
	// The vault names its tenant by ID, the SecretProviderClass perhaps by domain: the latter is the one to ask.
	options.TenantID = ""
	ctx, noted := withNote(ctx)
	token, err := c.inner.GetToken(ctx, options)
	if err != nil {
		return azcore.AccessToken{}, explain(err, *noted, c.subject, c.audience)
	}
	return token, nil
}

// checkTenant refuses a vault of another tenant before a token is asked for, because Entra would give one that the
// vault then refuses without saying why.
func (c *Credential) checkTenant(vaultTenant string) error {
	if vaultTenant == "" || !isUUID(c.subject.TenantID) || strings.EqualFold(vaultTenant, c.subject.TenantID) {
		return nil
	}
	return fault.New(fault.IdentityRejected, "the vault belongs to tenant %s, but spec.parameters.tenantID of the "+
		"SecretProviderClass is %s: correct tenantID, or keyvaultName if it is another vault that is meant",
		vaultTenant, c.subject.TenantID)
}

func isUUID(s string) bool {
	return regexp.MustCompile(`^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`).MatchString(s)
}

// noteKey is the context key under which an error travels back to GetToken as it is: azidentity and MSAL turn the errors
// of assertions and of connections into text on the way.
type noteKey struct{}

func withNote(ctx context.Context) (context.Context, *error) {
	var err error
	return context.WithValue(ctx, noteKey{}, &err), &err
}

func note(ctx context.Context, err error) {
	if place, ok := ctx.Value(noteKey{}).(*error); ok {
		*place = err
	}
}

// notingTransport notes the errors of connections.
type notingTransport struct{ client Transport }

// Do implements policy.Transporter.
func (t notingTransport) Do(request *http.Request) (*http.Response, error) {
	response, err := t.client.Do(request)
	if err != nil {
		note(request.Context(), err)
	}
	return response, err
}
