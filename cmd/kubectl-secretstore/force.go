package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"secretstore/api/secretsync/v1alpha1"
)

// force makes checks of SecretSyncs due at once.
type force struct {
	selection

	// all says that no names are given on purpose.
	all bool
	// timeout is how long to wait for the outcome; 0 means not at all.
	timeout time.Duration
}

// defaultTimeout is longer than a check takes of a vault that answers.
const defaultTimeout = time.Minute

func newForce(p program) *cobra.Command {
	var f force
	var wait bool
	cmd := &cobra.Command{
		Use:   "force NAME... | -l SELECTOR | --all",
		Short: "Check SecretSyncs now, without waiting for their interval",
		Long: `Check SecretSyncs now, without waiting for their interval or jitter.

It sets spec.forceSynchronization to the present time. Nothing else is changed; what the check finds is written as always.`,
		Example: `  # One, and see what came of it
  kubectl secretstore force app -n shop --wait

  # All of a namespace, with ten minutes to get there
  kubectl secretstore force --all -n shop --wait --timeout 10m`,
	}
	flags := addClusterFlags(cmd)
	addSelectionFlags(cmd, &f.selection)
	cmd.Flags().BoolVar(&f.all, "all", false, "all of the namespace, or with -A of all namespaces")
	cmd.Flags().BoolVar(&wait, "wait", false, "wait for the checks to end; exit with code 1 if one failed")
	cmd.Flags().DurationVar(&f.timeout, "timeout", defaultTimeout, "how long to wait")
	cmd.ValidArgsFunction = completeNames(flags)
	// Fails only if there is no such flag.
	_ = cmd.RegisterFlagCompletionFunc("context", completeContexts(flags))
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		parsed, err := f.parse(args, wait, cmd.Flags().Changed("timeout"))
		if err != nil {
			return usage(cmd, err)
		}
		cluster, err := connect(flags, p.ErrOut)
		if err != nil {
			return err
		}
		return parsed.Run(cmd.Context(), cluster, p)
	}
	return cmd
}

// parse completes the flags by the arguments. To force everything must have been meant.
func (f force) parse(args []string, wait, timed bool) (force, error) {
	var err error
	if f.selection, err = f.selection.parse(args); err != nil {
		return force{}, err
	}
	switch {
	case f.all && len(f.names) > 0:
		return force{}, errors.New("name SecretSyncs or use --all, not both")
	case !f.all && len(f.names) == 0 && f.selector == "":
		return force{}, errors.New("name the SecretSyncs to check, select them by -l, or use --all")
	case timed && !wait:
		return force{}, errors.New("--timeout is for --wait, which is not given")
	case f.timeout <= 0:
		return force{}, fmt.Errorf("--timeout is %s: it must be longer than nothing", f.timeout)
	case !wait:
		f.timeout = 0
	}
	return f, nil
}

// Run forces them, and waits if it was told to. One that does not exist does not keep the others from being forced.
func (f force) Run(ctx context.Context, cluster syncs, p program) error {
	keys, err := f.keys(ctx, cluster)
	if err != nil {
		return err
	}
	if len(keys) == 0 {
		p.note("No SecretSyncs found" + cluster.place(f.selection) + ".")
		return nil
	}
	forced, missing, err := cluster.forceAll(ctx, keys, p.clock.Now())
	switch {
	case err != nil || len(forced) == 0:
	case f.timeout > 0:
		err = f.await(ctx, cluster, p, forced)
	default:
		err = p.print(dueNow(forced))
	}
	return errors.Join(missing, err)
}

// forceAll forces each of them. missing are those that do not exist; any other error ends it.
func (s syncs) forceAll(ctx context.Context, keys []types.NamespacedName, now time.Time) (
	forced []v1alpha1.SecretSync, missing, err error,
) {
	value := now.UTC().Format(time.RFC3339Nano)
	for _, key := range keys {
		sync, err := s.force(ctx, key, value)
		_, gone := errors.AsType[missingError](err)
		switch {
		case err == nil:
			forced = append(forced, sync)
		case gone:
			missing = errors.Join(missing, err)
		default:
			return forced, missing, err
		}
	}
	return forced, missing, nil
}

func dueNow(forced []v1alpha1.SecretSync) string {
	var b strings.Builder
	for _, sync := range forced {
		fmt.Fprintf(&b, "%s: to be checked now\n", client.ObjectKeyFromObject(&sync))
	}
	return b.String()
}

// keys names those to force. Names that were given are not looked up: patching them tells whether they exist.
func (f force) keys(ctx context.Context, cluster syncs) ([]types.NamespacedName, error) {
	var keys []types.NamespacedName
	if len(f.names) > 0 {
		for _, name := range f.names {
			keys = append(keys, types.NamespacedName{Namespace: cluster.namespace, Name: name})
		}
		return keys, nil
	}
	found, err := cluster.list(ctx, f.selection)
	for _, sync := range found {
		keys = append(keys, client.ObjectKeyFromObject(&sync))
	}
	return keys, err
}
