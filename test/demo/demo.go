package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"secretstore/test/cluster"
	"secretstore/test/narrator"
	"secretstore/test/stack"
)

// What the examples are filled in with; the emulator's seed, examples/emulator.yaml, knows the same.
const (
	namespace      = "shop"
	serviceAccount = "web"
	clientID       = "11111111-2222-3333-4444-555555555555"
	tenantID       = "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee"
	vaultName      = "my-key-vault"
	syncName       = "my-app-secrets"
	pollSeconds    = "2"
)

// demo is what the steps share.
type demo struct {
	show    *narrator.Narrator
	cluster *cluster.Cluster
	stack   *stack.Stack
	client  client.Client
	dir     string
	digest  digester
	summary []string
}

// run is the demo. Whatever becomes of it, it leaves no process behind.
func run(ctx context.Context, show *narrator.Narrator, keep bool) (err error) {
	dir, err := os.MkdirTemp("", "secretstore-demo-")
	if err != nil {
		return fmt.Errorf("making a folder: %w", err)
	}
	d := &demo{show: show, dir: dir, digest: newDigester()}
	defer func() {
		if ended := d.end(); err == nil {
			err = ended
		}
	}()
	for _, step := range []func(context.Context) error{
		d.startAll, d.applyExamples, d.compare, d.rotate, d.outage, d.recover,
	} {
		if err := step(ctx); err != nil {
			return errors.Join(err, ctx.Err())
		}
	}
	if keep {
		d.stay(ctx)
	}
	show.Title("Summary")
	for _, line := range d.summary {
		show.Line("  %s", line)
	}
	return nil
}

// startAll builds and starts the control plane, the emulator and the controller.
func (d *demo) startAll(ctx context.Context) error {
	d.show.Title("1. A real control plane, the emulator of Entra and Key Vault, and the controller")
	crds, err := cluster.Manifests("charts/secretstore/crds/*.yaml")
	if err != nil {
		return err
	}
	root, err := cluster.Root()
	if err != nil {
		return err
	}
	if err := d.show.During("the controller and the emulator are built", func() error {
		return stack.Build(ctx, d.dir, false)
	}); err != nil {
		return err
	}
	if err := d.show.During("etcd, kube-apiserver and kube-controller-manager run", func() (err error) {
		d.cluster, err = cluster.Start(ctx, cluster.Options{Manifests: crds, Dir: filepath.Join(d.dir, "cluster")})
		return err
	}); err != nil {
		return err
	}
	options := stack.Options{
		Cluster:     d.cluster,
		Programs:    d.dir,
		Dir:         d.dir,
		Seed:        filepath.Join(root, "examples", "emulator.yaml"),
		Environment: environment(d.cluster.Issuer()),
		// An hour is the default; nobody watches a demo for so long.
		ControllerFlags: []string{"--rotationPollIntervalInSeconds", pollSeconds},
	}
	emulator := "the emulator answers as login.microsoftonline.com and " + vaultName + ".vault.azure.net"
	if err := d.show.During(emulator, func() (err error) {
		d.stack, err = stack.StartEmulator(ctx, options)
		return err
	}); err != nil {
		return err
	}
	controller := "the controller runs as a service account that may create and patch Secrets, and read none"
	return d.show.During(controller, func() error { return d.stack.StartController(ctx) })
}

// environment holds the variables of the examples, under the names that the migration guide gives them.
func environment(issuer string) []string {
	return []string{
		"SERVICE_ACCOUNT_ISSUER=" + issuer,
		"KUBERNETES_NAMESPACE=" + namespace,
		"SERVICE_ACCOUNT_NAME=" + serviceAccount,
		"USER_ASSIGNED_CLIENT_ID=" + clientID,
		"AZURE_TENANT_ID=" + tenantID,
	}
}

// end stops everything and takes the folder away.
func (d *demo) end() error {
	var errs []error
	if d.stack != nil {
		errs = append(errs, d.stack.Stop())
	}
	if d.cluster != nil {
		errs = append(errs, d.cluster.Stop())
	}
	return errors.Join(append(errs, os.RemoveAll(d.dir))...)
}

// stay keeps everything running until the user has had enough.
func (d *demo) stay(ctx context.Context) {
	kubeconfig := filepath.Join(d.dir, "admin.kubeconfig")
	kubectl, err := d.cluster.Binary("kubectl")
	if err != nil {
		kubectl = "kubectl"
	}
	d.show.Title("Running until Ctrl-C")
	d.show.Line("  kubeconfig: %s", kubeconfig)
	d.show.Line("  emulator:   https://%s (CA in %s)", d.stack.Address, d.stack.CAFile)
	d.show.Line("  logs:       %s", filepath.Join(d.dir, "*.log"))
	d.show.Line("  try:")
	d.show.Line("    %s --kubeconfig %s get secretsync -A -o wide", kubectl, kubeconfig)
	d.show.Line("    %s --kubeconfig %s -n %s describe secretsync %s", kubectl, kubeconfig, namespace, syncName)
	d.show.Line("    curl --cacert %s https://%s/admin/requests", d.stack.CAFile, d.stack.Address)
	<-ctx.Done()
}
