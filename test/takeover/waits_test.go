package takeover_test

import (
	"fmt"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"secretstore/test/cluster"
	"secretstore/test/rig"
)

// The parts that tests here are made of.
const (
	credentials = `
apiVersion: v1
kind: Secret
metadata: {name: creds}
stringData: {clientid: 01d00000-5555-4666-8777-0000000000bb, clientsecret: canary-shop-client-secret}
`
	class = `
apiVersion: secrets-store.csi.x-k8s.io/v1
kind: SecretProviderClass
metadata: {name: class}
spec:
  provider: azure
  parameters:
    keyvaultName: kv-shop-main
    tenantId: 7a1e0000-1111-4222-8333-0000000000aa
    objects: |
      array:
        - |
          objectName: web-session-key
          objectType: secret
  secretObjects:
    - secretName: synced
      type: Opaque
      data: [{objectName: web-session-key, key: key}]
`
	plain = `
apiVersion: v1
kind: Secret
metadata: {name: plain}
stringData: {key: canary}
`
	mount = `{name: v, csi: {driver: secrets-store.csi.k8s.io, readOnly: true, volumeAttributes: {secretProviderClass: class}, ` +
		`nodePublishSecretRef: {name: creds}}}`
)

// pod is a manifest of one with volumes and a container's other fields.
func pod(volumes, container string) string {
	return fmt.Sprintf(`
apiVersion: v1
kind: Pod
metadata: {name: pod}
spec:
  containers: [{name: c, image: registry.example.com/x:1 %s}]
  volumes: [%s]
`, container, volumes)
}

// deployment is a manifest of one with its replicas and volumes; its container reads key of a Secret, if one is named.
func deployment(name string, n int, secret, volumes string) string {
	env := ""
	if secret != "" {
		env = ", env: [{name: KEY, valueFrom: {secretKeyRef: {name: " + secret + ", key: key}}}]"
	}
	return fmt.Sprintf(`
apiVersion: apps/v1
kind: Deployment
metadata: {name: %s}
spec:
  replicas: %d
  revisionHistoryLimit: 0
  selector: {matchLabels: {app: %s}}
  template:
    metadata: {labels: {app: %s}}
    spec:
      terminationGracePeriodSeconds: 1
      containers: [{name: c, image: registry.example.com/x:1 %s}]
      volumes: [%s]
`, name, n, name, name, env, volumes)
}

// apply applies manifests in a namespace.
func apply(t *testing.T, namespace string, manifests ...string) {
	t.Helper()
	for _, manifest := range manifests {
		placed := strings.Replace(manifest, "metadata: {", "metadata: {namespace: "+namespace+", ", 1)
		if err := shared.Cluster.Apply(t.Context(), []byte(placed)); err != nil {
			t.Fatal(err)
		}
	}
}

// awaitPods waits until all pods of a namespace are ready, and there are n.
func awaitPods(t *testing.T, namespace string, n int) {
	t.Helper()
	cluster.Eventually(t, patience, func() error {
		var pods corev1.PodList
		if err := shared.Client.List(t.Context(), &pods, client.InNamespace(namespace)); err != nil {
			return err
		}
		for _, pod := range pods.Items {
			if ready, why := readiness(&pod); !ready {
				return fmt.Errorf("pod %s: %s", pod.Name, why)
			}
		}
		if len(pods.Items) != n {
			return fmt.Errorf("%d pods", len(pods.Items))
		}
		return nil
	})
}

// readiness says whether a pod is ready, and what its volumes wait for.
func readiness(pod *corev1.Pod) (ready bool, why string) {
	for _, c := range pod.Status.Conditions {
		switch c.Type {
		case corev1.PodReady:
			ready = c.Status == corev1.ConditionTrue
		case corev1.PodReadyToStartContainers:
			why = c.Message
		}
	}
	return ready && pod.DeletionTimestamp == nil, why
}

