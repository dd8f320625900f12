// Package neighbour keeps the controller from what another controller of the same kinds looks after.
//
// Microsoft's Secret Store extension and the public Secrets Store sync controller take every SecretSync of the cluster for
// theirs, and know of no way to share. That one of them is there shows in what is watched anyway: it writes statuses. Ours
// always say when the latest check ended, under a name that the others do not have and drop when they write. So [Rule] tells
// by the status alone whose an object is, and [Guard] leaves another's alone and says so, once. An object is ours
// again when it is given: when the other controller wrote its status before the moment that the administrator names.
//
// An object without a status is nobody's yet. While any object is left to another controller, that one is given a minute to
// take it.
package neighbour

import (
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"secretstore/api/secretsync/v1alpha1"
	"secretstore/internal/secretdata"
)

// Whose says who looks after an object.
type Whose int

// The answers.
const (
	// Ours: this controller wrote the status, or another one did and the object was given to this one since.
	Ours Whose = iota
	// Nobodys: there is no status yet.
	Nobodys
	// Anothers: another controller wrote the status last.
	Anothers
)

// Finding is whose an object is. Of one that is another's, it says what is known of the other.
type Finding struct {
	Whose Whose
	// Manager is the field manager that wrote the status last, and Time when; empty and zero if the object does not say.
	Manager string
	Time    time.Time
}

// Rule says which objects are ours. The zero value is ready: nothing was given to us.
type Rule struct {
	// AdoptWrittenBefore gives us the objects whose status another controller wrote last before this moment: the
	// administrator says by it that the other one was stopped. Zero gives none.
	AdoptWrittenBefore time.Time
}

// SecretSync finds whose a SecretSync is.
func (r Rule) SecretSync(sync *v1alpha1.SecretSync) Finding {
	status := sync.Status
	digested := status.SyncHash == "" || secretdata.IsDigest(status.SyncHash)
	return r.find(sync.ManagedFields, status.LastCheckTime != nil && digested,
		equality.Semantic.DeepEqual(status, v1alpha1.SecretSyncStatus{}))
}

// AKVSync finds whose an AKVSync is, by its own status.
func (r Rule) AKVSync(sync *v1alpha1.AKVSync) Finding {
	return r.find(sync.ManagedFields, sync.Status.ObservedGeneration != 0,
		equality.Semantic.DeepEqual(sync.Status, v1alpha1.AKVSyncStatus{}))
}

func (r Rule) find(fields []metav1.ManagedFieldsEntry, ours, blank bool) Finding {
	switch {
	case ours:
		return Finding{Whose: Ours}
	case blank:
		return Finding{Whose: Nobodys}
	}
	finding := Finding{Whose: Anothers}
	for _, entry := range fields {
		if isStatus(entry) && entry.Time != nil && entry.Time.After(finding.Time) {
			finding.Manager, finding.Time = entry.Manager, entry.Time.Time
		}
	}
	if finding.Time.Before(r.AdoptWrittenBefore) {
		return Finding{Whose: Ours}
	}
	return finding
}

func isStatus(entry metav1.ManagedFieldsEntry) bool { return entry.Subresource == "status" }

// message tells people of an object that is another's, with what to do.
func (r Rule) message(f Finding) string {
	who := "another controller"
	if f.Manager != "" {
		who += fmt.Sprintf(" (field manager %q, at %s)", f.Manager, f.Time.UTC().Format(time.RFC3339))
	}
	text := who + " wrote this status last: the object and what it makes are left alone. "
	if !r.AdoptWrittenBefore.IsZero() {
		text += "That was not before adoptWrittenBefore (" + r.AdoptWrittenBefore.UTC().Format(time.RFC3339) + "), so it may still " +
			"run. "
	}
	return text + "To have it looked after here, stop that controller, then set adoptWrittenBefore to the time of that moment " +
		"(see docs/guide/adopt.md)"
}
