package akvsync

import (
	"fmt"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"secretstore/api/secretsync/v1alpha1"
	"secretstore/internal/controller/outcome"
)

// Bounds of messages: a condition takes 32,768 bytes, and all rows together have to fit into one object of the cluster.
const (
	maxMessage    = 1000
	maxRowMessage = 500
)

// rollUp is the status after a reconciliation. It is pure, and says the same as long as nothing changes.
func rollUp(in input, p plan, now time.Time) v1alpha1.AKVSyncStatus {
	status := *in.sync.Status.DeepCopy()
	status.ObservedGeneration = in.sync.Generation
	status.Objects = rows(in, p)
	synced := 0
	for _, row := range status.Objects {
		if isSynced(row) {
			synced++
		}
	}
	status.Synced = fmt.Sprintf("%d/%d", synced, len(status.Objects))
	condition := ready(status.Objects, synced)
	if len(p.kept) > 0 {
		condition.Message += "; until the mistakes are cured, the Secrets that spec.objects no longer names stay: " + shortList(p.kept)
	}
	condition.Message = shorten(condition.Message, maxMessage)
	condition.ObservedGeneration = in.sync.Generation
	condition.LastTransitionTime = metav1.NewTime(now).Rfc3339Copy()
	meta.SetStatusCondition(&status.Conditions, condition)
	return status
}

// rows says of each Secret what became of it.
func rows(in input, p plan) []v1alpha1.AKVSyncObjectStatus {
	changing := map[int]bool{}
	for _, c := range p.changes {
		changing[c.secret] = true
	}
	list := make([]v1alpha1.AKVSyncObjectStatus, 0, len(p.secrets))
	for i, s := range p.secrets {
		row := v1alpha1.AKVSyncObjectStatus{Name: s.name, Entry: int32(s.entry), Kind: s.shape} //nolint:gosec // 500 entries at most
		live := in.syncs[s.name]
		if live != nil && metav1.IsControlledBy(live, in.sync) {
			row.LastSuccessfulSyncTime = live.Status.LastSuccessfulSyncTime
		}
		row.Status, row.Reason, row.Message = verdict(s, live, changing[i])
		row.Message = shorten(row.Message, maxRowMessage)
		list = append(list, row)
	}
	return list
}

// verdict is what is in the way of a Secret, or else what its SecretSync says.
func verdict(s secret, live *v1alpha1.SecretSync, changing bool) (value metav1.ConditionStatus, reason, message string) {
	const unknown, pending = metav1.ConditionUnknown, v1alpha1.ReasonPending
	switch {
	case s.problem != nil && s.problem.reason == pending:
		return unknown, pending, s.problem.message
	case s.problem != nil:
		return metav1.ConditionFalse, s.problem.reason, s.problem.message
	case live == nil || changing:
		return unknown, pending, "its SecretSync is being written"
	}
	condition := meta.FindStatusCondition(live.Status.Conditions, v1alpha1.ConditionReady)
	if condition == nil || live.Status.ObservedGeneration != live.Generation {
		return unknown, pending, "its SecretSync was not checked yet"
	}
	return condition.Status, condition.Reason, condition.Message
}

func isSynced(row v1alpha1.AKVSyncObjectStatus) bool {
	return row.Status == metav1.ConditionTrue && row.Reason == v1alpha1.ReasonSynced
}

// ready is the condition that sums the rows up: it has the reason of the worst of them, the first of its sort.
func ready(rows []v1alpha1.AKVSyncObjectStatus, synced int) metav1.Condition {
	message := fmt.Sprintf("%d of %d Secrets hold what the vault holds", synced, len(rows))
	if synced == len(rows) {
		return metav1.Condition{
			Type: v1alpha1.ConditionReady, Status: metav1.ConditionTrue, Reason: v1alpha1.ReasonSynced, Message: message,
		}
	}
	worst := worst(rows)
	message += fmt.Sprintf("; %s: %s", worst.Name, worst.Message)
	if more := len(rows) - synced - 1; more > 0 {
		message += fmt.Sprintf(" (and %d more, see status.objects)", more)
	}
	return metav1.Condition{Type: v1alpha1.ConditionReady, Status: worst.Status, Reason: worst.Reason, Message: message}
}

// worst is the first row that is False, else the first that is Unknown, else the first that is True and yet not synced.
func worst(rows []v1alpha1.AKVSyncObjectStatus) v1alpha1.AKVSyncObjectStatus {
	for _, value := range []metav1.ConditionStatus{metav1.ConditionFalse, metav1.ConditionUnknown, metav1.ConditionTrue} {
		for _, row := range rows {
			if row.Status == value && !isSynced(row) {
				return row
			}
		}
	}
	return v1alpha1.AKVSyncObjectStatus{}
}

// news are the events that a change of status is worth: Ready came to stand for something else. That something is under way
// is no news, and the words of a failure change too often to be.
func news(before, after v1alpha1.AKVSyncStatus) []outcome.Event {
	was := meta.FindStatusCondition(before.Conditions, v1alpha1.ConditionReady)
	is := meta.FindStatusCondition(after.Conditions, v1alpha1.ConditionReady)
	if is == nil || is.Status == metav1.ConditionUnknown || was != nil && was.Status == is.Status && was.Reason == is.Reason {
		return nil
	}
	kind := corev1.EventTypeWarning
	if is.Reason == v1alpha1.ReasonSynced {
		kind = corev1.EventTypeNormal
	}
	return []outcome.Event{{Type: kind, Reason: is.Reason, Message: is.Message}}
}

// shortList names the first few, and how many more there are.
func shortList(names []string) string {
	const listed = 5
	if len(names) <= listed {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:listed], ", "), len(names)-listed)
}

// shorten cuts a message to a number of bytes.
func shorten(message string, longest int) string {
	if len(message) <= longest {
		return message
	}
	return strings.ToValidUTF8(message[:longest-len("…")], "") + "…"
}
