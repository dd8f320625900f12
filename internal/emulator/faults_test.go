package emulator_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"secretstore/internal/emulator/wire"
)

// behave sets faults and limits that must be valid.
func (f *fixture) behave(b wire.Behaviour) {
	f.tb.Helper()
	if err := f.SetBehaviour(b); err != nil {
		f.tb.Fatal(err)
	}
}

func TestFaultsAnswer(t *testing.T) {
	f := start(t)
	identity := f.identity()
	target := vaultURL + "/secrets/my-secret" + version
	for name, tc := range map[string]struct {
		reason string
		fault  wire.Fault
		check  func(*testing.T, reply, error)
	}{
		"503 with a pause": {
			"an outage that says when to come back",
			wire.Fault{Kind: wire.KindStatus, Status: 503, RetryAfterSeconds: 7},
			func(t *testing.T, r reply, err error) {
				if err != nil || r.status != 503 || r.header.Get("Retry-After") != "7" || r.json(t)["error"] == nil {
					t.Errorf("got %v %d %v %s", err, r.status, r.header, r.body)
				}
			},
		},
		"500 with a body": {
			"somebody else's words",
			wire.Fault{Kind: wire.KindStatus, Status: 500, Body: `<html>no</html>`},
			func(t *testing.T, r reply, err error) {
				if err != nil || r.status != 500 || r.body != "<html>no</html>" || r.header.Get("Retry-After") != "" {
					t.Errorf("got %v %d %s", err, r.status, r.body)
				}
			},
		},
		"429": {
			"throttled without a pause, as captured",
			wire.Fault{Kind: wire.KindStatus, Status: 429},
			func(t *testing.T, r reply, err error) {
				got, message := refusalOf(t, r)
				if err != nil || got != (refusal{429, "Throttled", ""}) || !strings.HasSuffix(message, "Reason: VaultRequestTypeLimitReached.") {
					t.Errorf("got %v %v %q", err, got, message)
				}
			},
		},
		"garbage": {
			"200 and no JSON",
			wire.Fault{Kind: wire.KindGarbage},
			func(t *testing.T, r reply, err error) {
				if err != nil || r.status != 200 || json.Valid([]byte(r.body)) {
					t.Errorf("got %v %d %s", err, r.status, r.body)
				}
			},
		},
		"cut": {
			"the connection ends in the middle of the body",
			wire.Fault{Kind: wire.KindCut},
			func(t *testing.T, r reply, err error) {
				if err == nil || r.status != 200 || r.body == "" || json.Valid([]byte(r.body)) {
					t.Errorf("got %v %d %q", err, r.status, r.body)
				}
			},
		},
		"refuse": {
			"no answer at all",
			wire.Fault{Kind: wire.KindRefuse},
			func(t *testing.T, r reply, err error) {
				if err == nil {
					t.Errorf("got %d", r.status)
				}
			},
		},
		"unreachable": {
			"not even a connection",
			wire.Fault{Kind: wire.KindUnreachable, Service: "vault"},
			func(t *testing.T, r reply, err error) {
				if err == nil {
					t.Errorf("got %d", r.status)
				}
			},
		},
		"elsewhere": {
			"another vault's fault",
			wire.Fault{Kind: wire.KindRefuse, Vault: "policy-vault"},
			func(t *testing.T, r reply, err error) {
				if err != nil || r.status != 200 {
					t.Errorf("got %v %d", err, r.status)
				}
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			f.behave(wire.Behaviour{Faults: []wire.Fault{tc.fault}})
			f.client.CloseIdleConnections()
			r, err := f.try(http.MethodGet, target, identity, "")
			tc.check(t, r, err)
			f.behave(wire.Behaviour{})
			if r := f.call(http.MethodGet, target, identity, ""); r.status != 200 {
				t.Errorf("%s: after the fault: got %d", tc.reason, r.status)
			}
		})
	}
}

func TestFaultsOfEntra(t *testing.T) {
	f := start(t)
	f.behave(wire.Behaviour{Faults: []wire.Fault{{Kind: wire.KindStatus, Status: 503, Service: "entra", Operations: []string{"entra.token"}, Next: 1}}})
	r := f.ask(tokenURL, secretForm(operatorID, operatorsPass))
	if codes, _ := r.json(t)["error_codes"].([]any); r.status != 503 || len(codes) != 1 {
		t.Errorf("got %d %s", r.status, r.body)
	}
	if r := f.ask(tokenURL, secretForm(operatorID, operatorsPass)); r.status != 200 {
		t.Errorf("the next one: got %d", r.status)
	}
	f.behave(wire.Behaviour{Faults: []wire.Fault{{Kind: wire.KindStatus, Status: 429, Service: "entra"}}})
	if r := f.ask(tokenURL, secretForm(operatorID, operatorsPass)); r.status != 429 || !strings.Contains(r.body, "AADSTS50196") {
		t.Errorf("throttled: got %d %s", r.status, r.body)
	}
}

