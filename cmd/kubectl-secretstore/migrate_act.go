package main

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"secretstore/internal/migrate/install"
)

// dryRun is a value of --dry-run, as kubectl has it.
type dryRun string

// The dry runs: what is shown only, and what the API server judges.
const (
	dryRunNone   dryRun = "none"
	dryRunClient dryRun = "client"
	dryRunServer dryRun = "server"
)

// actOptions are the choices of the verbs that change something.
type actOptions struct {
	apply, irreversible, skipUndecided, passVaults bool
	// cloudFiles define further Azure clouds.
	cloudFiles []string
	// values and image are the chart's.
	values, image string
	// timeout is how long a gate is waited for; 0 for what fits its kind.
	timeout time.Duration
	// done are the IDs of steps that a person has done.
	done []string
	// to is where a rollback ends.
	to string
}

// addDryRun adds --dry-run. Without a value it is client.
func addDryRun(cmd *cobra.Command, into *string) {
	all := []string{string(dryRunNone), string(dryRunClient), string(dryRunServer)}
	cmd.Flags().StringVar(into, "dry-run", string(dryRunNone),
		"client: change nothing, show what would be done; server: let the API server judge it, too")
	cmd.Flags().Lookup("dry-run").NoOptDefVal = string(dryRunClient)
	// Fails only if there is no such flag.
	_ = cmd.RegisterFlagCompletionFunc("dry-run", cobra.FixedCompletions(all, cobra.ShellCompDirectiveNoFileComp))
}

// addTo adds --to.
func addTo(cmd *cobra.Command, into *string) {
	cmd.Flags().StringVar(into, "to", "",
		"stage that is gone back to, or the ID of a step; default before the last stage that was begun")
	// Fails only if there is no such flag.
	_ = cmd.RegisterFlagCompletionFunc("to", cobra.FixedCompletions([]string{
		"inventory", "prepare", "switchover", "translate", "workloads", "verify",
	}, cobra.ShellCompDirectiveNoFileComp))
}

// addApply adds the flags of verbs that act on a cluster.
func (f *migrateFlags) addApply(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.BoolVar(&f.act.apply, "apply", false, "do it, instead of showing the plan")
	flags.BoolVar(&f.act.irreversible, "yes-irreversible", false, "allow the steps that cannot be taken back, without asking")
	flags.BoolVar(&f.act.skipUndecided, "skip-undecided", false,
		"go on although decisions about single objects are open: those stay on the old way")
	flags.BoolVar(&f.act.passVaults, "pass-vaults", false,
		"do not compare with a vault that cannot be reached from this machine; Secrets are compared with each other all the same")
	flags.DurationVar(&f.act.timeout, "timeout", 0,
		"how long to wait for what comes by itself: a rollout, a role, a sync (default 5 to 15 minutes, by what it is)")
	flags.StringSliceVar(&f.act.done, "done", nil,
		"ID of a step by hand that is done, where no program can see it; azure for all that --no-azure leaves")
	flags.StringSliceVar(&f.act.cloudFiles, "cloud-file", nil,
		"file that defines a further Azure cloud, as the controller's cloudFile does")
	flags.StringVar(&f.act.values, "values", "", "file of values of the controller's chart")
	flags.StringVar(&f.act.image, "image", "", "the controller's image: REPOSITORY[:TAG][@DIGEST]")
}

// parseDryRun reads --dry-run, which was a switch in earlier versions.
func parseDryRun(text string) dryRun {
	old := map[string]dryRun{"": dryRunNone, "true": dryRunClient, "false": dryRunNone}
	if known, is := old[text]; is {
		return known
	}
	return dryRun(text)
}

// checkActs checks what concerns the verbs that act.
func (m migration) checkActs() error {
	repository, _, _ := install.Image(m.act.image)
	switch {
	case !slices.Contains([]dryRun{dryRunNone, dryRunClient, dryRunServer}, m.dryRun):
		return fmt.Errorf("--dry-run=%s is none of its values: there are none, client and server", m.dryRun)
	case m.act.apply && m.from != "":
		return errors.New("--apply changes a cluster, and --from names a folder: translate and workloads edit the folder without " +
			"--apply; deploy it, and run the other stages without --from")
	case m.dryRun == dryRunServer && m.from != "":
		return errors.New("--dry-run=server asks a cluster, and --from names a folder: use --dry-run=client")
	case m.act.apply && m.out != "":
		return errors.New("--apply changes the cluster, and --out writes files instead: leave one out")
	case m.act.timeout < 0:
		return fmt.Errorf("--timeout=%s is negative: leave it out, or give a duration such as 30m", m.act.timeout)
	case m.act.image != "" && repository == "":
		return fmt.Errorf("--image %s names no repository: REPOSITORY[:TAG][@DIGEST]", m.act.image)
	}
	return nil
}

// acts says whether anything is to be done or judged in a cluster.
func (m migration) acts() bool {
	return m.dryRun == dryRunServer || m.act.apply && m.dryRun == dryRunNone
}
