package takeover_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	csi "sigs.k8s.io/secrets-store-csi-driver/apis/v1"

	"secretstore/test/rig"
)

// tenant is that of the shop's vaults.
const tenant = "7a1e0000-1111-4222-8333-0000000000aa"

func get[T client.Object](t *testing.T, into T, namespace, name string) T {
	t.Helper()
	if err := shared.Client.Get(t.Context(), client.ObjectKey{Namespace: namespace, Name: name}, into); err != nil {
		t.Fatal(err)
	}
	return into
}

// The driver's Secrets are as the driver makes them: what entries ask for, its label and field manager, the pods' own owners, and the
// vault's bytes.
func TestSyncedSecrets(t *testing.T) {
	cases := map[string]struct {
		namespace, name string
		kind            corev1.SecretType
		labels          map[string]string
		annotations     map[string]string
		owners          []string // their kinds
		keys            map[string]string
		vault           string
	}{
		"of two Deployments": {
			namespace: "shop-orders", name: "orders-db", kind: corev1.SecretTypeOpaque,
			labels:      map[string]string{"team": "orders", "secrets-store.csi.k8s.io/managed": "true"},
			annotations: map[string]string{"shop.example.com/contact": "orders@example.com"},
			owners:      []string{"ReplicaSet", "ReplicaSet"},
			keys:        map[string]string{"username": "orders-db-user", "password": "OrdersDbPassword"}, vault: "kv-shop-main",
		},
		"of a StatefulSet": {
			namespace: "shop-data", name: "ledger", kind: corev1.SecretTypeOpaque, owners: []string{"StatefulSet"},
			keys: map[string]string{"key": "ledger-key"}, vault: "kv-shop-pay",
		},
		"of a Job that has ended": {
			namespace: "shop-batch", name: "import", kind: corev1.SecretTypeOpaque, owners: []string{"Job"},
			keys: map[string]string{"token": "import-token"}, vault: "kv-shop-main",
		},
		"of a pod that nobody owns": {
			namespace: "shop-tools", name: "console", kind: corev1.SecretTypeOpaque, owners: []string{"SecretProviderClassPodStatus"},
			keys: map[string]string{"password": "console-password"}, vault: "kv-shop-pay",
		},
		"for pulling images": {
			namespace: "shop-edge", name: "registry", kind: corev1.SecretTypeDockerConfigJson, owners: []string{"ReplicaSet"},
			keys: map[string]string{".dockerconfigjson": "registry-config"}, vault: "kv-shop-main",
		},
		"a certificate": {namespace: "shop-edge", name: "shop-tls", kind: corev1.SecretTypeTLS, owners: []string{"ReplicaSet"}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			secret := &corev1.Secret{}
			var owners []string
			eventually(t, func() bool {
				secret, owners = get(t, &corev1.Secret{}, c.namespace, c.name), nil
				for _, o := range secret.OwnerReferences {
					owners = append(owners, o.Kind)
				}
				return len(owners) >= len(c.owners)
			})
			if c.labels == nil {
				c.labels = map[string]string{"secrets-store.csi.k8s.io/managed": "true"}
			}
			got := []any{secret.Type, secret.Labels, secret.Annotations, owners, secret.ManagedFields[0].Manager}
			if diff := cmp.Diff([]any{c.kind, c.labels, c.annotations, c.owners, "csi-secrets-store"}, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			for key, object := range c.keys {
				want, err := shared.Stack.Get(t.Context(), c.vault, object, rig.Operator(tenant))
				if err != nil {
					t.Fatal(err)
				}
				if string(secret.Data[key]) != want {
					t.Errorf("key %s is not what the vault has of %s", key, object)
				}
			}
			if c.kind == corev1.SecretTypeTLS && !strings.Contains(string(secret.Data["tls.crt"]), "BEGIN CERTIFICATE") {
				t.Error("tls.crt is no certificate")
			}
		})
	}
}

// A status says which versions a pod has mounted.
func TestPodStatus(t *testing.T) {
	status := get(t, &csi.SecretProviderClassPodStatus{}, "shop-data", "ledger-0-shop-data-ledger")
	pod := get(t, &corev1.Pod{}, "shop-data", "ledger-0")
	var ids []string
	for _, o := range status.Status.Objects {
		ids = append(ids, o.ID)
		if len(o.Version) != 32 {
			t.Errorf("%s has version %q", o.ID, o.Version)
		}
	}
	if diff := cmp.Diff([]string{"secret/ledger-dump", "secret/ledger-key"}, ids); diff != "" {
		t.Errorf("objects (-want +got):\n%s", diff)
	}
	if status.OwnerReferences[0].UID != pod.UID || status.Labels[csi.InternalNodeLabel] != pod.Spec.NodeName {
		t.Errorf("it belongs to %v on %v", status.OwnerReferences, status.Labels)
	}
}

// Every kind of workload rolls out, and a rollout by its strategy is no violation.
func TestWorkloadsRollOut(t *testing.T) {
	recorder := record(t)
	restart(t, &appsv1.DeploymentList{}, "spec", "template")
	restart(t, &appsv1.StatefulSetList{}, "spec", "template")
	restart(t, &appsv1.DaemonSetList{}, "spec", "template")
	if err := shared.AwaitRunning(t.Context()); err != nil {
		t.Fatal(err)
	}
	cron := get(t, &batchv1.CronJob{}, "shop-batch", "export")
	job := &batchv1.Job{Spec: cron.Spec.JobTemplate.Spec}
	job.Namespace, job.Name = cron.Namespace, "export-by-hand"
	if err := shared.Client.Create(t.Context(), job); err != nil {
		t.Fatal(err)
	}
	if err := shared.AwaitRunning(t.Context()); err != nil {
		t.Fatal(err)
	}
	expectViolations(t, recorder, "shop-")
	ready := func(line string) bool { return strings.Contains(line, "Pod shop-data/ledger-2: ready is true") }
	if n := len(slices.DeleteFunc(recorder.Timeline(), func(line string) bool { return !ready(line) })); n != 2 {
		t.Errorf("the recorder saw the last pod of the StatefulSet become ready %d times, want twice", n)
	}
}

// restart changes the pod template of every workload of a kind, as kubectl rollout restart does.
func restart(t *testing.T, list client.ObjectList, path ...string) {
	t.Helper()
	if err := shared.Client.List(t.Context(), list); err != nil {
		t.Fatal(err)
	}
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(list)
	if err != nil {
		t.Fatal(err)
	}
	gvk, err := shared.Client.GroupVersionKindFor(list)
	if err != nil {
		t.Fatal(err)
	}
	items, _, _ := unstructured.NestedSlice(content, "items")
	for _, item := range items {
		object := &unstructured.Unstructured{Object: item.(map[string]any)}
		object.SetGroupVersionKind(gvk.GroupVersion().WithKind(strings.TrimSuffix(gvk.Kind, "List")))
		if !strings.HasPrefix(object.GetNamespace(), "shop-") {
			continue
		}
		patch := `{"` + strings.Join(path, `":{"`) + `":{"metadata":{"annotations":{"restarted":"` + t.Name() + `"}}}` + strings.Repeat("}", len(path))
		if err := shared.Client.Patch(t.Context(), object, client.RawPatch("application/merge-patch+json", []byte(patch))); err != nil {
			t.Fatal(err)
		}
	}
}
