package chart_test

import (
	"encoding/base64"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"secretstore/test/chart"
	"secretstore/test/cluster"
	"secretstore/test/stack"
)

//covers:field setting.cloudFile setting.image.digest setting.image.repository setting.leaderElection setting.logLevel
//covers:field setting.namespaces setting.rotationPollIntervalInSeconds setting.validatingAdmissionPolicies.tokenAudiences
//covers:field setting.workers
func TestWrongValuesAreRefusedWithTheReason(t *testing.T) {
	table := map[string]struct {
		reason     string
		values     map[string]any
		kubernetes string
		want       string
	}{
		"unknown":       {reason: "a misspelt setting would be silently ignored", values: values("rotationPollInterval", 60), want: "'rotationPollInterval' not allowed"},
		"unknown below": {reason: "the same holds within tables", values: values("networkPolicy", map[string]any{"enable": true}), want: "'enable' not allowed"},
		"type":          {reason: "a number is not a text", values: values("rotationPollIntervalInSeconds", "often"), want: "rotationPollIntervalInSeconds"},
		"range":         {reason: "the controller would refuse it later, out of sight", values: values("workers", 0), want: "workers"},
		"level":         {reason: "the controller would refuse it later, out of sight", values: values("logLevel", "loud"), want: "'debug', 'info', 'warn', 'error'"},
		"detection":     {reason: "the controller would refuse it later, out of sight", values: values("driftDetection", "guess"), want: "'look', 'watch'"},
		"namespace":     {reason: "a pattern is no name", values: values("namespaces", []any{"team-*"}), want: "namespaces/0"},
		"moment":        {reason: "the controller would refuse it later, out of sight", values: values("adoptWrittenBefore", "yesterday"), want: "adoptWrittenBefore"},
		"cloud file":    {reason: "a path of the pod is absolute", values: values("cloudFile", []any{"cloud.yaml"}), want: "cloudFile/0"},
		"digest": {
			reason: "half a digest pins nothing", want: "image/digest",
			values: map[string]any{"image": map[string]any{"repository": "r", "digest": "sha256:12"}},
		},
		"no image":     {reason: "no registry is ours to assume", values: map[string]any{}, want: "image.repository is empty"},
		"no audience":  {reason: "no token could be requested at all", values: values("validatingAdmissionPolicies", map[string]any{"tokenAudiences": []any{}}), want: "tokenAudiences"},
		"two leaders":  {reason: "each replica would do all the work", values: values("replicas", 2, "leaderElection", false), want: "leaderElection"},
		"old cluster":  {reason: "without policies a ClusterRole would reach all Secrets", values: values(), kubernetes: "v1.29.3-gke.1", want: "below 1.30"},
		"old and beta": {reason: "1.28 serves policies only if asked to", values: values(), kubernetes: "v1.28.0", want: "list the namespaces to serve"},
	}
	for name, tc := range table {
		t.Run(name, func(t *testing.T) {
			release := chart.Release{Namespace: "there", Kubernetes: "v1.34.4"}
			if tc.kubernetes != "" {
				release.Kubernetes = tc.kubernetes
			}
			if _, err := release.Render(t.Context(), tc.values); err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("%s: got %v, want %q in it", tc.reason, err, tc.want)
			}
		})
	}
}

//covers:field setting.namespaces setting.validatingAdmissionPolicies.applyPolicies
func TestPoliciesFollowTheCluster(t *testing.T) {
	const beta = "admissionregistration.k8s.io/v1beta1"
	off := map[string]any{"applyPolicies": false}
	table := map[string]struct {
		reason, kubernetes string
		apis               []string
		values             map[string]any
		want, notes        string
	}{
		"1.30":     {reason: "the first with policies for all", kubernetes: "v1.30.0", values: values(), want: "admissionregistration.k8s.io/v1", notes: "SECURITY.md"},
		"managed":  {reason: "a provider's suffix is no pre-release", kubernetes: "v1.30.0-gke.100", values: values(), want: "admissionregistration.k8s.io/v1", notes: "SECURITY.md"},
		"narrow":   {reason: "namespaces do not replace them", kubernetes: "v1.34.4", values: values("namespaces", []any{"a"}), want: "admissionregistration.k8s.io/v1", notes: "the namespaces a."},
		"beta":     {reason: "served because somebody turned it on", kubernetes: "v1.28.0", apis: []string{beta + "/ValidatingAdmissionPolicy"}, values: values("namespaces", []any{"a"}), want: beta, notes: "the namespaces a."},
		"not beta": {reason: "the group has other kinds", kubernetes: "v1.28.0", values: values("namespaces", []any{"a"}), notes: "No admission policies"},
		"off":      {reason: "told not to, as with the extension", kubernetes: "v1.34.4", values: values("validatingAdmissionPolicies", off), notes: "No admission policies"},
	}
	for name, tc := range table {
		t.Run(name, func(t *testing.T) {
			release := chart.Release{Namespace: "there", Kubernetes: tc.kubernetes, APIs: tc.apis}
			versions := map[string]bool{}
			for _, object := range decode(t, must(release.Render(t.Context(), tc.values))(t)) {
				if strings.HasPrefix(object.GetKind(), "ValidatingAdmissionPolicy") {
					versions[object.GetAPIVersion()] = true
				}
			}
			if got := strings.Join(slices.Sorted(maps.Keys(versions)), " "); got != tc.want {
				t.Errorf("%s: policies of %q, want %q", tc.reason, got, tc.want)
			}
			if notes := must(release.Notes(t.Context(), tc.values))(t); !strings.Contains(notes, tc.notes) {
				t.Errorf("%s: the notes lack %q:\n%s", tc.reason, tc.notes, notes)
			}
		})
	}
}

