// Package rig is a cluster on which rollouts happen, for taking live clusters over in tests: a real control plane with the
// controllers that make pods and kube-scheduler, nodes that kwok plays, a kubelet's care for volumes, and a stand-in for the
// Secrets Store CSI driver with the Azure provider, which reads the emulated vaults.
//
// What a migration could get wrong shows as it would in reality: a pod becomes ready only when each class that it mounts exists,
// each credential works, each vault object is there, and each Secret and key that it reads is there; a pod with a volume of
// the driver does not go once the driver is gone; Secrets that the driver made belong to the pods' owners and are collected with
// them, and get their owners back every few seconds as long as a pod mounts their class. A [Recorder] watches all along.
//
// It does not run containers: what programs would do with what they read is not seen.
package rig

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"
	csi "sigs.k8s.io/secrets-store-csi-driver/apis/v1"

	"secretstore/api/secretsync/v1alpha1"
	"secretstore/test/cluster"
	"secretstore/test/stack"
)

//go:embed stages.yaml
var stages string

// noDelay is what in the stages says how long a pod takes.
const noDelay = "durationMilliseconds: 0"

// GoesOn is an annotation of pods of Jobs that do not end: all others are done as soon as they run.
const GoesOn = "rig.example.com/goes-on"

// Options say what a rig starts with.
type Options struct {
	// Manifests are applied before the controllers start. Definitions belong here, the driver's two among them: see
	// [cluster.Options]. Those of the chart and of the driver are added if it is nil.
	Manifests [][]byte
	// Nodes are the names of the nodes to make; three if nil. Nodes that manifests bring become ready as well.
	Nodes []string
	// Seed is the file with what the emulator holds. Without it there is no emulator and no driver.
	Seed string
	// Environment is for ${VARIABLES} in the seed.
	Environment []string
	// Programs is the folder with the built emulator and controller; they are built if it is empty.
	Programs string
	// ControllerFlags are given to the controller when it is started.
	ControllerFlags []string
	// Driver is how the stand-in for the CSI driver behaves.
	Driver DriverOptions
	// PodsTake is how long a pod takes from its volumes being mounted to being ready; nothing if zero.
	PodsTake time.Duration
	// Dir takes data and logs and stays after Stop; empty means a temporary folder.
	Dir string
	// Log receives one line for each step of starting; nil discards them.
	Log io.Writer
}

// Rig is a running cluster with nodes.
type Rig struct {
	// Cluster is the control plane.
	Cluster *cluster.Cluster
	// Stack is the emulator, and the controller once [stack.Stack.StartController] was called; nil without a seed.
	Stack *stack.Stack
	// Driver is the stand-in for the CSI driver.
	Driver *Driver
	// Client may do everything, and knows Kubernetes' kinds, the driver's and this project's.
	Client client.WithWatch

	cancel  context.CancelFunc
	kubelet *kubelet
}

// Start brings a rig up and returns when its nodes are ready. Cancelling ctx ends the start, not a rig that has started.
func Start(ctx context.Context, o Options) (*Rig, error) {
	log.SetLogger(logr.Discard()) // or it complains, after a while, that nobody has said where its log goes
	r := &Rig{}
	if err := r.start(ctx, o); err != nil {
		return nil, errors.Join(fmt.Errorf("starting a rig: %w", err), r.Stop())
	}
	return r, nil
}

func (r *Rig) start(ctx context.Context, o Options) error {
	if o.Manifests == nil {
		var err error
		if o.Manifests, err = cluster.Manifests("charts/secretstore/crds/*.yaml",
			"test/migration/testdata/estate/cluster/crds/secretproviderclasspodstatuses.yaml"); err != nil {
			return err
		}
	}
	var err error
	r.Cluster, err = cluster.Start(ctx, cluster.Options{Manifests: o.Manifests, Rollouts: true, Dir: o.Dir, Log: o.Log})
	if err != nil {
		return err
	}
	if r.Client, err = newClientAs(r.Cluster, "rig"); err != nil {
		return err
	}
	if err := r.startNodes(ctx, o); err != nil {
		return err
	}
	if o.Seed != "" {
		if err := r.startEmulator(ctx, o); err != nil {
			return err
		}
	}
	return r.startKubelet(ctx, o.Driver)
}

// newClientAs makes a client of the administrator that calls itself by a name, which becomes its field manager.
func newClientAs(c *cluster.Cluster, agent string) (client.WithWatch, error) {
	kinds := runtime.NewScheme()
	if err := errors.Join(scheme.AddToScheme(kinds), csi.AddToScheme(kinds), v1alpha1.AddToScheme(kinds)); err != nil {
		return nil, fmt.Errorf("registering kinds: %w", err)
	}
	config := c.Config()
	config.UserAgent = agent
	made, err := client.NewWithWatch(config, client.Options{Scheme: kinds})
	if err != nil {
		return nil, fmt.Errorf("making the administrator's client: %w", err)
	}
	return made, nil
}

