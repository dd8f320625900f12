package outcome_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"secretstore/api/secretsync/v1alpha1"
	"secretstore/internal/controller/outcome"
	"secretstore/internal/fault"
)

// step is one check of a story: what came of it, and what users are to be told.
type step struct {
	reason string
	result outcome.Result
	// want maps condition types onto "Status/Reason".
	want map[string]string
	// event is "Type/Reason" of the one event, or "" for none.
	event string
}

func good(act outcome.Act) outcome.Result {
	return outcome.Result{Secret: outcome.SecretComplete, Act: act, SyncHash: "hmac-sha256:00"}
}

func bad(kind fault.Kind, state outcome.SecretState, message string) outcome.Result {
	return outcome.Result{Secret: state, Fault: fault.New(kind, "%s", message)}
}

func partial(act outcome.Act, state outcome.SecretState) outcome.Result {
	r := bad(fault.Partial, state, "1 of 2 items could not be updated: no such secret")
	r.Act, r.SyncHash = act, "hmac-sha256:01"
	r.Items = []outcome.Item{
		{SourcePath: "a", TargetKey: "k", State: outcome.ItemUpdated},
		{SourcePath: "b", TargetKey: "l", State: outcome.ItemKept, Error: "no such secret"},
	}
	return r
}

//covers:field SecretSync.status.conditions[].type SecretSync.status.conditions[].status
//covers:field SecretSync.status.conditions[].reason SecretSync.status.lastCheckTime SecretSync.status.observedGeneration
//covers:reason CreateSucceeded UpdateNoValueChangeSucceeded UpdateValueChangeOrForceUpdateSucceeded PartialSync Stale Synced
func TestStories(t *testing.T) {
	t.Parallel()
	created := map[string]string{"Create": "True/CreateSucceeded", "Update": "True/UpdateNoValueChangeSucceeded", "Ready": "True/Synced"}
	for name, story := range map[string][]step{
		"CreatedThenUnchangedThenChanged": {
			{"the first success writes both conditions", good(outcome.Created), created, "Normal/CreateSucceeded"},
			{"an unchanged check says nothing new", good(outcome.Nothing), created, ""},
			{
				"a new value is told", good(outcome.Updated),
				map[string]string{"Create": "True/CreateSucceeded", "Update": "True/UpdateValueChangeOrForceUpdateSucceeded", "Ready": "True/Synced"},
				"Normal/UpdateValueChangeOrForceUpdateSucceeded",
			},
			{"the check after it goes back without an event", good(outcome.Nothing), created, ""},
		},
		"FailsBeforeTheSecretExists": {
			{
				"until the first success a failure is on Create", bad(fault.Unreachable, outcome.SecretAbsent, "vault away"),
				map[string]string{"Create": "False/ProviderError", "Ready": "False/ProviderError"},
				"Warning/ProviderError",
			},
			{
				"the same failure again is no news", bad(fault.Unreachable, outcome.SecretAbsent, "vault away"),
				map[string]string{"Create": "False/ProviderError", "Ready": "False/ProviderError"},
				"",
			},
			{
				"another message of the same reason is", bad(fault.IdentityRejected, outcome.SecretAbsent, "no credential"),
				map[string]string{"Create": "False/ProviderError", "Ready": "False/ProviderError"},
				"Warning/ProviderError",
			},
			{"then it works", good(outcome.Created), created, "Normal/CreateSucceeded"},
		},
		"OutageAfterSuccess": {
			{"first all is well", good(outcome.Created), created, "Normal/CreateSucceeded"},
			{
				"afterwards a failure is on Update, and Ready stays", bad(fault.Unreachable, outcome.SecretComplete, "vault away"),
				map[string]string{"Create": "True/CreateSucceeded", "Update": "False/ProviderError", "Ready": "True/Stale"},
				"Warning/ProviderError",
			},
			{
				"a failure before the Secret was looked at keeps what was known", bad(fault.Internal, outcome.SecretUnknown, "API server away"),
				map[string]string{"Create": "True/CreateSucceeded", "Update": "Unknown/ControllerInternalError", "Ready": "True/Stale"},
				"Warning/ControllerInternalError",
			},
			{
				"the Secret is deleted meanwhile: workloads are not served", bad(fault.Unreachable, outcome.SecretAbsent, "vault away"),
				map[string]string{"Create": "True/CreateSucceeded", "Update": "False/ProviderError", "Ready": "False/ProviderError"},
				"Warning/ProviderError",
			},
			{
				"the end of the outage is told", good(outcome.Created),
				map[string]string{"Create": "True/CreateSucceeded", "Update": "True/UpdateValueChangeOrForceUpdateSucceeded", "Ready": "True/Synced"},
				"Normal/UpdateValueChangeOrForceUpdateSucceeded",
			},
		},
		"RecoversUnchanged": {
			{"first all is well", good(outcome.Created), created, "Normal/CreateSucceeded"},
			{
				"then an outage", bad(fault.Throttled, outcome.SecretComplete, "throttled"),
				map[string]string{"Create": "True/CreateSucceeded", "Update": "False/ProviderError", "Ready": "True/Stale"},
				"Warning/ProviderError",
			},
			{"recovery is told though no value changed", good(outcome.Nothing), created, "Normal/UpdateNoValueChangeSucceeded"},
		},
		"StatusLostWhileTheSecretIsThere": {
			{"a Secret that is already right counts as created", good(outcome.Nothing), created, "Normal/CreateSucceeded"},
		},
		"PartFromTheStart": {
			{
				"a Secret that was made of what there is counts as created", partial(outcome.Created, outcome.SecretIncomplete),
				map[string]string{"Create": "True/CreateSucceeded", "Update": "False/PartialSync", "Ready": "False/PartialSync"},
				"Warning/PartialSync",
			},
			{
				"the same again is no news", partial(outcome.Nothing, outcome.SecretIncomplete),
				map[string]string{"Create": "True/CreateSucceeded", "Update": "False/PartialSync", "Ready": "False/PartialSync"},
				"",
			},
			{"and then the rest arrives", good(outcome.Updated), map[string]string{
				"Create": "True/CreateSucceeded", "Update": "True/UpdateValueChangeOrForceUpdateSucceeded", "Ready": "True/Synced",
			}, "Normal/UpdateValueChangeOrForceUpdateSucceeded"},
		},
		"PartAfterSuccess": {
			{"first all is well", good(outcome.Created), created, "Normal/CreateSucceeded"},
			{
				"an item that fails keeps its value: workloads are served", partial(outcome.Updated, outcome.SecretComplete),
				map[string]string{"Create": "True/CreateSucceeded", "Update": "False/PartialSync", "Ready": "True/PartialSync"},
				"Warning/PartialSync",
			},
		},
		"TakenBySomebodyElse": {
			{"first all is well", good(outcome.Created), created, "Normal/CreateSucceeded"},
			{
				"what another's Secret holds is not what was synced: workloads are not served",
				bad(fault.SecretForeign, outcome.SecretUnknown, "not this SecretSync's"),
				map[string]string{
					"Create": "True/CreateSucceeded", "Update": "False/InvalidClusterSecretLabelError",
					"Ready": "False/InvalidClusterSecretLabelError",
				},
				"Warning/InvalidClusterSecretLabelError",
			},
		},
		"NewKeyWhileTheVaultIsAway": {
			{"first all is well", good(outcome.Created), created, "Normal/CreateSucceeded"},
			{
				"a key that was added and cannot be had makes it not ready", bad(fault.ObjectMissing, outcome.SecretIncomplete, "no such secret"),
				map[string]string{"Create": "True/CreateSucceeded", "Update": "False/ProviderError", "Ready": "False/ProviderError"},
				"Warning/ProviderError",
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tell(t, story)
		})
	}
}

