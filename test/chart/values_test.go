package chart_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/utils/ptr"
)

// TestTheDeploymentFollowsTheValues sets every value that is about the pod rather than the controller.
//
//covers:field setting.env setting.image.pullPolicy setting.imagePullSecrets[].name setting.nodeSelector
//covers:field setting.podAnnotations setting.priorityClassName setting.replicas setting.resources.limits
//covers:field setting.resources.requests setting.tolerations setting.volumeMounts setting.volumes
func TestTheDeploymentFollowsTheValues(t *testing.T) {
	deployment := find[appsv1.Deployment](t, render(t, values(
		"image", map[string]any{"repository": "r.example/c", "pullPolicy": "Always"},
		"imagePullSecrets", []any{map[string]any{"name": "registry"}},
		"replicas", 3,
		"priorityClassName", "system-cluster-critical",
		"resources", map[string]any{"requests": map[string]any{"cpu": "7m"}, "limits": map[string]any{"memory": "77Mi"}},
		"nodeSelector", map[string]any{"disk": "fast"},
		"tolerations", []any{map[string]any{"key": "edge", "operator": "Exists"}},
		"podAnnotations", map[string]any{"note": "n"},
		"env", []any{map[string]any{"name": "HTTPS_PROXY", "value": "http://proxy.example"}},
		"volumes", []any{map[string]any{"name": "clouds", "configMap": map[string]any{"name": "clouds"}}},
		"volumeMounts", []any{map[string]any{"name": "clouds", "mountPath": "/clouds"}},
	)), "Deployment")
	pod := deployment.Spec.Template
	container := pod.Spec.Containers[0]
	last := func(volumes []corev1.Volume) corev1.Volume { return volumes[len(volumes)-1] }
	for what, tc := range map[string]struct{ got, want any }{
		"image.pullPolicy":   {container.ImagePullPolicy, corev1.PullAlways},
		"imagePullSecrets":   {pod.Spec.ImagePullSecrets, []corev1.LocalObjectReference{{Name: "registry"}}},
		"replicas":           {deployment.Spec.Replicas, ptr.To[int32](3)},
		"priorityClassName":  {pod.Spec.PriorityClassName, "system-cluster-critical"},
		"resources.requests": {container.Resources.Requests[corev1.ResourceCPU], resource.MustParse("7m")},
		"resources.limits":   {container.Resources.Limits[corev1.ResourceMemory], resource.MustParse("77Mi")},
		"nodeSelector":       {pod.Spec.NodeSelector["disk"], "fast"},
		"tolerations":        {pod.Spec.Tolerations, []corev1.Toleration{{Key: "edge", Operator: corev1.TolerationOpExists}}},
		"podAnnotations":     {pod.Annotations["note"], "n"},
		"env":                {container.Env, []corev1.EnvVar{{Name: "HTTPS_PROXY", Value: "http://proxy.example"}}},
		"volumes":            {last(pod.Spec.Volumes).ConfigMap.Name, "clouds"},
		"volumeMounts":       {container.VolumeMounts[len(container.VolumeMounts)-1].MountPath, "/clouds"},
	} {
		if diff := cmp.Diff(tc.want, tc.got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", what, diff)
		}
	}
}

//covers:field setting.networkPolicy.egressPorts setting.networkPolicy.enabled
func TestTheNetworkPolicyFollowsTheValues(t *testing.T) {
	policy := find[networkingv1.NetworkPolicy](t, render(t, values("networkPolicy", map[string]any{"enabled": true, "egressPorts": []any{16443}})), "NetworkPolicy")
	var ports []int32
	for _, rule := range policy.Spec.Egress {
		for _, port := range rule.Ports {
			ports = append(ports, port.Port.IntVal)
		}
	}
	if !slices.Contains(ports, 16443) || slices.Contains(ports, 443) {
		t.Errorf("the controller may reach ports %v, want 16443 instead of the default", ports)
	}
}
