package cluster

import (
	"context"
	"fmt"
	"testing"
	"time"
)

// pollInterval is how often a condition is looked at: often enough that waiting costs a test little.
const pollInterval = 50 * time.Millisecond

// Eventually calls check until it returns nil, and fails the test with check's last error if timeout passes first.
func Eventually(t testing.TB, timeout time.Duration, check func() error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), timeout)
	defer cancel()
	if err := await(ctx, func() (bool, error) {
		err := check()
		return err == nil, err
	}); err != nil {
		t.Fatalf("not within %s: %v", timeout, err)
	}
}

// await calls check until it says done or ctx ends, and returns check's last error.
func await(ctx context.Context, check func() (done bool, err error)) error {
	ticker := time.NewTicker(pollInterval)
	defer ticker.Stop()
	for {
		done, err := check()
		if done {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%w; the last look said: %w", context.Cause(ctx), err)
		case <-ticker.C:
		}
	}
}
