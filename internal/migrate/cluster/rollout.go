package cluster

import (
	"context"
	"fmt"
	"slices"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"

	"secretstore/internal/migrate/model"
)

// checkRollout: each workload has carried out what its spec says, and is ready, as far as its kind does that by itself.
func (c *Cluster) checkRollout(ctx context.Context, gate model.Gate) (lack, error) {
	var l lack
	for _, ref := range gate.Objects {
		live, err := c.get(ctx, ref)
		if err != nil {
			return lack{}, err
		}
		if live == nil {
			l.need("%s is not there", ref)
			continue
		}
		one, err := c.rollout(ctx, ref, live)
		if err != nil {
			return lack{}, err
		}
		l.join(one)
	}
	return l, nil
}

// rollout says what a workload lacks, by its kind.
func (c *Cluster) rollout(ctx context.Context, ref model.Ref, live *unstructured.Unstructured) (lack, error) {
	observed, told, _ := unstructured.NestedInt64(live.Object, "status", "observedGeneration")
	if (told || observes(ref.Kind)) && observed < live.GetGeneration() {
		var l lack
		l.wait("%s: its controller has not seen the change yet", ref)
		return l, nil
	}
	switch ref.Kind {
	case "Deployment":
		return judged(ref, live, deployment)
	case "StatefulSet":
		return judged(ref, live, statefulSet)
	case "DaemonSet":
		return judged(ref, live, daemonSet)
	case "ReplicaSet":
		return kept(ctx, c, ref, live, func(o *appsv1.ReplicaSet) keeper {
			return keeper{o.UID, o.Spec.Replicas, o.Status.AvailableReplicas, &o.Spec.Template}
		})
	case "ReplicationController":
		return kept(ctx, c, ref, live, func(o *corev1.ReplicationController) keeper {
			return keeper{o.UID, o.Spec.Replicas, o.Status.AvailableReplicas, o.Spec.Template}
		})
	case "Pod":
		return judged(ref, live, pod)
	case "Job":
		return judged(ref, live, job)
	}
	return unknownKind(ref, live), nil
}