// A pod becomes ready when all that it mounts and reads is there, and says until then what is not.
func TestPodsWaitForWhatTheyRead(t *testing.T) {
	secret := `{name: v, secret: {secretName: plain}}`
	cases := map[string]struct {
		before []string
		pod    string
		says   string
		cure   string
	}{
		"a class":      {[]string{credentials}, pod(mount, ""), `"class" not found`, class},
		"a credential": {[]string{class}, pod(mount, ""), `"creds" not found`, credentials},
		"a client secret that is wrong": {
			[]string{class, strings.Replace(credentials, "canary-shop", "canary-wrong", 1)}, pod(mount, ""), "AADSTS7000215", credentials,
		},
		"an object of the vault": {
			[]string{credentials, strings.ReplaceAll(class, "web-session-key", "no-such")}, pod(mount, ""), "SecretNotFound", class,
		},
		"a Secret in a volume": {nil, pod(secret, ""), `"plain" not found`, plain},
		"a key by its item": {
			[]string{strings.Replace(plain, "key:", "other:", 1)},
			pod(`{name: v, secret: {secretName: plain, items: [{key: key, path: a/b}]}}`, ""), `no key "key"`, plain,
		},
		"a key in a projected volume": {
			[]string{strings.Replace(plain, "key:", "other:", 1)},
			pod(`{name: v, projected: {sources: [{secret: {name: plain, items: [{key: key, path: a}]}}]}}`, ""), `no key "key"`, plain,
		},
		"a key by environment": {
			[]string{strings.Replace(plain, "key:", "other:", 1)},
			pod("", `, env: [{name: K, valueFrom: {secretKeyRef: {name: plain, key: key}}}]`), `no key "key"`, plain,
		},
		"a Secret by environment": {nil, pod("", `, envFrom: [{secretRef: {name: plain}}]`), `"plain" not found`, plain},
		"a path of a Secret": {
			[]string{strings.Replace(plain, "key:", "other:", 1)},
			pod(secret, `, volumeMounts: [{name: v, mountPath: /k, subPath: key}]`), `no path "key"`, plain,
		},
		"a path of a class": {
			[]string{credentials, strings.Replace(class, "objectType: secret\n", "objectType: secret\n          objectAlias: other\n", 1)},
			pod(mount, `, volumeMounts: [{name: v, mountPath: /k, subPath: web-session-key}]`), `no path "web-session-key"`, class,
		},
		"a Secret that the driver makes": {
			[]string{credentials, class}, pod(secretOf("synced"), ""), `"synced" not found`, deployment("other", 1, "", mount),
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			namespace := shared.Cluster.Namespace(t)
			apply(t, namespace, c.before...)
			apply(t, namespace, c.pod)
			found := &corev1.Pod{}
			eventually(t, func() bool {
				found = get(t, &corev1.Pod{}, namespace, "pod")
				_, why := readiness(found)
				return strings.Contains(why, c.says)
			})
			if ready, _ := readiness(found); ready || found.Status.Phase != corev1.PodPending {
				t.Errorf("it is %s, ready %t", found.Status.Phase, ready)
			}
			apply(t, namespace, c.cure)
			eventually(t, func() bool {
				ready, _ := readiness(get(t, &corev1.Pod{}, namespace, "pod"))
				return ready
			})
		})
	}
}

func secretOf(name string) string { return "{name: v, secret: {secretName: " + name + "}}" }

// What is optional holds nothing up.
func TestOptionalSecretsHoldNothingUp(t *testing.T) {
	namespace := shared.Cluster.Namespace(t)
	apply(t, namespace, pod(`{name: v, secret: {secretName: none, optional: true}}`, `, envFrom: [{secretRef: {name: none, optional: true}}]`))
	awaitPods(t, namespace, 1)
}

// Without the driver no volume of it is mounted and none is unmounted, and Secrets keep the owners that they are given.
func TestWithoutDriver(t *testing.T) {
	namespace := shared.Cluster.Namespace(t)
	apply(t, namespace, credentials, class, deployment("before", 1, "", mount))
	awaitPods(t, namespace, 1)
	owned := func() bool { return len(get(t, &corev1.Secret{}, namespace, "synced").OwnerReferences) > 0 }
	disown := func() {
		secret := get(t, &corev1.Secret{}, namespace, "synced")
		secret.OwnerReferences = nil
		if err := shared.Client.Update(t.Context(), secret); err != nil {
			t.Fatal(err)
		}
	}
	eventually(t, owned)
	disown()
	eventually(t, owned) // the driver gives them back
	shared.Driver.Stop()
	t.Cleanup(shared.Driver.Start)
	disown()
	apply(t, namespace, deployment("after", 1, "", mount))
	eventually(t, func() bool { return podSays(t, namespace, "not found in the list of registered CSI drivers") })
	if err := shared.Client.Delete(t.Context(), &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "before"}}); err != nil {
		t.Fatal(err)
	}
	terminating := func() bool {
		var pods corev1.PodList
		if err := shared.Client.List(t.Context(), &pods, client.InNamespace(namespace), client.MatchingLabels{"app": "before"}); err != nil {
			t.Fatal(err)
		}
		return len(pods.Items) == 1 && pods.Items[0].DeletionTimestamp != nil
	}
	eventually(t, terminating)
	// One without a volume of the driver comes and goes meanwhile.
	apply(t, namespace, pod("", ""))
	eventually(t, func() bool {
		ready, _ := readiness(get(t, &corev1.Pod{}, namespace, "pod"))
		return ready
	})
	plain := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "pod"}}
	if err := shared.Client.Delete(t.Context(), plain, client.GracePeriodSeconds(1)); err != nil {
		t.Fatal(err)
	}
	eventually(t, func() bool {
		return apierrors.IsNotFound(shared.Client.Get(t.Context(), client.ObjectKeyFromObject(plain), &corev1.Pod{}))
	})
	if !terminating() {
		t.Error("a pod went with its volume still mounted")
	}
	if owned() {
		t.Error("the Secret has owners again")
	}
	shared.Driver.Start()
	awaitPods(t, namespace, 1) // one starts, the other goes
}