func tell(t *testing.T, story []step) {
	t.Helper()
	var status v1alpha1.SecretSyncStatus
	at := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	for i, s := range story {
		at = at.Add(time.Minute)
		s.result.Time, s.result.Generation, s.result.Inputs = at, int64(i), "inputs"
		before := status.DeepCopy()
		after, events := outcome.Of(status, s.result)
		if diff := cmp.Diff(*before, status); diff != "" {
			t.Fatalf("step %d (%s): Of changed its argument:\n%s", i, s.reason, diff)
		}
		status = after
		got := map[string]string{}
		for _, c := range status.Conditions {
			got[c.Type] = string(c.Status) + "/" + c.Reason
		}
		if diff := cmp.Diff(s.want, got); diff != "" {
			t.Errorf("step %d (%s): conditions (-want +got):\n%s", i, s.reason, diff)
		}
		var sent []string
		for _, e := range events {
			sent = append(sent, e.Type+"/"+e.Reason)
		}
		if strings.Join(sent, " ") != s.event {
			t.Errorf("step %d (%s): events %v, want %q", i, s.reason, sent, s.event)
		}
		if status.LastCheckTime == nil || !status.LastCheckTime.Time.Equal(at) || status.ObservedGeneration != int64(i) {
			t.Errorf("step %d (%s): lastCheckTime %v, observedGeneration %d", i, s.reason, status.LastCheckTime, status.ObservedGeneration)
		}
	}
}

