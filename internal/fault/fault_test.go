package fault_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"secretstore/internal/fault"
)

func TestOf(t *testing.T) {
	t.Parallel()
	known := &fault.Error{Kind: fault.Throttled, Message: "vault v is throttled", Detail: errors.New("request 1234")}
	for name, tc := range map[string]struct {
		reason string
		in     error
		kind   fault.Kind
		text   string
	}{
		"Known":   {"a fault is found as it is", known, fault.Throttled, known.Message},
		"Wrapped": {"context added on the way does not hide it", fmt.Errorf("reading: %w", known), fault.Throttled, known.Message},
		"Unknown": {"foreign text never reaches people", errors.New("canary"), fault.Internal, "unexpected failure"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := fault.Of(tc.in)
			if got.Kind != tc.kind || !strings.Contains(got.Error(), tc.text) {
				t.Errorf("%s: Of(%v) = kind %d, %q", tc.reason, tc.in, got.Kind, got)
			}
			if strings.Contains(got.Error(), "canary") || strings.Contains(got.Error(), "1234") {
				t.Errorf("the message holds the detail: %q", got)
			}
		})
	}
	if fault.Of(nil) != nil {
		t.Error("no error became a fault")
	}
}

func TestDetailStaysReachable(t *testing.T) {
	t.Parallel()
	err := error(&fault.Error{Kind: fault.Cancelled, Message: "stopped", Detail: context.Canceled})
	if !errors.Is(err, context.Canceled) {
		t.Error("errors.Is does not see the detail")
	}
}
