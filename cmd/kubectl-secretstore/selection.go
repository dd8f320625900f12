package main

import (
	"errors"
	"fmt"
	"slices"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/labels"
)

// selection says which SecretSyncs are meant: by name in one namespace, or all that match in one or in all.
type selection struct {
	names         []string
	allNamespaces bool
	selector      string
}

// addSelectionFlags adds -A and -l as kubectl has them.
func addSelectionFlags(cmd *cobra.Command, into *selection) {
	cmd.Flags().BoolVarP(&into.allNamespaces, "all-namespaces", "A", false, "look in all namespaces")
	cmd.Flags().StringVarP(&into.selector, "selector", "l", "", "only those whose labels match, such as app=shop,tier!=test")
}

// parse completes the flags by the arguments, and checks that all fit together.
func (s selection) parse(args []string) (selection, error) {
	if len(args) > 0 {
		s.names = slices.Compact(slices.Sorted(slices.Values(args)))
	}
	if _, err := labels.Parse(s.selector); err != nil {
		return selection{}, fmt.Errorf("-l %s is no label selector: %w", s.selector, err)
	}
	switch {
	case len(s.names) > 0 && s.allNamespaces:
		return selection{}, errors.New("names belong to one namespace: use -n instead of -A")
	case len(s.names) > 0 && s.selector != "":
		return selection{}, errors.New("name SecretSyncs or select them by -l, not both")
	default:
		return s, nil
	}
}
