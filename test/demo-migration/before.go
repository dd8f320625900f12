package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"secretstore/test/stack"
)

// awaitOwners waits until every Secret of the driver's belongs to somebody: it gives owners a while later.
func (d *demo) awaitOwners(ctx context.Context) error {
	_, err := d.world.Stack.Await(ctx, func() (string, error) {
		secrets, err := d.secrets(ctx)
		if err != nil {
			return "", err
		}
		if i := slices.IndexFunc(secrets, func(s secret) bool { return len(s.owners) == 0 }); i >= 0 || len(secrets) == 0 {
			return "", errors.New("the driver has not given owners to all Secrets yet")
		}
		return "", nil
	})
	return err
}

// tellBefore shows who takes which secrets how, and begins to watch.
func (d *demo) tellBefore(ctx context.Context) error {
	workloads, err := d.workloads(ctx)
	if err != nil {
		return err
	}
	d.show.Line("\n  Who takes secrets, and how. A class says what to fetch from which vault; the driver mounts it into pods.")
	d.showWorkloads(workloads)
	if d.before, err = d.secrets(ctx); err != nil {
		return err
	}
	d.show.Line("\n  The Secrets that the driver makes of what is mounted (digests are under a key of this run; no value is shown).")
	d.show.Line("  Each belongs to what its pods belong to, and goes with it, as when an old ReplicaSet is pruned.")
	d.showSecrets(d.before)
	if err := d.tellCredentials(ctx); err != nil {
		return err
	}
	if d.recorder, err = d.world.Record(ctx); err != nil {
		return err
	}
	d.show.Line("\n  From now on a recorder watches every Secret, pod and workload of the cluster.")
	return nil
}

// tellCredentials shows by whom the vaults are read.
func (d *demo) tellCredentials(ctx context.Context) error {
	var list corev1.SecretList
	if err := d.world.Client.List(ctx, &list); err != nil {
		return fmt.Errorf("listing Secrets: %w", err)
	}
	var in []string
	for _, s := range list.Items {
		if isCredential(s) {
			in = append(in, s.Namespace+"/"+s.Name)
			d.creds = stack.Operator{
				TenantID: tenant, ClientID: string(s.Data["clientid"]), ClientSecret: string(s.Data["clientsecret"]),
			}
		}
	}
	if d.creds.ClientID != oldPrincipal {
		return errors.New("no namespace has the credentials of the principal " + oldPrincipal)
	}
	d.show.Line("\n  All of it is read as one principal of Entra, %s. Its client secret lies in %d Secrets:",
		oldPrincipal, len(in))
	d.show.Line("    %s", strings.Join(in, ", "))
	roles, err := d.world.RolesOf(ctx, oldPrincipal, d.vaults()...)
	if err != nil {
		return err
	}
	for _, vault := range d.vaults() {
		d.show.Line("    may read %s: %s", vault, strings.Join(roles[vault], ", "))
	}
	if _, err := d.world.Stack.Get(ctx, rotatedVault, rotatedObject, d.creds); err != nil {
		return fmt.Errorf("the old principal cannot read at first: %w", err)
	}
	d.show.Line("  ✓ with that client secret anybody anywhere can read %s of %s", rotatedObject, rotatedVault)
	return nil
}

// vaults are those that classes name.
func (d *demo) vaults() []string {
	var names []string
	for _, object := range d.objects {
		if parameters, is := object.Object["spec"].(map[string]any); is && object.GetKind() == "SecretProviderClass" {
			if of, is := parameters["parameters"].(map[string]any); is {
				names = append(names, fmt.Sprint(of["keyvaultName"]))
			}
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// showWorkloads shows a table of workloads.
func (d *demo) showWorkloads(workloads []workload) {
	d.table("NAMESPACE\tWORKLOAD\tMOUNTS\tREADS SECRETS BESIDES", func(row func(...string)) {
		for _, w := range workloads {
			row(w.space, w.name, orNone(w.mounts), orNone(w.reads))
		}
	})
}

// showSecrets shows a table of Secrets.
func (d *demo) showSecrets(secrets []secret) {
	d.table("SECRET\tTYPE\tDIGEST\tBELONGS TO", func(row func(...string)) {
		for _, s := range secrets {
			row(s.name, s.kind, s.digest, orNone(s.owners))
		}
	})
}

// table shows a table, indented.
func (d *demo) table(head string, fill func(row func(cells ...string))) {
	var text strings.Builder
	w := tabwriter.NewWriter(&text, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(w, head)
	fill(func(cells ...string) { _, _ = fmt.Fprintln(w, strings.Join(cells, "\t")) })
	_ = w.Flush() // writes to memory
	d.show.Block(text.String())
}

func orNone(names []string) string {
	if len(names) == 0 {
		return "-"
	}
	return strings.Join(names, ", ")
}

// watched tells what the recorder saw.
func (d *demo) watched(ctx context.Context) error {
	d.show.Title("5. What the recorder saw meanwhile")
	if err := d.judge(ctx); err != nil {
		return err
	}
	seen := len(d.recorder.Timeline())
	d.show.Line("  ✓ %d changes of Secrets, pods and workloads", seen)
	d.show.Line("  ✓ no Secret that somebody reads vanished for a moment, or changed a byte")
	d.show.Line("  ✓ no workload had fewer pods ready than its update strategy allows")
	d.summary = append(d.summary,
		fmt.Sprintf("watched:     %d changes; no Secret vanished or changed, no workload fell below its strategy", seen))
	return nil
}

// judge fails if the recorder saw what must not happen. The driver's own pods go on purpose.
func (d *demo) judge(ctx context.Context) error {
	violations, err := d.recorder.Violations(ctx)
	if err != nil {
		return err
	}
	for _, v := range violations {
		if !strings.HasPrefix(v.What, "DaemonSet kube-system/") {
			return fmt.Errorf("what must not happen has happened: %s", v)
		}
	}
	return nil
}

// took is how long something took, for people.
func took(since time.Time) string { return fmt.Sprintf("%.1f s", time.Since(since).Seconds()) }

// get reads an object of the cluster.
func (d *demo) get(ctx context.Context, into client.Object, namespace, name string) error {
	if err := d.world.Client.Get(ctx, client.ObjectKey{Namespace: namespace, Name: name}, into); err != nil {
		return fmt.Errorf("reading %s/%s: %w", namespace, name, err)
	}
	return nil
}
