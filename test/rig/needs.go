package rig

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// need is what a pod reads of a Secret.
type need struct {
	secret string
	// keys must be there; all of them that are there are read if there are none.
	keys     []string
	optional bool
}

// paths are the files of a volume.
type paths []string

// pathsOf lists the files of a mounted volume.
func pathsOf(f files) paths { return slices.Sorted(maps.Keys(f)) }

// has says whether there is a file or a folder of that path.
func (p paths) has(path string) bool {
	path = strings.TrimSuffix(path, "/")
	return slices.ContainsFunc(p, func(file string) bool { return file == path || strings.HasPrefix(file, path+"/") })
}

// readSecrets says which Secret or key that the pod needs is missing, and which path of a volume. mounted are the files of the
// volumes of the driver.
func (k *kubelet) readSecrets(ctx context.Context, pod *corev1.Pod, mounted map[string]paths) error {
	for _, n := range podNeeds(&pod.Spec) {
		if _, err := k.check(ctx, pod.Namespace, n); err != nil {
			return err
		}
	}
	for _, volume := range pod.Spec.Volumes {
		sources := secretSources(volume)
		if len(sources) == 0 || hasOthers(volume) {
			continue
		}
		for _, source := range sources {
			data, err := k.check(ctx, pod.Namespace, source.need())
			if err != nil {
				return err
			}
			mounted[volume.Name] = append(mounted[volume.Name], source.paths(data)...)
		}
	}
	return checkSubPaths(&pod.Spec, mounted)
}

// check reads a Secret and says what of it is missing.
func (k *kubelet) check(ctx context.Context, namespace string, n need) (map[string][]byte, error) {
	var secret corev1.Secret
	err := k.client.Get(ctx, client.ObjectKey{Namespace: namespace, Name: n.secret}, &secret)
	if err != nil {
		if n.optional {
			err = client.IgnoreNotFound(err)
		}
		return nil, err
	}
	for _, key := range n.keys {
		if _, ok := secret.Data[key]; !ok && !n.optional {
			return nil, fmt.Errorf("secret %s/%s has no key %q", namespace, n.secret, key)
		}
	}
	return secret.Data, nil
}

// checkSubPaths says which sub-path that a container mounts is not in its volume.
func checkSubPaths(spec *corev1.PodSpec, mounted map[string]paths) error {
	for _, c := range slices.Concat(spec.InitContainers, spec.Containers) {
		for _, m := range c.VolumeMounts {
			if in, known := mounted[m.Name]; known && m.SubPath != "" && !in.has(m.SubPath) {
				return fmt.Errorf("container %s: volume %s has no path %q", c.Name, m.Name, m.SubPath)
			}
		}
	}
	return nil
}

// podNeeds lists what the containers and volumes of a pod read of Secrets.
func podNeeds(spec *corev1.PodSpec) []need {
	var needs []need
	for _, volume := range spec.Volumes {
		for _, source := range secretSources(volume) {
			needs = append(needs, source.need())
		}
	}
	for _, c := range slices.Concat(spec.InitContainers, spec.Containers) {
		for _, from := range c.EnvFrom {
			if s := from.SecretRef; s != nil {
				needs = append(needs, need{secret: s.Name, optional: isSet(s.Optional)})
			}
		}
		for _, env := range c.Env {
			if env.ValueFrom == nil || env.ValueFrom.SecretKeyRef == nil {
				continue
			}
			s := env.ValueFrom.SecretKeyRef
			needs = append(needs, need{secret: s.Name, keys: []string{s.Key}, optional: isSet(s.Optional)})
		}
	}
	return needs
}

// secretSource is a Secret in a volume.
type secretSource struct {
	secret   string
	items    []corev1.KeyToPath
	optional bool
}

// secretSources lists the Secrets of a volume.
func secretSources(v corev1.Volume) []secretSource {
	if s := v.Secret; s != nil {
		return []secretSource{{s.SecretName, s.Items, isSet(s.Optional)}}
	}
	var sources []secretSource
	if v.Projected != nil {
		for _, p := range v.Projected.Sources {
			if s := p.Secret; s != nil {
				sources = append(sources, secretSource{s.Name, s.Items, isSet(s.Optional)})
			}
		}
	}
	return sources
}

// hasOthers says whether a volume holds more than Secrets, so that its paths are not known here.
func hasOthers(v corev1.Volume) bool {
	other := func(p corev1.VolumeProjection) bool { return p.Secret == nil }
	return v.Projected != nil && slices.ContainsFunc(v.Projected.Sources, other)
}

func (s secretSource) need() need {
	n := need{secret: s.secret, optional: s.optional}
	for _, item := range s.items {
		n.keys = append(n.keys, item.Key)
	}
	return n
}

// paths are the files that the Secret's data become.
func (s secretSource) paths(data map[string][]byte) paths {
	if len(s.items) == 0 {
		return slices.Sorted(maps.Keys(data))
	}
	var found paths
	for _, item := range s.items {
		if _, ok := data[item.Key]; ok {
			found = append(found, item.Path)
		}
	}
	return found
}

func isSet(b *bool) bool { return b != nil && *b }
