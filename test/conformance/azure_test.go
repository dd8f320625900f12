// Package conformance_test holds the emulator to Microsoft's own clients, which share no code with it: the SDK for Go in this
// process, and the SDK for JavaScript under node. What both accept, under Azure's true host names and with their own checks
// of TLS, authority and challenge, is taken to be like Azure.
package conformance_test

import (
	"context"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
	"github.com/Azure/azure-sdk-for-go/sdk/security/keyvault/azcertificates"
	"github.com/Azure/azure-sdk-for-go/sdk/security/keyvault/azkeys"
	"github.com/Azure/azure-sdk-for-go/sdk/security/keyvault/azsecrets"

	"secretstore/internal/emulator"
	"secretstore/internal/emulator/oidctest"
	"secretstore/internal/emulator/state"
)

const (
	tenantID   = "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee"
	identityID = "11111111-2222-3333-4444-555555555555"
	operatorID = "99999999-8888-7777-6666-555555555555"
	password   = "operators-password"
	subject    = "system:serviceaccount:shop:shop"
	vaultName  = "my-key-vault"
	vaultURL   = "https://my-key-vault.vault.azure.net"

	subscriptionID = "77777777-0000-0000-0000-000000000000"
)

// azure is an emulator with one vault, an identity that reads it and an operator that does all.
type azure struct {
	*emulator.Server

	t      *testing.T
	issuer *oidctest.Issuer
}

func start(t *testing.T) *azure {
	t.Helper()
	issuer := oidctest.New(t)
	server, err := emulator.Start(t.Context(), emulator.Options{
		IssuerRoots: issuer.Roots(),
		Seed: state.Seed{
			Tenants: []state.Tenant{{ID: tenantID, Name: "Contoso"}},
			Applications: []state.Application{
				{ClientID: identityID, FederatedCredentials: []state.FederatedCredential{{Name: "cluster", Issuer: issuer.URL, Subject: subject}}},
				{ClientID: operatorID, Kind: state.KindApplication, ClientSecrets: []state.ClientSecret{{Value: password}}},
			},
			Management: management(issuer.URL),
			Vaults: []state.VaultSeed{{
				Name: vaultName, SubscriptionID: subscriptionID, ResourceGroup: "shop",
				RoleAssignments: []state.RoleAssignment{
					{ClientID: identityID, Role: "Key Vault Secrets User"},
					{ClientID: identityID, Role: "Key Vault Reader"},
					{ClientID: operatorID, Role: "Key Vault Administrator"},
				},
				Secrets: []state.SecretSeed{{Name: "seeded", SecretVersion: state.SecretVersion{Value: "a seeded value"}}},
				Keys:    []state.KeySeed{{Name: "seeded-key", Type: "EC-HSM"}},
				Certificates: []state.CertificateSeed{
					{Name: "seeded-certificate", KeyType: "EC", Chain: state.Chain{Intermediates: 2, Root: true}},
				},
			}, {
				Name: "policy-vault", SubscriptionID: subscriptionID, ResourceGroup: "shop", Authorization: state.AuthorizationAccessPolicies,
			}},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Close(); err != nil {
			t.Error(err)
		}
	})
	return &azure{Server: server, t: t, issuer: issuer}
}

// management is an Azure Resource Manager whose operator owns all, whose pages are small and whose operations take a while.
func management(issuer string) state.ManagementSeed {
	return state.ManagementSeed{
		RoleAssignments: []state.RoleAssignment{{ClientID: operatorID, Role: "Owner"}},
		ConnectedClusters: []state.Cluster{{
			Name: "edge", SubscriptionID: subscriptionID, ResourceGroup: "shop", OIDCIssuer: true, IssuerURL: issuer,
			Extensions: []state.Extension{{Name: "akvsecretsprovider", Type: "Microsoft.AzureKeyVaultSecretsProvider"}},
		}},
		ManagementSettings: state.ManagementSettings{PageSize: 3, OperationMilliseconds: 50},
	}
}

// options are those of a client that reaches the emulator, and that tries once unless it is told otherwise.
func (a *azure) options(retries int32) policy.ClientOptions {
	client := a.HTTPClient()
	a.t.Cleanup(client.CloseIdleConnections)
	return policy.ClientOptions{Transport: client, Retry: policy.RetryOptions{MaxRetries: retries, RetryDelay: 1}}
}

const once = -1

// operator proves who it is by a secret.
func (a *azure) operator(clientID, secret string) azcore.TokenCredential {
	a.t.Helper()
	credential, err := azidentity.NewClientSecretCredential(tenantID, clientID, secret,
		&azidentity.ClientSecretCredentialOptions{ClientOptions: a.options(once)})
	if err != nil {
		a.t.Fatal(err)
	}
	return credential
}

// identity proves who it is by a token of a service account.
func (a *azure) identity(clientID string, token func() string) azcore.TokenCredential {
	a.t.Helper()
	credential, err := azidentity.NewClientAssertionCredential(tenantID, clientID,
		func(context.Context) (string, error) { return token(), nil },
		&azidentity.ClientAssertionCredentialOptions{ClientOptions: a.options(once)})
	if err != nil {
		a.t.Fatal(err)
	}
	return credential
}

func (a *azure) secrets(url string, credential azcore.TokenCredential) *azsecrets.Client {
	a.t.Helper()
	client, err := azsecrets.NewClient(url, credential, &azsecrets.ClientOptions{ClientOptions: a.options(once)})
	if err != nil {
		a.t.Fatal(err)
	}
	return client
}

func (a *azure) keys(credential azcore.TokenCredential) *azkeys.Client {
	a.t.Helper()
	client, err := azkeys.NewClient(vaultURL, credential, &azkeys.ClientOptions{ClientOptions: a.options(once)})
	if err != nil {
		a.t.Fatal(err)
	}
	return client
}

func (a *azure) certificates(credential azcore.TokenCredential) *azcertificates.Client {
	a.t.Helper()
	client, err := azcertificates.NewClient(vaultURL, credential, &azcertificates.ClientOptions{ClientOptions: a.options(once)})
	if err != nil {
		a.t.Fatal(err)
	}
	return client
}
