package rig

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	csi "sigs.k8s.io/secrets-store-csi-driver/apis/v1"

	"secretstore/test/cluster"
	"secretstore/test/stack"
)

const (
	// driverName is what volumes name the Secrets Store CSI driver by.
	driverName = "secrets-store.csi.k8s.io"
	// driverAgent is how the driver calls itself to the API server, which makes the field manager of it: csi-secrets-store.
	driverAgent = "csi-secrets-store/controller/v1.5.6 (linux/amd64)"
	// providerAzure is the provider of the classes that are read from the emulator. Volumes of others mount, empty.
	providerAzure = "azure"
)

// DriverOptions say how the stand-in for the CSI driver behaves.
type DriverOptions struct {
	// OwnersEvery is how often Secrets get owners that they lack: 5 s if zero, as in the driver.
	OwnersEvery time.Duration
	// SecretsEvery is how often Secrets that are gone are made again: 5 min if zero, as in the driver.
	SecretsEvery time.Duration
	// RotateEvery is how often vaults are read again and Secrets brought up to date; never if zero, as in the driver.
	RotateEvery time.Duration
	// Identity is whom volumes without nodePublishSecretRef are read as: it stands for the nodes' managed identity. Its tenant is
	// the class's if it has none.
	Identity stack.Operator
}

// Driver stands in for the Secrets Store CSI driver v1.5.6 with the Azure provider on every node, in what the API server sees of
// them: for each pod and class a SecretProviderClassPodStatus, Secrets by secretObjects, their owners. It differs in two things.
// One status whose pod or class is gone stops the real one from giving owners to any Secret on that node; here it is passed over.
// And vaults are the emulator's, whatever cloud a class names.
type Driver struct {
	client  client.Client
	stack   *stack.Stack
	options DriverOptions
	running sync.WaitGroup

	mu         sync.Mutex
	stopped    bool
	overwrites bool
	readers    map[readerKey]*stack.Reader
	mounts     map[types.UID]map[string]files // by pod and class
}

// readerKey is a vault as a principal sees it.
type readerKey struct {
	vault string
	as    stack.Operator
}

// errNoDriver is what a kubelet says of a volume while no driver is registered.
var errNoDriver = errors.New("driver name " + driverName + " not found in the list of registered CSI drivers")

func newDriver(c *cluster.Cluster, s *stack.Stack, o DriverOptions) (*Driver, error) {
	orDefault(&o.OwnersEvery, 5*time.Second)
	orDefault(&o.SecretsEvery, 5*time.Minute)
	d := &Driver{
		stack: s, options: o, stopped: s == nil,
		readers: map[readerKey]*stack.Reader{}, mounts: map[types.UID]map[string]files{},
	}
	var err error
	d.client, err = newClientAs(c, driverAgent)
	return d, err
}

func orDefault(d *time.Duration, otherwise time.Duration) {
	if *d == 0 {
		*d = otherwise
	}
}

// start begins what the driver does by itself, until ctx ends.
func (d *Driver) start(ctx context.Context) {
	d.running.Go(func() { every(ctx, d.options.OwnersEvery, d.giveOwners) })
	d.running.Go(func() { every(ctx, d.options.SecretsEvery, d.MakeSecrets) })
	if d.options.RotateEvery > 0 {
		d.running.Go(func() { every(ctx, d.options.RotateEvery, d.Rotate) })
	}
}

func (d *Driver) wait() { d.running.Wait() }

// Stop is the driver's removal: no volume mounts and none unmounts, so that pods with one hang in Terminating, and nothing of it
// looks after Secrets. What it made stays. It returns once nothing more is written.
func (d *Driver) Stop() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.stopped = true
}

// Start is its return.
func (d *Driver) Start() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.stopped = d.stack == nil
}

// up says whether the driver is there.
func (d *Driver) up() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return !d.stopped
}

