// Package install_test holds the installation of the chart from the command line's binary to its promises, on a real API server
// that has nothing of it.
package install_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	clientscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/utils/clock"
	testclock "k8s.io/utils/clock/testing"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"secretstore/api/secretsync/v1alpha1"
	"secretstore/internal/migrate/act"
	"secretstore/internal/migrate/install"
	"secretstore/internal/migrate/model"
	"secretstore/test/chart"
	"secretstore/test/cluster"
)

// shared is the control plane. Its tests run one after the other: there is one installation in a cluster.
var shared *cluster.Cluster

func TestMain(m *testing.M) {
	log.SetLogger(logr.Discard())
	os.Exit(cluster.Shared(m, cluster.Options{}, &shared))
}

// step is the plan's, with an image.
func step() model.Change {
	return model.Change{ID: install.Step, Verb: model.Run, Command: install.Command([]string{
		"helm", "upgrade", "--install", "secretstore", "charts/secretstore", "--namespace", "secretstore-system", "--create-namespace",
		"--set", "image.repository=${SECRETSTORE_IMAGE_REPOSITORY}", "--set", "image.digest=${SECRETSTORE_IMAGE_DIGEST}",
	}, "", "registry.example/secretstore:v1")}
}

func start(t *testing.T) (*install.Chart, client.Client) {
	t.Helper()
	scheme := runtime.NewScheme()
	if err := errors.Join(clientscheme.AddToScheme(scheme), apiextensionsv1.AddToScheme(scheme), v1alpha1.AddToScheme(scheme)); err != nil {
		t.Fatal(err)
	}
	kube, err := client.New(shared.Config(), client.Options{Scheme: scheme})
	if err != nil {
		t.Fatal(err)
	}
	c, err := install.New(shared.Config(), clock.RealClock{})
	if err != nil {
		t.Fatal(err)
	}
	return c, kube
}

// definitions are the names of the definitions that are there.
func definitions(ctx context.Context, t *testing.T, kube client.Client) []string {
	t.Helper()
	var found apiextensionsv1.CustomResourceDefinitionList
	if err := kube.List(ctx, &found); err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, d := range found.Items {
		if d.DeletionTimestamp.IsZero() {
			names = append(names, d.Spec.Names.Plural)
		}
	}
	slices.Sort(names)
	return names
}

