package akvsync

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"secretstore/api/secretsync/v1alpha1"
	"secretstore/internal/controller/outcome"
)

// at is when everything happens here.
func at() time.Time { return time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC) }

// says gives a SecretSync the condition Ready, as after a check of its present generation.
func (w *world) says(name string, status metav1.ConditionStatus, reason, message string) {
	sync := w.syncs[name]
	sync.Generation++
	sync.Status.ObservedGeneration = sync.Generation
	meta.SetStatusCondition(&sync.Status.Conditions, metav1.Condition{
		Type: v1alpha1.ConditionReady, Status: status, Reason: reason, Message: message,
	})
	if reason == v1alpha1.ReasonSynced {
		sync.Status.LastSuccessfulSyncTime = &metav1.Time{Time: at()}
	}
}

// table shows a status: the condition, what is synced, then each row.
func table(status v1alpha1.AKVSyncStatus) []string {
	c := meta.FindStatusCondition(status.Conditions, v1alpha1.ConditionReady)
	out := []string{fmt.Sprintf("%s/%s: %s", c.Status, c.Reason, c.Message), status.Synced}
	for _, row := range status.Objects {
		synced := ""
		if row.LastSuccessfulSyncTime != nil {
			synced = " since " + row.LastSuccessfulSyncTime.Format(time.TimeOnly)
		}
		out = append(out, fmt.Sprintf("%d %s %s %s/%s%s: %s", row.Entry, row.Kind, row.Name, row.Status, row.Reason, synced, row.Message))
	}
	return out
}