// podSays looks for a pod that waits for something.
func podSays(t *testing.T, namespace, text string) bool {
	t.Helper()
	var pods corev1.PodList
	if err := shared.Client.List(t.Context(), &pods, client.InNamespace(namespace)); err != nil {
		t.Fatal(err)
	}
	for _, pod := range pods.Items {
		if _, why := readiness(&pod); strings.Contains(why, text) {
			return true
		}
	}
	return false
}

// The driver's Secret goes with the last ReplicaSet of the pods that mounted its class, though another reads it: the trap of a migration
// that does not hand it over. The recorder sees it.
func TestSecretGoesWithItsOwners(t *testing.T) {
	namespace, recorder := shared.Cluster.Namespace(t), record(t)
	apply(t, namespace, credentials, class, deployment("mounts", 2, "", mount), deployment("reads", 1, "synced", ""))
	awaitPods(t, namespace, 3)
	eventually(t, func() bool { return len(get(t, &corev1.Secret{}, namespace, "synced").OwnerReferences) == 1 })
	expectViolations(t, recorder, namespace)
	apply(t, namespace, deployment("mounts", 2, "", "")) // the old ReplicaSet is pruned at once: revisionHistoryLimit is 0
	eventually(t, func() bool {
		err := shared.Client.Get(t.Context(), client.ObjectKey{Namespace: namespace, Name: "synced"}, &corev1.Secret{})
		return apierrors.IsNotFound(err)
	})
	expectViolations(t, recorder, namespace, "/synced, which Pod reads-")
}

// A vault's new value reaches a Secret by rotation only, which the recorder sees.
func TestRotation(t *testing.T) {
	namespace, recorder := shared.Cluster.Namespace(t), record(t)
	const object = "web-rotated"
	set := func(value string) {
		if err := shared.Stack.Set(t.Context(), "kv-shop-main", object, value, rig.Operator(tenant)); err != nil {
			t.Fatal(err)
		}
	}
	expectData := func(want string) {
		if got := string(get(t, &corev1.Secret{}, namespace, "synced").Data["key"]); got != want {
			t.Errorf("the Secret has %q, want %q", got, want)
		}
	}
	set("one")
	apply(t, namespace, credentials, strings.ReplaceAll(class, "web-session-key", object), deployment("a", 1, "synced", mount))
	awaitPods(t, namespace, 1)
	set("two")
	apply(t, namespace, deployment("b", 1, "synced", mount))
	awaitPods(t, namespace, 2)
	expectData("one")
	expectViolations(t, recorder, namespace)
	shared.Driver.Rotate(t.Context())
	expectData("two")
	expectViolations(t, recorder, namespace, "/synced, which Pod")
}

// The driver makes a Secret that is gone again, and leaves one alone that somebody else made, unless it is of v1.6.0.
func TestDriverMakesSecretsAgain(t *testing.T) {
	namespace := shared.Cluster.Namespace(t)
	apply(t, namespace, credentials, class, deployment("d", 1, "", mount))
	awaitPods(t, namespace, 1)
	made := get(t, &corev1.Secret{}, namespace, "synced")
	if err := shared.Client.Delete(t.Context(), made.DeepCopy()); err != nil {
		t.Fatal(err)
	}
	shared.Driver.MakeSecrets(t.Context())
	again := get(t, &corev1.Secret{}, namespace, "synced")
	if string(again.Data["key"]) != string(made.Data["key"]) {
		t.Error("it is another")
	}
	again.Data["key"] = []byte("ours")
	if err := shared.Client.Update(t.Context(), again); err != nil {
		t.Fatal(err)
	}
	shared.Driver.MakeSecrets(t.Context())
	if got := get(t, &corev1.Secret{}, namespace, "synced"); string(got.Data["key"]) != "ours" {
		t.Error("v1.5.6 wrote over it")
	}
	shared.Driver.Overwrite(true)
	t.Cleanup(func() { shared.Driver.Overwrite(false) })
	shared.Driver.MakeSecrets(t.Context())
	if got := get(t, &corev1.Secret{}, namespace, "synced"); string(got.Data["key"]) != string(made.Data["key"]) {
		t.Error("v1.6.0 did not write over it")
	}
}

// A Job's pod may be told to go on: a migration finds Jobs that run.
func TestJobsMayGoOn(t *testing.T) {
	namespace := shared.Cluster.Namespace(t)
	job := func(name, annotation string) string {
		return strings.NewReplacer("NAME", name, "ANNOTATION", annotation).Replace(`
apiVersion: batch/v1
kind: Job
metadata: {name: NAME}
spec:
  template:
    metadata: {annotations: {ANNOTATION: "true"}}
    spec: {restartPolicy: Never, containers: [{name: c, image: registry.example.com/x:1}]}
`)
	}
	apply(t, namespace, job("long", rig.GoesOn))
	awaitPods(t, namespace, 1)
	apply(t, namespace, job("short", "nothing"))
	eventually(t, func() bool { return get(t, &batchv1.Job{}, namespace, "short").Status.Succeeded == 1 })
	if status := get(t, &batchv1.Job{}, namespace, "long").Status; status.Succeeded > 0 || status.Active != 1 {
		t.Errorf("it has ended: %v", status)
	}
}