// TestInstallAndRemove: what is installed is the chart, once; what is removed is what was made, but for what is in use.
func TestInstallAndRemove(t *testing.T) {
	ctx, key := t.Context(), client.ObjectKey{Namespace: "secretstore-system", Name: "secretstore-sync-hash-key"}
	c, kube := start(t)
	if did, err := c.Install(ctx, step()); err != nil || !did {
		t.Fatalf("installing: %v %v", did, err)
	}
	var controller appsv1.Deployment
	var secret corev1.Secret
	if err := errors.Join(kube.Get(ctx, key, &secret),
		kube.Get(ctx, client.ObjectKey{Namespace: "secretstore-system", Name: "secretstore-controller"}, &controller)); err != nil {
		t.Fatal(err)
	}
	if image := controller.Spec.Template.Spec.Containers[0].Image; image != "registry.example/secretstore:v1" {
		t.Errorf("the image is %s", image)
	}
	if did, err := c.Install(ctx, step()); err != nil || did {
		t.Errorf("installing again changed something: %v %v", did, err)
	}
	account := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: "secretstore-system", Name: "secretstore-controller"}}
	finalizers := func(list string) error {
		return kube.Patch(ctx, account, client.RawPatch(types.MergePatchType, []byte(`{"metadata":{"finalizers":`+list+`}}`)))
	}
	if err := errors.Join(finalizers(`["test/stays"]`), kube.Delete(ctx, account)); err != nil {
		t.Fatal(err)
	}
	awaited(t, (*install.Chart).Install, func() error { return finalizers("null") })
	if err := kube.Get(ctx, client.ObjectKeyFromObject(account), account); err != nil || account.DeletionTimestamp != nil {
		t.Errorf("what was going is not made anew: %v, %v", account.DeletionTimestamp, err)
	}
	var again corev1.Secret
	if err := kube.Get(ctx, key, &again); err != nil || string(again.Data["key"]) != string(secret.Data["key"]) {
		t.Errorf("the key of hashes is another one: %v", err)
	}

	sync := &v1alpha1.SecretSync{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "app"}, Spec: v1alpha1.SecretSyncSpec{
		SecretProviderClassName: "app", ServiceAccountName: "default",
		SecretObject: v1alpha1.SecretObject{Type: "Opaque", Data: []v1alpha1.SecretObjectData{{SourcePath: "a", TargetKey: "a"}}},
	}}
	others := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "secretstore-system", Name: "others"}}
	if err := errors.Join(kube.Create(ctx, sync), kube.Create(ctx, others)); err != nil {
		t.Fatal(err)
	}
	if did, err := c.Remove(ctx, step()); err != nil || !did {
		t.Fatalf("removing: %v %v", did, err)
	}
	if diff := cmp.Diff([]string{"secretsyncs"}, definitions(ctx, t, kube)); diff != "" {
		t.Errorf("the definition that has an object stays, and no other (-want +got):\n%s", diff)
	}
	if err := kube.Get(ctx, key, &again); !apierrors.IsNotFound(err) {
		t.Errorf("the key is still there: %v", err)
	}
	if err := kube.Get(ctx, client.ObjectKeyFromObject(others), others); err != nil || !others.DeletionTimestamp.IsZero() {
		t.Errorf("what others have in the namespace is gone: %v", err)
	}
	owned := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{
		Namespace: "default", Name: "app", Labels: map[string]string{v1alpha1.SecretLabel: ""},
		OwnerReferences: []metav1.OwnerReference{*metav1.NewControllerRef(sync, v1alpha1.GroupVersion().WithKind("SecretSync"))},
	}}
	if err := errors.Join(kube.Create(ctx, owned), kube.Delete(ctx, sync), kube.Delete(ctx, others)); err != nil {
		t.Fatal(err)
	}
	// The garbage collector, which this cluster has not, would have to know the kind of its owner.
	awaited(t, (*install.Chart).Remove, func() error {
		if diff := cmp.Diff([]string{"secretsyncs"}, definitions(ctx, t, kube)); diff != "" {
			t.Errorf("the definition went before its Secrets (-want +got):\n%s", diff)
		}
		return kube.Delete(ctx, owned)
	})
	if left := definitions(ctx, t, kube); len(left) > 0 {
		t.Errorf("left are %v", left)
	}
}

// awaited does something that has to wait, and what it waits for meanwhile.
func awaited(t *testing.T, do func(*install.Chart, context.Context, model.Change) (bool, error), meanwhile func() error) {
	t.Helper()
	at := testclock.NewFakeClock(time.Now())
	c, err := install.New(shared.Config(), at)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() {
		did, err := do(c, t.Context(), step())
		if err == nil && !did {
			err = errors.New("nothing had to be done")
		}
		done <- err
	}()
	cluster.Eventually(t, time.Minute, func() error {
		if !at.HasWaiters() {
			return errors.New("it does not wait")
		}
		return nil
	})
	if err := meanwhile(); err != nil {
		t.Fatal(err)
	}
	cluster.Eventually(t, time.Minute, func() error {
		at.Step(time.Second)
		select {
		case err := <-done:
			done <- err
			return nil
		default:
			return errors.New("it waits on")
		}
	})
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// TestRightsAreLacking: what is not allowed is named, with the object and the cure.
func TestRightsAreLacking(t *testing.T) {
	_, kube := start(t)
	every := []string{"*"}
	reads := &rbacv1.ClusterRole{
		ObjectMeta: metav1.ObjectMeta{Name: "reads-all"},
		Rules:      []rbacv1.PolicyRule{{APIGroups: every, Resources: every, Verbs: []string{"get", "list"}}},
	}
	binding := &rbacv1.ClusterRoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: reads.Name}, Subjects: []rbacv1.Subject{{Kind: "User", Name: "reader"}},
		RoleRef: rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: reads.Name},
	}
	if err := errors.Join(kube.Create(t.Context(), reads), kube.Create(t.Context(), binding)); err != nil {
		t.Fatal(err)
	}
	config := rest.CopyConfig(shared.Config())
	config.Impersonate.UserName = "reader"
	c, err := install.New(config, clock.RealClock{})
	if err != nil {
		t.Fatal(err)
	}
	cluster.Eventually(t, time.Minute, func() error { // the API server may not know the rights yet
		did, err := c.Install(t.Context(), step())
		if did || err == nil {
			t.Fatalf("it installs: %v, %v", did, err)
		}
		for _, text := range []string{"installing the chart: ", "cannot patch resource", "have that allowed, and run again"} {
			if !strings.Contains(err.Error(), text) {
				return fmt.Errorf("%w does not say %q", err, text)
			}
		}
		return nil
	})
}

