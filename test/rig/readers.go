package rig

import (
	"context"
	"fmt"
	"slices"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// readersOf names who reads a Secret: pods that have not ended, templates of workloads, service accounts for their pods' images,
// Ingresses. The credential of a volume of the driver is read by whoever has the volume.
func readersOf(ctx context.Context, c client.Client, key types.NamespacedName) ([]string, error) {
	lists := []client.ObjectList{
		&corev1.PodList{}, &appsv1.DeploymentList{}, &appsv1.StatefulSetList{}, &appsv1.DaemonSetList{},
		&corev1.ReplicationControllerList{}, &batchv1.CronJobList{}, &corev1.ServiceAccountList{}, &networkingv1.IngressList{},
	}
	var readers []string
	for _, list := range lists {
		if err := c.List(ctx, list, client.InNamespace(key.Namespace)); err != nil {
			return nil, fmt.Errorf("listing who reads Secrets in %s: %w", key.Namespace, err)
		}
		readers = append(readers, templatesIn(list, key.Name)...)
		readers = append(readers, readersIn(list, key.Name)...)
	}
	return readers, nil
}

// templatesIn names those of a list of workloads whose pods read a Secret.
func templatesIn(list client.ObjectList, secret string) []string {
	var found []string
	template := func(kind string, o client.Object, spec *corev1.PodSpec) {
		if podReads(spec, secret) {
			found = append(found, kind+" "+o.GetName())
		}
	}
	switch l := list.(type) {
	case *appsv1.DeploymentList:
		each(l.Items, func(o *appsv1.Deployment) { template("Deployment", o, &o.Spec.Template.Spec) })
	case *appsv1.StatefulSetList:
		each(l.Items, func(o *appsv1.StatefulSet) { template("StatefulSet", o, &o.Spec.Template.Spec) })
	case *appsv1.DaemonSetList:
		each(l.Items, func(o *appsv1.DaemonSet) { template("DaemonSet", o, &o.Spec.Template.Spec) })
	case *corev1.ReplicationControllerList:
		each(l.Items, func(o *corev1.ReplicationController) {
			if o.Spec.Template != nil {
				template("ReplicationController", o, &o.Spec.Template.Spec)
			}
		})
	case *batchv1.CronJobList:
		each(l.Items, func(o *batchv1.CronJob) { template("CronJob", o, &o.Spec.JobTemplate.Spec.Template.Spec) })
	}
	return found
}

// readersIn names those of a list of other objects that read a Secret.
func readersIn(list client.ObjectList, secret string) []string {
	var found []string
	add := func(kind, name string, reads bool) {
		if reads {
			found = append(found, kind+" "+name)
		}
	}
	switch l := list.(type) {
	case *corev1.PodList:
		each(l.Items, func(o *corev1.Pod) {
			ended := o.Status.Phase == corev1.PodSucceeded || o.Status.Phase == corev1.PodFailed
			add("Pod", o.Name, !ended && podReads(&o.Spec, secret))
		})
	case *corev1.ServiceAccountList:
		each(l.Items, func(o *corev1.ServiceAccount) { add("ServiceAccount", o.Name, refers(o.ImagePullSecrets, secret)) })
	case *networkingv1.IngressList:
		each(l.Items, func(o *networkingv1.Ingress) {
			reads := func(t networkingv1.IngressTLS) bool { return t.SecretName == secret }
			add("Ingress", o.Name, slices.ContainsFunc(o.Spec.TLS, reads))
		})
	}
	return found
}

// podReads says whether a pod reads a Secret.
func podReads(spec *corev1.PodSpec, secret string) bool {
	credential := func(v corev1.Volume) bool {
		return isDrivers(v) && v.CSI.NodePublishSecretRef != nil && v.CSI.NodePublishSecretRef.Name == secret
	}
	return refers(spec.ImagePullSecrets, secret) || slices.ContainsFunc(spec.Volumes, credential) ||
		slices.ContainsFunc(podNeeds(spec), func(n need) bool { return n.secret == secret })
}

func refers(references []corev1.LocalObjectReference, name string) bool {
	return slices.Contains(references, corev1.LocalObjectReference{Name: name})
}
