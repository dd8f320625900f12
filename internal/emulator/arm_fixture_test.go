package emulator_test

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	armpolicy "github.com/Azure/azure-sdk-for-go/sdk/azcore/arm"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/authorization/armauthorization/v2"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/kubernetesconfiguration/armkubernetesconfiguration/v2"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/msi/armmsi"
	testclock "k8s.io/utils/clock/testing"

	"secretstore/internal/emulator"
	"secretstore/internal/emulator/oidctest"
	"secretstore/internal/emulator/state"
)

// What the tests' Azure Resource Manager holds besides what fixture_test.go says.
const (
	subscriptionID = "77777777-0000-0000-0000-000000000000"
	readerID       = "44444444-2222-3333-4444-555555555555" // may read what is in the subscription
	groupID        = "/subscriptions/" + subscriptionID + "/resourceGroups/rg"
	vaultID        = groupID + "/providers/Microsoft.KeyVault/vaults/my-key-vault"
	policyVaultID  = groupID + "/providers/Microsoft.KeyVault/vaults/policy-vault"
	clusterID      = groupID + "/providers/Microsoft.Kubernetes/connectedClusters/edge"
	armURL         = "https://management.azure.com"
	armScope       = "https://management.azure.com/.default"
	secretsUserID  = "4633458b-17de-408a-b874-0445c86b69e6"
)

// startARM starts an emulator with a subscription whose owner is the operator. Its clock stands still, or is the system's.
func startARM(t *testing.T, standing bool, settings state.ManagementSettings) *fixture {
	t.Helper()
	issuer := oidctest.New(t)
	f := &fixture{tb: t, issuer: issuer, logs: &logs{}}
	o := emulator.Options{Seed: seed(issuer.URL)}
	o.Seed.Applications = append(o.Seed.Applications, state.Application{
		TenantID: tenantID, ClientID: readerID, ObjectID: "44444444-aaaa-bbbb-cccc-555555555555", Name: "reader",
		Kind: state.KindApplication, ClientSecrets: []state.ClientSecret{{Value: operatorsPass}},
	})
	for i := range o.Seed.Vaults {
		o.Seed.Vaults[i].SubscriptionID, o.Seed.Vaults[i].ResourceGroup = subscriptionID, "rg"
	}
	o.Seed.Applications[0].SubscriptionID, o.Seed.Applications[0].ResourceGroup = subscriptionID, "rg"
	o.Seed.Management = state.ManagementSeed{
		Subscriptions:  []state.Subscription{{ID: subscriptionID, Name: "Shop", TenantID: tenantID}},
		ResourceGroups: []state.ResourceGroup{{SubscriptionID: subscriptionID, Name: "empty"}},
		RoleAssignments: []state.RoleAssignment{
			{ClientID: operatorID, Role: "Owner", Scope: "/subscriptions/" + subscriptionID},
			{ClientID: readerID, Role: "Reader", Scope: groupID},
		},
		ConnectedClusters: []state.Cluster{{
			Name: "edge", TenantID: tenantID, SubscriptionID: subscriptionID, ResourceGroup: "rg", OIDCIssuer: true,
			IssuerURL: issuer.URL + "/", WorkloadIdentity: true,
			Extensions: []state.Extension{{
				Name: "akvsecretsprovider", Type: "Microsoft.AzureKeyVaultSecretsProvider", Version: "1.7.2", ReleaseNamespace: "kube-system",
				Settings: map[string]string{"secrets-store-csi-driver.syncSecret.enabled": "true"},
			}},
		}},
		ManagementSettings: settings,
	}
	if standing {
		f.clock = testclock.NewFakeClock(time.Now())
		o.Clock = f.clock
	}
	return f.with(o)
}

// credential is that of an application with the tests' password.
func (f *fixture) credential(clientID string) azcore.TokenCredential {
	f.tb.Helper()
	credential, err := azidentity.NewClientSecretCredential(tenantID, clientID, operatorsPass,
		&azidentity.ClientSecretCredentialOptions{ClientOptions: f.once()})
	if err != nil {
		f.tb.Fatal(err)
	}
	return credential
}

// once are the options of a client that tries once.
func (f *fixture) once() policy.ClientOptions {
	return policy.ClientOptions{Transport: f.client, Retry: policy.RetryOptions{MaxRetries: -1}}
}

func (f *fixture) armOptions() *armpolicy.ClientOptions {
	return &armpolicy.ClientOptions{ClientOptions: f.once()}
}

// made gives a client, or ends the test.
func made[T any](client T, err error) T {
	if err != nil {
		panic(err) // no client of the SDK fails but for wrong options
	}
	return client
}

