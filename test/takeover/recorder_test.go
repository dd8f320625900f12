package takeover_test

import (
	"fmt"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// The recorder complains about Secrets that someone reads, and about nothing else.
func TestRecorderSeesSecrets(t *testing.T) {
	change := func(t *testing.T, namespace string) {
		secret := get(t, &corev1.Secret{}, namespace, "plain")
		secret.Data["key"] = []byte("another canary")
		if err := shared.Client.Update(t.Context(), secret); err != nil {
			t.Fatal(err)
		}
	}
	remove := func(t *testing.T, namespace string) {
		secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "plain"}}
		if err := shared.Client.Delete(t.Context(), secret); err != nil {
			t.Fatal(err)
		}
	}
	account := `
apiVersion: v1
kind: ServiceAccount
metadata: {name: default}
imagePullSecrets: [{name: plain}]
`
	ingress := `
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: ingress}
spec: {tls: [{secretName: plain}], defaultBackend: {service: {name: s, port: {number: 80}}}}
`
	cases := map[string]struct {
		reader string
		act    func(*testing.T, string)
		want   []string
	}{
		"a change under a pod":       {deployment("d", 1, "plain", ""), change, []string{"reads, changed"}},
		"a change that nobody reads": {"", change, nil},
		"a loss under a volume":      {deployment("d", 1, "", secretOf("plain")), remove, []string{"reads, vanished"}},
		"a loss under an Ingress":    {ingress, remove, []string{"which Ingress ingress reads, vanished"}},
		"a loss under an account":    {account, remove, []string{"which ServiceAccount default reads, vanished"}},
		"a loss that nobody minds":   {"", remove, nil},
		"a moment's loss": {deployment("d", 0, "plain", ""), func(t *testing.T, namespace string) {
			remove(t, namespace)
			apply(t, namespace, plain)
		}, []string{"vanished"}},
		"a change of its owners and labels": {deployment("d", 1, "plain", ""), func(t *testing.T, namespace string) {
			secret := get(t, &corev1.Secret{}, namespace, "plain")
			secret.Labels = map[string]string{"a": "b"}
			if err := shared.Client.Update(t.Context(), secret); err != nil {
				t.Fatal(err)
			}
		}, nil},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			namespace := shared.Cluster.Namespace(t)
			apply(t, namespace, plain)
			if c.reader != "" {
				apply(t, namespace, c.reader)
			}
			if strings.Contains(c.reader, "replicas: 1") {
				awaitPods(t, namespace, 1)
			}
			recorder := record(t)
			c.act(t, namespace)
			expectViolations(t, recorder, namespace, c.want...)
		})
	}
}

// Someone who rotates a Secret on purpose may say so.
func TestRecorderAllows(t *testing.T) {
	namespace, recorder := shared.Cluster.Namespace(t), record(t)
	apply(t, namespace, plain, deployment("d", 1, "plain", ""))
	awaitPods(t, namespace, 1)
	recorder.Allow(namespace, "plain")
	apply(t, namespace, strings.Replace(plain, "canary", "another", 1))
	expectViolations(t, recorder, namespace)
	for _, line := range recorder.Timeline() {
		if strings.Contains(line, "canary") || strings.Contains(line, "another") {
			t.Errorf("the timeline holds a value: %s", line)
		}
	}
}

// The recorder complains about workloads with fewer pods than their strategy allows.
func TestRecorderSeesWorkloads(t *testing.T) {
	without := func(strategy string) string {
		return strings.Replace(deployment("d", 4, "", ""), "  replicas", "  strategy: "+strategy+"\n  replicas", 1)
	}
	cases := map[string]struct {
		manifest string
		kill     int
		want     []string
	}{
		"one of four may be missing": {without("{rollingUpdate: {maxUnavailable: 1}}"), 1, nil},
		"two may not":                {without("{rollingUpdate: {maxUnavailable: 1}}"), 2, []string{"has 2 pods ready of 4, and its update strategy allows no less than 3"}},
		"none may":                   {without("{rollingUpdate: {maxUnavailable: 0}}"), 1, []string{"has 3 pods ready of 4"}},
		"all at once":                {without("{type: Recreate}"), 4, nil},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			namespace := shared.Cluster.Namespace(t)
			apply(t, namespace, c.manifest)
			awaitPods(t, namespace, 4)
			recorder := record(t)
			kill(t, namespace, c.kill)
			awaitPods(t, namespace, 4)
			expectViolations(t, recorder, namespace, c.want...)
		})
	}
}

// kill deletes n pods of a namespace in one request, so that none is replaced before the last is gone.
func kill(t *testing.T, namespace string, n int) {
	t.Helper()
	var pods corev1.PodList
	if err := shared.Client.List(t.Context(), &pods, client.InNamespace(namespace)); err != nil {
		t.Fatal(err)
	}
	for i := range n {
		pod := &pods.Items[i]
		pod.Labels["doomed"] = fmt.Sprint(n)
		if err := shared.Client.Update(t.Context(), pod); err != nil {
			t.Fatal(err)
		}
	}
	doomed := client.MatchingLabels{"doomed": fmt.Sprint(n)}
	if err := shared.Client.DeleteAllOf(t.Context(), &corev1.Pod{}, client.InNamespace(namespace), doomed); err != nil {
		t.Fatal(err)
	}
}

// A rollout that cannot go on stays within its strategy; one that replaces all at once by mistake does not.
func TestRecorderSeesRollouts(t *testing.T) {
	namespace, recorder := shared.Cluster.Namespace(t), record(t)
	apply(t, namespace, plain, deployment("d", 4, "plain", ""))
	awaitPods(t, namespace, 4)
	apply(t, namespace, deployment("d", 4, "missing", "")) // 25 % of four may be missing
	eventually(t, func() bool { return podSays(t, namespace, `"missing" not found`) })
	expectViolations(t, recorder, namespace)
	apply(t, namespace, deployment("d", 4, "plain", ""))
	awaitPods(t, namespace, 4)
	expectViolations(t, recorder, namespace)
}
