package act

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"secretstore/internal/migrate/model"
)

// The first and the longest pause between two looks at a gate.
const (
	firstPause   = time.Second
	longestPause = 15 * time.Second
)

// check waits for a gate to open. One that only a person can look at is left to them.
func (r *run) check(ctx context.Context, c model.Change) error {
	if c.Gate == nil {
		return r.leave(c, "only a person can look at this")
	}
	if r.overtaken(c) {
		return r.pass(c, "it was open; a later step has deleted what it looks at", "")
	}
	if err := r.await(ctx, c, false); err != nil {
		return err
	}
	return r.pass(c, "it is open", "")
}

// overtaken tells whether a gate has been open and a later step of this migration deleted what it looks at: the proofs.
func (r *run) overtaken(c model.Change) bool {
	if _, passed := r.history.Passed[c.ID]; !passed {
		return false
	}
	for _, record := range r.history.Open {
		gone := record.Change
		if record.Made && gone.Verb == model.Delete && gone.Order > c.Order && looksAt(*c.Gate, gone.Object) {
			return true
		}
	}
	return false
}

// looksAt tells whether a gate needs a SecretSync, or a Secret of its name, to be there.
func looksAt(gate model.Gate, ref model.Ref) bool {
	pair := slices.ContainsFunc(gate.Same, func(p model.Pair) bool {
		return p.Namespace == ref.Namespace && (p.New == ref.Name || p.Old == ref.Name)
	})
	return gate.Kind == model.GateSynced && (pair || slices.Contains(gate.Objects, ref)) || gate.Kind == model.GateEqual && pair
}

// await looks at a gate until it is open. One that does not open by itself is waited for only by the patient.
func (r *run) await(ctx context.Context, c model.Change, patient bool) error {
	began, pause, told := r.Clock.Now(), firstPause, ""
	for {
		err := r.look(ctx, c)
		closed := (*ClosedError)(nil)
		if !errors.As(err, &closed) {
			return err
		}
		waited := r.Clock.Since(began)
		switch {
		case !closed.Wait && !patient:
			return err
		case waited >= r.bound(c.Gate.Kind):
			return fmt.Errorf("not within %s: %w", waited.Round(time.Second), err)
		}
		if lacking := strings.Join(closed.Lacking, "\n"); lacking != told {
			told = lacking
			r.tell(Event{Kind: EventWaiting, Step: c, Lacking: closed.Lacking})
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-r.Clock.After(pause):
		}
		pause = min(pause*3/2, longestPause)
	}
}

// bound is how long a gate of a kind is waited for.
func (r *run) bound(kind model.GateKind) time.Duration {
	if r.Options.AtMost > 0 {
		return r.Options.AtMost
	}
	for _, bounds := range []map[model.GateKind]time.Duration{r.Options.Bounds, DefaultBounds()} {
		if bound, ok := bounds[kind]; ok {
			return bound
		}
	}
	return otherBound
}

// look looks at a gate once.
func (r *run) look(ctx context.Context, c model.Change) error {
	switch c.Gate.Kind {
	case model.GateConsent:
		return r.consent(*c.Gate)
	case model.GateToken, model.GateExchange:
		return r.token(ctx, c)
	default:
		return r.Cluster.Check(ctx, c)
	}
}

// consent looks whether the operator has answered as the gate wants.
func (r *run) consent(gate model.Gate) error {
	answer := r.Options.Answers[gate.Decision]
	if slices.Contains(gate.Answers, answer) {
		return nil
	}
	if answer == "" {
		answer = "not answered"
	}
	return &ClosedError{Lacking: []string{fmt.Sprintf("the decision %s is %s; to go on it has to be answered %s in plan.yaml",
		gate.Decision, answer, strings.Join(gate.Answers, " or "))}}
}

// token mints a token, and looks at it, or has Entra take it.
func (r *run) token(ctx context.Context, c model.Change) error {
	if c.Token == nil {
		return fmt.Errorf("the gate %s names no token: this is a mistake of the program", c.ID)
	}
	exchange := c.Gate.Kind == model.GateExchange
	if exchange && r.Azure == nil {
		return &ByHandError{Command: c.Command, Why: "Entra can only be asked where Azure is not left to others"}
	}
	token, err := r.Cluster.Mint(ctx, *c.Token)
	switch {
	case err != nil:
		return err
	case exchange:
		return r.Azure.Exchange(ctx, *c.Gate, *c.Token, token)
	}
	return CheckToken(token, *c.Gate, *c.Token)
}
