package main

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"secretstore/api/secretsync/v1alpha1"
	"secretstore/internal/controller/outcome"
	"secretstore/internal/fault"
)

// noon is when the tests of views take place.
var noon = time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)

func TestEntryOf(t *testing.T) {
	t.Parallel()
	hour := metav1.NewTime(noon.Add(-time.Hour))
	created := condition("Create", "True", "CreateSucceeded", "made", noon)
	for name, tc := range map[string]struct {
		reason     string
		conditions []metav1.Condition
		want       entry
	}{
		"Unchecked": {"without conditions nothing is known", nil, entry{Health: unchecked, Ready: "Unknown", Status: "NotChecked"}},
		"Created": {
			"where only Create is told, it counts",
			[]metav1.Condition{created},
			entry{Health: healthy, Ready: "Unknown", Status: "CreateSucceeded", Reason: "CreateSucceeded", Message: "made", Since: new(metav1.NewTime(noon))},
		},
		"NeverCreated": {
			"a failure before the first success is on Create",
			[]metav1.Condition{condition("Create", "False", "ProviderError", "away", hour.Time), condition("Ready", "False", "ProviderError", "away", hour.Time)},
			entry{Health: failing, Ready: "False", Status: "ProviderError", Reason: "ProviderError", Message: "away", Since: &hour},
		},
		"Stale": {
			"Update is later than Create; Ready says what workloads have",
			[]metav1.Condition{created, condition("Update", "False", "ProviderError", "away", hour.Time), condition("Ready", "True", "Stale", "kept", noon)},
			entry{Health: failing, Ready: "True", Status: "Stale", Reason: "ProviderError", Message: "away", Since: &hour},
		},
		"Changed": {
			"a new value is a success",
			[]metav1.Condition{created, condition("Update", "True", "UpdateValueChangeOrForceUpdateSucceeded", "m", hour.Time), condition("Ready", "True", "Synced", "m", noon)},
			entry{Health: healthy, Ready: "True", Status: "Synced", Reason: "UpdateValueChangeOrForceUpdateSucceeded", Message: "m", Since: &hour},
		},
		"Unknown": {
			"a reason that nobody promised is no success",
			[]metav1.Condition{condition("Create", "True", "SomethingNew", "m", hour.Time)},
			entry{Health: failing, Ready: "Unknown", Status: "SomethingNew", Reason: "SomethingNew", Message: "m", Since: &hour},
		},
		"Partial": {
			"the items are read from the message",
			[]metav1.Condition{created, condition("Update", "False", "PartialSync", `[{"sourcePath":"a","targetKey":"b","state":"kept","error":"e"}]`, hour.Time)},
			entry{
				Health: failing, Ready: "Unknown", Status: "PartialSync", Reason: "PartialSync", Since: &hour,
				Message: `[{"sourcePath":"a","targetKey":"b","state":"kept","error":"e"}]`,
				Items:   []outcome.Item{{SourcePath: "a", TargetKey: "b", State: "kept", Error: "e"}},
			},
		},
		"PartialInWords": {
			"a message that is no JSON stands for itself",
			[]metav1.Condition{condition("Create", "False", "PartialSync", "half of it", hour.Time)},
			entry{Health: failing, Ready: "Unknown", Status: "PartialSync", Reason: "PartialSync", Message: "half of it", Since: &hour},
		},
		"OtherInJSON": {
			"only PartialSync has items",
			[]metav1.Condition{condition("Create", "False", "ProviderError", `[{"sourcePath":"a"}]`, hour.Time)},
			entry{Health: failing, Ready: "Unknown", Status: "ProviderError", Reason: "ProviderError", Message: `[{"sourcePath":"a"}]`, Since: &hour},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tc.want.Namespace, tc.want.Name, tc.want.SecretProviderClassName, tc.want.ServiceAccountName = "shop", "app", "vault", "web"
			if diff := cmp.Diff(tc.want, entryOf(named("shop", "app", tc.conditions...))); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tc.reason, diff)
			}
		})
	}
}

// TestHealthOfEveryOutcome holds the view to what the controller writes: whatever kind of failure it reports, the entry fails with
// the reason and message of the check, and success is healthy.
func TestHealthOfEveryOutcome(t *testing.T) {
	t.Parallel()
	for kind := fault.Internal; kind <= fault.Unreachable; kind++ {
		for _, state := range []outcome.SecretState{outcome.SecretAbsent, outcome.SecretIncomplete, outcome.SecretComplete} {
			var sync v1alpha1.SecretSync
			sync.Status, _ = outcome.Of(sync.Status, outcome.Result{Time: noon, Secret: state, Fault: fault.New(kind, "what is wrong")})
			got := entryOf(sync)
			if got.Health != failing || !got.Since.Time.Equal(noon) || kind != fault.Partial && got.Message != "what is wrong" {
				t.Errorf("kind %v, Secret %v: %+v", kind, state, got)
			}
		}
	}
	for _, act := range []outcome.Act{outcome.Nothing, outcome.Created, outcome.Updated} {
		var sync v1alpha1.SecretSync
		for range 2 {
			sync.Status, _ = outcome.Of(sync.Status, outcome.Result{Time: noon, Secret: outcome.SecretComplete, Act: act})
			if got := entryOf(sync); got.Health != healthy || got.Status != "Synced" || got.Ready != "True" {
				t.Errorf("act %v: %+v", act, got)
			}
		}
	}
}

func TestReportOf(t *testing.T) {
	t.Parallel()
	good := condition("Create", "True", "CreateSucceeded", "m", noon)
	bad := condition("Create", "False", "ProviderError", "m", noon)
	got := reportOf([]v1alpha1.SecretSync{named("b", "a", good), named("a", "z", bad), named("a", "b"), named("a", "a", good)})
	var order []string
	for _, e := range got.Items {
		order = append(order, e.Namespace+"/"+e.Name)
	}
	if diff := cmp.Diff([]string{"a/a", "a/b", "a/z", "b/a"}, order); diff != "" {
		t.Errorf("sorted by namespace and name (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(counts{Total: 4, Healthy: 2, Failing: 1, Unchecked: 1}, got.Counts); diff != "" {
		t.Errorf("the counts add up (-want +got):\n%s", diff)
	}
}