// TestEveryKindHasAVerdict names each kind of failure with the reason that the contract gives it.
//
//covers:reason ControllerInternalError ControllerSpcError InvalidClusterSecretAnnotationError InvalidClusterSecretLabelError
//covers:reason PartialSync ProviderError UnknownError UserInputValidationFailed ValidatingAdmissionPolicyCheckFailed
func TestEveryKindHasAVerdict(t *testing.T) {
	t.Parallel()
	want := map[fault.Kind]string{
		fault.Internal:           "Unknown/ControllerInternalError",
		fault.Cancelled:          "Unknown/ControllerInternalError",
		fault.Deferred:           "Unknown/ControllerInternalError",
		fault.ClassMissing:       "False/ControllerSpcError",
		fault.ClassInvalid:       "False/ControllerSpcError",
		fault.SpecInvalid:        "False/UserInputValidationFailed",
		fault.ReservedLabel:      "False/InvalidClusterSecretLabelError",
		fault.ReservedAnnotation: "False/InvalidClusterSecretAnnotationError",
		fault.SecretForeign:      "False/InvalidClusterSecretLabelError",
		fault.SecretLocked:       "False/UserInputValidationFailed",
		fault.SecretConflict:     "False/UnknownError",
		fault.Partial:            "False/PartialSync",
		fault.PolicyRefused:      "False/ValidatingAdmissionPolicyCheckFailed",
		fault.IdentityRejected:   "False/ProviderError",
		fault.TokenRefused:       "False/ProviderError",
		fault.PermissionMissing:  "False/ProviderError",
		fault.NetworkRefused:     "False/ProviderError",
		fault.ObjectMissing:      "False/ProviderError",
		fault.ObjectDisabled:     "False/ProviderError",
		fault.ObjectUnusable:     "False/ProviderError",
		fault.Throttled:          "False/ProviderError",
		fault.Unreachable:        "False/ProviderError",
	}
	got := map[fault.Kind]string{}
	for kind := fault.Internal; kind <= fault.Unreachable; kind++ {
		status, _ := outcome.Of(v1alpha1.SecretSyncStatus{}, bad(kind, outcome.SecretAbsent, "m"))
		create := meta.FindStatusCondition(status.Conditions, "Create")
		got[kind] = string(create.Status) + "/" + create.Reason
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("verdicts (-want +got):\n%s", diff)
	}
}

func TestLongMessagesAreCut(t *testing.T) {
	t.Parallel()
	status, events := outcome.Of(v1alpha1.SecretSyncStatus{}, bad(fault.ClassInvalid, outcome.SecretComplete, strings.Repeat("ä", 20000)))
	for _, c := range status.Conditions {
		if c.Status == metav1.ConditionTrue && c.Type == "Create" {
			continue
		}
		if len(c.Message) > 1024 || !strings.HasSuffix(c.Message, "…") || strings.ContainsRune(c.Message, '\uFFFD') {
			t.Errorf("%s: a message of %d bytes, cut badly", c.Type, len(c.Message))
		}
	}
	if len(events) != 1 || len(events[0].Message) > 1024 || events[0].Type != corev1.EventTypeWarning {
		t.Errorf("events: %v", events)
	}
}

//covers:reason PartialSync
func TestPartialMessageIsJSON(t *testing.T) {
	t.Parallel()
	status, events := outcome.Of(v1alpha1.SecretSyncStatus{}, partial(outcome.Created, outcome.SecretIncomplete))
	const want = `[{"sourcePath":"a","targetKey":"k","state":"updated"},` +
		`{"sourcePath":"b","targetKey":"l","state":"kept","error":"no such secret"}]`
	if got := meta.FindStatusCondition(status.Conditions, "Update").Message; got != want {
		t.Errorf("the message is %s, want %s", got, want)
	}
	if len(events) != 1 || strings.Contains(events[0].Message, "[{") || !strings.Contains(events[0].Message, "1 of 2") {
		t.Errorf("the event is for people: %v", events)
	}
	if status.LastSuccessfulSyncTime != nil || status.SyncHash != "hmac-sha256:01" {
		t.Errorf("lastSuccessfulSyncTime %v, syncHash %q", status.LastSuccessfulSyncTime, status.SyncHash)
	}
}

