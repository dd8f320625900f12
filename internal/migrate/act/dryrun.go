package act

import (
	"context"
	"errors"
	"fmt"

	"secretstore/internal/migrate/model"
)

// judge lets the API server judge what a run would change, and lists the gates. Nothing is changed or written down. Variables
// that earlier steps would set stand as they are; what is refused does not keep the rest from being judged.
func (r *run) judge(ctx context.Context, changes []model.Change) error {
	var refused []error
	for _, c := range changes {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		c := r.variables.known(c)
		text, err := r.judged(ctx, c)
		if err != nil {
			err = fmt.Errorf("%s: %w", c.ID, err)
			refused = append(refused, err)
			r.tell(Event{Kind: EventStopped, Step: c, Text: err.Error()})
			continue
		}
		r.tell(Event{Kind: EventJudged, Step: c, Text: text})
	}
	return errors.Join(refused...)
}

// judged is what would become of one step.
func (r *run) judged(ctx context.Context, c model.Change) (string, error) {
	switch {
	case c.ByHand != "":
		return "left to others: " + c.ByHand, nil
	case c.Verb == model.Check:
		return "a gate", nil
	case c.Verb == model.Run:
		return "a command, which is not run", nil
	}
	c, err := r.resolve(ctx, c)
	if err != nil {
		return "", err
	}
	if why := r.settled(c); why != "" {
		return why, nil
	}
	sight, err := r.Cluster.Look(ctx, c)
	switch {
	case err != nil:
		return "", err
	case sight.Standing == Foreign:
		return "", &RefusedError{Object: c.Object, Why: sight.Why}
	case sight.Standing != Open:
		return "nothing is to be done", nil
	}
	_, err = r.Cluster.Apply(ctx, c, sight, true)
	return "the API server accepts it", err
}
