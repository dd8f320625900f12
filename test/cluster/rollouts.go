package cluster

import (
	"context"
	"fmt"
	"os"
	"os/exec"
)

// schedulerName is the program that chooses nodes for pods.
const schedulerName = "kube-scheduler"

// rolloutControllers lists the controllers that make pods, replace them, and clear away what is over.
func rolloutControllers() []string {
	return []string{
		"cronjob-controller", "daemonset-controller", "deployment-controller", "job-controller", "replicaset-controller",
		"replicationcontroller-controller", "statefulset-controller",
		"disruption-controller", // says how many pods a budget lets go
		"node-lifecycle-controller", "pod-garbage-collector-controller", "ttl-after-finished-controller",
		"endpointslice-controller",
		"persistentvolume-binder-controller", "persistentvolumeclaim-protection-controller",
	}
}

// startScheduler starts kube-scheduler; that it works is seen by the first pod that it places.
func (c *Cluster) startScheduler(context.Context) error {
	path, err := findBinary(schedulerName)
	if err != nil {
		return err
	}
	kubeconfig, err := c.KubeconfigFile(schedulerName, c.config)
	if err != nil {
		return err
	}
	return c.Run(schedulerName, path,
		"--kubeconfig="+kubeconfig,
		"--authentication-kubeconfig="+kubeconfig,
		"--authorization-kubeconfig="+kubeconfig,
		"--leader-elect=false",
		"--secure-port=0", // nobody asks it anything
		"--kube-api-qps=500", "--kube-api-burst=1000",
	)
}

// Run starts a program that ends with the cluster, by Stop or with this process, and whose output goes to name.log in the
// cluster's folder. That it ends before is an error of Stop.
func (c *Cluster) Run(name, path string, args ...string) error {
	log, err := c.openLog(name)
	if err != nil {
		return err
	}
	cmd := exec.Command(path, args...) //nolint:noctx // it runs until Stop, not until the context of its start ends
	cmd.Stdout, cmd.Stderr, cmd.Env = log, log, os.Environ()
	cmd.SysProcAttr = ownGroup()
	endWithParent(cmd.SysProcAttr)
	p, err := launch(cmd)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	c.programs = append(c.programs, p)
	return nil
}

// LogTail is an error that shows the end of the log of a program that [Cluster.Run] started, nil if there is none to show.
func (c *Cluster) LogTail(name string) error { return c.logTail(name) }
