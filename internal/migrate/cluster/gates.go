package cluster

import (
	"context"
	"fmt"
	"slices"

	"secretstore/internal/migrate/act"
	"secretstore/internal/migrate/model"
)

// lack gathers what is lacking behind a gate. The zero value lacks nothing.
type lack struct {
	lines []string
	// stuck says that something among it does not come by itself.
	stuck bool
}

// wait adds what comes by itself.
func (l *lack) wait(text string, args ...any) { l.lines = append(l.lines, fmt.Sprintf(text, args...)) }

// need adds what somebody has to do something about.
func (l *lack) need(text string, args ...any) {
	l.wait(text, args...)
	l.stuck = true
}

// join adds what another lacks.
func (l *lack) join(other lack) {
	l.lines = append(l.lines, other.lines...)
	l.stuck = l.stuck || other.stuck
}

// closed is the error of a gate, nil if it is open.
func (l *lack) closed() error {
	if len(l.lines) == 0 {
		return nil
	}
	return &act.ClosedError{Lacking: l.lines, Wait: !l.stuck}
}

// Check implements [act.Cluster]. Gates that only Azure, a token or the operator can open are none of a cluster's.
func (c *Cluster) Check(ctx context.Context, step model.Change) error {
	if step.Gate == nil {
		return fmt.Errorf("%s: only a person can look at it", step.ID)
	}
	look, ours := map[model.GateKind]func(context.Context, model.Gate) (lack, error){
		model.GateIssuer:           c.checkIssuer,
		model.GateRollout:          c.checkRollout,
		model.GateSynced:           c.checkSynced,
		model.GateEqual:            c.checkEqual,
		model.GateUnmounted:        c.checkUnmounted,
		model.GateValues:           c.checkValues,
		model.GateOwned:            c.checkOwned,
		model.GateUnreferenced:     c.checkUnreferenced,
		model.GateAccess:           c.tellAccess,
		model.GateDefinitionsSaved: c.saveDefinitions,
		model.GateDefinitions:      c.checkDefinitions,
	}[step.Gate.Kind]
	if !ours {
		return fmt.Errorf("%s: a gate of the kind %q is not looked at in the cluster", step.ID, step.Gate.Kind)
	}
	found, err := look(ctx, *step.Gate)
	if err != nil {
		return fmt.Errorf("looking whether %s may go on: %w", step.ID, err)
	}
	return found.closed()
}

// checkOwned: the Secrets are there, and stay.
func (c *Cluster) checkOwned(ctx context.Context, gate model.Gate) (lack, error) {
	var l lack
	for _, ref := range gate.Objects {
		live, err := c.get(ctx, ref)
		switch {
		case err != nil:
			return lack{}, err
		case live == nil:
			l.need("%s is not there, and something refers to it", ref)
		case live.GetDeletionTimestamp() != nil:
			l.need("%s is being deleted, and something refers to it", ref)
		}
	}
	return l, nil
}

// namespacesOf are the namespaces of objects, each once, sorted.
func namespacesOf(refs []model.Ref) []string {
	var names []string
	for _, ref := range refs {
		names = append(names, ref.Namespace)
	}
	slices.Sort(names)
	return slices.Compact(names)
}