// generatedRules are the rules that come from the code.
func generatedRules(t *testing.T) []rbacv1.PolicyRule {
	t.Helper()
	var role rbacv1.ClusterRole
	if err := yaml.UnmarshalStrict(must(cluster.Manifests("charts/secretstore/files/role.yaml"))(t)[0], &role); err != nil {
		t.Fatal(err)
	}
	return role.Rules
}

func TestTheClusterRoleIsTheCodes(t *testing.T) {
	objects := render(t, values())
	role := find[rbacv1.ClusterRole](t, objects, "ClusterRole")
	if diff := cmp.Diff(generatedRules(t), role.Rules); diff != "" {
		t.Errorf("rules (-code +chart):\n%s", diff)
	}
	want := []rbacv1.Subject{{Kind: "ServiceAccount", Name: chart.Account, Namespace: "there"}}
	if diff := cmp.Diff(want, find[rbacv1.ClusterRoleBinding](t, objects, "ClusterRoleBinding").Subjects); diff != "" {
		t.Errorf("subjects (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"there/secretstore-controller-leader-election"}, names(objects, "Role")); diff != "" {
		t.Errorf("Roles (-want +got):\n%s", diff)
	}
}

//covers:field setting.namespaces setting.leaderElection
func TestNamespacesLeaveNoRightOutside(t *testing.T) {
	objects := render(t, values("namespaces", []any{"a", "b"}, "leaderElection", false))
	if wide := names(objects, "ClusterRole", "ClusterRoleBinding"); len(wide) > 0 {
		t.Errorf("cluster-wide: %q", wide)
	}
	want := []string{"a/secretstore-controller", "b/secretstore-controller"}
	for _, kind := range []string{"Role", "RoleBinding"} {
		if diff := cmp.Diff(want, names(objects, kind)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", kind, diff)
		}
	}
	role := find[rbacv1.Role](t, render(t, values("namespaces", []any{"a"}, "leaderElection", false)), "Role")
	if diff := cmp.Diff(generatedRules(t), role.Rules); diff != "" {
		t.Errorf("rules (-code +chart):\n%s", diff)
	}
}

// TestSecretsAreReadOnlyWhereTheyAreWatched has the one right that the operator may grant besides: it is the last rule.
func TestSecretsAreReadOnlyWhereTheyAreWatched(t *testing.T) {
	watching := values("driftDetection", "watch", "leaderElection", false)
	narrow := values("driftDetection", "watch", "leaderElection", false, "namespaces", []any{"a"})
	want := append(generatedRules(t), rbacv1.PolicyRule{APIGroups: []string{""}, Resources: []string{"secrets"}, Verbs: []string{"list", "watch"}})
	for kind, got := range map[string][]rbacv1.PolicyRule{
		"ClusterRole": find[rbacv1.ClusterRole](t, render(t, watching), "ClusterRole").Rules,
		"Role":        find[rbacv1.Role](t, render(t, narrow), "Role").Rules,
	} {
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", kind, diff)
		}
	}
	if wide := names(render(t, narrow), "ClusterRole"); len(wide) > 0 {
		t.Errorf("namespaces do not limit it: %q", wide)
	}
	for _, rule := range generatedRules(t) {
		if slices.Contains(rule.Resources, "secrets") && (slices.Contains(rule.Verbs, "list") || slices.Contains(rule.Verbs, "watch")) {
			t.Errorf("it is granted always: %v", rule)
		}
	}
	if text := settings(t, watching); !strings.Contains(text, "driftDetection: watch\n") {
		t.Errorf("the controller is not told to watch:\n%s", text)
	}
	release := chart.Release{Namespace: "there", Kubernetes: "v1.34.4"}
	for _, v := range []map[string]any{watching, narrow} {
		if notes := must(release.Notes(t.Context(), v))(t); !strings.Contains(notes, "may read all of") || strings.Contains(notes, "neither read nor change") {
			t.Errorf("the notes do not say what it means:\n%s", notes)
		}
	}
}