// startEmulator starts the emulator, which stands beside the control plane's logs.
func (r *Rig) startEmulator(ctx context.Context, o Options) error {
	dir := r.Cluster.Dir()
	if o.Programs == "" {
		o.Programs = dir
		if err := stack.Build(ctx, dir, false); err != nil {
			return err
		}
	}
	environment := append([]string{"SERVICE_ACCOUNT_ISSUER=" + r.Cluster.Issuer()}, o.Environment...)
	var err error
	r.Stack, err = stack.StartEmulator(context.WithoutCancel(ctx), stack.Options{
		Cluster: r.Cluster, Programs: o.Programs, Dir: dir, Seed: o.Seed,
		Environment: environment, ControllerFlags: o.ControllerFlags,
	})
	return err
}

// startKubelet starts what cares for volumes, and the driver.
func (r *Rig) startKubelet(ctx context.Context, o DriverOptions) error {
	running, cancel := context.WithCancel(context.WithoutCancel(ctx))
	r.cancel = cancel
	var err error
	if r.Driver, err = newDriver(r.Cluster, r.Stack, o); err != nil {
		return err
	}
	r.kubelet = &kubelet{client: r.Client, driver: r.Driver}
	r.kubelet.start(running)
	r.Driver.start(running)
	return nil
}

// Stop ends all of it.
func (r *Rig) Stop() error {
	var errs []error
	if r.cancel != nil {
		r.cancel()
	}
	if r.kubelet != nil {
		r.kubelet.wait()
		r.Driver.wait()
	}
	if r.Stack != nil {
		errs = append(errs, r.Stack.Stop())
	}
	if r.Cluster != nil {
		errs = append(errs, r.Cluster.Stop())
	}
	return errors.Join(errs...)
}

// startNodes starts kwok, makes the nodes and waits until they are ready.
func (r *Rig) startNodes(ctx context.Context, o Options) error {
	names := o.Nodes
	if names == nil {
		names = []string{"node-1", "node-2", "node-3"}
	}
	if err := r.startKwok(o.PodsTake); err != nil {
		return err
	}
	for _, name := range names {
		node := &corev1.Node{}
		node.Name = name
		node.Labels = map[string]string{
			corev1.LabelHostname: name, corev1.LabelOSStable: "linux", corev1.LabelArchStable: "amd64",
		}
		if err := r.Client.Create(ctx, node); err != nil {
			return fmt.Errorf("making node %s: %w", name, err)
		}
	}
	err := await(ctx, func() error { return r.nodesReady(ctx) })
	if err != nil {
		return errors.Join(err, r.Cluster.LogTail("kwok"))
	}
	return nil
}

// nodesReady says why not all nodes can take pods.
func (r *Rig) nodesReady(ctx context.Context) error {
	var nodes corev1.NodeList
	if err := r.Client.List(ctx, &nodes); err != nil {
		return fmt.Errorf("listing nodes: %w", err)
	}
	for _, node := range nodes.Items {
		if !nodeReady(node) {
			return fmt.Errorf("node %s is not ready", node.Name)
		}
		if len(node.Spec.Taints) > 0 {
			return fmt.Errorf("node %s still has taint %s", node.Name, node.Spec.Taints[0].Key)
		}
	}
	return nil
}

func nodeReady(node corev1.Node) bool {
	for _, c := range node.Status.Conditions {
		if c.Type == corev1.NodeReady {
			return c.Status == corev1.ConditionTrue
		}
	}
	return false
}

// startKwok starts kwok for all nodes, with the rig's stages.
func (r *Rig) startKwok(podsTake time.Duration) error {
	root, err := cluster.Root()
	if err != nil {
		return err
	}
	path := filepath.Join(root, "bin", "kwok", "kwok")
	if _, err := os.Stat(path); err != nil {
		return fmt.Errorf(`finding kwok: %w; run "make controlplane", which builds it`, err)
	}
	kubeconfig, err := r.Cluster.KubeconfigFile("kwok", r.Cluster.Config())
	if err != nil {
		return err
	}
	text := strings.Replace(stages, noDelay, fmt.Sprintf("durationMilliseconds: %d", podsTake.Milliseconds()), 1)
	config := filepath.Join(r.Cluster.Dir(), "stages.yaml")
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		return fmt.Errorf("writing kwok's stages: %w", err)
	}
	return r.Cluster.Run("kwok", path,
		"--kubeconfig="+kubeconfig, "--config="+config, "--manage-all-nodes", "--node-lease-duration-seconds=40")
}
