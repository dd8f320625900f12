package secretsync

import (
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"secretstore/api/secretsync/v1alpha1"
	"secretstore/internal/controller/outcome"
	"secretstore/internal/source"
)

// clockAt is a time of these tests, by minute and second of the hour in which they play.
func clockAt(minute, second int) time.Time {
	return time.Date(2026, 11, 1, 12, minute, second, 0, time.UTC)
}

// checkedAt is a good input that was last checked then.
func checkedAt(at time.Time) input {
	in := valid().decided(parseClass)
	in.sync.CreationTimestamp = metav1.NewTime(clockAt(0, 0))
	in.sync.Status = v1alpha1.SecretSyncStatus{
		LastCheckTime: &metav1.Time{Time: at}, ObservedGeneration: in.sync.Generation, ObservedInputs: in.inputs,
		Conditions: []metav1.Condition{{Type: v1alpha1.ConditionUpdate, Status: metav1.ConditionTrue}},
	}
	return in
}

func TestOccasion(t *testing.T) {
	t.Parallel()
	now := clockAt(30, 0)
	jitter := outcome.Schedule{Interval: time.Hour, Jitter: 10 * time.Minute}
	at := outcome.Schedule{Interval: time.Hour}
	never := func(in input) input {
		in.sync.Status = v1alpha1.SecretSyncStatus{}
		return in
	}
	edited := func(in input) input {
		in.sync.Generation++
		return in
	}
	forced := func(in input) input {
		in.sync.Spec.ForceSynchronization = "now"
		return edited(in)
	}
	ofClass := func(in input) input {
		in.inputs = "another class"
		return in
	}
	checked := checkedAt(clockAt(20, 0))
	for name, tc := range map[string]struct {
		reason    string
		in        input
		known     remembered
		schedule  outcome.Schedule
		due       func(wait time.Duration) bool
		notBefore time.Time
		news      time.Time
		edited    bool
	}{
		"New": {
			"what was never checked is due at once, and takes any answer", never(checkedAt(now)),
			remembered{news: now},
			at,
			isDue,
			time.Time{},
			now, true,
		},
		"NewWithJitter": {
			"with jitter, that long after it was made, however often the controller starts",
			never(checkedAt(now)),
			remembered{news: now},
			jitter,
			func(w time.Duration) bool {
				return w == clockAt(0, 0).Add(jitter.Delay("uid-sync", "created")).Sub(now)
			},
			time.Time{},
			now, true,
		},
		"Edited": {
			"an edit is due at once", edited(checkedAt(clockAt(20, 0))),
			remembered{news: clockAt(29, 59)},
			at,
			isDue, clockAt(20, 1), clockAt(29, 59), true,
		},
		"EditedWithJitter": {
			"with jitter, after that", edited(checkedAt(clockAt(20, 0))),
			remembered{news: now},
			jitter,
			func(w time.Duration) bool { return w > 0 && w < 10*time.Minute }, clockAt(20, 1), now, true,
		},
		"ClassEdited": {
			"so is an edit of the class", ofClass(checkedAt(clockAt(20, 0))),
			remembered{news: now},
			jitter,
			func(w time.Duration) bool { return w > 0 && w < 10*time.Minute }, clockAt(20, 1), now, true,
		},
		"EditedUnseen": {
			"one from before the start waits from the start", edited(checkedAt(clockAt(20, 0))),
			remembered{},
			outcome.Schedule{Interval: time.Hour, Jitter: time.Minute, Since: clockAt(25, 0)},
			isDue, clockAt(20, 1),
			time.Time{},
			true,
		},
		"Forced": {
			"who asks for a check does not wait, and wants what is there now", forced(checkedAt(clockAt(20, 0))),
			remembered{news: clockAt(29, 59)},
			jitter,
			isDue, clockAt(29, 59), clockAt(29, 59), true,
		},
		"Due": {"what is due by time takes answers that are newer than the latest check", checkedAt(clockAt(-40, 0)), remembered{}, at, isDue, clockAt(-40, 1), time.Time{}, false},
		"NotDue": {
			"what is not due waits", checked,
			remembered{},
			at,
			func(w time.Duration) bool { return w > 40*time.Minute && w <= 50*time.Minute }, clockAt(20, 1),
			time.Time{},
			false,
		},
		"Confirm": {
			"a check that took an old answer is done once more", checked,
			remembered{confirm: clockAt(29, 0), confirmed: clockAt(28, 30)},
			at,
			isDue, clockAt(28, 30),
			time.Time{},
			false,
		},
		"ConfirmLater": {
			"when its time comes", checked,
			remembered{confirm: clockAt(31, 0), confirmed: clockAt(28, 30)},
			at,
			func(w time.Duration) bool { return w == time.Minute }, clockAt(20, 1),
			time.Time{},
			false,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := occasionOf(tc.in, tc.known, tc.schedule, now)
			if !tc.due(got.wait) || !got.notBefore.Equal(tc.notBefore) || !got.news.Equal(tc.news) || got.edited != tc.edited {
				t.Errorf("%s: %+v", tc.reason, got)
			}
		})
	}
}

