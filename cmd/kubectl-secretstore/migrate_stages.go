package main

import (
	"context"

	"github.com/spf13/cobra"

	"secretstore/internal/migrate/model"
)

// withApply is what the help of each verb that acts says.
const withApply = `

Without --apply it shows the plan, with the state of each step. With --apply it does what is not done yet, after every required
decision is answered in plan.yaml; where it stops, running it again goes on. --dry-run=server lets the API server judge.`

// newPrepare makes identities, service accounts and rights.
func newPrepare(p program) *cobra.Command {
	return migrateVerb(p, flagsAct, &cobra.Command{
		Use:   "prepare",
		Short: "Prepare identities, service accounts, rights on the vaults and the cluster's issuer",
		Long: `Prepare what has to be there before anything is moved: managed identities, service accounts that they trust, rights on
the vaults, and a cluster whose tokens Entra takes.` + withApply,
		Example: `  # What would be done
  kubectl secretstore migrate prepare

  # Do it, with your own login to Azure (az login)
  kubectl secretstore migrate prepare --apply`,
	}, func(ctx context.Context, m migration) error { return m.carryOut(ctx, p, model.Prepare) })
}

// newSwitchover installs the new controller and removes the old driver.
func newSwitchover(p program) *cobra.Command {
	return migrateVerb(p, flagsAct, &cobra.Command{
		Use:   "switchover",
		Short: "Install the controller; remove the CSI driver when nothing uses it any more",
		Long: `Install the controller, by the chart in this program or by the helm command that is shown, and remove the CSI driver.

By the zero-downtime strategy it installs the controller and stops at the gate before the removal, until workloads have moved:
run it a first time after prepare and a second time after workloads.` + withApply,
		Example: `  # Install the controller with values of your own
  kubectl secretstore migrate switchover --apply --image registry.example/secretstore:v1 --values values.yaml`,
	}, func(ctx context.Context, m migration) error { return m.carryOut(ctx, p, model.Switchover) })
}

// newVerify proves that it worked.
func newVerify(p program) *cobra.Command {
	return migrateVerb(p, flagsAct, &cobra.Command{
		Use:   "verify",
		Short: "Prove by keyed digests that the new Secrets hold what the vaults give",
		Long: `Prove that the migration worked: what the vault gives, what the new Secret holds and what the old one held are compared
by keyed digests; workloads are ready; nothing refers to the driver. It says who may read the Secrets.` + withApply,
		Example: `  # Compare
  kubectl secretstore migrate verify --apply`,
	}, func(ctx context.Context, m migration) error { return m.carryOut(ctx, p, model.Verify) })
}

// newCleanup removes what is not needed any more.
func newCleanup(p program) *cobra.Command {
	return migrateVerb(p, flagsAct, &cobra.Command{
		Use:   "cleanup",
		Short: "Remove what nothing needs any more: old classes, credentials, rights of old principals",
		Long: `Remove what nothing needs any more: proofs, stale statuses, old classes, and last of all credentials and the rights of
old principals.

Those last steps cannot be taken back by a program: they want --yes-irreversible, or, at a terminal, a word that you
type.` + withApply,
		Example: `  # What would be removed, and how it would come back
  kubectl secretstore migrate cleanup -o wide

  # Remove it
  kubectl secretstore migrate cleanup --apply --yes-irreversible`,
	}, func(ctx context.Context, m migration) error { return m.carryOut(ctx, p, model.Cleanup) })
}

// newRunAll does all stages.
func newRunAll(p program) *cobra.Command {
	return migrateVerb(p, flagsAct, &cobra.Command{
		Use:   "run",
		Short: "Do all stages in the order of the strategy, stopping where a person is needed",
		Long: `Do all stages in the order of the strategy. It stops before the first change while a required decision is open, at each
gate that does not open by itself, and at the first failure; a workload whose rollout fails is put back first. Run it
again to go on.` + withApply,
		Example: `  # What would be done
  kubectl secretstore migrate run

  # Do it
  kubectl secretstore migrate run --apply --image registry.example/secretstore:v1

  # Leave Azure to somebody else, and say when their step is done
  kubectl secretstore migrate run --apply --no-azure --done prepare/run/issuer`,
	}, func(ctx context.Context, m migration) error {
		return m.carryOut(ctx, p, model.Prepare, model.Switchover, model.Translate, model.Workloads, model.Verify, model.Cleanup)
	})
}