// mount mounts a volume of a pod and returns the files in it. Everything of it is done once the driver has returned.
func (d *Driver) mount(ctx context.Context, pod *corev1.Pod, volume corev1.Volume) (files, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.stopped {
		return nil, errNoDriver
	}
	name := volume.CSI.VolumeAttributes["secretProviderClass"]
	var class csi.SecretProviderClass
	if err := d.client.Get(ctx, client.ObjectKey{Namespace: pod.Namespace, Name: name}, &class); err != nil {
		return nil, fmt.Errorf("failed to get secretproviderclass %s/%s: %w", pod.Namespace, name, err)
	}
	found, err := d.read(ctx, &class, volume)
	if err != nil {
		return nil, fmt.Errorf("failed to mount secrets store objects for pod %s/%s: %w", pod.Namespace, pod.Name, err)
	}
	status := podStatus(pod, volume.Name, class.Name, found)
	if err := d.keepStatus(ctx, status); err != nil {
		return nil, err
	}
	if d.mounts[pod.UID] == nil {
		d.mounts[pod.UID] = map[string]files{}
	}
	d.mounts[pod.UID][class.Name] = found
	_ = d.syncSecrets(ctx, &class, found) // it holds no pod up: in reality it comes after, and tells an event
	return found, nil
}

// podStatus is what says that a pod has a class mounted.
func podStatus(pod *corev1.Pod, volume, class string, found files) *csi.SecretProviderClassPodStatus {
	return &csi.SecretProviderClassPodStatus{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: pod.Namespace, Name: pod.Name + "-" + pod.Namespace + "-" + class,
			Labels:          map[string]string{csi.InternalNodeLabel: pod.Spec.NodeName},
			OwnerReferences: []metav1.OwnerReference{{APIVersion: "v1", Kind: "Pod", Name: pod.Name, UID: pod.UID}},
		},
		Status: csi.SecretProviderClassPodStatusStatus{
			PodName: pod.Name, SecretProviderClassName: class, Mounted: true, Objects: found.objects(),
			TargetPath: "/var/lib/kubelet/pods/" + string(pod.UID) + "/volumes/kubernetes.io~csi/" + volume + "/mount",
		},
	}
}

// keepStatus makes a pod's status of a class, or brings the one that is there up to date.
func (d *Driver) keepStatus(ctx context.Context, status *csi.SecretProviderClassPodStatus) error {
	var old csi.SecretProviderClassPodStatus
	err := d.client.Get(ctx, client.ObjectKeyFromObject(status), &old)
	switch {
	case err == nil:
		status.ResourceVersion = old.ResourceVersion
		err = d.client.Update(ctx, status)
	case client.IgnoreNotFound(err) == nil:
		err = d.client.Create(ctx, status)
	}
	if err != nil {
		return fmt.Errorf("failed to create secret provider class pod status %s/%s: %w", status.Namespace, status.Name, err)
	}
	return nil
}

// Rotate reads all mounted classes again and brings their Secrets' data up to date, once.
func (d *Driver) Rotate(ctx context.Context) {
	d.eachMount(ctx, func(m mounted) error {
		found, err := d.read(ctx, m.class, m.volume)
		if err != nil {
			return err
		}
		d.mounts[m.pod.UID][m.class.Name] = found
		if err := d.keepStatus(ctx, podStatus(m.pod, m.volume.Name, m.class.Name, found)); err != nil {
			return err
		}
		return d.patchSecrets(ctx, m.class, found)
	})
}

// MakeSecrets makes Secrets that are gone again, once, of the files that pods have mounted; as v1.6.0 it writes over all others.
func (d *Driver) MakeSecrets(ctx context.Context) {
	d.eachMount(ctx, func(m mounted) error { return d.syncSecrets(ctx, m.class, d.mounts[m.pod.UID][m.class.Name]) })
}

// Overwrite makes the driver write over Secrets of its classes' names, whoever made them, as v1.6.0 does and v1.5.6 does not.
func (d *Driver) Overwrite(does bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.overwrites = does
}
