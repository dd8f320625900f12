package cluster

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
)

// startTimeout bounds the start of each process. A loaded machine with two cores has been seen to need 15 s.
const startTimeout = 90 * time.Second

// Options say what a cluster starts with. The zero value is a bare cluster in a temporary folder.
type Options struct {
	// Manifests are YAML streams applied before kube-controller-manager starts. CustomResourceDefinitions belong here: its
	// garbage collector looks for new kinds only every 30 s, but knows at once those that exist when it starts.
	Manifests [][]byte
	// Dir takes data, logs and kubeconfigs, and stays after Stop. Empty means a temporary folder, which Stop removes.
	Dir string
	// Rollouts starts kube-scheduler, and the controllers that make pods of workloads and tidy up after them. Pods become ready
	// only where something plays the nodes' part.
	Rollouts bool
	// Log receives one line for each step of starting and the API server's warnings; nil discards them.
	Log io.Writer
}

// Cluster is a running control plane. Its methods may be called from several goroutines, but Stop, StopAPIServer and
// StartAPIServer from one at a time.
type Cluster struct {
	dir      string
	ownsDir  bool
	log      io.Writer
	started  time.Time
	plane    *envtest.ControlPlane
	rollouts bool
	manager  *process
	programs []*process // started by Run
	config   *rest.Config
	client   client.Client
	logFiles []*os.File
}

// Start brings up a control plane and returns when its API server is healthy, the manifests are applied (definitions
// established) and its controllers work. Cancelling ctx ends the start, not a cluster that has started.
func Start(ctx context.Context, o Options) (*Cluster, error) {
	c := &Cluster{log: o.Log, started: time.Now(), dir: o.Dir, ownsDir: o.Dir == "", rollouts: o.Rollouts}
	if c.log == nil {
		c.log = io.Discard
	}
	if err := c.start(ctx, o.Manifests); err != nil {
		return nil, errors.Join(fmt.Errorf("starting a control plane: %w", err), c.Stop())
	}
	return c, nil
}

// step is a part of the start.
type step struct {
	name string
	run  func(context.Context) error
}

// start takes the steps in order; the caller undoes them if one fails.
func (c *Cluster) start(ctx context.Context, manifests [][]byte) error {
	steps := []step{
		{"folder", c.makeDir},
		{"etcd and kube-apiserver", c.startPlane},
		{"issuer readable by anyone", c.publishIssuer},
		{"manifests", func(ctx context.Context) error { return c.Apply(ctx, manifests...) }},
		{"kube-controller-manager", c.startManager},
	}
	if c.rollouts {
		steps = append(steps, step{schedulerName, c.startScheduler})
	}
	for _, s := range steps {
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
		if err := s.run(ctx); err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
		c.logf("%s: up", s.name)
	}
	return nil
}

// Stop ends every process of the cluster, and removes its folder if it is a temporary one.
func (c *Cluster) Stop() error {
	var errs []error
	for _, p := range c.programs {
		errs = append(errs, p.stop())
	}
	if c.manager != nil {
		errs = append(errs, c.manager.stop())
	}
	if c.plane != nil {
		errs = append(errs, c.plane.Stop())
	}
	for _, f := range c.logFiles {
		errs = append(errs, f.Close())
	}
	if c.ownsDir && c.dir != "" {
		errs = append(errs, os.RemoveAll(c.dir))
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("stopping the control plane: %w", err)
	}
	return nil
}

// Config returns the configuration of a client that may do everything.
func (c *Cluster) Config() *rest.Config { return rest.CopyConfig(c.config) }

// Issuer returns the issuer of the cluster's service-account tokens, the address below which its documents are.
func (c *Cluster) Issuer() string { return c.config.Host }

// CAPEM returns the certificate authority of the API server, which fetchers of the issuer's documents must trust.
func (c *Cluster) CAPEM() []byte { return c.config.CAData }

// Dir returns the folder that holds the cluster's data, logs and kubeconfigs.
func (c *Cluster) Dir() string { return c.dir }

// Binary returns the path of one of the control plane's programs, such as kubectl.
func (c *Cluster) Binary(name string) (string, error) { return findBinary(name) }

func (c *Cluster) makeDir(context.Context) error {
	var err error
	if c.ownsDir {
		c.dir, err = os.MkdirTemp("", "secretstore-cluster-")
	} else {
		err = os.MkdirAll(c.dir, 0o700)
	}
	if err != nil {
		return fmt.Errorf("making the folder: %w", err)
	}
	if c.dir, err = filepath.Abs(c.dir); err != nil {
		return fmt.Errorf("finding the folder: %w", err)
	}
	return nil
}

// logf writes one line with the time since the start.
func (c *Cluster) logf(format string, args ...any) {
	_, _ = fmt.Fprintf(c.log, "cluster %5.1f s  %s\n", time.Since(c.started).Seconds(), fmt.Sprintf(format, args...))
}

// trimSlash drops the trailing slash that envtest puts on URLs: an issuer with one is another issuer.
func trimSlash(url string) string { return strings.TrimSuffix(url, "/") }
