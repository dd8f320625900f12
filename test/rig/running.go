package rig

import (
	"context"
	"errors"
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// AwaitRunning waits until every workload and bare pod runs in its newest form, except those in namespaces named; Jobs until they
// have ended. The error says of each that does not what holds its pods up.
func (r *Rig) AwaitRunning(ctx context.Context, except ...string) error {
	skip := map[string]bool{}
	for _, name := range except {
		skip[name] = true
	}
	return await(ctx, func() error { return r.notRunning(ctx, skip) })
}

// NotRunning says of every workload, by "Kind namespace/name", why it does not run in its newest form.
func (r *Rig) NotRunning(ctx context.Context) (map[string]string, error) {
	states, err := r.workloads(ctx)
	if err != nil {
		return nil, err
	}
	pods, err := r.heldUp(ctx)
	if err != nil {
		return nil, err
	}
	why := map[string]string{}
	for _, s := range states {
		if !s.done {
			why[s.name()] = s.text + pods[s.namespace]
		}
	}
	return why, nil
}

func (r *Rig) notRunning(ctx context.Context, skip map[string]bool) error {
	why, err := r.NotRunning(ctx)
	if err != nil {
		return err
	}
	states, err := r.workloads(ctx)
	if err != nil {
		return err
	}
	var errs []error
	for _, s := range states {
		if text, held := why[s.name()]; held && !skip[s.namespace] && !skip[s.name()] {
			errs = append(errs, fmt.Errorf("%s: %s", s.name(), text))
		}
	}
	return errors.Join(errs...)
}

// heldUp tells for each namespace what holds its pods up.
func (r *Rig) heldUp(ctx context.Context) (map[string]string, error) {
	var pods corev1.PodList
	if err := r.Client.List(ctx, &pods); err != nil {
		return nil, fmt.Errorf("listing pods: %w", err)
	}
	why := map[string]string{}
	for i := range pods.Items {
		pod := &pods.Items[i]
		for _, kind := range []corev1.PodConditionType{corev1.PodReadyToStartContainers, corev1.PodScheduled} {
			if c := conditionOf(pod, kind); c != nil && c.Status == corev1.ConditionFalse {
				why[pod.Namespace] += "; pod " + pod.Name + ": " + c.Message
			}
		}
	}
	return why, nil
}

// workload is a workload's state.
type workload struct {
	kind, namespace, workload string
	// done says that all of it runs in its newest form, or has ended.
	done bool
	// wanted is how many pods it is to have, and least how many have to be ready by its update strategy.
	wanted, least int32
	text          string
}

func (w workload) name() string { return w.kind + " " + w.namespace + "/" + w.workload }

// stateOf fills in what is common to all.
func stateOf(kind string, o client.Object, done bool, ready, wanted, least int32) workload {
	return workload{
		kind: kind, namespace: o.GetNamespace(), workload: o.GetName(), done: done, wanted: wanted, least: max(0, least),
		text: fmt.Sprintf("%d of %d ready", ready, wanted),
	}
}

// workloads lists the states of all workloads.
func (r *Rig) workloads(ctx context.Context) ([]workload, error) {
	lists := []client.ObjectList{
		&appsv1.DeploymentList{}, &appsv1.StatefulSetList{}, &appsv1.DaemonSetList{}, &appsv1.ReplicaSetList{},
		&corev1.ReplicationControllerList{}, &batchv1.JobList{}, &corev1.PodList{},
	}
	var states []workload
	for _, list := range lists {
		if err := r.Client.List(ctx, list); err != nil {
			return nil, fmt.Errorf("listing workloads: %w", err)
		}
		states = append(states, statesOf(list)...)
	}
	return states, nil
}

// statesOf gives the states of the workloads in a list.
func statesOf(list client.ObjectList) []workload {
	var states []workload
	add := func(o client.Object) {
		if s, ok := stateOfObject(o); ok {
			states = append(states, s)
		}
	}
	switch l := list.(type) {
	case *appsv1.DeploymentList:
		each(l.Items, func(o *appsv1.Deployment) { add(o) })
	case *appsv1.StatefulSetList:
		each(l.Items, func(o *appsv1.StatefulSet) { add(o) })
	case *appsv1.DaemonSetList:
		each(l.Items, func(o *appsv1.DaemonSet) { add(o) })
	case *appsv1.ReplicaSetList:
		each(l.Items, func(o *appsv1.ReplicaSet) { add(o) })
	case *corev1.ReplicationControllerList:
		each(l.Items, func(o *corev1.ReplicationController) { add(o) })
	case *batchv1.JobList:
		each(l.Items, func(o *batchv1.Job) { add(o) })
	case *corev1.PodList:
		each(l.Items, func(o *corev1.Pod) { add(o) })
	}
	return states
}

func each[T any](items []T, act func(*T)) {
	for i := range items {
		act(&items[i])
	}
}
