package reading

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"secretstore/internal/migrate/read"
)

const (
	// childVariable makes this test binary a process that reads once and says what that took: `read` or `floor`.
	childVariable = "READING_CHILD"
	// kubeconfigVariable names its kubeconfig.
	kubeconfigVariable = "READING_KUBECONFIG"

	workloads       = 1000
	podsPerWorkload = 5
	// mounting is how many of the workloads mount the driver: all, which is the most that can have to be kept.
	mounting = 1000

	// What a reading may take at most.
	maxSeconds = 10
	maxMiB     = 150
)

// figures are what a child measured of itself.
type figures struct {
	Seconds float64 `json:"seconds"`
	// AnonMiB is the most anonymous memory that was resident, BeforeMiB what the process had before it began.
	AnonMiB   float64 `json:"anonMiB"`
	BeforeMiB float64 `json:"beforeMiB"`
	Objects   int     `json:"objects"`
}

// BenchmarkCluster measures a reading of 5,000 pods and 1,000 workloads by a process of its own, beside the floor: a plain paged list of the
// same with client-go in another one.
func BenchmarkCluster(b *testing.B) {
	fill(b)
	kubeconfig, err := shared.KubeconfigFile("reading", shared.Config())
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		floor, reading := measure(b, "floor", kubeconfig), measure(b, "read", kubeconfig)
		b.Logf("floor %.2f s, %.0f MiB; reading %.2f s, %.0f MiB (%.0f before), %d objects kept",
			floor.Seconds, floor.AnonMiB, reading.Seconds, reading.AnonMiB, reading.BeforeMiB, reading.Objects)
		if reading.Seconds > maxSeconds || reading.AnonMiB > maxMiB {
			b.Errorf("over the bounds of %d s and %d MiB", maxSeconds, maxMiB)
		}
		b.ReportMetric(reading.Seconds, "s/reading")
		b.ReportMetric(reading.AnonMiB, "anon-MiB")
		b.ReportMetric(floor.Seconds, "floor-s")
		b.ReportMetric(floor.AnonMiB, "floor-MiB")
	}
}

// measure runs a child.
func measure(b *testing.B, what, kubeconfig string) figures {
	b.Helper()
	cmd := exec.CommandContext(b.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), childVariable+"="+what, kubeconfigVariable+"="+kubeconfig)
	cmd.Stderr = os.Stderr
	output, err := cmd.Output()
	if err != nil {
		b.Fatalf("the child failed: %v", err)
	}
	var f figures
	if err := json.Unmarshal(output, &f); err != nil {
		b.Fatal(err)
	}
	return f
}

// child is the process that is measured.
func child() int {
	f, err := once(context.Background(), os.Getenv(childVariable), os.Getenv(kubeconfigVariable))
	if err == nil {
		err = json.NewEncoder(os.Stdout).Encode(f)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// once reads once, and samples the process's own memory meanwhile.
func once(ctx context.Context, what, kubeconfig string) (f figures, err error) {
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return f, err
	}
	if f.BeforeMiB, err = anonymous(); err != nil {
		return f, err
	}
	done, sampled := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(sampled)
		tick := time.NewTicker(5 * time.Millisecond)
		defer tick.Stop()
		for {
			if now, err := anonymous(); err == nil {
				f.AnonMiB = max(f.AnonMiB, now)
			}
			select {
			case <-done:
				return
			case <-tick.C:
			}
		}
	}()
	begun := time.Now()
	objects, err := map[string]func(context.Context, *rest.Config) (int, error){"read": readOnce, "floor": listOnce}[what](ctx, config)
	seconds := time.Since(begun).Seconds()
	close(done)
	<-sampled
	f.Seconds, f.Objects = seconds, objects
	return f, err
}

// anonymous is the anonymous memory of this process that is resident, in MiB.
func anonymous() (float64, error) {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0, err
	}
	_, after, _ := bytes.Cut(status, []byte("RssAnon:"))
	line, _, _ := strings.Cut(string(after), "kB")
	kib, err := strconv.ParseFloat(strings.TrimSpace(line), 64)
	return kib / 1024, err
}

func readOnce(ctx context.Context, config *rest.Config) (int, error) {
	snapshot, err := read.Cluster(ctx, config, read.ClusterOptions{Digest: digest})
	return len(snapshot.Objects), err
}

