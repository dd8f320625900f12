// Package outcome decides what users are told of a check, and when the next one is due.
//
// It is pure: [Of] takes the status so far and what a check did, and gives the new status and the events; [Schedule]
// takes a status and gives a time. Time is an argument. The one table that turns failures into reasons is here.
package outcome

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"secretstore/api/secretsync/v1alpha1"
	"secretstore/internal/fault"
)

// Result is what one check found and did.
type Result struct {
	// Time is when the check ended.
	Time time.Time
	// Generation and Inputs are what the check used: the SecretSync's generation, and a text that stands for its
	// SecretProviderClass and service account.
	Generation int64
	Inputs     string
	// Force is the SecretSync's forceSynchronization.
	Force string
	// Warnings tell what the SecretProviderClass says to no effect.
	Warnings []string
	// Secret is the state of the Secret after the check.
	Secret SecretState
	// Act is what was done to the Secret.
	Act Act
	// Fault is why the Secret does not hold what the vault holds; nil if it does.
	Fault *fault.Error
	// Items tells of every mapped item, in the order of the SecretSync, where Fault is of kind Partial.
	Items []Item
	// SyncHash is the keyed digest of what the Secret was made to hold; empty if the check did not get that far.
	SyncHash string
}

// Item is what became of one mapped item of a Secret that could be updated in part. It stands in the condition's message.
type Item struct {
	SourcePath string `json:"sourcePath"`
	TargetKey  string `json:"targetKey"`
	// State is ItemUpdated, ItemKept or ItemMissing.
	State string `json:"state"`
	// Error says why the item was not updated.
	Error string `json:"error,omitempty"`
}

// States of an item.
const (
	// ItemUpdated: the Secret holds what the vault holds.
	ItemUpdated = "updated"
	// ItemKept: the Secret keeps its last good value.
	ItemKept = "kept"
	// ItemMissing: the Secret has no value.
	ItemMissing = "missing"
)

// SecretState is what is known of the Secret when a check ends.
type SecretState int

// The states of a Secret.
const (
	// SecretUnknown: the check failed before the Secret was looked at.
	SecretUnknown SecretState = iota
	// SecretAbsent: there is none that is this SecretSync's.
	SecretAbsent
	// SecretIncomplete: it lacks a mapped key.
	SecretIncomplete
	// SecretComplete: it has a value for every mapped key.
	SecretComplete
)

// Act is what a check did to the Secret.
type Act int

// The acts.
const (
	// Nothing was written.
	Nothing Act = iota
	// Created the Secret for the first time or anew.
	Created
	// Updated the Secret.
	Updated
)

// Event is one event on the SecretSync.
type Event struct {
	// Type is corev1.EventTypeNormal or EventTypeWarning.
	Type string
	// Reason and Message are those of the condition that it tells of.
	Reason, Message string
}

// Messages of success. They say the same at every check, so that statuses and events do not flap.
const (
	messageCreated   = "the Secret was created"
	messageUnchanged = "the Secret holds what the vault holds; nothing had to change"
	messageUpdated   = "the Secret was written and holds what the vault holds"
)

// Of turns what a check did into the status to show and the events to send. previous is not changed.
func Of(previous v1alpha1.SecretSyncStatus, r Result) (v1alpha1.SecretSyncStatus, []Event) {
	status := *previous.DeepCopy()
	at := metav1.NewTime(r.Time).Rfc3339Copy()
	status.LastCheckTime = &at
	status.ObservedGeneration = r.Generation
	status.ObservedInputs = r.Inputs
	status.ObservedForceSynchronization = r.Force
	if r.SyncHash != "" {
		status.SyncHash = r.SyncHash
	}
	if r.Fault == nil {
		status.LastSuccessfulSyncTime = &at
		succeed(&status, r)
	} else {
		fail(&status, r)
	}
	return status, append(warnings(previous, r), events(previous, status, r)...)
}

// warnings tells what a SecretProviderClass says to no effect, in one event, once for each version of the class.
func warnings(before v1alpha1.SecretSyncStatus, r Result) []Event {
	if len(r.Warnings) == 0 || before.ObservedInputs == r.Inputs {
		return nil
	}
	return []Event{{
		Type: corev1.EventTypeWarning, Reason: v1alpha1.ReasonClassWarning, Message: shorten(strings.Join(r.Warnings, "; ")),
	}}
}

// succeed sets the conditions of a check that ended well.
func succeed(status *v1alpha1.SecretSyncStatus, r Result) {
	first := !meta.IsStatusConditionTrue(status.Conditions, v1alpha1.ConditionCreate)
	set(status, r, v1alpha1.ConditionCreate, metav1.ConditionTrue, v1alpha1.ReasonCreateSucceeded, messageCreated)
	if r.Act == Nothing || first {
		set(status, r, v1alpha1.ConditionUpdate, metav1.ConditionTrue, v1alpha1.ReasonUpdateNoValueChangeSucceeded,
			messageUnchanged)
	} else {
		set(status, r, v1alpha1.ConditionUpdate, metav1.ConditionTrue, v1alpha1.ReasonUpdateValueChangeSucceeded, messageUpdated)
	}
	set(status, r, v1alpha1.ConditionReady, metav1.ConditionTrue, v1alpha1.ReasonSynced, messageUnchanged)
}

