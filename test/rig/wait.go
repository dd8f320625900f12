package rig

import (
	"context"
	"fmt"
	"time"
)

const (
	// lookEvery is how often something that should change is looked at.
	lookEvery = 50 * time.Millisecond
	// patience bounds a wait on a loaded machine.
	patience = 60 * time.Second
)

// await looks until check has nothing to say, and returns what it said last if that takes too long.
func await(ctx context.Context, check func() error) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		err := check()
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("waited %v: %w", patience, err)
		case <-tick.C:
		}
	}
}

// every calls act at once and then again and again, until ctx ends.
func every(ctx context.Context, interval time.Duration, act func(context.Context)) {
	tick := time.NewTicker(interval)
	defer tick.Stop()
	for {
		act(ctx)
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}
