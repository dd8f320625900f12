package cluster_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"

	"secretstore/test/cluster"
	"secretstore/test/processes"
)

// shared is the cluster of this package's tests.
var shared *cluster.Cluster

func TestMain(m *testing.M) {
	code, orphan := processes.Orphan(func(dir string) error {
		_, err := cluster.Start(context.Background(), cluster.Options{Dir: dir})
		return err
	})
	if !orphan {
		code = cluster.Shared(m, cluster.Options{Log: os.Stderr, Manifests: [][]byte{[]byte(widgets)}}, &shared)
	}
	os.Exit(code)
}

// widgets is a definition that is there from the start, so that the garbage collector knows it.
const widgets = `
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.example.test}
spec:
  group: example.test
  scope: Namespaced
  names: {kind: Widget, plural: widgets}
  versions:
    - name: v1
      served: true
      storage: true
      schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}
`

// clientset returns the administrator's client.
func clientset(t *testing.T) *kubernetes.Clientset {
	t.Helper()
	client, err := kubernetes.NewForConfig(shared.Config())
	if err != nil {
		t.Fatal(err)
	}
	return client
}

// fetch gets a JSON document as someone who has no credential and trusts only the cluster's authority.
func fetch(t *testing.T, url string, into any) {
	t.Helper()
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(shared.CAPEM())
	anyone := http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}}}
	defer anyone.CloseIdleConnections()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := anyone.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	if response.StatusCode != http.StatusOK {
		t.Fatalf("GET %s: %s: %s", url, response.Status, body)
	}
	if err := json.Unmarshal(body, into); err != nil {
		t.Fatalf("GET %s: %v", url, err)
	}
}

// A stand-in for Entra must be able to check a service account's token as Entra does: from the issuer's URL alone.
func TestTokenVerifiesAgainstIssuer(t *testing.T) {
	const audience = "api://AzureADTokenExchange"
	token, err := shared.Token(t.Context(), shared.Namespace(t), "default", 600, audience)
	if err != nil {
		t.Fatal(err)
	}
	var discovery struct {
		Issuer string `json:"issuer"`
		Keys   string `json:"jwks_uri"`
	}
	fetch(t, shared.Issuer()+"/.well-known/openid-configuration", &discovery)
	if diff := cmp.Diff(shared.Issuer(), discovery.Issuer); diff != "" {
		t.Errorf("issuer (-want +got):\n%s", diff)
	}
	var keys jose.JSONWebKeySet
	fetch(t, discovery.Keys, &keys)
	parsed, err := jwt.ParseSigned(token, []jose.SignatureAlgorithm{jose.RS256})
	if err != nil {
		t.Fatal(err)
	}
	var claims jwt.Claims
	if err := parsed.Claims(keys, &claims); err != nil {
		t.Fatalf("verifying the signature: %v", err)
	}
	expected := jwt.Expected{Issuer: shared.Issuer(), AnyAudience: jwt.Audience{audience}, Time: time.Now()}
	if err := claims.ValidateWithLeeway(expected, time.Minute); err != nil {
		t.Error(err)
	}
}

