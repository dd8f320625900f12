package wire

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestFaultsMatch(t *testing.T) {
	call := Call{Service: "vault", Vault: "shop", Operation: "secrets.get"}
	for name, tc := range map[string]struct {
		reason string
		fault  Fault
		want   bool
	}{
		"anything":          {"empty fields match all", Fault{}, true},
		"service":           {"this one", Fault{Service: "vault"}, true},
		"other service":     {"that one", Fault{Service: "entra"}, false},
		"vault":             {"letter case is nothing", Fault{Vault: "SHOP"}, true},
		"other vault":       {"that one", Fault{Vault: "bank"}, false},
		"operation":         {"one of several", Fault{Operations: []string{"secrets.list", "secrets.get"}}, true},
		"other operation":   {"not among them", Fault{Operations: []string{"secrets.list"}}, false},
		"path":              {"a pattern", Fault{Path: "/secrets/db-*"}, true},
		"other path":        {"a * does not go over a /", Fault{Path: "/*"}, false},
		"everything fits":   {"all must", Fault{Service: "vault", Vault: "shop", Operations: []string{"secrets.get"}, Path: "/*/*"}, true},
		"all but one thing": {"all must", Fault{Service: "vault", Vault: "shop", Operations: []string{"secrets.get"}, Path: "/x"}, false},
	} {
		if got := tc.fault.matches(call, "/secrets/db-password"); got != tc.want {
			t.Errorf("%s: %s: got %v", name, tc.reason, got)
		}
	}
}

func TestFaultsAreSpentInOrder(t *testing.T) {
	f := newFaults()
	f.replace(Behaviour{Faults: []Fault{
		{Kind: KindLatency, LatencyMilliseconds: 100, Next: 2}, {Kind: KindStatus, Status: 500, Next: 1}, {Kind: KindRefuse, Next: 2}, {Kind: KindHang},
	}})
	type met struct {
		Delay time.Duration
		Kind  string
	}
	var got []met
	for range 5 {
		delay, fault, _ := f.next(Call{}, "/")
		got = append(got, met{delay, fault.Kind})
	}
	want := []met{
		{100 * time.Millisecond, KindStatus}, {100 * time.Millisecond, KindRefuse}, {0, KindRefuse}, {0, KindHang}, {0, KindHang},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	if diff := cmp.Diff(Behaviour{Faults: []Fault{{Kind: KindHang}}, Limits: []Limit{}}, f.current()); diff != "" {
		t.Errorf("what is left: -want +got\n%s", diff)
	}
}

func TestBehaviourIsChecked(t *testing.T) {
	for name, tc := range map[string]struct {
		behaviour Behaviour
		want      string // in the error; empty for none
	}{
		"empty":                  {Behaviour{}, ""},
		"good":                   {Behaviour{Faults: []Fault{{Kind: KindStatus, Status: 503}}, Limits: []Limit{{Requests: 1, PerSeconds: 1}}}, ""},
		"no kind":                {Behaviour{Faults: []Fault{{}}}, `faults[0]: kind is ""`},
		"service":                {Behaviour{Faults: []Fault{{Kind: KindHang}, {Kind: KindHang, Service: "dns"}}}, `faults[1]: service is "dns"`},
		"path":                   {Behaviour{Faults: []Fault{{Kind: KindHang, Path: "["}}}, "syntax error in pattern"},
		"negative":               {Behaviour{Faults: []Fault{{Kind: KindHang, Next: -1}}}, "must not be negative"},
		"no latency":             {Behaviour{Faults: []Fault{{Kind: KindLatency}}}, "needs latencyMilliseconds"},
		"no status":              {Behaviour{Faults: []Fault{{Kind: KindStatus}}}, "from 400 to 599"},
		"good status":            {Behaviour{Faults: []Fault{{Kind: KindStatus, Status: http.StatusOK}}}, "from 400 to 599"},
		"unreachable for a path": {Behaviour{Faults: []Fault{{Kind: KindUnreachable, Path: "/x"}}}, "unreachable for every request"},
		"limit":                  {Behaviour{Limits: []Limit{{Requests: 1}}}, "limits[0]: requests and perSeconds must be 1 or more"},
	} {
		err := tc.behaviour.Validate()
		if (err == nil) != (tc.want == "") || (err != nil && !strings.Contains(err.Error(), tc.want)) {
			t.Errorf("%s: got %v, want %q in it", name, err, tc.want)
		}
	}
}
