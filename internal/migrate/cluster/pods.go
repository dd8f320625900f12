package cluster

import (
	"context"
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"secretstore/internal/migrate/model"
)

// pageSize is how many objects are asked for at once, as kubectl does.
const pageSize = 500

// checkUnmounted: no pod that may still run has a volume of one of the classes. Pods that are on their way out, and those of
// Jobs, go by themselves.
func (c *Cluster) checkUnmounted(ctx context.Context, gate model.Gate) (lack, error) {
	var l lack
	for _, namespace := range namespacesOf(gate.Objects) {
		err := c.eachPod(ctx, namespace, func(pod *corev1.Pod) {
			for _, class := range classesOf(pod) {
				if !slices.ContainsFunc(gate.Objects, func(r model.Ref) bool { return r.Namespace == namespace && r.Name == class }) {
					continue
				}
				owner := metav1.GetControllerOf(pod)
				switch {
				case pod.DeletionTimestamp != nil:
					l.wait("pod %s/%s, which is ending, has a volume of class %s", namespace, pod.Name, class)
				case owner != nil && owner.Kind == "Job":
					l.wait("pod %s/%s of Job %s runs with a volume of class %s", namespace, pod.Name, owner.Name, class)
				default:
					l.need("pod %s/%s%s has a volume of class %s", namespace, pod.Name, ownerText(owner), class)
				}
			}
		})
		if err != nil {
			return lack{}, err
		}
	}
	return l, nil
}

// ownerText names what a pod belongs to.
func ownerText(owner *metav1.OwnerReference) string {
	if owner == nil {
		return ", which nothing replaces,"
	}
	return fmt.Sprintf(" of %s %s", owner.Kind, owner.Name)
}

// eachPod hands on the pods of a namespace that have not ended, page by page.
func (c *Cluster) eachPod(ctx context.Context, namespace string, each func(*corev1.Pod)) error {
	options := metav1.ListOptions{Limit: pageSize}
	for {
		page, err := c.typed.CoreV1().Pods(namespace).List(ctx, options)
		if err != nil {
			return explain(err, "list", schema.GroupResource{Resource: "pods"},
				model.Ref{APIVersion: "v1", Kind: "Pod", Namespace: namespace, Name: "*"})
		}
		for i := range page.Items {
			if phase := page.Items[i].Status.Phase; phase != corev1.PodSucceeded && phase != corev1.PodFailed {
				each(&page.Items[i])
			}
		}
		if options.Continue = page.Continue; options.Continue == "" {
			return nil
		}
	}
}

// classesOf are the classes that a pod mounts.
func classesOf(pod *corev1.Pod) []string {
	var classes []string
	for _, v := range pod.Spec.Volumes {
		if v.CSI != nil && v.CSI.Driver == model.Driver {
			classes = append(classes, v.CSI.VolumeAttributes["secretProviderClass"])
		}
	}
	slices.Sort(classes)
	return slices.Compact(classes)
}
