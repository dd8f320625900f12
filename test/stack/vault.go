package stack

import (
	"context"
	"fmt"
	"net/http"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
	"github.com/Azure/azure-sdk-for-go/sdk/security/keyvault/azcertificates"
	"github.com/Azure/azure-sdk-for-go/sdk/security/keyvault/azsecrets"
)

// Operator is somebody who may change what is in the vaults: an application with a client secret.
type Operator struct {
	TenantID, ClientID, ClientSecret string
}

// signIn makes the operator's credential, and the options that lead a client to the emulator.
func (s *Stack) signIn(o Operator) (azcore.TokenCredential, azcore.ClientOptions, error) {
	options := azcore.ClientOptions{
		Transport: s.client,
		Cloud:     cloud.Configuration{ActiveDirectoryAuthorityHost: "https://login.microsoftonline.com"},
	}
	credential, err := azidentity.NewClientSecretCredential(o.TenantID, o.ClientID, o.ClientSecret,
		&azidentity.ClientSecretCredentialOptions{ClientOptions: options, DisableInstanceDiscovery: true})
	if err != nil {
		return nil, azcore.ClientOptions{}, fmt.Errorf("signing in as the operator: %w", err)
	}
	return credential, options, nil
}

func vaultURL(vault string) string { return "https://" + vault + ".vault.azure.net" }

// Secrets is the Azure SDK's own client of a vault's secrets, signed in as the operator: a test changes a secret as an
// operator would.
func (s *Stack) Secrets(vault string, o Operator) (*azsecrets.Client, error) {
	credential, options, err := s.signIn(o)
	if err != nil {
		return nil, err
	}
	client, err := azsecrets.NewClient(vaultURL(vault), credential, &azsecrets.ClientOptions{ClientOptions: options})
	if err != nil {
		return nil, fmt.Errorf("making a client of vault %s: %w", vault, err)
	}
	return client, nil
}

// Set gives a secret a new value.
func (s *Stack) Set(ctx context.Context, vault, name, value string, o Operator) error {
	client, err := s.Secrets(vault, o)
	if err != nil {
		return err
	}
	if _, err := client.SetSecret(ctx, name, azsecrets.SetSecretParameters{Value: &value}, nil); err != nil {
		return fmt.Errorf("setting secret %s in vault %s: %w", name, vault, err)
	}
	return nil
}

// Enable switches the latest version of a secret on or off.
func (s *Stack) Enable(ctx context.Context, vault, name string, enabled bool, o Operator) error {
	client, err := s.Secrets(vault, o)
	if err != nil {
		return err
	}
	attributes := azsecrets.UpdateSecretPropertiesParameters{SecretAttributes: &azsecrets.SecretAttributes{Enabled: &enabled}}
	if _, err := client.UpdateSecretProperties(ctx, name, "", attributes, nil); err != nil {
		return fmt.Errorf("switching secret %s in vault %s: %w", name, vault, err)
	}
	return nil
}

// HTTPClient reaches the emulator under all of Azure's names.
func (s *Stack) HTTPClient() *http.Client { return s.client }

// Get reads a secret's latest value.
func (s *Stack) Get(ctx context.Context, vault, name string, o Operator) (string, error) {
	client, err := s.Secrets(vault, o)
	if err != nil {
		return "", err
	}
	answer, err := client.GetSecret(ctx, name, "", nil)
	if err != nil {
		return "", fmt.Errorf("reading secret %s of vault %s: %w", name, vault, err)
	}
	return *answer.Value, nil
}

// Certificate reads a certificate, DER.
func (s *Stack) Certificate(ctx context.Context, vault, name string, o Operator) ([]byte, error) {
	credential, options, err := s.signIn(o)
	if err != nil {
		return nil, err
	}
	client, err := azcertificates.NewClient(vaultURL(vault), credential, &azcertificates.ClientOptions{ClientOptions: options})
	if err != nil {
		return nil, fmt.Errorf("making a client of vault %s: %w", vault, err)
	}
	answer, err := client.GetCertificate(ctx, name, "", nil)
	if err != nil {
		return nil, fmt.Errorf("reading certificate %s of vault %s: %w", name, vault, err)
	}
	return answer.CER, nil
}
