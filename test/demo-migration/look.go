package main

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// ours is how the shop's namespaces begin.
const ours = "shop-"

// workload is what has pods, and where they take secrets from.
type workload struct {
	name   string // "Deployment web"
	space  string
	mounts []string // "class x", "Secret y"
	reads  []string // names of Secrets that they read otherwise
	old    bool     // a volume is the driver's
}

// workloads lists the shop's, without pods and Jobs that another makes.
func (d *demo) workloads(ctx context.Context) ([]workload, error) {
	var found []workload
	for _, list := range []client.ObjectList{
		&appsv1.DeploymentList{}, &appsv1.StatefulSetList{}, &appsv1.DaemonSetList{}, &batchv1.CronJobList{}, &batchv1.JobList{},
		&corev1.PodList{},
	} {
		if err := d.world.Client.List(ctx, list); err != nil {
			return nil, fmt.Errorf("listing workloads: %w", err)
		}
		if err := meta.EachListItem(list, func(o runtime.Object) error {
			object, is := o.(client.Object)
			if is && strings.HasPrefix(object.GetNamespace(), ours) && len(object.GetOwnerReferences()) == 0 {
				found = append(found, workloadOf(object))
			}
			return nil
		}); err != nil {
			return nil, fmt.Errorf("listing workloads: %w", err)
		}
	}
	slices.SortStableFunc(found, func(a, b workload) int { return strings.Compare(a.space, b.space) })
	return found, nil
}

// workloadOf tells an object with pods.
func workloadOf(o client.Object) workload {
	kind, spec, over := podSpec(o)
	w := workload{name: kind + " " + o.GetName(), space: o.GetNamespace(), reads: readsOf(spec)}
	w.mounts, w.old = mountsOf(spec.Volumes)
	if over {
		w.name, w.old = w.name+" (has ended)", false
	}
	return w
}

// podSpec is what an object's pods are made of, and whether it is over.
func podSpec(o client.Object) (kind string, spec corev1.PodSpec, over bool) {
	switch o := o.(type) {
	case *appsv1.Deployment:
		return "Deployment", o.Spec.Template.Spec, false
	case *appsv1.StatefulSet:
		return "StatefulSet", o.Spec.Template.Spec, false
	case *appsv1.DaemonSet:
		return "DaemonSet", o.Spec.Template.Spec, false
	case *batchv1.CronJob:
		return "CronJob", o.Spec.JobTemplate.Spec.Template.Spec, false
	case *batchv1.Job:
		return "Job", o.Spec.Template.Spec, o.Status.CompletionTime != nil
	case *corev1.Pod:
		return "Pod", o.Spec, o.Status.Phase == corev1.PodSucceeded
	}
	return "", corev1.PodSpec{}, false
}

// mountsOf says which classes and Secrets are mounted, and whether one of them is by the driver.
func mountsOf(volumes []corev1.Volume) (mounts []string, old bool) {
	for _, v := range volumes {
		switch {
		case v.CSI != nil:
			old = true
			mounts = append(mounts, "class "+v.CSI.VolumeAttributes["secretProviderClass"])
		case v.Secret != nil:
			mounts = append(mounts, "Secret "+v.Secret.SecretName)
		case v.Projected != nil:
			for _, source := range v.Projected.Sources {
				if source.Secret != nil {
					mounts = append(mounts, "Secret "+source.Secret.Name)
				}
			}
		}
	}
	return mounts, old
}

// readsOf lists the Secrets that are read otherwise: by the environment, and to pull images.
func readsOf(spec corev1.PodSpec) []string {
	reads := map[string]bool{}
	for _, container := range spec.Containers {
		for _, variable := range container.Env {
			if variable.ValueFrom != nil && variable.ValueFrom.SecretKeyRef != nil {
				reads[variable.ValueFrom.SecretKeyRef.Name] = true
			}
		}
		for _, all := range container.EnvFrom {
			if all.SecretRef != nil {
				reads[all.SecretRef.Name] = true
			}
		}
	}
	for _, pull := range spec.ImagePullSecrets {
		reads[pull.Name] = true
	}
	return slices.Sorted(maps.Keys(reads))
}

// secret is what may be shown of a Secret.
type secret struct {
	name   string // namespace/name
	kind   string
	digest string
	owners []string // their kinds, sorted, without repetitions
}

// secrets lists those that were made from the vault, by the driver or by secretstore.
func (d *demo) secrets(ctx context.Context) ([]secret, error) {
	var list corev1.SecretList
	if err := d.world.Client.List(ctx, &list); err != nil {
		return nil, fmt.Errorf("listing Secrets: %w", err)
	}
	var found []secret
	for _, s := range list.Items {
		if !strings.HasPrefix(s.Namespace, ours) || isCredential(s) {
			continue
		}
		var owners []string
		for _, o := range s.OwnerReferences {
			owners = append(owners, o.Kind)
		}
		slices.Sort(owners)
		found = append(found, secret{s.Namespace + "/" + s.Name, string(s.Type), d.digest.of(s), slices.Compact(owners)})
	}
	return found, nil
}

// isCredential tells what volumes of the driver sign in by.
func isCredential(s corev1.Secret) bool {
	_, is := s.Data["clientsecret"]
	return is
}

// digester makes digests under a key that nobody keeps, so that they can be shown.
type digester struct{ key []byte }

func newDigester() digester { return digester{key: []byte(rand.Text())} }

// of is the digest of a Secret's keys and values.
func (d digester) of(s corev1.Secret) string {
	mac := hmac.New(sha256.New, d.key)
	for _, key := range slices.Sorted(maps.Keys(s.Data)) {
		_, _ = fmt.Fprintf(mac, "%q=%q", key, s.Data[key]) // a hash never fails
	}
	const shown = 4
	return hex.EncodeToString(mac.Sum(nil)[:shown])
}