func TestHangEndsWithTheFault(t *testing.T) {
	f := start(t)
	identity := f.identity()
	f.behave(wire.Behaviour{Faults: []wire.Fault{{Kind: wire.KindHang, Path: "/secrets/*"}}})
	done := make(chan error, 1)
	go func() {
		_, err := f.try(http.MethodPut, vaultURL+"/secrets/my-secret"+version, identity, `{"value":"x"}`)
		done <- err
	}()
	hangs := func(e wire.Entry) bool { return e.Fault == wire.KindHang }
	if _, err := f.AwaitRequest(t.Context(), hangs); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-done:
		t.Fatalf("it did not hang: %v", err)
	default:
	}
	f.behave(wire.Behaviour{})
	if err := <-done; err == nil {
		t.Error("what hung was answered")
	}
}

func TestHangEndsWithTheClient(t *testing.T) {
	f := start(t)
	f.behave(wire.Behaviour{Faults: []wire.Fault{{Kind: wire.KindHang}}})
	ctx, leave := context.WithCancel(t.Context())
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, vaultURL+"/secrets", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		if _, err := f.AwaitRequest(t.Context(), func(wire.Entry) bool { return true }); err == nil {
			leave()
		}
	}()
	if _, err := f.client.Do(request); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestLatency(t *testing.T) {
	f := start(t)
	f.behave(wire.Behaviour{Faults: []wire.Fault{
		{Kind: wire.KindLatency, LatencyMilliseconds: 1500, Vault: "my-key-vault"},
		{Kind: wire.KindLatency, LatencyMilliseconds: 500},
		{Kind: wire.KindStatus, Status: 500},
	}})
	done := make(chan reply, 1)
	go func() {
		r, _ := f.try(http.MethodGet, vaultURL+"/secrets", "", "")
		done <- r
	}()
	for !f.clock.HasWaiters() {
		select {
		case r := <-done:
			t.Fatalf("answered at once: %d", r.status)
		case <-t.Context().Done():
			t.Fatal("no request came")
		default:
		}
	}
	f.clock.Step(1999 * time.Millisecond)
	if !f.clock.HasWaiters() {
		t.Fatal("answered before the sum of the delays")
	}
	f.clock.Step(time.Millisecond)
	if r := <-done; r.status != 500 {
		t.Errorf("after the delay: got %d, want the fault that follows", r.status)
	}
}

func TestRateLimit(t *testing.T) {
	f := start(t)
	identity := f.identity()
	get := func() reply { return f.call(http.MethodGet, vaultURL+"/secrets/my-secret"+version, identity, "") }
	statuses := func(n int) (list []int) {
		for range n {
			list = append(list, get().status)
		}
		return list
	}
	f.behave(wire.Behaviour{Limits: []wire.Limit{{Vault: "my-key-vault", Requests: 3, PerSeconds: 10}}})
	if diff := cmp.Diff([]int{200, 200, 200, 429}, statuses(4)); diff != "" {
		t.Errorf("beyond the limit: -want +got\n%s", diff)
	}
	if r := f.call(http.MethodGet, vaultURL+"/secrets/my-secret"+version, "", ""); r.status != 401 {
		t.Errorf("a challenge is not limited: got %d", r.status)
	}
	if r := f.call(http.MethodGet, "https://policy-vault.vault.azure.net/secrets"+version, identity, ""); r.status != 200 {
		t.Errorf("another vault has its own limit: got %d", r.status)
	}
	f.clock.Step(9 * time.Second)
	statuses(3)
	f.clock.Step(2 * time.Second)
	if diff := cmp.Diff([]int{429}, statuses(1)); diff != "" {
		t.Errorf("refused calls count: -want +got\n%s", diff)
	}

	f.behave(wire.Behaviour{Limits: []wire.Limit{{Requests: 1, PerSeconds: 10, RetryAfterSeconds: 4, IgnoreRefused: true}}})
	if diff := cmp.Diff([]int{200, 429}, statuses(2)); diff != "" {
		t.Errorf("a limit of every vault: -want +got\n%s", diff)
	}
	if got := get().header.Get("Retry-After"); got != "4" {
		t.Errorf("Retry-After is %q, want 4", got)
	}
	f.clock.Step(10 * time.Second)
	if diff := cmp.Diff([]int{200}, statuses(1)); diff != "" {
		t.Errorf("refused calls are ignored: -want +got\n%s", diff)
	}
}

func TestTheDocumentedLimit(t *testing.T) {
	f := start(t)
	identity := f.identity()
	get := func() int {
		return f.call(http.MethodGet, vaultURL+"/secrets/nothing"+version, identity, "").status
	}
	for i := range 4000 {
		if got := get(); got != http.StatusNotFound {
			t.Fatalf("call %d: got %d", i, got)
		}
	}
	if got := get(); got != http.StatusTooManyRequests {
		t.Errorf("call 4,001 within 10 s: got %d, want 429", got)
	}
	f.clock.Step(10 * time.Second)
	if got := get(); got != http.StatusNotFound {
		t.Errorf("after 10 s: got %d", got)
	}
}
