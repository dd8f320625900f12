// Command controlplane is etcd, kube-apiserver, kube-controller-manager, kube-scheduler and kubectl in one binary; the
// name that it is called by (a symlink) chooses the part.
//
// It exists because tests and the demo run against a real control plane, and the Go module proxy is the one place that
// every Go user can reach: no download of prebuilt binaries is needed. One binary instead of five shares the link step
// and four fifths of the size.
package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"go.etcd.io/etcd/server/v3/etcdmain"
	"k8s.io/component-base/cli"
	_ "k8s.io/component-base/metrics/prometheus/clientgo" // registers the client metrics that the parts report
	_ "k8s.io/component-base/metrics/prometheus/version"  // registers the build information metric
	kubectl "k8s.io/kubectl/pkg/cmd"
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
	controllermanager "k8s.io/kubernetes/cmd/kube-controller-manager/app"
	scheduler "k8s.io/kubernetes/cmd/kube-scheduler/app"
)

// commands maps each name that this binary answers to onto its command; etcd is not in it, having a main of its own.
func commands() map[string]func() *cobra.Command {
	return map[string]func() *cobra.Command{
		"kube-apiserver":          apiserver.NewAPIServerCommand,
		"kube-controller-manager": controllermanager.NewControllerManagerCommand,
		"kube-scheduler":          func() *cobra.Command { return scheduler.NewSchedulerCommand() },
		"kubectl":                 kubectl.NewDefaultKubectlCommand,
	}
}

func main() {
	os.Exit(run(strings.TrimSuffix(filepath.Base(os.Args[0]), ".exe")))
}

// run is the program of that name, and returns its exit code.
func run(name string) int {
	// People run kubectl; the others are started by tests and the demo, and must not outlive them.
	if name != "kubectl" {
		if err := endWithParent(); err != nil {
			fmt.Fprintf(os.Stderr, "%s: %v\n", name, err)
			return 1
		}
	}
	if name == "etcd" {
		etcdmain.Main(os.Args)
		return 0
	}
	newCommand, ok := commands()[name]
	if !ok {
		fmt.Fprintf(os.Stderr, "controlplane: called as %q; call it by a link named etcd, kube-apiserver, "+
			"kube-controller-manager, kube-scheduler or kubectl\n", name)
		return 2
	}
	return cli.Run(newCommand())
}
