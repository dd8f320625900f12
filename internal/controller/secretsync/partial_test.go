package secretsync

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"

	"secretstore/internal/controller/outcome"
	"secretstore/internal/fault"
	"secretstore/internal/redact"
	"secretstore/internal/secretdata"
)

//covers:field setting.enablePartialSecretSync
func TestMerge(t *testing.T) {
	t.Parallel()
	away := fault.New(fault.Unreachable, "vault away")
	missing := fault.New(fault.ObjectMissing, "no secret b")
	for name, tc := range map[string]struct {
		reason  string
		typ     corev1.SecretType
		got     string // keys that could be had, from "abc"
		failed  map[string]*fault.Error
		held    string // keys that the Secret has
		whole   bool   // all or nothing
		want    string // keys to write, "-" for nothing
		states  map[string]string
		message string
	}{
		"AllGood": {"nothing to tell", "", "abc", nil, "", false, "abc", nil, ""},
		"OneFails": {
			"what could be had is written, the rest kept", "", "ac",
			map[string]*fault.Error{"b": missing},
			"ab", false, "abc",
			map[string]string{"a": "updated", "b": "kept", "c": "updated"},
			"1 of 3 items could not be updated: no secret b",
		},
		"OneIsNew": {
			"an item that never was there is missing", "", "ac",
			map[string]*fault.Error{"b": missing},
			"", false, "ac",
			map[string]string{"a": "updated", "b": "missing", "c": "updated"},
			"1 of 3",
		},
		"Nothing": {
			"if nothing could be had, nothing is written", "", "",
			map[string]*fault.Error{"a": away, "b": away, "c": away},
			"abc", false, "-",
			nil, "vault away",
		},
		"AllOrNothing": {
			"one failure is enough when that is asked for", "", "ac", map[string]*fault.Error{"b": missing}, "abc", true, "-", nil, "no secret b",
		},
		"TypeNeedsIt": {
			"a typed Secret without its key would be refused", corev1.SecretTypeSSHAuth, "ac",
			map[string]*fault.Error{"b": missing},
			"", false, "-",
			nil, "no secret b",
		},
		"Several": {
			"failures that say something else are counted", "", "a",
			map[string]*fault.Error{"b": missing, "c": away},
			"", false, "a",
			map[string]string{"a": "updated", "b": "missing", "c": "missing"},
			"2 of 3 items could not be updated: no secret b (and 1 more)",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			todo := plan{secretType: tc.typ}
			data := map[string]redact.Bytes{}
			var failed []secretdata.ItemError
			for _, key := range []string{"a", "b", "c"} {
				mapping := secretdata.Mapping{SourcePath: "path-" + key, TargetKey: key}
				todo.mappings = append(todo.mappings, mapping)
				if strings.Contains(tc.got, key) {
					data[key] = redact.FromString("new")
				}
				if reason, bad := tc.failed[key]; bad {
					failed = append(failed, secretdata.ItemError{Mapping: mapping, Err: reason})
				}
			}
			held := func(key string) (redact.Bytes, bool) { return redact.FromString("old"), strings.Contains(tc.held, key) }
			got := merge(todo, data, failed, held, !tc.whole)
			checkMerged(t, got, tc.want, tc.states, tc.message)
		})
	}
}

func checkMerged(t *testing.T, got merged, want string, states map[string]string, message string) {
	t.Helper()
	keys := "-"
	if got.data != nil {
		keys = strings.Join(slices.Sorted(maps.Keys(got.data)), "")
	}
	if keys != want {
		t.Errorf("keys to write are %q, want %q", keys, want)
	}
	gotStates := map[string]string{}
	for _, item := range got.items {
		gotStates[item.TargetKey] = item.State
		if (item.Error == "") != (item.State == outcome.ItemUpdated) || item.SourcePath != "path-"+item.TargetKey {
			t.Errorf("item %+v", item)
		}
		if value := got.data[item.TargetKey]; item.State == outcome.ItemKept && string(value.Reveal()) != "old" {
			t.Errorf("%s is not kept", item.TargetKey)
		}
	}
	if diff := cmp.Diff(states, gotStates); diff != "" && len(states)+len(gotStates) > 0 {
		t.Errorf("states (-want +got):\n%s", diff)
	}
	if message == "" && got.fault != nil || message != "" && (got.fault == nil || !strings.Contains(got.fault.Message, message)) {
		t.Errorf("fault is %v, want %q", got.fault, message)
	}
	if (len(got.items) > 0) != (got.fault != nil && got.fault.Kind == fault.Partial) {
		t.Errorf("%d items, but the fault is %v", len(got.items), got.fault)
	}
}

func TestSummaryWaitsForTheLongest(t *testing.T) {
	t.Parallel()
	slow := &fault.Error{Kind: fault.Throttled, Message: "throttled", RetryAfter: 7}
	got := summary([]secretdata.ItemError{{Err: fault.New(fault.ObjectMissing, "m")}, {Err: slow}, {Err: slow}})
	if got.RetryAfter != 7 || got.Message != "m (and 1 more)" || slow.Message != "throttled" {
		t.Errorf("summary = %+v", got)
	}
}