// listOnce lists the same kinds in the same pages, and drops each.
func listOnce(ctx context.Context, config *rest.Config) (int, error) {
	config.ContentType, config.QPS, config.Burst = runtime.ContentTypeProtobuf, 200, 200
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return 0, err
	}
	custom, err := dynamic.NewForConfig(config)
	if err != nil {
		return 0, err
	}
	statuses := classes("secretproviderclasspodstatuses")
	count := 0
	for _, list := range []func(o metav1.ListOptions) (metav1.ListInterface, error){
		func(o metav1.ListOptions) (metav1.ListInterface, error) { return client.CoreV1().Pods("").List(ctx, o) },
		func(o metav1.ListOptions) (metav1.ListInterface, error) {
			return client.AppsV1().Deployments("").List(ctx, o)
		},
		func(o metav1.ListOptions) (metav1.ListInterface, error) {
			return client.AppsV1().ReplicaSets("").List(ctx, o)
		},
		func(o metav1.ListOptions) (metav1.ListInterface, error) {
			return client.AppsV1().StatefulSets("").List(ctx, o)
		},
		func(o metav1.ListOptions) (metav1.ListInterface, error) {
			return client.CoreV1().Secrets("").List(ctx, o)
		},
		func(o metav1.ListOptions) (metav1.ListInterface, error) {
			return custom.Resource(statuses).List(ctx, o)
		},
	} {
		o := metav1.ListOptions{Limit: 500}
		for more := true; more; more = o.Continue != "" {
			page, err := list(o)
			if err != nil {
				return 0, err
			}
			o.Continue = page.GetContinue()
			count++
		}
	}
	return count, nil
}

func classes(resource string) schema.GroupVersionResource {
	return schema.GroupVersionResource{Group: "secrets-store.csi.x-k8s.io", Version: "v1", Resource: resource}
}

// fill makes the workloads, their pods, a Secret for each and what the driver makes.
func fill(b *testing.B) {
	b.Helper()
	namespace := shared.Namespace(b)
	client, err := kubernetes.NewForConfig(shared.Config())
	if err != nil {
		b.Fatal(err)
	}
	custom, err := dynamic.NewForConfig(shared.Config())
	if err != nil {
		b.Fatal(err)
	}
	if err := shared.Apply(b.Context(), []byte("apiVersion: secrets-store.csi.x-k8s.io/v1\nkind: SecretProviderClass\nmetadata: {name: app, "+
		"namespace: "+namespace+"}\nspec: {provider: azure, secretObjects: [{secretName: app-0, data: []}]}\n")); err != nil {
		b.Fatal(err)
	}
	group, ctx := errgroup.WithContext(b.Context())
	group.SetLimit(16)
	for i := range workloads {
		group.Go(func() error { return fillOne(ctx, client, custom, namespace, i) })
	}
	if err := group.Wait(); err != nil {
		b.Fatal(err)
	}
}

// fillOne makes a Deployment with its ReplicaSets and pods, or every tenth time a StatefulSet.
func fillOne(ctx context.Context, client kubernetes.Interface, custom dynamic.Interface, namespace string, i int) error {
	name := fmt.Sprintf("app-%d", i)
	template := realistic(name, i < mounting)
	meta := metav1.ObjectMeta{Name: name, Namespace: namespace, Labels: template.Labels}
	selector := &metav1.LabelSelector{MatchLabels: map[string]string{"app": name}}
	secret := &corev1.Secret{ObjectMeta: meta, StringData: map[string]string{"password": strings.Repeat("x", 64)}}
	if i < mounting {
		secret.Labels = map[string]string{"secrets-store.csi.k8s.io/managed": "true"}
	}
	if _, err := client.CoreV1().Secrets(namespace).Create(ctx, secret, metav1.CreateOptions{}); err != nil {
		return err
	}
	if i%10 == 0 {
		set, err := client.AppsV1().StatefulSets(namespace).Create(ctx, &appsv1.StatefulSet{
			ObjectMeta: meta, Spec: appsv1.StatefulSetSpec{ServiceName: name, Selector: selector, Template: template},
		}, metav1.CreateOptions{})
		if err != nil {
			return err
		}
		return fillPods(ctx, client, custom, set, "StatefulSet", template, i < mounting)
	}
	deployment, err := client.AppsV1().Deployments(namespace).Create(ctx, &appsv1.Deployment{
		ObjectMeta: meta, Spec: appsv1.DeploymentSpec{Selector: selector, Template: template},
	}, metav1.CreateOptions{})
	if err != nil {
		return err
	}
	for _, revision := range []string{"-1", "-2"} {
		set, err := client.AppsV1().ReplicaSets(namespace).Create(ctx, &appsv1.ReplicaSet{
			ObjectMeta: ownedBy(name+revision, appsv1.SchemeGroupVersion.WithKind("Deployment"), deployment),
			Spec:       appsv1.ReplicaSetSpec{Selector: selector, Template: template},
		}, metav1.CreateOptions{})
		if err != nil {
			return err
		}
		if revision == "-2" {
			return fillPods(ctx, client, custom, set, "ReplicaSet", template, i < mounting)
		}
	}
	return nil
}

