// Package publiccloud tests the controller as it is without a cloud definition: it speaks to Azure's own names, through the
// proxy and with the authorities that the environment names. Behind those names stands the emulator.
package publiccloud

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"secretstore/test/cluster"
	"secretstore/test/connectproxy"
	"secretstore/test/stack"
)

// shared is the one control plane of this package's tests.
var shared *cluster.Cluster

func TestMain(m *testing.M) {
	crds, err := cluster.Manifests("charts/secretstore/crds/*.yaml")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(cluster.Shared(m, cluster.Options{Manifests: crds}, &shared))
}

func TestPublicNames(t *testing.T) {
	t.Parallel()
	const namespace, account = "shop", "web"
	dir := t.TempDir()
	if err := stack.Build(t.Context(), dir, false); err != nil {
		t.Fatal(err)
	}
	seed, err := filepath.Abs("../../examples/emulator.yaml")
	if err != nil {
		t.Fatal(err)
	}
	p := connectproxy.Start(t)
	s, err := stack.StartEmulator(t.Context(), stack.Options{
		Cluster: shared, Programs: dir, Dir: dir, Seed: seed, PublicNames: p.Address(),
		Environment: []string{
			"SERVICE_ACCOUNT_ISSUER=" + shared.Issuer(), "KUBERNETES_NAMESPACE=" + namespace, "SERVICE_ACCOUNT_NAME=" + account,
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := s.Stop(); err != nil {
			t.Error(err)
		}
	}()
	p.SendTo(s.Address)
	if err := s.StartController(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := shared.Apply(t.Context(), []byte(manifests)); err != nil {
		t.Fatal(err)
	}
	clients, err := kubernetes.NewForConfig(shared.Config())
	if err != nil {
		t.Fatal(err)
	}
	cluster.Eventually(t, time.Minute, func() error {
		secret, err := clients.CoreV1().Secrets(namespace).Get(t.Context(), "app", metav1.GetOptions{})
		if err == nil && (secret.Type != corev1.SecretTypeOpaque || len(secret.Data["key"]) == 0) {
			err = errors.New("the Secret holds nothing")
		}
		if err != nil {
			return fmt.Errorf("%w; the controller says:\n%s", err, s.Controller.Log())
		}
		return nil
	})
	for _, host := range []string{"login.microsoftonline.com:443", "my-key-vault.vault.azure.net:443"} {
		if !p.Connected(host) {
			t.Errorf("the controller never connected to %s", host)
		}
	}
}

const manifests = `
apiVersion: v1
kind: Namespace
metadata: {name: shop}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: web, namespace: shop}
---
apiVersion: secrets-store.csi.x-k8s.io/v1
kind: SecretProviderClass
metadata: {name: vault, namespace: shop}
spec:
  provider: azure
  parameters:
    clientID: 11111111-2222-3333-4444-555555555555
    tenantID: aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee
    keyvaultName: my-key-vault
    objects: |
      array:
        - |
          objectName: my-secret
          objectType: secret
---
apiVersion: secret-sync.x-k8s.io/v1alpha1
kind: SecretSync
metadata: {name: app, namespace: shop}
spec:
  serviceAccountName: web
  secretProviderClassName: vault
  secretObject: {data: [{sourcePath: my-secret, targetKey: key}]}
`
