package rig

import (
	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// stateOfObject gives the state of a workload that nothing else controls; false for what is none.
func stateOfObject(object client.Object) (workload, bool) {
	if _, isReplicas := object.(*appsv1.Deployment); !isReplicas && metav1.GetControllerOf(object) != nil {
		return workload{}, false
	}
	switch o := object.(type) {
	case *appsv1.Deployment:
		return deploymentState(o), true
	case *appsv1.StatefulSet:
		return statefulSetState(o), true
	case *appsv1.DaemonSet:
		return daemonSetState(o), true
	case *appsv1.ReplicaSet:
		seen := o.Status.ObservedGeneration >= o.Generation
		return bareState("ReplicaSet", o, seen, o.Status.ReadyReplicas, replicas(o.Spec.Replicas)), true
	case *corev1.ReplicationController:
		seen := o.Status.ObservedGeneration >= o.Generation
		return bareState("ReplicationController", o, seen, o.Status.ReadyReplicas, replicas(o.Spec.Replicas)), true
	case *batchv1.Job:
		return jobState(o), true
	case *corev1.Pod:
		return podStateOf(o), true
	}
	return workload{}, false
}

// jobState is that of a Job, which is done when it has ended or waits to be resumed.
func jobState(j *batchv1.Job) workload {
	done := j.Status.CompletionTime != nil || isSet(j.Spec.Suspend)
	return stateOf("Job", j, done, j.Status.Succeeded, replicas(j.Spec.Completions), 0)
}

// podStateOf is that of a bare pod.
func podStateOf(p *corev1.Pod) workload {
	return stateOf("Pod", p, isTrue(p, corev1.PodReady) || p.Status.Phase == corev1.PodSucceeded, 0, 1, 0)
}

// bareState is that of a set of pods that nothing rolls out: somebody deletes them, one by one.
func bareState(kind string, o client.Object, seen bool, ready, wanted int32) workload {
	return stateOf(kind, o, seen && ready == wanted, ready, wanted, wanted-1)
}

func deploymentState(d *appsv1.Deployment) workload {
	wanted, s := replicas(d.Spec.Replicas), d.Status
	done := s.ObservedGeneration >= d.Generation && s.UpdatedReplicas == wanted && s.ReadyReplicas == wanted && s.Replicas == wanted
	least := int32(0) // all at once
	if d.Spec.Strategy.Type != appsv1.RecreateDeploymentStrategyType && d.Spec.Strategy.RollingUpdate != nil {
		least = wanted - deploymentMayLack(d.Spec.Strategy.RollingUpdate, wanted)
	}
	return stateOf("Deployment", d, done, s.ReadyReplicas, wanted, least)
}

// deploymentMayLack is how many pods may be missing: as the Deployment controller counts, one at least if no more are added.
func deploymentMayLack(r *appsv1.RollingUpdateDeployment, wanted int32) int32 {
	lack, surge := scaled(r.MaxUnavailable, wanted, false), scaled(r.MaxSurge, wanted, true)
	if lack == 0 && surge == 0 {
		return 1
	}
	return lack
}

// statefulSetState allows one pod to be missing, whoever deletes it, unless the strategy allows more.
func statefulSetState(s *appsv1.StatefulSet) workload {
	wanted, lack := replicas(s.Spec.Replicas), int32(1)
	if r := s.Spec.UpdateStrategy.RollingUpdate; r != nil && r.MaxUnavailable != nil {
		lack = max(1, scaled(r.MaxUnavailable, wanted, true))
	}
	rolled := s.Status.UpdateRevision == s.Status.CurrentRevision || s.Status.UpdatedReplicas == wanted ||
		s.Spec.UpdateStrategy.Type == appsv1.OnDeleteStatefulSetStrategyType || partitioned(s)
	done := s.Status.ObservedGeneration >= s.Generation && s.Status.ReadyReplicas == wanted && rolled
	return stateOf("StatefulSet", s, done, s.Status.ReadyReplicas, wanted, wanted-lack)
}

// partitioned says whether a part of the StatefulSet is told to stay as it is.
func partitioned(s *appsv1.StatefulSet) bool {
	r := s.Spec.UpdateStrategy.RollingUpdate
	return r != nil && r.Partition != nil && *r.Partition > 0
}

// daemonSetState allows one pod to be missing, unless the strategy says otherwise.
func daemonSetState(d *appsv1.DaemonSet) workload {
	wanted, lack := d.Status.DesiredNumberScheduled, int32(1)
	if r := d.Spec.UpdateStrategy.RollingUpdate; r != nil {
		lack = scaled(r.MaxUnavailable, wanted, true)
	}
	rolled := d.Status.UpdatedNumberScheduled == wanted || d.Spec.UpdateStrategy.Type == appsv1.OnDeleteDaemonSetStrategyType
	done := d.Status.ObservedGeneration >= d.Generation && d.Status.NumberReady == wanted && rolled
	return stateOf("DaemonSet", d, done, d.Status.NumberReady, wanted, wanted-lack)
}

// replicas is how many are wanted; one if nothing is said.
func replicas(n *int32) int32 {
	if n == nil {
		return 1
	}
	return *n
}

// scaled is a number of pods that may be given as a part of all.
func scaled(v *intstr.IntOrString, of int32, up bool) int32 {
	if v == nil {
		return 0
	}
	n, err := intstr.GetScaledValueFromIntOrPercent(v, int(of), up)
	if err != nil {
		return 0
	}
	return int32(n)
}
