//go:build long

package takeover_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	csi "sigs.k8s.io/secrets-store-csi-driver/apis/v1"

	"secretstore/test/cluster"
)

// The shop is taken back from after each stage: every spec is byte for byte what it was, and the driver's Secrets are its own again.
func TestShopIsTakenBack(t *testing.T) {
	objects := load(t, shopDir)
	w := newWorld(t, objects)
	recorder, before, rights := w.record(), w.specs(), w.rightsOf(oldPrincipal)
	w.migrate("plan")
	w.answer(allOfTheShop())
	image := []string{"--image", "registry.example.com/secretstore:v1"}
	steps := []struct {
		verb string
		code int // 5 where it stops at a gate
	}{
		{"prepare", 0},
		{"switchover", 5},
		{"translate", 5},
		{"workloads", 0},
		{"translate", 0},
		{"switchover", 0},
		{"verify", 0},
		{"cleanup", 5},
	}
	for after := range steps {
		name := fmt.Sprintf("%d %s", after+1, steps[after].verb)
		for _, step := range steps[:after+1] {
			args := []string{step.verb, "--apply"}
			if step.verb == "switchover" {
				args = append(args, image...)
			}
			if done := w.migrate(args...); done.code != step.code {
				t.Fatalf("after %s: %s ended with exit code %d, want %d: %s", name, step.verb, done.code, step.code, done.said)
			}
		}
		if done := w.migrate("rollback", "--to", "inventory", "--apply"); done.code != 0 {
			t.Fatalf("after %s: the rollback ended with exit code %d: %s", name, done.code, done.said)
		}
		if err := w.AwaitRunning(t.Context()); err != nil {
			t.Fatalf("after %s: %v", name, err)
		}
		if diff := cmp.Diff(before, w.specs()); diff != "" {
			t.Errorf("after %s and back (-want +got):\n%s", name, diff)
		}
		w.expectDriversOwners(name)
		if diff := cmp.Diff(rights, w.rightsOf(oldPrincipal)); diff != "" {
			t.Errorf("after %s and back, rights of the old principal (-want +got):\n%s", name, diff)
		}
		if there, err := w.HasExtension(t.Context()); err != nil || !there {
			t.Errorf("after %s and back the extension is there: %t, %v", name, there, err)
		}
		expectNone(t, recorder)
		if t.Failed() {
			return
		}
	}
	w.expectNoValueShown()
}

// specs are the specs of all that the shop is made of, and of its Secrets type, labels and data, by kind and name; of a pod that
// stands alone without what admission and the scheduler put in.
func (w *world) specs() map[string]string {
	w.t.Helper()
	found := map[string]string{}
	lists := []client.ObjectList{
		&appsv1.DeploymentList{}, &appsv1.StatefulSetList{}, &appsv1.DaemonSetList{}, &batchv1.CronJobList{}, &batchv1.JobList{},
		&corev1.PodList{}, &csi.SecretProviderClassList{}, &networkingv1.IngressList{}, &corev1.SecretList{}, &corev1.ServiceAccountList{},
	}
	for _, list := range lists {
		w.list(list)
		w.each(list, func(o client.Object) {
			if !strings.HasPrefix(o.GetNamespace(), "shop-") {
				return
			}
			if _, is := o.(*corev1.Pod); is && len(o.GetOwnerReferences()) > 0 {
				return
			}
			found[fmt.Sprintf("%T %s/%s", o, o.GetNamespace(), o.GetName())] = w.specOf(o)
		})
	}
	return found
}

// specOf is the spec of an object as JSON.
func (w *world) specOf(o client.Object) string {
	w.t.Helper()
	switch o := o.(type) {
	case *corev1.Secret:
		return w.text([]any{o.Type, o.Labels, o.Annotations, o.Data})
	case *corev1.Pod:
		o.Spec.NodeName = ""
		isToken := func(name string) bool { return strings.HasPrefix(name, "kube-api-access-") }
		o.Spec.Volumes = slices.DeleteFunc(o.Spec.Volumes, func(v corev1.Volume) bool { return isToken(v.Name) })
		for i := range o.Spec.Containers {
			c := &o.Spec.Containers[i]
			c.VolumeMounts = slices.DeleteFunc(c.VolumeMounts, func(m corev1.VolumeMount) bool { return isToken(m.Name) })
		}
	}
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(o)
	if err != nil {
		w.t.Fatal(err)
	}
	text, err := json.Marshal(content["spec"])
	if err != nil {
		w.t.Fatal(err)
	}
	return string(text)
}

// expectDriversOwners: the Secrets that the driver made belong, soon, to owners of pods that mount their class, and to nobody else.
func (w *world) expectDriversOwners(after string) {
	w.t.Helper()
	made := map[string]bool{}
	cluster.Eventually(w.t, patience, func() error {
		var secrets corev1.SecretList
		if err := w.Client.List(w.t.Context(), &secrets, client.MatchingLabels{"secrets-store.csi.k8s.io/managed": "true"}); err != nil {
			return err
		}
		clear(made)
		for _, secret := range secrets.Items {
			made[secret.Namespace+"/"+secret.Name] = true
			if len(secret.OwnerReferences) == 0 {
				return fmt.Errorf("after %s and back Secret %s/%s has no owners", after, secret.Namespace, secret.Name)
			}
			for _, owner := range secret.OwnerReferences {
				if owner.Kind == "SecretSync" || owner.Kind == "SecretProviderClass" {
					return fmt.Errorf("after %s and back Secret %s/%s belongs to %s", after, secret.Namespace, secret.Name, owner.Kind)
				}
			}
		}
		return nil
	})
	want := []string{"shop-batch/import", "shop-data/ledger", "shop-edge/registry", "shop-edge/shop-tls", "shop-orders/orders-db", "shop-tools/console"}
	if diff := cmp.Diff(want, slices.Sorted(maps.Keys(made))); diff != "" {
		w.t.Errorf("after %s and back, Secrets of the driver (-want +got):\n%s", after, diff)
	}
}