//covers:field AKVSync.status.synced AKVSync.status.observedGeneration AKVSync.status.conditions[].type
//covers:field AKVSync.status.conditions[].status AKVSync.status.conditions[].reason AKVSync.status.conditions[].message
//covers:field AKVSync.status.conditions[].observedGeneration AKVSync.status.conditions[].lastTransitionTime
//covers:field AKVSync.status.objects[].entry AKVSync.status.objects[].kind AKVSync.status.objects[].name
//covers:field AKVSync.status.objects[].status AKVSync.status.objects[].reason AKVSync.status.objects[].message
//covers:field AKVSync.status.objects[].lastSuccessfulSyncTime
//covers:reason Pending
func TestRollUp(t *testing.T) {
	t.Parallel()
	const yes, no = metav1.ConditionTrue, metav1.ConditionFalse
	const synced, stale, provider = v1alpha1.ReasonSynced, v1alpha1.ReasonStale, v1alpha1.ReasonProviderError
	for name, tc := range map[string]struct {
		reason string
		// then is what happens to three Secrets: a secret, a TLS pair and a composition.
		then func(*world)
		want []string
	}{
		"New": {"what was not checked is neither good nor bad", func(*world) {}, []string{
			"Unknown/Pending: 0 of 3 Secrets hold what the vault holds; a: its SecretSync was not checked yet (and 2 more, see status.objects)", "0/3",
			"0 secretInAKV a Unknown/Pending: its SecretSync was not checked yet",
			"1 certInAKV b Unknown/Pending: its SecretSync was not checked yet",
			"2 mapping c Unknown/Pending: its SecretSync was not checked yet",
		}},
		"Synced": {"all is well when all are", func(w *world) {
			w.says("a", yes, synced, "fine")
			w.says("b", yes, synced, "fine")
			w.says("c", yes, synced, "fine")
		}, []string{
			"True/Synced: 3 of 3 Secrets hold what the vault holds", "3/3",
			"0 secretInAKV a True/Synced since 12:00:00: fine", "1 certInAKV b True/Synced since 12:00:00: fine", "2 mapping c True/Synced since 12:00:00: fine",
		}},
		"Failing": {"one that fails is told of, however good the others", func(w *world) {
			w.says("a", yes, synced, "fine")
			w.says("b", no, provider, "the vault says no")
			w.says("c", yes, stale, "the vault is away")
		}, []string{
			"False/ProviderError: 1 of 3 Secrets hold what the vault holds; b: the vault says no (and 1 more, see status.objects)", "1/3",
			"0 secretInAKV a True/Synced since 12:00:00: fine", "1 certInAKV b False/ProviderError: the vault says no", "2 mapping c True/Stale: the vault is away",
		}},
		"Stale": {"Secrets that keep good values are ready", func(w *world) {
			w.says("a", yes, synced, "fine")
			w.says("b", yes, synced, "fine")
			w.says("c", yes, stale, "the vault is away")
		}, []string{
			"True/Stale: 2 of 3 Secrets hold what the vault holds; c: the vault is away", "2/3",
			"0 secretInAKV a True/Synced since 12:00:00: fine", "1 certInAKV b True/Synced since 12:00:00: fine", "2 mapping c True/Stale: the vault is away",
		}},
		"Changed": {"what was checked before a change was not checked since", func(w *world) {
			w.says("a", yes, synced, "fine")
			w.says("b", yes, synced, "fine")
			w.says("c", yes, synced, "fine")
			w.syncs["a"].Generation++
			w.syncs["b"].Spec.SecretObject.Data = nil
			delete(w.syncs, "c")
		}, []string{
			"Unknown/Pending: 0 of 3 Secrets hold what the vault holds; a: its SecretSync was not checked yet (and 2 more, see status.objects)", "0/3",
			"0 secretInAKV a Unknown/Pending since 12:00:00: its SecretSync was not checked yet",
			"1 certInAKV b Unknown/Pending since 12:00:00: its SecretSync is being written", "2 mapping c Unknown/Pending: its SecretSync is being written",
		}},
		"Mistake": {"a mistake is told of, the others go on, and what is not deleted for its sake is named", func(w *world) {
			w.says("a", yes, synced, "fine")
			w.says("b", yes, synced, "fine")
			w.ask("secret a", "secret X as=x-", "mapping k=d as=d")
		}, []string{
			`False/UserInputValidationFailed: 1 of 3 Secrets hold what the vault holds; x-: spec.objects[1]: a Secret cannot be named "x-": Kubernetes takes ` +
				`lower-case letters, digits, '-' and '.', with a letter or digit at both ends, 253 in all; set kubernetesSecretName of spec.objects[1] to a name ` +
				`such as x (and 1 more, see status.objects); until the mistakes are cured, the Secrets that spec.objects no longer names stay: b, c`, "1/3",
			"0 secretInAKV a True/Synced since 12:00:00: fine",
			`1 secretInAKV x- False/UserInputValidationFailed: spec.objects[1]: a Secret cannot be named "x-": Kubernetes takes lower-case letters, digits, ` +
				`'-' and '.', with a letter or digit at both ends, 253 in all; set kubernetesSecretName of spec.objects[1] to a name such as x`,
			"2 mapping d Unknown/Pending: its SecretSync is being written",
		}},
		"OnlyMistakes": {"also where nothing is left to do", func(w *world) { w.ask("secret X as=x-") }, []string{
			`False/UserInputValidationFailed: 0 of 1 Secrets hold what the vault holds; x-: spec.objects[0]: a Secret cannot be named "x-": Kubernetes takes ` +
				`lower-case letters, digits, '-' and '.', with a letter or digit at both ends, 253 in all; set kubernetesSecretName of spec.objects[0] to a name ` +
				`such as x; until the mistakes are cured, the Secrets that spec.objects no longer names stay: a, b, c`, "0/1",
			`0 secretInAKV x- False/UserInputValidationFailed: spec.objects[0]: a Secret cannot be named "x-": Kubernetes takes lower-case letters, digits, ` +
				`'-' and '.', with a letter or digit at both ends, 253 in all; set kubernetesSecretName of spec.objects[0] to a name such as x`,
		}},
		"Foreign": {"another's SecretSync is not reported as ours", func(w *world) {
			w.says("a", yes, synced, "theirs")
			w.says("b", yes, synced, "fine")
			w.says("c", yes, synced, "fine")
			w.syncs["a"].OwnerReferences = nil
		}, []string{
			"False/UserInputValidationFailed: 2 of 3 Secrets hold what the vault holds; a: a SecretSync a exists that this AKVSync did not make; it is left alone. " +
				"Delete it (kubectl delete secretsync -n shop a), or set kubernetesSecretName of spec.objects[0] to another name", "2/3",
			"0 secretInAKV a False/UserInputValidationFailed: a SecretSync a exists that this AKVSync did not make; it is left alone. " +
				"Delete it (kubectl delete secretsync -n shop a), or set kubernetesSecretName of spec.objects[0] to another name",
			"1 certInAKV b True/Synced since 12:00:00: fine", "2 mapping c True/Synced since 12:00:00: fine",
		}},
		"Going": {"what is being deleted is a matter of time", func(w *world) {
			w.says("b", yes, synced, "fine")
			w.says("c", yes, synced, "fine")
			w.syncs["a"].DeletionTimestamp = &metav1.Time{Time: at()}
		}, []string{
			"Unknown/Pending: 2 of 3 Secrets hold what the vault holds; a: SecretSync a is being deleted; it is made anew when it is gone", "2/3",
			"0 secretInAKV a Unknown/Pending: SecretSync a is being deleted; it is made anew when it is gone",
			"1 certInAKV b True/Synced since 12:00:00: fine", "2 mapping c True/Synced since 12:00:00: fine",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld("secret a", "cert b type=kubernetes.io/tls", "mapping k=c as=c")
			w.settle(t)
			tc.then(w)
			status := rollUp(w.input, decide(w.input), at())
			if diff := cmp.Diff(tc.want, table(status)); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tc.reason, diff)
			}
			if c := status.Conditions[0]; status.ObservedGeneration != 1 || c.ObservedGeneration != 1 || !c.LastTransitionTime.Time.Equal(at()) {
				t.Errorf("of generation %d, condition of %d at %v", status.ObservedGeneration, c.ObservedGeneration, c.LastTransitionTime)
			}
			// The same again is the same, at whatever time.
			w.sync.Status = status
			if diff := cmp.Diff(status, rollUp(w.input, decide(w.input), at().Add(time.Hour))); diff != "" {
				t.Errorf("a second time (-first +second):\n%s", diff)
			}
		})
	}
}

