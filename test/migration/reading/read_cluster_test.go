package reading

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"secretstore/internal/migrate/model"
	"secretstore/internal/migrate/read"
	"secretstore/test/cluster"
	"secretstore/test/stack"
)

func digest(value []byte) string { return fmt.Sprintf("digest of %d bytes", len(value)) }

// typed is the administrator's client.
func typed(t testing.TB) kubernetes.Interface {
	t.Helper()
	client, err := kubernetes.NewForConfig(shared.Config())
	if err != nil {
		t.Fatal(err)
	}
	return client
}

// must fails the test on an error, and returns the value otherwise.
func must[T any](t testing.TB) func(value T, err error) T {
	t.Helper()
	return func(value T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return value
	}
}

// driverVolume mounts the class app.
func driverVolume(credential string) corev1.Volume {
	csi := &corev1.CSIVolumeSource{
		Driver: model.Driver, VolumeAttributes: map[string]string{"secretProviderClass": "app"},
	}
	if credential != "" {
		csi.NodePublishSecretRef = &corev1.LocalObjectReference{Name: credential}
	}
	return corev1.Volume{Name: "s", VolumeSource: corev1.VolumeSource{CSI: csi}}
}

// template is a pod's template with volumes.
func template(app string, volumes ...corev1.Volume) corev1.PodTemplateSpec {
	container := corev1.Container{Name: "c", Image: "registry.example/c:1"}
	for _, v := range volumes {
		container.VolumeMounts = append(container.VolumeMounts, corev1.VolumeMount{Name: v.Name, MountPath: "/" + v.Name})
	}
	return corev1.PodTemplateSpec{
		ObjectMeta: metav1.ObjectMeta{Labels: map[string]string{"app": app}},
		Spec:       corev1.PodSpec{Containers: []corev1.Container{container}, Volumes: volumes},
	}
}

// ownedBy is metadata of an object that another one controls.
func ownedBy(name string, gvk schema.GroupVersionKind, owner metav1.Object) metav1.ObjectMeta {
	return metav1.ObjectMeta{
		Name: name, Namespace: owner.GetNamespace(), OwnerReferences: []metav1.OwnerReference{*metav1.NewControllerRef(owner, gvk)},
	}
}

// estate applies the manifests and what owns something: Deployment -> ReplicaSet -> pod, and Shop -> pod.
func estate(t *testing.T) (namespace string) {
	t.Helper()
	namespace = shared.Namespace(t)
	manifest := bytes.ReplaceAll(testdata(t, "estate.yaml"), []byte("NAMESPACE"), []byte(namespace))
	if err := shared.Apply(t.Context(), manifest); err != nil {
		t.Fatal(err)
	}
	client := typed(t)
	web := must[*appsv1.Deployment](t)(client.AppsV1().Deployments(namespace).Create(t.Context(), &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Name: "web", Labels: map[string]string{"team": "shop"}},
		Spec: appsv1.DeploymentSpec{
			Selector: &metav1.LabelSelector{MatchLabels: map[string]string{"app": "web"}}, Template: template("web", driverVolume("creds")),
		},
	}, metav1.CreateOptions{FieldManager: "argocd-controller"}))
	for _, name := range []string{"web-1", "web-old"} {
		set := must[*appsv1.ReplicaSet](t)(client.AppsV1().ReplicaSets(namespace).Create(t.Context(), &appsv1.ReplicaSet{
			ObjectMeta: ownedBy(name, appsv1.SchemeGroupVersion.WithKind("Deployment"), web),
			Spec:       appsv1.ReplicaSetSpec{Selector: web.Spec.Selector, Template: web.Spec.Template},
		}, metav1.CreateOptions{}))
		if name == "web-1" {
			makePod(t, ownedBy("web-1-a", appsv1.SchemeGroupVersion.WithKind("ReplicaSet"), set), driverVolume("creds"))
		}
	}
	shops := schema.GroupVersionKind{Group: "example.com", Version: "v1", Kind: "Shop"}
	custom := must[dynamic.Interface](t)(dynamic.NewForConfig(shared.Config()))
	shop := must[*unstructured.Unstructured](t)(custom.Resource(shops.GroupVersion().WithResource("shops")).Namespace(namespace).
		Create(t.Context(), &unstructured.Unstructured{Object: map[string]any{
			"apiVersion": "example.com/v1", "kind": "Shop", "metadata": map[string]any{"name": "corner"},
		}}, metav1.CreateOptions{}))
	makePod(t, ownedBy("corner-1", shops, shop), driverVolume(""))
	makePod(t, ownedBy("corner-2", shops, shop)) // uses nothing
	return namespace
}

func makePod(t *testing.T, meta metav1.ObjectMeta, volumes ...corev1.Volume) {
	t.Helper()
	pod := template("x", volumes...)
	meta.Annotations = map[string]string{"note": "x"}
	must[*corev1.Pod](t)(typed(t).CoreV1().Pods(meta.Namespace).Create(t.Context(), &corev1.Pod{ObjectMeta: meta, Spec: pod.Spec},
		metav1.CreateOptions{}))
}

