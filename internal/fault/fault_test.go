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

func TestWord(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		reason, text string
		shown        bool
	}{
		"Code":   {"a code", "ForbiddenByRbac", true},
		"UUID":   {"a request ID", "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee", true},
		"OAuth":  {"an OAuth error", "invalid_client", true},
		"Empty":  {"nothing", "", true},
		"JWT":    {"a token has dots", "eyJhbGci.eyJhdWQi.c2ln", false},
		"Header": {"a header has blanks", "Bearer abc", false},
		"Long":   {"no code is as long as a token", strings.Repeat("a", 41), false},
		"Lines":  {"nor has it lines", "a\nb", false},
		"Other":  {"or letters of other scripts", "кодé", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := fault.Word(tc.text); (got == tc.text) != tc.shown {
				t.Errorf("%s: Word(%q) = %q", tc.reason, tc.text, got)
			}
		})
	}
}