// TestOthersInstallationsAreLeftAlone: an installation by Helm is passed over, and nothing of it is removed; another command is a
// person's.
func TestOthersInstallationsAreLeftAlone(t *testing.T) {
	c, kube := start(t)
	ctx, ns := t.Context(), shared.Namespace(t)
	labels := map[string]string{"app.kubernetes.io/name": "secretstore-controller", "app.kubernetes.io/managed-by": "Helm"}
	helm := &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: "secretstore-controller", Labels: labels},
		Spec: appsv1.DeploymentSpec{
			Selector: &metav1.LabelSelector{MatchLabels: labels},
			Template: corev1.PodTemplateSpec{
				ObjectMeta: metav1.ObjectMeta{Labels: labels},
				Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "c", Image: "i"}}},
			},
		},
	}
	if err := kube.Create(ctx, helm); err != nil {
		t.Fatal(err)
	}
	if did, err := c.Install(ctx, step()); err != nil || did {
		t.Errorf("installing beside Helm's: %v %v", did, err)
	}
	if did, err := c.Remove(ctx, step()); err != nil || did {
		t.Errorf("removing Helm's: %v %v", did, err)
	}
	if err := kube.Delete(ctx, helm); err != nil {
		t.Fatal(err)
	}
	byHand := (*act.ByHandError)(nil)
	for _, do := range []func(context.Context, model.Change) (bool, error){c.Install, c.Remove} {
		if _, err := do(ctx, model.Change{Command: []string{"helm", "uninstall", "csi", "--namespace", "kube-system"}}); !errors.As(err, &byHand) {
			t.Errorf("got %v, want that a person does it", err)
		}
	}
}

// TestWhatIsInstalledIsWhatHelmInstalls: but for who manages it, the objects are those that the chart of the repository renders to.
func TestWhatIsInstalledIsWhatHelmInstalls(t *testing.T) {
	values := map[string]any{
		"image": map[string]any{"repository": "r", "tag": "t"}, "syncHashKey": map[string]any{"existingSecret": "k"},
	}
	helm, err := chart.Release{Namespace: "there", Kubernetes: "v1.34.4"}.Render(t.Context(), values)
	if err != nil {
		t.Fatal(err)
	}
	objects, err := install.Release{Name: "secretstore", Namespace: "there", Kubernetes: "v1.34.4", Values: values}.Render(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	text, got := string(helm), map[string]int{}
	for _, object := range objects {
		if object.GetLabels()["app.kubernetes.io/managed-by"] != install.Manager {
			t.Errorf("%s %s does not say who manages it", object.GetKind(), object.GetName())
		}
		got[object.GetKind()]++
	}
	for kind, n := range got {
		want := strings.Count(text, "\nkind: "+kind+"\n")
		if kind != "Namespace" && kind != "CustomResourceDefinition" && n != want {
			t.Errorf("%d objects of kind %s, want %d", n, kind, want)
		}
	}
	if got["Namespace"] != 1 || got["CustomResourceDefinition"] != 3 {
		t.Errorf("got %v", got)
	}
	if objects[0].GetKind() != "CustomResourceDefinition" || objects[3].GetKind() != "Namespace" ||
		objects[len(objects)-1].GetKind() != "Deployment" {
		t.Error("definitions and the namespace come first, and the pods last")
	}
}
