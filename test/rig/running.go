package rig

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// AwaitRunning waits until every workload and bare pod runs in its newest form, except those named as "Kind namespace/name"; Jobs
// until they have ended. The error says of each that does not what holds its pods up.
func (r *Rig) AwaitRunning(ctx context.Context, except ...string) error {
	return await(ctx, func() error {
		why, err := r.NotRunning(ctx)
		if err != nil {
			return err
		}
		var errs []error
		for _, name := range slices.Sorted(maps.Keys(why)) {
			if !slices.Contains(except, name) {
				errs = append(errs, fmt.Errorf("%s: %s", name, why[name]))
			}
		}
		return errors.Join(errs...)
	})
}

// NotRunning says of every workload and bare pod, by "Kind namespace/name", why it does not run in its newest form.
func (r *Rig) NotRunning(ctx context.Context) (map[string]string, error) {
	states, err := r.workloads(ctx)
	if err != nil {
		return nil, err
	}
	var pods corev1.PodList
	if err := r.Client.List(ctx, &pods); err != nil {
		return nil, fmt.Errorf("listing pods: %w", err)
	}
	why := map[string]string{}
	for _, s := range states {
		if !s.done {
			why[s.name()] = s.text + heldUp(pods.Items, s)
		}
	}
	return why, nil
}

// heldUp tells what holds a workload's pods up.
func heldUp(pods []corev1.Pod, w workload) string {
	var text strings.Builder
	each(pods, func(pod *corev1.Pod) {
		if pod.Namespace != w.namespace || !strings.HasPrefix(pod.Name+"-", w.workload+"-") {
			return
		}
		for _, kind := range []corev1.PodConditionType{corev1.PodReadyToStartContainers, corev1.PodScheduled} {
			if c := conditionOf(pod, kind); c != nil && c.Status == corev1.ConditionFalse {
				text.WriteString("; pod " + pod.Name + ": " + c.Message)
			}
		}
	})
	return text.String()
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