func TestPartialMessageFits(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		reason    string
		good, bad int
		last      string
	}{
		"GoodOnesGoFirst": {"what is well is left out before what is not", 2000, 3, outcome.ItemMissing},
		"Counted":         {"what does not fit is counted", 0, 1000, "more items"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := partial(outcome.Created, outcome.SecretIncomplete)
			r.Items = nil
			for i := range tc.good + tc.bad {
				item := outcome.Item{SourcePath: strings.Repeat("p", 40), TargetKey: "k", State: outcome.ItemUpdated}
				if i >= tc.good {
					item.State, item.Error = outcome.ItemMissing, strings.Repeat("e", 5000)
				}
				r.Items = append(r.Items, item)
			}
			status, _ := outcome.Of(v1alpha1.SecretSyncStatus{}, r)
			message := meta.FindStatusCondition(status.Conditions, "Update").Message
			var items []outcome.Item
			if err := json.Unmarshal([]byte(message), &items); err != nil || len(message) > 32768 {
				t.Fatalf("%s: %d bytes, %v", tc.reason, len(message), err)
			}
			if last := items[len(items)-1].State; !strings.Contains(last, tc.last) {
				t.Errorf("%s: the last of %d items is %q", tc.reason, len(items), last)
			}
		})
	}
}

//covers:reason SecretProviderClassWarning
func TestWarningsAreToldOncePerClass(t *testing.T) {
	t.Parallel()
	r := good(outcome.Created)
	r.Inputs, r.Warnings = "class/1", []string{"usePodIdentity has no effect", "foo is no parameter"}
	status, events := outcome.Of(v1alpha1.SecretSyncStatus{}, r)
	want := outcome.Event{
		Type: corev1.EventTypeWarning, Reason: "SecretProviderClassWarning", Message: "usePodIdentity has no effect; foo is no parameter",
	}
	if len(events) != 2 || events[0] != want {
		t.Fatalf("events %v", events)
	}
	r.Act = outcome.Nothing
	status, events = outcome.Of(status, r)
	if len(events) != 0 {
		t.Errorf("told again: %v", events)
	}
	r.Inputs = "class/2"
	if _, events = outcome.Of(status, r); len(events) != 1 {
		t.Errorf("not told of an edited class: %v", events)
	}
}

//covers:field SecretSync.status.conditions[].lastTransitionTime
//covers:fault outage-says-since-when
func TestSinceWhenAFailureLasts(t *testing.T) {
	t.Parallel()
	start := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	var status v1alpha1.SecretSyncStatus
	for i := range 5 {
		r := bad(fault.Unreachable, outcome.SecretAbsent, "vault away")
		r.Time = start.Add(time.Duration(i) * time.Minute)
		status, _ = outcome.Of(status, r)
	}
	if since := meta.FindStatusCondition(status.Conditions, "Create").LastTransitionTime; !since.Time.Equal(start) {
		t.Errorf("the failure is said to last since %v, it began at %v", since, start)
	}
}

func TestTells(t *testing.T) {
	t.Parallel()
	away := bad(fault.Unreachable, outcome.SecretComplete, "vault away")
	away.Time = time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	status, _ := outcome.Of(v1alpha1.SecretSyncStatus{}, away)
	for name, tc := range map[string]struct {
		status v1alpha1.SecretSyncStatus
		fault  *fault.Error
		want   bool
	}{
		"Same":         {status, fault.New(fault.Unreachable, "vault away"), true},
		"OtherMessage": {status, fault.New(fault.Unreachable, "vault away for good"), false},
		"OtherReason":  {status, fault.New(fault.ClassInvalid, "vault away"), false},
		"NoStatus":     {v1alpha1.SecretSyncStatus{}, fault.New(fault.Unreachable, "vault away"), false},
	} {
		if got := outcome.Tells(tc.status, tc.fault); got != tc.want {
			t.Errorf("%s: the status tells of it: %v", name, got)
		}
	}
}
