package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"secretstore/test/cluster"
	"secretstore/test/migration/estate"
	"secretstore/test/narrator"
	"secretstore/test/rig"
	"secretstore/test/rig/connect"
	"secretstore/test/stack"
)

const (
	// shopDir has the shop's manifests, as people wrote them.
	shopDir = "test/takeover/testdata/shop"
	// tenant and oldPrincipal are what those say.
	tenant       = "7a1e0000-1111-4222-8333-0000000000aa"
	oldPrincipal = "01d00000-5555-4666-8777-0000000000bb"
	// What is rotated in the end: an object, and the Secret and the key that have it.
	rotatedVault, rotatedObject                 = "kv-shop-main", "OrdersDbPassword"
	rotatedNamespace, rotatedSecret, rotatedKey = "shop-orders", "orders-db", "password"
)

// options say how the demo runs.
type options struct {
	// keep leaves everything running in the end, until ctx ends.
	keep bool
	// programs is the folder with the built programs: bin/ of the repository if empty.
	programs string
}

// demo is what the chapters share.
type demo struct {
	options

	show     *narrator.Narrator
	dir      string
	world    *connect.World
	recorder *rig.Recorder
	objects  []*unstructured.Unstructured
	digest   digester
	before   []secret // the driver's Secrets
	creds    stack.Operator
	summary  []string
}

// run is the demo. Whatever becomes of it, it leaves no process behind; if it fails, its folder stays, which has the logs.
func run(ctx context.Context, show *narrator.Narrator, o options) (err error) {
	dir, err := os.MkdirTemp("", "secretstore-demo-migration-")
	if err != nil {
		return fmt.Errorf("making a folder: %w", err)
	}
	d := &demo{options: o, show: show, dir: dir, digest: newDigester()}
	defer func() { err = d.end(ctx, err) }()
	show.Line("A small shop takes its secrets from Azure Key Vault by the Secrets Store CSI driver. It is moved to secretstore.")
	show.Line("Real here: kube-apiserver and its controllers, the scheduler, and both programs of this project. Played: the nodes,")
	show.Line("which run no containers (kwok); the CSI driver; and Azure (Entra, Key Vault, Resource Manager), by the emulator.")
	for _, chapter := range []func(context.Context) error{
		d.startAll, d.tellBefore, d.plan, d.answer, d.takeOver, d.watched, d.tellAfter, d.oldWayIsShut, d.again, d.rotate, d.judge,
	} {
		if err := chapter(ctx); err != nil {
			return errors.Join(err, ctx.Err())
		}
	}
	if o.keep {
		d.stay(ctx)
	}
	show.Title("Summary")
	for _, line := range d.summary {
		show.Line("  %s", line)
	}
	return nil
}

// startAll starts the cluster with the driver and the shop.
func (d *demo) startAll(ctx context.Context) error {
	d.show.Title("1. A cluster on the old way")
	root, err := cluster.Root()
	if err != nil {
		return err
	}
	if d.programs == "" {
		d.programs = filepath.Join(root, "bin")
	}
	if d.objects, err = estate.Load(filepath.Join(root, shopDir)); err != nil {
		return fmt.Errorf("reading the shop's manifests: %w", err)
	}
	if err := d.show.During("a control plane with three nodes, Azure, and the extension with its driver run", func() (err error) {
		d.world, err = connect.Start(ctx, connect.Options{
			Rig: rig.Options{
				Programs: d.programs, Dir: filepath.Join(d.dir, "cluster"),
				// Every 5 s in reality; nobody watches a demo for so long.
				Driver: rig.DriverOptions{OwnersEvery: 500 * time.Millisecond, Identity: rig.Operator(tenant)},
			},
			Objects: d.objects, Tenant: tenant, Dir: d.dir,
		})
		return err
	}); err != nil {
		return err
	}
	return d.show.During("the shop runs: every pod has mounted what it wants and is ready", func() error {
		if err := d.world.Settle(ctx, d.objects); err != nil {
			return err
		}
		return d.awaitOwners(ctx)
	})
}

// end stops everything. The folder goes, unless the demo failed by itself.
func (d *demo) end(ctx context.Context, failed error) error {
	if d.recorder != nil {
		d.recorder.Stop()
	}
	var stopped error
	if d.world != nil {
		stopped = d.world.Stop()
	}
	err := errors.Join(failed, stopped)
	if err != nil && ctx.Err() == nil {
		return fmt.Errorf("%w\nthe logs are in %s and %s", err, d.dir, filepath.Join(d.dir, "cluster"))
	}
	return errors.Join(err, os.RemoveAll(d.dir))
}

// stay keeps everything running until the user has had enough.
func (d *demo) stay(ctx context.Context) {
	environment := filepath.Join(d.dir, "environment.sh")
	var text strings.Builder
	for _, variable := range slices.Concat(d.world.Environment, []string{"KUBECTL_SECRETSTORE=" + d.program()}) {
		name, value, _ := strings.Cut(variable, "=")
		if name != "USER" {
			fmt.Fprintf(&text, "export %s='%s'\n", name, value)
		}
	}
	if err := os.WriteFile(environment, []byte(text.String()), 0o600); err != nil {
		d.show.Line("  the environment could not be written: %v", err)
	}
	kubectl, err := d.world.Cluster.Binary("kubectl")
	if err != nil {
		kubectl = "kubectl"
	}
	d.show.Title("Running until Ctrl-C")
	d.show.Line("  kubeconfig: %s", filepath.Join(d.world.Cluster.Dir(), "operator.kubeconfig"))
	d.show.Line("  emulator:   https://%s (CA in %s)", d.world.Stack.Address, d.world.Stack.CAFile)
	d.show.Line("  logs:       %s", filepath.Join(d.world.Cluster.Dir(), "*.log"))
	d.show.Line("  the move:   %s has all that the program said of it", d.runLog())
	d.show.Line("  try, in another terminal:")
	d.show.Line("    . %s   # KUBECONFIG, and the emulator in place of Azure", environment)
	d.show.Line("    %s get secretsync -A -o wide", kubectl)
	d.show.Line("    %s status -A", d.program())
	d.show.Line("    %s migrate status --state %s", d.program(), d.state())
	d.show.Line("    %s migrate rollback --state %s      # what the way back would be", d.program(), d.state())
	<-ctx.Done()
}