func TestMessagesAreBounded(t *testing.T) {
	t.Parallel()
	w := newWorld("secret a", "secret b")
	w.settle(t)
	w.says("a", metav1.ConditionFalse, v1alpha1.ReasonProviderError, strings.Repeat("ü", 5000))
	w.says("b", metav1.ConditionTrue, v1alpha1.ReasonSynced, "fine")
	status := rollUp(w.input, decide(w.input), at())
	row, condition := status.Objects[0].Message, status.Conditions[0].Message
	if len(row) > 500 || len(condition) > 1000 || !strings.HasSuffix(row, "ü…") || !strings.Contains(condition, "ü…") {
		t.Errorf("messages of %d and %d bytes, ending in %q and %q", len(row), len(condition), row[len(row)-9:], condition[len(condition)-9:])
	}
	names := make([]string, 300)
	for i := range names {
		names[i] = fmt.Sprint("n", i)
	}
	if got := shortList(names); got != "n0, n1, n2, n3, n4 and 295 more" {
		t.Error(got)
	}
}

func TestNews(t *testing.T) {
	t.Parallel()
	status := func(value metav1.ConditionStatus, reason, message string) v1alpha1.AKVSyncStatus {
		return v1alpha1.AKVSyncStatus{Conditions: []metav1.Condition{{Type: v1alpha1.ConditionReady, Status: value, Reason: reason, Message: message}}}
	}
	none := v1alpha1.AKVSyncStatus{}
	pending := status(metav1.ConditionUnknown, v1alpha1.ReasonPending, "p")
	synced := status(metav1.ConditionTrue, v1alpha1.ReasonSynced, "s")
	stale := status(metav1.ConditionTrue, v1alpha1.ReasonStale, "t")
	failed := status(metav1.ConditionFalse, v1alpha1.ReasonProviderError, "f")
	other := status(metav1.ConditionFalse, v1alpha1.ReasonProviderError, "other words")
	mistaken := status(metav1.ConditionFalse, v1alpha1.ReasonUserInputValidationFailed, "m")
	for name, tc := range map[string]struct {
		reason        string
		before, after v1alpha1.AKVSyncStatus
		want          []outcome.Event
	}{
		"Started":   {"work that has begun is no news", none, pending, nil},
		"Done":      {"its end is", pending, synced, []outcome.Event{{Type: corev1.EventTypeNormal, Reason: "Synced", Message: "s"}}},
		"Same":      {"what stays is none", synced, synced, nil},
		"Failed":    {"a failure is", synced, failed, []outcome.Event{{Type: corev1.EventTypeWarning, Reason: "ProviderError", Message: "f"}}},
		"Reworded":  {"the same in other words is none", failed, other, nil},
		"Otherwise": {"another failure is", failed, mistaken, []outcome.Event{{Type: corev1.EventTypeWarning, Reason: "UserInputValidationFailed", Message: "m"}}},
		"Stale":     {"values that get old are", synced, stale, []outcome.Event{{Type: corev1.EventTypeWarning, Reason: "Stale", Message: "t"}}},
		"Recovered": {"and so is the end of it", stale, synced, []outcome.Event{{Type: corev1.EventTypeNormal, Reason: "Synced", Message: "s"}}},
		"Nothing":   {"nothing is nothing", none, none, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(tc.want, news(tc.before, tc.after)); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tc.reason, diff)
			}
		})
	}
}