// names lists objects as `Kind name`, without what every namespace holds.
func names(s model.Snapshot) []string {
	var names []string
	for _, o := range s.Objects {
		names = append(names, o.Kind+" "+o.Name)
	}
	return names
}

// find returns an object of a snapshot.
func find(t *testing.T, s model.Snapshot, kind, name string) map[string]any {
	t.Helper()
	i := slices.IndexFunc(s.Objects, func(o model.Object) bool { return o.Kind == kind && o.Name == name })
	if i < 0 {
		t.Fatalf("%s %s is not in the snapshot", kind, name)
	}
	return s.Objects[i].Content
}

func TestCluster(t *testing.T) {
	namespace := estate(t)
	told := map[string]int{}
	snapshot, err := read.Cluster(t.Context(), shared.Config(), read.ClusterOptions{
		Digest: digest, Namespaces: []string{namespace}, Progress: func(text string, done int) { told[text] = done },
	})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"CronJob nightly", "Deployment web", "Ingress web", "Pod bare", "Pod corner-1", "Pod web-1-a", "PodDisruptionBudget web",
		"ReplicaSet web-1", "Secret app-tls", "Secret creds", "Secret managed", "Secret unrelated", "SecretProviderClass app",
		"SecretProviderClassPodStatus web-1-" + namespace + "-app", "ServiceAccount default", "Shop corner", "StatefulSet plain",
	}
	if diff := cmp.Diff(want, names(snapshot)); diff != "" {
		t.Errorf("objects (-want +got):\n%s", diff)
	}
	all, _ := json.Marshal(snapshot)
	for _, value := range []string{"hunter2", "aHVudGVyMg=="} {
		if bytes.Contains(all, []byte(value)) {
			t.Errorf("the value of a Secret is in the snapshot")
		}
	}
	system := must[*corev1.Namespace](t)(typed(t).CoreV1().Namespaces().Get(t.Context(), "kube-system", metav1.GetOptions{}))
	input := model.Input{
		Cluster: string(system.UID), Server: shared.Config().Host, Version: snapshot.Input.Version, Issuer: shared.Issuer(),
		Namespaces: []string{namespace},
	}
	if diff := cmp.Diff(input, snapshot.Input); diff != "" || !strings.HasPrefix(snapshot.Input.Version, "v1.") {
		t.Errorf("input (-want +got):\n%s", diff)
	}
	clients := map[string]string{namespace + "/creds": "11111111-2222-3333-4444-555555555555"}
	if diff := cmp.Diff(clients, snapshot.ClientIDs); diff != "" {
		t.Errorf("client IDs (-want +got):\n%s", diff)
	}
	if told["pods"] != 4 || told["secrets"] == 0 {
		t.Errorf("progress was %v", told)
	}
	testContents(t, snapshot)
}

// testContents looks at what is kept of each object.
func testContents(t *testing.T, s model.Snapshot) {
	t.Helper()
	for name, test := range map[string]struct {
		reason string
		object map[string]any
		path   model.Path
		want   any
	}{
		"a class's Secret": {"equality is shown by digests", find(t, s, "Secret", "app-tls"), model.Path{"data"}, map[string]any{"tls.crt": "digest of 7 bytes"}},
		"a driver's Secret": {
			"the label tells it", find(t, s, "Secret", "managed"), model.Path{"data"}, map[string]any{"password": "digest of 7 bytes"},
		},
		"a credential":        {"nothing of it is kept", find(t, s, "Secret", "creds"), model.Path{"data"}, nil},
		"another Secret":      {"its annotations may hold values", find(t, s, "Secret", "unrelated"), model.Path{"metadata", "annotations", "kubectl.kubernetes.io/last-applied-configuration"}, nil},
		"managers":            {"who deploys it", find(t, s, "Deployment", "web"), model.Path{"metadata", "managedFields"}, []any{map[string]any{"manager": "argocd-controller"}}},
		"others":              {"is left out", find(t, s, "StatefulSet", "plain"), model.Path{"metadata", "managedFields"}, nil},
		"status":              {"no stage needs it", find(t, s, "StatefulSet", "plain"), model.Path{"status"}, nil},
		"mounted":             {"who mounted what", find(t, s, "SecretProviderClassPodStatus", "web-1-"+s.Input.Namespaces[0]+"-app"), model.Path{"status", "podName"}, "web-1"},
		"a ReplicaSet's":      {"its owner has the template", find(t, s, "ReplicaSet", "web-1"), model.Path{"spec"}, nil},
		"an owned pod's":      {"what it does with Secrets", find(t, s, "Pod", "web-1-a"), model.Path{"spec", "containers", 0, "volumeMounts"}, []any{map[string]any{"name": "s", "mountPath": "/s"}}},
		"an owned pod's more": {"its template says it", find(t, s, "Pod", "web-1-a"), model.Path{"metadata", "annotations"}, nil},
		"a bare pod":          {"nobody else has it", find(t, s, "Pod", "bare"), model.Path{"spec", "containers", 0, "resources", "limits", "cpu"}, "1"},
		"phase":               {"whether it runs", find(t, s, "Pod", "bare"), model.Path{"status"}, map[string]any{"phase": "Pending"}},
	} {
		t.Run(name, func(t *testing.T) {
			got, _ := test.path.Get(test.object)
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("%s: %s (-want +got):\n%s", test.reason, test.path, diff)
			}
		})
	}
}

