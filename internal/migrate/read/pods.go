package read

import (
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"secretstore/internal/migrate/model"
)

// pod is a pod whose owners are to be followed to the top.
type pod struct {
	namespace string
	owners    []metav1.OwnerReference
}

// matters tells whether a pod is to be kept: it mounts the driver, nothing owns it, or it uses a Secret that a class makes.
func (c *cluster) matters(p *corev1.Pod) bool {
	return !isOwned(p) || c.usesAny(p.Namespace, &p.Spec)
}

// usesAny tells whether pods of a spec mount the driver or use a Secret that a class makes.
func (c *cluster) usesAny(namespace string, spec *corev1.PodSpec) bool {
	return slices.ContainsFunc(spec.Volumes, isDriver) || c.usesSynced(namespace, spec)
}

// isOwned tells whether a controller made the pod. A mirror pod is owned by its node, which does not count.
func isOwned(p *corev1.Pod) bool {
	owner := metav1.GetControllerOf(p)
	return owner != nil && owner.Kind != "Node"
}

func isDriver(v corev1.Volume) bool { return v.CSI != nil && v.CSI.Driver == model.Driver }

// usesSynced tells whether pods of a spec use a Secret that a class makes.
func (c *cluster) usesSynced(namespace string, spec *corev1.PodSpec) bool {
	uses := func(name string) bool { return name != "" && c.synced[namespace+"/"+name] }
	return slices.ContainsFunc(spec.ImagePullSecrets, func(r corev1.LocalObjectReference) bool { return uses(r.Name) }) ||
		slices.ContainsFunc(spec.Volumes, func(v corev1.Volume) bool { return slices.ContainsFunc(secretsOf(v), uses) }) ||
		slices.ContainsFunc(containers(spec), func(c *corev1.Container) bool {
			return slices.ContainsFunc(c.Env, func(e corev1.EnvVar) bool { return uses(secretOf(e)) }) ||
				slices.ContainsFunc(c.EnvFrom, func(e corev1.EnvFromSource) bool { return e.SecretRef != nil && uses(e.SecretRef.Name) })
		})
}

// containers are all containers of a pod. An ephemeral one has the same fields as any other.
func containers(spec *corev1.PodSpec) []*corev1.Container {
	var all []*corev1.Container
	for i := range spec.InitContainers {
		all = append(all, &spec.InitContainers[i])
	}
	for i := range spec.Containers {
		all = append(all, &spec.Containers[i])
	}
	for i := range spec.EphemeralContainers {
		all = append(all, (*corev1.Container)(&spec.EphemeralContainers[i].EphemeralContainerCommon))
	}
	return all
}

// secretsOf are the Secrets that a volume holds.
func secretsOf(v corev1.Volume) []string {
	var names []string
	if v.Secret != nil {
		names = append(names, v.Secret.SecretName)
	}
	if v.Projected != nil {
		for _, source := range v.Projected.Sources {
			if source.Secret != nil {
				names = append(names, source.Secret.Name)
			}
		}
	}
	return names
}

func secretOf(e corev1.EnvVar) string {
	if e.ValueFrom == nil || e.ValueFrom.SecretKeyRef == nil {
		return ""
	}
	return e.ValueFrom.SecretKeyRef.Name
}

// addPod keeps a pod; one that something owns without what its template says anyway.
func (c *cluster) addPod(p *corev1.Pod) error {
	p.Status = corev1.PodStatus{Phase: p.Status.Phase}
	c.known[p.UID] = p.OwnerReferences
	if isOwned(p) {
		reduce(p)
		c.climb = append(c.climb, pod{p.Namespace, p.OwnerReferences})
	}
	for _, owner := range p.OwnerReferences {
		c.owners[owner.UID] = true
	}
	content, err := contentOf(p)
	if err != nil {
		return err
	}
	c.noteCredentials(c.add(content))
	return nil
}

// reduce leaves of a pod its volumes of the driver and of Secrets, and what its containers do with them.
func reduce(p *corev1.Pod) {
	p.Annotations = nil
	matter := map[string]bool{}
	p.Spec.Volumes = slices.DeleteFunc(p.Spec.Volumes, func(v corev1.Volume) bool {
		matter[v.Name] = isDriver(v) || len(secretsOf(v)) > 0
		return !matter[v.Name]
	})
	for _, c := range containers(&p.Spec) {
		*c = corev1.Container{
			Name:         c.Name,
			Env:          slices.DeleteFunc(c.Env, func(e corev1.EnvVar) bool { return secretOf(e) == "" }),
			EnvFrom:      slices.DeleteFunc(c.EnvFrom, func(e corev1.EnvFromSource) bool { return e.SecretRef == nil }),
			VolumeMounts: slices.DeleteFunc(c.VolumeMounts, func(m corev1.VolumeMount) bool { return !matter[m.Name] }),
		}
	}
	p.Spec = corev1.PodSpec{
		Volumes: p.Spec.Volumes, InitContainers: p.Spec.InitContainers, Containers: p.Spec.Containers,
		EphemeralContainers: p.Spec.EphemeralContainers, ImagePullSecrets: p.Spec.ImagePullSecrets,
		ServiceAccountName: p.Spec.ServiceAccountName, NodeName: p.Spec.NodeName, OS: p.Spec.OS, NodeSelector: p.Spec.NodeSelector,
	}
}

// leaveEssence leaves of a pod's spec what runs in it, by which the driver's companions are known, and the Secrets that it
// uses: one of them may be the credentials that volumes of other workloads sign in with.
func leaveEssence(spec *corev1.PodSpec) {
	for _, c := range containers(spec) {
		*c = corev1.Container{
			Name: c.Name, Image: c.Image, Command: c.Command, Args: c.Args,
			Env:     slices.DeleteFunc(c.Env, func(e corev1.EnvVar) bool { return secretOf(e) == "" }),
			EnvFrom: slices.DeleteFunc(c.EnvFrom, func(e corev1.EnvFromSource) bool { return e.SecretRef == nil }),
		}
	}
	*spec = corev1.PodSpec{
		InitContainers: spec.InitContainers, Containers: spec.Containers, ImagePullSecrets: spec.ImagePullSecrets,
		Volumes: slices.DeleteFunc(spec.Volumes, func(v corev1.Volume) bool { return len(secretsOf(v)) == 0 }),
	}
}

// deployers leaves of managed fields the names of managers that would undo a change made in the cluster, each once.
func deployers(fields []metav1.ManagedFieldsEntry) []metav1.ManagedFieldsEntry {
	var kept []metav1.ManagedFieldsEntry
	for _, f := range fields {
		entry := metav1.ManagedFieldsEntry{Manager: f.Manager}
		same := func(k metav1.ManagedFieldsEntry) bool { return k.Manager == f.Manager }
		if isDeployer(f.Manager) && !slices.ContainsFunc(kept, same) {
			kept = append(kept, entry)
		}
	}
	return kept
}

func isDeployer(manager string) bool {
	manager = strings.ToLower(manager)
	return slices.ContainsFunc([]string{"helm", "argocd", "argo-cd", "flux", "kustomize-controller"}, func(name string) bool {
		return strings.Contains(manager, name)
	})
}