// fail sets the conditions of a check that did not. The failure is on Create until the Secret was made once, and on
// Update from then on.
func fail(status *v1alpha1.SecretSyncStatus, r Result) {
	verdict := judge(r.Fault.Kind)
	summary := shorten(r.Fault.Message)
	message := summary
	if r.Fault.Kind == fault.Partial {
		message = itemsMessage(r.Items)
	}
	if r.Secret == SecretIncomplete || r.Secret == SecretComplete {
		set(status, r, v1alpha1.ConditionCreate, metav1.ConditionTrue, v1alpha1.ReasonCreateSucceeded, messageCreated)
	}
	failed := v1alpha1.ConditionCreate
	if meta.IsStatusConditionTrue(status.Conditions, v1alpha1.ConditionCreate) {
		failed = v1alpha1.ConditionUpdate
	}
	set(status, r, failed, verdict.status, verdict.reason, message)
	switch {
	case !holdsAll(*status, r):
		set(status, r, v1alpha1.ConditionReady, metav1.ConditionFalse, verdict.reason, summary)
	case r.Fault.Kind == fault.Partial:
		set(status, r, v1alpha1.ConditionReady, metav1.ConditionTrue, verdict.reason, summary)
	default:
		set(status, r, v1alpha1.ConditionReady, metav1.ConditionTrue, v1alpha1.ReasonStale,
			shorten("the Secret keeps its last good values; the latest check failed: "+r.Fault.Message))
	}
}

// maxItemsMessage bounds the message that lists items, below the 32,768 bytes that a condition takes.
const maxItemsMessage = 32000

// itemsMessage lists the items as JSON. If they do not fit, those that are well are left out first, and what still does not
// fit is counted by the last element.
func itemsMessage(items []Item) string {
	shown := make([]Item, 0, len(items))
	for _, item := range items {
		item.Error = shorten(item.Error)
		shown = append(shown, item)
	}
	text := toJSON(shown)
	if len(text) > maxItemsMessage {
		shown = slices.DeleteFunc(shown, func(item Item) bool { return item.State == ItemUpdated })
	}
	kept := len(shown)
	for text = toJSON(shown); len(text) > maxItemsMessage; {
		kept = kept * 9 / 10 // each round takes away a tenth: a few rounds at most
		text = toJSON(append(shown[:kept:kept], Item{State: fmt.Sprintf("%d more items", len(items)-kept)}))
	}
	return text
}

func toJSON(items []Item) string {
	text, err := json.Marshal(items)
	if err != nil {
		return "[]" // items are texts, for which encoding cannot fail
	}
	return string(text)
}

// holdsAll says whether the Secret has a value for every mapped key, going by the last time that it was known. One that was
// taken by somebody else is no longer the Secret that was known then.
func holdsAll(status v1alpha1.SecretSyncStatus, r Result) bool {
	if r.Secret == SecretUnknown && r.Fault.Kind != fault.SecretForeign {
		return meta.IsStatusConditionTrue(status.Conditions, v1alpha1.ConditionReady)
	}
	return r.Secret == SecretComplete
}

func set(status *v1alpha1.SecretSyncStatus, r Result, kind string, value metav1.ConditionStatus, reason, message string) {
	meta.SetStatusCondition(&status.Conditions, metav1.Condition{
		Type: kind, Status: value, Reason: reason, Message: message,
		ObservedGeneration: r.Generation,
		LastTransitionTime: metav1.NewTime(r.Time).Rfc3339Copy(),
	})
}

// maxMessage bounds a message: conditions take 32,768 bytes, events 1,024.
const maxMessage = 1000

func shorten(message string) string {
	if len(message) <= maxMessage {
		return message
	}
	cut := maxMessage - len("…")
	for cut > 0 && message[cut]&0xC0 == 0x80 { // not within a rune
		cut--
	}
	return message[:cut] + "…"
}

// events tells of what is new: the Secret written, a failure that was not there before, and its end.
func events(before, after v1alpha1.SecretSyncStatus, r Result) []Event {
	was, is := current(before), current(after)
	switch {
	case r.Fault != nil && was != nil && was.Reason == is.Reason && was.Message == is.Message:
		return nil
	case r.Fault != nil:
		return []Event{{Type: corev1.EventTypeWarning, Reason: is.Reason, Message: shorten(r.Fault.Message)}}
	case was == nil || was.Type == v1alpha1.ConditionCreate:
		return []Event{{Type: corev1.EventTypeNormal, Reason: v1alpha1.ReasonCreateSucceeded, Message: messageCreated}}
	case r.Act != Nothing || was.Status != metav1.ConditionTrue:
		return []Event{{Type: corev1.EventTypeNormal, Reason: is.Reason, Message: is.Message}}
	default:
		return nil
	}
}

// Reason is how the latest check went, in one word: the reason of the condition that tells of it.
func Reason(status v1alpha1.SecretSyncStatus) string {
	if latest := current(status); latest != nil {
		return latest.Reason
	}
	return ""
}

// Tells says whether a status tells of a failure already.
func Tells(status v1alpha1.SecretSyncStatus, f *fault.Error) bool {
	latest := current(status)
	return latest != nil && latest.Status != metav1.ConditionTrue &&
		latest.Reason == judge(f.Kind).reason && latest.Message == shorten(f.Message)
}

// current is the condition that tells how the latest check went; nil before the first.
func current(status v1alpha1.SecretSyncStatus) *metav1.Condition {
	if update := meta.FindStatusCondition(status.Conditions, v1alpha1.ConditionUpdate); update != nil {
		return update
	}
	return meta.FindStatusCondition(status.Conditions, v1alpha1.ConditionCreate)
}
