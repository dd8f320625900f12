package rig

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	csi "sigs.k8s.io/secrets-store-csi-driver/apis/v1"
	"sigs.k8s.io/secrets-store-csi-driver/pkg/util/secretutil"
)

// managedLabel marks the Secrets that the driver made.
const managedLabel = "secrets-store.csi.k8s.io/managed"

// syncSecrets makes the Secrets of a class that are not there. One that is there is left alone, whoever made it, or written over:
// its owners go, too, until giveOwners gives some.
func (d *Driver) syncSecrets(ctx context.Context, class *csi.SecretProviderClass, found files) error {
	var errs []error
	for _, object := range class.Spec.SecretObjects {
		secret, err := secretOf(class.Namespace, object, found)
		if err == nil {
			err = d.client.Create(ctx, secret)
		}
		if apierrors.IsAlreadyExists(err) && d.overwrites {
			err = d.client.Update(ctx, secret)
		}
		if err != nil && !apierrors.IsAlreadyExists(err) {
			errs = append(errs, fmt.Errorf("secret %s of class %s/%s: %w", object.SecretName, class.Namespace, class.Name, err))
		}
	}
	return errors.Join(errs...)
}

// secretOf is the Secret that an entry of secretObjects asks for.
func secretOf(namespace string, object *csi.SecretObject, found files) (*corev1.Secret, error) {
	if err := secretutil.ValidateSecretObject(*object); err != nil {
		return nil, err
	}
	labels := map[string]string{managedLabel: "true"}
	maps.Copy(labels, object.Labels)
	secret := &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: namespace, Name: strings.TrimSpace(object.SecretName), Labels: labels, Annotations: object.Annotations,
		},
		Type: secretutil.GetSecretType(strings.TrimSpace(object.Type)), Data: map[string][]byte{},
	}
	for _, item := range object.Data {
		name, key := strings.TrimSpace(item.ObjectName), strings.TrimSpace(item.Key)
		f, ok := found[name]
		if !ok {
			return nil, fmt.Errorf("file matching objectName %s not found in the pod", name)
		}
		secret.Data[key] = f.content
		if secret.Type == corev1.SecretTypeTLS {
			part, err := secretutil.GetCertPart(f.content, key)
			if err != nil {
				return nil, fmt.Errorf("failed to get cert data from file %s: %w", name, err)
			}
			secret.Data[key] = part
		}
	}
	return secret, nil
}

// patchSecrets brings the data of a class's Secrets up to date, as the driver's rotation does.
func (d *Driver) patchSecrets(ctx context.Context, class *csi.SecretProviderClass, found files) error {
	var errs []error
	for _, object := range class.Spec.SecretObjects {
		wanted, err := secretOf(class.Namespace, object, found)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		var live corev1.Secret
		if err := d.client.Get(ctx, client.ObjectKeyFromObject(wanted), &live); err != nil {
			errs = append(errs, client.IgnoreNotFound(err))
			continue
		}
		if maps.EqualFunc(live.Data, wanted.Data, slices.Equal[[]byte]) {
			continue
		}
		before := live.DeepCopy()
		live.Data = wanted.Data
		errs = append(errs, d.client.Patch(ctx, &live, client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{})))
	}
	return errors.Join(errs...)
}

// giveOwners gives the Secrets of mounted classes the owners of the pods that mount them. It never takes one away.
func (d *Driver) giveOwners(ctx context.Context) {
	owners := map[types.NamespacedName][]metav1.OwnerReference{}
	d.eachMount(ctx, func(m mounted) error {
		for _, object := range m.class.Spec.SecretObjects {
			key := types.NamespacedName{Namespace: m.class.Namespace, Name: object.SecretName}
			owners[key] = append(owners[key], m.owners()...)
		}
		return nil
	})
	d.mu.Lock()
	defer d.mu.Unlock()
	for key, wanted := range owners {
		if !d.stopped {
			_ = d.giveOwnersTo(ctx, key, wanted) // a conflict, or a Secret that is gone: the next round looks again
		}
	}
}

// giveOwnersTo adds those of the owners whose names the Secret does not have yet.
func (d *Driver) giveOwnersTo(ctx context.Context, key types.NamespacedName, wanted []metav1.OwnerReference) error {
	var secret corev1.Secret
	if err := d.client.Get(ctx, key, &secret); err != nil {
		return err
	}
	before := secret.DeepCopy()
	for _, owner := range wanted {
		named := func(o metav1.OwnerReference) bool { return o.Name == owner.Name }
		if !slices.ContainsFunc(secret.OwnerReferences, named) {
			secret.OwnerReferences = append(secret.OwnerReferences, owner)
		}
	}
	if len(secret.OwnerReferences) == len(before.OwnerReferences) {
		return nil
	}
	return d.client.Patch(ctx, &secret, client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{}))
}

// mounted is a class that a pod has mounted.
type mounted struct {
	pod    *corev1.Pod
	class  *csi.SecretProviderClass
	status *csi.SecretProviderClassPodStatus
	volume corev1.Volume
}

// owners are whom a Secret of the class is to belong to: the pod's owners, or the status of a pod that has none.
func (m mounted) owners() []metav1.OwnerReference {
	if len(m.pod.OwnerReferences) == 0 {
		return []metav1.OwnerReference{{
			APIVersion: csi.SchemeGroupVersion.String(), Kind: "SecretProviderClassPodStatus", Name: m.status.Name, UID: m.status.UID,
		}}
	}
	var owners []metav1.OwnerReference
	for _, o := range m.pod.OwnerReferences {
		owners = append(owners, metav1.OwnerReference{APIVersion: o.APIVersion, Kind: o.Kind, Name: o.Name, UID: o.UID})
	}
	return owners
}

// eachMount goes through the statuses whose pod and class are there, as long as the driver is; an error of one leaves it for the
// next round. A pod that has ended counts as long as it is there: the driver gives its owners, too.
func (d *Driver) eachMount(ctx context.Context, act func(mounted) error) {
	var statuses csi.SecretProviderClassPodStatusList
	if err := d.client.List(ctx, &statuses); err != nil {
		return
	}
	for i := range statuses.Items {
		d.mu.Lock()
		if m, err := d.find(ctx, &statuses.Items[i]); err == nil && !d.stopped {
			_ = act(m)
		}
		d.mu.Unlock()
	}
}

// find finds what a status is about.
func (d *Driver) find(ctx context.Context, status *csi.SecretProviderClassPodStatus) (mounted, error) {
	m := mounted{pod: &corev1.Pod{}, class: &csi.SecretProviderClass{}, status: status}
	at := func(name string) client.ObjectKey { return client.ObjectKey{Namespace: status.Namespace, Name: name} }
	if err := d.client.Get(ctx, at(status.Status.PodName), m.pod); err != nil {
		return m, err
	}
	if err := d.client.Get(ctx, at(status.Status.SecretProviderClassName), m.class); err != nil {
		return m, err
	}
	if !strings.Contains(status.Status.TargetPath, string(m.pod.UID)) || d.mounts[m.pod.UID][m.class.Name] == nil {
		return m, fmt.Errorf("pod %s has not mounted class %s here", m.pod.Name, m.class.Name)
	}
	for _, volume := range m.pod.Spec.Volumes {
		if isDrivers(volume) && volume.CSI.VolumeAttributes["secretProviderClass"] == m.class.Name {
			m.volume = volume
		}
	}
	return m, nil
}

// isDrivers says whether a volume is one of the driver's.
func isDrivers(v corev1.Volume) bool { return v.CSI != nil && v.CSI.Driver == driverName }