func TestGarbageCollectorDeletesDependents(t *testing.T) {
	namespace, secrets := shared.Namespace(t), clientset(t).CoreV1()
	widget := fmt.Sprintf("{apiVersion: example.test/v1, kind: Widget, metadata: {name: owner, namespace: %s}}", namespace)
	if err := shared.Apply(t.Context(), []byte(widget)); err != nil {
		t.Fatal(err)
	}
	widgetURL := "/apis/example.test/v1/namespaces/" + namespace + "/widgets/owner"
	raw, err := secrets.RESTClient().Get().AbsPath(widgetURL).DoRaw(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var owner metav1.PartialObjectMetadata
	if err := json.Unmarshal(raw, &owner); err != nil {
		t.Fatal(err)
	}
	dependent := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{
		Name:            "dependent",
		OwnerReferences: []metav1.OwnerReference{{APIVersion: "example.test/v1", Kind: "Widget", Name: "owner", UID: owner.UID}},
	}}
	if _, err := secrets.Secrets(namespace).Create(t.Context(), dependent, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	if err := secrets.RESTClient().Delete().AbsPath(widgetURL).Do(t.Context()).Error(); err != nil {
		t.Fatal(err)
	}
	cluster.Eventually(t, 30*time.Second, func() error {
		_, err := secrets.Secrets(namespace).Get(t.Context(), "dependent", metav1.GetOptions{})
		return wantNotFound(err)
	})
}

func TestNamespaceDeletesFully(t *testing.T) {
	namespace, namespaces := shared.Namespace(t), clientset(t).CoreV1().Namespaces()
	if err := namespaces.Delete(t.Context(), namespace, metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	cluster.Eventually(t, time.Minute, func() error {
		_, err := namespaces.Get(t.Context(), namespace, metav1.GetOptions{})
		return wantNotFound(err)
	})
}

// wantNotFound turns "it is gone" into success.
func wantNotFound(err error) error {
	switch {
	case apierrors.IsNotFound(err):
		return nil
	case err == nil:
		return errors.New("it is still there")
	default:
		return err
	}
}

// The ValidatingAdmissionPolicies that the chart ships, and the owner references that the controller writes, are only
// tested if the API server of the tests has these.
func TestAdmission(t *testing.T) {
	namespace := shared.Namespace(t)
	manifests := fmt.Sprintf(`
apiVersion: v1
kind: ServiceAccount
metadata: {name: clerk, namespace: %[1]s}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: clerk-%[1]s}
rules: [{apiGroups: [""], resources: [secrets, configmaps], verbs: [create]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: clerk-%[1]s}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: clerk-%[1]s}
subjects: [{kind: ServiceAccount, name: clerk, namespace: %[1]s}]
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {name: no-configmaps-%[1]s}
spec:
  matchConstraints:
    resourceRules: [{apiGroups: [""], apiVersions: [v1], operations: [CREATE], resources: [configmaps]}]
  validations: [{expression: "object.metadata.namespace != '%[1]s'", message: no configmaps here}]
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata: {name: no-configmaps-%[1]s}
spec: {policyName: no-configmaps-%[1]s, validationActions: [Deny]}
`, namespace)
	if err := shared.Apply(t.Context(), []byte(manifests)); err != nil {
		t.Fatal(err)
	}
	cfg, err := shared.ServiceAccountConfig(t.Context(), namespace, "clerk")
	if err != nil {
		t.Fatal(err)
	}
	clerk, err := kubernetes.NewForConfig(cfg)
	if err != nil {
		t.Fatal(err)
	}
	blocking := []metav1.OwnerReference{{APIVersion: "example.test/v1", Kind: "Widget", Name: "w", UID: "u", BlockOwnerDeletion: new(true)}}
	tests := map[string]struct {
		reason string
		create func(ctx context.Context) error
		want   string // part of the refusal; empty if it must succeed
	}{
		"Allowed": {
			reason: "what RBAC allows is done",
			create: func(ctx context.Context) error {
				_, err := clerk.CoreV1().Secrets(namespace).Create(ctx,
					&corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "plain"}}, metav1.CreateOptions{})
				return err
			},
		},
		"NotInRole": {
			reason: "a service account may do no more than its role",
			create: func(ctx context.Context) error {
				_, err := clerk.CoreV1().Pods(namespace).List(ctx, metav1.ListOptions{})
				return err
			},
			want: `User "system:serviceaccount:` + namespace + `:clerk" cannot list resource "pods"`,
		},
		"BlockOwnerDeletion": {
			reason: "OwnerReferencesPermissionEnforcement refuses to block an owner that the account may not delete",
			create: func(ctx context.Context) error {
				_, err := clerk.CoreV1().Secrets(namespace).Create(ctx,
					&corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "blocking", OwnerReferences: blocking}}, metav1.CreateOptions{})
				return err
			},
			want: "cannot set blockOwnerDeletion",
		},
		"Policy": {
			reason: "a ValidatingAdmissionPolicy is enforced",
			create: func(ctx context.Context) error {
				_, err := clerk.CoreV1().ConfigMaps(namespace).Create(ctx,
					&corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{GenerateName: "c-"}}, metav1.CreateOptions{})
				return err
			},
			want: "no configmaps here",
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			// Roles and policies reach the API server's caches a moment after they are written.
			cluster.Eventually(t, 10*time.Second, func() error {
				err := test.create(t.Context())
				if (err == nil) != (test.want == "") || (err != nil && !strings.Contains(err.Error(), test.want)) {
					return fmt.Errorf("%s: want %q, got: %w", test.reason, test.want, err)
				}
				return nil
			})
		})
	}
}

func TestKubeconfigFile(t *testing.T) {
	namespace := shared.Namespace(t)
	cfg, err := shared.ServiceAccountConfig(t.Context(), namespace, "default")
	if err != nil {
		t.Fatal(err)
	}
	path, err := shared.KubeconfigFile("account", cfg)
	if err != nil {
		t.Fatal(err)
	}
	read, err := clientcmd.BuildConfigFromFlags("", path)
	if err != nil {
		t.Fatal(err)
	}
	client, err := kubernetes.NewForConfig(read)
	if err != nil {
		t.Fatal(err)
	}
	_, err = client.CoreV1().Secrets(namespace).List(t.Context(), metav1.ListOptions{})
	if !apierrors.IsForbidden(err) || !strings.Contains(err.Error(), namespace+":default") {
		t.Errorf("listing secrets by the kubeconfig of a bare account: %v, want a refusal that names it", err)
	}
}

func TestApplyNamesWhatFails(t *testing.T) {
	tests := map[string]struct{ reason, manifest, want string }{
		"NotYAML":      {reason: "text that is no manifest", manifest: "a: b: c", want: "decoding a manifest"},
		"UnknownKind":  {reason: "a kind that nobody defined", manifest: "{apiVersion: x.test/v1, kind: Gizmo, metadata: {name: g}}", want: "applying Gizmo g"},
		"RefusedError": {reason: "an object that the API server refuses", manifest: "{apiVersion: v1, kind: Secret, metadata: {name: UPPER}}", want: "applying Secret UPPER"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			err := shared.Apply(t.Context(), []byte(test.manifest))
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("%s: got %v, want an error with %q", test.reason, err, test.want)
			}
		})
	}
}