func isDue(wait time.Duration) bool { return wait <= 0 }

func TestMemory(t *testing.T) {
	t.Parallel()
	var m Memory
	in := checkedAt(clockAt(20, 0))
	name := nameOf(in)
	if got := m.recall(name); !got.empty() {
		t.Errorf("a new memory holds %+v", got)
	}
	m.note(name, clockAt(21, 0))
	stamp := source.Stamp{Versions: "v", Updated: 1, Read: 9}
	learn := func(news, read time.Time) remembered {
		return occasion{news: news}.learn(in, []source.Answer{{Stamp: stamp, Read: read}}, clockAt(22, 0))
	}
	fresh := learn(clockAt(21, 0), clockAt(21, 30))
	if !fresh.confirm.IsZero() {
		t.Errorf("an answer from after the news is confirmed at %v", fresh.confirm)
	}
	old := learn(clockAt(21, 0), clockAt(20, 50))
	if !old.confirm.Equal(clockAt(22, 30)) || !old.confirmed.Equal(clockAt(21, 0)) {
		t.Errorf("an answer from before the news is confirmed at %v by one from after %v", old.confirm, old.confirmed)
	}
	m.checked(name, clockAt(21, 30), fresh)
	if got := m.recall(name); !got.news.IsZero() {
		t.Error("news that were seen to are remembered")
	}
	m.note(name, clockAt(23, 0))
	m.checked(name, clockAt(22, 0), fresh)
	known := m.recall(name)
	if !known.news.Equal(clockAt(23, 0)) {
		t.Error("news that came during the check are forgotten")
	}
	if got := known.seen(in); len(got) != 1 || got[0] != stamp {
		t.Errorf("asks with %v", got)
	}
	changed, failed := checkedAt(clockAt(20, 0)), checkedAt(clockAt(20, 0))
	changed.inputs = "other"
	failed.sync.Status.Conditions[0].Status = metav1.ConditionFalse
	if known.seen(changed) != nil || known.seen(failed) != nil {
		t.Error("stamps of another question, or of a check that failed, are asked with")
	}
	m.forget(name)
	if len(m.of) != 0 {
		t.Error("what is forgotten still takes room")
	}
}

func TestSecretAtFault(t *testing.T) {
	t.Parallel()
	for reason, want := range map[string]bool{
		v1alpha1.ReasonInvalidLabel: true, v1alpha1.ReasonUserInputValidationFailed: true, v1alpha1.ReasonUnknownError: true,
		v1alpha1.ReasonPolicyCheckFailed: true, v1alpha1.ReasonProviderError: false, v1alpha1.ReasonPartialSync: false,
	} {
		status := v1alpha1.SecretSyncStatus{Conditions: []metav1.Condition{
			{Type: v1alpha1.ConditionCreate, Status: metav1.ConditionTrue}, {Type: v1alpha1.ConditionUpdate, Status: metav1.ConditionFalse, Reason: reason},
		}}
		if got := secretAtFault(status); got != want {
			t.Errorf("%s: the Secret is looked at first: %v", reason, got)
		}
	}
}
