package rig

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// hear takes in one change.
func (r *Recorder) hear(ctx context.Context, what any, gone bool) {
	object, ok := what.(client.Object)
	if !ok {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	switch o := object.(type) {
	case *corev1.Secret:
		r.hearSecret(ctx, o, gone)
	case *corev1.Pod:
		r.hearPod(ctx, o, gone)
	default:
		if set, ok := object.(*appsv1.ReplicaSet); ok {
			r.owners[set.UID] = topOf(set)
		}
		r.hearWorkload(object, gone)
	}
	if gone {
		delete(r.seen, object.GetUID())
		return
	}
	r.seen[object.GetUID()] = seen{kind: kindOf(object), version: versionOf(object.GetResourceVersion())}
}

// hearSecret compares a Secret with what it was.
func (r *Recorder) hearSecret(ctx context.Context, s *corev1.Secret, gone bool) {
	key := types.NamespacedName{Namespace: s.Namespace, Name: s.Name}
	old, known := r.secrets[key]
	now := secretState{uid: s.UID, digest: r.digest(s)}
	switch {
	case gone:
		delete(r.secrets, key)
		r.note(key.Namespace, "Secret %s vanished", key)
		r.complain(ctx, key, "vanished")
		return
	case !known:
		r.note(key.Namespace, "Secret %s appeared, data %s, owners %s", key, now.digest, ownersOf(s))
	case old.uid != now.uid:
		r.note(key.Namespace, "Secret %s was replaced, data %s before, %s now", key, old.digest, now.digest)
		r.complain(ctx, key, "vanished for a moment")
	case old.digest != now.digest:
		r.note(key.Namespace, "Secret %s changed, data %s before, %s now", key, old.digest, now.digest)
		if !r.allowed[key] {
			r.complain(ctx, key, "changed")
		}
	}
	r.secrets[key] = now
}

// complain is about a Secret, if someone reads it.
func (r *Recorder) complain(ctx context.Context, key types.NamespacedName, what string) {
	readers, err := readersOf(ctx, r.client, key)
	if err != nil {
		r.violate(key.Namespace, "Secret %s %s, and who reads it cannot be told: %v", key, what, err)
		return
	}
	if len(readers) > 0 {
		r.violate(key.Namespace, "Secret %s, which %s reads, %s", key, strings.Join(readers, ", "), what)
	}
}

func ownersOf(o client.Object) string {
	var names []string
	for _, owner := range o.GetOwnerReferences() {
		names = append(names, owner.Kind+" "+owner.Name)
	}
	return "[" + strings.Join(names, ", ") + "]"
}

// hearWorkload takes in what a workload asks for.
func (r *Recorder) hearWorkload(object client.Object, gone bool) {
	state, ok := stateOfObject(object)
	if !ok {
		return
	}
	w := r.workloads[object.GetUID()]
	if gone {
		if w != nil && w.healthy && w.least > 0 {
			r.violate(w.namespace, "%s is gone", w.name())
		}
		delete(r.workloads, object.GetUID())
		return
	}
	if w == nil {
		w = &watched{workload: state}
		r.workloads[object.GetUID()] = w
	}
	if w.wanted != state.wanted || !w.healthy {
		*w = watched{workload: state}
		r.count(object.GetUID())
	}
}

// hearPod counts a pod for its workload.
func (r *Recorder) hearPod(ctx context.Context, pod *corev1.Pod, gone bool) {
	old, known := r.pods[pod.UID]
	now := podState{top: old.top, ready: !gone && pod.DeletionTimestamp == nil && isTrue(pod, corev1.PodReady)}
	if !known {
		now.top = r.workloadOf(ctx, pod)
	}
	if gone {
		delete(r.pods, pod.UID)
	} else {
		r.pods[pod.UID] = now
	}
	if old.ready != now.ready {
		r.note(pod.Namespace, "Pod %s/%s: ready is %t", pod.Namespace, pod.Name, now.ready)
		r.count(now.top)
	}
}

// workloadOf is the workload that a pod belongs to. Its ReplicaSet may not have been heard of yet.
func (r *Recorder) workloadOf(ctx context.Context, pod *corev1.Pod) types.UID {
	owner := metav1.GetControllerOf(pod)
	if owner == nil {
		return ""
	}
	if owner.Kind != "ReplicaSet" {
		return owner.UID
	}
	if top, known := r.owners[owner.UID]; known {
		return top
	}
	var set appsv1.ReplicaSet
	if err := r.client.Get(ctx, client.ObjectKey{Namespace: pod.Namespace, Name: owner.Name}, &set); err != nil {
		return owner.UID
	}
	r.owners[set.UID] = topOf(&set)
	return r.owners[set.UID]
}

// topOf is the UID of what controls an object, its own if nothing does.
func topOf(o client.Object) types.UID {
	if owner := metav1.GetControllerOf(o); owner != nil {
		return owner.UID
	}
	return o.GetUID()
}

// count compares the ready pods of a workload with how many there must be.
func (r *Recorder) count(uid types.UID) {
	w := r.workloads[uid]
	if w == nil {
		return
	}
	var ready int32
	for _, pod := range r.pods {
		if pod.top == uid && pod.ready {
			ready++
		}
	}
	if ready >= w.wanted && w.wanted > 0 {
		w.healthy = true
	}
	if w.healthy && ready < w.least {
		r.violate(w.namespace, "%s has %d pods ready of %d, and its update strategy allows no less than %d",
			w.name(), ready, w.wanted, w.least)
	}
}

// behind says what of the cluster was not heard of yet.
func (r *Recorder) behind(ctx context.Context) error {
	for _, kind := range kinds() {
		gvk, err := r.client.GroupVersionKindFor(kind)
		if err != nil {
			return err
		}
		list := &metav1.PartialObjectMetadataList{}
		list.SetGroupVersionKind(gvk.GroupVersion().WithKind(gvk.Kind + "List"))
		if err := r.client.List(ctx, list); err != nil {
			return fmt.Errorf("listing %s: %w", gvk.Kind, err)
		}
		if err := r.compare(gvk.Kind, list); err != nil {
			return err
		}
	}
	return nil
}

// compare says what of a list was not heard of, and what is gone without being heard of.
func (r *Recorder) compare(kind string, list *metav1.PartialObjectMetadataList) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	live := map[types.UID]bool{}
	for _, item := range list.Items {
		live[item.UID] = true
		if r.seen[item.UID].version < versionOf(item.ResourceVersion) {
			return fmt.Errorf("%s %s/%s is newer than what was seen of it", kind, item.Namespace, item.Name)
		}
	}
	accessor, err := meta.ListAccessor(list)
	if err != nil {
		return err
	}
	for uid, s := range r.seen {
		if s.kind == kind && !live[uid] && s.version <= versionOf(accessor.GetResourceVersion()) {
			return fmt.Errorf("a %s is gone, and was not seen to go", kind)
		}
	}
	return nil
}

// versionOf is a resource version as the number that Kubernetes makes of it.
func versionOf(text string) uint64 {
	n, _ := strconv.ParseUint(text, 10, 64)
	return n
}