// settings is the rendered settings file.
func settings(t *testing.T, v map[string]any) string {
	t.Helper()
	return find[corev1.ConfigMap](t, render(t, v), "ConfigMap").Data["config.yaml"]
}

// TestSettingsAreTheControllers compares the chart with the program: each setting stands in the settings file, and is a value of
// its name with its default unless the chart decides it.
//
//covers:field setting.cloudFile setting.driftCheckIntervalInSeconds setting.enablePartialSecretSync setting.leaderElection
//covers:field setting.logLevel setting.namespaces setting.rotationPollIntervalInSeconds setting.workers
//covers:field setting.adoptWrittenBefore setting.driftDetection setting.jitterSeconds setting.vaultRequestsPerSecond
func TestSettingsAreTheControllers(t *testing.T) {
	programs := t.TempDir()
	if err := stack.Build(t.Context(), programs, false); err != nil {
		t.Fatal(err)
	}
	controller := filepath.Join(programs, "secretstore-controller")
	help, _ := exec.CommandContext(t.Context(), controller, "--help").CombinedOutput()
	var flags []string
	for _, match := range regexp.MustCompile(`(?m)^ +--([A-Za-z]+)`).FindAllStringSubmatch(string(help), -1) {
		if name := match[1]; name != "config" && name != "kubeconfig" {
			flags = append(flags, name)
		}
	}
	slices.Sort(flags)

	text := settings(t, values())
	var inFile, inValues map[string]any
	if err := yaml.UnmarshalStrict([]byte(text), &inFile); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(flags, slices.Sorted(maps.Keys(inFile))); diff != "" {
		t.Errorf("settings of the controller and of its file (-flags +file):\n%s", diff)
	}
	if err := yaml.UnmarshalStrict(must(cluster.Manifests("charts/secretstore/values.yaml"))(t)[0], &inValues); err != nil {
		t.Fatal(err)
	}
	maps.DeleteFunc(inValues, func(name string, _ any) bool { return !slices.Contains(flags, name) })
	for _, decided := range []string{"leaderElectionNamespace", "syncHashKeyFile", "metricsBindAddress", "healthProbeBindAddress"} {
		delete(inFile, decided)
	}
	if diff := cmp.Diff(inValues, inFile); diff != "" {
		t.Errorf("settings in values.yaml and in the file (-values +file):\n%s", diff)
	}

	// That the controller looks for what a setting names means that it took the file.
	changed := settings(t, values("namespaces", []any{"a", "b"}, "rotationPollIntervalInSeconds", 2592000,
		"enablePartialSecretSync", false, "adoptWrittenBefore", "2026-11-24T10:00:00Z", "cloudFile", []any{"/missing/a", "/missing/b"}))
	file := filepath.Join(programs, "config.yaml")
	if err := os.WriteFile(file, []byte(changed), 0o600); err != nil {
		t.Fatal(err)
	}
	out, _ := exec.CommandContext(t.Context(), controller, "--config", file).CombinedOutput()
	if !strings.Contains(string(out), "open /missing/a") {
		t.Errorf("the controller does not take its settings: %s", out)
	}
}

func TestPodsAreReplacedWhenSettingsChange(t *testing.T) {
	sum := func(v map[string]any) string {
		return find[appsv1.Deployment](t, render(t, v), "Deployment").Spec.Template.Annotations["checksum/settings"]
	}
	if sum(values()) != sum(values("replicas", 2)) || sum(values()) == sum(values("logLevel", "debug")) {
		t.Error("the pods' annotation does not follow the settings, or follows more than them")
	}
}