// fillPods makes the pods of an owner, and of those that mount the driver what it notes of each.
func fillPods(ctx context.Context, client kubernetes.Interface, custom dynamic.Interface, owner metav1.Object, kind string,
	template corev1.PodTemplateSpec, mounts bool,
) error {
	for i := range podsPerWorkload {
		meta := ownedBy(fmt.Sprintf("%s-%d", owner.GetName(), i), appsv1.SchemeGroupVersion.WithKind(kind), owner)
		meta.Labels = template.Labels
		pod := &corev1.Pod{ObjectMeta: meta, Spec: template.Spec}
		if _, err := client.CoreV1().Pods(meta.Namespace).Create(ctx, pod, metav1.CreateOptions{}); err != nil {
			return err
		}
		if !mounts {
			continue
		}
		status := &unstructured.Unstructured{Object: map[string]any{
			"apiVersion": "secrets-store.csi.x-k8s.io/v1", "kind": "SecretProviderClassPodStatus",
			"metadata": map[string]any{"name": meta.Name + "-" + meta.Namespace + "-app", "namespace": meta.Namespace},
			"status": map[string]any{
				"mounted": true, "podName": meta.Name, "secretProviderClassName": "app", "targetPath": "/var/lib/kubelet/pods/" + meta.Name,
				"objects": []any{map[string]any{"id": "secret/a", "version": strings.Repeat("0", 32)}},
			},
		}}
		resource := custom.Resource(classes("secretproviderclasspodstatuses")).Namespace(meta.Namespace)
		if _, err := resource.Create(ctx, status, metav1.CreateOptions{}); err != nil {
			return err
		}
	}
	return nil
}

// realistic is a template as long as those of many charts: two containers with probes, limits and twenty variables each.
func realistic(name string, mounts bool) corev1.PodTemplateSpec {
	volumes := []corev1.Volume{{Name: "tmp", VolumeSource: corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}}}}
	if mounts {
		volumes = append(volumes, driverVolume("creds"))
	}
	t := template(name, volumes...)
	t.Labels["app.kubernetes.io/managed-by"], t.Labels["app.kubernetes.io/instance"] = "Helm", name
	t.Spec.ImagePullSecrets = []corev1.LocalObjectReference{{Name: "registry"}}
	c := t.Spec.Containers[0]
	for i := range 20 {
		c.Env = append(c.Env, corev1.EnvVar{Name: fmt.Sprintf("SETTING_NUMBER_%d", i), Value: "a value of a usual length"})
	}
	c.Env = append(c.Env, corev1.EnvVar{Name: "PASSWORD", ValueFrom: &corev1.EnvVarSource{SecretKeyRef: &corev1.SecretKeySelector{
		LocalObjectReference: corev1.LocalObjectReference{Name: name}, Key: "password",
	}}})
	c.Resources.Limits = corev1.ResourceList{"cpu": resource.MustParse("1"), "memory": resource.MustParse("1Gi")}
	c.LivenessProbe = &corev1.Probe{ProbeHandler: corev1.ProbeHandler{Exec: &corev1.ExecAction{Command: []string{"true"}}}}
	c.ReadinessProbe = c.LivenessProbe
	second := *c.DeepCopy()
	second.Name = "sidecar"
	t.Spec.Containers = []corev1.Container{c, second}
	return t
}