// observes tells kinds whose status always says which generation it is of.
func observes(kind string) bool {
	return slices.Contains([]string{"Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "ReplicationController"}, kind)
}

// judged reads an object as its kind and judges it.
func judged[T any](ref model.Ref, live *unstructured.Unstructured, judge func(*lack, model.Ref, *T)) (lack, error) {
	var l lack
	object := new(T)
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(live.Object, object); err != nil {
		return lack{}, fmt.Errorf("%s: %w", ref, err)
	}
	judge(&l, ref, object)
	return l, nil
}

// deployment: all replicas are of the new template and available, and none of an old one is left.
func deployment(l *lack, ref model.Ref, d *appsv1.Deployment) {
	replicas := wanted(d.Spec.Replicas)
	finished := d.Status.UpdatedReplicas >= replicas && d.Status.Replicas <= d.Status.UpdatedReplicas &&
		d.Status.AvailableReplicas >= d.Status.UpdatedReplicas
	late := slices.ContainsFunc(d.Status.Conditions, func(c appsv1.DeploymentCondition) bool {
		return c.Type == appsv1.DeploymentProgressing && c.Reason == "ProgressDeadlineExceeded"
	})
	text := fmt.Sprintf("%d of %d replicas are new, %d old ones are left, %d are available", d.Status.UpdatedReplicas, replicas,
		max(0, d.Status.Replicas-d.Status.UpdatedReplicas), d.Status.AvailableReplicas)
	switch {
	case finished:
	case late:
		l.need("%s: its progress deadline has passed: %s", ref, text)
	case d.Spec.Paused:
		l.need("%s is paused, and replaces no pods: kubectl rollout resume deployment/%s -n %s (%s)", ref, ref.Name,
			ref.Namespace, text)
	default:
		l.wait("%s: %s", ref, text)
	}
}

// statefulSet: all replicas that its strategy replaces are of the new template, and all are available. Those below a partition
// stay as they are until that is lowered, as the spec says; under OnDelete a person deletes pods.
func statefulSet(l *lack, ref model.Ref, s *appsv1.StatefulSet) {
	replicas, partition := wanted(s.Spec.Replicas), int32(0)
	if s.Spec.UpdateStrategy.RollingUpdate != nil && s.Spec.UpdateStrategy.RollingUpdate.Partition != nil {
		partition = *s.Spec.UpdateStrategy.RollingUpdate.Partition
	}
	isNew := s.Status.UpdatedReplicas
	if s.Status.CurrentRevision == s.Status.UpdateRevision {
		isNew = s.Status.Replicas
	}
	text := fmt.Sprintf("%d of %d replicas are new, %d are available", isNew, replicas, s.Status.AvailableReplicas)
	switch {
	case s.Spec.UpdateStrategy.Type == appsv1.OnDeleteStatefulSetStrategyType && isNew < replicas:
		l.need("%s replaces pods only when they are deleted (OnDelete): %s; delete the old ones one after the other", ref, text)
	case isNew < replicas-partition, s.Status.AvailableReplicas < replicas:
		l.wait("%s: %s", ref, text)
	}
}

// daemonSet: the pod of each node is of the new template and available.
func daemonSet(l *lack, ref model.Ref, d *appsv1.DaemonSet) {
	text := fmt.Sprintf("%d of %d pods are new, %d are available", d.Status.UpdatedNumberScheduled, d.Status.DesiredNumberScheduled,
		d.Status.NumberAvailable)
	isOld := d.Status.UpdatedNumberScheduled < d.Status.DesiredNumberScheduled
	switch {
	case isOld && d.Spec.UpdateStrategy.Type == appsv1.OnDeleteDaemonSetStrategyType:
		l.need("%s replaces pods only when they are deleted (OnDelete): %s; delete the old ones one after the other", ref, text)
	case isOld, d.Status.NumberAvailable < d.Status.DesiredNumberScheduled:
		l.wait("%s: %s", ref, text)
	}
}

// pod: it runs and is ready, or has done its work.
func pod(l *lack, ref model.Ref, p *corev1.Pod) {
	ready := slices.ContainsFunc(p.Status.Conditions, func(c corev1.PodCondition) bool {
		return c.Type == corev1.PodReady && c.Status == corev1.ConditionTrue
	})
	switch {
	case ready, p.Status.Phase == corev1.PodSucceeded:
	case p.Status.Phase == corev1.PodFailed:
		l.need("%s has failed", ref)
	default:
		l.wait("%s is %s and not ready", ref, p.Status.Phase)
	}
}

// job: it has ended well, waits to be resumed, or its pods are ready.
func job(l *lack, ref model.Ref, j *batchv1.Job) {
	has := func(kind batchv1.JobConditionType) bool {
		return slices.ContainsFunc(j.Status.Conditions, func(c batchv1.JobCondition) bool {
			return c.Type == kind && c.Status == corev1.ConditionTrue
		})
	}
	ready := int32(0)
	if j.Status.Ready != nil {
		ready = *j.Status.Ready
	}
	switch {
	case has(batchv1.JobFailed):
		l.need("%s has failed", ref)
	case has(batchv1.JobComplete), j.Spec.Suspend != nil && *j.Spec.Suspend:
	case j.Status.Active == 0 || ready < j.Status.Active:
		l.wait("%s: %d of %d running pods are ready", ref, ready, j.Status.Active)
	}
}

// keeper is what keeps up a number of pods, and replaces none of them when its template changes.
type keeper struct {
	uid       types.UID
	replicas  *int32
	available int32
	template  *corev1.PodTemplateSpec
}

// kept reads a keeper of pods as its kind and judges it.
func kept[T any](ctx context.Context, c *Cluster, ref model.Ref, live *unstructured.Unstructured, of func(*T) keeper,
) (lack, error) {
	object := new(T)
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(live.Object, object); err != nil {
		return lack{}, fmt.Errorf("%s: %w", ref, err)
	}
	return c.keeps(ctx, ref, of(object))
}

// keeps judges a ReplicaSet or ReplicationController: all its pods are available, and none has a volume of the driver that the
// template has no more.
func (c *Cluster) keeps(ctx context.Context, ref model.Ref, k keeper) (lack, error) {
	var l lack
	if k.available < wanted(k.replicas) {
		l.wait("%s: %d of %d replicas are available", ref, k.available, wanted(k.replicas))
	}
	var still []string
	if k.template != nil {
		still = classesOf(&corev1.Pod{Spec: k.template.Spec})
	}
	err := c.eachPod(ctx, ref.Namespace, func(p *corev1.Pod) {
		owner := metav1.GetControllerOf(p)
		if owner == nil || owner.UID != k.uid {
			return
		}
		if slices.ContainsFunc(classesOf(p), func(class string) bool { return !slices.Contains(still, class) }) {
			l.need("%s replaces no pods when its template changes: pod %s is of the old one; delete it", ref, p.Name)
		}
	})
	return l, err
}

// unknownKind: what an object of another kind says of itself, if it does in the usual way. A CronJob says nothing: its next Job
// has the new template, and those that run end by themselves.
func unknownKind(ref model.Ref, live *unstructured.Unstructured) lack {
	var l lack
	for _, kind := range []string{"Ready", "Available", "Healthy"} {
		if told, found := condition(live, kind); found && told.status != "True" {
			l.wait("%s: its condition %s is %s: %s", ref, kind, told.status, told.reason)
		}
	}
	return l
}

// wanted is a number of replicas; one that is not given is 1.
func wanted(replicas *int32) int32 {
	if replicas == nil {
		return 1
	}
	return *replicas
}