func TestClusterSelector(t *testing.T) {
	namespace := estate(t)
	options := read.ClusterOptions{Digest: digest, Namespaces: []string{namespace}, Selector: "team=shop"}
	snapshot := must[model.Snapshot](t)(read.Cluster(t.Context(), shared.Config(), options))
	for _, name := range []string{"Deployment web", "CronJob nightly", "Pod bare", "SecretProviderClass app"} {
		if !slices.Contains(names(snapshot), name) {
			t.Errorf("%s is missing", name)
		}
	}
	if slices.Contains(names(snapshot), "StatefulSet plain") {
		t.Error("a workload without the label was kept")
	}
	options.Selector = "a=b=c"
	if _, err := read.Cluster(t.Context(), shared.Config(), options); err == nil || !strings.Contains(err.Error(), "app=web") {
		t.Errorf("a bad selector gave %v", err)
	}
}

// account makes a service account that may do nothing, and returns its configuration.
func account(t *testing.T, namespace, name string) *rest.Config {
	t.Helper()
	must[*corev1.ServiceAccount](t)(typed(t).CoreV1().ServiceAccounts(namespace).Create(t.Context(),
		&corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: name}}, metav1.CreateOptions{}))
	return must[*rest.Config](t)(shared.ServiceAccountConfig(t.Context(), namespace, name))
}

// bind gives a service account a ClusterRole.
func bind(t *testing.T, namespace, account, role string) {
	t.Helper()
	must[*rbacv1.ClusterRoleBinding](t)(typed(t).RbacV1().ClusterRoleBindings().Create(t.Context(), &rbacv1.ClusterRoleBinding{
		ObjectMeta: metav1.ObjectMeta{GenerateName: "reading-"},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: role},
		Subjects:   []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Namespace: namespace, Name: account}},
	}, metav1.CreateOptions{}))
}

func TestClusterForbidden(t *testing.T) {
	namespace := estate(t)
	config := account(t, namespace, "reader")
	if err := shared.Apply(t.Context(), []byte("apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: some}\n"+
		"rules: [{apiGroups: [\"\"], resources: [pods, serviceaccounts], verbs: [list]}]\n")); err != nil {
		t.Fatal(err)
	}
	bind(t, namespace, "reader", "some")
	options := read.ClusterOptions{Digest: digest}
	var forbidden *read.ForbiddenError
	cluster.Eventually(t, 10*time.Second, func() error { // the role has to reach the authoriser
		_, err := read.Cluster(t.Context(), config, options)
		if !errors.As(err, &forbidden) {
			t.Fatalf("got %v", err)
		}
		if strings.Contains(forbidden.ClusterRole(), "serviceaccounts") {
			return errors.New("what is allowed is in the role")
		}
		return nil
	})
	if !strings.Contains(forbidden.Error(), forbidden.ClusterRole()) || !strings.Contains(forbidden.Error(), "create clusterrolebinding") {
		t.Errorf("the error does not say what to apply: %v", forbidden)
	}
	for round := 1; ; round++ {
		if err := shared.Apply(t.Context(), []byte(forbidden.ClusterRole())); err != nil {
			t.Fatal(err)
		}
		bind(t, namespace, "reader", "secretstore-migrate-read")
		last := forbidden.ClusterRole()
		var err error
		cluster.Eventually(t, 10*time.Second, func() error {
			if _, err = read.Cluster(t.Context(), config, options); errors.As(err, &forbidden) && forbidden.ClusterRole() == last {
				return errors.New("not yet")
			}
			return nil
		})
		if err == nil {
			return
		}
		// The kinds that own pods are known only once the pods are.
		if round > 1 || !errors.As(err, &forbidden) {
			t.Fatalf("round %d: %v", round, err)
		}
		if !strings.Contains(forbidden.ClusterRole(), "shops") {
			t.Fatalf("the first role was not complete: %v", err)
		}
	}
}

func TestClusterUnreachable(t *testing.T) {
	address, err := stack.FreeAddress(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	expired := rest.AnonymousClientConfig(shared.Config())
	expired.BearerToken = "nobody's"
	for name, test := range map[string]struct {
		reason string
		config *rest.Config
		want   []string
	}{
		"nobody there":  {"says where and what to look at", &rest.Config{Host: "https://" + address}, []string{address, "kubectl config current-context"}},
		"nobody's":      {"a token that has run out is no matter of the network", expired, []string{shared.Config().Host, "log in"}},
		"other's certs": {"another authority signed for it", &rest.Config{Host: shared.Config().Host}, []string{"certificate"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := read.Cluster(t.Context(), test.config, read.ClusterOptions{Digest: digest})
			if _, ok := errors.AsType[*read.UnreachableError](err); !ok {
				t.Fatalf("%s: got %v", test.reason, err)
			}
			for _, want := range test.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%s: %v does not say %q", test.reason, err, want)
				}
			}
		})
	}
}
