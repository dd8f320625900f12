// Package azure tests what a migration does in Azure (internal/azure/arm, internal/migrate/az, the reading of Azure) against the
// emulator, over real HTTPS.
package azure

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
	"k8s.io/utils/clock"

	"secretstore/internal/azure/arm"
	"secretstore/internal/azure/entra"
	"secretstore/internal/emulator"
	"secretstore/internal/emulator/oidctest"
	"secretstore/internal/emulator/state"
	"secretstore/internal/migrate/az"
	"secretstore/internal/migrate/model"
)

const (
	tenantID       = "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee"
	subscriptionID = "77777777-0000-0000-0000-000000000000"
	otherID        = "88888888-0000-0000-0000-000000000000"
	ownerID        = "99999999-8888-7777-6666-555555555555"
	readerID       = "44444444-2222-3333-4444-555555555555"
	nobodyID       = "55555555-2222-3333-4444-555555555555"
	oldID          = "22222222-2222-3333-4444-555555555555"
	oldObjectID    = "22222222-aaaa-bbbb-cccc-555555555555"
	password       = "canary-client-secret"
	groupID        = "/subscriptions/" + subscriptionID + "/resourceGroups/rg"
	vaultID        = groupID + "/providers/Microsoft.KeyVault/vaults/Shop-Vault"
	policyVaultID  = "/subscriptions/" + otherID + "/resourceGroups/data/providers/Microsoft.KeyVault/vaults/policy-vault"
	audience       = "api://AzureADTokenExchange"
)

func group() arm.Group { return arm.Group{Subscription: subscriptionID, Name: "rg"} }

// world is an emulator with two subscriptions, an Arc-enabled cluster, a vault that roles rule and one in the other subscription
// that access policies rule, and an old service principal that reads both.
type world struct {
	*emulator.Server

	t      *testing.T
	issuer *oidctest.Issuer
	client *http.Client
}

func start(t *testing.T, settings state.ManagementSettings) *world {
	t.Helper()
	issuer := oidctest.New(t)
	server, err := emulator.Start(t.Context(), emulator.Options{Seed: seed(issuer.URL, settings), IssuerRoots: issuer.Roots()})
	if err != nil {
		t.Fatal(err)
	}
	w := &world{Server: server, t: t, issuer: issuer, client: server.HTTPClient()}
	t.Cleanup(func() {
		w.client.CloseIdleConnections()
		if err := server.Close(); err != nil {
			t.Error(err)
		}
	})
	return w
}

func seed(issuer string, settings state.ManagementSettings) state.Seed {
	application := func(id, object, name string) state.Application {
		return state.Application{
			TenantID: tenantID, ClientID: id, ObjectID: object, Name: name, Kind: state.KindApplication,
			ClientSecrets: []state.ClientSecret{{Value: password}},
		}
	}
	secret := []state.SecretSeed{{Name: "password", SecretVersion: state.SecretVersion{Value: "canary-value"}}}
	owner := application(ownerID, "", "owner")
	owner.GraphAccess = state.GraphWrite
	return state.Seed{
		Tenants: []state.Tenant{{ID: tenantID}},
		Applications: []state.Application{
			owner, application(readerID, "", "reader"), application(nobodyID, "", "nobody"),
			application(oldID, oldObjectID, "old"),
		},
		Vaults: []state.VaultSeed{
			{
				Name: "Shop-Vault", SubscriptionID: subscriptionID, ResourceGroup: "rg", Secrets: secret,
				RoleAssignments: []state.RoleAssignment{{ClientID: oldID, Role: "Key Vault Secrets User"}, {ClientID: oldID, Role: "Key Vault Reader"}},
			},
			{
				Name: "policy-vault", SubscriptionID: otherID, ResourceGroup: "data", Secrets: secret,
				Authorization:  state.AuthorizationAccessPolicies,
				AccessPolicies: []state.AccessPolicy{{ClientID: oldID, Secrets: []string{"get", "list"}, Keys: []string{"get"}}},
			},
		},
		Management: state.ManagementSeed{
			Subscriptions: []state.Subscription{{ID: subscriptionID, Name: "Shop"}, {ID: otherID, Name: "Data"}},
			RoleAssignments: []state.RoleAssignment{
				{ClientID: ownerID, Role: "Owner", Scope: "/subscriptions/" + subscriptionID},
				{ClientID: ownerID, Role: "Owner", Scope: "/subscriptions/" + otherID},
				{ClientID: readerID, Role: "Reader", Scope: "/subscriptions/" + subscriptionID},
			},
			ConnectedClusters: []state.Cluster{{
				Name: "edge", SubscriptionID: subscriptionID, ResourceGroup: "rg", OIDCIssuer: true, IssuerURL: issuer,
				Extensions: []state.Extension{{
					Name: "akvsecretsprovider", Type: "Microsoft.AzureKeyVaultSecretsProvider", Version: "1.7.2", ReleaseNamespace: "kube-system",
					Settings: map[string]string{"secrets-store-csi-driver.syncSecret.enabled": "true"},
				}},
			}},
			ManagementSettings: settings,
		},
	}
}

// as is a client with the login of an application.
func (w *world) as(application string) *arm.Client {
	w.t.Helper()
	credential, err := azidentity.NewClientSecretCredential(tenantID, application, password, &azidentity.ClientSecretCredentialOptions{
		ClientOptions: policy.ClientOptions{Transport: w.client}, DisableInstanceDiscovery: true,
	})
	if err != nil {
		w.t.Fatal(err)
	}
	client, err := arm.New(credential, arm.Options{
		ClientOptions: policy.ClientOptions{
			Transport: w.client, Retry: policy.RetryOptions{MaxRetries: 3, RetryDelay: time.Millisecond, MaxRetryDelay: 5 * time.Second},
		},
		Clock: hurried{}, Poll: time.Millisecond,
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return client
}

// hurried is a clock whose timers are a hundred times as fast.
type hurried struct{ clock.RealClock }

// NewTimer implements clock.Clock.
func (h hurried) NewTimer(d time.Duration) clock.Timer { return h.RealClock.NewTimer(d / 100) }

func (w *world) runner() *az.Runner {
	return &az.Runner{
		ARM: w.as(ownerID), Subscription: subscriptionID, Clouds: entra.NewClouds(), Transport: w.client,
	}
}

// mint makes tokens of the cluster's service accounts.
func (w *world) mint(token model.Token) string {
	return w.issuer.Token("system:serviceaccount:"+token.Namespace+":"+token.Account, map[string]any{"aud": []string{token.Audience}})
}

// operations counts the requests of Azure Resource Manager that changed something, by their operation.
func (w *world) writes() []string {
	var writes []string
	for _, e := range w.Requests() {
		if strings.HasSuffix(e.Operation, ".put") || strings.HasSuffix(e.Operation, ".delete") {
			writes = append(writes, e.Operation)
		}
	}
	slices.Sort(writes)
	return writes
}