func (f *fixture) msi() *armmsi.ClientFactory {
	return made(armmsi.NewClientFactory(subscriptionID, f.credential(operatorID), f.armOptions()))
}

func (f *fixture) authorization() *armauthorization.ClientFactory {
	return made(armauthorization.NewClientFactory(subscriptionID, f.credential(operatorID), f.armOptions()))
}

func (f *fixture) extensions() *armkubernetesconfiguration.ExtensionsClient {
	return made(armkubernetesconfiguration.NewExtensionsClient(subscriptionID, f.credential(operatorID), f.armOptions()))
}

// newIdentity makes an identity, and gives its client ID and its object ID.
func (f *fixture) newIdentity(name string) (clientID, objectID string) {
	f.tb.Helper()
	made, err := f.msi().NewUserAssignedIdentitiesClient().CreateOrUpdate(f.tb.Context(), "rg", name,
		armmsi.Identity{Location: new("westeurope")}, nil)
	if err != nil {
		f.tb.Fatalf("making the identity %s: %v", name, err)
	}
	return *made.Properties.ClientID, *made.Properties.PrincipalID
}

// federate writes a federated credential of an identity for the tests' issuer.
func (f *fixture) federate(ctx context.Context, identity, name, subject string) error {
	_, err := f.msi().NewFederatedIdentityCredentialsClient().CreateOrUpdate(ctx, "rg", identity, name,
		armmsi.FederatedIdentityCredential{Properties: &armmsi.FederatedIdentityCredentialProperties{
			Issuer: new(f.issuer.URL), Subject: new(subject), Audiences: []*string{new("api://AzureADTokenExchange")},
		}}, nil)
	return err
}

// assign gives a principal a role of an ID at a scope.
func (f *fixture) assign(scope, name, objectID, role string) error {
	_, err := f.authorization().NewRoleAssignmentsClient().Create(f.tb.Context(), scope, name,
		armauthorization.RoleAssignmentCreateParameters{Properties: &armauthorization.RoleAssignmentProperties{
			PrincipalID: new(objectID), PrincipalType: new(armauthorization.PrincipalTypeServicePrincipal),
			RoleDefinitionID: new("/subscriptions/" + subscriptionID + "/providers/Microsoft.Authorization/roleDefinitions/" + role),
		}}, nil)
	return err
}

// refused compares an error of the SDK with a status and a code.
func refused(tb testing.TB, what string, err error, status int, code string) {
	tb.Helper()
	var response *azcore.ResponseError
	if !errors.As(err, &response) || response.StatusCode != status || response.ErrorCode != code {
		tb.Errorf("%s: got %v, want %d %s", what, err, status, code)
	}
}

// collect reads all pages, and says how many there were.
func collect[P, T any](tb testing.TB, pager *runtime.Pager[P], items func(P) []*T) (all []*T, pages int) {
	tb.Helper()
	for pager.More() {
		page, err := pager.NextPage(tb.Context())
		if err != nil {
			tb.Fatalf("reading a page: %v", err)
		}
		all, pages = append(all, items(page)...), pages+1
	}
	return all, pages
}

// armToken is a token for Azure Resource Manager.
func (f *fixture) armToken(clientID, scope string) string {
	f.tb.Helper()
	form := secretForm(clientID, operatorsPass)
	form.Set("scope", scope)
	return f.token(form)
}

// exchange asks Entra for a vault's token by an assertion with the subject. It gives the number of Entra's error, 0 for none.
func (f *fixture) exchange(clientID, subject string) (token string, code int) {
	f.tb.Helper()
	r := f.ask(tokenURL, assertionForm(clientID, f.issuer.Token(subject, nil)))
	members := r.json(f.tb)
	if codes, ok := members["error_codes"].([]any); ok {
		number, _ := codes[0].(float64)
		return "", int(number)
	}
	token, _ = members["access_token"].(string)
	return token, 0
}

// read reads my-secret of a vault, and gives the status and the code of the error.
func (f *fixture) read(vault, token string) (status int, code string) {
	f.tb.Helper()
	r := f.call(http.MethodGet, "https://"+vault+".vault.azure.net/secrets/my-secret"+version, token, "")
	failure, _ := r.json(f.tb)["error"].(map[string]any)
	inner, _ := failure["innererror"].(map[string]any)
	code, _ = inner["code"].(string)
	return r.status, code
}

func armPath(id, apiVersion string) string {
	return armURL + id + "?api-version=" + url.QueryEscape(apiVersion)
}
