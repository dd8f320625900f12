package rig

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

const (
	// unmounted is the condition by which kwok lets a pod with a volume of the driver go.
	unmounted corev1.PodConditionType = "rig.example.com/Unmounted"
	// kubeletWorkers is how many pods are started at a time: pods of many nodes start side by side.
	kubeletWorkers = 4
	// retryEvery is when a pod that cannot start is looked at again.
	retryEvery = 300 * time.Millisecond
)

// kubelet cares for the volumes of all nodes' pods: it says when a pod can start, and when one can go. kwok does the rest.
type kubelet struct {
	client  client.WithWatch
	driver  *Driver
	queue   workqueue.TypedRateLimitingInterface[client.ObjectKey]
	running sync.WaitGroup
}

func (k *kubelet) start(ctx context.Context) {
	limiter := workqueue.NewTypedItemFastSlowRateLimiter[client.ObjectKey](retryEvery, retryEvery, 1)
	k.queue = workqueue.NewTypedRateLimitingQueue(limiter)
	k.running.Go(func() {
		<-ctx.Done()
		k.queue.ShutDown()
	})
	k.running.Go(func() { every(ctx, lookEvery, k.watch) })
	for range kubeletWorkers {
		k.running.Go(func() {
			for k.next(ctx) {
			}
		})
	}
}

func (k *kubelet) wait() { k.running.Wait() }

// watch follows all pods until the watch ends; its beginning tells those that are there.
func (k *kubelet) watch(ctx context.Context) {
	w, err := k.client.Watch(ctx, &corev1.PodList{})
	if err != nil {
		return // the API server may be away; every tries again
	}
	defer w.Stop()
	for event := range w.ResultChan() {
		pod, ok := event.Object.(*corev1.Pod)
		if ok && event.Type != watch.Deleted && concerns(pod) {
			k.queue.Add(client.ObjectKeyFromObject(pod))
		}
	}
}

// concerns says whether something is to be done with a pod.
func concerns(pod *corev1.Pod) bool {
	switch {
	case pod.Spec.NodeName == "":
		return false
	case pod.DeletionTimestamp != nil:
		return hasDrivers(pod) && !isTrue(pod, unmounted)
	default:
		return (pod.Status.Phase == "" || pod.Status.Phase == corev1.PodPending) && !isTrue(pod, corev1.PodReadyToStartContainers)
	}
}

// next takes care of one pod, and says whether there may be more.
func (k *kubelet) next(ctx context.Context) bool {
	key, shutdown := k.queue.Get()
	if shutdown {
		return false
	}
	defer k.queue.Done(key)
	var pod corev1.Pod
	if err := k.client.Get(ctx, key, &pod); err != nil {
		if client.IgnoreNotFound(err) != nil {
			k.queue.AddRateLimited(key)
		}
		return true
	}
	if !concerns(&pod) {
		return true
	}
	if k.care(ctx, &pod) != nil {
		k.queue.AddRateLimited(key)
	}
	return true
}

// care starts or ends one pod, or says in its status why it cannot.
func (k *kubelet) care(ctx context.Context, pod *corev1.Pod) error {
	if pod.DeletionTimestamp != nil {
		if !k.driver.up() {
			return errNoDriver
		}
		return k.tell(ctx, pod, unmounted, nil)
	}
	why := k.mount(ctx, pod)
	if err := k.tell(ctx, pod, corev1.PodReadyToStartContainers, why); err != nil {
		return err
	}
	return why
}

// mount mounts the volumes of a pod, and says what is missing.
func (k *kubelet) mount(ctx context.Context, pod *corev1.Pod) error {
	mounted := map[string]paths{}
	for _, volume := range pod.Spec.Volumes {
		if !isDrivers(volume) {
			continue
		}
		found, err := k.driver.mount(ctx, pod, volume)
		if err != nil {
			return fmt.Errorf("MountVolume.SetUp failed for volume %q: %w", volume.Name, err)
		}
		mounted[volume.Name] = pathsOf(found)
	}
	return k.readSecrets(ctx, pod, mounted)
}

// tell sets a condition: true, or false with the reason.
func (k *kubelet) tell(ctx context.Context, pod *corev1.Pod, kind corev1.PodConditionType, why error) error {
	condition := corev1.PodCondition{Type: kind, Status: corev1.ConditionTrue, LastTransitionTime: metav1.Now()}
	if why != nil {
		condition.Status, condition.Reason, condition.Message = corev1.ConditionFalse, "FailedMount", why.Error()
	}
	if old := conditionOf(pod, kind); old != nil && old.Status == condition.Status && old.Message == condition.Message {
		return nil
	}
	before := pod.DeepCopy()
	if old := conditionOf(pod, kind); old != nil {
		*old = condition
	} else {
		pod.Status.Conditions = append(pod.Status.Conditions, condition)
	}
	return client.IgnoreNotFound(k.client.Status().Patch(ctx, pod, client.StrategicMergeFrom(before)))
}

// conditionOf finds a condition of a pod.
func conditionOf(pod *corev1.Pod, kind corev1.PodConditionType) *corev1.PodCondition {
	for i := range pod.Status.Conditions {
		if pod.Status.Conditions[i].Type == kind {
			return &pod.Status.Conditions[i]
		}
	}
	return nil
}

func isTrue(pod *corev1.Pod, kind corev1.PodConditionType) bool {
	c := conditionOf(pod, kind)
	return c != nil && c.Status == corev1.ConditionTrue
}

// hasDrivers says whether a pod has a volume of the driver.
func hasDrivers(pod *corev1.Pod) bool {
	return slices.ContainsFunc(pod.Spec.Volumes, isDrivers)
}
