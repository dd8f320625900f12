package akv

import (
	"context"
	"sync/atomic"
)

// gate lets the first call through alone. A client learns from the answer to its first call where to get its token;
// calls made meanwhile would each be sent back to learn it again.
type gate struct {
	turn chan struct{}
	open atomic.Bool
}

func newGate() *gate { return &gate{turn: make(chan struct{}, 1)} }

// do makes a call. One that had to wait for its turn asks first whether there is still a reason to make it.
func (g *gate) do(ctx context.Context, reason func() error, call func() error) error {
	if !g.open.Load() {
		if done, err := g.first(ctx, reason, call); done {
			return err
		}
	}
	return call()
}

// first makes the call alone, unless another one has opened the gate meanwhile: then those who waited go on all at once.
func (g *gate) first(ctx context.Context, reason func() error, call func() error) (done bool, err error) {
	select {
	case g.turn <- struct{}{}:
		defer func() { <-g.turn }()
	case <-ctx.Done():
		return true, ctx.Err()
	}
	if g.open.Load() {
		return false, nil
	}
	if err := reason(); err != nil {
		return true, err
	}
	err = call()
	g.open.Store(err == nil)
	return true, err
}
