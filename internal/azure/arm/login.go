package arm

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
	"k8s.io/utils/clock"

	"secretstore/internal/azure/entra"
)

// LoginError says that there is no login to Azure, or none that works.
type LoginError struct {
	// Why is in words of ours: the SDK's may quote answers that nobody understood.
	Why string
	// Cause is the SDK's error. Its text is not shown.
	Cause error
}

// HowToSignIn is the cure of a LoginError.
const HowToSignIn = "sign in with az login (--tenant TENANT), or set AZURE_TENANT_ID, AZURE_CLIENT_ID and " +
	"AZURE_CLIENT_SECRET (or AZURE_CLIENT_CERTIFICATE_PATH)"

// Error implements error.
func (e *LoginError) Error() string { return "no login to Azure: " + e.Why + ": " + HowToSignIn }

// Unwrap gives the SDK's error.
func (e *LoginError) Unwrap() error { return e.Cause }

// NonRetriable tells azcore's policies that another try would end the same.
func (*LoginError) NonRetriable() {}

// explainingCredential turns the errors of a credential into LoginErrors.
type explainingCredential struct{ inner azcore.TokenCredential }

// GetToken implements azcore.TokenCredential.
func (c explainingCredential) GetToken(ctx context.Context, o policy.TokenRequestOptions) (azcore.AccessToken, error) {
	token, err := c.inner.GetToken(ctx, o)
	switch {
	case err == nil:
		return token, nil
	case ctx.Err() != nil:
		return token, ctx.Err()
	}
	return azcore.AccessToken{}, &LoginError{Why: whyNoLogin(err), Cause: err}
}

// whyNoLogin is what Entra said, by its code alone, or that nothing could be asked.
func whyNoLogin(err error) string {
	if code := regexp.MustCompile(`AADSTS[0-9]+`).FindString(err.Error()); code != "" {
		return "Entra refuses it (" + code + "; https://login.microsoftonline.com/error says what the code means)"
	}
	if failed, ok := errors.AsType[*azidentity.AuthenticationFailedError](err); ok && failed.RawResponse != nil {
		return fmt.Sprintf("the token service answers HTTP %d and nothing that Entra would say", failed.RawResponse.StatusCode)
	}
	if cause := entra.NetworkCause(err); cause != entra.NetworkCause(nil) {
		return "Entra could not be reached: " + cause
	}
	return "nobody is signed in on this machine (looked at: AZURE_* variables, az, azd)"
}

// Login is how an operator's own login is found.
type Login struct {
	// Environment looks up a variable.
	Environment func(string) string
	// Tenant is the one to sign in to where the login itself does not say, empty for its default.
	Tenant string
	// Transport sends what Entra is asked; azcore's own where it is nil.
	Transport policy.Transporter
}

// Cloud is the one that AZURE_AUTHORITY_HOST names, as for all of Azure's SDKs; the public one without it. A host that is none of
// Azure's is a stand-in for the public cloud's Entra.
func (l Login) Cloud() cloud.Configuration {
	host := l.Environment("AZURE_AUTHORITY_HOST")
	same := func(c cloud.Configuration) bool {
		trim := func(s string) string {
			return strings.ToLower(strings.TrimRight(strings.TrimPrefix(s, "https://"), "/"))
		}
		return trim(host) == trim(c.ActiveDirectoryAuthorityHost)
	}
	switch {
	case same(cloud.AzureGovernment):
		return cloud.AzureGovernment
	case same(cloud.AzureChina):
		return cloud.AzureChina
	}
	public := cloud.AzurePublic
	public.ActiveDirectoryAuthorityHost = cmp.Or(host, public.ActiveDirectoryAuthorityHost)
	return public
}

// Asked tells whether the environment itself asks for a login, by the variables of a service principal or a workload identity.
func (l Login) Asked() bool { return l.Environment("AZURE_CLIENT_ID") != "" }

// Credential finds the login. It asks nobody yet.
//
// It is the SDK's default chain without the managed identity of this machine: that is found by waiting for an address that most
// machines do not have. Whoever means it sets AZURE_TOKEN_CREDENTIALS, which the SDK's whole chain obeys.
func (l Login) Credential() (azcore.TokenCredential, error) {
	options := azcore.ClientOptions{
		Cloud: l.Cloud(), Transport: l.Transport, Retry: policy.RetryOptions{MaxRetries: 2, RetryDelay: retryDelay / 2},
	}
	own := l.isOwnAuthority()
	if l.Environment("AZURE_TOKEN_CREDENTIALS") != "" {
		return azidentity.NewDefaultAzureCredential(&azidentity.DefaultAzureCredentialOptions{
			ClientOptions: options, TenantID: l.Tenant, DisableInstanceDiscovery: own,
		})
	}
	var chain []azcore.TokenCredential
	environment, err := azidentity.NewEnvironmentCredential(&azidentity.EnvironmentCredentialOptions{
		ClientOptions: options, DisableInstanceDiscovery: own,
	})
	if err == nil {
		chain = append(chain, environment)
	}
	workload, err := azidentity.NewWorkloadIdentityCredential(&azidentity.WorkloadIdentityCredentialOptions{
		ClientOptions: options, DisableInstanceDiscovery: own,
	})
	if err == nil {
		chain = append(chain, workload)
	}
	az, err := azidentity.NewAzureCLICredential(&azidentity.AzureCLICredentialOptions{TenantID: l.Tenant})
	if err == nil {
		chain = append(chain, az)
	}
	azd, err := azidentity.NewAzureDeveloperCLICredential(&azidentity.AzureDeveloperCLICredentialOptions{TenantID: l.Tenant})
	if err == nil {
		chain = append(chain, azd)
	}
	if len(chain) == 0 {
		return nil, &LoginError{Why: "--tenant " + l.Tenant + " is no tenant's ID or domain", Cause: err}
	}
	return azidentity.NewChainedTokenCredential(chain, nil)
}

// isOwnAuthority tells an authority that is none of Azure's own: the SDK would ask the public cloud about it.
func (l Login) isOwnAuthority() bool {
	host := strings.TrimRight(l.Cloud().ActiveDirectoryAuthorityHost, "/")
	for _, known := range []cloud.Configuration{cloud.AzurePublic, cloud.AzureGovernment, cloud.AzureChina} {
		if strings.EqualFold(host, strings.TrimRight(known.ActiveDirectoryAuthorityHost, "/")) {
			return false
		}
	}
	return true
}

// Open makes a client with the operator's login, over connections as the environment has them (proxies, certificates). It sends
// nothing yet.
func Open(l Login, c clock.Clock) (*Client, error) {
	transport, err := entra.PublicCloud().HTTPClient()
	if err != nil {
		return nil, err
	}
	l.Transport = transport
	credential, err := l.Credential()
	if err != nil {
		return nil, err
	}
	return New(credential, Options{ClientOptions: policy.ClientOptions{Cloud: l.Cloud(), Transport: transport}, Clock: c})
}
