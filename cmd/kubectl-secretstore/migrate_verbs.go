package main

import (
	"context"
	"strings"

	"github.com/spf13/cobra"

	"secretstore/internal/migrate"
	"secretstore/internal/migrate/model"
	"secretstore/internal/migrate/write"
)

// newInventory reads, backs up and counts.
func newInventory(p program) *cobra.Command {
	return migrateVerb(p, flagsRead, &cobra.Command{
		Use:   "inventory",
		Short: "Read what uses the CSI extension, back it up, and account for it",
		Long: `Read what uses the CSI extension, back it up, and account for it.

The state folder then holds akv-spe-spc-backup.yaml, akv-spe-csi-consumers.json and akv-spe-csi-owners.json, as Microsoft's guide
names them, and beside each a clean twin that can be applied again. The extension's settings are in Azure: they are saved as
akv-spe-extension-config.json if you are signed in there (az login) and --subscription, --resource-group and --cluster-name say
where the cluster is.`,
		Example: `  # A whole cluster
  kubectl secretstore migrate inventory

  # A GitOps repository, each object on a line
  kubectl secretstore migrate inventory --from deploy/ -o wide`,
	}, func(ctx context.Context, m migration) error {
		run, err := m.begin(ctx, p)
		if err != nil {
			return err
		}
		if err := run.backUp(); err != nil {
			return err
		}
		return run.finish(migrate.Only(run.report, model.Inventory))
	})
}

// newPlan shows everything.
func newPlan(p program) *cobra.Command {
	return migrateVerb(p, flagsRead, &cobra.Command{
		Use:   "plan",
		Short: "Show all stages: every step, what it needs, what it risks, how it is undone",
		Long: `Show all stages: every step, what it needs, what it risks, how it is undone.

What only you can decide is written into plan.yaml in the state folder, with sensible answers filled in. Edit it and run this
again: your answers are kept.`,
		Example: `  # As text, every step with its risk and its undoing
  kubectl secretstore migrate plan -o wide

  # As one page that can be mailed, and the Azure part as a script to review
  kubectl secretstore migrate plan -o html --emit-az azure.sh > migration.html`,
	}, func(ctx context.Context, m migration) error {
		run, err := m.begin(ctx, p)
		if err != nil {
			return err
		}
		if err := run.backUp(); err != nil {
			return err
		}
		return run.finish(run.report)
	})
}

// newTranslate writes classes and SecretSyncs.
func newTranslate(p program) *cobra.Command {
	return migrateVerb(p, flagsWrite, &cobra.Command{
		Use:   "translate",
		Short: "Write the SecretProviderClasses, SecretSyncs and service accounts of the new way",
		Long: `Write the SecretProviderClasses, SecretSyncs and service accounts of the new way.

Of a folder (--from) the files are edited in place, with comments, order and anchors kept; new objects go beside the old ones.
With --out the files go into another folder, and --dry-run shows only what would be done. Of a cluster the manifests go to
--out.` + withApply,
		Example: `  # A GitOps repository, in place
  kubectl secretstore migrate translate --from deploy/

  # A cluster: manifests to review and to apply
  kubectl secretstore migrate translate --out manifests/

  # A cluster: do it
  kubectl secretstore migrate translate --apply`,
	}, func(ctx context.Context, m migration) error {
		if m.from == "" && m.out == "" {
			return m.carryOut(ctx, p, model.Translate)
		}
		return m.edit(ctx, p, model.Prepare, model.Translate)
	})
}

// newWorkloads re-points the workloads.
func newWorkloads(p program) *cobra.Command {
	return migrateVerb(p, flagsWrite, &cobra.Command{
		Use:   "workloads",
		Short: "Re-point workloads at the Secrets of the new way",
		Long: `Re-point workloads at the Secrets of the new way: CSI volumes become Secret volumes with the same files.

Of a folder (--from) the files are edited in place, with comments, order and anchors kept. With --out the files go into another
folder, and --dry-run shows only what would be done. Of a cluster the patches go to --out.` + withApply,
		Example: `  # A GitOps repository, in place
  kubectl secretstore migrate workloads --from deploy/

  # A cluster: patches to review and to apply
  kubectl secretstore migrate workloads --out patches/

  # A cluster: do it, waiting for each rollout
  kubectl secretstore migrate workloads --apply`,
	}, func(ctx context.Context, m migration) error {
		if m.from == "" && m.out == "" {
			return m.carryOut(ctx, p, model.Workloads)
		}
		return m.edit(ctx, p, model.Workloads)
	})
}

// verbFlags say which flags a verb has besides those of all.
type verbFlags int

// The verbs only read, act on a cluster, act on a cluster or write files, or take back.
const (
	flagsRead verbFlags = iota
	flagsAct
	flagsWrite
	flagsRollback
)

// migrateVerb makes a verb that takes flags only.
func migrateVerb(p program, which verbFlags, cmd *cobra.Command, run func(context.Context, migration) error) *cobra.Command {
	var f migrateFlags
	f.add(cmd, p)
	switch which {
	case flagsRead:
	case flagsRollback:
		f.addApply(cmd)
		addTo(cmd, &f.act.to)
	case flagsAct:
		f.addApply(cmd)
		addDryRun(cmd, &f.dryRun)
	case flagsWrite:
		f.addApply(cmd)
		cmd.Flags().StringVar(&f.out, "out", "", "folder to write files into, instead of editing --from in place")
		addDryRun(cmd, &f.dryRun)
	}
	cmd.Args = noArguments
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		m, err := f.parse()
		if err != nil {
			return usage(cmd, err)
		}
		return run(cmd.Context(), m)
	}
	return cmd
}

// edit plans, writes the files of some stages, and tells what was written.
func (m migration) edit(ctx context.Context, p program, stages ...model.StageName) error {
	run, err := m.begin(ctx, p)
	if err != nil {
		return err
	}
	report := migrate.Only(run.report, stages...)
	files, err := run.files(report.Changes)
	if err != nil {
		return err
	}
	target := m.target()
	if target != "" && len(files.Files) > 0 {
		if err := write.Commit(target, files); err != nil {
			return err
		}
		p.note(written(target, files))
	}
	if m.dryRun == dryRunNone {
		// What is told to be answered in plan.yaml has to be in it.
		if err := run.state.SaveDecisions(run.report.Decisions); err != nil {
			return err
		}
	}
	return run.finish(report)
}

// target is the folder that is written to; empty if none is.
func (m migration) target() string {
	switch {
	case m.dryRun != dryRunNone:
		return ""
	case m.out != "":
		return m.out
	default:
		return m.from
	}
}

// written says which files were written.
func written(folder string, r write.Result) string {
	return "wrote " + plural(len(r.Files), "file") + " in " + folder + ":\n  " + strings.Join(r.Names(), "\n  ")
}
