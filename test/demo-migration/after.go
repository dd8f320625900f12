package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"

	"secretstore/api/secretsync/v1alpha1"
	"secretstore/test/rig"
	"secretstore/test/stack"
)

// tellAfter shows who takes which secrets how now, and compares.
func (d *demo) tellAfter(ctx context.Context) error {
	d.show.Title("6. The cluster on the new way")
	workloads, err := d.workloads(ctx)
	if err != nil {
		return err
	}
	d.showWorkloads(workloads)
	if i := slices.IndexFunc(workloads, func(w workload) bool { return w.old }); i >= 0 {
		return fmt.Errorf("%s in %s still mounts the driver", workloads[i].name, workloads[i].space)
	}
	d.show.Line("  ✓ no pod that runs, or will run, has a volume of the CSI driver")
	if there, err := d.world.HasExtension(ctx); err != nil || there {
		return errors.Join(errors.New("the extension is still there"), err)
	}
	d.show.Line("  ✓ the extension is gone, and the driver with it")
	if err := d.show.During("the garbage collector has taken away what only proved that nothing differs", func() error {
		return d.awaitCollected(ctx)
	}); err != nil {
		return err
	}
	secrets, err := d.secrets(ctx)
	if err != nil {
		return err
	}
	d.show.Line("\n  The Secrets belong to SecretSyncs now, and stay as long as those do:")
	d.showSecrets(secrets)
	if err := d.compare(secrets); err != nil {
		return err
	}
	d.show.Line("  ✓ the %d Secrets from before are the same, byte for byte", len(d.before))
	d.summary = append(d.summary,
		"old way:     no volume of the CSI driver is left; every Secret belongs to a SecretSync",
		fmt.Sprintf("compared:    %d Secrets hold, byte for byte, what they held before", len(d.before)))
	return nil
}

// awaitCollected waits until every Secret has its SecretSync. The garbage collector takes those of deleted ones away. It looks
// for kinds that it does not know yet, such as this, every 30 s.
func (d *demo) awaitCollected(ctx context.Context) error {
	_, err := d.world.Stack.Await(ctx, func() (string, error) {
		secrets, err := d.secrets(ctx)
		if err != nil {
			return "", err
		}
		var syncs v1alpha1.SecretSyncList
		if err := d.world.Client.List(ctx, &syncs); err != nil {
			return "", fmt.Errorf("listing SecretSyncs: %w", err)
		}
		if len(secrets) != len(syncs.Items) {
			return "", fmt.Errorf("there are %d Secrets of %d SecretSyncs", len(secrets), len(syncs.Items))
		}
		return "", nil
	})
	return err
}

// compare holds Secrets to those of before.
func (d *demo) compare(now []secret) error {
	for _, s := range now {
		if !slices.Equal(s.owners, []string{"SecretSync"}) {
			return fmt.Errorf("the Secret %s belongs to %s", s.name, orNone(s.owners))
		}
	}
	for _, old := range d.before {
		i := slices.IndexFunc(now, func(s secret) bool { return s.name == old.name })
		if i < 0 || now[i].digest != old.digest || now[i].kind != old.kind {
			return fmt.Errorf("the Secret %s is not what it was", old.name)
		}
	}
	return nil
}

// oldWayIsShut shows that the old principal can read no more.
func (d *demo) oldWayIsShut(ctx context.Context) error {
	d.show.Title("7. The old principal")
	_, err := d.world.Stack.Get(ctx, rotatedVault, rotatedObject, d.creds)
	if err == nil {
		return errors.New("the old principal can still read")
	}
	status, code, refused := stack.Answered(err)
	if !refused {
		return fmt.Errorf("asking as the old principal: %w", err)
	}
	d.show.Line("  ✓ its client secret, tried once more on %s of %s: %d %s",
		rotatedObject, rotatedVault, status, code)
	var list corev1.SecretList
	if err := d.world.Client.List(ctx, &list); err != nil {
		return fmt.Errorf("listing Secrets: %w", err)
	}
	if i := slices.IndexFunc(list.Items, isCredential); i >= 0 {
		return fmt.Errorf("the credentials %s/%s are still there", list.Items[i].Namespace, list.Items[i].Name)
	}
	d.show.Line("  ✓ no Secret of the cluster has it any more")
	d.summary = append(d.summary, "shut:        the old principal can read no vault; its client secret is gone from the cluster")
	return nil
}

// rotate sets a new value in the vault, and has secretstore fetch it.
func (d *demo) rotate(ctx context.Context) error {
	d.show.Title("9. A new value in the vault")
	d.recorder.Allow(rotatedNamespace, rotatedSecret)
	d.recorder.Allow(rotatedNamespace, rotatedSecret+"-files") // it has the same, for those who mount it
	value := "canary-" + rand.Text()
	if err := d.world.Stack.Set(ctx, rotatedVault, rotatedObject, value, rig.Operator(tenant)); err != nil {
		return err
	}
	begun := time.Now()
	d.show.Line("  %s of %s is set. A SecretSync looks every hour; whoever cannot wait says so:", rotatedObject, rotatedVault)
	said, code, err := d.call(ctx, io.Discard, "force", "--all", "-n", rotatedNamespace, "--wait")
	if err != nil {
		return err
	}
	d.show.Block(said)
	if code != 0 {
		return failedError(code, said)
	}
	var s corev1.Secret
	if err := d.get(ctx, &s, rotatedNamespace, rotatedSecret); err != nil {
		return err
	}
	if string(s.Data[rotatedKey]) != value {
		return fmt.Errorf("the Secret %s/%s does not hold the new value", rotatedNamespace, rotatedSecret)
	}
	d.show.Line("  ✓ key %s of Secret %s/%s holds the new value", rotatedKey, rotatedNamespace, rotatedSecret)
	d.summary = append(d.summary, "rotated:     a new value in the vault was in the Secret "+took(begun)+" later")
	return nil
}
