package main

import (
	"cmp"
	"encoding/json"
	"slices"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"secretstore/api/secretsync/v1alpha1"
	"secretstore/internal/controller/outcome"
)

// report is what status tells: with -o json and -o yaml in this form, which docs/reference/kubectl-secretstore.md promises.
type report struct {
	Items  []entry `json:"items"`
	Counts counts  `json:"counts"`
}

// counts adds the items up by their health.
type counts struct {
	Total     int `json:"total"`
	Healthy   int `json:"healthy"`
	Failing   int `json:"failing"`
	Unchecked int `json:"unchecked"`
}

// health is the one word for the latest check.
type health string

// The words.
const (
	healthy   health = "healthy"
	failing   health = "failing"
	unchecked health = "unchecked"
)

// statusUnchecked stands in place of a reason where no check has ended yet.
const statusUnchecked = "NotChecked"

// entry is one SecretSync. Reason, message and since are those of the latest check.
type entry struct {
	Namespace               string                 `json:"namespace"`
	Name                    string                 `json:"name"`
	Health                  health                 `json:"health"`
	Ready                   metav1.ConditionStatus `json:"ready"`
	Status                  string                 `json:"status"`
	Reason                  string                 `json:"reason,omitempty"`
	Message                 string                 `json:"message,omitempty"`
	Since                   *metav1.Time           `json:"since,omitempty"`
	LastSuccessfulSyncTime  *metav1.Time           `json:"lastSuccessfulSyncTime,omitempty"`
	LastCheckTime           *metav1.Time           `json:"lastCheckTime,omitempty"`
	SecretProviderClassName string                 `json:"secretProviderClassName"`
	ServiceAccountName      string                 `json:"serviceAccountName"`
	ControllerName          string                 `json:"secretSyncControllerName,omitempty"`
	Items                   []outcome.Item         `json:"items,omitempty"`
}

// reportOf tells of SecretSyncs, sorted by namespace and name.
func reportOf(found []v1alpha1.SecretSync) report {
	r := report{Items: make([]entry, 0, len(found))}
	for _, sync := range found {
		r.Items = append(r.Items, entryOf(sync))
	}
	slices.SortFunc(r.Items, func(a, b entry) int {
		return cmp.Or(cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Name, b.Name))
	})
	r.Counts = count(r.Items)
	return r
}

func count(items []entry) counts {
	c := counts{Total: len(items)}
	for _, e := range items {
		switch e.Health {
		case healthy:
			c.Healthy++
		case failing:
			c.Failing++
		case unchecked:
			c.Unchecked++
		}
	}
	return c
}

func entryOf(sync v1alpha1.SecretSync) entry {
	e := entry{
		Namespace: sync.Namespace, Name: sync.Name,
		Health: unchecked, Ready: metav1.ConditionUnknown, Status: statusUnchecked,
		LastSuccessfulSyncTime: sync.Status.LastSuccessfulSyncTime, LastCheckTime: sync.Status.LastCheckTime,
		SecretProviderClassName: sync.Spec.SecretProviderClassName, ServiceAccountName: sync.Spec.ServiceAccountName,
		ControllerName: sync.Spec.SecretSyncControllerName,
	}
	if latest := latestCheck(sync.Status); latest != nil {
		e.Health, e.Status = healthOf(latest.Reason), latest.Reason // other controllers of the kind set no Ready
		e.Reason, e.Message, e.Since = latest.Reason, latest.Message, &latest.LastTransitionTime
		e.Items = itemsOf(*latest)
	}
	if ready := meta.FindStatusCondition(sync.Status.Conditions, v1alpha1.ConditionReady); ready != nil {
		e.Ready, e.Status = ready.Status, ready.Reason
	}
	return e
}

// latestCheck is the condition that tells how the latest check went: Update, or Create until the first success; nil if no
// check has ended yet.
func latestCheck(s v1alpha1.SecretSyncStatus) *metav1.Condition {
	if update := meta.FindStatusCondition(s.Conditions, v1alpha1.ConditionUpdate); update != nil {
		return update
	}
	return meta.FindStatusCondition(s.Conditions, v1alpha1.ConditionCreate)
}

func healthOf(reason string) health {
	switch reason {
	case v1alpha1.ReasonCreateSucceeded, v1alpha1.ReasonUpdateNoValueChangeSucceeded, v1alpha1.ReasonUpdateValueChangeSucceeded:
		return healthy
	default:
		return failing
	}
}

// itemsOf reads the message of a check that went well in part. A message in no such form stands for itself.
func itemsOf(latest metav1.Condition) []outcome.Item {
	if latest.Reason != v1alpha1.ReasonPartialSync {
		return nil
	}
	var items []outcome.Item
	if err := json.Unmarshal([]byte(latest.Message), &items); err != nil {
		return nil
	}
	return items
}
