package rig

import (
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

func TestLeastReady(t *testing.T) {
	deployment := func(n int32, lack, surge intstr.IntOrString) client.Object {
		return &appsv1.Deployment{Spec: appsv1.DeploymentSpec{Replicas: &n, Strategy: appsv1.DeploymentStrategy{
			RollingUpdate: &appsv1.RollingUpdateDeployment{MaxUnavailable: &lack, MaxSurge: &surge},
		}}}
	}
	daemonSet := func(n int32, lack intstr.IntOrString) client.Object {
		d := &appsv1.DaemonSet{Status: appsv1.DaemonSetStatus{DesiredNumberScheduled: n}}
		d.Spec.UpdateStrategy.RollingUpdate = &appsv1.RollingUpdateDaemonSet{MaxUnavailable: &lack}
		return d
	}
	percent, count := intstr.FromString, intstr.FromInt32
	three, lack := int32(3), count(2)
	cases := map[string]struct {
		reason string
		object client.Object
		want   int32
	}{
		"default of two":     {"25 % are rounded down", deployment(2, percent("25%"), percent("25%")), 2},
		"default of four":    {"25 %", deployment(4, percent("25%"), percent("25%")), 3},
		"nothing may change": {"then one may be missing, or nothing would happen", deployment(3, count(0), count(0)), 2},
		"more than all":      {"no less than none", deployment(1, count(5), count(0)), 0},
		"all at once":        {"Recreate", &appsv1.Deployment{Spec: appsv1.DeploymentSpec{Strategy: appsv1.DeploymentStrategy{Type: appsv1.RecreateDeploymentStrategyType}}}, 0},
		"StatefulSet":        {"one by one", &appsv1.StatefulSet{Spec: appsv1.StatefulSetSpec{Replicas: &three}}, 2},
		"StatefulSet, two at a time": {"by its strategy", &appsv1.StatefulSet{Spec: appsv1.StatefulSetSpec{
			Replicas: &three, UpdateStrategy: appsv1.StatefulSetUpdateStrategy{RollingUpdate: &appsv1.RollingUpdateStatefulSetStrategy{MaxUnavailable: &lack}},
		}}, 1},
		"DaemonSet":          {"half of five are rounded up", daemonSet(5, percent("50%")), 2},
		"DaemonSet, surging": {"none may be missing", daemonSet(5, count(0)), 5},
		"bare ReplicaSet":    {"somebody deletes its pods, one by one", &appsv1.ReplicaSet{Spec: appsv1.ReplicaSetSpec{Replicas: &three}}, 2},
		"bare pod":           {"there is no other", &corev1.Pod{}, 0},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			if state, ok := stateOfObject(c.object); !ok || state.least != c.want {
				t.Errorf("%s: %d, want %d", c.reason, state.least, c.want)
			}
		})
	}
	controlled := &appsv1.ReplicaSet{ObjectMeta: metav1.ObjectMeta{OwnerReferences: []metav1.OwnerReference{{Kind: "Deployment", Controller: new(true)}}}}
	if _, ok := stateOfObject(controlled); ok {
		t.Error("what something else controls is no workload by itself")
	}
}