//covers:field setting.image.digest setting.image.repository setting.image.tag
func TestTheImageIsPinnedByDigest(t *testing.T) {
	digest := "sha256:" + strings.Repeat("a", 64)
	table := map[string]struct {
		reason string
		image  map[string]any
		want   string
	}{
		"default": {reason: "the chart's own version", image: map[string]any{"repository": "r.example/c"}, want: "r.example/c:0.1.0"},
		"tag":     {reason: "another version", image: map[string]any{"repository": "r.example/c", "tag": "v2"}, want: "r.example/c:v2"},
		"digest":  {reason: "wins over the tag", image: map[string]any{"repository": "r.example/c", "tag": "v2", "digest": digest}, want: "r.example/c@" + digest},
	}
	for name, tc := range table {
		pod := find[appsv1.Deployment](t, render(t, map[string]any{"image": tc.image}), "Deployment").Spec.Template.Spec
		if got := pod.Containers[0].Image; got != tc.want {
			t.Errorf("%s (%s): %s, want %s", name, tc.reason, got, tc.want)
		}
	}
}

// TestThePodIsRestricted asks the API server, which knows what Kubernetes' strictest pod security standard demands today.
func TestThePodIsRestricted(t *testing.T) {
	admin, name := newClient(t, shared.Config()), shared.Namespace(t)
	enforce := []byte(`{"metadata":{"labels":{"pod-security.kubernetes.io/enforce":"restricted"}}}`)
	if err := admin.Patch(t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}}, client.RawPatch("application/merge-patch+json", enforce)); err != nil {
		t.Fatal(err)
	}
	spec := find[appsv1.Deployment](t, render(t, values()), "Deployment").Spec.Template.Spec
	spec.ServiceAccountName = "default"
	pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: name, Name: "controller"}, Spec: spec}
	if err := admin.Create(t.Context(), pod, client.DryRunAll); err != nil {
		t.Errorf("the pod of the Deployment: %v", err)
	}
	container := spec.Containers[0].SecurityContext
	if container.ReadOnlyRootFilesystem == nil || !*container.ReadOnlyRootFilesystem || *spec.AutomountServiceAccountToken {
		t.Error("the root file system can be written, or the account's token is mounted besides the projected one")
	}
	loose := pod.DeepCopy()
	loose.Spec.Containers[0].SecurityContext = nil
	if err := admin.Create(t.Context(), loose, client.DryRunAll); err == nil {
		t.Error("the namespace restricts nothing, so that this test shows nothing")
	}
}

//covers:field setting.networkPolicy.enabled
func TestTheNetworkPolicyIsAskedFor(t *testing.T) {
	if found := names(render(t, values()), "NetworkPolicy"); len(found) > 0 {
		t.Errorf("%q by default", found)
	}
	objects := render(t, values("networkPolicy", map[string]any{"enabled": true, "egressPorts": []any{443, 16443}}))
	for _, object := range objects {
		if object.GetKind() != "NetworkPolicy" {
			continue
		}
		object.SetNamespace(shared.Namespace(t))
		if err := newClient(t, shared.Config()).Create(t.Context(), &object); err != nil {
			t.Error(err)
		}
		return
	}
	t.Error("there is none")
}

//covers:field setting.syncHashKey.existingSecret
func TestTheKeyIsMadeOnceAndKept(t *testing.T) {
	key := func(config chart.Release) corev1.Secret {
		return find[corev1.Secret](t, decode(t, must(config.Render(t.Context(), values()))(t)), "Secret")
	}
	offline := chart.Release{Namespace: chart.Namespace, Kubernetes: "v1.34.4"}
	first, second := key(offline), key(offline)
	if len(first.Data["key"]) != 32 || string(first.Data["key"]) == string(second.Data["key"]) {
		t.Errorf("made keys: %d bytes, the same twice: %v", len(first.Data["key"]), string(first.Data["key"]) == string(second.Data["key"]))
	}
	if first.Annotations["helm.sh/resource-policy"] != "keep" {
		t.Error("uninstalling would remove the key")
	}
	online := offline
	online.Cluster = shared.Config()
	var live corev1.Secret
	if err := newClient(t, shared.Config()).Get(t.Context(), client.ObjectKey{Namespace: chart.Namespace, Name: first.Name}, &live); err != nil {
		t.Fatal(err)
	}
	if got := key(online); string(got.Data["key"]) != string(live.Data["key"]) {
		t.Error("an upgrade would replace the key")
	}
	own := render(t, values("syncHashKey", map[string]any{"existingSecret": "mine"}))
	pod := find[appsv1.Deployment](t, own, "Deployment").Spec.Template.Spec
	if len(names(own, "Secret")) > 0 || !strings.Contains(string(mustJSON(pod.Volumes)), `"secretName":"mine"`) {
		t.Error("a Secret of one's own is not used instead")
	}
	for _, text := range []string{base64.StdEncoding.EncodeToString(first.Data["key"]), string(first.Data["key"])} {
		if strings.Contains(string(mustJSON(pod)), text) {
			t.Error("the key stands in the pod")
		}
	}
}
