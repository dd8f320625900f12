package takeover_test

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"secretstore/internal/emulator/state"
	"secretstore/test/rig"
)

// identity is what the controller signs in as, for the account "sync" of a namespace.
const identity = "11111111-2222-4333-8444-555555555555"

func federated() state.Application {
	return state.Application{
		TenantID: tenant, ClientID: identity, Name: "shop-identity",
		FederatedCredentials: []state.FederatedCredential{{
			Name: "shop", Issuer: "${SERVICE_ACCOUNT_ISSUER}", Subject: "system:serviceaccount:shop-orders:sync",
		}},
	}
}

const synced = `
apiVersion: v1
kind: ServiceAccount
metadata: {name: sync}
---
apiVersion: secrets-store.csi.x-k8s.io/v1
kind: SecretProviderClass
metadata: {name: orders-db-sse, namespace: shop-orders}
spec:
  provider: azure
  parameters:
    clientID: 11111111-2222-4333-8444-555555555555
    keyvaultName: kv-shop-main
    tenantID: 7a1e0000-1111-4222-8333-0000000000aa
    objects: |
      array:
        - |
          objectName: orders-db-user
          objectType: secret
---
apiVersion: secret-sync.x-k8s.io/v1alpha1
kind: SecretSync
metadata: {name: orders-db-new, namespace: shop-orders}
spec:
  serviceAccountName: sync
  secretProviderClassName: orders-db-sse
  secretObject:
    type: Opaque
    data: [{sourcePath: orders-db-user, targetKey: username}]
`

// The controller of this project runs beside the driver, as a process with the chart's rights; its Deployment is played by kwok.
func TestControllerRunsBesideTheDriver(t *testing.T) {
	recorder := record(t)
	if err := shared.Stack.StartController(t.Context()); err != nil {
		t.Fatal(err)
	}
	apply(t, "shop-orders", synced)
	key := client.ObjectKey{Namespace: "shop-orders", Name: "orders-db-new"}
	secret := &corev1.Secret{}
	eventually(t, func() bool { return shared.Client.Get(t.Context(), key, secret) == nil })
	want, err := shared.Stack.Get(t.Context(), "kv-shop-main", "orders-db-user", rig.Operator(tenant))
	if err != nil {
		t.Fatal(err)
	}
	if string(secret.Data["username"]) != want {
		t.Error("the Secret is not what the vault has")
	}
	if err := shared.AwaitRunning(t.Context()); err != nil {
		t.Error(err)
	}
	expectViolations(t, recorder, "shop-")
}
