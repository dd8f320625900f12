package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"
)

// status shows how SecretSyncs are.
type status struct {
	selection

	format format
	// check makes what is not healthy an error.
	check bool
}

// unhealthyError is what status returns if it was told to check, and something is not healthy.
type unhealthyError struct{ unhealthy, total int }

// Error says how many are not.
func (e unhealthyError) Error() string {
	return fmt.Sprintf("%d of %s not healthy", e.unhealthy, plural(e.total, "SecretSync"))
}

func newStatus(p program) *cobra.Command {
	var s status
	var output string
	cmd := &cobra.Command{
		Use:   "status [NAME...]",
		Short: "Show which SecretSyncs work, and what is wrong with the others",
		Long: `Show which SecretSyncs work, and what is wrong with the others.

READY is True while the Secret holds a value for every mapped key, even when the vault is away; STATUS says whether the
values are those of the latest check. Below the table stands, for each one whose latest check failed, what it said.`,
		Example: `  # Those of the current namespace
  kubectl secretstore status

  # One, with its class, service account and latest check
  kubectl secretstore status app -n shop -o wide

  # In a script: exit code 3 if anything is not healthy
  kubectl secretstore status -A --check

  # The names of those that fail
  kubectl secretstore status -A -o json | jq -r '.items[] | select(.health == "failing") | .namespace + "/" + .name'`,
	}
	flags := addClusterFlags(cmd)
	addSelectionFlags(cmd, &s.selection)
	addFormatFlag(cmd, &output, formatJSON, formatYAML, formatWide)
	cmd.Flags().BoolVar(&s.check, "check", false, "exit with code 3 if not all are healthy")
	cmd.ValidArgsFunction = completeNames(flags)
	// Fails only if there is no such flag.
	_ = cmd.RegisterFlagCompletionFunc("context", completeContexts(flags))
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		parsed, err := s.parse(args, output)
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

// parse completes the flags by the arguments.
func (s status) parse(args []string, output string) (status, error) {
	var err error
	if s.selection, err = s.selection.parse(args); err != nil {
		return status{}, err
	}
	if s.format, err = parseFormat(output, formatJSON, formatYAML, formatWide); err != nil {
		return status{}, err
	}
	return s, nil
}

// Run shows them. Names that do not exist make it fail, after it has shown the others.
func (s status) Run(ctx context.Context, cluster syncs, p program) error {
	found, err := cluster.find(ctx, s.selection)
	if err != nil && len(found) == 0 {
		return err
	}
	r := reportOf(found)
	if err := errors.Join(s.show(r, cluster, p), err); err != nil {
		return err
	}
	if unhealthy := r.Counts.Total - r.Counts.Healthy; s.check && unhealthy > 0 {
		return unhealthyError{unhealthy: unhealthy, total: r.Counts.Total}
	}
	return nil
}

func (s status) show(r report, cluster syncs, p program) error {
	switch {
	case s.format == formatJSON || s.format == formatYAML:
		return encode(p.Out, s.format, r)
	case len(r.Items) == 0:
		p.note("No SecretSyncs found" + cluster.place(s.selection) + ".")
		return nil
	default:
		v := textView{now: p.clock.Now(), namespaces: s.allNamespaces, wide: s.format == formatWide}
		return p.print(v.report(r))
	}
}

// place says where was looked.
func (s syncs) place(sel selection) string {
	if sel.allNamespaces {
		return ""
	}
	return " in the namespace " + s.namespace
}
